# SPDX-License-Identifier: MIT
# Cross build for Windows x86-64 with the MinGW-w64 tool chain of Debian.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_C_COMPILER x86_64-w64-mingw32-gcc)
set(CMAKE_CXX_COMPILER x86_64-w64-mingw32-g++) # for projects that use the library from C++
set(CMAKE_RC_COMPILER x86_64-w64-mingw32-windres)
# scripts/setup-debian.sh builds cmocka into the second folder.
set(CMAKE_FIND_ROOT_PATH /usr/x86_64-w64-mingw32 ${CMAKE_CURRENT_LIST_DIR}/../build/deps/cmocka-mingw)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
# ctest runs each test through it, so that `ctest --preset windows` works on this machine.
set(CMAKE_CROSSCOMPILING_EMULATOR ${CMAKE_CURRENT_LIST_DIR}/../scripts/wine.sh)
# One self-contained .exe: nothing of the tool chain's to copy beside it.
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static")
