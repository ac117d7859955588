#!/bin/sh
# SPDX-License-Identifier: MIT
# verify_case.sh WINE_SH RIORUN.exe SEED.exe: riorun --verify finds each rule that rio_seed breaks, by
# its name and by exit code 99, and says nothing of the cases that keep the rules. Cases of the
# strict mode must be silent without it. At least 95 of 100 must be found; all are, at rest.
set -u
wine=$1
riorun=$2
seed=$(printf 'Z:%s' "$3" | tr / '\\')
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
seeded=0
found=0
wrong=0

# verify MODE CASE: fills code and $work/err.
verify()
{
    "$wine" "$riorun" "$1" "$seed" "$2" >"$work/out" 2>"$work/err" </dev/null
    code=$?
}

# silent MODE CASE: exit 0 and no report.
silent()
{
    verify "$1" "$2"
    if [ "$code" -ne 0 ] || grep -q 'verify:' "$work/err"; then
        wrong=$((wrong + 1))
        echo "$1 $2 keeps the rules, exit $code:"
        cat "$work/out" "$work/err"
    fi
}

"$wine" "$3" </dev/null 2>"$work/err" | tr -d '\r' >"$work/cases"
while read -r name mode check; do
    if [ -z "$check" ]; then
        silent --verify "$name"
        continue
    fi
    [ "$mode" = plain ] || silent --verify "$name"
    [ "$mode" = plain ] && option=--verify || option=--verify=strict
    verify "$option" "$name"
    seeded=$((seeded + 1))
    if [ "$code" -eq 99 ] && grep -q "^riorun: verify: $check: .*, queue" "$work/err"; then
        found=$((found + 1))
    elif [ "$code" -eq 99 ] && [ "$check" = RS_RV_LEAK ] && grep -q "$check" "$work/err"; then
        found=$((found + 1))
    else
        echo "$option $name: $check not reported, exit $code:"
        cat "$work/out" "$work/err"
    fi
done <"$work/cases"
echo "$found of $seeded seeded violations found, $wrong false reports"
[ "$seeded" -gt 20 ] && [ "$wrong" -eq 0 ] && [ $((found * 100)) -ge $((seeded * 95)) ]
