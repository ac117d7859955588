#!/bin/bash
# SPDX-License-Identifier: MIT
# calibrate_case.sh COMPARE SERVER WORK: a short calibration: its figures are complete, a handicap
# of a hundred per cent, set by hand, costs about that much, and a wrong one is refused by name.
set -u
compare=$1
server=$2
work=$3
rm -rf "$work"
mkdir -p "$work"

fail()
{
    echo "FAILED: $*"
    exit 1
}

"$server" --handicap cpu=x >"$work/refused.txt" 2>&1
[ $? -eq 2 ] || fail "cpu=x is taken"
grep -q -- "--handicap" "$work/refused.txt" || fail "the option is not named"

"$compare" --calibrate --repeat 6 --seconds 0.2 --warmup 0.05 --no-instrument-test --progress off \
    --disturbed-max 100 --out "$work/out" >"$work/console.txt" 2>&1 </dev/null
code=$?
cat "$work/console.txt"
[ $code -eq 0 ] || fail "exit code $code"
for row in '+0 %' '+2 %' '+5 %' '+10 %'; do
    [ "$(grep -c "^$row  .* 6  *\(10 pairs\|--width 10\) " "$work/console.txt")" -eq 4 ] || fail "no rows for $row"
done

# Twice the processor time for each message; half as much more passes on a busy machine.
"$compare" --servers "epoll_server=$server,twice=$server" --set twice.handicap=cpu=100 \
    --scenario many-small --repeat 5 --seconds 0.3 --warmup 0.05 --progress off --no-control \
    --no-instrument-test --disturbed-max 100 --out "$work/twice" >"$work/twice.txt" 2>&1 </dev/null
[ $? -eq 0 ] || fail "$(cat "$work/twice.txt")"
ratio=$(tr -d ' \n' <"$work/twice/results.json" |
    sed -n 's/.*"cpu_ratio":{"median":\([0-9.]*\).*/\1/p')
echo "twice: $ratio"
awk -v r="$ratio" 'BEGIN { exit !(r > 1.5 && r < 2.6) }' || fail "a handicap of 100 % costs $ratio"
