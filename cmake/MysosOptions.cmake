# SPDX-License-Identifier: Apache-2.0
# How every target of the project is compiled; nothing is set globally.
option(MYSOS_WERROR "Treat warnings as errors" OFF)
set(MYSOS_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them")

add_library(mysos_options INTERFACE)
target_compile_features(mysos_options INTERFACE cxx_std_23)
target_include_directories(mysos_options INTERFACE "${PROJECT_SOURCE_DIR}/src")
target_compile_options(mysos_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
  -Woverloaded-virtual -Wconversion -Wno-sign-conversion -Wimplicit-fallthrough -Wunused
  -Wno-missing-designated-field-initializers)
if(MYSOS_WERROR)
  target_compile_options(mysos_options INTERFACE -Werror)
endif()
if(MYSOS_SANITIZE)
  target_compile_options(mysos_options INTERFACE -fsanitize=${MYSOS_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  target_link_options(mysos_options INTERFACE -fsanitize=${MYSOS_SANITIZE})
endif()

find_program(MYSOS_LLD NAMES ld.lld-19)
if(MYSOS_LLD)
  target_link_options(mysos_options INTERFACE "--ld-path=${MYSOS_LLD}")
endif()
find_program(MYSOS_CCACHE NAMES ccache)
if(MYSOS_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${MYSOS_CCACHE}")
endif()
