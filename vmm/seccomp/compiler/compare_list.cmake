# cmake -DCOMPILER=seccomp_compiler -DLIST=FILE -P compare_list.cmake: whether FILE is what the compiler lists.
execute_process(COMMAND ${COMPILER} --list OUTPUT_VARIABLE listed COMMAND_ERROR_IS_FATAL ANY)
file(READ ${LIST} written)
if(NOT listed STREQUAL written)
  message(FATAL_ERROR "${LIST} is not what ${COMPILER} --list prints: write it anew")
endif()
