#!/bin/bash
# SPDX-License-Identifier: MIT
# package_runs.sh WORK BIN: what a stranger does with the two files that package_same_bytes.sh left
# in WORK/day. Its Linux programs may be those of a build for tests; WORK/one has one that ships.
#
# Set up: both unpacked into a folder whose name has a blank. BIN has the RIO provider for Wine, which
# is no part of the package. Pass: no program needs a library that its system does not have;
# first-day.cmd --smoke ends with 0 under Wine's cmd and leaves one folder with every part's output
# and exit code, a second one another folder; compare.cmd and the Linux half run.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
whole=$1/day
bin=$(cd "$2" && pwd)
work="$1/un packed"
bad=0
fail()
{
    echo "FAILED: $*"
    bad=1
}

rm -rf "$work"
mkdir -p "$work" && cd "$work" || exit 1
cmake -E tar xf "$whole"/*.zip && cmake -E tar xf "$whole"/*.tar.gz || exit 1
mkdir one && (cd one && cmake -E tar xf "$whole"/../one/*.tar.gz) || exit 1
windows=$(echo "$PWD"/*windows*)
linux=$(echo "$PWD"/*linux*)

for program in "$windows"/bin/*.exe; do
    needs=$(x86_64-w64-mingw32-objdump -p "$program" | sed -n 's/.*DLL Name: //p' |
        grep -viE '^(kernel32|ntdll|msvcrt|ws2_32|mswsock|psapi|advapi32|user32|iphlpapi|winmm|powrprof|api-ms-win-.*)\.dll$')
    [ -z "$needs" ] || fail "$(basename "$program") needs $needs"
done
for program in one/*/bin/*; do
    [ -x "$program" ] && ! readelf -d "$program" | grep NEEDED ||
        fail "$(basename "$program") is not there, or not static"
done
for file in README.txt LICENSE VERSION.txt licences/cmocka.txt docs/windows.md compare.cmd; do
    [ -s "$windows/$file" ] || fail "the Windows half has no $file"
done

# wine SCRIPT [ARGS]: leaves $code.
wine()
{
    (cd "$windows" && WINEDLLPATH=$bin \
        RINGSIDE_RIO_PROVIDER="Z:${bin//\//\\}\\ringside_rio.dll" \
        timeout 200 "$root/scripts/wine.sh" cmd /c "$@" </dev/null 2>&1)
    code=$?
}

wine first-day.cmd --smoke
[ $code -eq 0 ] || fail "first-day.cmd: exit $code"
parts="rio_contract conformance_iocp conformance_iocp_alternatives conformance_rio
    conformance_rio_event conformance_rio_poll notes compare"
for part in $parts; do
    tr -d '\r' <"$windows/first-day/summary.txt" | grep -qx "$part: exit 0" ||
        fail "the summary says nothing good of $part"
    [ -s "$windows/first-day/$part.txt" ] || fail "nothing of $part"
done
for file in machine.txt VERSION.txt rio_contract.json notes.json notes.html compare/report.html compare/results.json; do
    [ -s "$windows/first-day/$file" ] || fail "no $file"
done
[ "$bad" -eq 0 ] || tail -n 5 "$windows"/first-day/*.txt

# A part that fails is named, and the folder of an earlier day is left alone.
rm "$windows/bin/rio_contract.exe" "$windows"/bin/conformance_*.exe
wine first-day.cmd --smoke
[ $code -eq 1 ] || fail "first-day.cmd without its programs: exit $code"
grep -q '^conformance_rio: exit 0' "$windows/first-day-2/summary.txt" && fail "it says that all is well"
[ -s "$windows/first-day-2/compare/report.html" ] || fail "no second folder"
wine first-day.cmd --bogus
[ $code -eq 2 ] || fail "first-day.cmd --bogus: exit $code"
wine compare.cmd --bogus
[ $code -eq 2 ] || fail "compare.cmd --bogus: exit $code"

"$linux/bin/compare" --servers epoll_server --scenario ping-pong --repeat 1 --seconds 0.3 \
    --warmup 0.1 --progress off --disturbed-max 100 --out "$work/report" </dev/null || fail "compare of the Linux half"
[ -s "$work/report/report.html" ] || fail "no report of the Linux half"
exit $bad
