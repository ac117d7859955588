#!/bin/bash
# SPDX-License-Identifier: MIT
# own_server.sh BIN PAGE WORK CC: the example of docs/your-server.md is at most 40 lines, compiles,
# and compare accepts it beside epoll_server in every kind of load that it is said to serve.
set -u
bin=$1
page=$2
work=$3
cc=$4
rm -rf "$work"
mkdir -p "$work"
fail()
{
    echo "FAILED: $*"
    exit 1
}

# Exit code 3: sound, but on a busy machine others disturbed too many runs; not what this is about.
awk '/^```c$/ { code = 1; next } /^```$/ { code = 0 } code' "$page" >"$work/mine.c"
lines=$(wc -l <"$work/mine.c")
[ "$lines" -gt 20 ] && [ "$lines" -le 40 ] || fail "the example has $lines lines"
"$cc" -O2 -Wall -Wextra -Werror -o "$work/mine" "$work/mine.c" || fail "it does not compile"
"$bin/compare" --out "$work/out" --servers "epoll_server,mine=$work/mine" \
    --scenario ping-pong,many-small,pipelined,large,ramp --repeat 1 --seconds 0.15 --warmup 0.05 \
    --placement free --progress off --no-instrument-test >"$work/console" 2>&1 </dev/null
code=$?
[ $code -eq 0 ] || [ $code -eq 3 ] || { cat "$work/console"; fail "exit code $code"; }
[ "$(grep -c ',mine,Linux,.*,1,ok,' "$work/out/runs.csv")" -eq 5 ] || fail "not five sound runs"

# What does not count its messages is void: the check is one.
sed 's/2 \* (size_t)got/(size_t)got/' "$work/mine.c" >"$work/half.c"
"$cc" -O2 -o "$work/half" "$work/half.c" || fail "the half does not compile"
"$bin/compare" --out "$work/half.out" --servers "mine=$work/half" --scenario ping-pong --repeat 1 \
    --seconds 0.2 --warmup 0 --placement free --progress off --no-instrument-test \
    >"$work/console" 2>&1 </dev/null
code=$?
[ $code -eq 1 ] && grep -q 'void: mine ping-pong, run 1: the server counted' "$work/console" ||
    { cat "$work/console"; fail "a server that counts half its bytes: exit code $code"; }
