#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# posted_case.sh WINE_SH RIORUN.exe POSTED.exe: 1,500 datagrams come while a program with 2,000
# receives posted does not run at all: on Windows they fill the receives, none is lost.
set -u

work=$(mktemp -d) || exit 1
runner=
trap '[ -z "$runner" ] || kill -9 "$runner" 2>/dev/null; rm -rf "$work"' EXIT
datagrams=1500
fail()
{
    echo "$*"
    cat "$work/out"
    exit 1
}
# The machine has to allow a socket that much: root may ask for more than the maximum.
[ "$(id -u)" -eq 0 ] || [ "$(cat /proc/sys/net/core/rmem_max)" -ge 4000000 ] ||
    { echo "net.core.rmem_max is too small here"; exit 77; }
# signal NAME: to every process that was started with our word in its environment.
signal()
{
    grep -lsazx "POSTED_CASE=$work" /proc/[0-9]*/environ | while IFS=/ read -r _ _ pid _; do
        kill "-$1" "$pid"
    done
}
mkfifo "$work/in"
POSTED_CASE=$work "$1" "$2" "Z:${3//\//\\}" <"$work/in" >"$work/out" 2>&1 &
runner=$!
exec 4>"$work/in"
for _ in $(seq 300); do
    grep -q '^posted' "$work/out" && break
    grep -q 'error' "$work/out" && fail "it does not start"
    sleep 0.1
done
port=$(tr -d '\r' <"$work/out" | sed -n 's/^port //p')
[ -n "$port" ] || fail "it does not start"
signal STOP
exec 3>"/dev/udp/127.0.0.1/$port"
payload=$(printf '%01000d' 0)
for _ in $(seq $datagrams); do
    printf '%s' "$payload" >&3
done
signal CONT
echo >&4
exec 4>&-
wait "$runner"
code=$?
runner=
[ $code -eq 0 ] || fail "exit code $code"
filled=$(tr -d '\r' <"$work/out" | sed -n 's/^filled //p')
echo "filled ${filled:-none} of $datagrams"
[ "${filled:-0}" -ge 1490 ] || fail "datagrams were lost"
