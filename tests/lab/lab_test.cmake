# Programs of tests that ctest runs in the lab, on this machine, or in both.

# qm_test_program(NAME SOURCES … LINK …): the program, a GoogleTest one.
function(qm_test_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE qm_flags ${ARG_LINK} GTest::gmock GTest::gtest_main)
endfunction()

# qm_lab_run(TEST KIND TIMEOUT TARGET [FILTER]): a program that needs real KVM and so runs in the lab, whole, as one ctest
# entry; what a lab did not get to, or failed, runs in another (run_tests). A lab has two emulated processors, so ctest runs
# nothing beside it. It is slow enough without sanitizers, which see the same code in unit and fuzz tests, and on the CPU in
# software.
function(qm_lab_run test kind timeout target)
  if(QM_SANITIZE)
    return()
  endif()
  if(ARGC GREATER 4)
    set(filter --filter=${ARGV4})
  endif()
  add_test(NAME ${test}
    COMMAND ${CMAKE_SOURCE_DIR}/tests/lab/run_tests --timeout ${timeout} --results ${CMAKE_BINARY_DIR}/results/${test}.json
            ${filter} $<TARGET_FILE:${target}>)
  math(EXPR ctest_timeout "3 * ${timeout} + 300")
  set_tests_properties(${test} PROPERTIES LABELS ${kind} TIMEOUT ${ctest_timeout} RESOURCE_LOCK lab PROCESSORS 2)
endfunction()

# The same program on this machine itself: qm_bare_run(TEST KIND TIMEOUT TARGET ARGUMENT…).
function(qm_bare_run test kind timeout target)
  add_test(NAME ${QM_TEST_PREFIX}${test}
    COMMAND ${target} --gtest_brief=1 --gtest_output=json:${CMAKE_BINARY_DIR}/results/${test}.json ${ARGN})
  set_tests_properties(${QM_TEST_PREFIX}${test} PROPERTIES LABELS ${kind} TIMEOUT ${timeout})
endfunction()
