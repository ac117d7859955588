# SPDX-License-Identifier: MIT
# Shows that layers.cmake can fail: cmake -DSCRIPT=layers.cmake -DWORK=DIR -P layers_test.cmake
#
# Builds small trees in WORK. The good one must pass; then one bad line at a time is added, and
# the script must fail and name the file. An empty tree must fail too.
cmake_minimum_required(VERSION 3.25)

set(good
    "src/common/core/slab.c|\"core/slab.h\""
    "src/common/core/slab.h|<stdint.h>"
    "src/common/core/status.c|<stdio.h>"
    "src/common/seam/os.h|\"core/status.h\""
    "src/common/server/shard.c|\"seam/backend.h\""
    "src/common/core/slab.h|\"ringside/status.h\""
    "src/common/server/server.c|\"ringside/ringside.h\""
    "src/common/server/server_main.c|\"apps/echo.h\""
    "src/common/apps/echo.c|\"server/app.h\""
    "src/common/win/win.h|<winsock2.h>"
    "src/common/win/win_main.c|\"server/server.h\""
    "src/epoll/epoll_backend.c|\"posix/posix_error.h\""
    "src/epoll/epoll_server_main.c|\"server/server.h\""
    "src/iocp/iocp_backend.c|\"win/win.h\""
    "src/iocp/iocp_server_main.c|\"server/server.h\""
    "src/iocp/iocp_server_main.c|\"rio/rio_settings.h\""
    "src/rio/rio_backend.c|\"rio/rio_abi.h\""
    "src/rio/rio_server_main.c|\"server/server.h\""
    "bench/loadgen.c|\"iocp/iocp_backend.h\""
    "bench/compare/CMakeLists.txt|target_link_libraries(compare PRIVATE rs_core rs_os)"
    "bench/compare/report.c|\"core/json.h\""
    "bench/compare/report.c|\"seam/os.h\""
    "bench/compare/process_win.c|\"win/win.h\""
    "wine/provider.c|<windows.h>")

set(bad
    "src/common/core/a.c|\"seam/os.h\""
    "src/common/core/a.c|\"server/shard.h\""
    "src/common/core/a.c|\"ringside/ringside.h\""
    "src/common/core/a.c|<intrin.h>"
    "src/common/core/a.c|<stdlib.h>"
    "src/common/core/slab.c|<stdio.h>"
    "src/common/core/a.c|<sys/socket.h>"
    "src/common/seam/a.h|\"server/shard.h\""
    "src/common/seam/a.h|\"win/win.h\""
    "src/common/server/a.c|\"apps/echo.h\""
    "src/common/server/a.c|\"win/win.h\""
    "src/common/server/a.c|\"iocp/iocp_backend.h\""
    "src/common/apps/a.c|\"rio/rio_api.h\""
    "src/common/apps/deep/a.c|\"win/win.h\""
    "src/common/net/a.c|\"seam/backend.h\""
    "src/common/win/a.c|\"rio/rio_api.h\""
    "src/common/win/a.c|\"server/shard.h\""
    "src/common/server/a_main.c|\"win/win.h\""
    "src/epoll/a.c|\"win/win.h\""
    "src/epoll/a.c|\"server/shard.h\""
    "src/iocp/a.c|\"rio/rio_abi.h\""
    "src/iocp/a.c|\"server/shard.h\""
    "src/iocp/a_main.c|\"rio/rio_api.h\""
    "src/iocp/iocp_poll.c|\"rio/rio_settings.h\""
    "src/common/server/a_main.c|\"rio/rio_settings.h\""
    "src/rio/a.c|\"iocp/iocp_backend.h\""
    "src/rio/a.c|\"server/shard.h\""
    "src/rio/a_main.c|\"iocp/iocp_backend.h\""
    "src/rio/a.c|\"../iocp/iocp_backend.h\""
    "src/rio/a.c|<windows.h>"
    "src/common/win/os_win.c|<Windows.h>"
    "bench/a.c|<winsock2.h>"
    "bench/compare/CMakeLists.txt|target_link_libraries(compare PRIVATE rs_server)"
    "bench/compare/a.c|\"seam/backend.h\""
    "bench/compare/a.c|\"server/server.h\""
    "bench/compare/a.c|\"loadgen/loadgen_plan.h\""
    "bench/compare/a.c|\"win/win.h\""
    "bench/compare/compare_main.c|\"rio/rio_settings.h\""
    "tests/unit/a.c|\"WinSock2.h\"")

function(write_tree root)
    file(REMOVE_RECURSE "${root}")
    foreach(entry IN LISTS ARGN)
        string(REPLACE "|" ";" parts "${entry}")
        list(GET parts 0 file)
        list(GET parts 1 include)
        if(file MATCHES "CMakeLists.txt$")
            file(APPEND "${root}/${file}" "${include}\n")
        else()
            file(APPEND "${root}/${file}" "  #  include ${include}\n")
        endif()
    endforeach()
endfunction()

function(run_layers root out_status out_text)
    execute_process(COMMAND "${CMAKE_COMMAND}" "-DROOT=${root}" -P "${SCRIPT}"
        RESULT_VARIABLE status OUTPUT_VARIABLE text ERROR_VARIABLE text)
    set(${out_status} "${status}" PARENT_SCOPE)
    set(${out_text} "${text}" PARENT_SCOPE)
endfunction()

write_tree("${WORK}/tree" ${good})
run_layers("${WORK}/tree" status text)
if(NOT status EQUAL 0)
    message(FATAL_ERROR "the good tree is refused: ${text}")
endif()

foreach(entry IN LISTS bad)
    write_tree("${WORK}/tree" ${good} "${entry}")
    run_layers("${WORK}/tree" status text)
    string(REGEX REPLACE "\\|.*" "" file "${entry}")
    string(FIND "${text}" "layers: ${file}: " named)
    string(FIND "${text}" "layers: 1 includes" counted)
    if(status EQUAL 0 OR named LESS 0 OR counted LESS 0)
        message(FATAL_ERROR "not refused: ${entry}: ${text}")
    endif()
endforeach()

file(REMOVE_RECURSE "${WORK}/tree")
file(MAKE_DIRECTORY "${WORK}/tree")
run_layers("${WORK}/tree" status text)
if(status EQUAL 0)
    message(FATAL_ERROR "an empty tree passes")
endif()
list(LENGTH bad count)
message("layers: each of ${count} bad includes was refused")
