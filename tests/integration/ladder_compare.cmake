# SPDX-License-Identifier: MIT
# cmake -DCOMPARE=PROGRAM -DOUT=DIR -P ladder_compare.cmake: compare.exe --ladder over one model that
# ends below the scenario and one that does not. A pass: exit code 0, "ends at 63" with its reason,
# figures for the other, and no decision.
execute_process(COMMAND ${EMULATOR} ${COMPARE} --ladder --servers ladder_event_select,ladder_select
        --scenario many-small --repeat 1 --seconds 0.5 --warmup 0.1 --progress off --disturbed-max 100 --out ${OUT}
    RESULT_VARIABLE code OUTPUT_VARIABLE out ERROR_VARIABLE err TIMEOUT 200)
message("${out}${err}")
if(NOT code STREQUAL "0")
    message(FATAL_ERROR "exit code ${code}")
endif()
foreach(words "ladder_event_select +0 +0 +0 +ends at 63 [^\n]*sync, notified"
        "ladder_event_select: at most 63 connections: WSAWaitForMultipleEvents takes 64"
        "many-small +ladder_select +1 +[01] +0 +[0-9][^\n]*sync, notified"
        "(Wine cannot decide|No decision: trade-offs and the ladder)")
    if(NOT out MATCHES "${words}")
        message(FATAL_ERROR "not in the output: ${words}")
    endif()
endforeach()
