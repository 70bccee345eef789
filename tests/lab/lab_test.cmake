# qm_lab_test(NAME KIND contract|guest|service TIMEOUT seconds SOURCES … LINK …): a GoogleTest program that needs real KVM
# and so runs in the lab, whole, as one ctest entry. A lab has two emulated processors and
# stands still more often when others take the cores, so ctest runs nothing beside it.
function(qm_lab_test name)
  if(QM_SANITIZE)
    return()  # the lab is slow enough; the sanitizers see the same code in unit and fuzz tests
  endif()
  cmake_parse_arguments(ARG "" "KIND;TIMEOUT" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE qm_flags ${ARG_LINK} GTest::gmock GTest::gtest_main)
  qm_lab_run(${name} ${ARG_KIND} ${ARG_TIMEOUT} ${name})
endfunction()

# The same for a program that exists already: qm_lab_run(TEST KIND TIMEOUT TARGET ARGUMENT…).
function(qm_lab_run test kind timeout target)
  set(out ${CMAKE_BINARY_DIR}/lab/${test})
  add_test(NAME ${test}
    COMMAND ${CMAKE_SOURCE_DIR}/tests/lab/run --retry 2 --timeout ${timeout} --out ${out} --
            $<TARGET_FILE:${target}> --gtest_brief=1 --gtest_output=json:/run/lab/${test}.json ${ARGN})
  math(EXPR ctest_timeout "3 * ${timeout} + 300")
  set_tests_properties(${test} PROPERTIES LABELS ${kind} TIMEOUT ${ctest_timeout} RESOURCE_LOCK lab PROCESSORS 2)
endfunction()
