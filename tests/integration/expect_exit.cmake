# SPDX-License-Identifier: MIT
# cmake -DCOMMAND="PROGRAM;ARGS" -DEXIT=N -P expect_exit.cmake: runs it; a pass is the exit code N,
# one line on stderr, and nothing on stdout.
execute_process(COMMAND ${COMMAND} RESULT_VARIABLE code OUTPUT_VARIABLE out ERROR_VARIABLE err
    TIMEOUT 30)
message("${err}")
string(REGEX MATCHALL "\n" lines "${err}")
list(LENGTH lines count)
if(NOT code STREQUAL "${EXIT}")
    message(FATAL_ERROR "exit code ${code}, expected ${EXIT}")
endif()
if(NOT count EQUAL 1 OR NOT out STREQUAL "")
    message(FATAL_ERROR "expected one line on stderr, got ${count}; on stdout: '${out}'")
endif()
