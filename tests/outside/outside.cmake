# SPDX-License-Identifier: MIT
# A project outside the tree builds with the library and runs.
#   cmake -DWAY=package|subdirectory|fetch|pkgconfig -DSHARED=ON|OFF -DROOT=DIR -DBUILD=DIR -DWORK=DIR
#         -DTOOLCHAIN=FILE -DEMULATOR=PROGRAM -P outside.cmake
# BUILD: of the tree, for the ways that install from it.
cmake_minimum_required(VERSION 3.25)

function(run)
    execute_process(COMMAND ${ARGV} RESULT_VARIABLE code OUTPUT_VARIABLE out ERROR_VARIABLE out
        TIMEOUT 500)
    if(NOT code EQUAL 0)
        if(temporary)
            file(REMOVE_RECURSE "${temporary}")
        endif()
        list(JOIN ARGV " " line)
        message(FATAL_ERROR "outside: ${WAY}: ${line}: ${code}\n${out}")
    endif()
    set(out "${out}" PARENT_SCOPE)
endfunction()

if(WAY STREQUAL "pkgconfig") # pkg-config's flags are words: no folder with a blank in its name
    string(RANDOM name)
    set(temporary "/tmp/ringside-outside-${name}")
    set(WORK "${temporary}")
endif()
file(REMOVE_RECURSE "${WORK}")
set(prefix "${WORK}/prefix")
set(options -DWAY=${WAY} -DBUILD_SHARED_LIBS=${SHARED} -DRINGSIDE=${ROOT}
    "-DCMAKE_PREFIX_PATH=${prefix}"
    -DCMAKE_BUILD_TYPE=None -G Ninja) # no optimisation: half the time where the tree is built anew
if(TOOLCHAIN)
    list(APPEND options -DCMAKE_TOOLCHAIN_FILE=${TOOLCHAIN})
endif()
if(WAY MATCHES "^(package|pkgconfig)$")
    run(${CMAKE_COMMAND} --install "${BUILD}" --prefix "${prefix}" --component library)
    file(GLOB folder "${prefix}/lib*/pkgconfig" "${prefix}/lib/*/pkgconfig")
    set(ENV{PKG_CONFIG_PATH} "${folder}")
    file(GLOB package "${prefix}/lib*/cmake/Ringside" "${prefix}/lib/*/cmake/Ringside")
    list(APPEND options "-DRingside_DIR=${package}") # a tool chain file may hide the prefix
endif()
run(${CMAKE_COMMAND} -S "${ROOT}/tests/outside/project" -B "${WORK}/build" ${options})
run(${CMAKE_COMMAND} --build "${WORK}/build" --target outside)
file(GLOB_RECURSE libraries "${prefix}/*.so.*" "${prefix}/bin/*.dll" "${WORK}/build/*.dll")
foreach(library IN LISTS libraries)
    get_filename_component(folder "${library}" DIRECTORY)
    set(ENV{LD_LIBRARY_PATH} "${folder}")
    if(library MATCHES "dll$")
        file(COPY "${library}" DESTINATION "${WORK}/build")
    endif()
endforeach()
if(EXISTS "${WORK}/build/outside.exe")
    run(${EMULATOR} "${WORK}/build/outside.exe")
else()
    run("${WORK}/build/outside")
endif()
set(said "${out}")
if(WAY STREQUAL "package" AND NOT SHARED AND EXISTS "${prefix}/bin/riorun")
    # Over Registered I/O under Wine: by itself it says what to do, and that is one command.
    run(${CMAKE_COMMAND} --build "${WORK}/build" --target outside_echo)
    run(${CMAKE_CURRENT_LIST_DIR}/riorun_case.sh "${WORK}/build/outside_echo.exe"
        "${prefix}/bin/riorun" ${EMULATOR})
endif()
set(out "${said}")
if(temporary)
    file(REMOVE_RECURSE "${temporary}")
endif()
if(NOT out MATCHES "outside: 0\\.2\\.0 success")
    message(FATAL_ERROR "outside: ${WAY} printed: ${out}")
endif()
