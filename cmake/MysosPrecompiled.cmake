# SPDX-License-Identifier: Apache-2.0
# What nearly every file includes is compiled once, for libraries and for tests: a third of the build's time. A file still
# includes all that it uses: the preset dev builds without this, so that one that does not is found.
#   mysos_precompiled(TARGET [TESTS])
option(MYSOS_PRECOMPILED "Compile common headers once" ON)

set(common <algorithm> <array> <chrono> <cstdint> <expected> <filesystem> <functional> <map> <memory> <optional> <ranges>
  <set> <string> <string_view> <utility> <variant> <vector> <fmt/format.h> <boost/json.hpp>)
if(MYSOS_PRECOMPILED)
  # Without a time stamp in it, ccache can keep it.
  target_compile_options(mysos_options INTERFACE "SHELL:-Xclang -fno-pch-timestamp")
  foreach(of sources tests)
    add_library(mysos_precompiled_${of} OBJECT "${PROJECT_SOURCE_DIR}/cmake/precompiled.cc")
    target_link_libraries(mysos_precompiled_${of} PRIVATE mysos_options Boost::json fmt::fmt GTest::gtest)
  endforeach()
  target_precompile_headers(mysos_precompiled_sources PRIVATE ${common})
  target_precompile_headers(mysos_precompiled_tests PRIVATE ${common} <gtest/gtest.h>)
endif()

function(mysos_precompiled target)
  if(NOT MYSOS_PRECOMPILED)
    return()
  elseif("TESTS" IN_LIST ARGN)
    target_precompile_headers(${target} REUSE_FROM mysos_precompiled_tests)
  else()
    target_precompile_headers(${target} REUSE_FROM mysos_precompiled_sources)
  endif()
endfunction()
