# SPDX-License-Identifier: MIT
# Shows that msvc_lint.cmake can fail: cmake -DSCRIPT=msvc_lint.cmake -DWORK=DIR -P ...
#
# Builds a small tree in WORK whose bad lines all stand where they may; it must pass. Then one bad
# line at a time is added where it may not, and the script must fail, count one line and name it.
cmake_minimum_required(VERSION 3.25)

set(bad
    "__attribute__((cold))"
    "int top = __builtin_clzll(1u)"
    "typeof(a) b"
    "__typeof__(a) b"
    "__extension__ int a"
    "ssize_t got"
    "(strcasecmp(a, b))"
    "_Atomic int a"
    "#include <unistd.h>"
    "#  include <sys/socket.h>"
    "#include <pthread.h>"
    "#include <stdatomic.h>"
    "struct a b = {}"
    "struct a b = { }"
    "case 1 ... 3:"
    "int a[3] = {[0 ... 2] = 1}"
    "    uint8_t payload[]@"
    "a = b ?: c"
    "a = ({ b@ })")

# Where a line for gcc or Linux may stand: %s is the line.
set(guards
    "#if defined(__GNUC__)\n%s\n#endif\n"
    "#if defined(__GNUC__) && !defined(__clang__)\n#if A\n%s\n#endif\n#endif\n"
    "#if !defined(_WIN32)\n%s\n#else\nint a@\n#endif\n"
    "#if defined(_WIN32)\nint a@\n#else\n%s\n#endif\n"
    "#if defined(_MSC_VER) && !defined(__clang__)\nint a@\n#elif defined(__GNUC__)\n%s\n#endif\n"
    "#ifdef _WIN32\nint a@\n#else\n%s\n#endif\n")
set(no_guards
    "%s\n"
    "#if A\n%s\n#endif\n"
    "#if defined(_WIN32)\n%s\n#endif\n"
    "#if !defined(__GNUC__)\n%s\n#endif\n"
    "#if defined(__GNUC__) || defined(_MSC_VER)\n%s\n#endif\n"
    "#if defined(__GNUC__)\nint a@\n#else\n%s\n#endif\n"
    "#if defined(__GNUC__)\nint a@\n#endif\n%s\n"
    "#if !defined(_WIN32)\nint a@\n#else\n%s\n#endif\n")

function(write_source file line guard)
    string(REPLACE "%s" "${line}" text "${guard}")
    string(REPLACE "@" ";" text "${text}")
    file(APPEND "${WORK}/tree/${file}" "${text}")
endfunction()

function(fresh_tree)
    file(REMOVE_RECURSE "${WORK}/tree")
    file(WRITE "${WORK}/tree/src/a.c"
        "extern const int table[];\nint main(int argc, char *argv[]) {\n\n    call(a, ...);\n}\n")
endfunction()

function(run_lint out_status out_text)
    execute_process(COMMAND "${CMAKE_COMMAND}" "-DROOT=${WORK}/tree" -P "${SCRIPT}"
        RESULT_VARIABLE status OUTPUT_VARIABLE text ERROR_VARIABLE text)
    set(${out_status} "${status}" PARENT_SCOPE)
    set(${out_text} "${text}" PARENT_SCOPE)
endfunction()

# Line 6 is the first that expect_refusal adds, and offset says where the bad one is.
function(expect_refusal line guard)
    string(REGEX REPLACE "%s.*" "" before "${guard}")
    string(REGEX MATCHALL "\n" newlines "${before}")
    list(LENGTH newlines offset)
    math(EXPR number "6 + ${offset}")
    fresh_tree()
    write_source(src/a.c "${line}" "${guard}")
    run_lint(status text)
    string(FIND "${text}" "msvc_lint: src/a.c:${number}: " named)
    string(FIND "${text}" "msvc_lint: 1 lines" counted)
    if(status EQUAL 0 OR named LESS 0 OR counted LESS 0)
        message(FATAL_ERROR "not refused at line ${number}: ${line} in ${guard}: ${text}")
    endif()
endfunction()

fresh_tree()
foreach(line IN LISTS bad)
    foreach(guard IN LISTS guards)
        write_source(src/a.c "${line}" "${guard}")
    endforeach()
    foreach(file wine/a.c src/common/posix/a.c src/epoll/a.h bench/a_native.c)
        write_source(${file} "${line}" "%s\n")
    endforeach()
endforeach()
run_lint(status text)
if(NOT status EQUAL 0)
    message(FATAL_ERROR "lines that are guarded, or for Linux, are refused: ${text}")
endif()

foreach(line IN LISTS bad)
    expect_refusal("${line}" "%s\n")
endforeach()
foreach(guard IN LISTS no_guards)
    expect_refusal("ssize_t got" "${guard}")
endforeach()

file(REMOVE_RECURSE "${WORK}/tree")
file(MAKE_DIRECTORY "${WORK}/tree")
run_lint(status text)
if(status EQUAL 0)
    message(FATAL_ERROR "an empty tree passes")
endif()
list(LENGTH bad count)
message("msvc_lint: each of ${count} kinds of line was refused, and allowed where it may stand")
