# SPDX-License-Identifier: MIT
# Every entry of mutants.cmake applies to the tree as it is, and there are enough of them:
# cmake -DROOT=DIR -P check.cmake. With -DWORK=DIR the mutated copies are written there too.
cmake_minimum_required(VERSION 3.25)
include("${ROOT}/cmake/RingsideMutate.cmake")
rs_mutants_load("${ROOT}")
get_property(count GLOBAL PROPERTY RS_MUTANT_COUNT)
if(count LESS 150)
    message(FATAL_ERROR "mutate: ${count} mutants, 150 are wanted")
endif()
if(WORK)
    rs_mutants_write("${WORK}")
endif()
message("mutate: ${count} mutants apply")
