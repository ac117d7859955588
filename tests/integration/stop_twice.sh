#!/bin/sh
# SPDX-License-Identifier: MIT
# stop_twice.sh SIGNAL PAUSE CODE RUNNER... : what a second signal does. timeout(1) sends everything
# twice at once: that is one request, and the server ends in order (PAUSE 0, CODE 0). A second one
# after more than a second ends it at once (CODE 128 + its number). A client that neither sends nor
# closes keeps the server draining meanwhile.
set -u
signal=$1 pause=$2 code=$3
shift 3
work=$(mktemp -d)
server= client=
trap 'kill -9 $server $client 2>/dev/null; rm -rf "$work"' EXIT
json=$work/final.json
drain=60000
[ "$code" -ne 0 ] || drain=1500
case $* in *.exe*) path=Z:$(echo "$json" | tr / '\\') ;; *) path=$json ;; esac
"$@" --port 0 --duration 60 --drain-timeout "$drain" --json "$path" >"$work/out" 2>"$work/err" </dev/null &
server=$!
steps=0
until port=$(sed -n 's/^listening on 127\.0\.0\.1:\([0-9]*\).*/\1/p' "$work/out") && [ -n "$port" ]; do
    steps=$((steps + 1))
    [ "$steps" -le 300 ] || { echo "the server did not come up:"; cat "$work/err"; exit 1; }
    sleep 0.1
done
bash -c "exec 3<>/dev/tcp/127.0.0.1/$port; printf '\004\000\001x' >&3; head -c 4 <&3 >/dev/null
         : >'$work/served'; exec sleep 60" &
client=$!
steps=0
until [ -e "$work/served" ]; do
    steps=$((steps + 1))
    [ "$steps" -le 300 ] || { echo "no echo"; exit 1; }
    sleep 0.1
done
for again in 1 2 3; do
    kill "-$signal" "$server"
    [ "$again" -gt 1 ] || sleep "$pause"
done
wait "$server"
got=$?
server=
cat "$work/out" "$work/err"
[ "$got" -eq "$code" ] || { echo "exit $got, not $code"; exit 1; }
[ "$code" -ne 0 ] || grep -q '"sessions_in_use":0' "$json" || { echo "no JSON object"; exit 1; }
