#!/bin/bash
# SPDX-License-Identifier: MIT
# bench/compare.sh [--no-build] [OPTIONS]: set-up when needed, build, then build/native/bin/compare.
#
# All measuring is done by that program (bench/compare/, docs/benchmarking.md): it runs
# epoll_server natively (the floor) and iocp_server.exe and rio_server.exe under Wine, each in
# turn, under the same loads. --help lists its options. Results: build/compare/.
set -u

die()
{
    echo "compare: $*" >&2
    exit 1
}

cd "$(dirname "$0")/.." || exit 1
export HOME="${HOME:-$PWD/build}"
compare=build/native/bin/compare

# What needs nothing built, if something was: --help and its like must not install packages.
for argument; do
    case $argument in
    -h | -\? | --help | --version | --list)
        [ "${1:-}" = --no-build ] && shift
        [ -x $compare ] && exec $compare "$@"
        sed -n '3,$s/^# \{0,1\}//p;/^set /q' "$0"
        echo "It is not built yet; docs/settings.md lists its options, docs/compare.md the scenarios."
        exit 0
        ;;
    esac
done

if [ "${1:-}" = --no-build ]; then
    shift
    [ -x $compare ] || die "$compare was not built"
    exec $compare "$@"
fi

./scripts/setup-debian.sh || exit 1
layouts=
case " $* " in *" --builds"[\ =]*) layouts=yes ;; esac
for preset in native windows; do
    log=build/compare.build.$preset.log
    echo "compare: building $preset" >&2
    { cmake --preset $preset -DRS_LTO=ON && cmake --build --preset $preset -j "$(nproc)" &&
        { [ -z "$layouts" ] || cmake --build --preset $preset --target layouts -j "$(nproc)"; }
    } >"$log" 2>&1 ||
        { tail -n 30 "$log" >&2; die "the build of $preset failed"; }
done
exec $compare "$@"
