#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Two runs that differ in one option can be told apart by the "settings" of their JSON.
#   settings_record.sh PROGRAM [SERVER]
# PROGRAM is a server, or loadgen with a SERVER to load. Every option that --help lists is given a
# value that is not its default, in a run of its own; the settings must then differ from those of
# the run without it, in that option at least (--churn brings --sources along). --json is left out:
# it names the file itself, no setting of the run. EMULATOR in the environment runs a PROGRAM for
# Windows, and of its options only the back ends' own: all servers record the others by the same
# code, and each start takes a while under Wine.
set -u
program=$1
server=${2:-}
emulator=${EMULATOR:-}
work=$(mktemp -d) || exit 1
server_pid=
cleanup()
{
    [ -z "$server_pid" ] || { kill -INT "$server_pid" && wait "$server_pid"; } 2>/dev/null
    rm -rf "$work"
}
trap cleanup EXIT
bad=0
fail()
{
    echo "FAILED: $*"
    bad=1
}

# run NAME ARGS...: leaves NAME.settings, one "key":value a line, in order.
run()
{
    local name=$1 json=$work/$1.json
    shift
    [ -z "$emulator" ] || json=Z:${json//\//\\}
    timeout 60 ${emulator:+"$emulator"} "$program" --json "$json" "$@" >"$work/$name.out" 2>&1 </dev/null
    sed -n 's/.*"settings":{\([^}]*\)}.*/\1/p' "$work/$name.json" 2>/dev/null |
        sed 's/,"/\n"/g' >"$work/$name.settings"
    [ -s "$work/$name.settings" ] || fail "$name ($*): no settings: $(tail -3 "$work/$name.out")"
}

if [ -n "$server" ]; then
    "$server" --port 0 --host 0.0.0.0 >"$work/server" 2>&1 &
    server_pid=$!
    for ((i = 0; i < 200; i++)); do
        port=$(sed -n 's/^listening on .*:\([0-9]*\)$/\1/p' "$work/server")
        [ -z "$port" ] || break
        sleep 0.05
    done
    base=(--port "$port" --connections 2 --seconds 0.02 --warmup 0)
else
    base=(--port 0 --duration 0.02)
fi

# What stands beside an option that means nothing alone.
companion()
{
    case $1 in
    churn-total) echo --churn ;;
    arrivals) echo --rate 1000 ;;
    think-times) echo --think 1ms ;;
    esac
}

# A value that is allowed and not the default: value NAME PLACEHOLDER RANGE-AND-DEFAULT.
value()
{
    local default=${3##*; default }
    default=${default%]}
    case $1 in
    recv-buffer | send-block) echo 131072 ;; # at least the longest frame
    send-blocks) echo 20000 ;;               # at least the reserves of the sessions
    duration | seconds | warmup) echo 0.03 ;;
    connect-rate) echo 1000 ;;
    find-rate) echo p99=1s ;;
    size) echo 33..40 ;;
    target) echo "127.0.0.1:$port,127.0.0.2:$port" ;;
    per-connection) echo "$work/rows" ;;
    reply-size) echo 11:2,40 ;;
    host) echo 127.0.0.2 ;;
    source) echo 127.0.0.3 ;;
    port) echo 47 ;; # a server may not have it: see below
    rio-provider) # must load; another spelling of the one that scripts/wine.sh lends
        provider=Z:$(dirname "$program")/./ringside_rio.dll
        echo "${provider//\//\\}"
        ;;
    *)
        case $2 in
        "on|off") [ "$default" = on ] && echo off || echo on ;;
        *"|"*) tr '|' '\n' <<<"$2" | grep -vxm1 -- "$default" ;;
        N | X)
            local most=${3#* to }
            most=${most%% *}
            most=${most%;}
            awk -v d="$default" -v m="$most" 'BEGIN { print d + 1 <= m ? d + 1 : d - 1 }'
            ;;
        A.B.C.D) echo 127.0.0.3 ;;
        *) echo "unknown" ;;
        esac
        ;;
    esac
}

timeout 60 ${emulator:+"$emulator"} "$program" --help </dev/null | tr -d '\r' >"$work/help"
run base "${base[@]}"
count=0
own=
[ -n "$emulator" ] || own=yes
while read -r name placeholder; do
    [ "$name" != sndbuf ] || own=yes # the first of a back end's
    [ -n "$own" ] || continue
    range=$(grep -A3 -- "^  --$name " "$work/help" | grep -m1 '^ *\[')
    case $range in
    *"[refused here"*) continue ;;
    esac
    case $name in
    json | help | version) continue ;;
    esac
    given=$(value "$name" "$placeholder" "$range")
    if [ "$name" = port ] && [ -z "$server" ]; then # the base run's port has just become free
        given=$(tr -d '\r' <"$work/base.out" | sed -n 's/^listening on .*:\([0-9]*\)$/\1/p')
    fi
    args=()
    for ((i = 0; i < ${#base[@]}; i += 2)); do # an option is given once
        [ "$name:${base[i]}" = "target:--port" ] && continue # instead of it
        [ "${base[i]}" = "--$name" ] || args+=("${base[i]}" "${base[i + 1]}")
    done
    beside=$(companion "$name")
    before=base
    if [ -n "$beside" ]; then
        before=beside
        run beside "${base[@]}" $beside
    fi
    run "$name" "${args[@]}" $beside "--$name" "$given"
    key=${name//-/_}
    changed=$(diff "$work/$before.settings" "$work/$name.settings" | sed -n 's/^> "\([^"]*\)":.*/\1/p')
    grep -qx "$key" <<<"$changed" ||
        fail "--$name $given: the settings differ in '$(echo $changed)', not in $key"
    count=$((count + 1))
done < <(sed -n 's/^  --\([a-z-]*\) \([^ ]*\).*/\1 \2/p' "$work/help")
echo "$count options"
[ $count -ge $((${#emulator} > 0 ? 10 : 20)) ] || fail "only $count options were tried"
exit $bad
