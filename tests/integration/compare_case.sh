#!/bin/bash
# SPDX-License-Identifier: MIT
# compare_case.sh BIN CASE WORK: the comparison against one honest and one broken server.
#
# Set up: epoll_server, and a server made of it or of broken_server that misbehaves as CASE says.
# Pass: the broken one's runs are void, named with the reason, the exit code is 1, and the honest
# one's figures are there; for "honest" exit code 0; for "interrupt" exit code 130 with what was
# measured kept. In every case no process that compare started is left.
set -u
bin=$1
case=$2
work=$3
rm -rf "$work"
mkdir -p "$work"
program=$work/server.sh
expected=1
why=

case $case in
honest) start=":" server="'$bin/epoll_server'" expected=0 ;;
interrupt) start=":" server="'$bin/epoll_server'" expected=130 ;;
flip) start=":" server="'$bin/broken_server' --mode flip" why="wrong" ;;
drop) start=":" server="'$bin/broken_server' --mode drop" why="lost" ;;
close) start=":" server="'$bin/broken_server' --mode close" why="closed" ;;
no_figures) start=":" server="'$bin/broken_server' --mode none" why="ended at its stop" ;;
crash) start="(listening; kill -KILL \$\$) &" server="'$bin/epoll_server'" why="ended under load with signal 9 (killed)" ;;
wedge) start="(listening; kill -STOP \$\$) &" server="'$bin/epoll_server'" why="loadgen ended" ;;
no_start) start="echo 'the cause' >&2; exit 1" server=true why="ended at start with exit code 1: the cause" ;;
*) echo "no such case: $case"; exit 1 ;;
esac

# broken_server takes no options beside its mode.
arguments='"$@"'
[[ $server == *broken_server* ]] && arguments=
# On a busy machine a server may take seconds to listen: misbehaviour waits for that.
cat >"$program" <<EOF
#!/bin/sh
listening()
{
    out=\$(readlink /proc/\$\$/fd/1)
    turn=0
    while ! grep -q 'listening on' "\$out" && [ \$turn -lt 600 ]; do
        sleep 0.05
        turn=\$((turn + 1))
    done
    sleep 0.3
}
$start
exec $server $arguments
EOF
chmod +x "$program"

repeat=1
seconds=0.3
quick=--no-instrument-test
[ "$case" = honest ] && repeat=3 && quick=
[ "$case" = interrupt ] && repeat=50
case $case in crash | wedge) seconds=0.6 ;; esac # which break after 0.3 s
"$bin/compare" --out "$work/out" --servers "good=$bin/epoll_server,suspect=$program" \
    --scenario many-small --repeat $repeat --seconds $seconds --warmup 0.1 --placement free \
    --progress off --disturbed-max 100 $quick >"$work/console.txt" 2>"$work/errors.txt" </dev/null &
pid=$!
if [ "$case" = interrupt ]; then
    for ((i = 0; i < 600; i++)); do
        [ "$(wc -l <"$work/out/runs.csv" 2>/dev/null || echo 0)" -ge 5 ] && break
        sleep 0.05
    done
    kill -INT $pid
fi
wait $pid
code=$?
cat "$work/console.txt" "$work/errors.txt"

bad=0
fail()
{
    echo "FAILED: $*"
    bad=1
}
[ $code -eq $expected ] || fail "exit code $code, expected $expected"
grep -q '^many-small,good,Linux,.*,1,ok,' "$work/out/runs.csv" || fail "the honest run is not kept"
for file in report.html report.md results.csv results.json; do
    [ -s "$work/out/$file" ] || fail "$file is missing"
done
if [ -n "$why" ]; then
    grep -q "suspect many-small, run 1: .*$why" "$work/errors.txt" || fail "'$why' is not named"
    grep -q "suspect,Linux,.*,1,void," "$work/out/runs.csv" || fail "the void run is not kept"
fi
# Results agree with themselves, not with those of which nothing is there.
if [ "$case" = honest ]; then
    "$bin/compare" --agree "$work/out,$work/out" >"$work/agree.txt" 2>&1 </dev/null
    [ $? -eq 0 ] || fail "--agree of the same results: $(cat "$work/agree.txt")"
    grep -q '^many-small  *good .*yes$' "$work/agree.txt" || fail "--agree prints no figure"
    "$bin/compare" --agree "$work/out,$work/none" >"$work/agree.txt" 2>&1 </dev/null
    [ $? -eq 2 ] || fail "--agree of no results: $(cat "$work/agree.txt")"
    printf '{"program":"loadgen"}' >"$work/results.json"
    "$bin/compare" --agree "$work/out,$work" >"$work/agree.txt" 2>&1 </dev/null
    [ $? -eq 2 ] || fail "--agree of another program's file: $(cat "$work/agree.txt")"
    # Ticks of 10 ms are never taken for CPU time. On a busy machine known work takes longer than
    # when it was calibrated, and the exact counter may fail too: there that says nothing.
    grep -q '^CPU, server .*not ticks of /proc/PID/stat' "$work/console.txt" || fail "ticks are used"
    for ((i = 0; i < 5; i++)); do
        [ -e /proc/$$/schedstat ] || break
        grep -q '^CPU, server schedstat (' "$work/console.txt" && break
        "$bin/compare" --servers "good=$bin/epoll_server" --scenario ping-pong --repeat 1 \
            --seconds 0.1 --warmup 0 --progress off --out "$work/again" \
            >"$work/console.txt" 2>&1 </dev/null
    done
    if [ $i -ge 5 ]; then
        read -r load _ </proc/loadavg
        if [ "${load%.*}" -ge "$(nproc)" ]; then
            echo "not judged at a load of $load: whether schedstat is right"
        else
            fail "schedstat never passed: $(grep '^CPU' "$work/console.txt")"
        fi
    fi
    grep -q '"instruments_tested": *true' "$work/out/results.json" || fail "the test is not recorded"
    # The rate of an earlier comparison is asked for again; without one there is no measuring.
    # On a busy machine it may miss it, which is not what this is about.
    printf '#!/bin/sh\nexec "%s" "$@" --rate-min 0\n' "$bin/loadgen" >"$work/loadgen.sh"
    chmod +x "$work/loadgen.sh"
    again=(--no-instrument-test --disturbed-max 100 --loadgen "$work/loadgen.sh" --scenario fixed-50
        --servers "good=$bin/epoll_server" --repeat 1 --seconds 0.3
        --placement one --progress off --out "$work/again")
    "$bin/compare" "${again[@]}" --rates-of "$work/out" >"$work/rates.txt" 2>&1 </dev/null
    [ $? -eq 2 ] || fail "--rates-of what has no rate: $(cat "$work/rates.txt")"
    printf '{"program":"compare","cells":[{"scenario":"fixed-50","rate_asked":1234}]}' \
        >"$work/results.json"
    "$bin/compare" "${again[@]}" --rates-of "$work" >"$work/rates.txt" 2>&1 </dev/null
    [ $? -eq 0 ] || fail "--rates-of: $(cat "$work/rates.txt")"
    grep -Eq '"rate_asked": ?1234[,.]' "$work/again/results.json" || fail "another rate was asked for"
    grep -q '"instruments_tested": *false' "$work/again/results.json" || fail "no test is not recorded"
    # Two pairs are too few for an interval: --width has more, at most three times as many. Pairs
    # that somebody disturbed do not count, and where all are, more would not help.
    "$bin/compare" --servers "epoll_server=$bin/epoll_server" --scenario many-small --repeat 2 \
        --width 100 --seconds 0.05 --warmup 0 --no-instrument-test --disturbed-max 100 \
        --progress off --out "$work/wide" >"$work/wide.txt" 2>&1 </dev/null ||
        fail "--width: $(cat "$work/wide.txt")"
    least=3
    grep -q ',ok,yes,' "$work/wide/runs.csv" && least=2
    for server in epoll_server epoll_server+control; do
        made=$(grep -c "^many-small,$server," "$work/wide/runs.csv")
        [ "$made" -ge $least ] && [ "$made" -le 6 ] || fail "--width: $made runs of $server"
    done
    grep -q '^more runs  *up to 6 in all' "$work/wide.txt" || fail "--width is not said"
    # Both on one processor, where asked.
    grep -q '^placement .*server on processor \([0-9]*\), loadgen on processor \1 (one for both)' \
        "$work/rates.txt" || fail "--placement one: $(grep '^placement' "$work/rates.txt")"
fi
for file in /proc/[0-9]*/cmdline; do
    if tr '\0' ' ' <"$file" 2>/dev/null | grep -q -- "$work/out/runs"; then
        fail "left behind: $file: $(tr '\0' ' ' <"$file")"
    fi
done
exit $bad
