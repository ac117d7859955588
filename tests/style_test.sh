#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/style_test.sh STYLE WORK: shows that tests/style.sh accepts good code and that each rule can
# fail, at the line that breaks it.
set -eu
style=$1
work=$2
mkdir -p "$work"

fail() { echo "style_test: $*" >&2; exit 1; }

cat >"$work/good.c" <<'C'
typedef struct thing {
    int *at;
} thing;

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static int good(const thing *it, char *text,
                bool ready) {
    static const int table[] = {
        1,
    };
    thing copy = *it;
    copy.at = NULL;

    if (it == NULL || !ready || !is_open(text)) {
        return (int)(sizeof(thing) + sizeof(struct other) + sizeof(uint32_t) + sizeof copy);
    }
    puts("sizeof(copy) and !it in a text"); /* !it, sizeof(copy) */
    return table[0];
}
C
"$style" "$work/good.c" || fail "good code was refused"

# expect LINE RULE: good.c with its line LINE replaced by standard input.
expect()
{
    { head -n "$(($1 - 1))" "$work/good.c"; cat; tail -n "+$(($1 + 1))" "$work/good.c"; } >"$work/bad.c"
    "$style" "$work/bad.c" >"$work/out" && fail "line $1: '$2' was not reported"
    grep -q "bad.c:[0-9]*: $2: " "$work/out" || fail "line $1: not '$2' but: $(cat "$work/out")"
}

echo '        return (int)sizeof(copy);' | expect 16 sizeof
echo '        return (int)sizeof(*it);' | expect 16 sizeof
echo '    if (!it) {' | expect 15 NULL
echo '    if (!ready || !text) {' | expect 15 NULL
echo '    if (NULL == it) {' | expect 15 NULL
printf '\n    copy.at = NULL;\n' | expect 13 declarations
rm -r "$work"
