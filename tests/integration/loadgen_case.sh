#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# One run of loadgen against one server: the exit code and the columns must be the expected ones.
#   loadgen_case.sh LOADGEN EXPECT_EXIT COLUMNS SERVER [SERVER_ARG...] -- [LOADGEN_ARG...]
# COLUMNS: names, with commas between, of the counts that must be above 0; every other count of a
# fault must be 0. SENT in the environment: what counts.sent must be. LATE=F: the measured latencies
# must lie below 1/F of the longest first reply, and set-up must have taken longer than that one.
# SENT_MOST: what it may be at most. SETUP: how many milliseconds set-up must have taken at least.
# SAYS: what must stand in the JSON. ANY: columns that may be 0 or not (which of two ways a close
# shows is the system's).
# A run that is to be valid waits long for a reply: a slow machine is no fault.
# The server prints "listening on HOST:PORT". EMULATOR in the environment runs a
# LOADGEN for Windows.
set -u

loadgen=$1 expect_exit=$2 columns=$3
shift 3
server=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    server+=("$1")
    shift
done
shift

work=$(mktemp -d) || exit 1
server_pid=
cleanup()
{
    [ -z "$server_pid" ] || { kill "$server_pid" && wait "$server_pid"; } 2>/dev/null
    rm -rf "$work"
}
trap cleanup EXIT

"${server[@]}" >"$work/server" 2>&1 &
server_pid=$!
port=
for ((i = 0; i < 400; i++)); do
    [[ $(<"$work/server") =~ (^|$'\n')"listening on "[^$'\n\r']*:([0-9]+) ]] && port=${BASH_REMATCH[2]} && break
    sleep 0.025
done
[ -n "$port" ] || { echo "the server did not start"; cat "$work/server"; exit 1; }

json=$work/json
[ -z "${EMULATOR:-}" ] || json=Z:${json//\//\\}
[ "$expect_exit" -ne 0 ] || set -- "$@" --timeout 50
timeout 100 ${EMULATOR:+"$EMULATOR"} "$loadgen" --port "$port" --json "$json" "$@" >"$work/out" 2>&1 </dev/null
code=$?
cat "$work/out"
text=
[ ! -e "$work/json" ] || text=$(<"$work/json")

# number BEFORE: leaves in $number what follows that text in the JSON; nothing, if nothing does.
number()
{
    number=
    [[ $text =~ $1([0-9]+) ]] && number=${BASH_REMATCH[1]}
}

failed=0
if [ $code -ne "$expect_exit" ]; then
    echo "exit code $code, expected $expect_exit"
    failed=1
fi
for name in lost wrong reordered duplicated unknown stale refused reset closed timed_out failed stuck; do
    number "\"counts\":\{[^}]*\"$name\":"
    count=$number
    case ",${ANY:-}," in *",$name,"*) continue ;; esac
    case ",$columns," in
    *",$name,"*) [ "${count:-0}" -gt 0 ] || { echo "$name is ${count:-missing}, expected above 0"; failed=1; } ;;
    *) [ "${count:-missing}" = 0 ] || { echo "$name is ${count:-missing}, expected 0"; failed=1; } ;;
    esac
done
if [ -n "${SAYS:-}" ] && [[ $text != *"$SAYS"* ]]; then
    echo "the JSON does not hold $SAYS: $text"
    failed=1
fi
if [ -n "${SENT:-}" ]; then
    number '"counts":\{"sent":'
    sent=$number
    [ "${sent:-0}" -eq "$SENT" ] || { echo "sent is ${sent:-missing}, expected $SENT"; failed=1; }
fi
if [ -n "${SENT_MOST:-}" ]; then
    number '"counts":\{"sent":'
    sent=$number
    [ "${sent:-0}" -gt 0 ] && [ "$sent" -le "$SENT_MOST" ] ||
        { echo "sent is ${sent:-missing}, expected $SENT_MOST at most"; failed=1; }
fi
if [ -n "${SETUP:-}" ]; then
    number '"setup_ns":'
    setup=$number
    [ "${setup:-0}" -ge $((SETUP * 1000000)) ] ||
        { echo "set-up took ${setup:-no} ns, expected $SETUP ms at least"; failed=1; }
fi
if [ -n "${LATE:-}" ]; then
    number '"first_reply_ns":\{[^}]*"max":'
    first=$number
    number '"latency_ns":\{[^}]*"max":'
    latency=$number
    number '"setup_ns":'
    setup=$number
    echo "set-up ${setup:-missing}, first reply at most ${first:-missing}," \
        "measured latency at most ${latency:-missing} ns"
    [ "${latency:-0}" -gt 0 ] && [ "${first:-0}" -gt $((latency * LATE)) ] &&
        [ "${setup:-0}" -ge "$first" ] || { echo "accepting was measured"; failed=1; }
fi
exit $failed
