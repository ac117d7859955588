#!/bin/sh
# SPDX-License-Identifier: MIT
# riorun_case.sh CASE WINE_SH RIORUN.exe BEAT.exe: riorun and the life of its program, from outside.
#   code   the program's exit code is riorun's
#   int    kill -INT of riorun alone is the program's Ctrl+C, and its exit code comes back
#   term, kill   the program ends with riorun
#   none   what is not there is named
#   bits   a 32-bit program is refused with a word on what is missing
set -u
case=$1
wine=$2
riorun=$3
beat=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail()
{
    echo "$*"
    cat "$work/out" "$work/err" 2>/dev/null
    exit 1
}

windows()
{
    printf 'Z:%s' "$1" | tr / '\\'
}

start_beating()
{
    "$wine" "$riorun" "$(windows "$beat")" >"$work/out" 2>"$work/err" </dev/null &
    pid=$!
    steps=0
    until [ -s "$work/out" ]; do
        steps=$((steps + 1))
        [ "$steps" -le 300 ] || fail "the program did not come up"
        sleep 0.1
    done
}

# After the signal the dots must stop, in bounded time.
ends_by()
{
    start_beating
    kill "-$1" "$pid"
    wait "$pid"
    sleep 1
    before=$(wc -c <"$work/out")
    sleep 1
    after=$(wc -c <"$work/out")
    [ "$before" -eq "$after" ] || fail "the program goes on after $1 of riorun"
}

case $case in
code)
    "$wine" "$riorun" "$(windows "$beat")" 43 >"$work/out" 2>"$work/err" </dev/null
    code=$?
    [ "$code" -eq 43 ] || fail "exit $code, not the program's 43"
    ;;
int)
    start_beating
    kill -INT "$pid"
    wait "$pid"
    code=$?
    [ "$code" -eq 7 ] || fail "exit $code, not the program's 7"
    grep -q interrupted "$work/out" || fail "the program did not hear of it"
    ;;
none)
    "$wine" "$riorun" nope.exe 1 >"$work/out" 2>"$work/err" </dev/null
    code=$?
    [ "$code" -eq 1 ] || fail "exit $code, not 1"
    grep -q "'nope.exe': no such program" "$work/err" || fail "the program is not named"
    ;;
term) ends_by TERM ;;
kill) ends_by KILL ;;
bits)
    # Another machine in the file header: 0x014C, 4 bytes behind the signature that 0x3C points at.
    cp "$beat" "$work/x86.exe"
    at=$(od -An -tu4 -j60 -N4 "$beat" | tr -d ' ')
    printf '\114\001' | dd of="$work/x86.exe" bs=1 seek=$((at + 4)) conv=notrunc 2>/dev/null
    "$wine" "$riorun" "$(windows "$work/x86.exe")" >"$work/out" 2>"$work/err" </dev/null
    code=$?
    [ "$code" -eq 1 ] || fail "exit $code, not 1"
    grep -q '32-bit' "$work/err" || fail "no word of 32 bits"
    ;;
*) fail "unknown case $case" ;;
esac
