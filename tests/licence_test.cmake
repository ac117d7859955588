# SPDX-License-Identifier: MIT
# Shows that licence.cmake can fail: cmake -DSCRIPT=licence.cmake -DWORK=DIR -P licence_test.cmake
cmake_minimum_required(VERSION 3.25)

set(tag "SPDX-License-Identifier: MIT")

# Makes a good tree in WORK, with one file's text replaced by that given.
function(write_tree file text)
    file(REMOVE_RECURSE "${WORK}/tree")
    file(WRITE "${WORK}/tree/LICENSE" "MIT License\n\nCopyright (c) 2026 The Ringside authors\n")
    file(WRITE "${WORK}/tree/src/a.c" "/* ${tag} */\n/* What it is. */\n")
    file(WRITE "${WORK}/tree/tests/a.sh" "#!/bin/sh\n# ${tag}\n")
    file(WRITE "${WORK}/tree/tests/CMakeLists.txt" "# ${tag}\n")
    file(WRITE "${WORK}/tree/bench/a.cmd" "@rem ${tag}\r\n")
    file(WRITE "${WORK}/tree/tests/fuzz/corpus/a.c" "no source\n")
    if(NOT file STREQUAL "")
        file(WRITE "${WORK}/tree/${file}" "${text}")
    endif()
endfunction()

function(run out)
    execute_process(COMMAND "${CMAKE_COMMAND}" "-DROOT=${WORK}/tree" -P "${SCRIPT}"
        RESULT_VARIABLE status OUTPUT_VARIABLE text ERROR_VARIABLE text)
    set(${out} "${status}" PARENT_SCOPE)
endfunction()

write_tree("" "")
run(status)
if(NOT status EQUAL 0)
    message(FATAL_ERROR "the good tree is refused")
endif()

function(refused file text)
    write_tree("${file}" "${text}")
    run(status)
    if(status EQUAL 0)
        message(FATAL_ERROR "not refused: ${file}: ${text}")
    endif()
endfunction()

refused(LICENSE "All rights reserved\n")
refused(LICENSE "MIT License\n\nCopyright (c) 2026 somebody else\n")
refused(src/a.c "/* What it is. */\n/* ${tag} */\n")
refused(src/a.h "#pragma once\n")
refused(src/a.c "/* SPDX-License-Identifier: GPL-2.0 */\n")
refused(tests/a.sh "#!/bin/sh\nset -eu\n")
refused(tests/CMakeLists.txt "set(a b)\n")
refused(bench/a.cmd "@echo off\r\n")
file(REMOVE_RECURSE "${WORK}/tree")
