#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# cuts_said.sh RUNNER... : sessions that the server cuts off are said on standard error, each once
# and with its reason, in at most one line a second; so are connections that it refuses.
set -u

work=$(mktemp -d) || exit 1
server_pid=
trap '[ -z "$server_pid" ] || { kill "$server_pid"; wait "$server_pid"; } 2>/dev/null; rm -rf "$work"' EXIT
cuts=20 refused=5
# total TEXT: the sum of the counts before TEXT in the lines about cuts.
total()
{
    tr -d '\r' <"$work/err" | grep -o "[0-9]* $1" | awk '{ sum += $1 } END { print sum + 0 }'
}
fail()
{
    echo "$*"
    cat "$work/err"
    exit 1
}
# client BYTES: sends them, and waits for the end that the server makes.
client()
{
    timeout 20 bash -c "exec 3<>/dev/tcp/127.0.0.1/$port; printf '$1' >&3; cat <&3" >/dev/null 2>&1
}

# One of two sessions is idle for ever, so that two more at once are one too many.
"$@" --port 0 --duration 120 --max-sessions 2 --idle-timeout 0 >"$work/out" 2>"$work/err" </dev/null &
server_pid=$!
for _ in $(seq 300); do
    port=$(tr -d '\r' <"$work/out" | sed -n 's/^listening on .*:\([0-9][0-9]*\)$/\1/p')
    [ -z "$port" ] || break
    sleep 0.1
done
[ -n "$port" ] || fail "the server did not start"
start=$SECONDS
exec 4<>"/dev/tcp/127.0.0.1/$port"
for _ in $(seq $cuts); do
    client '\000\000\001' # a frame that is shorter than its header
    sleep 0.1
done
[ "$(grep -c 'cut off:' "$work/err")" -ge 1 ] || fail "nothing is said before the end"
exec 5<>"/dev/tcp/127.0.0.1/$port"
for _ in $(seq $refused); do
    client ''
done
kill -INT "$server_pid"
wait "$server_pid"
code=$?
server_pid=
took=$((SECONDS - start + 1))
lines=$(grep -c 'cut off:' "$work/err")
echo "$lines lines in $took s: $(total 'protocol (malformed') cut, $(total 'refused (--max') refused"
[ $code -eq 0 ] || fail "exit code $code"
[ "$(total 'protocol (malformed')" -eq $cuts ] || fail "not $cuts cut for a malformed frame"
[ "$(total 'refused (--max')" -eq $refused ] || fail "not $refused refused"
# One at the start of a second, one at the end of the run.
[ "$lines" -le $((took + 1)) ] || fail "more than one line a second"
