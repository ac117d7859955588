#!/bin/sh
# Installs all that building and testing needs on Debian 12, and builds cmocka for MinGW.
#
# Safe to run again: when nothing is missing it asks apt nothing and ends at once. Asks no
# question, changes no apt configuration, writes outside /usr only below build/deps.
# Debian has no MinGW cmocka, so its source package is built here. The deb-src entry for that is
# derived from the machine's own deb entries and kept in a private apt state.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
deps=$root/build/deps
prefix=$deps/cmocka-mingw
library=$prefix/lib/libcmocka-static.a
log=$deps/setup.log

packages="gcc libc6-dev make cmake ninja-build clang libclang-rt-14-dev llvm
    gcc-mingw-w64-x86-64 wine wine64 liburing-dev libcmocka-dev valgrind
    dpkg-dev patch xz-utils git ca-certificates util-linux procps"

die()
{
    echo "setup-debian: $*" >&2
    exit 1
}

# run: a command whose output matters only when it fails. apt-get and cmake are chatty.
run()
{
    if ! "$@" >>"$log" 2>&1 </dev/null; then
        tail -n 30 "$log" >&2
        die "failed: $* (all of it in $log)"
    fi
}

missing_packages()
{
    for package in $packages; do
        case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) in
        "install ok installed") ;;
        *) printf '%s ' "$package" ;;
        esac
    done
}

install_packages()
{
    [ "$(id -u)" -eq 0 ] || die "must be root to install: $*"
    echo "setup-debian: installing $*"
    export DEBIAN_FRONTEND=noninteractive
    run apt-get -q -y -o Acquire::Retries=5 update
    run apt-get -q -y -o Acquire::Retries=5 -o DPkg::Lock::Timeout=300 \
        install --no-install-recommends "$@"
}

# source_entries DIR: this release's deb entries of component main, rewritten as deb-src.
source_entries()
{
    suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    [ -n "$suite" ] || die "/etc/os-release names no release"
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -f "$file" ] || continue
        sed 's/#.*//' "$file" | awk -v suite="$suite" '
            $1 == "deb" {
                at = 2
                if ($2 ~ /^\[/) { while (at < NF && $at !~ /\]$/) at++; at++ }
                has_main = 0
                for (i = at + 2; i <= NF; i++) if ($i == "main") has_main = 1
                if ($(at + 1) != suite || !has_main) next
                line = "deb-src"
                for (i = 2; i <= at + 1; i++) line = line " " $i
                print line " main"
            }'
    done >"$1/ringside.list"
    for file in /etc/apt/sources.list.d/*.sources; do
        [ -f "$file" ] || continue
        { grep -v '^#' "$file"; echo; } | awk -v suite="$suite" '
            function flush(  ok) {
                ok = types ~ / deb / && suites ~ (" " suite " ") && comps ~ / main / && !off
                if (ok) print "Types: deb-src\nSuites: " suite "\nComponents: main\n" rest
                types = suites = comps = rest = ""; off = 0
            }
            /^[ \t]*$/ { flush(); next }
            {
                key = tolower($1); value = $0; sub(/^[^:]*:/, "", value); value = " " value " "
            }
            key == "types:" { types = value; next }
            key == "suites:" { suites = value; next }
            key == "components:" { comps = value; next }
            key == "enabled:" { off = tolower(value) ~ / (no|false|0) /; next }
            { rest = rest $0 "\n" }
            END { flush() }'
    done >"$1/ringside.sources"
    [ -s "$1/ringside.list" ] || [ -s "$1/ringside.sources" ] ||
        die "no deb entry for $suite main in /etc/apt: cannot tell where cmocka's source is"
}

fetch_cmocka()
{
    apt=$deps/apt
    rm -rf "$apt"
    mkdir -p "$apt/parts" "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/source"
    source_entries "$apt/parts"
    # The sandbox user could not read a folder below /root.
    set -- -q -y -o Acquire::Retries=5 -o APT::Sandbox::User=root \
        -o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$apt/parts" \
        -o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt/cache"
    run apt-get "$@" update
    (cd "$apt/source" && run apt-get "$@" source --download-only cmocka)
    set -- "$apt"/source/cmocka_*.dsc
    [ -f "$1" ] || die "apt-get source left no cmocka_*.dsc"
    rm -rf "$deps/cmocka-source"
    run dpkg-source --no-check -x "$1" "$deps/cmocka-source"
    rm -rf "$apt"
}

build_cmocka()
{
    echo "setup-debian: building cmocka for MinGW"
    [ -f "$deps/cmocka-source/CMakeLists.txt" ] || fetch_cmocka
    rm -rf "$deps/cmocka-build" "$prefix"
    run cmake -S "$deps/cmocka-source" -B "$deps/cmocka-build" -G Ninja \
        -DCMAKE_TOOLCHAIN_FILE="$root/cmake/mingw-w64.cmake" -DCMAKE_INSTALL_PREFIX="$prefix" \
        -DCMAKE_BUILD_TYPE=RelWithDebInfo \
        -DWITH_STATIC_LIB=ON -DWITH_EXAMPLES=OFF -DUNIT_TESTING=OFF
    run ninja -C "$deps/cmocka-build" -j2
    run ninja -C "$deps/cmocka-build" install
    mkdir -p "$prefix/lib"
    [ -f "$library" ] || run cp "$(find "$deps/cmocka-build" -name 'libcmocka-static.a')" "$library"
    rm -rf "$deps/cmocka-build"
}

command -v dpkg-query >/dev/null || die "this is no Debian machine (no dpkg-query)"
mkdir -p "$deps"
missing=$(missing_packages)
# shellcheck disable=SC2086 # one word a package
[ -z "$missing" ] || { : >"$log"; install_packages $missing; }
[ -f "$library" ] || build_cmocka
