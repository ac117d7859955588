#!/bin/sh
# SPDX-License-Identifier: MIT
# Instructions that the session layer spends on one echoed 32-byte frame, counted exactly. In a build
# folder of its own, with link-time optimisation as it is shipped, whatever build/native was made with.
set -eu
cd "$(dirname "$0")/.."
cmake --preset native -B build/session_cost -DRS_LTO=ON >/dev/null
cmake --build build/session_cost --target session_cost >/dev/null
out=$(mktemp)
trap 'rm -f "$out"' EXIT
valgrind --tool=callgrind --callgrind-out-file="$out" --toggle-collect=session_cost_turn \
    build/session_cost/bin/session_cost >/dev/null 2>&1
awk '/^(summary|totals):/ { print "session layer: " $2 / 128000 " instructions for one echoed 32-byte frame"; exit }' "$out"
