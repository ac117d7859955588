# SPDX-License-Identifier: MIT
# clang-cl as Visual Studio 2022's cl.exe, on Debian: its options, its warnings, its predefined
# macros, with Wine's headers and import libraries (libwine-dev) in place of the Windows SDK.
#
#   include/   what Wine's headers lack of the SDK's
#   startup/   what Visual Studio's msvcrt.lib links into every program; compiled at the first
#              configuration to build/deps/clang-cl, where the import libraries lie under the names
#              that link.exe knows
# What this proves and what not: docs/windows.md.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)

include(${CMAKE_CURRENT_LIST_DIR}/../NewestClang.cmake)
rs_newest_clang(RS_CLANG_BIN clang-cl lld-link llvm-lib llvm-rc llvm-mt)
set(CMAKE_C_COMPILER ${RS_CLANG_BIN}/clang-cl)
set(CMAKE_C_COMPILER_TARGET x86_64-pc-windows-msvc)
set(CMAKE_CXX_COMPILER ${CMAKE_C_COMPILER}) # for projects that use the library from C++
set(CMAKE_CXX_COMPILER_TARGET ${CMAKE_C_COMPILER_TARGET})
set(CMAKE_LINKER ${RS_CLANG_BIN}/lld-link)
set(CMAKE_AR ${RS_CLANG_BIN}/llvm-lib)
set(CMAKE_RC_COMPILER ${RS_CLANG_BIN}/llvm-rc)
set(CMAKE_MT ${RS_CLANG_BIN}/llvm-mt)

set(_headers /usr/include/wine/wine)
set(_wine_libraries /usr/lib/x86_64-linux-gnu/wine/x86_64-windows)
if(NOT EXISTS ${_headers}/msvcrt/stdio.h OR NOT EXISTS ${_wine_libraries}/libucrtbase.a)
    message(FATAL_ERROR "Wine's headers and import libraries are missing: run scripts/setup-debian.sh")
endif()

# 19.38 is Visual Studio 2022 version 17.8. RS_INTERLOCKED: the branch of seam/atomics.h that cl.exe
# takes. The last two keep clang's <intrin.h>, which Wine's winnt.h includes, from the vector
# intrinsics: they were more than half of what a file took to compile.
set(CMAKE_C_FLAGS_INIT "-fms-compatibility-version=19.38 \"-imsvc${CMAKE_CURRENT_LIST_DIR}/include\" \
-imsvc${_headers}/msvcrt -imsvc${_headers}/windows -D_UCRT -DRS_INTERLOCKED=1 \
-U__MMX__ -D__X86INTRIN_H")
set(CMAKE_CXX_FLAGS_INIT "${CMAKE_C_FLAGS_INIT}")

set(RS_SDK ${CMAKE_CURRENT_LIST_DIR}/../../build/deps/clang-cl)
file(GLOB _startup ${CMAKE_CURRENT_LIST_DIR}/startup/*.c)
set(_made ${RS_SDK}/startup.lib)
set(_stale NO)
foreach(_source IN LISTS _startup ITEMS ${CMAKE_CURRENT_LIST_FILE}
        ${CMAKE_CURRENT_LIST_DIR}/../utf8.manifest ${_wine_libraries}/libucrtbase.a)
    if(${_source} IS_NEWER_THAN ${_made})
        set(_stale YES)
    endif()
endforeach()
if(_stale)
    file(MAKE_DIRECTORY ${RS_SDK})
    foreach(_name advapi32 comdlg32 gdi32 kernel32 mswsock ole32 oleaut32 psapi shell32 ucrtbase user32
            uuid vcruntime140 winmm winspool ws2_32)
        file(COPY_FILE ${_wine_libraries}/lib${_name}.a ${RS_SDK}/${_name}.lib)
    endforeach()
    separate_arguments(_flags UNIX_COMMAND "${CMAKE_C_FLAGS_INIT}")
    set(_objects "")
    foreach(_source IN LISTS _startup)
        get_filename_component(_name ${_source} NAME_WE)
        list(APPEND _objects ${RS_SDK}/${_name}.obj)
        execute_process(COMMAND ${CMAKE_C_COMPILER} --target=${CMAKE_C_COMPILER_TARGET} ${_flags} /nologo /O2
                /GS- /W4 /WX /MD /c /Fo${RS_SDK}/${_name}.obj -- ${_source}
            COMMAND_ERROR_IS_FATAL ANY)
    endforeach()
    # Relative paths: an absolute one looks like an option to llvm-rc.
    file(COPY ${CMAKE_CURRENT_LIST_DIR}/../utf8.rc ${CMAKE_CURRENT_LIST_DIR}/../utf8.manifest
        DESTINATION ${RS_SDK})
    execute_process(COMMAND ${CMAKE_RC_COMPILER} /no-preprocess /fo utf8.res utf8.rc
        WORKING_DIRECTORY ${RS_SDK} COMMAND_ERROR_IS_FATAL ANY)
    execute_process(COMMAND ${CMAKE_AR} /nologo /out:${_made} ${_objects} COMMAND_ERROR_IS_FATAL ANY)
endif()

set(_linker_flags "\"/libpath:${RS_SDK}\" /nodefaultlib startup.lib ucrtbase.lib vcruntime140.lib kernel32.lib")
set(CMAKE_EXE_LINKER_FLAGS_INIT "${_linker_flags} /MANIFEST:NO utf8.res")
set(CMAKE_SHARED_LINKER_FLAGS_INIT "${_linker_flags} /noentry")

set(CMAKE_CROSSCOMPILING_EMULATOR ${CMAKE_CURRENT_LIST_DIR}/../../scripts/wine.sh)
set(CMAKE_FIND_ROOT_PATH ${RS_SDK})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
