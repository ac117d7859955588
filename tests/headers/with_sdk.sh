#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# tests/headers/with_sdk.sh SDK: ringside_rio.h alone, in C and C++, and all sources for Windows
# compile against Microsoft's own headers, which declare RIO. SDK: a folder with um/ and shared/, such
# as Include/10.0.16299.0 of a Windows SDK. By hand: the SDK is not ours to pass on, so no test can
# have it. clang-cl compiles; the C library's headers are Wine's, as in the preset clangcl.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
[ -d "${1:?usage: with_sdk.sh FOLDER_WITH_um_AND_shared}/um" ]
clang=$(printf '%s\n' /usr/lib/llvm-*/bin/clang-cl | sort -V | tail -1)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Names differ in case between files and includes: all small, in a copy.
for part in um shared; do
    mkdir -p "$work/$part" "$work/c"
    for header in "$1/$part"/*.[hH]; do
        name=$(basename "$header")
        sed -E 's/^([ \t]*#[ \t]*include[ \t]*[<"])([^>"]*)/\1\L\2/' "$header" >"$work/$part/${name,,}"
    done
done
# The compiler's own, of which the SDK's need this much.
cat >"$work/c/excpt.h" <<'END'
#pragma once
typedef enum _EXCEPTION_DISPOSITION { ExceptionContinueExecution } EXCEPTION_DISPOSITION;
END
cp "$root/cmake/clang-cl/include/stdlib.h" "$work/c"
printf '#include <ringside/ringside_rio.h>\n' | tee "$work/alone.c" >"$work/alone.cpp"

count=0
for source in "$work"/alone.c* "$root"/src/{rio,iocp}/*.c "$root"/src/common/{win,core,seam,server}/*.c; do
    "$clang" --target=x86_64-pc-windows-msvc -fms-compatibility-version=19.38 \
        -imsvc "$work/c" -imsvc "$work/shared" -imsvc "$work/um" -imsvc /usr/include/wine/wine/msvcrt \
        -I"$root/include" -I"$root/src" -I"$root/src/common" -D_UCRT -D_WIN32_WINNT=0x0A00 \
        -DRS_INTERLOCKED=1 -DRS_VERSION='""' /nologo /W4 /WX /c "/Fo$work/object" -- "$source"
    count=$((count + 1))
done
echo "with_sdk: $count sources"
