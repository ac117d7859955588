#!/bin/sh
# SPDX-License-Identifier: MIT
# stop_by_signal.sh SIGNAL RUNNER... : a server ends in order when asked to from outside.
# Starts it, waits for its listening line, signals it, and passes when it exits 0, says what it
# did and leaves its JSON object behind. With Wine the runner is scripts/wine.sh PROGRAM.
set -u
signal=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
json=$work/final.json
case $* in *.exe*) path=Z:$(echo "$json" | tr / '\\') ;; *) path=$json ;; esac
"$@" --port 0 --duration 60 --json "$path" >"$work/out" 2>"$work/err" </dev/null &
pid=$!
steps=0
until grep -q '^listening on 127\.0\.0\.1:[0-9]' "$work/out"; do
    steps=$((steps + 1))
    if [ "$steps" -gt 300 ] || ! kill -0 "$pid" 2>/dev/null; then
        echo "the server did not come up:"
        cat "$work/err"
        kill -9 "$pid" 2>/dev/null
        exit 1
    fi
    sleep 0.1
done
kill "-$signal" "$pid"
wait "$pid"
code=$?
cat "$work/out" "$work/err"
[ "$code" -eq 0 ] || { echo "exit $code, not 0"; exit 1; }
grep -q '^stopped: sessions 0 messages 0' "$work/out" || { echo "no final line"; exit 1; }
grep -q '"sessions_in_use":0' "$json" || { echo "no JSON object"; exit 1; }
