# SPDX-License-Identifier: MIT
# Shows that docs.cmake can fail: cmake -DSCRIPT=docs.cmake -DWORK=DIR -P docs_test.cmake
#
# A small tree in WORK passes; then one fault at a time is added, and the script must name it.
cmake_minimum_required(VERSION 3.25)

string(REPEAT "word " 21 long)

function(make_tree)
    file(REMOVE_RECURSE "${WORK}")
    file(WRITE "${WORK}/src/common/core/slab.c" "")
    file(WRITE "${WORK}/src/common/core/slab.h" "")
    file(WRITE "${WORK}/include/ringside/ringside.h" "")
    file(WRITE "${WORK}/bench/loadgen/CMakeLists.txt" "")
    file(WRITE "${WORK}/docs/architecture.md"
        "`core/slab.*` `ringside/ringside.h` `bench/loadgen/`\n| ${long} |\n\n    ${long}\n")
    file(WRITE "${WORK}/README.md" "[a](docs/architecture.md) [b](CHANGELOG.md)\n")
    file(WRITE "${WORK}/CHANGELOG.md" "\n")
endfunction()

function(check wanted)
    execute_process(COMMAND "${CMAKE_COMMAND}" -DROOT=${WORK} -P "${SCRIPT}"
        RESULT_VARIABLE code ERROR_VARIABLE err OUTPUT_VARIABLE out)
    string(FIND "${err}" "${wanted}" at)
    if(wanted STREQUAL "" AND NOT code EQUAL 0)
        message(FATAL_ERROR "docs_test: the good tree failed:\n${err}")
    elseif(NOT wanted STREQUAL "" AND (code EQUAL 0 OR at EQUAL -1))
        message(FATAL_ERROR "docs_test: '${wanted}' was not reported:\n${err}")
    endif()
endfunction()

make_tree()
check("")
file(WRITE "${WORK}/src/rio/rio_new.c" "")
check("does not name src/rio/rio_new.c")
make_tree()
file(APPEND "${WORK}/docs/architecture.md" "`rio/rio_gone.*`\n")
check("names `rio/rio_gone.*`")
make_tree()
file(WRITE "${WORK}/bench/new/CMakeLists.txt" "")
check("does not name bench/new/")
make_tree()
file(WRITE "${WORK}/docs/new.md" "\n")
check("does not link to docs/new.md")
make_tree()
file(APPEND "${WORK}/CHANGELOG.md" "- ${long}\n")
check("CHANGELOG.md: over 100 columns")
file(REMOVE_RECURSE "${WORK}")
