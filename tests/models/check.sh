#!/bin/sh
# SPDX-License-Identifier: MIT
# check.sh MODEL.pml WORK [-DNAME=VALUE...]: searches a model whole with SPIN, for deadlocks and
# assertions. Exit 0: nothing found. 1: an error was found. 2: the search did not finish, or the
# tools failed.
set -eu

model=$1
work=$2
shift 2
rm -rf "$work"
mkdir -p "$work"
cp "$model" "$work/model.pml"
cd "$work"
{ spin "$@" -a model.pml && cc -O0 -w -DSAFETY -DNOREDUCE -o pan pan.c; } >build.log 2>&1 ||
    { cat build.log; exit 2; }
./pan -m100000 >pan.log 2>&1 || { cat pan.log; exit 2; }
grep -E 'State-vector|states, stored|errors:' pan.log
if grep -qE 'max search depth too small|out of memory' pan.log; then
    cat pan.log
    exit 2
fi
grep -q 'errors: 0' pan.log && exit 0
grep -E 'pan:' pan.log || true
grep -q 'errors: [1-9]' pan.log && exit 1
exit 2
