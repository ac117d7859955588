#!/bin/sh
# SPDX-License-Identifier: MIT
# closed_stdio.sh RUNNER... : a server whose parent has closed its standard input, output and error
# serves, ends by --duration with exit 0 and leaves its figures; what it prints reaches no client.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
json=$work/final.json
case $* in *.exe*) path=Z:$(echo "$json" | tr / '\\') ;; *) path=$json ;; esac
# One port after the other until one is free: nobody can be told which one it is.
for port in 23951 23953 23957 23959; do
    "$@" --port "$port" --stats --duration 4 --json "$path" <&- >&- 2>&- &
    server=$!
    got=$(timeout 30 bash -c "
        for i in \$(seq 100); do
            exec 3<>/dev/tcp/127.0.0.1/$port && break
            sleep 0.1
        done 2>/dev/null
        printf '\004\000\001x' >&3; timeout 20 cat <&3 | od -An -tx1" 2>/dev/null)
    wait "$server"
    code=$?
    [ "$code" -eq 1 ] || break # 1: the port is taken, or worse; then the last try says so
done
[ "$code" -eq 0 ] || { echo "exit $code, not 0"; exit 1; }
[ "$got" = " 04 00 01 78" ] || { echo "a client was sent:$got"; exit 1; }
grep -q '"messages":1' "$json" || { echo "no JSON object"; exit 1; }
