#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A server that runs out of descriptors: what it cannot take in ends as a want of buffers and not as
# an error, it tries again a few times and not in a loop, and it serves again when there is room.
#   few_files.sh WHO LOADGEN SERVER [SERVER_ARG...]
# WHO has the limit: `server` (its own descriptors), or `wineserver` (the handles behind Wine's
# sockets, in the prefix OWN_PREFIX, which no other program may use meanwhile). EMULATOR in the
# environment runs a LOADGEN for Windows.
set -u

who=$1 loadgen=$2
shift 2
work=$(mktemp -d) || exit 1
server_pid=
cleanup()
{
    [ -z "$server_pid" ] || { kill "$server_pid" && wait "$server_pid"; } 2>/dev/null
    [ "$who" != wineserver ] || WINEPREFIX=$OWN_PREFIX wineserver -k
    rm -rf "$work"
}
trap cleanup EXIT

json=$work/json
case $* in *.exe*) json=Z:${json//\//\\} ;; esac
clients_first=100 clients_then=20 files=100
if [ "$who" = wineserver ]; then
    clients_first=400 clients_then=50 files=600
fi
(
    [ "$who" != wineserver ] || export WINEPREFIX=$OWN_PREFIX
    ulimit -n $files
    exec "$@" --port 0 --duration 120 --max-sessions 1000 --json "$json"
) >"$work/server" 2>&1 </dev/null &
server_pid=$!
port=
for _ in $(seq 600); do
    port=$(tr -d '\r' <"$work/server" | sed -n 's/^listening on .*:\([0-9][0-9]*\)$/\1/p')
    [ -z "$port" ] || break
    sleep 0.1
done
[ -n "$port" ] || { echo "the server did not start"; cat "$work/server"; exit 1; }

# More than it can hold; then, when those are gone, as many as it can.
timeout 60 ${EMULATOR:+"$EMULATOR"} "$loadgen" --port "$port" --connections $clients_first --seconds 2 \
    --warmup 0 --progress off --connect-timeout 3 --timeout 2 >"$work/first" 2>&1 </dev/null
timeout 60 ${EMULATOR:+"$EMULATOR"} "$loadgen" --port "$port" --connections $clients_then --messages 1000 \
    --progress off >"$work/then" 2>&1 </dev/null
then_code=$?
kill -INT "$server_pid"
wait "$server_pid"
code=$?
server_pid=
cat "$work/server"

# number NAME: of the server's JSON, the first of that name behind $2 (a text before it).
number()
{
    sed -n "s/.*$2\"$1\":\([0-9]*\).*/\1/p" "$work/json"
}
failed=0
[ $code -eq 0 ] || { echo "the server's exit code is $code"; failed=1; }
[ $then_code -eq 0 ] || { echo "it does not serve again:"; cat "$work/then"; failed=1; }
[ "$(number error '"closed":{[^}]*')" = 0 ] || { echo "sessions ended with reason error"; failed=1; }
calls=$(number WSASocket '')
accepts=$(number AcceptEx '')
echo "WSASocket ${calls:-none}, AcceptEx ${accepts:-none}," \
    "no-buffers $(number no-buffers '"closed":{[^}]*'), accept_failed $(number accept_failed '')"
# One for each connection and each accept that stands, and some in vain.
[ "${calls:-0}" -le 3000 ] || { echo "it tried again without pause"; failed=1; }
exit $failed
