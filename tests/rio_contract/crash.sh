#!/bin/sh
# SPDX-License-Identifier: MIT
# crash.sh PROGRAM...: a child case that crashes is an outcome in the JSON file, and no failed suite.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
RIO_CONTRACT_CHILD_CRASH=1 "$@" --json "Z:$(echo "$work/json" | tr / '\\')" >"$work/out" 2>&1 </dev/null
code=$?
if [ $code -eq 77 ]; then
    cat "$work/out"
    exit 77
fi
grep -v '^\[' "$work/out"
[ $code -eq 0 ] || { echo "exit code $code"; exit 1; }
crashed=$(grep -o '"outcome":"crashed","in_child":true,"exit_code":3221225477' "$work/json" | wc -l)
children=$(grep -o '"in_child":true' "$work/json" | wc -l)
echo "$crashed of $children children crashed"
[ "$children" -ge 5 ] && [ "$crashed" -eq "$children" ]
