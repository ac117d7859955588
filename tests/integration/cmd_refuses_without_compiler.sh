#!/bin/sh
# SPDX-License-Identifier: MIT
# Set up: Wine's cmd, whose PATH holds no compiler. Runs tests\run.cmd and bench\compare.cmd.
# Pass: each exits 2 and prints exactly one line, which names the compilers that would do.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root" || exit 1
bad=0
for script in 'tests\run.cmd' 'bench\compare.cmd'; do
    output=$(scripts/wine.sh cmd /c "$script" 2>&1 </dev/null)
    code=$?
    lines=$(printf '%s\n' "$output" | wc -l)
    printf '%s: exit %s, %s line(s): %s\n' "$script" "$code" "$lines" "$output"
    case $output in
    *"no C compiler found"*"Visual Studio"*gcc*) ;;
    *) bad=1 ;;
    esac
    [ "$code" -eq 2 ] && [ "$lines" -eq 1 ] || bad=1
done
exit $bad
