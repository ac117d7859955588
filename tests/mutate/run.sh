#!/bin/bash
# SPDX-License-Identifier: MIT
# tests/mutate/run.sh [--preset mutate|mutate-windows] [NUMBER|FILE...]: how many planted mistakes do
# the fast tests notice?
#
# Builds once with all of tests/mutate/mutants.cmake compiled in, then runs the tests with each
# mistake switched on (RS_MUTANT): of the suites that its entry names first the short ones, then all,
# then, where those pass, all fast tests. Without arguments: all entries of files that the preset
# builds, mutate-windows only of those that mutate does not; FILE: those of paths that begin so, in
# the order of the arguments. Prints the survivors, what only a time limit has noticed (on a busy
# machine that says nothing: run those again by number) and the score; exit 0 at 95 % or more of
# those that are not marked as equivalent. By hand, and in the nightly workflow: it takes long.
set -u

cd "$(dirname "$0")/../.." || exit 1
preset=mutate
if [ "${1:-}" = --preset ]; then
    preset=$2
    shift 2
fi
export jobs=${JOBS:-$(nproc)} build=$PWD/build/$preset
export fast='^(unit|conf|sim)\.' long='^(conf|sim|interleave|integration|rio_)'
# Under Wine the long suites take minutes each: an entry names all that can notice it.
[ "$preset" = mutate ] || fast='^unit\.(os|rio_|win_)'
# A browser does not start within the address space below.
export out='mutants|in_a_browser|detects_|can_fail|lists_|lint|layers'
./scripts/setup-debian.sh || exit 1
mkdir -p "$build"
{ cmake --preset "$preset" && cmake --build --preset "$preset" -j "$jobs"; } >"$build/build.log" 2>&1 ||
    { tail -n 30 "$build/build.log"; exit 1; }

# A mistake may allocate without end. (Wine reserves more address space than it uses.)
[ "$preset" = mutate-windows ] || ulimit -v 4194304

# tests FOLDER NUMBER CTEST-ARGUMENT...: do they pass with this mistake? The folder is one run's own.
# A program ends at its first test that fails.
tests()
{
    mkdir -p "$1"
    { echo "subdirs(\"$build\")"; [ "$2" = 0 ] || cat "$build/limits.cmake"; } >"$1/CTestTestfile.cmake"
    RS_MUTANT=$2 CMOCKA_TEST_ABORT=1 ctest --test-dir "$1" "${@:3}" --stop-on-failure >"$1/log" 2>&1 </dev/null
}

# one LINE: a line of index.txt; prints what became of it.
one()
{
    local number file why reason suites folder=$build/mutant.$$
    IFS='|' read -r number file why reason suites <<<"$1"
    if [ -n "$reason" ]; then
        echo "equivalent $number $file: $why: $reason"
    elif tests "$folder" "$number" -R "$suites" -E "$out|$long" &&
        tests "$folder" "$number" -R "$suites" -E "$out" &&
        flock "$build/all.lock" bash -c 'tests "$@"' _ "$folder" "$number" -R "$fast" -E "$out" -j "$jobs"; then
        echo "SURVIVED   $number $file: $why"
    else
        echo "killed     $number $file: $why: $(sed -nE 's/.* ([a-z_]+\.[a-zA-Z0-9_.]+) \.*\**(Failed|Timeout|Exception|Subprocess).*/\1 \2/p' "$folder/log" | head -n 1)"
    fi
    rm -rf "$folder"
}
export -f tests one

# Which entries: of files in this build, and asked for.
here=$build/compile_commands.json elsewhere=/dev/null
if [ $# -eq 0 ] && [ "$preset" = mutate-windows ]; then
    elsewhere=build/mutate/compile_commands.json
    cmake --preset mutate >"$build/build.log" 2>&1 || { tail -n 30 "$build/build.log"; exit 1; }
fi
entries=$(while IFS= read -r line; do
    IFS='|' read -r number file _ <<<"$line"
    grep -qF "$file" "$here" && ! grep -qF "$file" "$elsewhere" || continue
    [ $# -gt 0 ] || echo "$line"
    place=0
    for asked; do
        place=$((place + 1))
        if [ "$asked" = "$number" ] || [[ "$file" == "$asked"* && ! "$asked" =~ ^[0-9]+$ ]]; then
            echo "$place|$line"
            break
        fi
    done
done <"$build/mutated/index.txt")
[ $# -eq 0 ] || entries=$(sort -s -t'|' -k1,1n <<<"$entries" | cut -d'|' -f2-)
[ -n "$entries" ] || { echo "mutate: no such mutant in this build"; exit 1; }

# Without a mistake all pass. A test that then takes five times as long, and 60 s, has noticed.
named=$(cut -d'|' -f5- <<<"$entries" | sort -u | paste -sd'|')
tests "$build/mutant.0" 0 -R "$fast|$named" -E "$out" -j "$jobs" ||
    { cat "$build/mutant.0/log"; echo "mutate: the tests fail without a mistake"; exit 1; }
sed -nE 's/.* ([a-z_]+\.[a-zA-Z0-9_.]+) \.+ +Passed +([0-9]+)\..*/\1 \2/p' "$build/mutant.0/log" |
    while read -r name seconds; do
        echo "set_tests_properties($name PROPERTIES TIMEOUT $((5 * seconds + 60)))"
    done >"$build/limits.cmake"

xargs -d '\n' -n 1 -P "$jobs" bash -c 'one "$1"' _ <<<"$entries" | tee "$build/score.txt"

killed=$(grep -c ^killed "$build/score.txt")
survived=$(grep -c ^SURVIVED "$build/score.txt")
total=$((killed + survived))
echo
sed -n 's/^SURVIVED */survived: /p' "$build/score.txt"
sed -nE 's/^killed +(.*) Timeout$/by a time limit alone: \1/p' "$build/score.txt"
[ "$total" -gt 0 ] || { echo "mutate: no mutant was run"; exit 1; }
echo "mutate: $killed of $total noticed ($((killed * 100 / total)) %), $(grep -c ^equivalent "$build/score.txt") equivalent"
[ $((killed * 100)) -ge $((total * 95)) ]
