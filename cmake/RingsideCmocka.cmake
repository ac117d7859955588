# SPDX-License-Identifier: MIT
# rs_cmocka: the one name under which tests link cmocka, wherever it comes from.
#   Linux      Debian's libcmocka-dev
#   MinGW      build/deps/cmocka-mingw, made by scripts/setup-debian.sh (static)
#   Windows    an installed package (vcpkg and the like), else fetched from cmocka's own git
# Its packages differ: 1.1.5 defines two variables and no target, and for MinGW they name a file
# that it does not install; later ones define a target, whose name changed over the releases.

find_package(cmocka QUIET)
if(NOT cmocka_FOUND AND (CMAKE_HOST_WIN32 OR FETCHCONTENT_SOURCE_DIR_CMOCKA))
    message(STATUS "cmocka is not installed: taking its source")
    include(FetchContent)
    set(WITH_EXAMPLES OFF CACHE BOOL "" FORCE)
    set(WITH_STATIC_LIB ON CACHE BOOL "" FORCE)
    set(UNIT_TESTING OFF CACHE BOOL "" FORCE)
    set(PICKY_DEVELOPER OFF CACHE BOOL "" FORCE)
    set(BUILD_SHARED_LIBS OFF CACHE BOOL "" FORCE) # what chooses the static library after 1.1.5
    set(CMAKE_POLICY_VERSION_MINIMUM 3.5)          # CMake 4 refuses what cmocka asks for
    FetchContent_Declare(cmocka GIT_REPOSITORY https://gitlab.com/cmocka/cmocka.git
        GIT_TAG cmocka-1.1.5 GIT_SHALLOW ON)
    FetchContent_MakeAvailable(cmocka)
    set(CMOCKA_INCLUDE_DIR ${cmocka_SOURCE_DIR}/include)
elseif(NOT cmocka_FOUND)
    message(FATAL_ERROR "cmocka was not found: run scripts/setup-debian.sh")
endif()

add_library(rs_cmocka INTERFACE)
set(_rs_cmocka "")
foreach(_target cmocka::cmocka-static cmocka-static cmocka::cmocka cmocka)
    if(NOT _rs_cmocka AND TARGET ${_target})
        set(_rs_cmocka ${_target})
    endif()
endforeach()
if(NOT _rs_cmocka)
    # A static library first where there is one: a test then needs no DLL beside it.
    find_library(RS_CMOCKA_LIBRARY NAMES cmocka-static cmocka
        HINTS ${CMOCKA_INCLUDE_DIR}/../lib REQUIRED)
    set(_rs_cmocka ${RS_CMOCKA_LIBRARY})
endif()
if(CMOCKA_INCLUDE_DIR)
    target_include_directories(rs_cmocka SYSTEM INTERFACE ${CMOCKA_INCLUDE_DIR})
endif()
target_link_libraries(rs_cmocka INTERFACE ${_rs_cmocka})
if(WIN32)
    target_compile_definitions(rs_cmocka INTERFACE CMOCKA_STATIC)
endif()
message(STATUS "cmocka: ${_rs_cmocka}")
