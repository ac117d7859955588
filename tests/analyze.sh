#!/bin/bash
# SPDX-License-Identifier: MIT
# tests/analyze.sh [--deep]: what three static analysers find in src, bench and wine.
#
# Exit 0: nothing.
# gcc -fanalyzer and clang-tidy follow paths through one file at a time; cppcheck looks at values.
# The tests themselves are left out: every run executes those, most of them under two sanitizers.
# Windows sources go through the MinGW gcc and, with its headers, through clang-tidy. Called by
# tests/run.sh and the target analyze.
# Left out without --deep, for the time: in bench, which is no server, gcc and clang-tidy follow no
# paths; elsewhere clang-tidy ends a function after 20,000 steps of 225,000: 67 s of its 164.
# The notes (bench/notes): one whose text asks for _WIN32 is analysed for Windows; any other is the
# same for both systems and is analysed natively. With --deep gcc and cppcheck look at each twice.
#
# The exceptions, each for a reason:
#   analyzer-malloc-leak (gcc, Windows files)  a connection of the ladder that a completion routine
#       owns: gcc does not see that the kernel holds its address
#   analyzer-fd-leak, analyzer-fd-use-without-check (gcc 13 and later)  sockets that outlive the
#       function in a structure; on Windows a SOCKET is no small number
#   DeprecatedOrUnsafeBufferHandling           wants memcpy_s, which neither gcc nor MinGW has
#   easily-swappable-parameters                taste, of every function with two numbers
#   implicit-widening, narrowing-conversions   gcc -Wconversion judges these; sizes have limits.h
#   multi-level-implicit-pointer-conversion    free() of an array of pointers
#   casting-through-void                       how a record is found from the OVERLAPPED in it
#   unused-return-value                        flags a value cast to void, as we say "on purpose"
#   optin.portability.UnixAPI                  calloc of nothing: counts are at least 1 by limits.h
#   optin.performance.Padding                  order of members is for the reader: these exist once
#   optin.core.EnumCastOutOfRange              numbers that were looked up among names before
#   unix.Malloc, ladder_overlapped_apc.c       a freed connection has left the list before
#   security.ArrayBound                        what readlink and fread return is not above what they
#       were given; an array's index is above 0 where the code before it says so
#   unchecked-string-to-number-conversion      sscanf of what the kernel writes in /proc and /sys
#   branch-clone, macro-parentheses            cases told apart on purpose; lists as macros
#   reserved-identifier                        _GNU_SOURCE and what the linker of Windows names
#   legacyUninitvar, uninitvar (cppcheck)      false for designated initialisers and for memset;
#       gcc and clang judge this
#   normalCheckLevelMaxBranches (cppcheck)     says how far it looks, not what it found
#   assertWithSideEffect (cppcheck)            WSAGetLastError in an assertion, which stays in
#   nullPointer:win_socket.c                   SO_UPDATE_CONNECT_CONTEXT takes no value: NULL, 0
#   zerodivcond:json.c                         the unit is 1 when the last digit is put
#
# clang-tidy is the newest there is, and a release may bring checks that nobody has looked at: what
# one finds that is not named in tidy_known is printed and not counted.
set -u

cd "$(dirname "$0")/.." || exit 1
jobs=${JOBS:-$(nproc)}
case $* in
'') deep= ;;
--deep) deep=yes ;;
*) echo "usage: tests/analyze.sh [--deep]"; exit 2 ;;
esac
tidy_known=" 19 22 "
work=build/analyze
mkdir -p "$work"
include="-Isrc/common -Isrc -Ibench -Iinclude -Iwine"
common="-std=c11 -DRS_COMMIT=\"analyze\" $include"
windows_names='_win(dows)?\.c$|/win/|^src/iocp/|^bench/ladder/|^bench/notes/note_(file|kernel)\.c$|^wine/|^src/rio/rio_(api|backend|driver|poll|port|verify_table|server_main)\.c$'
checks='-*,clang-analyzer-*,bugprone-*'
for unwanted in clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling \
    bugprone-easily-swappable-parameters bugprone-implicit-widening-of-multiplication-result \
    bugprone-narrowing-conversions bugprone-multi-level-implicit-pointer-conversion \
    bugprone-casting-through-void bugprone-unused-return-value \
    clang-analyzer-optin.portability.UnixAPI clang-analyzer-optin.core.EnumCastOutOfRange \
    clang-analyzer-optin.performance.Padding \
    clang-analyzer-security.ArrayBound bugprone-unchecked-string-to-number-conversion \
    bugprone-branch-clone bugprone-macro-parentheses bugprone-reserved-identifier; do
    checks=$checks,-$unwanted
done

# The newest clang-tidy there is.
tidy=$(printf '%s\n' /usr/lib/llvm-*/bin/clang-tidy | sort -V | tail -n 1)
[ -x "$tidy" ] && command -v cppcheck >/dev/null ||
    { echo "analyze: clang-tidy or cppcheck is missing: run scripts/setup-debian.sh"; exit 1; }

sources() { git ls-files 'src/*.c' 'bench/*.c' 'wine/*.c' | grep -v '^wine/unix_'; }
native=$(sources | grep -vE "$windows_names")
notes=$(git grep -l ${deep:+-e ''} -e _WIN32 -- 'bench/notes/*.c') # --deep: of any text
windows=$(printf '%s\n%s\n' "$(sources | grep -E "$windows_names")" "$notes" | sort -u)
native_tidy=$(comm -23 <(printf '%s\n' "$native" | sort) <(printf '%s\n' "$windows")) # once each
[ -n "$deep" ] || native=$native_tidy
[ -n "$native" ] && [ -n "$windows" ] || { echo "analyze: no sources"; exit 1; }

# each FILES COMMAND...: the command once a file, $jobs at a time.
each() { local files=$1; shift; printf '%s\n' "$files" | xargs -P "$jobs" -n 1 "$@"; }

# tidy_each FILES: with $FLAGS, which clang-tidy wants after the file.
tidy_each()
{
    # shellcheck disable=SC2016
    each "$1" sh -c 'less=; case $4 in bench/*) less=$3 ;; esac
        "$1" -quiet -checks="$2$less" "$4" -- $FLAGS 2>&1' tidy "$tidy" "$checks" "$no_paths"
}

no_paths=,-clang-analyzer-*
steps="-Xclang -analyzer-config -Xclang max-nodes=20000"
[ -z "$deep" ] || no_paths= steps=

# count TOOL LOG PATTERN [COUNTS]: prints what was found, once, and adds it up where that counts.
total=0
count()
{
    local lines
    lines=$(grep -E "$3" "$2" | sort -u)
    [ -z "$lines" ] || printf '%s\n' "$lines"
    lines=$(printf '%s' "$lines" | grep -c .)
    echo "analyze: $1: $lines"
    if [ "${4:-counts}" = counts ]; then
        total=$((total + lines))
    fi
}

# paths FILES: those whose paths gcc follows.
paths() { printf '%s\n' "$1" | grep -E "^(src|wine${deep:+|bench})/"; }

# shellcheck disable=SC2086 # flags are words
quiet="-Wno-analyzer-fd-leak -Wno-analyzer-fd-use-without-check"
{
    each "$(paths "$native")" gcc $common $quiet -D_GNU_SOURCE -O1 -fanalyzer -c -o /dev/null
    each "$(paths "$windows")" x86_64-w64-mingw32-gcc $common -D_WIN32_WINNT=0x0A00 \
        -D__USE_MINGW_ANSI_STDIO=1 $quiet -O1 -fanalyzer -Wno-analyzer-malloc-leak -c -o /dev/null
} >"$work/gcc.log" 2>&1
count "gcc -fanalyzer" "$work/gcc.log" '(warning|error):'

{
    FLAGS="$common $steps -D_GNU_SOURCE" tidy_each "$native_tidy"
    FLAGS="--target=x86_64-w64-mingw32 $common $steps -D_WIN32_WINNT=0x0A00" tidy_each "$windows"
} 2>&1 | grep -v 'ladder_overlapped_apc.c.*unix.Malloc' >"$work/tidy.log"
tidy_release=$("$tidy" --version | sed -n 's/.*LLVM version \([0-9]*\)\..*/\1/p')
case $tidy_known in *" $tidy_release "*) counts=counts ;; *) counts="shown only" ;; esac
count "clang-tidy $tidy_release ($counts)" "$work/tidy.log" '(warning|error):' "$counts"

# cppcheck knows what assert() promises, not what ours does.
cat >"$work/assert.h" <<'ASSERT'
#define RS_CORE_ASSERT_H
#include "core/compiler.h"
#define RS_ASSERT(cond) assert(cond)
#define RS_DEBUG_ASSERT(cond) ((void)0)
#define RS_UNREACHABLE(why) abort()
#define RS_FATAL(call, os_error, why) exit(3)
ASSERT
cpp="cppcheck -q -j $jobs --std=c11 --enable=warning,performance,portability --inline-suppr
    --include=$work/assert.h --suppress=uninitvar --suppress=legacyUninitvar
    --suppress=normalCheckLevelMaxBranches --suppress=assertWithSideEffect
    --suppress=nullPointer:src/common/win/win_socket.c --suppress=zerodivcond:src/common/core/json.c
    --template={file}:{line}:{severity}:{id}:{message} -D__GNUC__=12 -U_MSC_VER $include"
# shellcheck disable=SC2086
{
    $cpp --platform=unix64 -D__linux__ -U_WIN32 $native
    $cpp --platform=win64 --library=windows -D_WIN32 $windows
} >"$work/cppcheck.log" 2>&1
count "cppcheck" "$work/cppcheck.log" '.'

echo "analyze: $total findings in $(sources | wc -l) files (logs in $work)"
[ "$total" -eq 0 ]
