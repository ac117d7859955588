#!/bin/bash
# SPDX-License-Identifier: MIT
# odd_folder.sh BIN EMULATOR: programs and scripts from a folder whose name holds a blank and a letter
# that is not ASCII. BIN: the build's programs. EMULATOR: what runs them, or "".
#
# Pass: a unit test that starts itself as its own child, a server under loadgen and a comparison end
# as they do from any other folder.
set -u
here=$(cd "$(dirname "$0")" && pwd)
bin=$(cd "$1" && pwd)
emulator=$2
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
folder="$work/sp ace ü"
mkdir -p "$folder/bin" "$folder/scripts" || exit 1
suffix=
server=epoll_server
if [ -n "$emulator" ]; then
    suffix=.exe
    server=iocp_server
    cp "$emulator" "$folder/scripts/wine.sh" || exit 1
    emulator=$folder/scripts/wine.sh
    export WINEPREFIX="${WINEPREFIX:-$(cd "$here/../.." && pwd)/build/wine-prefix}"
fi
for program in assert_test loadgen compare $server; do
    cp "$bin/$program$suffix" "$folder/bin" || exit 1
done
cp "$here/loadgen_case.sh" "$folder/scripts" && cd "$folder" || exit 1
bad=0

# expect NAME COMMAND...: it ends with 0.
expect()
{
    echo "== $1"
    timeout 100 "${@:2}" </dev/null || { echo "FAILED: $1: exit $?"; bad=1; }
}

expect "a test that starts itself" ${emulator:+"$emulator"} "$PWD/bin/assert_test$suffix"
EMULATOR=$emulator expect "a server under load" scripts/loadgen_case.sh "$PWD/bin/loadgen$suffix" 0 "" \
    ${emulator:+"$emulator"} "$PWD/bin/$server$suffix" --port 0 -- --messages 2000 --depth 4
expect "a comparison" ${emulator:+"$emulator"} "$PWD/bin/compare$suffix" --servers $server \
    --scenario ping-pong --repeat 1 --seconds 0.3 --warmup 0.1 --progress off --disturbed-max 100 --out "the report ü"
[ -s "the report ü/report.html" ] || { echo "FAILED: no report: $(ls)"; bad=1; }
exit $bad
