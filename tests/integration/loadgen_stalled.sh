#!/bin/sh
# SPDX-License-Identifier: MIT
# loadgen_stalled.sh LOADGEN SERVER : nobody reads what loadgen prints. It measures, ends by itself,
# and its figures are there.
set -u
work=$(mktemp -d)
server=
trap 'kill -9 $server 2>/dev/null; rm -rf "$work"' EXIT
"$2" --port 0 --duration 100 >"$work/out" 2>&1 </dev/null &
server=$!
steps=0
until port=$(sed -n 's/^listening on 127\.0\.0\.1:\([0-9]*\).*/\1/p' "$work/out") && [ -n "$port" ]; do
    steps=$((steps + 1))
    [ "$steps" -le 300 ] || { echo "the server did not come up"; exit 1; }
    sleep 0.1
done
mkfifo "$work/lines"
exec 7<>"$work/lines"
for bytes in 4096 64 1; do
    dd if=/dev/zero of="$work/lines" bs=$bytes oflag=nonblock count=100000 2>/dev/null
done
timeout 60 "$1" --port "$port" --seconds 2 --warmup 0 --progress on --json "$work/final.json" \
    >"$work/lines" 2>"$work/lines" 7>&-
code=$?
[ "$code" -eq 0 ] || { echo "exit $code, not 0"; exit 1; }
grep -q '"valid":true' "$work/final.json" || { cat "$work/final.json"; exit 1; }
