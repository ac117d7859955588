#!/bin/bash
# SPDX-License-Identifier: MIT
# compare_command_line.sh BIN COMPARE_SH WORK: bad command lines of compare that need more than the
# table of options: each is refused at once, with exit code 2 and a line that names the cause.
set -u
bin=$1
script=$2
work=$3
rm -rf "$work"
mkdir -p "$work"
bad=0

# refused "TEXT" ARGS...: exit code 2, no run, and TEXT in the last line.
refused()
{
    text=$1
    shift
    timeout 60 "$bin/compare" --out "$work/out" --progress off "$@" >"$work/console" 2>"$work/errors" </dev/null
    code=$?
    if [ $code -ne 2 ] || ! tail -n 1 "$work/errors" | grep -qF -- "$text" || [ -s "$work/console" ]; then
        echo "FAILED: compare $*: exit code $code, expected 2 and '$text':"
        cat "$work/errors"
        bad=1
    fi
}

refused "--tradeoffs --ladder: " --tradeoffs --ladder
refused "--quick --full: " --full --quick
refused "--agree: 'a': needs two folders" --agree a
refused "--servers: 'mine=/nonexistent': no such program" --servers mine=/nonexistent
refused "--map --question: " --question 13 --map
refused "--width: " --map --width 5
refused "--width: " --calibrate --width 5
refused "--question: '77': no such question" --question 77
refused "--question: '15': the servers do not call it" --question 15
refused "--question: '13': has scenarios and servers" --question 13 --scenario wide
one=(--servers "one=$bin/epoll_server" --scenario ping-pong)
refused "--set: 'two': not a server" "${one[@]}" --set two.nodelay=off
refused "unknown option --nodela; did you mean --nodelay?" "${one[@]}" --set one.nodela=off
refused "--nodelay: 'maybe'" "${one[@]}" --set all.nodelay=maybe
[ -e "$work/out/runs.csv" ] && { echo "FAILED: a run was begun"; bad=1; }

timeout 60 "$bin/compare" --question list >"$work/console" 2>&1 </dev/null
if [ $? -ne 0 ] || ! grep -q '^13 gqcs-ex ' "$work/console" || [ "$(wc -l <"$work/console")" -ne 18 ]; then
    echo "FAILED: --question list:"
    cat "$work/console"
    bad=1
fi

# Right ones are measured.
timeout 60 "$bin/compare" --out "$work/out" --progress off "${one[@]}" --set one.nodelay=off --repeat 1 \
    --seconds 0.2 --warmup 0 --no-instrument-test >"$work/console" 2>"$work/errors" </dev/null
code=$?
if [ $code -ne 0 ] && [ $code -ne 3 ]; then # 3: sound, but disturbed on a busy machine
    echo "FAILED: a right --set: exit code $code"
    cat "$work/errors"
    bad=1
fi

# The script: no package manager, no build.
mkdir -p "$work/fresh/bench"
cp "$script" "$work/fresh/bench/compare.sh"
for option in --help -h '-?' --version; do
    timeout 10 bash "$work/fresh/bench/compare.sh" "$option" >"$work/console" 2>&1 </dev/null
    code=$?
    if [ $code -ne 0 ] || ! grep -q 'docs/settings.md' "$work/console"; then
        echo "FAILED: compare.sh $option: exit code $code"
        cat "$work/console"
        bad=1
    fi
done
exit $bad
