#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/asserts.sh [ROOT]: assertions a function in ROOT/src: one line a module and one for all of
# them: ASSERTIONS FUNCTIONS RATIO MODULE. Exit code 1 if one is below what `least` says.
# tests/asserts_test.sh shows that the count is right and that each way to fail exists.
#
# A function is a line that ends in ") {", or such a line's continuation, outside every brace. An
# assertion is a use of RS_ASSERT, RS_DEBUG_ASSERT, RS_UNREACHABLE or RS_FATAL; _Static_assert and the
# macros' own definitions are left out. A module is the files of one name in one folder.
set -eu
cd "${1:-$(dirname "$0")/..}"

# Where a broken invariant costs most, and everywhere. SRC stands for the sum.
least='2.0 src/common/core/session
2.0 src/common/core/sendq
2.0 src/common/core/slab
2.0 src/common/server/shard
2.0 src/common/seam/conn_engine
1.0 SRC'

# shellcheck disable=SC2046 # no name in src has a blank
awk -v least="$least" '
FNR == 1 {
    module = FILENAME
    sub(/\.[ch]$/, "", module)
    if (!(module in functions)) { functions[module] = asserts[module] = 0; order[++modules] = module }
    open_head = 0
}
/^#/ || /^ \*/ { next }
/^[A-Za-z].*\) \{$/ || (/^ .*\) \{$/ && open_head) { functions[module]++; open_head = 0; next }
/^[A-Za-z].*\(/ { open_head = !/;$/ }
/;$/ { open_head = 0 }
{ asserts[module] += gsub(/RS_(ASSERT|DEBUG_ASSERT|UNREACHABLE|FATAL)\(/, "&") }
END {
    for (i = 1; i <= modules; i++) {
        functions["SRC"] += functions[order[i]]
        asserts["SRC"] += asserts[order[i]]
    }
    order[++modules] = "SRC"
    for (i = 1; i <= modules; i++) {
        m = order[i]
        if (functions[m] > 0) printf "%d %d %.2f %s\n", asserts[m], functions[m], asserts[m] / functions[m], m
    }
    rows = split(least, row, "\n")
    for (i = 1; i <= rows; i++) {
        split(row[i], at, " ")
        if (functions[at[2]] + 0 == 0 || asserts[at[2]] < at[1] * functions[at[2]]) {
            print "asserts: " at[2] ": fewer than " at[1] " a function"
            bad = 1
        }
    }
    exit bad
}' $(find src -name '*.[ch]' | sort)
