#!/bin/bash
# bench/compare.sh: builds, runs every server in turn under the same load, prints one table.
#
# Servers: epoll_server (native Linux: the floor), iocp_server.exe and, once built, rio_server.exe
# under Wine. Load: the native loadgen, which checks every reply. Runs are interleaved, forwards
# then backwards (A B B A), each with a fresh server; the table shows medians. Under Wine the
# figures are about Wine: a server is set against the floor, never RIO against IOCP.
# CPU is read from /proc for the server and, apart, for the wineserver that serves it.
set -u

usage()
{
    cat <<'END'
usage: bench/compare.sh [options]
  --quick               one scenario, two runs of each server, half a second each
  --repeat N            runs of each server and scenario, 1 to 100 (default 4)
  --seconds S           measured time of one run, 1 to 600 (default 1), after 0.3 s warm-up
  --scenario LIST       comma-separated, out of: 64x1 64x16 1x1 512x1 (default 64x1,64x16,1x1);
                        connections x requests in flight on each, 32-byte frames
  --placement pinned    server and wineserver on one CPU, loadgen on another (default)
  --placement free      wherever the kernel puts them
  --no-build            take the programs as they are
  --help
END
}

usage_error()
{
    echo "compare: $*" >&2
    exit 2
}

die()
{
    echo "compare: $*" >&2
    exit 1
}

whole_number() # NAME VALUE MIN MAX
{
    [[ $2 =~ ^[0-9]{1,6}$ ]] && ((10#$2 >= $3 && 10#$2 <= $4)) ||
        usage_error "$1: '$2' is not a number from $3 to $4"
}

repeats=4
seconds=1
warmup=0.3
scenarios=64x1,64x16,1x1
placement=pinned
build=yes
while [ $# -gt 0 ]; do
    case $1 in
    --help) usage; exit 0 ;;
    --quick) repeats=2 seconds=0.5 warmup=0.2 scenarios=64x1 ;;
    --no-build) build=no ;;
    --repeat | --seconds | --scenario | --placement)
        [ $# -ge 2 ] || usage_error "$1 needs a value (see --help)"
        case $1 in
        --repeat) whole_number "$1" "$2" 1 100; repeats=$((10#$2)) ;;
        --seconds) whole_number "$1" "$2" 1 600; seconds=$((10#$2)) ;;
        --scenario) scenarios=$2 ;;
        --placement) placement=$2 ;;
        esac
        shift ;;
    *) usage_error "unknown option '$1' (see --help)" ;;
    esac
    shift
done
case $placement in pinned | free) ;; *) usage_error "--placement: '$placement' is neither pinned nor free" ;; esac
for scenario in ${scenarios//,/ }; do
    case $scenario in 64x1 | 64x16 | 1x1 | 512x1) ;;
    *) usage_error "--scenario: '$scenario' is not one of 64x1 64x16 1x1 512x1" ;; esac
done
[ -n "${scenarios//,/}" ] || usage_error "--scenario: '' is not one of 64x1 64x16 1x1 512x1"

cd "$(dirname "$0")/.." || exit 1
root=$PWD
out=$root/build/compare
export HOME="${HOME:-$root/build}"
own_prefix=
if [ -z "${WINEPREFIX:-}" ]; then
    own_prefix=$root/build/wine-prefix-compare
    export WINEPREFIX="$own_prefix"
fi
server_pid=
load_pid=

# ---- ending: whatever was started is ended by its id, on every way out

end_process() # PID
{
    [ -n "$1" ] && kill -0 "$1" 2>/dev/null || return 0
    kill -KILL "$1" 2>/dev/null
    wait "$1" 2>/dev/null
}

cleanup()
{
    end_process "$load_pid"
    end_process "$server_pid"
    [ -n "$own_prefix" ] && [ -d "$own_prefix" ] || return 0
    wineserver -k >/dev/null 2>&1 </dev/null
    timeout 30 wineserver -w >/dev/null 2>&1 </dev/null
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# ---- placement

# The processors this shell may use, one a line: the kernel's list looks like 0-2,5.
allowed_cpus()
{
    sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status | tr ',' '\n' |
        awk -F- '{ for (i = $1; i <= (NF > 1 ? $2 : $1); i++) print i }'
}

choose_cpus()
{
    local cpus
    mapfile -t cpus < <(allowed_cpus)
    server_cpu=${cpus[0]}
    load_cpu=${cpus[1]:-${cpus[0]}}
    if [ "$placement" = free ]; then
        placement_text="free: the kernel places server, wineserver and loadgen"
    elif [ "$server_cpu" = "$load_cpu" ]; then
        placement_text="server, wineserver and loadgen all on CPU $server_cpu, the only one here"
    else
        placement_text="server and wineserver on CPU $server_cpu, loadgen on CPU $load_cpu"
    fi
}

# ---- reading figures

# json_get FILE PATH: one value out of a JSON file, by its keys joined with dots; empty if absent.
json_get()
{
    [ -f "$1" ] || return 0
    awk -v want="$2" '
        { text = text $0 " " }
        END {
            token = "^[ \t]*(\"([^\"\\\\]|\\\\.)*\"|[-+.0-9a-zA-Z]+|[][{},:])"
            while (match(text, token)) {
                t = substr(text, 1, RLENGTH); sub(/^[ \t]+/, "", t)
                text = substr(text, RLENGTH + 1)
                if (t == "{" || t == "[") { path[++depth] = ""; continue }
                if (t == "}" || t == "]") { depth--; continue }
                if (t == ",") { path[depth] = ""; continue }
                if (t == ":") continue
                gsub(/^"|"$/, "", t)
                if (path[depth] == "") { path[depth] = t; continue }
                key = path[1]
                for (i = 2; i <= depth; i++) key = key "." path[i]
                if (key == want) { if (t != "null") print t; exit }
            }
        }' "$1"
}

# cpu_ns PID: what all threads of a process have used: nanoseconds from schedstat where the kernel
# keeps it, else the 10 ms ticks of stat.
cpu_ns()
{
    if [ -r "/proc/$1/schedstat" ]; then
        cat "/proc/$1"/task/*/schedstat 2>/dev/null | awk '{ ns += $1 } END { printf "%.0f\n", ns }'
    else
        sed 's/.*) //' "/proc/$1/stat" 2>/dev/null |
            awk -v hz="$(getconf CLK_TCK)" '{ printf "%.0f\n", ($12 + $13) * 1e9 / hz }'
    fi
}

# The wineserver of our prefix lives in a folder named after the prefix's device and inode.
find_wineserver()
{
    local want link
    want=$(printf 'server-%s-%x' "$(stat -Lc %D "$WINEPREFIX")" "$(stat -Lc %i "$WINEPREFIX")")
    for link in /proc/[0-9]*/cwd; do
        case $(readlink "$link" 2>/dev/null) in
        */"$want") link=${link#/proc/}; echo "${link%/cwd}"; return ;;
        esac
    done
}

# ---- one run

start_server() # NAME JSON
{
    local command pin=() deadline
    if [[ $1 == *.exe ]]; then
        command=(scripts/wine.sh "build/windows/bin/$1" --json "Z:${2//\//\\}")
    else
        command=("build/native/bin/$1" --json "$2")
    fi
    [ "$placement" = free ] || pin=(taskset -c "$server_cpu")
    "${pin[@]}" "${command[@]}" --host 127.0.0.1 --port 0 --workers 1 --app echo \
        --max-sessions 1024 >"$out/server.out" 2>"$out/server.err" </dev/null &
    server_pid=$!
    deadline=$((SECONDS + 60))
    port=
    while [ -z "$port" ]; do
        port=$(tr -d '\r' <"$out/server.out" | sed -n 's/^listening on .*:\([0-9]*\)$/\1/p')
        [ -n "$port" ] && break
        kill -0 "$server_pid" 2>/dev/null && [ $SECONDS -lt $deadline ] || return 1
        sleep 0.02
    done
    wineserver_pid=
    [[ $1 != *.exe ]] && return
    wineserver_pid=$(find_wineserver)
    [ -n "$wineserver_pid" ] || return 1
    [ "$placement" = free ] || taskset -a -p -c "$server_cpu" "$wineserver_pid" >/dev/null
}

# SIGINT is the server's Ctrl+C: it drains and writes its figures. Bounded.
stop_server()
{
    local pid=$server_pid deadline=$((SECONDS + 15))
    kill -INT "$pid" 2>/dev/null
    while kill -0 "$pid" 2>/dev/null && [ $SECONDS -lt $deadline ]; do
        sleep 0.02
    done
    end_process "$pid"
    server_pid=
}

run_load() # SCENARIO JSON
{
    local pin=() rc
    [ "$placement" = free ] || pin=(taskset -c "$load_cpu")
    "${pin[@]}" build/native/bin/loadgen --host 127.0.0.1 --port "$port" \
        --connections "${1%x*}" --depth "${1#*x}" --size 32 \
        --seconds "$seconds" --warmup "$warmup" --json "$2" \
        >"$out/load.out" 2>"$out/load.err" </dev/null &
    load_pid=$!
    wait "$load_pid"
    rc=$?
    load_pid=
    return $rc
}

# one_run SERVER SCENARIO INDEX: appends a line of figures to runs.txt; "void" when loadgen found
# a lost, wrong or reordered byte, or anything else went wrong. CPU is that of the whole load,
# warm-up included, and so are the messages it is divided by.
one_run()
{
    local base=$out/$1.$2.$3 server_ns=0 wine_ns=0 verdict=ok
    rm -f "$base".*.json
    if ! start_server "$1" "$base.server.json"; then
        cat "$out/server.err" >&2
        die "$1 did not start (see $out/server.err)"
    fi
    server_ns=$(cpu_ns "$server_pid")
    [ -z "$wineserver_pid" ] || wine_ns=$(cpu_ns "$wineserver_pid")
    run_load "$2" "$base.load.json" || verdict=void
    server_ns=$(($(cpu_ns "$server_pid") - server_ns))
    [ -z "$wineserver_pid" ] || wine_ns=$(($(cpu_ns "$wineserver_pid") - wine_ns))
    stop_server
    local messages rate calls p
    messages=$(json_get "$base.server.json" messages)
    rate=$(json_get "$base.load.json" "$key_rate")
    calls=$(json_get "$base.server.json" kernel_calls_per_message)
    [ "${messages:-0}" -gt 0 ] && [ -n "$rate" ] || verdict=void
    p="$(json_get "$base.load.json" "$key_p50") $(json_get "$base.load.json" "$key_p99")"
    p="$p $(json_get "$base.load.json" "$key_p999")"
    if [ $verdict = void ]; then
        echo "$1 $2 void" >>"$out/runs.txt"
        sed "s/^/compare: $1 $2: /" "$out/load.err" >&2
    else
        echo "$1 $2 ok $rate $p ${calls:--} $server_ns $wine_ns $messages" >>"$out/runs.txt"
    fi
}

# ---- the table

# Medians of each server and scenario out of runs.txt, as a Markdown table.
table()
{
    awk -v wine="$wine_version" -v scenarios="${scenarios//,/ }" -v servers="${servers[*]}" \
        -v us="$latency_us" '
        function median(key,   n, i, j, t, v) {
            n = split(values[key], v, " ")
            for (i = 2; i <= n; i++) {
                t = v[i] + 0
                for (j = i - 1; j > 0 && v[j] + 0 > t; j--) v[j + 1] = v[j]
                v[j + 1] = t
            }
            return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
        }
        $3 == "void" { voided[$1, $2]++; next }
        {
            k = $1 SUBSEP $2; good[k]++
            values[k, "rate"] = values[k, "rate"] " " $4
            values[k, "p50"] = values[k, "p50"] " " $5 * us
            values[k, "p99"] = values[k, "p99"] " " $6 * us
            values[k, "p999"] = values[k, "p999"] " " $7 * us
            values[k, "calls"] = values[k, "calls"] " " $8
            values[k, "server"] = values[k, "server"] " " $9 / $11 / 1000
            values[k, "wine"] = values[k, "wine"] " " $10 / $11 / 1000
            values[k, "cpu"] = values[k, "cpu"] " " ($9 + $10) / $11 / 1000
        }
        END {
            print "| scenario | server | platform | msg/s | p50 us | p99 us | p99.9 us |" \
                " CPU us/msg server | wineserver | sum | sum / floor | kernel calls/msg | runs | void |"
            print "|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
            n = split(scenarios, s, " "); m = split(servers, name, " ")
            for (i = 1; i <= n; i++) for (j = 1; j <= m; j++) {
                k = name[j] SUBSEP s[i]; exe = name[j] ~ /\.exe$/
                printf "| %s | %s | %s |", s[i], name[j], exe ? wine : "Linux"
                if (!good[k]) { printf " - | - | - | - | - | - | - | - | - | 0 | %d |\n", voided[k]; continue }
                printf " %.0f | %.1f | %.1f | %.1f |", median(k SUBSEP "rate"), median(k SUBSEP "p50"),
                    median(k SUBSEP "p99"), median(k SUBSEP "p999")
                cpu = median(k SUBSEP "cpu"); if (j == 1) floor = cpu
                printf " %.2f | %s | %.2f | %s |", median(k SUBSEP "server"),
                    exe ? sprintf("%.2f", median(k SUBSEP "wine")) : "-", cpu,
                    good[name[1] SUBSEP s[i]] ? sprintf("%.2f", cpu / floor) : "-"
                printf " %.2f | %d | %d |\n", median(k SUBSEP "calls"), good[k], voided[k]
            }
        }' "$out/runs.txt"
}

banner()
{
    echo "machine    $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) CPUs, $(uname -sr)"
    echo "commit     $(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)$(git diff --quiet HEAD 2>/dev/null || echo ' with changes')"
    echo "compilers  $(cc --version | head -n 1); $(x86_64-w64-mingw32-gcc --version | head -n 1)"
    echo "platforms  Linux (native); $wine_version"
    echo "placement  $placement_text"
    echo "settings   1 worker, 32-byte frames, $seconds s after $warmup s warm-up, $repeats runs each, interleaved, medians"
    echo "CPU        $cpu_source, whole load, warm-up included"
}

# Where loadgen's JSON has the figures, and the factor that makes microseconds of its latency.
key_rate=rate_per_s
key_p50=latency_ns.p50
key_p99=latency_ns.p99
key_p999=latency_ns.p99_9
latency_us=0.001

./scripts/setup-debian.sh || exit 1
mkdir -p "$out"
: >"$out/runs.txt"
if [ $build = yes ]; then
    for preset in native windows; do
        echo "compare: building $preset" >&2
        { cmake --preset $preset && cmake --build --preset $preset -j "$(nproc)"; } \
            >"$out/build.$preset.log" 2>&1 ||
            { tail -n 30 "$out/build.$preset.log" >&2; die "the build of $preset failed"; }
    done
fi
servers=(epoll_server iocp_server.exe)
[ ! -f build/windows/bin/rio_server.exe ] || servers+=(rio_server.exe)
for program in native/bin/loadgen native/bin/epoll_server windows/bin/iocp_server.exe; do
    [ -f "build/$program" ] || die "build/$program was not built"
done
choose_cpus
cpu_source="from /proc/PID/schedstat (ns)"
[ -r /proc/self/schedstat ] || cpu_source="from /proc/PID/stat (10 ms grain)"
wine_version="Wine $(wine --version 2>/dev/null | sed 's/^wine-\([0-9.]*\).*/\1/')"

banner
started=$SECONDS
total=$((repeats * ${#servers[@]} * $(wc -w <<<"${scenarios//,/ }")))
run=0
for ((round = 1; round <= repeats; round++)); do
    for scenario in ${scenarios//,/ }; do
        for ((i = 0; i < ${#servers[@]}; i++)); do
            at=$i
            ((round % 2)) || at=$((${#servers[@]} - 1 - i))
            run=$((run + 1))
            [ ! -t 2 ] || printf '\rcompare: run %d of %d: %s %s    ' \
                $run $total "${servers[at]}" "$scenario" >&2
            one_run "${servers[at]}" "$scenario" $round
        done
    done
done
[ ! -t 2 ] || printf '\r%60s\r' '' >&2
echo "time       $((SECONDS - started)) s for $total runs; each run's JSON in build/compare/"
echo
echo "Rows marked Wine were taken under Wine: not a statement about Windows, nor about RIO against IOCP."
echo "Each server is set against the native floor, epoll_server (column sum / floor, CPU per message)."
echo
table
voided=$(grep -c ' void$' "$out/runs.txt")
[ "$voided" -eq 0 ] || die "$voided of $total runs were void: loadgen found errors"
