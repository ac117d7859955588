#!/bin/bash
# SPDX-License-Identifier: MIT
# package_same_bytes.sh WORK BIN: the package of one commit, built in two folders, is the same.
#
# Set up: the sources copied into a folder with another name, which holds a blank and a letter that
# is not ASCII; another umask, time zone and language there. Packages of one program a half are
# compared, since the whole takes minutes to build. WORK/day has all that package_runs.sh starts:
# the Windows programs are those of BIN; the Linux ones those of build/native, where it was built,
# else they are built without optimisation.
# The Windows half is optimised as one that ships; the Linux half only with RINGSIDE_DEEP, because
# whether bytes are equal hangs on the options against paths and times, which stay.
# Pass: both halves are equal byte for byte, and no program built here holds the path of either
# folder. Every other program would be compiled and linked with the options that see to that.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$1
built=$(cd "$2" && pwd)
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
    for program in "$1"/build/package-*/bin/*; do
        ! grep -qaF -e "$root" -e "$other" "$program" || fail "$program holds a path"
    done
}

# same_options HALF: every command behind its programs has those against a path and a time in it.
same_options()
{
    local commands=$work/commands.$1 stamp=--build-id=none
    [ "$1" != windows ] || stamp=--no-insert-timestamp
    ninja -C "build/package-$1" -t commands "${@:2}" >"$commands" || fail "no commands of $1"
    ! grep ' -c .*\.c$' "$commands" | grep -vqF -e "-ffile-prefix-map=$root=." ||
        fail "a file of $1 is compiled without the prefix map"
    ! grep ' -o bin/' "$commands" | grep -vq -e "-static -s .*$stamp" ||
        fail "a program of $1 is linked without -static, -s or $stamp"
    [ "$(grep -c ' -o bin/' "$commands")" -ge $(($# - 1)) ] || fail "too few programs of $1"
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
[ -n "${RINGSIDE_DEEP:-}" ] || export RINGSIDE_QUICK=yes
native=$root/build/native/bin
[ -x "$native/compare" ] || native=
RINGSIDE_BUILT=$built RINGSIDE_BUILT_LINUX=$native RINGSIDE_PROGRAMS="iocp_server rio_server epoll_server loadgen compare notes
    rio_contract conformance_iocp conformance_iocp_alternatives conformance_rio conformance_rio_event
    conformance_rio_poll" scripts/package.sh "$work/day" || fail "the first day's package"
export RINGSIDE_PROGRAMS="ladder_iocp_pool epoll_server"
scripts/package.sh "$work/one" || fail "the first package"
(umask 077 && TZ=Asia/Tokyo LANG=tr_TR.UTF-8 "$other/scripts/package.sh" "$work/two") ||
    fail "the second package"
no_path "$root"
no_path "$other"
same_options windows ladder_iocp_pool iocp_server rio_server loadgen compare notes rio_contract \
    conformance_rio
same_options linux epoll_server loadgen compare notes

for first in "$work"/one/*; do
    cmp "$first" "$work/two/$(basename "$first")" || fail "$(basename "$first") differs"
done
for package in day one; do
    files=("$work/$package"/*)
    [ ${#files[@]} -eq 2 ] || fail "two files are wanted, not: ${files[*]}"
done
exit $bad
