# winipc_add_programs(FOLDER OUTPUT NAMES): every .c file in FOLDER is a program of its own, built into OUTPUT and
# named after its file; NAMES receives the file stems. They link nothing of winipc: a program finds winipc.dll beside
# itself and loads it at run time.
function(winipc_add_programs FOLDER OUTPUT NAMES)
  file(GLOB SOURCES CONFIGURE_DEPENDS ${FOLDER}/*.c)
  file(RELATIVE_PATH PREFIX ${PROJECT_SOURCE_DIR} ${FOLDER})
  string(REPLACE "/" "-" PREFIX ${PREFIX})
  set(STEMS)
  foreach(SOURCE ${SOURCES})
    get_filename_component(STEM ${SOURCE} NAME_WE)
    set(TARGET ${PREFIX}-${STEM})
    add_executable(${TARGET} ${SOURCE})
    set_target_properties(${TARGET} PROPERTIES OUTPUT_NAME ${STEM} RUNTIME_OUTPUT_DIRECTORY ${OUTPUT}$<0:>)
    target_include_directories(${TARGET} PRIVATE ${PROJECT_SOURCE_DIR}/dll/include ${FOLDER})
    target_link_libraries(${TARGET} PRIVATE winipc_flags
      advapi32 bcrypt ntdll ole32 oleaut32 rpcrt4 user32 gdi32 winhttp ws2_32 uuid)  # what a program may call itself
    add_dependencies(${TARGET} winipc)
    list(APPEND STEMS ${STEM})
  endforeach()
  set(${NAMES} ${STEMS} PARENT_SCOPE)
endfunction()

# winipc_copy_dll(FOLDER): winipc.dll beside the programs that load it from there.
function(winipc_copy_dll FOLDER)
  add_custom_command(OUTPUT ${FOLDER}/winipc.dll
    COMMAND ${CMAKE_COMMAND} -E make_directory ${FOLDER}
    COMMAND ${CMAKE_COMMAND} -E copy $<TARGET_FILE:winipc> ${FOLDER}/winipc.dll
    DEPENDS winipc COMMENT "" VERBATIM)
  file(RELATIVE_PATH NAME ${CMAKE_BINARY_DIR} ${FOLDER})
  string(REPLACE "/" "-" NAME ${NAME})
  add_custom_target(dll-in-${NAME} ALL DEPENDS ${FOLDER}/winipc.dll)
endfunction()
