# SPDX-License-Identifier: MIT
# A short run of one fuzz target: cmake -DPROGRAM= -DCORPUS= -DWORK= -DMUST_CRASH=ON|OFF -P smoke.cmake
#
# The corpus is copied to WORK, where new inputs and a crashing one are left; the source tree is
# only read. A run that executed nothing, or started from no corpus, fails. With MUST_CRASH the
# only pass is the canary's own crash, so a program that cannot start fails there too.
cmake_minimum_required(VERSION 3.25)

file(REMOVE_RECURSE "${WORK}")
file(GLOB inputs "${CORPUS}/*")
if(inputs STREQUAL "")
    message(FATAL_ERROR "no corpus in ${CORPUS}")
endif()
file(MAKE_DIRECTORY "${WORK}/corpus")
file(COPY ${inputs} DESTINATION "${WORK}/corpus")

set(runs -runs=20000 -max_total_time=10)
if(MUST_CRASH)
    set(runs -runs=10000000 -max_total_time=60)
endif()
execute_process(
    COMMAND "${PROGRAM}" ${runs} -seed=1 -timeout=10 "-artifact_prefix=${WORK}/" "${WORK}/corpus"
    RESULT_VARIABLE status OUTPUT_VARIABLE text ERROR_VARIABLE text)

if(MUST_CRASH)
    if(status EQUAL 0 OR NOT text MATCHES "assertion failed: canary_is_alive")
        message(FATAL_ERROR "the canary was not found (status ${status}):\n${text}")
    endif()
elseif(NOT status EQUAL 0)
    message(FATAL_ERROR "status ${status}; the input is left in ${WORK}:\n${text}")
elseif(NOT text MATCHES "Done [1-9][0-9]* runs")
    message(FATAL_ERROR "nothing was run:\n${text}")
endif()
string(REGEX MATCH "Done [0-9]+ runs[^\n]*" done "${text}")
message("${PROGRAM}: ${done}")
