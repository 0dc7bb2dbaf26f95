# ctest starts the programs through Wine, which Debian keeps outside PATH.
find_program(WINIPC_WINE NAMES wine64 wine PATHS /usr/lib/wine REQUIRED)
set(CMAKE_CROSSCOMPILING_EMULATOR ${WINIPC_WINE})
