#!/bin/bash
# SPDX-License-Identifier: MIT
# loadgen_targets.sh LOADGEN GOOD_SERVER BROKEN_SERVER WORK: connections go to the targets in turn,
# a fault is booked to its target and its connection alone, and the rows add up to the whole.
set -u
loadgen=$1
work=$4
rm -rf "$work"
mkdir -p "$work"
pids=
trap 'kill $pids; wait $pids' EXIT 2>/dev/null
fail()
{
    echo "FAILED: $*"
    exit 1
}

# listen NAME SERVER ARGS...: sets port.
listen()
{
    local name=$1
    shift
    "$@" >"$work/$name" 2>&1 </dev/null &
    pids="$pids $!"
    port=
    for _ in $(seq 100); do
        port=$(sed -n 's/^listening on .*:\([0-9][0-9]*\)$/\1/p' "$work/$name")
        [ -z "$port" ] || return 0
        sleep 0.1
    done
    fail "$name did not start"
}

# counted NAME: of the JSON's counts.
counted()
{
    sed -n "s/.*\"counts\":{[^}]*\"$1\":\([0-9]*\).*/\1/p" "$work/json"
}

# column NUMBER CONDITION: the sum over the CSV's rows.
column()
{
    awk -F, -v at="$1" "NR > 1 $2 { sum += \$at } END { print sum + 0 }" "$work/csv"
}

listen one "$2" --port 0 --duration 60
one=127.0.0.1:$port
listen two "$2" --port 0 --duration 60
two=127.0.0.1:$port
listen broken "$3" --mode flip
broken=127.0.0.1:$port

run()
{
    "$loadgen" "$@" --json "$work/json" --per-connection "$work/csv" >"$work/out" 2>&1 </dev/null
}

for load in "--messages 20000" "--rate 4k --rate-min 0 --seconds 0.5 --warmup 0.1" \
    "--churn --churn-total 200 --churn-messages 5"; do
    for threads in 1 3; do
        run --target "$one,$two" --connections 7 --idle 4 --threads $threads $load ||
            { cat "$work/out"; fail "$load, $threads threads"; }
        [ "$(wc -l <"$work/csv")" -eq 8 ] || fail "$load: not 7 rows"
        for pair in 4:sent 5:received; do
            [ "$(column ${pair%:*} "")" -eq "$(counted ${pair#*:})" ] ||
                { cat "$work/csv"; fail "$load, $threads threads: the rows of ${pair#*:}"; }
        done
        measured=$(grep -o '"measured_messages":[0-9]*' "$work/json" | head -n 1)
        measured=${measured##*:} # of all; the targets follow
        [ "$(column 11 "")" -eq "$measured" ] || fail "$load, $threads threads: measured $measured"
        awk -F, -v one="$one" -v two="$two" 'NR > 1 && $2 != (NR % 2 ? two : one) { bad = 1 }
            END { exit bad }' "$work/csv" || { cat "$work/csv"; fail "not in turn"; }
        for target in "$one" "$two"; do
            grep -q "^$target  *[0-9]*  *0 " "$work/out" || fail "no line of $target"
            sent=$(sed -n "s/.*{\"target\":\"$target\",\"connected\":[0-9]*,\"sent\":\([0-9]*\),.*/\1/p" "$work/json")
            rows=$(column 4 "&& \$2 == \"$target\"")
            # the idle ones send nothing, and have no row
            [ "${sent:-0}" -eq "$rows" ] && [ "$rows" -gt 0 ] || fail "$target: sent $sent, rows $rows"
        done
    done
done

run --target "$one,$broken" --connections 6 --depth 4 --messages 6000 --timeout 0.5
code=$?
[ $code -eq 1 ] || fail "a wrong byte: exit code $code"
[ "$(column 7 "")" -eq 1 ] && [ "$(column 7 "&& \$2 == \"$broken\"")" -eq 1 ] ||
    { cat "$work/csv"; fail "the wrong reply is not in its row"; }
grep -q "{\"target\":\"$one\",\"connected\":3,[^}]*\"faults\":0," "$work/json" &&
    grep -q "{\"target\":\"$broken\",\"connected\":3,[^}]*\"faults\":1," "$work/json" ||
    { cat "$work/json"; fail "the faults of the targets"; }

# The same as JSON: an array, an object a line, with the fault where it is.
list=$work/list.json
listen broken_again "$3" --mode flip
broken=127.0.0.1:$port
"$loadgen" --target "$one,$broken" --connections 5 --messages 2000 --threads 2 --timeout 0.5 \
    --json "$work/json" --per-connection "$list" >"$work/out" 2>&1 </dev/null
code=$?
[ $code -eq 1 ] || { cat "$work/out"; fail "rows as JSON: exit code $code"; }
python=$(command -v python3) || python=
[ -z "$python" ] || "$python" -c '
import json, sys
rows, run = json.load(open(sys.argv[1])), json.load(open(sys.argv[2]))
assert [row["connection"] for row in rows] == list(range(5)), rows
assert [row["target"] for row in rows] == (sys.argv[3:5] * 3)[:5], rows
assert sum(row["sent"] for row in rows) == run["counts"]["sent"] == 2000, rows
assert sum(row["measured_messages"] for row in rows) == run["measured_messages"], rows
assert [row["target"] for row in rows if row["wrong"] == 1 == row["faults"]] == sys.argv[4:5], rows
assert sum(row["faults"] for row in rows) == 1, rows
assert sum(row["latency_ns"]["count"] for row in rows) == run["latency_ns"]["count"], rows
' "$list" "$work/json" "$one" "$broken" || fail "the rows as JSON"
[ "$(sed -n '1p;$p' "$list" | tr -d '\n')" = "[]" ] && [ "$(wc -l <"$list")" -eq 7 ] &&
    [ "$(grep -c '^{"connection":[0-4],"target":.*"measured_received_bytes":[0-9]*},*$' "$list")" -eq 5 ] ||
    { cat "$list"; fail "the lines of the JSON"; }

# One target has no list, and connections without several targets have rows too.
"$loadgen" --port "${one#*:}" --messages 100 --connections 4 --per-connection - >"$work/csv" \
    2>"$work/out" </dev/null || fail "one target"
[ "$(column 4 "")" -eq 100 ] && [ "$(column 8 "")" -eq 0 ] || fail "rows on standard output"

# By name, and of both families at once, where the system has both.
named=localhost:${one#*:}
run --target "$named,$two" --connections 4 --messages 400 || { cat "$work/out"; fail "$named"; }
[ "$(column 4 "&& \$2 == \"$named\"")" -gt 0 ] || fail "no rows of $named"
if [ -e /proc/net/if_inet6 ] && grep -q ' lo$' /proc/net/if_inet6; then
    listen six "$2" --port 0 --host :: --duration 60
    six="[::1]:$port"
    run --target "$six,127.0.0.1:$port" --connections 4 --messages 400 --threads 2 ||
        { cat "$work/out"; fail "$six"; }
    [ "$(column 3 "&& \$2 == \"$six\"")" -eq 2 ] || { cat "$work/csv"; fail "no rows of $six"; }
fi
"$loadgen" --target "$one,no.such.invalid:5" >"$work/out" 2>&1 </dev/null
code=$?
[ $code -eq 2 ] && grep -q "^loadgen: --target: 'no.such.invalid' is no address" "$work/out" ||
    { cat "$work/out"; fail "an unknown name: exit code $code"; }

# Sources are of the server's family: said before anything else is asked for them.
refused() # line, options
{
    "$loadgen" --port 1 $2 >"$work/out" 2>&1 </dev/null
    code=$?
    [ $code -eq 2 ] && [ "$(cat "$work/out")" = "loadgen: $1" ] ||
        { cat "$work/out"; fail "$2: exit code $code"; }
}
family="--source: not of the server's family; allowed: IPv4 or IPv6, as the server"
refused "$family" "--host ::1 --source 127.0.0.3"
refused "$family" "--host 127.0.0.1 --source ::1"
refused "--sources: needs --source, except for a server on 127.0.0.0/8" "--host ::1 --sources 4"
refused "--source: 'here' is no address; allowed: A.B.C.D, or an IPv6 address" "--source here"

# Nothing listens on port 1.
run --target "$one,127.0.0.1:1" --connections 4 --messages 100
code=$?
[ $code -eq 1 ] && grep -q "void run: nothing listens on 127.0.0.1:1: refused 2" "$work/out" ||
    { cat "$work/out"; fail "a silent target: exit code $code"; }
