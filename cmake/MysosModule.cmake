# SPDX-License-Identifier: Apache-2.0
# mysos_module(NAME core SOURCES a.cc b.cc TESTS a_test.cc DEPS model LIBS SQLite::SQLite3)
#   makes the library mysos::core and, where TESTS are given, the test program core_test.
#   DEPS are the arrows of the house: other modules, by name. A module's name is its folder's; a sub-room's has the name of its
#   room before it (src/core/member is core_member). LIBS are third-party targets.
#   LABEL (default unit) is the ctest label of its tests.
include(GoogleTest)

# The tests that the sanitizers run too: all of unit and sim.
add_custom_target(unit_and_sim_tests)

function(mysos_module)
  cmake_parse_arguments(M "" "NAME;LABEL" "SOURCES;TESTS;DEPS;LIBS;TEST_DEPS" ${ARGN})
  set(target mysos_${M_NAME})
  if(M_SOURCES)
    add_library(${target} STATIC ${M_SOURCES})
    mysos_precompiled(${target})
    set(scope PUBLIC)
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  add_library(mysos::${M_NAME} ALIAS ${target})
  target_link_libraries(${target} ${scope} mysos_options ${M_LIBS})
  foreach(dep ${M_DEPS})
    target_link_libraries(${target} ${scope} mysos::${dep})
  endforeach()
  set_property(GLOBAL APPEND PROPERTY MYSOS_MODULES ${M_NAME})
  set_property(GLOBAL PROPERTY MYSOS_DEPS_${M_NAME} "${M_DEPS}")

  if(M_TESTS)
    if(NOT M_LABEL)
      set(M_LABEL unit)
    endif()
    add_executable(${M_NAME}_test ${M_TESTS})
    mysos_precompiled(${M_NAME}_test TESTS)
    target_link_libraries(${M_NAME}_test PRIVATE mysos::${M_NAME} GTest::gtest_main)
    if(M_LABEL MATCHES "^(unit|sim)$")
      add_dependencies(unit_and_sim_tests ${M_NAME}_test)
    endif()
    foreach(dep ${M_TEST_DEPS})
      target_link_libraries(${M_NAME}_test PRIVATE mysos::${dep})
    endforeach()
    gtest_discover_tests(${M_NAME}_test DISCOVERY_MODE PRE_TEST
      WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" PROPERTIES LABELS ${M_LABEL} TIMEOUT 300)
  endif()
endfunction()
