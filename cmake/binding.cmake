# The Python package, ready to import, in pkg/winipc of the build folder:
#   _winipc.pyd (SWIG, stable ABI), native.py (SWIG's raw module), winipc.dll, and the .py files of bindings/python.

# A Windows CPython with include/ and libs/: an unpacked one in a cross build, otherwise the one that runs.
set(WINIPC_PYTHON_ROOT "$ENV{WINIPC_PYTHON_ROOT}" CACHE PATH "a Windows CPython with include/ and libs/")
find_package(Python3 3.11 REQUIRED COMPONENTS Interpreter)
if(NOT WINIPC_PYTHON_ROOT AND NOT CMAKE_CROSSCOMPILING)
  execute_process(COMMAND ${Python3_EXECUTABLE} -c "import sys; print(sys.base_prefix, end='')"
    OUTPUT_VARIABLE WINIPC_PYTHON_ROOT COMMAND_ERROR_IS_FATAL ANY)
endif()
if(NOT EXISTS ${WINIPC_PYTHON_ROOT}/include/Python.h)
  message(FATAL_ERROR "WINIPC_PYTHON_ROOT (${WINIPC_PYTHON_ROOT}) has no include/Python.h; `dev.py build` sets it")
endif()
find_program(WINIPC_SWIG NAMES swig REQUIRED)

set(PACKAGE ${CMAKE_BINARY_DIR}/pkg/winipc)
set(BINDINGS ${PROJECT_SOURCE_DIR}/bindings)
set(WRAPPER ${CMAKE_BINARY_DIR}/swig/winipc_wrap.c)
file(GLOB INTERFACES CONFIGURE_DEPENDS ${BINDINGS}/*.i ${BINDINGS}/typemaps/*.i ${BINDINGS}/typemaps/*.h ${BINDINGS}/*.h)

add_custom_command(OUTPUT ${WRAPPER} ${PACKAGE}/native.py
  COMMAND ${CMAKE_COMMAND} -E make_directory ${PACKAGE} ${CMAKE_BINARY_DIR}/swig
  COMMAND ${WINIPC_SWIG} -python -interface _winipc -Wall -Werror
    -I${BINDINGS} -I${BINDINGS}/typemaps -I${PROJECT_SOURCE_DIR}/dll/include
    -outdir ${PACKAGE} -o ${WRAPPER} ${BINDINGS}/winipc.i
  DEPENDS ${INTERFACES} ${PROJECT_SOURCE_DIR}/dll/include/winipc.h
  COMMENT "SWIG: winipc.i" VERBATIM)

add_library(winipc_python MODULE ${WRAPPER})
set_target_properties(winipc_python PROPERTIES
  OUTPUT_NAME _winipc PREFIX "" SUFFIX .pyd LIBRARY_OUTPUT_DIRECTORY ${PACKAGE}$<0:>)
target_compile_definitions(winipc_python PRIVATE Py_LIMITED_API=0x030B0000)
target_include_directories(winipc_python PRIVATE ${BINDINGS} ${BINDINGS}/typemaps)
target_include_directories(winipc_python SYSTEM PRIVATE ${WINIPC_PYTHON_ROOT}/include)
target_link_directories(winipc_python PRIVATE ${WINIPC_PYTHON_ROOT}/libs)  # MSVC: Python.h names the library itself
target_link_libraries(winipc_python PRIVATE winipc winipc_flags ${WINIPC_PYTHON_ROOT}/libs/python3.lib)
if(NOT MSVC)  # SWIG's own code is not ours to mend
  target_compile_options(winipc_python PRIVATE
    -Wno-unused-parameter -Wno-missing-field-initializers -Wno-cast-function-type)
endif()
winipc_copy_dll(${PACKAGE})

# One copying rule a file: a changed .py is copied and a removed one is removed.
file(GLOB_RECURSE FILES RELATIVE ${BINDINGS}/python/winipc CONFIGURE_DEPENDS
  ${BINDINGS}/python/winipc/*.py ${BINDINGS}/python/winipc/*.pyi ${BINDINGS}/python/winipc/py.typed)
set(COPIES)
foreach(FILE ${FILES})
  add_custom_command(OUTPUT ${PACKAGE}/${FILE}
    COMMAND ${CMAKE_COMMAND} -E copy ${BINDINGS}/python/winipc/${FILE} ${PACKAGE}/${FILE}
    DEPENDS ${BINDINGS}/python/winipc/${FILE} COMMENT "" VERBATIM)
  list(APPEND COPIES ${PACKAGE}/${FILE})
endforeach()
add_custom_target(winipc_package ALL DEPENDS ${COPIES})

# The wheel: scikit-build-core adds the files of bindings/python itself.
install(TARGETS winipc_python LIBRARY DESTINATION winipc COMPONENT python)
install(TARGETS winipc RUNTIME DESTINATION winipc COMPONENT python)
install(FILES ${PACKAGE}/native.py DESTINATION winipc COMPONENT python)
