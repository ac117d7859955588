#!/bin/bash
# SPDX-License-Identifier: MIT
# bench/board_cost.sh [ROUNDS]: what a delivery of the board game costs epoll_server, and what of it
# is the kernel's: docs/board.md. 1,000 bots, 10 moves a second each, one worker.
#
# First instructions outside the kernel, by callgrind: exact on a busy machine. Slowed by callgrind,
# the server is given 1,500 moves a second, so that moves come one by one as they do at full speed.
# Then in turn, ROUNDS times (5): send_floor, which makes the same system calls and nothing else, and
# the server without and with --board-share. Medians. In a build folder of its own, with link-time
# optimisation as it is shipped.
set -eu
cd "$(dirname "$0")/.."
rounds=${1:-5}
build=build/session_cost
cmake --preset native -B "$build" -DRS_LTO=ON >/dev/null
cmake --build "$build" --target epoll_server loadgen send_floor >/dev/null
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# value FILE NAME: the first number of that name in a JSON file.
value() { grep -oE "\"$2\": *[0-9.]+" "$1" | head -n 1 | grep -oE '[0-9.]+$'; }

# play NAME RATE SECONDS "WRAPPER" OPTION...: a server under that load; its JSON is in $out.
play()
{
    local name=$1 rate=$2 seconds=$3 wrapper=$4 port server
    shift 4
    $wrapper "$build/bin/epoll_server" --port 0 --max-sessions 1024 --app board --duration 120 \
        --json "$out/server.json" "$@" >"$out/server.log" 2>&1 &
    server=$!
    for _ in $(seq 200); do
        port=$(sed -nE 's/.*listening on .*:([0-9]+).*/\1/p' "$out/server.log")
        [ -z "$port" ] || break
        sleep 0.1
    done
    "$build/bin/loadgen" --app board --port "$port" --connections 1000 --depth 64 --rate "$rate" \
        --rate-min 0 --warmup 0 --seconds "$seconds" --timeout 60 --connect-timeout 60 \
        --json "$out/load.json" >"$out/load.log" 2>&1 || { cat "$out/load.log"; exit 1; }
    kill -INT "$server"
    wait "$server"
    deliveries=$(value "$out/load.json" deliveries)
    frames=$(value "$out/server.json" messages_out)
    sends=$(value "$out/server.json" send_ops)
}

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

for share in off on; do
    play "$share" 1500 8 "valgrind --tool=callgrind --callgrind-out-file=$out/callgrind" \
        --board-share "$share"
    awk -v deliveries="$deliveries" -v frames="$frames" -v share="$share" '/^(summary|totals):/ {
        printf "share %-3s  %d instructions a frame, %d a delivery\n", share, $2 / frames,
               $2 / deliveries; exit }' "$out/callgrind"
done

for _ in $(seq "$rounds"); do
    "$build/bin/send_floor" 3 >"$out/floor.json"
    value "$out/floor.json" ns_per_send >>"$out/floor"
    value "$out/floor.json" ns_per_send_in_a_row >>"$out/row"
    for share in off on; do
        play "$share" 10000 3 "" --board-share "$share"
        user=$(value "$out/server.json" user_ns)
        kernel=$(value "$out/server.json" kernel_ns)
        for by in sends frames deliveries; do
            echo $(((user + kernel) / ${!by})) >>"$out/$share.$by"
        done
        echo $((user / deliveries)) >>"$out/$share.user"
    done
done
echo "send_floor  $(median <"$out/floor") ns a send with its receives and waits," \
    "$(median <"$out/row") for sends in a row"
for share in off on; do
    echo "share $share  $(median <"$out/$share.sends") ns a send, $(median <"$out/$share.frames") a" \
        "frame, $(median <"$out/$share.deliveries") a delivery, $(median <"$out/$share.user") of it" \
        "outside the kernel"
done
