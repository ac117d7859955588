#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# One RIO completion never comes: the server says so once, serves the others, ends in bounded time
# with exit code 0 and has the count in its JSON. With --rio-verify it stops there and then.
#   rio_lost.sh LOADGEN FAULTY_DLL SERVER [SERVER_ARG...]     EMULATOR runs a LOADGEN for Windows
set -u

loadgen=$1 faulty=$2
shift 2
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
    cat "$work/out" "$work/err"
    exit 1
}
# until_true TENTHS COMMAND...: false when it did not become true, or the server ended.
until_true()
{
    local left=$1
    shift
    until "$@"; do
        left=$((left - 1))
        [ $left -gt 0 ] && kill -0 "$server_pid" 2>/dev/null || return 1
        sleep 0.1
    done
}

: >"$work/out"
FAULTY_RIO_SWALLOW=1 "$@" --port 0 --duration 120 --idle-timeout 300 --max-sessions 64 \
    --rio-provider "$(windows_path "$faulty")" --json "$(windows_path "$work/json")" \
    >"$work/out" 2>"$work/err" </dev/null &
server_pid=$!
until_true 300 grep -q '^listening' "$work/out" || fail "the server did not start"
port=$(tr -d '\r' <"$work/out" | sed -n 's/^listening on .*:\([0-9][0-9]*\)$/\1/p')

# A silent client: closed as idle with its receive pending, whose completion is the one lost.
exec 3<>"/dev/tcp/127.0.0.1/$port" || fail "no connection"
case $* in
*--rio-verify*)
    until_true 300 false
    wait "$server_pid"
    code=$?
    server_pid=
    [ $code -ne 0 ] && grep -q 'fatal: closesocket' "$work/err" || fail "exit code $code, not fatal"
    exit 0
    ;;
esac
until_true 300 grep -q quarantine "$work/err" || fail "nothing is said about the lost completion"
timeout 60 ${EMULATOR:+"$EMULATOR"} "$loadgen" --port "$port" --connections 8 --messages 2000 --progress off \
    >"$work/load" 2>&1 </dev/null || fail "it serves nobody any more: $(cat "$work/load")"
kill -INT "$server_pid"
started=$SECONDS
wait "$server_pid"
code=$?
server_pid=
[ $code -eq 0 ] || fail "exit code $code"
[ $((SECONDS - started)) -lt 60 ] || fail "it took $((SECONDS - started)) s to end"
[ "$(grep -c quarantine "$work/err")" -eq 1 ] || fail "not said once"
grep -q '"quarantined":1[,}]' "$work/json" || fail "the JSON does not have the count"
cat "$work/out" "$work/err"
