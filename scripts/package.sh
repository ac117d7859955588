#!/bin/bash
# SPDX-License-Identifier: MIT
# scripts/package.sh [FOLDER]: what a stranger can run, without compiler or network.
#
# Leaves in FOLDER (default build/package) ringside-VERSION-windows-x64.zip and
# ringside-VERSION-linux-x64.tar.gz: the programs, statically linked; scripts/package/ has what else
# lies at their top. Builds in build/package-windows and build/package-linux.
# The same commit gives the same bytes, whatever the folder, user or hour: no path, no time and no
# order of a directory gets in (tests/integration/package_same_bytes.sh). The compiler's version does.
# Where there is no git, RINGSIDE_COMMIT and SOURCE_DATE_EPOCH say what commit it is, and when.
# RINGSIDE_PROGRAMS: names of programs, for a package of these alone. RINGSIDE_BUILT=FOLDER and
# RINGSIDE_BUILT_LINUX=FOLDER, for a package that is only tried out: the Windows and the Linux
# programs are those in it, stripped, instead of built here. RINGSIDE_QUICK=yes, likewise: Linux
# programs are built without optimisation, which takes most of a build.
set -eu -o pipefail

cd "$(dirname "$0")/.."
root=$PWD
umask 022
export LC_ALL=C TZ=UTC
out=${1:-build/package}
jobs=${JOBS:-$(nproc)}
built=${RINGSIDE_BUILT:-}
built_linux=${RINGSIDE_BUILT_LINUX:-}
commit=${RINGSIDE_COMMIT:-$(git rev-parse --short=12 HEAD)}
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
version=$(sed -n 's/^project(ringside VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
export SOURCE_DATE_EPOCH=$epoch

windows="iocp_server rio_server loadgen compare notes rio_contract conformance_iocp
    conformance_iocp_alternatives conformance_rio conformance_rio_event conformance_rio_poll
    ladder_thread ladder_select ladder_async_select ladder_event_select ladder_overlapped_event
    ladder_overlapped_apc ladder_overlapped_alertable ladder_iocp_pool ladder_iocp_lookaside"
linux="epoll_server loadgen compare notes"

die()
{
    echo "package: $*" >&2
    exit 1
}

# wanted PROGRAMS: those of them that the package shall have.
wanted()
{
    local program
    for program in $1; do
        # shellcheck disable=SC2086 # words, whatever is between them
        [ -z "${RINGSIDE_PROGRAMS:-}" ] || [[ " $(echo $RINGSIDE_PROGRAMS) " = *" $program "* ]] ||
            continue
        echo "$program"
    done
}

# logged HALF COMMAND...
logged()
{
    local log=build/package-$1/package.log
    "${@:2}" >>"$log" 2>&1 || { tail -n 30 "$log"; die "failed: ${*:2} (all of it in $log)"; }
}

# configure HALF [CMAKE_OPTIONS...]: without a compiler cache. One that makes paths relative (ccache's
# base_dir) hides from the compiler the prefix that it is to map.
configure()
{
    local how=(-DRS_LTO=ON -DRS_OPTIMISE=-O2 -DCMAKE_C_COMPILER_LAUNCHER=) # stripped: no -g
    [ "$1" != linux ] || [ -z "${RINGSIDE_QUICK:-}" ] || how=(-DRS_LTO=OFF -DRS_OPTIMISE=-O0)
    mkdir -p "build/package-$1"
    : >"build/package-$1/package.log"
    logged "$1" cmake -S . -B "build/package-$1" -G Ninja -DRS_PACKAGE=ON \
        "${how[@]}" -DRS_COMMIT="$commit" "${@:2}"
}

# build HALF PROGRAMS
build()
{
    # shellcheck disable=SC2086 # one word a program
    logged "$1" cmake --build "build/package-$1" -j "$jobs" --target $2
}

# stage HALF PROGRAMS SUFFIX COMPILER FOLDER: the programs in that folder, and everything but what
# only one half has.
stage()
{
    local name=ringside-$version-$1-x64 program
    stage=$root/build/package-$1/stage/$name
    rm -rf "$(dirname "$stage")"
    mkdir -p "$stage/bin" "$stage/docs" "$stage/licences"
    for program in $2; do
        cp "$5/$program$3" "$stage/bin"
    done
    cp "scripts/package/README-$1.txt" "$stage/README.txt"
    cp LICENSE CHANGELOG.md "$stage"
    cp docs/benchmarking.md docs/compare.md docs/loadgen.md docs/ladder.md docs/notes.md \
        docs/notes-verdicts.md "$stage/docs"
    cat >"$stage/VERSION.txt" <<EOF
ringside $version
commit $commit
compiler $4 $("$4" -dumpfullversion)
EOF
}

# seal: one mode and one time for every file of the stage.
seal()
{
    find "$stage" -type d -exec chmod 755 {} +
    find "$stage" -type f -exec chmod 644 {} +
    find "$stage/bin" -type f -exec chmod 755 {} +
    find "$stage" -exec touch -h -d "@$epoch" {} +
}

command -v zip >/dev/null || die "zip is missing: run scripts/setup-debian.sh"
mkdir -p "$out"
out=$(cd "$out" && pwd)

if [ -n "$built" ]; then
    windows=$(wanted "$windows")
    mkdir -p build/package-windows
    stage windows "$windows" .exe x86_64-w64-mingw32-gcc "$built"
    x86_64-w64-mingw32-strip "$stage"/bin/*
else
    configure windows -DCMAKE_TOOLCHAIN_FILE="$root/cmake/mingw-w64.cmake"
    windows=$(wanted "$windows")
    build windows "$windows"
    stage windows "$windows" .exe x86_64-w64-mingw32-gcc build/package-windows/bin
fi
cp scripts/package/*.cmd "$stage"
cp docs/windows.md "$stage/docs"
cp build/deps/cmocka-source/COPYING "$stage/licences/cmocka.txt"
cp /usr/share/doc/mingw-w64-x86-64-dev/copyright "$stage/licences/mingw-w64.txt"
seal
rm -f "$out/$(basename "$stage").zip"
(cd "$stage/.." && find "$(basename "$stage")" -type f | sort |
    zip -q -9 -X -@ "$out/$(basename "$stage").zip")
echo "$out/$(basename "$stage").zip"

linux=$(wanted "$linux")
if [ -n "$built_linux" ]; then
    mkdir -p build/package-linux
    stage linux "$linux" "" gcc "$built_linux"
    strip "$stage"/bin/*
else
    configure linux -DRS_TESTS=OFF
    build linux "$linux"
    stage linux "$linux" "" gcc build/package-linux/bin
fi
cp /usr/share/doc/libc6/copyright "$stage/licences/glibc.txt"
seal
tar -c --sort=name --format=ustar --mtime="@$epoch" --owner=0 --group=0 --numeric-owner \
    -C "$stage/.." "$(basename "$stage")" | gzip -9 -n >"$out/$(basename "$stage").tar.gz"
echo "$out/$(basename "$stage").tar.gz"
