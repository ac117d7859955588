#!/bin/bash
# SPDX-License-Identifier: MIT
# compare_builds.sh BIN WORK: --builds takes the layouts in turn, the same for both of a pair, and
# says which is missing. Scripts stand for the layouts: each notes its name and starts the server.
set -u
bin=$1
work=$2
rm -rf "$work"
mkdir -p "$work"

fail()
{
    echo "FAILED: $*"
    exit 1
}

for name in a b; do
    for layout in "" _layout1 _layout2 _layout3; do
        printf '#!/bin/sh\necho %s%s >>"%s/order"\nexec "%s/epoll_server" "$@"\n' \
            $name "$layout" "$work" "$bin" >"$work/$name$layout"
        chmod +x "$work/$name$layout"
    done
done
run()
{
    "$bin/compare" --servers "a=$work/a,b=$work/b" --scenario ping-pong --repeat 3 --seconds 0.1 \
        --warmup 0 --no-control --no-instrument-test --disturbed-max 100 --progress off \
        --out "$work/out" "$@" >"$work/console.txt" 2>&1 </dev/null
}
run --builds 3 || fail "$(cat "$work/console.txt")"
grep -q "^builds  *3 of each server in turn" "$work/console.txt" || fail "the banner is silent"
# Two warm-ups and a dropped round of the first build; then one round of each.
want="a_layout1 b_layout1 a_layout1 b_layout1 a_layout1 b_layout1 a_layout2 b_layout2 a_layout3 b_layout3"
got=$(paste -d ' ' - - <"$work/order" | while read -r x y; do printf '%s\n%s\n' "$x" "$y" | sort; done | paste -s -d ' ')
[ "$got" = "$want" ] || fail "order: $got"
rm "$work/order" "$work/b_layout2"
run --builds 3
[ $? -eq 1 ] || fail "a missing build passes"
grep -q "b_layout2: no such program; build the target layouts" "$work/console.txt" ||
    fail "$(cat "$work/console.txt")"
run || fail "without --builds: $(cat "$work/console.txt")"
grep -q layout "$work/order" && fail "a layout is started without --builds"
exit 0
