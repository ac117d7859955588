#!/bin/bash
# SPDX-License-Identifier: MIT
# tests/run.sh [--deep] [PRESET...]: set-up when needed, then build and test each preset in turn.
#
# Without arguments: native, asan, tsan, fuzz, windows, clangcl, and tests/analyze.sh as "analyze".
# native and windows are gcc's, the others the newest clang's. windows and clangcl run under Wine;
# clangcl takes the RIO provider from windows. A preset that fails does not keep the next from
# running. Exit 0 only when every preset was built, ran at least one test and failed none, and
# nothing was found.
# A test mostly waits: while one preset is tested, the next ones are built with what is left of the
# processors. Link-time optimisation is off but in the two packages that are compared byte for byte:
# it makes a build three times as long. bench/compare.sh switches it on. asan, tsan and fuzz are
# built with -O1, clangcl with /Od (RS_OPTIMISE), tests with -O0; all else, and what ships, with
# -O2.
# A second build repeats the tests in which it can find something else.
# What reads source texts is native's alone; native compiles each header alone, and clangcl those
# that native cannot. fuzz runs the fuzz targets. asan leaves out the notes, the walks over every
# setting and bad options, the pages, hosts, HAProxy, some of loadgen's cases and the most of the
# comparisons; tsan what has one thread, and does not build the unit tests of that kind; windows
# what knows no system, unit.logic, the hosts, settings and bad options of one of the two servers,
# and the library built within another project; clangcl what conf.* has beyond one way of each back
# end, most of the loads, and the library as a subdirectory. --deep: asan, tsan and windows also
# build (RS_DEEP) and run what others have, the Linux half of the package that is built twice is
# optimised, and analyze follows paths everywhere, which takes longer. These run with --deep alone:
# conf.iocp_logic, conf.rio_emulated, rio_contract.multishot_*, rio_contract.files_off,
# riorun_verify.emulated, chaos.rio_multishot, four of the nine integration.ladder.*,
# hosts.rio_server, settings.iocp_server and options_walk.iocp_server.
# JOBS: compilers at a time, default one a processor. CTEST_PARALLEL_LEVEL: tests at a time, default
# three times as many. Details of a build stand in build/PRESET/build.log.
set -u

cd "$(dirname "$0")/.." || exit 1
root=$PWD
jobs=${JOBS:-$(nproc)}
export CTEST_PARALLEL_LEVEL="${CTEST_PARALLEL_LEVEL:-$((3 * jobs))}"
export HOME="${HOME:-$root/build}"
passed=0
failed=0
skipped=0
summary=()

# A prefix of our own is also ours to end; one that the caller named is not.
own_prefix=
if [ -z "${WINEPREFIX:-}" ]; then
    own_prefix=$root/build/wine-prefix-tests
    export WINEPREFIX="$own_prefix"
    # Between two presets lie minutes. A test that started just when the server left for want of
    # programs started Wine anew, and what that started held the test's output open to the end.
    export RINGSIDE_WINE_KEEP=3600
fi

end_wine()
{
    [ -n "$own_prefix" ] && [ -d "$own_prefix" ] || return 0
    wineserver -k >/dev/null 2>&1 </dev/null
    timeout 30 wineserver -w >/dev/null 2>&1 </dev/null
}

builder=
end_all()
{
    # The builder leads a process group of its own: a compiler dies with it.
    [ -z "$builder" ] || kill -- "-$builder" 2>/dev/null
    end_wine
}
trap end_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# note PRESET TEXT: one line of the final summary.
note()
{
    summary+=("$(printf '%-8s %s' "$1" "$2")")
}

# make_all PRESET...: builds (analyze: runs) each in turn, with what the tests leave of the
# processors. build/PRESET/build.rc says how that ended, once it has.
make_all()
{
    local preset how
    renice -n 19 -p "$BASHPID" >/dev/null
    for preset in "$@"; do
        if [ "$preset" = analyze ]; then
            JOBS=$jobs tests/analyze.sh $deep
        else
            # Of debug information what a stack needs: all of it is a tenth of a compilation.
            case $preset in native | windows) how=(-DRS_OPTIMISE="-O2 -g1") ;; *) how=() ;; esac
            [ -z "$deep" ] || how+=(-DRS_DEEP=ON)
            cmake --preset "$preset" -DRS_LTO=OFF ${how[@]+"${how[@]}"} &&
                cmake --build --preset "$preset" -j "$jobs"
        fi >"build/$preset/build.log" 2>&1
        echo $? >"build/$preset/build.rc.new"
        mv "build/$preset/build.rc.new" "build/$preset/build.rc"
    done
}

# made PRESET: waits for it; exit 0 if it went well.
made()
{
    while ! [ -e "build/$1/build.rc" ] && kill -0 "$builder" 2>/dev/null; do
        sleep 0.2
    done
    [ "$(cat "build/$1/build.rc" 2>/dev/null)" = 0 ]
}

build_preset()
{
    made "$1" && return
    tail -n 40 "build/$1/build.log"
    echo "$1: the build failed (all of it in build/$1/build.log)"
    failed=$((failed + 1))
    note "$1" "BUILD FAILED"
    return 1
}

# start_wine PRESET: once, before the first Windows programs; wine.sh then need not look each time.
start_wine()
{
    case $1 in windows | clangcl) ;; *) return ;; esac
    [ -n "$own_prefix" ] && [ -z "${RINGSIDE_WINE_RUNS:-}" ] || return
    scripts/wine.sh cmd /c exit </dev/null >/dev/null 2>&1 && export RINGSIDE_WINE_RUNS="$own_prefix"
}

test_preset()
{
    local log=build/$1/test.log test=$1 rc ran bad skips
    start_wine "$1"
    case $deep$1 in --deepasan | --deeptsan | --deepwindows) test=$1-deep ;; esac
    ctest --preset "$test" 2>&1 </dev/null | tee "$log"
    rc=${PIPESTATUS[0]}
    ran=$(sed -n 's/.* tests failed out of \([0-9]*\)$/\1/p' "$log")
    bad=$(sed -n 's/.*, \([0-9]*\) tests failed out of .*/\1/p' "$log")
    skips=$(grep -c '\*\*\*Skipped' "$log")
    ran=${ran:-0}
    bad=${bad:-0}
    if [ "$ran" -eq 0 ] || { [ "$rc" -ne 0 ] && [ "$bad" -eq 0 ]; }; then
        bad=$((bad + 1))
        ran=$((ran > bad ? ran : bad))
        note "$1" "NO TEST RAN, or ctest itself failed (exit $rc)"
    else
        note "$1" "$((ran - bad - skips)) passed, $bad failed, $skips skipped"
    fi
    passed=$((passed + ran - bad - skips))
    failed=$((failed + bad))
    skipped=$((skipped + skips))
}

# One test more: that static analysis finds nothing.
analyze()
{
    made analyze
    local rc=$?
    cat build/analyze/build.log
    if [ $rc -eq 0 ]; then
        passed=$((passed + 1))
        note analyze "0 findings"
    else
        failed=$((failed + 1))
        note analyze "FINDINGS, or a tool is missing: see above"
    fi
}

deep=
if [ "${1:-}" = --deep ]; then
    deep=--deep
    export RINGSIDE_DEEP=yes # to tests that do less otherwise
    shift
fi
started=$SECONDS
./scripts/setup-debian.sh || exit 1
[ $# -gt 0 ] || set -- native asan tsan fuzz windows clangcl analyze
for preset in "$@"; do
    mkdir -p "build/$preset"
    rm -f "build/$preset/build.rc"
done
set -m
make_all "$@" </dev/null &
builder=$!
set +m
for preset in "$@"; do
    at=$SECONDS
    echo "== $preset"
    if [ "$preset" = analyze ]; then
        analyze
    else
        build_preset "$preset" && test_preset "$preset"
    fi
    echo "== $preset: $((SECONDS - at)) s"
done
wait "$builder"
builder=

echo
echo "== summary ($((SECONDS - started)) s)"
printf '%s\n' "${summary[@]}"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
