#!/bin/sh
# Instructions that the session layer spends on one echoed 32-byte frame, counted exactly.
set -eu
cd "$(dirname "$0")/.."
cmake --preset native >/dev/null
cmake --build --preset native --target session_cost >/dev/null
out=$(mktemp)
trap 'rm -f "$out"' EXIT
valgrind --tool=callgrind --callgrind-out-file="$out" --toggle-collect=session_cost_turn \
    build/native/bin/session_cost >/dev/null 2>&1
awk '/^(summary|totals):/ { print "session layer: " $2 / 128000 " instructions for one echoed 32-byte frame"; exit }' "$out"
