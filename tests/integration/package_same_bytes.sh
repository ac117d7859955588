#!/bin/bash
# SPDX-License-Identifier: MIT
# package_same_bytes.sh WORK: the package of one commit, built in two folders, is the same.
#
# Set up: the sources copied into a folder with another name, which holds a blank and a letter that
# is not ASCII; another umask, time zone and language there. Packages of three programs are compared,
# since the whole takes minutes to build; WORK/day has all that package_runs.sh starts, for it, and
# is built without link-time optimisation.
# Pass: both halves are equal byte for byte, and no program holds the path of either folder.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$1
bad=0
fail()
{
    echo "FAILED: $*"
    bad=1
}

# no_path FOLDER: in the programs staged there.
no_path()
{
    local program
    for program in "$1"/build/package-*/stage/*/bin/*; do
        ! grep -qaF -e "$root" -e "$other" "$program" || fail "$program holds a path"
    done
}

rm -rf "$work"
other="$work/sp ace ü"
mkdir -p "$other/build/deps" || exit 1
cd "$root" || exit 1
# Given to both: the copy is no repository.
RINGSIDE_COMMIT=$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || echo 1700000000)
export RINGSIDE_COMMIT SOURCE_DATE_EPOCH

tar -c --exclude=./build --exclude=./.git . | tar -x -C "$other" || exit 1
cp -R build/deps/cmocka-mingw build/deps/cmocka-source "$other/build/deps" || exit 1
RINGSIDE_LTO=OFF RINGSIDE_PROGRAMS="iocp_server rio_server epoll_server loadgen compare notes
    rio_contract conformance_iocp conformance_iocp_alternatives conformance_rio conformance_rio_event
    conformance_rio_poll" scripts/package.sh "$work/day" || fail "the first day's package"
no_path "$root"
export RINGSIDE_PROGRAMS="rio_server epoll_server loadgen"
scripts/package.sh "$work/one" || fail "the first package"
# A compiler cache would hand it what the first one made.
unset CMAKE_C_COMPILER_LAUNCHER
(umask 077 && TZ=Asia/Tokyo LANG=tr_TR.UTF-8 "$other/scripts/package.sh" "$work/two") ||
    fail "the second package"
no_path "$other"

for first in "$work"/one/*; do
    cmp "$first" "$work/two/$(basename "$first")" || fail "$(basename "$first") differs"
done
for package in day one; do
    files=("$work/$package"/*)
    [ ${#files[@]} -eq 2 ] || fail "two files are wanted, not: ${files[*]}"
done
exit $bad
