# SPDX-License-Identifier: MIT
# Bad command lines of one server: each must end with the right exit code and exactly one line on
# stderr that names the option, the value and what is allowed. What depends on more than one option,
# or on the machine; options_walk.cmake has every option alone.
# cmake -DPROGRAM=... [-DEMULATOR=...] -DREFUSED=--option -P bad_input.cmake
cmake_minimum_required(VERSION 3.25)

set(checks 0)

function(run_program)
    execute_process(COMMAND ${EMULATOR} ${PROGRAM} ${ARGN} TIMEOUT 60
        RESULT_VARIABLE code OUTPUT_VARIABLE out ERROR_VARIABLE err)
    string(REPLACE "\r" "" err "${err}")
    set(code "${code}" PARENT_SCOPE)
    set(out "${out}" PARENT_SCOPE)
    set(err "${err}" PARENT_SCOPE)
endfunction()

# expect(CODE "words that stderr must have;..." ARGS...)
function(expect wanted words)
    run_program(${ARGN})
    if(NOT code STREQUAL "${wanted}")
        message(FATAL_ERROR "${ARGN}: exit ${code}, not ${wanted}\n${err}")
    endif()
    if(NOT err MATCHES "^[^\n]+\n$")
        message(FATAL_ERROR "${ARGN}: not exactly one line on stderr:\n${err}")
    endif()
    foreach(word IN LISTS words)
        string(FIND "${err}" "${word}" at)
        if(at EQUAL -1)
            message(FATAL_ERROR "${ARGN}: the line does not say '${word}':\n${err}")
        endif()
    endforeach()
    math(EXPR checks "${checks} + 1")
    set(checks ${checks} PARENT_SCOPE)
endfunction()

run_program(--help)
if(NOT code STREQUAL "0")
    message(FATAL_ERROR "--help: exit ${code}")
endif()
expect(2 "--nonsense;--help" --nonsense 1)
expect(2 "stray" stray)
expect(2 "--port" --port)
expect(2 "--app;poker;echo|raw" --app poker)
expect(2 "--host;1.2.3" --host 1.2.3)
expect(2 "--port" --port 1 --port 2)
expect(2 "${REFUSED}" ${REFUSED})
expect(1 "--json;no/such/folder" --port 0 --duration 0.01 --json no/such/folder/x.json)
expect(2 "--max-queued;'10';4096" --port 0 --max-queued 10)
expect(2 "--send-block;100;4096" --port 0 --send-block 100)
# 64 sessions, 24 slots for those that close, two blocks each, and one for a broadcast.
expect(2 "--send-blocks 176;177" --port 0 --max-sessions 64 --send-blocks 176)
expect(2 "--send-blocks 1;51" --port 0 --max-sessions 8 --send-blocks 1)
run_program(--port 0 --duration 0.01 --max-sessions 64 --send-blocks 177)
if(NOT code STREQUAL "0")
    message(FATAL_ERROR "the least --send-blocks: exit ${code}\n${err}")
endif()
expect(2 "--max-sessions;4095" --port 0 --max-sessions 1000000)

# Port in use: two servers at once on one port; one of them must say so and exit 1.
foreach(try RANGE 1 5)
    string(RANDOM LENGTH 4 ALPHABET 123456789 digits)
    math(EXPR port "20000 + ${digits}")
    execute_process(COMMAND ${EMULATOR} ${PROGRAM} --port ${port} --duration 3
        COMMAND ${EMULATOR} ${PROGRAM} --port ${port} --duration 3
        TIMEOUT 60 RESULTS_VARIABLE codes OUTPUT_QUIET ERROR_VARIABLE err)
    if(codes STREQUAL "0;1" OR codes STREQUAL "1;0")
        break()
    endif()
endforeach()
if(NOT (codes STREQUAL "0;1" OR codes STREQUAL "1;0"))
    message(FATAL_ERROR "two servers on one port ended with ${codes}:\n${err}")
endif()
string(REPLACE "\r" "" err "${err}")
if(NOT err MATCHES "^[^\n]*${port}[^\n]*--port[^\n]*\n$")
    message(FATAL_ERROR "port in use: not one line with the port and the remedy:\n${err}")
endif()
message(STATUS "${checks} bad command lines, each refused as it should be")
