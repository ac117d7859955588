#!/bin/bash
# SPDX-License-Identifier: MIT
# compare_stalled.sh CASE WORK SERVERS COMPARE... : whoever reads what compare prints stops reading.
#
# CASE progress: both streams are stuck from the start on; it measures all the same, and Ctrl+C ends it
# with what was measured. tables: the tables wait for their reader until Ctrl+C. late: the reader comes
# back and finds every line. In every case the files are there and no process is left.
set -u
case=$1 work=$2 servers=$3
shift 3
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
# await STEPS WHAT CHECK... : a tenth of a second each.
await()
{
    local steps=$1 what=$2
    shift 2
    until "$@"; do
        steps=$((steps - 1))
        [ $steps -gt 0 ] || fail "$what"
        sleep 0.1
    done
}
has_runs() { [ "$(cat "$work/out/runs.csv" 2>/dev/null | wc -l)" -ge 3 ]; }
has_report() { [ -s "$work/out/results.json" ]; }
has_ended() { ! kill -0 $pid 2>/dev/null; }

path=$work/out
case $* in *.exe*) path=Z:$(echo "$path" | tr / '\\') ;; esac
mkfifo "$work/lines"
exec 7<>"$work/lines"
for bytes in 4096 64 1; do
    dd if=/dev/zero of="$work/lines" bs=$bytes oflag=nonblock count=100000 2>/dev/null
done
repeat=1 errors=$work/errors.txt
[ "$case" != progress ] || { repeat=100 errors=$work/lines; }
"$@" --out "$path" --servers "$servers" --scenario many-small --repeat $repeat --seconds 0.3 \
    --warmup 0.1 --placement free --progress on --no-instrument-test --disturbed-max 100 \
    >"$work/lines" 2>"$errors" </dev/null 7>&- &
pid=$!
expected=130
case $case in
progress)
    await 600 "nothing is measured" has_runs
    kill -INT $pid
    ;;
tables)
    await 600 "no report" has_report
    sleep 3
    ! has_ended || fail "it did not wait for the reader of its tables"
    kill -INT $pid
    ;;
late)
    expected=0
    await 600 "no report" has_report
    sleep 3
    timeout 20 cat <"$work/lines" >"$work/lines.txt" 7>&- &
    exec 7>&-
    ;;
esac
await 150 "still running 15 s later" has_ended
wait $pid
code=$?
pid=
[ $code -eq $expected ] || fail "exit code $code, expected $expected"
for file in report.html report.md results.csv results.json; do
    [ -s "$work/out/$file" ] || fail "$file is missing"
done
grep -q '^many-small,.*,ok,' "$work/out/runs.csv" || fail "no run is kept"
if [ "$case" = late ]; then
    wait
    tr -d '\0' <"$work/lines.txt" | grep -q '^report: ' || fail "the last line is missing"
    tr -d '\0' <"$work/lines.txt" | grep -q 'many-small' || fail "the tables are missing"
fi
for file in /proc/[0-9]*/cmdline; do
    if tr '\0' ' ' <"$file" 2>/dev/null | grep -q -- "$work/out/runs"; then
        fail "left behind: $(tr '\0' ' ' <"$file")"
    fi
done
