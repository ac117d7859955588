#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/asserts_test.sh ASSERTS WORK: what tests/asserts.sh counts, and that it fails for a module with
# too few assertions, for all of src, and for a module that is gone. In made-up trees under WORK.
set -eu
asserts=$1
work=$2
rm -rf "$work"

fail() { echo "asserts_test: $*" >&2; exit 1; }

# One function in two lines, one in one; three assertions, beside some that are none.
full() {
    mkdir -p "$(dirname "$work/src/$1")"
    cat >"$work/src/$1.c" <<'C'
/* The macros stand in a comment:
 * RS_ASSERT(1) is none. */
#define AN_ASSERT(x) RS_ASSERT(x)
_Static_assert(sizeof(int) == 4, "no assertion of a function");
int declared(int a,
             int b);

static int first(int a,
                 int b) {
    RS_ASSERT(a > 0);
    if (b > 0) {
        RS_DEBUG_ASSERT(b > a);
    }
    return a;
}

int second(void) {
    RS_UNREACHABLE("never");
    RS_FATAL("call", 0, "never");
}
C
}
all() { for module in core/session core/sendq core/slab server/shard seam/conn_engine; do full "common/$module"; done; }

all
"$asserts" "$work" >"$work/out" || fail "two a function were refused: $(cat "$work/out")"
grep -q '^4 2 2.00 src/common/core/slab$' "$work/out" || fail "counted: $(cat "$work/out")"
grep -q '^20 10 2.00 SRC$' "$work/out" || fail "summed: $(cat "$work/out")"

# expect WHAT: it fails and names it.
expect() {
    "$asserts" "$work" >"$work/out" && fail "$1 was not reported"
    grep -q "^asserts: $1: fewer than " "$work/out" || fail "not $1 but: $(cat "$work/out")"
}
sed -i '/DEBUG_ASSERT/d' "$work/src/common/core/slab.c"
expect src/common/core/slab
rm "$work/src/common/core/slab.c"
expect src/common/core/slab
all
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25; do
    printf 'int none(void) {\n}\n' >"$work/src/none$i.c"
done
expect SRC
rm -r "$work"
