#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# wine_start.sh PROGRAM EMULATOR: scripts/wine.sh starts PROGRAM, a server, where Linux does not place
# its heap at random: else the heap meets Wine's shared user data about once in 3,000 starts.
# Pass: the program has ADDR_NO_RANDOMIZE (0x40000), which it hands on. Skipped (77) where
# the kernel lets nobody say so (setarch -R).
set -u
setarch "$(uname -m)" -R true 2>/dev/null || { echo "SKIP: setarch -R is not allowed here"; exit 77; }
out=$(mktemp) || exit 1
"$2" "$1" --port 0 --duration 60 >"$out" 2>&1 </dev/null &
pid=$!
trap 'kill -KILL $pid 2>/dev/null; rm -f "$out"' EXIT
for _ in $(seq 600); do
    ! grep -q '^listening on' "$out" || break
    kill -0 $pid 2>/dev/null || break
    sleep 0.1
done
grep -q '^listening on' "$out" || { echo "FAILED: it does not start"; cat "$out"; exit 1; }
personality=$(cat /proc/$pid/personality)
[ $((0x$personality & 0x40000)) -ne 0 ] || { echo "FAILED: personality $personality"; exit 1; }
