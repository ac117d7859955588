# SPDX-License-Identifier: MIT
# What Visual Studio's C compiler does not take, looked for in the text: cmake -DROOT=DIR -P ...
#
# The machines of the project have no such compiler, so a gcc habit would only show on somebody
# else's. Files for Linux alone are left out, and so is what stands behind the preprocessor's
# question for gcc or against Windows. Comments count: text is text. A pass needs a file seen.
# msvc_lint_test.cmake shows that every rule can fail.
cmake_minimum_required(VERSION 3.25)

if(NOT IS_DIRECTORY "${ROOT}")
    message(FATAL_ERROR "msvc_lint: -DROOT=DIR must name the source tree")
endif()

# For Linux alone, or for Wine on Linux.
set(linux_files
    "^wine/"
    "/posix/"
    "^src/epoll/"
    "^bench/session_cost/"
    "^tests/(fuzz|interleave|mutate)/"
    "_(native|posix)\\.[ch]$"
    "/(epoll|posix|wine)_[a-z]*_test\\.c$"
    "^tests/integration/(alloc_test\\.c|board_server_test\\.c|broken_(board|server)\\.[ch]|client\\.h|library_bed\\.h|(board_client|library|library_end|library_loop|server)_test\\.c)$"
)

# Whole words.
set(words
    __attribute__ __builtin_[a-z0-9_]+ __extension__ __typeof__ typeof __int128 __auto_type alloca
    ssize_t strcasecmp strncasecmp strndup strtok_r asprintf getline usleep _Atomic _Complex
    aligned_alloc)
list(JOIN words "|" words)
set(word_rule "(^|[^A-Za-z0-9_])(${words})([^A-Za-z0-9_]|$)")

set(header_rule
    "#[ \t]*include[ \t]*<((unistd|pthread|stdatomic|threads|strings|poll|dlfcn|getopt|sched|alloca)\\.h|(sys|netinet|arpa|linux)/[^>]*)>")
set(empty_rule "=[ \t]*{[ \t]*}")                          # an empty initialiser: C23
set(range_rule "(case|@open@).*[A-Za-z0-9_)] *\\.\\.\\. *[A-Za-z0-9_(]") # a range: GNU
set(flexible_rule "^[ \t]+[A-Za-z].*[A-Za-z0-9_]@flexible@;")           # C4200 at /W4
set(elvis_rule "[?]:")                                     # a ?: b: GNU
set(statement_rule "[(]{")                                 # ({ ... }): GNU

# Conditions that MSVC fails, and those whose #else it never reads. One with || is neither.
set(for_others
    "[ (]defined[(](__GNUC__|__clang__|__linux__)[)]|!defined[(](_WIN32|_MSC_VER)[)]|^#ifndef (_WIN32|_MSC_VER)$")
set(for_windows "^#(el)?if defined[(](_WIN32|_MSC_VER|RS_INTERLOCKED)[)]|^#ifdef (_WIN32|_MSC_VER)$")

set(violations "")
set(files_seen 0)

# The lines of a file, safe as a CMake list: brackets, semicolons and backslashes replaced. None of a
# file that has nothing a rule may be about: judging each line takes most of the time.
function(read_lines path out)
    file(READ "${path}" text)
    set(${out} "" PARENT_SCOPE)
    if(NOT text MATCHES
       "${words}|${header_rule}|${empty_rule}|[.][.][.]|\\[\\];|${elvis_rule}|${statement_rule}")
        return()
    endif()
    string(REPLACE "\\" "/" text "${text}")
    string(REPLACE "[]" "@flexible@" text "${text}")
    string(REPLACE "[" "@open@" text "${text}")
    string(REPLACE "]" "@close@" text "${text}")
    string(REPLACE ";" "@semicolon@" text "${text}")
    string(REPLACE "\n" ";" text "${text}")
    set(${out} "${text}" PARENT_SCOPE)
endfunction()

# Follows #if to #endif. levels, innermost first: "others" (MSVC skips these lines), "windows" (it
# reads them, but not their #else), "all".
macro(follow_condition line)
    if("${line}" MATCHES "^#(elif|else|endif)")
        list(POP_FRONT levels last)
    endif()
    if("${line}" MATCHES "^#else" AND last STREQUAL "windows")
        list(PREPEND levels others)
    elseif("${line}" MATCHES "^#else" OR "${line}" MATCHES "^#(if|elif).*[|][|]")
        list(PREPEND levels all)
    elseif("${line}" MATCHES "${for_windows}")
        list(PREPEND levels windows)
    elseif("${line}" MATCHES "^#(if|elif)" AND "${line}" MATCHES "${for_others}")
        list(PREPEND levels others)
    elseif("${line}" MATCHES "^#(if|elif)")
        list(PREPEND levels all)
    endif()
endmacro()

function(judge_line line out)
    set(${out} "" PARENT_SCOPE)
    string(REPLACE "@semicolon@" ";" line "${line}")
    foreach(rule word header empty range flexible elvis statement)
        if(line MATCHES "${${rule}_rule}")
            set(${out} "${rule}: ${line}" PARENT_SCOPE)
            return()
        endif()
    endforeach()
endfunction()

function(check_file file)
    read_lines("${ROOT}/${file}" lines)
    set(levels "")
    set(number 0)
    foreach(line IN LISTS lines)
        math(EXPR number "${number} + 1")
        follow_condition("${line}")
        if("others" IN_LIST levels)
            continue()
        endif()
        judge_line("${line}" wrong)
        if(wrong)
            message("msvc_lint: ${file}:${number}: ${wrong}")
            list(APPEND violations ${file})
        endif()
    endforeach()
    set(violations "${violations}" PARENT_SCOPE)
endfunction()

foreach(top include src bench tests wine)
    file(GLOB_RECURSE files RELATIVE "${ROOT}" "${ROOT}/${top}/*.c" "${ROOT}/${top}/*.h")
    foreach(file IN LISTS files)
        set(linux no)
        foreach(pattern IN LISTS linux_files)
            if(file MATCHES "${pattern}")
                set(linux yes)
            endif()
        endforeach()
        if(NOT linux)
            math(EXPR files_seen "${files_seen} + 1")
            check_file("${file}")
        endif()
    endforeach()
endforeach()

list(LENGTH violations count)
if(files_seen EQUAL 0)
    message(FATAL_ERROR "msvc_lint: no source file under ${ROOT}")
endif()
if(count GREATER 0)
    message(FATAL_ERROR "msvc_lint: ${count} lines that MSVC does not take")
endif()
message("msvc_lint: ${files_seen} files hold nothing that MSVC is known to refuse")
