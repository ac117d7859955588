# SPDX-License-Identifier: MIT
# The one-way rule of includes, checked over the source tree: cmake -DROOT=DIR -P layers.cmake
#
# Each folder may name headers of the folders listed for it and no others; Windows headers are
# named in win.h and under wine/ alone. A pass needs at least one file seen. layers_test.cmake
# shows over made-up trees that every rule can fail.
cmake_minimum_required(VERSION 3.25)

if(NOT IS_DIRECTORY "${ROOT}")
    message(FATAL_ERROR "layers: -DROOT=DIR must name the source tree")
endif()

# Which header folders (the first part of "folder/name.h") the files of a folder may include.
# "." is the public header; the other headers of include/ringside count as core.
set(may_core core)
set(may_seam core seam)
set(may_server . core seam server)
set(may_apps . core seam server apps)
# net is what Winsock and POSIX share but for headers; of win it sees win.h.
set(may_net core net win)
set(may_win core seam net win)
set(may_posix core seam net posix)
set(may_iocp core seam net win iocp)
set(may_rio core seam net win rio)
set(may_epoll core seam net posix epoll)
# A *_main.c ties server, applications and one back end together, and names the settings of the
# other back ends, to refuse them.
set(may_server_main . core seam server apps)
set(may_win_main . core seam server apps win)
set(may_posix_main . core seam server apps posix)
set(may_iocp_main . core seam server apps win iocp)
set(may_rio_main . core seam server apps win rio)
set(may_epoll_main . core seam server apps posix epoll)

# compare measures whatever program it is given, so it knows nothing of the servers: of the seam only
# what a platform provides. Its folder links what is listed here.
set(may_compare compare core seam)
set(compare_seam "\"seam/atomics.h\"" "\"seam/files.h\"" "\"seam/os.h\"" "\"seam/printer.h\"")
set(may_compare_process_win compare core seam win)
set(compare_links rs_args rs_compare rs_compare_process rs_core rs_os rs_printer)

# core is C alone, and pure C at that; stdio for formatting into memory and for the last words.
set(core_system stdint.h stddef.h stdbool.h string.h limits.h inttypes.h)
set(core_system_address.c stdio.h)
set(core_system_assert.c stdio.h stdlib.h)
set(core_system_handle.c intrin.h)
set(core_system_json.c stdio.h)
set(core_system_options.c stdarg.h stdio.h)
set(core_system_status.c stdarg.h stdio.h)

set(windows_headers windows.h winsock2.h ws2tcpip.h ws2def.h mswsock.h winsock.h winternl.h
    psapi.h mstcpip.h)

set(layer_folders
    src/common/core src/common/seam src/common/server src/common/apps src/common/win
    src/common/net src/common/posix src/epoll src/iocp src/rio bench/compare)

set(violations "")
set(files_seen 0)

function(report file include why)
    list(APPEND violations "${file}: ${include}: ${why}")
    set(violations "${violations}" PARENT_SCOPE)
endfunction()

# The headers that a file names, as "name" and <name>, comments and all: an include that is
# commented out has no business in the tree either.
function(read_includes path out)
    file(STRINGS "${path}" lines REGEX "^[ \t]*#[ \t]*include[ \t]*[\"<]")
    set(includes "")
    foreach(line IN LISTS lines)
        if(line MATCHES "include[ \t]*(\"[^\"]+\"|<[^>]+>)")
            list(APPEND includes "${CMAKE_MATCH_1}")
        endif()
    endforeach()
    set(${out} "${includes}" PARENT_SCOPE)
endfunction()

# A quoted include without a folder belongs to the file's own folder if it lies there.
function(folder_of_include path name layer out)
    get_filename_component(own "${path}" DIRECTORY)
    if(name STREQUAL "ringside/ringside.h")
        set(${out} "." PARENT_SCOPE)
    elseif(name MATCHES "^ringside/(address|loop|session|status|ringside_rio)\\.h$")
        set(${out} core PARENT_SCOPE)
    elseif(name MATCHES "^([^/]+)/")
        set(${out} "${CMAKE_MATCH_1}" PARENT_SCOPE)
    elseif(EXISTS "${own}/${name}")
        set(${out} "${layer}" PARENT_SCOPE)
    else()
        set(${out} "." PARENT_SCOPE)
    endif()
endfunction()

function(check_layered file include layer)
    get_filename_component(base "${file}" NAME)
    if(include MATCHES "\\.\\.")
        return() # reported already
    elseif(base MATCHES "_main\\.c$" AND NOT file MATCHES "^(src/common|bench)/"
           AND include MATCHES "^\"[a-z]+/[a-z]+_settings\\.h\"$")
        return() # rows of another back end
    elseif(include MATCHES "^\"(.*)\"$")
        set(name "${CMAKE_MATCH_1}")
        set(rules ${layer})
        if(base MATCHES "_main\\.c$" AND DEFINED may_${layer}_main)
            set(rules ${layer}_main)
        elseif(file STREQUAL "bench/compare/process_win.c")
            set(rules compare_process_win)
        endif()
        folder_of_include("${ROOT}/${file}" "${name}" ${layer} folder)
        if(NOT folder IN_LIST may_${rules})
            list(JOIN may_${rules} ", " allowed)
            report("${file}" "${include}" "${layer} may include only ${allowed}")
        elseif(layer STREQUAL "compare" AND folder STREQUAL "seam"
               AND NOT include IN_LIST compare_seam)
            report("${file}" "${include}" "of the seam compare knows the platform alone")
        endif()
    elseif(layer STREQUAL "core")
        string(REGEX REPLACE "[<>]" "" name "${include}")
        if(NOT name IN_LIST core_system AND NOT name IN_LIST core_system_${base})
            report("${file}" "${include}" "core uses no such header")
        endif()
    endif()
    set(violations "${violations}" PARENT_SCOPE)
endfunction()

function(check_everywhere file include)
    string(REGEX REPLACE "[<>\"]" "" name "${include}")
    string(TOLOWER "${name}" lower)
    if(name MATCHES "\\.\\." AND NOT file STREQUAL "src/rio/rio_abi.h")
        report("${file}" "${include}" "an include leads upwards")
    endif()
    if(lower IN_LIST windows_headers AND NOT file STREQUAL "src/common/win/win.h"
       AND NOT file MATCHES "^wine/")
        report("${file}" "${include}" "Windows headers are named in src/common/win/win.h only")
    endif()
    set(violations "${violations}" PARENT_SCOPE)
endfunction()

function(check_file file)
    read_includes("${ROOT}/${file}" includes)
    get_filename_component(folder "${file}" DIRECTORY)
    foreach(include IN LISTS includes)
        check_everywhere("${file}" "${include}")
        foreach(layer_folder IN LISTS layer_folders)
            if("${folder}/" MATCHES "^${layer_folder}/")
                get_filename_component(layer "${layer_folder}" NAME)
                check_layered("${file}" "${include}" ${layer})
            endif()
        endforeach()
    endforeach()
    set(violations "${violations}" PARENT_SCOPE)
endfunction()

foreach(top src bench tests wine)
    file(GLOB_RECURSE files RELATIVE "${ROOT}" "${ROOT}/${top}/*.c" "${ROOT}/${top}/*.h")
    foreach(file IN LISTS files)
        math(EXPR files_seen "${files_seen} + 1")
        check_file("${file}")
    endforeach()
endforeach()

set(links_seen 0)
if(EXISTS "${ROOT}/bench/compare/CMakeLists.txt")
    file(READ "${ROOT}/bench/compare/CMakeLists.txt" text)
    string(REGEX MATCHALL "target_link_libraries\\([^)]*\\)" calls "${text}")
    string(REGEX MATCHALL "rs_[a-z_]+" links "${calls}")
    foreach(link IN LISTS links)
        if(NOT link IN_LIST compare_links)
            report("bench/compare/CMakeLists.txt" "${link}" "compare links nothing of the servers")
        endif()
    endforeach()
    list(LENGTH links links_seen)
endif()

list(LENGTH violations count)
foreach(violation IN LISTS violations)
    message("layers: ${violation}")
endforeach()
if(files_seen EQUAL 0)
    message(FATAL_ERROR "layers: no source file under ${ROOT}")
elseif(links_seen EQUAL 0)
    message(FATAL_ERROR "layers: compare links nothing at all")
endif()
if(count GREATER 0)
    message(FATAL_ERROR "layers: ${count} includes break the one-way rule")
endif()
message("layers: ${files_seen} files keep the one-way rule")
