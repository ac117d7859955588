#!/bin/bash
# SPDX-License-Identifier: MIT
# compare_map.sh BIN WORK: a map of two cells, stopped after the first and resumed; then one of the
# cells that are no plain grid: messages of 256 KiB, both send blocks, and the writers.
#
# A pass: Ctrl+C ends it with 130 and one cell's file; --resume measures the other cell alone, the
# first one's runs are in every result as they were; a --resume that measures in another way is
# refused with exit code 2 and touches nothing; a new map forgets the old cells; the other cells are
# sound and the page draws a heat map for each block; no process is left.
set -u
bin=$1 work=$2
first=1x1x32 second=16x4x512
rm -rf "$work"
mkdir -p "$work"
pid=
trap 'kill -9 $pid 2>/dev/null' EXIT
fail()
{
    echo "FAILED: $*"
    cat "$work/errors.txt" 2>/dev/null
    exit 1
}
# map REPEAT ARGS...: in the background, as $pid.
cells=$second,$first
map()
{
    local repeat=$1
    shift
    "$bin/compare" --map --cells "$cells" --seconds 0.15 --warmup 0.05 --repeat "$repeat" \
        --servers "epoll_server,twin=$bin/epoll_server" --no-instrument-test --disturbed-max 100 \
        --placement free --progress off "$@" >"$work/console.txt" 2>"$work/errors.txt" </dev/null &
    pid=$!
}
# ended CODE: within a minute, and so.
ended()
{
    local steps=600
    while kill -0 $pid 2>/dev/null; do
        steps=$((steps - 1))
        [ $steps -gt 0 ] || fail "still running"
        sleep 0.1
    done
    wait $pid
    local code=$?
    [ $code -eq "$1" ] || fail "exit code $code, expected $1"
}
# kept: the runs of the first cell in runs.csv: server, run, state, rate.
kept() { grep "^$first," "$work/out/runs.csv" | cut -d, -f 2,5,6,9 | sort; }

map 3 --out "$work/out"
steps=6000
until [ -s "$work/out/cells/$first.json" ]; do
    kill -0 $pid 2>/dev/null || fail "it ended before its first cell"
    steps=$((steps - 1))
    [ $steps -gt 0 ] || fail "no cell is kept"
    sleep 0.02
done
kill -INT $pid
ended 130
[ ! -e "$work/out/cells/$second.json" ] || fail "the second cell was not stopped"
kept >"$work/before.csv"
[ "$(wc -l <"$work/before.csv")" -eq 9 ] || fail "not 9 runs of the first cell"
cp "$work/out/cells/$first.json" "$work/before.json"

map 4 --resume "$work/out"
ended 2
grep -q "1x1x32 was measured with ' *runs: 3 of 0.15 s after 0.05 s', now ' *runs: 4 of" \
    "$work/errors.txt" || fail "what differs is not named"
kept | cmp - "$work/before.csv" || fail "a refused --resume changed runs.csv"

rm -rf "$work/out/runs"
map 3 --resume "$work/out"
ended 0
grep -q "1 of 2 cells are there" "$work/errors.txt" || fail "it does not say what is there"
cmp "$work/out/cells/$first.json" "$work/before.json" || fail "the first cell was written again"
kept | cmp - "$work/before.csv" || fail "other runs of the first cell"
ls "$work/out/runs" >"$work/runs.txt"
grep -q "^$second\.twin\.3\." "$work/runs.txt" || fail "the second cell was not measured"
! grep -q "^$first\." "$work/runs.txt" || fail "the first cell was measured again"
for cell in $first $second; do
    grep -q "^$cell,twin,Linux,.*,epoll_server,[0-9]" "$work/out/results.csv" || fail "$cell: no ratio"
done
grep -q '<g class="h[0-6]"><rect ' "$work/out/report.html" || fail "no heat map"
grep -q "^twin against epoll_server, .* of 2 cells" "$work/console.txt" || fail "no summary"
grep -q "not about Windows" "$work/out/report.md" || fail "nothing about the platform"

map 3 --resume "$work/out"
ended 0
grep -q "2 of 2 cells are there" "$work/errors.txt" || fail "not all cells are there"

map 3 --out "$work/out"
steps=100
until [ ! -e "$work/out/cells/$first.json" ]; do
    steps=$((steps - 1))
    [ $steps -gt 0 ] || fail "a new map keeps an old cell"
    sleep 0.05
done
kill -INT $pid
ended 130

cells=writers,1x4x262144-4k,1x4x262144-64k,16x1x16384-4k
map 1 --out "$work/other"
ended 0
[ "$(grep -c ',twin,Linux,[^,]*,1,0,' "$work/other/results.csv")" -eq 4 ] || fail "not 4 sound cells"
grep -q '^writers,twin,.*,1,50,32,one a request,' "$work/other/results.csv" || fail "no writers"
grep -q 'depth=50,[^"]* coalesce=false,' "$work/other/results.json" || fail "written together"
for block in 4k 64k; do
    grep -q "twin: rate, 262,144 bytes, $block blocks" "$work/other/report.html" ||
        fail "no heat map of $block blocks"
done
for file in /proc/[0-9]*/cmdline; do
    if tr '\0' ' ' <"$file" 2>/dev/null | grep -q -- "$work/o[a-z]*/runs"; then
        fail "left behind: $(tr '\0' ' ' <"$file")"
    fi
done
