#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# One example over one back end: two clients, and what each must get.
#   example_case.sh echo|chat|lines|metrics PROGRAM BACK_END [EMULATOR]
# A pass: the bytes are right, and the program ends with 0 after SIGINT.
set -u
kind=$1 program=$2 backend=$3 emulator=${4:-}
name="$kind over $backend"
# shellcheck source=tests/outside/example_server.sh
. "$(dirname "$0")/example_server.sh"
start "$program" "$backend" 0 metrics.prom
exec 3<>"/dev/tcp/127.0.0.1/$port" || fail "no connection"
# lines: with "hello" in two pieces. Others: frames of 8 bytes: length, type, "hello" or "world".
hello='\x08\x00\x01hello' world='\x08\x00\x01world'
take()
{
    timeout 20 head -c "$2" <&"$1" | od -An -tx1 | tr -d ' \n'
}
hex()
{
    printf "$1" | od -An -tx1 | tr -d ' \n'
}
if [ "$kind" = lines ]; then
    printf 'hel' >&3
    sleep 0.2
    printf 'lo\nquit\nmore\n' >&3
    [ "$(take 3 11)" = "$(hex 'HELLO\nQUIT\n')" ] || fail "no lines in capitals"
    [ -z "$(take 3 1)" ] || fail "more after QUIT"
    exec 3>&- 3<>"/dev/tcp/127.0.0.1/$port" || fail "no second connection"
    head -c 1024 /dev/zero >&3
    [ -z "$(take 3 1)" ] || fail "an answer to a line that is too long"
    # It drains: nobody new, and one that is there may finish.
    exec 3>&- 4<>"/dev/tcp/127.0.0.1/$port" || fail "no third connection"
    printf 'here\n' >&4
    [ "$(take 4 5)" = "$(hex 'HERE\n')" ] || fail "no line in capitals before the drain"
    kill -INT $pid
    for _ in $(seq 200); do
        { exec 3<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null || break
        exec 3>&-
        sleep 0.1
    done
    { exec 3<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null && fail "it still listens"
    printf 'there\n' >&4
    [ "$(take 4 6)" = "$(hex 'THERE\n')" ] || fail "no line in capitals during the drain"
    for _ in $(seq 200); do # those before may still be closing
        grep -q '^1 sessions' server && break
        sleep 0.1
    done
    grep -q '^1 sessions' server || fail "it does not tell what is left"
    exec 4>&-
    ends
    exit 0
else
    printf "$hello" >&3
    [ "$(take 3 8)" = "$(hex "$hello")" ] || fail "no echo of hello"
    # The first is in the room, so it gets what the second says; then the second is in it too.
    exec 4<>"/dev/tcp/127.0.0.1/$port" || fail "no second connection"
    printf "$world" >&4
    [ "$(take 4 8)" = "$(hex "$world")" ] || fail "no echo of world"
    if [ "$kind" = chat ]; then
        [ "$(take 3 8)" = "$(hex "$world")" ] || fail "the first one did not get it"
        printf "$hello" >&3
        [ "$(take 4 8)" = "$(hex "$hello")" ] || fail "the other one did not get it"
        [ "$(take 3 8)" = "$(hex "$hello")" ] || fail "no second echo of hello"
    fi
    if [ "$kind" = metrics ]; then
        for _ in $(seq 100); do
            grep -q '^ringside_messages_in_total 2' metrics.prom 2>/dev/null && break
            sleep 0.1
        done
        grep -q '^ringside_messages_in_total 2' metrics.prom || fail "no metrics"
        grep -q '^ringside_sessions_open 2' metrics.prom || fail "2 sessions are not open"
        grep -q "^info: listening on 127.0.0.1:$port" server || fail "the log does not say so"
    fi
fi
exec 3>&- 4>&-
stop
