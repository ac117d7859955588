#!/bin/bash
# SPDX-License-Identifier: MIT
# haproxy.sh BIN PAGE WORK: the configuration of docs/scaling.md, with both versions of the PROXY
# header: a server is drained and restarted under load, and no request is lost. Skipped (77) where
# there is no HAProxy.
set -u
bin=$1
page=$2
work=$3
PATH=$PATH:/usr/sbin
command -v haproxy >/dev/null || { echo "SKIP: no haproxy"; exit 77; }
rm -rf "$work"
mkdir -p "$work"
started=()
trap 'for pid in "${started[@]}"; do kill -9 "$pid" 2>/dev/null; done' EXIT
fail()
{
    echo "FAILED: $*"
    tail -n 20 "$work"/*.log
    exit 1
}

# port FILE: the one that a server says it listens on.
port()
{
    local said=
    for _ in $(seq 200); do
        said=$(sed -n 's/.*listening on [^ ]*:\([0-9]*\).*/\1/p' "$1" | head -n 1)
        [ -n "$said" ] && { echo "$said"; return; }
        sleep 0.05
    done
}

# server NAME PORT: its process id in $server.
server()
{
    "$bin/epoll_server" --port "$2" --proxy-protocol on --json "$work/$1.json" >"$work/$1.log" 2>&1 &
    server=$!
    started+=("$server")
    [ -n "$(port "$work/$1.log")" ] || fail "$1 does not start"
}

admin()
{
    { exec 5<>"/dev/tcp/127.0.0.1/$((front + 1))"; } 2>/dev/null || return 1
    echo "$1" >&5
    cat <&5
    exec 5>&-
}

# stat SERVER COLUMN
stat()
{
    admin "show stat" | awk -F, -v s="$1" -v c="$2" '$1 == "servers" && $2 == s { print $c }'
}

# until_is SERVER COLUMN VALUE: for up to 20 s.
until_is()
{
    for _ in $(seq 400); do
        [ "$(stat "$1" "$2")" = "$3" ] && return
        sleep 0.05
    done
    fail "server $1: column $2 is '$(stat "$1" "$2")', not $3"
}

# balancer VERSION: on a port that is free, with the next one for commands.
balancer()
{
    for _ in $(seq 20); do
        front=$((20000 + RANDOM % 10000))
        awk '/^```$/ { n++; next } n == 1' "$page" |
            sed "s/:4000/:$front/; s/:4100/:$((front + 1))/; s/:4001/:$a_port/; s/:4002/:$b_port/
                s/send-proxy-v2/$1/" >"$work/$1.cfg"
        haproxy -db -f "$work/$1.cfg" >"$work/$1.log" 2>&1 &
        haproxy=$!
        started+=("$haproxy")
        for _ in $(seq 100); do
            kill -0 "$haproxy" 2>/dev/null || break
            [ "$(stat a 18)" = UP ] && [ "$(stat b 18)" = UP ] && return
            sleep 0.05
        done
        kill "$haproxy" 2>/dev/null
    done
    fail "no HAProxy with two servers that are up"
}

round()
{
    server "a.$1" 0
    a=$server a_port=$(port "$work/a.$1.log")
    server "b.$1" 0
    b=$server b_port=$(port "$work/b.$1.log")
    balancer "$1"
    "$bin/loadgen" --port "$front" --connections 32 --churn on --seconds 4 --warmup 0 \
        >"$work/loadgen.$1.log" 2>&1 &
    load=$!
    started+=("$load")
    for _ in $(seq 400); do # it has sessions
        [ "$(stat a 8)" -gt 0 ] && break
        sleep 0.05
    done
    admin "set server servers/a state drain" >/dev/null
    until_is a 5 0
    before=$(stat a 8)
    kill -INT "$a"
    wait "$a" || fail "a ended with $?"
    server "a2.$1" "$a_port"
    a=$server
    admin "set server servers/a state ready" >/dev/null
    wait "$load" || fail "loadgen ended with $?"
    [ "$before" -gt 0 ] && [ "$(stat a 8)" -gt "$before" ] || fail "a had no sessions, or none again"
    kill "$haproxy"
    wait "$haproxy" 2>/dev/null
    kill -INT "$a" "$b"
    wait "$a" && wait "$b" || fail "a server did not end well"
    grep -hE '^(messages|errors|connections)' "$work/loadgen.$1.log"
}

round send-proxy-v2
round send-proxy
