# SPDX-License-Identifier: MIT
# cmake -DPROGRAMS=a;b [-DEMULATOR=e] -P lists_equal.cmake: every program prints the same --list,
# and it is not empty.
set(first "")
foreach(program IN LISTS PROGRAMS)
    execute_process(COMMAND ${EMULATOR} ${program} --list
        OUTPUT_VARIABLE cases RESULT_VARIABLE failed)
    if(failed OR cases STREQUAL "")
        message(FATAL_ERROR "${program} --list: nothing, or exit code ${failed}")
    endif()
    if(first STREQUAL "")
        set(first "${cases}")
    elseif(NOT cases STREQUAL first)
        message(FATAL_ERROR "${program} has another list of cases than the first of ${PROGRAMS}")
    endif()
endforeach()
string(REGEX MATCHALL "\n" lines "${first}")
list(LENGTH lines count)
list(LENGTH PROGRAMS programs)
message(STATUS "${count} cases, the same in ${programs} program(s)")
if(count LESS 24)
    message(FATAL_ERROR "fewer cases than the suite promises")
endif()
