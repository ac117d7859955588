#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/chaos/fatal.sh EMULATOR... PROGRAM BACKEND: each failure that has to end the process (chaos.c)
# does, with a message. --fatal N is the n-th; exit code 77: there are no more.
set -u
for backend; do :; done
n=0
while [ $n -lt 100 ]; do
    out=$(timeout 60 "$@" --fatal $n 2>&1)
    code=$?
    [ $code -ne 77 ] || break
    echo "$out" | grep -E "^chaos: .* fails with|^ringside: "
    if [ $code -eq 0 ] || ! echo "$out" | grep -qE "^ringside: (fatal: |.*assertion failed)"; then
        echo "$out"
        echo "fatal.sh: $backend $n: the process went on, or ended without a word (exit code $code)"
        exit 1
    fi
    n=$((n + 1))
done
echo "fatal.sh: $n failures of $backend ended the process"
[ $n -ge 5 ]
