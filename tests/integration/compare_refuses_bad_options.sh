#!/bin/bash
# Set up: nothing; bench/compare.sh is to stop before it builds or starts anything.
# Pass: each bad option gives exit 2 and one line that names it, on stderr; --help gives exit 0.
set -u
cd "$(dirname "$0")/../.." || exit 1
bad=0

refuse() # WANTED ARGS...
{
    local wanted=$1 output code
    shift
    output=$(bench/compare.sh "$@" 2>&1 >/dev/null </dev/null)
    code=$?
    echo "$*: exit $code: $output"
    [ $code -eq 2 ] && [ "$(wc -l <<<"$output")" -eq 1 ] && [[ $output == *"$wanted"* ]] || bad=1
}

refuse "--bogus" --bogus
refuse "--repeat" --repeat
refuse "--repeat: 'x'" --repeat x
refuse "--repeat: '0'" --repeat 0
refuse "--repeat: '101'" --repeat 101
refuse "--seconds: '-1'" --seconds -1
refuse "--scenario: '3x3'" --scenario 64x1,3x3
refuse "--scenario: ''" --scenario ''
refuse "--placement: 'near'" --placement near
bench/compare.sh --help | grep -q -- --placement || bad=1
exit $bad
