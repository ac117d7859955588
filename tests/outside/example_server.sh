# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by the cases of the examples: one example that listens, in a folder of its own. The caller
# has set name (for messages) and emulator.
work=$(mktemp -d) || exit 1
pid=
cleanup()
{
    [ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null
    rm -rf "$work"
}
trap cleanup EXIT
fail()
{
    echo "$name: $*"
    [ ! -e "$work/server" ] || cat "$work/server"
    exit 1
}
cd "$work" || exit 1

# start PROGRAM ARGS...: sets pid, and port once it listens.
start()
{
    ${emulator:+"$emulator"} "$@" >server 2>&1 &
    pid=$!
    port=
    for _ in $(seq 200); do
        port=$(tr -d '\r' <server | sed -n 's/^listening on .*:\([0-9][0-9]*\)$/\1/p')
        [ -z "$port" ] || break
        kill -0 $pid 2>/dev/null || fail "ended"
        sleep 0.1
    done
    [ -n "$port" ] || fail "does not listen"
}

# stop: it ends with 0 after SIGINT; ends: it does, after one that was sent.
stop()
{
    kill -INT $pid
    ends
}
ends()
{
    local code
    for _ in $(seq 150); do
        kill -0 $pid 2>/dev/null || break
        sleep 0.1
    done
    kill -0 $pid 2>/dev/null && fail "does not stop"
    wait $pid
    code=$?
    pid=
    [ $code -eq 0 ] || fail "exit code $code"
}
