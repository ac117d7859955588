# SPDX-License-Identifier: MIT
# A native build with the newest clang.
include(${CMAKE_CURRENT_LIST_DIR}/NewestClang.cmake)
rs_newest_clang(_folder clang ld.lld)
set(CMAKE_C_COMPILER ${_folder}/clang)
set(CMAKE_EXE_LINKER_FLAGS_INIT -fuse-ld=lld) # 0.13 s a test instead of 0.21
