#!/bin/sh
# SPDX-License-Identifier: MIT
# stalled_stdout.sh HOW RUNNER... : whoever reads a server's lines stops reading (a full pipe, a
# paused terminal, text selected in a console). It serves on, ends when asked to (HOW = a signal) or
# by itself (HOW = duration), exits 0 and leaves its figures. A model of the ladder knows no messages.
set -u
how=$1
shift
work=$(mktemp -d)
server= reader=
trap 'kill -9 $server $reader 2>/dev/null; rm -rf "$work"' EXIT
json=$work/final.json
case $* in *.exe*) path=Z:$(echo "$json" | tr / '\\') ;; *) path=$json ;; esac
duration=60
[ "$how" != duration ] || duration=6
lines=--stats served='"messages":1'
case $* in *ladder_*) lines= served='"accepted":1' ;; esac
mkfifo "$work/lines"
(
    until case ${line:-} in listening*) ;; *) false ;; esac; do
        read -r line || exit
        echo "$line" >>"$work/first"
    done
    exec sleep 120
) <"$work/lines" &
reader=$!
"$@" --port 0 $lines --duration "$duration" --json "$path" >"$work/lines" 2>"$work/err" </dev/null &
server=$!
steps=0
until port=$(sed -n 's/^listening on 127\.0\.0\.1:\([0-9]*\).*/\1/p' "$work/first" 2>/dev/null) &&
    [ -n "$port" ]; do
    steps=$((steps + 1))
    [ "$steps" -le 300 ] || { echo "the server did not come up:"; cat "$work/err"; exit 1; }
    sleep 0.1
done
for bytes in 4096 64 1; do
    dd if=/dev/zero of="$work/lines" bs=$bytes oflag=nonblock count=100000 2>/dev/null
done
sleep 2.5 # two lines are due: whoever prints is stuck by now
timeout 20 bash -c "exec 3<>/dev/tcp/127.0.0.1/$port; printf '\004\000\001x' >&3
                    [ \"\$(head -c 4 <&3 | wc -c)\" -eq 4 ]" || { echo "it does not serve"; exit 1; }
[ "$how" = duration ] || kill "-$how" "$server"
steps=0
while kill -0 "$server" 2>/dev/null; do
    steps=$((steps + 1))
    [ "$steps" -le 400 ] || { echo "still running 40 s after its end was due"; exit 1; }
    sleep 0.1
done
wait "$server"
code=$?
server=
cat "$work/err"
[ "$code" -eq 0 ] || { echo "exit $code, not 0"; exit 1; }
grep -q "$served" "$json" || { echo "no JSON object"; exit 1; }
