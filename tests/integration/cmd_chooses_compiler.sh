#!/bin/sh
# SPDX-License-Identifier: MIT
# cmd_chooses_compiler.sh FAKE_TOOL: which compiler scripts\build-windows.cmd takes, under Wine's cmd.
# Set up: tests\run.cmd and what it calls in a folder whose name has a space; FAKE_TOOL under the
# names of the tools, one folder each, of which every case puts some into PATH. A generator is set
# in the environment throughout.
# Pass: the tools' log names the compiler that the case wants, no tool sees the generator, and the
# exit code is that of the case.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
here="$work/a folder"
mkdir -p "$here/scripts" "$here/tests" || exit 1
cp "$root/scripts/build-windows.cmd" "$here/scripts" && cp "$root/tests/run.cmd" "$here/tests" || exit 1
for tool in vswhere cmake ctest ninja gcc; do
    mkdir "$work/$tool" && cp "$1" "$work/$tool/$tool.exe" || exit 1
done
cd "$here" || exit 1
bad=0

# windows PATH: the same for a Windows program.
windows()
{
    printf 'Z:%s' "$1" | tr / '\\'
}

# try NAME EXIT TEXT TOOL...: tests\run.cmd with those in PATH leaves TEXT in the log.
try()
{
    name=$1
    want=$2
    text=$3
    shift 3
    path=
    for tool in "$@"; do
        path="$path$(windows "$work/$tool");"
    done
    rm -f "$work/log"
    output=$(CMAKE_GENERATOR='MSYS Makefiles' FAKE_LOG=$(windows "$work/log") WINEPATH=$path \
        RS_VSWHERE=$(windows "$work/vswhere/vswhere.exe") \
        timeout 60 "$root/scripts/wine.sh" cmd /c 'tests\run.cmd' 2>&1 </dev/null)
    code=$?
    if [ "$code" -ne "$want" ] || ! grep -qF -e "$text" "$work/log" ||
        grep -q 'generator=.' "$work/log"; then
        printf '%s: exit %s (wanted %s), %s\n' "$name" "$code" "$want" "$output"
        echo "wanted in the log: $text"
        cat "$work/log"
        bad=1
    fi
}

export FAKE_VS= FAKE_BAD=
asked='vswhere -latest -products * -requires Microsoft.VisualStudio.Component.VC.Tools.x86.x64'
try "Visual Studio without C++, and gcc" 0 "-G MinGW Makefiles" cmake ctest gcc
try "the same, ninja" 0 "-G Ninja" cmake ctest gcc ninja
try "Visual Studio without C++" 2 "$asked" cmake ctest
FAKE_VS='C:\Program Files\Microsoft Visual Studio\2022\Community'
try "Visual Studio with C++, and gcc" 0 "cmake --preset msvc" cmake ctest gcc
RINGSIDE_COMPILER=mingw
export RINGSIDE_COMPILER
try "the same, gcc asked for" 0 "-G MinGW Makefiles" cmake ctest gcc
RINGSIDE_COMPILER=
FAKE_BAD=cmake
try "a build that fails" 1 "cmake --preset msvc" cmake ctest
FAKE_BAD=ctest
try "a test that fails" 1 "ctest --test-dir" cmake ctest
exit $bad
