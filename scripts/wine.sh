#!/bin/sh
# SPDX-License-Identifier: MIT
# scripts/wine.sh PROGRAM.exe [ARGS...]: one Windows program under Wine, from a shell.
#
# Takes the prefix from WINEPREFIX, else one of its own below build/, made at the first use. It
# ends in exec, so that the caller's process id is the program's: kill -INT arrives as Ctrl+C and
# lets a server drain; kill -TERM ends it at once, because Wine gives a console program no event
# for it. PROGRAM may be `cmd`, Wine's own. ctest runs the Windows tests through this script.
set -eu

# A program started without its standard descriptors: Wine would take the free numbers for its own
# sockets, then treat them as the program's input and output, and end without a word.
[ -e "/proc/$$/fd/0" ] || exec 0</dev/null
[ -e "/proc/$$/fd/1" ] || exec 1>/dev/null
[ -e "/proc/$$/fd/2" ] || exec 2>/dev/null

die()
{
    echo "wine.sh: $*" >&2
    exit 1
}

# The loader itself where Debian puts it; /usr/bin/wine there is a script that execs it.
find_loader()
{
    for candidate in /usr/lib/wine/wine64 wine64 wine; do
        command -v "$candidate" && return
    done
    die "Wine is not installed: run scripts/setup-debian.sh"
}

# Linux puts a program's heap at random up to 1 GiB behind it, and Wine's loader lies less than that
# below an address that Wine must have (0x7ffe0000, the shared user data): where the heap covers it,
# about once in 3,000 starts, the program ends with code 1 and no word, and CreateProcess fails with
# error 1359. Programs inherit this from the one that starts them.
fixed=
! setarch -R true 2>/dev/null || fixed="setarch -R"

# A Wine process must not keep our lock (descriptor 9), or a caller's pipe, open for its lifetime.
quietly()
{
    "$@" </dev/null >/dev/null 2>&1 9>&-
}

# start_wine: a wineserver and Wine's own system processes, all detached: those that a program
# starts on its way would hold the caller's stdout open. -p keeps them for a while after their last
# client: RINGSIDE_WINE_KEEP seconds, 60 where that is not set. When a server runs already (exit 2)
# they are there, unless it ends just then: whoever runs many programs asks for longer. Under the
# lock, so that the first of several callers does all of it before any program runs.
start_wine()
{
    quietly setsid wineserver "-p${RINGSIDE_WINE_KEEP:-60}" || return 0
    [ -f "$WINEPREFIX/system.reg" ] && fresh=no || fresh=yes
    quietly setsid $fixed "$loader" wineboot --init || die "cannot start Wine in $WINEPREFIX"
    [ "$fresh" = no ] || set_version || die "cannot set the Windows version in $WINEPREFIX"
}

# set_version: a new prefix may report Windows 7. On a busy machine a first program in it has failed
# once, so it has three tries.
set_version()
{
    for try in 1 2 3; do
        quietly $fixed "$loader" reg add 'HKCU\Software\Wine' /v Version /d win10 /f && return
        sleep "$try"
    done
    return 1
}

[ $# -ge 1 ] || die "usage: scripts/wine.sh PROGRAM.exe [ARGS...]"
program=$1
shift
case $0 in
*/*) root=$(cd "${0%/*}/.." && pwd) ;;
*) root=$(cd .. && pwd) ;;
esac
case $program in
*/*) ;;
cmd) ;;
*) [ -f "$program" ] || program=$root/build/windows/bin/$program ;;
esac
if [ "$program" = cmd ]; then
    folder=$root # Wine's own: no path
else
    [ -f "$program" ] || die "no such program: $program"
    case $program in
    */*) folder=$(cd "${program%/*}/" && pwd) ;; # "/" at its end: "/x.exe" lies in "/"
    *) folder=$PWD ;;
    esac
    program=$folder/${program##*/}
fi
loader=$(find_loader)

export WINEPREFIX="${WINEPREFIX:-$root/build/wine-prefix}"
export WINEARCH="${WINEARCH:-win64}"
export WINEDEBUG="${WINEDEBUG:--all}"
# No dialogue about missing Mono and Gecko, no desktop menus.
export WINEDLLOVERRIDES="${WINEDLLOVERRIDES:-mscoree,mshtml,winemenubuilder.exe=}"
# Wine loads the RIO provider's two halves from an absolute folder only.
export WINEDLLPATH="$folder${WINEDLLPATH:+:$WINEDLLPATH}"
if [ -z "${RINGSIDE_RIO_PROVIDER:-}" ] && [ -f "$folder/ringside_rio.dll" ]; then
    RINGSIDE_RIO_PROVIDER="Z:$(echo "$folder/ringside_rio.dll" | tr / '\\')"
    export RINGSIDE_RIO_PROVIDER
fi

# Who started Wine here, and keeps it, may say so: the rest is a third of a short program.
if [ "${RINGSIDE_WINE_RUNS:-}" != "$WINEPREFIX" ]; then
    mkdir -p "$WINEPREFIX"
    exec 9>"$WINEPREFIX/.ringside-lock"
    flock 9
    start_wine
fi
# shellcheck disable=SC2086 # words
exec $fixed "$loader" "$program" "$@" 9>&-
