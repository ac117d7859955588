#!/bin/sh
# SPDX-License-Identifier: MIT
# json_kept.sh RUNNER... : a server that cannot start leaves the result of an earlier run as it was;
# one whose result cannot be written says so in one line and ends with exit 1, or 2 for what is no
# file: a pipe that nobody reads would keep it from ending.
set -u
work=$(mktemp -d)
server=
trap 'kill -9 $server 2>/dev/null; rm -rf "$work"' EXIT
json=$work/final.json
case $* in *.exe*) windows=Z: ;; *) windows= ;; esac
named() { # a path as the program takes it
    [ -n "$windows" ] && echo "$windows$1" | tr / '\\' || echo "$1"
}
"$@" --port 0 --duration 60 >"$work/out" 2>&1 </dev/null &
server=$!
steps=0
until port=$(sed -n 's/^listening on 127\.0\.0\.1:\([0-9]*\).*/\1/p' "$work/out") && [ -n "$port" ]; do
    steps=$((steps + 1))
    [ "$steps" -le 300 ] || { echo "the server did not come up"; exit 1; }
    sleep 0.1
done
echo '{"an":"earlier result"}' >"$json"
cp "$json" "$work/before"
"$@" --port "$port" --duration 1 --json "$(named "$json")" >"$work/o" 2>"$work/e" </dev/null
[ $? -eq 1 ] || { echo "port in use: not exit 1"; cat "$work/e"; exit 1; }
cmp "$json" "$work/before" || { echo "port in use: the earlier result is gone"; exit 1; }
"$@" --port 0 --duration 1 --max-sessions 0 --json "$(named "$json")" >"$work/o" 2>"$work/e" </dev/null
[ $? -eq 2 ] || { echo "bad option: not exit 2"; exit 1; }
cmp "$json" "$work/before" || { echo "bad option: the earlier result is gone"; exit 1; }
"$@" --port 0 --duration 1 --json "$(named "$work/none/final.json")" >"$work/o" 2>"$work/e" </dev/null
[ $? -eq 1 ] || { echo "no such folder: not exit 1"; exit 1; }
[ "$(wc -l <"$work/e")" -eq 1 ] || { echo "no such folder: not one line:"; cat "$work/e"; exit 1; }
mkfifo "$work/pipe"
[ -n "$windows" ] && strange='NUL CON' || strange="$work/pipe /dev/stdout /dev/fd/1 /dev/null"
for name in $strange; do
    timeout -s KILL 60 "$@" --port 0 --duration 1 --json "$name" >"$work/o" 2>"$work/e" </dev/null
    code=$?
    [ $code -eq 2 ] || { echo "$name: exit $code, not 2"; cat "$work/e"; exit 1; }
    [ "$(wc -l <"$work/e")" -eq 1 ] || { echo "$name: not one line:"; cat "$work/e"; exit 1; }
    grep -q listening "$work/o" && { echo "$name: it served"; exit 1; }
done
"$@" --port 0 --duration 0.3 --json "$(named "$json")" >"$work/o" 2>"$work/e" </dev/null
[ $? -eq 0 ] || { echo "a good run: not exit 0"; cat "$work/e"; exit 1; }
grep -q '"commit":' "$json" || { echo "a good run: no new result"; exit 1; }
[ "$(ls -A "$work" | wc -l)" -eq 6 ] || { echo "left behind:"; ls -A "$work"; exit 1; }
