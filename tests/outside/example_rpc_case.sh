#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The example that connects out, over one back end: to the echo example, then to nobody.
#   example_rpc_case.sh PROGRAM ECHO BACK_END [EMULATOR]
# A pass: all calls are answered and it ends with 0; without a service each attempt is told, and it
# ends with 1.
set -u
program=$1 echo=$2 backend=$3 emulator=${4:-}
name="rpc_client over $backend"
# shellcheck source=tests/outside/example_server.sh
. "$(dirname "$0")/example_server.sh"
start "$echo" "$backend" 0
timeout 60 ${emulator:+"$emulator"} "$program" "$backend" "$port" localhost >out 2>&1 </dev/null
code=$?
[ $code -eq 0 ] || fail "exit code $code"
grep -q "^connected to 127.0.0.1:$port" out || fail "not connected"
grep -q "^100 calls, closed: local" out || fail "not all calls"
stop
# Port 1: the one that has come free could be given to the client itself.
timeout 60 ${emulator:+"$emulator"} "$program" "$backend" 1 >out 2>&1 </dev/null
code=$?
[ $code -eq 1 ] || fail "without a service: exit code $code"
[ "$(grep -c '^not connected: .* attempts left' out)" = 6 ] || fail "not 6 attempts"
grep -q ' 0 attempts left' out || fail "the last one is not told"
