#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/style.sh FILE...: the parts of the C style that clang-format does not know. Prints FILE:LINE
# and what is wrong; exit code 1 if anything is. tests/style_test.sh shows that each rule can fail.
#
#   sizeof        an expression without parentheses: sizeof x, sizeof *x; a type with them
#   NULL          pointers are compared with it, on the right: p == NULL, not !p (for the parameters
#                 and variables of the function that are declared as pointers)
#   declarations  no blank line after those at the head of a function
set -eu
[ $# -gt 0 ] || { echo "style: no file given" >&2; exit 2; }

awk '
function fault(what) { printf "%s:%d: %s\n", FILENAME, FNR, what; found = 1 }
function is_type(name) {
    return name ~ /^(const |struct |enum |unsigned |void|char|int|long|short|bool|float|double)/ ||
           name ~ /^[a-z0-9_]+_t[ *]*$/ || name ~ /^[A-Z][A-Za-z0-9_]*[ *]*$/ || name in types ||
           name ~ / \*+$/ || name ~ /^\(\(type/
}
# The names of pointers that a line declares: parameters and variables.
function note_pointers(line,   rest) {
    rest = line
    while (match(rest, /[A-Za-z0-9_] \*+(const )?[a-z_][a-z0-9_]*( = |[,;)]|$)/)) {
        word = substr(rest, RSTART, RLENGTH)
        rest = substr(rest, RSTART + RLENGTH)
        sub(/^[A-Za-z0-9_] \*+(const )?/, "", word)
        sub(/[^a-z0-9_].*$/, "", word)
        pointers[word] = 1
    }
}
FNR == 1 { head = top = lead = 0 }
{
    line = $0
    sub(/\/\*.*\*\//, "", line)
    sub(/[ \t]+$/, "", line)
}
pass == 1 {
    if (match(line, /^} [a-z_0-9]+;$/)) { name = substr(line, 3); sub(/;/, "", name); types[name] = 1 }
    if (match(line, /^typedef .* \*?[a-z_0-9]+;$/)) { name = line; sub(/;$/, "", name); sub(/.*[ *]/, "", name); types[name] = 1 }
    next
}
/^[ \t]*\*/ || /^[ \t]*\/\*/ { if (lead && !/^[ \t]*\*/) lead = 0; next }
{
    text = line
    gsub(/"([^"\\]|\\.)*"/, "\"\"", text)
    rest = text
    while ($0 !~ /^#define|\\$/ && match(rest, /sizeof\([^()]*\)/)) {
        name = substr(rest, RSTART + 7, RLENGTH - 8)
        rest = substr(rest, RSTART + RLENGTH)
        if (!is_type(name)) fault("sizeof: write sizeof " name)
    }
    if (text ~ /NULL [!=]= [a-z]/) fault("NULL: on the right of a comparison")
}
/^[A-Za-z]/ && /\(/ && line !~ /;$/ { head = 1; top = 0; split("", pointers) }
/^}/ { top = 0 }
head {
    note_pointers(text)
    if (line ~ /\) \{$/) { head = 0; top = 1; lead = 1; seen = 0; multi = 0 }
    else if (line ~ /[;{]$/) head = 0
    next
}
top {
    note_pointers(text)
    rest = text
    while (match(rest, /![a-z_][a-z0-9_]*([ );&|]|$)/)) {
        name = substr(rest, RSTART + 1, RLENGTH - 1)
        rest = substr(rest, RSTART + RLENGTH)
        sub(/[^a-z0-9_].*$/, "", name)
        if (name in pointers) fault("NULL: write " name " == NULL")
    }
}
lead {
    if (multi) { if (line ~ /;$/) multi = 0; next }
    if (line == "") { if (seen) fault("declarations: blank line after those of a function"); lead = 0; next }
    if (line ~ /^    (return|if|for|while|do|switch|case|goto|break|continue|else)[^a-z_]/) { lead = 0; next }
    if (line ~ /^    ((static|const|struct|enum|unsigned|volatile) )*[A-Za-z_][A-Za-z0-9_]*( const)? \**(const )?[A-Za-z_(][A-Za-z0-9_*]*( =|;|\[|,|\)\(|\))/) {
        seen = 1
        multi = line !~ /;$/
        next
    }
    lead = 0
}
END { exit found }
' pass=1 "$@" pass=2 "$@"
