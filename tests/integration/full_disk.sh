#!/bin/bash
# SPDX-License-Identifier: MIT
# full_disk.sh BIN CASE WORK: a comparison whose results cannot be written.
#
# Set up: a first comparison leaves its results; then the disk under them is full (a small tmpfs, as
# root), or the size of files is limited (anybody). CASE: full, limit: from the start on; fills: a
# neighbour takes the rest after the first run; gone: the folder cannot be made; unwritable: one of
# the old files may not be written (root, who may, asks as nobody).
# Pass: exit code 1, one line that names the cause and no other, every result file of the first
# comparison byte for byte as it was ("fills": but runs.csv, which holds the new runs). Skipped
# (77) where no tmpfs can be mounted.
set -u
bin=$1
case=$2
work=$3
out=$work/disk/out
mounted=
open=

finish()
{
    [ -z "$mounted" ] || umount "$work/disk"
    [ -z "$open" ] || rm -rf "$open"
}
trap finish EXIT

run()
{
    "$bin/compare" --out "$out" --servers "a=$bin/epoll_server" --scenario ping-pong \
        --seconds 0.2 --warmup 0 --placement free --progress off --no-instrument-test --disturbed-max 100 "$@" </dev/null
}

fail()
{
    echo "FAILED: $*"
    bad=1
}

files="report.html report.md results.csv results.json"
bad=0
rm -rf "$work"
mkdir -p "$work/disk"
if [ "$case" = full ] || [ "$case" = fills ]; then
    mount -t tmpfs -o size=2m none "$work/disk" 2>/dev/null || exit 77
    mounted=yes
fi
run --repeat 1 >"$work/first.txt" 2>&1 || { cat "$work/first.txt"; exit 1; }
(cd "$out" && cat $files) >"$work/before"

fill()
{
    cat /dev/zero >"$work/disk/neighbour" 2>/dev/null
}

why="disk is full"
case $case in
full)
    fill
    cat "$out/runs.csv" >>"$work/before"
    run --repeat 1 >"$work/console.txt" 2>"$work/errors.txt"
    code=$?
    ;;
fills)
    run --repeat 20 >"$work/console.txt" 2>"$work/errors.txt" &
    pid=$!
    for ((i = 0; i < 600; i++)); do
        [ "$(wc -l <"$out/runs.csv")" -ge 3 ] && break
        sleep 0.05
    done
    fill
    wait $pid
    code=$?
    ;;
limit)
    why="file size limit"
    cat "$out/runs.csv" >>"$work/before"
    (ulimit -f 8 && run --repeat 1 >"$work/console.txt" 2>"$work/errors.txt")
    code=$?
    ;;
gone)
    why="Not a directory"
    cat "$out/runs.csv" >>"$work/before"
    kept=$out
    out=$out/results.json
    run --repeat 1 >/dev/null 2>"$work/errors.txt" && fail "a file is taken for a folder"
    grep -q "^compare: .*: Not a directory$" "$work/errors.txt" || fail "$(cat "$work/errors.txt")"
    out=$out/deeper
    run --repeat 1 >"$work/console.txt" 2>"$work/errors.txt"
    code=$?
    out=$kept
    ;;
unwritable)
    why="Permission denied"
    cat "$out/runs.csv" >>"$work/before"
    nobody=
    if [ "$(id -u)" -eq 0 ]; then
        # From its own copy: nobody may not be let into the folders above.
        nobody="setpriv --reuid 65534 --clear-groups"
        open=$(mktemp -d) && chmod 755 "$open" && cp "$bin/compare" "$bin/epoll_server" \
            "$bin/loadgen" "$open" && cp -R "$out" "$open/out" && chown -R 65534 "$open/out" || exit 77
        $nobody "$open/compare" --list >/dev/null 2>&1 || exit 77
        bin=$open
        out=$open/out
    fi
    chmod 444 "$out/report.html"
    $nobody "$bin/compare" --out "$out" --servers "a=$bin/epoll_server" --scenario ping-pong \
        --no-instrument-test --disturbed-max 100 --repeat 1 --seconds 0.2 </dev/null >"$work/console.txt" 2>"$work/errors.txt"
    code=$?
    ;;
*) echo "no such case: $case"; exit 1 ;;
esac

(cd "$out" && cat $files && { [ "$case" = fills ] || cat runs.csv; }) >"$work/after"
[ $code -eq 1 ] || fail "exit code $code"
[ "$(wc -l <"$work/errors.txt")" -eq 1 ] || fail "not one line: $(cat "$work/errors.txt")"
grep -q "^compare: .*: .*$why" "$work/errors.txt" || fail "'$why' is not named: $(cat "$work/errors.txt")"
cmp "$work/before" "$work/after" || fail "the earlier results are not as they were"
exit $bad
