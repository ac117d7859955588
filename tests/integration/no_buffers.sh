#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# WSAENOBUFS ends the client and not the server: of 16 sessions that all echo, one send of one finds
# no buffers. That session ends as no-buffers and no other one does; no answer to the others is lost
# or wrong; and their median latency stays below twice that of loads without the error, one before
# and one after it.
#   no_buffers.sh LOADGEN SERVER [SERVER_ARG...]     EMULATOR runs a LOADGEN for Windows
# SERVER fails the send that NO_BUFFERS_AT counts to; a SERVER_ARG that is a .dll is a path.
set -u

loadgen=$1
shift
work=$(mktemp -d) || exit 1
server_pid=
cleanup()
{
    [ -z "$server_pid" ] || { kill "$server_pid" && wait "$server_pid"; } 2>/dev/null
    rm -rf "$work"
}
trap cleanup EXIT
windows_path()
{
    printf 'Z:%s' "${1//\//\\}"
}
fail()
{
    echo "$*"
    cat "$work"/out "$work"/err "$work"/load.* 2>/dev/null
    exit 1
}
server=()
for word; do
    case $word in
    *.dll) word=$(windows_path "$word") ;;
    esac
    server+=("$word")
done

connections=16 messages=3200
NO_BUFFERS_AT=$((messages + messages / 2)) "${server[@]}" --port 0 --duration 150 --max-sessions 64 \
    --json "$(windows_path "$work/json")" >"$work/out" 2>"$work/err" </dev/null &
server_pid=$!
port=
for _ in $(seq 300); do
    port=$(tr -d '\r' <"$work/out" | sed -n 's/^listening on .*:\([0-9][0-9]*\)$/\1/p')
    [ -z "$port" ] || break
    kill -0 "$server_pid" 2>/dev/null || break
    sleep 0.1
done
[ -n "$port" ] || fail "the server did not start"

# load NAME EXIT
load()
{
    timeout 60 ${EMULATOR:+"$EMULATOR"} "$loadgen" --port "$port" --connections $connections --depth 1 \
        --messages $messages --timeout 2 --progress off --json "$(windows_path "$work/load.$1.json")" \
        >"$work/load.$1" 2>&1 </dev/null
    local code=$?
    [ $code -eq "$2" ] || fail "the load $1: exit code $code, not $2"
}
# number NAME FILE. median NAME: of the latencies of that load, in ns.
number()
{
    sed -n "s/^.*[{,]\"$1\":\([0-9.]*\).*$/\1/p" "$2"
}
median()
{
    sed -n 's/^.*"latency_ns":{[^}]*"p50":\([0-9.]*\).*$/\1/p' "$work/load.$1.json"
}
load before 0
load with 1 # void: one of its connections ended
load after 0
kill -INT "$server_pid"
wait "$server_pid"
code=$?
server_pid=
[ $code -eq 0 ] || fail "the server's exit code is $code"

closed=$(sed -n 's/^.*"closed":{\([^}]*\)}.*$/\1/p' "$work/json")
echo "sessions $(number accepted "$work/json"), closed: $closed"
[[ "$closed," == *'"no-buffers":1,'* && "$closed," == *'"reset":0,'* && "$closed," == *'"error":0,'* ]] ||
    fail "not one session that ended as no-buffers, and no other fault"
for column in wrong duplicated reordered timed_out refused; do
    [ "$(number $column "$work/load.with.json")" = 0 ] || fail "$column is not 0 with the error"
done
[ "$(number lost "$work/load.with.json")" = 1 ] || fail "the others lost answers"
before=$(median before) with=$(median with) after=$(median after)
echo "median latency: $before ns before, $with with the error, $after after"
[ "$with" -lt $((2 * (before > after ? before : after))) ] ||
    fail "the others took more than twice as long"
