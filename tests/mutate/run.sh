#!/bin/bash
# tests/mutate/run.sh [--preset mutate|mutate-windows] [NUMBER...]: how many planted mistakes do the
# fast tests notice?
#
# Builds once with all of tests/mutate/mutants.cmake compiled in, then runs the tests with each
# mistake switched on (RS_MUTANT): first the suites that its entry names, then, where those pass,
# all fast tests. Without numbers: all. Prints the survivors and the score; exit 0 at 95 % or more
# of those that are not marked as equivalent. By hand, and in the nightly workflow: it takes long.
set -u

cd "$(dirname "$0")/../.." || exit 1
preset=mutate
if [ "${1:-}" = --preset ]; then
    preset=$2
    shift 2
fi
jobs=${JOBS:-$(nproc)}
fast='^(unit|conf|sim|interleave|rio_contract)\.'
build=build/$preset
./scripts/setup-debian.sh || exit 1
mkdir -p "$build"
{ cmake --preset "$preset" && cmake --build --preset "$preset" -j "$jobs"; } >"$build/build.log" 2>&1 ||
    { tail -n 30 "$build/build.log"; exit 1; }

# tests NUMBER REGEX: do they pass with this mistake? A test that hangs has noticed it.
tests()
{
    RS_MUTANT=$1 ctest --test-dir "$build" -R "$2" -E 'mutants|detects_|can_fail|lists_|lint|layers' --timeout 60 \
        --stop-on-failure --no-tests=error -j "$jobs" >"$build/mutant.log" 2>&1 </dev/null
}

tests 0 "$fast" || { cat "$build/mutant.log"; echo "mutate: the tests fail without a mistake"; exit 1; }
killed=0
survived=()
equivalent=0
while IFS='|' read -r number file why reason suites <&3; do
    [ $# -eq 0 ] || [[ " $* " == *" $number "* ]] || continue
    grep -qF "$file" "$build/compile_commands.json" || continue # not in this build
    if [ -n "$reason" ]; then
        equivalent=$((equivalent + 1))
        echo "equivalent $number $file: $why: $reason"
    elif ! tests "$number" "$suites" || ! tests "$number" "$fast"; then
        killed=$((killed + 1))
        echo "killed     $number $file: $why: $(grep -m1 -oE '[a-z_]+\.[a-zA-Z0-9_.]+ \.*\**(Failed|Timeout|Exception|Subprocess)' "$build/mutant.log" | cut -d' ' -f1)"
    else
        survived+=("$number $file: $why")
        echo "SURVIVED   $number $file: $why"
    fi
done 3<"$build/mutated/index.txt"

total=$((killed + ${#survived[@]}))
echo
printf 'survived: %s\n' "${survived[@]}"
[ "$total" -gt 0 ] || { echo "mutate: no mutant was run"; exit 1; }
echo "mutate: $killed of $total noticed ($((killed * 100 / total)) %), $equivalent equivalent"
[ $((killed * 100)) -ge $((total * 95)) ]
