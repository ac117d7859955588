#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A server is reached by the hosts it listens on, of both families and by name, and by no other.
#   hosts.sh SERVER LOADGEN
# For each pair a server on the first host is loaded through the second one; every byte of the
# replies is checked by loadgen. Local addresses of IPv6 are taken, or are nobody's. EMULATOR in the environment runs programs for Windows.
set -u
server=$1
loadgen=$2
emulator=${EMULATOR:-}
work=$(mktemp -d) || exit 1
server_pid=
stop_server()
{
    [ -z "$server_pid" ] || { kill -INT "$server_pid" && wait "$server_pid"; } 2>/dev/null
    server_pid=
}
trap 'stop_server; rm -rf "$work"' EXIT
bad=0

# pair HOST SHOWN TARGET CODE ARGS...: the server says SHOWN, and loadgen ends with CODE.
pair()
{
    local port code host=$1 shown=$2 target=$3 expected=$4
    shift 4
    : >"$work/server"
    timeout 120 ${emulator:+"$emulator"} "$server" --port 0 --host "$host" --max-sessions 64 \
        >"$work/server" 2>&1 </dev/null &
    server_pid=$!
    for ((i = 0; i < 1200; i++)); do
        port=$(tr -d '\r' <"$work/server" | sed -n 's/^listening on .*:\([0-9]*\)$/\1/p')
        [ -z "$port" ] || break
        sleep 0.05
    done
    grep -qF "listening on $shown:$port" "$work/server" || {
        echo "FAILED: --host $host: $(head -2 "$work/server")"
        bad=1
    }
    timeout 60 ${emulator:+"$emulator"} "$loadgen" --host "$target" --port "${port:-1}" --connections 4 \
        --messages 200 --warmup 0 "$@" >"$work/loadgen" 2>&1 </dev/null
    code=$?
    [ "$code" = "$expected" ] || {
        echo "FAILED: --host $host by way of $target $*: exit code $code: $(tail -3 "$work/loadgen")"
        bad=1
    }
    stop_server
}

pair 127.0.0.1 127.0.0.1 127.0.0.1 0
pair localhost 127.0.0.1 localhost 0
pair ::1 '[::1]' ::1 0
pair :: '[::]' ::1 0
pair :: '[::]' 127.0.0.1 0
pair ::1 '[::1]' 127.0.0.1 1
pair 0.0.0.0 0.0.0.0 ::1 1
pair ::1 '[::1]' ::1 0 --source ::1
pair ::1 '[::1]' ::1 1 --source 2001:db8::1 --connect-timeout 0.3

# both HOSTS TARGET...: a server on several is loaded through each, in one run of loadgen.
both()
{
    local hosts=$1 ports targets=
    : >"$work/server"
    timeout 120 ${emulator:+"$emulator"} "$server" --port 0 --host "$hosts" --max-sessions 64 \
        >"$work/server" 2>&1 </dev/null &
    server_pid=$!
    shift
    for ((i = 0; i < 1200; i++)); do
        ports=$(tr -d '\r' <"$work/server" | sed -n 's/^listening on .*:\([0-9]*\)$/\1/p')
        [ "$(wc -w <<<"$ports")" -lt $# ] || break
        sleep 0.05
    done
    for port in $ports; do
        targets=$targets${targets:+,}$1:$port
        shift
    done
    timeout 60 ${emulator:+"$emulator"} "$loadgen" --target "$targets" --connections 4 \
        --messages 200 --warmup 0 >"$work/loadgen" 2>&1 </dev/null || {
        echo "FAILED: --host $hosts by way of $targets: $(tail -3 "$work/loadgen")"
        bad=1
    }
    stop_server
}
both 127.0.0.1,::1 127.0.0.1 '[::1]'
both 'localhost:0,[::1]:0' localhost '[::1]'
exit $bad
