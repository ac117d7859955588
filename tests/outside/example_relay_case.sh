#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The relay over one back end, in front of an echo that waits for slow readers too.
#   example_relay_case.sh PROGRAM SERVER BACK_END [EMULATOR]
# A pass: a client that sends all it has and reads nothing for longer than a server waits for who it
# does not wait for gets every byte; at most 256 KiB were queued for a session; without the server
# behind it, a client is closed.
set -u
program=$1 server=$2 backend=$3 emulator=${4:-}
name="relay over $backend"
# shellcheck source=tests/outside/example_server.sh
. "$(dirname "$0")/example_server.sh"
for _ in $(seq 16); do # frames of 4096 bytes
    printf '\x00\x10\x01'
    head -c 4093 /dev/urandom
done >few
# The most that may be needed: what the kernel may let buffers grow to on the way, there and back.
read -r _ _ receive </proc/sys/net/ipv4/tcp_rmem && read -r _ _ send </proc/sys/net/ipv4/tcp_wmem ||
    fail "no sizes of buffers"
most=$((2 + 3 * (receive + send) / 65536))
buffers=(--sndbuf 65536 --rcvbuf 65536)
[ "$backend" != rio ] || buffers=() # it has none
start "$server" --port 0 --slow-consumer pause ${buffers[@]+"${buffers[@]}"}
echo_pid=$pid
trap 'kill -KILL $echo_pid 2>/dev/null; cleanup' EXIT
start "$program" "$backend" 0 "$port"
exec 3<>"/dev/tcp/127.0.0.1/$port" || fail "no connection"
# One 64 KiB after another, each noted, until told that it is enough.
: >sent
(while [ ! -e enough ] && cat few; do echo >>sent; done) >&3 &
sender=$!
parts=-1
for _ in $(seq 40); do # until nothing has gone for 2.5 s
    [ "$parts" -ne "$(wc -l <sent)" ] || break
    parts=$(wc -l <sent)
    [ "$parts" -le $most ] || fail "the buffers took everything: nobody had to wait"
    sleep 2.5
done
: >enough
parts=$((parts + 1)) # it is within the next one
head -c $((parts * 65536)) <&3 | cmp - <(yes few | head -n $parts | xargs cat) ||
    fail "not what was sent"
wait $sender || fail "the sender failed"
[ "$(wc -l <sent)" -eq $parts ] || fail "it was not stuck"
exec 3>&-
kill -INT $echo_pid
for _ in $(seq 100); do
    kill -0 $echo_pid 2>/dev/null || break
    sleep 0.1
done
exec 3<>"/dev/tcp/127.0.0.1/$port" || fail "no second connection"
[ -z "$(timeout 20 head -c 1 <&3)" ] || fail "something from nobody"
exec 3>&-
stop
queued=$(sed -n 's/^at most \([0-9]*\) bytes were queued for a session.*/\1/p' server)
[ "${queued:-0}" -gt 65536 ] && [ "$queued" -le 262144 ] || fail "$queued bytes were queued"
echo "$name: at most $queued bytes were queued for a session"
