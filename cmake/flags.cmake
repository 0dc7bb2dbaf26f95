# Flags as two interface targets: one for every program of ours, a stricter one for the DLL. The presets make
# warnings errors; a plain build, such as that of the wheel from its sources, does not break on a new compiler.
add_library(winipc_flags INTERFACE)
target_compile_definitions(winipc_flags INTERFACE _WIN32_WINNT=0x0a00 UNICODE _UNICODE)
add_library(winipc_strict_flags INTERFACE)
target_link_libraries(winipc_strict_flags INTERFACE winipc_flags)

if(MSVC)
  target_compile_definitions(winipc_flags INTERFACE _CRT_SECURE_NO_WARNINGS)
  target_compile_options(winipc_flags INTERFACE /W4 /utf-8)
  target_compile_options(winipc_strict_flags INTERFACE /guard:cf)
  target_link_options(winipc_strict_flags INTERFACE /guard:cf)
else()
  target_compile_options(winipc_flags INTERFACE -Wall -Wextra)
  target_compile_options(winipc_strict_flags INTERFACE
    $<$<C_COMPILER_ID:GNU>:-Wshadow=local> -Wconversion -Wno-sign-conversion)
  target_link_options(winipc_flags INTERFACE
    -static-libgcc -Wl,--nxcompat,--dynamicbase,--high-entropy-va
    $<$<C_COMPILER_ID:GNU>:-Wl,--no-insert-timestamp>)  # the same source gives the same file
endif()
