#!/bin/sh
# SPDX-License-Identifier: MIT
# cmd_compares_without_building.sh BIN: bench\compare.cmd --no-build under Wine's cmd.
# Set up: a folder whose name has a space, in it the script and, as build\windows\bin, the programs
# in BIN. Pass: one short comparison exits 0, leaves a non-empty report and says that it was
# taken under Wine; options with a comma, an equals sign and a space arrive whole; an unknown one
# exits 2, and so does, with one line, a folder in which nothing was built. --help and its like exit 0
# there too, with or without --no-build: no compiler is looked for.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
bin=$(cd "$1" && pwd)
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
here="$work/a folder"
mkdir -p "$here/bench" "$here/build/windows" && cp "$root/bench/compare.cmd" "$here/bench" || exit 1
cd "$here" || exit 1
bad=0

compare()
{
    output=$(timeout 100 "$root/scripts/wine.sh" cmd /c 'bench\compare.cmd' $no_build "$@" 2>&1 </dev/null)
    code=$?
    printf '%s: exit %s\n%s\n' "$*" "$code" "$output"
}

# expect CODE TEXT: of the last compare.
expect()
{
    [ "$code" -eq "$1" ] || { echo "expected exit $1"; bad=1; }
    case $output in
    *"$2"*) ;;
    *) echo "expected: $2"; bad=1 ;;
    esac
}

no_build=
for option in --help -h '-?' --version --list; do
    compare "$option"
    expect 0 'docs\settings.md'
done
no_build=--no-build
compare --quick --help
expect 0 'docs\settings.md'
compare --servers iocp_server
expect 2 "no compare.exe in"
[ "$(printf '%s\n' "$output" | wc -l)" -eq 1 ] || { echo "expected one line"; bad=1; }

ln -s "$bin" build/windows/bin || exit 1
no_build=
for option in --help -h '-?'; do
    compare "$option"
    expect 0 "--servers"
done
compare --quick --version
expect 0 "compare (Ringside)"
compare --list
expect 0 "ping-pong"
compare --help=1
expect 2 "--help: '1'"
no_build=--no-build
compare --help
expect 0 "--servers"
compare --bogus
expect 2 "unknown option --bogus"
compare --scenario 'ping-pong,3x3'
expect 2 "'3x3'"
compare --set 'nodelay=off'
expect 2 "'nodelay=off'"
compare --servers iocp_server --scenario ping-pong --repeat 1 --seconds 0.5 --warmup 0.1 \
    --progress off --disturbed-max 100 --out 'the report'
expect 0 "Taken under Wine"
expect 0 "not cycles of the process (it cannot tell)"
for file in report.html report.md results.csv results.json; do
    [ -s "the report/$file" ] || { echo "$file is missing or empty"; bad=1; }
done
exit $bad
