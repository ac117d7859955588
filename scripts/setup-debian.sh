#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs all that building and testing needs on Debian 12 or later, and builds cmocka for MinGW.
#
# Safe to run again: when nothing is missing it asks no mirror and ends at once. Asks no
# question, changes no apt configuration, writes outside /usr only below build/deps.
# Debian has no MinGW cmocka, so its source is built here. The deb-src entry for that is
# derived from the machine's own deb entries and kept in a private apt state.
# No release and no version stands here: what has one in its name is asked of apt.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
deps=$root/build/deps
prefix=$deps/cmocka-mingw
log=$deps/setup.log
updated=no

packages="gcc g++ libc6-dev make cmake ninja-build
    gcc-mingw-w64-x86-64 g++-mingw-w64-x86-64-win32 pkgconf wine wine64 libwine-dev liburing-dev
    libcmocka-dev spin valgrind cppcheck xz-utils zip git ca-certificates util-linux procps"

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

# clang_version: the newest one installed whole, if it is not older than those that were tried, else
# the newest that apt has. clang 14 warns where 19 and 22 do not, and clang-tidy 14 likewise.
clang_version()
{
    installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' 'clang-tools-[0-9]*' 2>/dev/null |
        sed -n 's/^ii  *clang-tools-\([0-9][0-9]*\)$/\1/p' | sort -n | tail -n 1)
    if [ "${installed:-0}" -ge 19 ]; then
        echo "$installed"
    else
        apt-cache pkgnames clang- | sed -n 's/^clang-\([0-9][0-9]*\)$/\1/p' | sort -n | tail -n 1
    fi
}

# clang_packages: those with a version in their names.
clang_packages()
{
    version=$(clang_version)
    echo "clang-$version clang-tools-$version clang-tidy-$version lld-$version llvm-$version" \
        "libclang-rt-$version-dev"
}

# missing_packages PACKAGE...: those of them that are not installed.
missing_packages()
{
    for package in "$@"; do
        case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) in
        "install ok installed") ;;
        *) printf '%s ' "$package" ;;
        esac
    done
}

# install_missing PACKAGE...
install_missing()
{
    missing=$(missing_packages "$@")
    # shellcheck disable=SC2086 # one word a package
    [ -z "$missing" ] || install_packages $missing
}

install_packages()
{
    [ "$(id -u)" -eq 0 ] || die "must be root to install: $*"
    echo "setup-debian: installing $*"
    export DEBIAN_FRONTEND=noninteractive
    [ "$updated" = yes ] || run apt-get -q -y -o Acquire::Retries=5 update
    updated=yes
    run apt-get -q -y -o Acquire::Retries=5 -o DPkg::Lock::Timeout=300 \
        install --no-install-recommends "$@"
}

# source_entries DIR: this release's deb entries that have component main, rewritten as deb-src.
# All their components: Ubuntu keeps cmocka in universe.
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
                for (i = 2; i <= NF; i++) line = line " " $i
                print line
            }'
    done >"$1/ringside.list"
    for file in /etc/apt/sources.list.d/*.sources; do
        [ -f "$file" ] || continue
        { grep -v '^#' "$file"; echo; } | awk -v suite="$suite" '
            function flush(  ok) {
                ok = types ~ / deb / && suites ~ (" " suite " ") && comps ~ / main / && !off
                if (ok) print "Types: deb-src\nSuites: " suite "\nComponents:" comps "\n" rest
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
    # The tarball alone, which apt holds against its signed lists: unpacking a source package asks
    # for more, and for more on newer systems.
    (cd "$apt/source" && run apt-get "$@" source --download-only --tar-only cmocka)
    set -- "$apt"/source/cmocka_*.orig.tar.*z
    [ -f "$1" ] || die "apt-get source left no cmocka_*.orig.tar"
    rm -rf "$deps/cmocka-source"
    mkdir "$deps/cmocka-source"
    run tar -x -f "$1" -C "$deps/cmocka-source" --strip-components=1
    rm -rf "$apt"
}

# The static library, whose name depends on cmocka's version.
cmocka_library()
{
    find "$1" -name 'libcmocka-static.a' -o -name 'libcmocka.a' 2>/dev/null | head -n 1
}

build_cmocka()
{
    echo "setup-debian: building cmocka for MinGW"
    [ -f "$deps/cmocka-source/CMakeLists.txt" ] || fetch_cmocka
    rm -rf "$deps/cmocka-build" "$prefix"
    # Up to 1.1.5 WITH_STATIC_LIB adds a static library, which is not installed; later
    # BUILD_SHARED_LIBS says which one is made. The policy: CMake 4 refuses what cmocka asks for.
    run cmake -S "$deps/cmocka-source" -B "$deps/cmocka-build" -G Ninja \
        -DCMAKE_TOOLCHAIN_FILE="$root/cmake/mingw-w64.cmake" -DCMAKE_INSTALL_PREFIX="$prefix" \
        -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_POLICY_VERSION_MINIMUM=3.5 \
        -DCMAKE_C_FLAGS="\"-ffile-prefix-map=$deps=.\"" \
        -DWITH_STATIC_LIB=ON -DBUILD_SHARED_LIBS=OFF -DWITH_EXAMPLES=OFF -DUNIT_TESTING=OFF
    run ninja -C "$deps/cmocka-build" -j2
    run ninja -C "$deps/cmocka-build" install
    mkdir -p "$prefix/lib"
    [ -n "$(cmocka_library "$prefix/lib")" ] ||
        run cp "$(cmocka_library "$deps/cmocka-build")" "$prefix/lib"
    rm -rf "$deps/cmocka-build"
}

command -v dpkg-query >/dev/null || die "this is no Debian machine (no dpkg-query)"
mkdir -p "$deps"
: >"$log"
# shellcheck disable=SC2086 # one word a package
install_missing $packages
# shellcheck disable=SC2046
install_missing $(clang_packages)
# One that holds this folder's path was built before packages were the same from any folder.
library=$(cmocka_library "$prefix/lib")
[ -n "$library" ] && ! grep -qF "$deps" "$library" || build_cmocka
