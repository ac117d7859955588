# SPDX-License-Identifier: MIT
# rs_target(NAME): warnings as errors, language level and sanitizers, the same for every target.

set(RS_SANITIZE "" CACHE STRING "Value for -fsanitize=, e.g. address,undefined")
option(RS_WERROR "Warnings are errors" ${PROJECT_IS_TOP_LEVEL})
option(RS_FUZZ "Build the libFuzzer targets (clang)" OFF)
option(RS_PACKAGE "Programs for scripts/package.sh: static, stripped, the same from any folder" OFF)
option(RS_MUTATE "Compile planted mistakes in, behind RS_MUTANT (tests/mutate)" OFF)

# Warnings of /W4 that speak of good C11, each by name.
set(RS_MSVC_UNWANTED
    /wd4127 # a constant condition: an assertion about constants, a platform told by a macro
    /wd4200 # a flexible array member (C99)
    /wd4201 # an unnamed struct or union (C11)
    /wd4204 # an initialiser of an aggregate that is not constant (C99)
    /wd4214 # a bit-field of type bool (C99)
    /wd4221 # an aggregate initialised with the address of a local variable (C99)
    /wd4324 # a structure padded to the alignment that it asks for (C11)
    /wd4459 # a parameter named socket or send; gcc and clang judge shadowing (-Wshadow)
    /wd4702 # a return behind an assertion that cannot hold: the optimiser's remark
)

# rs_utf8(NAME): the code page of a Windows program is UTF-8 (Windows 10 version 1903 and later), so
# that main's arguments, fopen and every ...A call take any path.
if(WIN32 AND NOT MSVC)
    enable_language(RC)
    add_library(rs_manifest OBJECT ${CMAKE_CURRENT_LIST_DIR}/utf8.rc)
    target_include_directories(rs_manifest PRIVATE ${CMAKE_CURRENT_LIST_DIR})
endif()
function(rs_utf8 name)
    get_target_property(type ${name} TYPE)
    if(NOT type STREQUAL "EXECUTABLE")
        return()
    elseif(NOT MSVC)
        target_sources(${name} PRIVATE $<TARGET_OBJECTS:rs_manifest>)
    elseif(CMAKE_HOST_WIN32) # merged by mt; llvm-mt takes no path of Linux: cmake/clang-cl does it
        target_sources(${name} PRIVATE ${PROJECT_SOURCE_DIR}/cmake/utf8.manifest)
    endif()
endfunction()

function(rs_target name)
    set_target_properties(${name} PROPERTIES C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF)
    if(MSVC)
        # C_STANDARD 11 gives /std:c11. /volatile:ms: src/common/seam/atomics.h rests on it.
        target_compile_options(${name} PRIVATE /W4 $<$<BOOL:${RS_WERROR}>:/WX> /permissive- /sdl /utf-8 /volatile:ms
            ${RS_MSVC_UNWANTED})
        # fopen and the like are what C has; the ladder shows WSAAsyncSelect on purpose.
        target_compile_definitions(${name} PRIVATE
            _CRT_SECURE_NO_WARNINGS _WINSOCK_DEPRECATED_NO_WARNINGS)
    else()
        target_compile_options(${name} PRIVATE
            -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes
            -Wmissing-prototypes -Wundef -Wvla -Wcast-qual -Wwrite-strings -Wformat=2
            -Wunused-value $<$<BOOL:${RS_WERROR}>:-Werror>)
    endif()
    if(WIN32)
        rs_utf8(${name})
        target_compile_definitions(${name} PRIVATE
            WIN32_LEAN_AND_MEAN _WIN32_WINNT=0x0A00 WINVER=0x0A00 __USE_MINGW_ANSI_STDIO=1)
    else()
        target_compile_definitions(${name} PRIVATE _GNU_SOURCE)
    endif()
    if(RS_PACKAGE)
        target_compile_options(${name} PRIVATE "-ffile-prefix-map=${PROJECT_SOURCE_DIR}=.")
        target_link_options(${name} PRIVATE -static -s
            $<IF:$<BOOL:${WIN32}>,LINKER:--no-insert-timestamp,LINKER:--build-id=none>)
    endif()
    if(RS_SANITIZE OR RS_FUZZ)
        target_compile_definitions(${name} PRIVATE RS_DEBUG_CHECKS)
    endif()
    if(RS_SANITIZE)
        target_compile_options(${name} PRIVATE -fsanitize=${RS_SANITIZE} -fno-sanitize-recover=all
            -fno-omit-frame-pointer)
        target_link_options(${name} PUBLIC -fsanitize=${RS_SANITIZE})
    endif()
    if(RS_FUZZ)
        target_compile_options(${name} PRIVATE -fsanitize=fuzzer-no-link,address,undefined
            -fno-sanitize-recover=all)
        target_link_options(${name} PUBLIC -fsanitize=address,undefined)
    endif()
    if(RS_MUTATE)
        rs_mutants_apply(${name})
    endif()
endfunction()
