#!/bin/bash
# SPDX-License-Identifier: MIT
# loadgen_outputs.sh LOADGEN SERVER WORK: the files of a run agree with each other, "-" is standard
# output, and what cannot be written is refused before the run.
set -u
loadgen=$1
work=$3
rm -rf "$work"
mkdir -p "$work"
"$2" --port 0 --duration 60 >"$work/server" 2>&1 </dev/null &
server=$!
trap 'kill $server; wait $server' EXIT
fail()
{
    echo "FAILED: $*"
    exit 1
}
for _ in $(seq 100); do
    port=$(sed -n 's/^listening on .*:\([0-9][0-9]*\)$/\1/p' "$work/server")
    [ -z "$port" ] || break
    sleep 0.1
done
[ -n "$port" ] || fail "the server did not start"

"$loadgen" --port "$port" --connections 4 --rate 2k --rate-min 0 --seconds 2.6s --warmup 100ms \
    --json - --hdr "$work/hdr" --series "$work/series" >"$work/json" 2>"$work/table" </dev/null
code=$?
[ $code -eq 0 ] || { cat "$work/table"; fail "exit code $code"; }
[ "$(wc -l <"$work/json")" -eq 1 ] && grep -q '^{"program":"loadgen".*}$' "$work/json" ||
    fail "standard output is not the JSON alone"
grep -q '^latency, us' "$work/table" || fail "the table is not on standard error"

# As many values as the JSON counts, in the last row and in the foot; percentiles only rise.
count=$(sed -n 's/.*"latency_corrected_ns":{"count":\([0-9]*\),.*/\1/p' "$work/json")
[ "${count:-0}" -gt 1000 ] || fail "no count in the JSON"
awk -v count="$count" '
    NR == 1 && !/^ +Value +Percentile +TotalCount +1\/\(1-Percentile\)$/ { print "head: " $0; bad = 1 }
    NR > 2 && !/^#/ {
        if ($2 <= percentile || $3 <= total || $1 < value || NF != ($3 == count ? 3 : 4)) {
            print "row: " $0; bad = 1
        }
        value = $1; percentile = $2; total = $3; rows++
    }
    /^#\[Max/ { foot = $NF + 0 }
    END {
        if (rows < 10 || percentile != 1 || total != count || foot != count) {
            print rows " rows to " percentile ", " total " and " foot " of " count; bad = 1
        }
        exit bad
    }' "$work/hdr" || fail "the histogram"

# Two whole seconds and the half one; what they sum up to is what was measured (a busy machine makes a
# second longer than its row says).
measured=$(sed -n 's/.*"measured_messages":\([0-9]*\),.*/\1/p' "$work/json")
awk -F, -v measured="$measured" '
    NR == 1 { if ($0 != "second,rate_per_s,p50_us,p99_us,cpu") { print "head: " $0; bad = 1 }; next }
    { sum += $2 * ($1 - at); at = $1; if (!($3 > 0 && $4 >= $3 && $5 > 0)) { print "row: " $0; bad = 1 } }
    END {
        if (NR != 4 || sum < 0.8 * measured || sum > 1.2 * measured) {
            print NR " lines, " sum " of " measured " messages"; bad = 1
        }
        exit bad
    }' "$work/series" || fail "the rows"
rows=$(grep -o '"series":\[[^]]*\]' "$work/json" | grep -o '"second":' | wc -l)
[ "$rows" -eq 3 ] || fail "$rows rows in the JSON"

# Nothing listens on port 1: a run would say so.
for option in json hdr series per-connection; do
    "$loadgen" --port 1 --$option "$work/none/file" >"$work/out" 2>"$work/err" </dev/null
    code=$?
    [ $code -eq 1 ] && [ ! -s "$work/out" ] && [ "$(wc -l <"$work/err")" -eq 1 ] &&
        grep -q -- "--$option: " "$work/err" || { cat "$work/err"; fail "--$option: exit code $code"; }
done
"$loadgen" --port 1 --json - --hdr - >"$work/out" 2>"$work/err" </dev/null
code=$?
[ $code -eq 2 ] && grep -q "more than once" "$work/err" || fail "two on standard output: $code"
