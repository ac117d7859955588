#!/bin/bash
# SPDX-License-Identifier: MIT
# tests/fresh.sh SUITE [FOLDER] [--mirror URL] [--keep] [-- COMMAND...]: the README's two commands on
# a machine that has nothing.
#
# Makes a minimal Debian SUITE (bookworm, trixie) with debootstrap, clones the commit that is checked
# out here into FOLDER in it (default "sp ace ü"), and runs there bench/compare.sh and tests/run.sh,
# or COMMAND. By hand, as root, about 40 minutes; needs debootstrap and 8 GiB below /var/tmp.
# --mirror: where the packages come from; default is what this machine's own apt uses for Debian.
# --keep leaves the root where it is, for a look.
# Pass: each command ends with 0; the last lines say which did and how long it took.
set -u -o pipefail

cd "$(dirname "$0")/.." || exit 1
source=$PWD
suite=
folder=
mirror=
keep=no
commands=(bench/compare.sh tests/run.sh)

die()
{
    echo "fresh: $*" >&2
    exit 1
}

while [ $# -gt 0 ]; do
    case $1 in
    --mirror) mirror=${2:?URL}; shift ;;
    --keep) keep=yes ;;
    --) shift; commands=("$*"); break ;;
    -*) die "unknown option $1" ;;
    *) if [ -z "$suite" ]; then suite=$1; else folder=$1; fi ;;
    esac
    shift
done
[ -n "$suite" ] || die "usage: tests/fresh.sh SUITE [FOLDER] [--mirror URL] [--keep] [-- COMMAND...]"
folder=${folder:-sp ace ü}
[ "$(id -u)" -eq 0 ] || die "must be root"
command -v debootstrap >/dev/null || die "debootstrap is missing: apt-get install debootstrap"
[ -n "$mirror" ] || mirror=$(apt-get indextargets --format '$(LABEL) $(COMPONENT) $(REPO_URI)' |
    sed -n 's/^Debian main //p' | head -n 1)
[ -n "$mirror" ] || die "apt names no mirror of Debian here: --mirror URL"

root=$(mktemp -d /var/tmp/ringside-fresh.XXXXXX) || exit 1
cleanup()
{
    [ "$keep" = yes ] && echo "fresh: kept: $root" && return
    rm -rf --one-file-system "$root"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# enter COMMAND...: in the root, with mounts and processes of its own; nothing outlives it.
enter()
{
    unshare --mount --pid --fork --kill-child bash -c '
        root=$1
        shift
        mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev" &&
            mount --rbind /sys "$root/sys" || exit 1
        exec chroot "$root" /usr/bin/env -i HOME=/root LANG=C.UTF-8 \
            PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"' - "$root" "$@" </dev/null
}

# timed NAME COMMAND...: one line of the summary.
summary=()
failed=0
timed()
{
    local at=$SECONDS code
    "${@:2}"
    code=$?
    [ $code -eq 0 ] || failed=1
    summary+=("$(printf '%-40s exit %-4s %5s s' "$1" $code $((SECONDS - at)))")
    return $code
}

debootstrap --variant=minbase "$suite" "$root" "$mirror" >"$root.log" 2>&1 ||
    { tail -n 20 "$root.log"; rm -f "$root.log"; die "debootstrap failed"; }
rm -f "$root.log"
for file in resolv.conf hosts; do # a name resolves there as it does here
    cp --dereference "/etc/$file" "$root/etc/$file"
done
mkdir -p "$root/src"
git clone -q --no-hardlinks "$source" "$root/src/$folder" || die "cannot clone $source"
commit=$(git rev-parse --short=12 HEAD) # of the clone: HEAD here may move on meanwhile
for command in "${commands[@]}"; do
    timed "$command" enter bash -c 'cd "/src/$1" && shift && exec bash -c "$*"' - "$folder" "$command"
done
echo
echo "== fresh $suite, $(. "$root/etc/os-release" && echo "$PRETTY_NAME"), commit $commit, folder '$folder'"
printf '%s\n' "${summary[@]}"
exit $failed
