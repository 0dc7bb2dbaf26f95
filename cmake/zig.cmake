# Cross-building for Windows with zig (clang and lld in one package): a second compiler, UBSan, ARM64.
if(NOT DEFINED WINIPC_ZIG_CPU)
  set(WINIPC_ZIG_CPU x86_64)
endif()
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES WINIPC_ZIG_CPU)
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR ${WINIPC_ZIG_CPU})
find_program(WINIPC_ZIG NAMES python-zig REQUIRED)
set(CMAKE_C_COMPILER ${WINIPC_ZIG} cc -target ${WINIPC_ZIG_CPU}-windows-gnu)
find_program(CMAKE_AR NAMES x86_64-w64-mingw32-ar)
find_program(CMAKE_RANLIB NAMES x86_64-w64-mingw32-ranlib)
set(CMAKE_RC_COMPILER x86_64-w64-mingw32-windres)  # zig's own does not suit CMake 3.25
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
include(${CMAKE_CURRENT_LIST_DIR}/wine.cmake)
