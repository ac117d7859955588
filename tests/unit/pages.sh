#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/unit/pages.sh MADE_PAGES FOLDER [COMPARE]: made-up results of every kind of comparison as
# pages, and with COMPARE results of two short runs, a comparison's and a map's, in
# headless Chromium at three widths in light and dark: no text lies over another or is cut off, a
# table that scrolls says so, and the first screen has the verdict, the trust line and the ratios.
# Pages with a fault planted must be found faulty. Skipped (77) where there is no Chromium.
set -u
made=$1
folder=$2
compare=${3:-}
here=$(cd "$(dirname "$0")" && pwd)
chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || {
    echo "SKIPPED: no chromium here (Debian: apt-get install chromium)"
    exit 77
}
mkdir -p "$folder" || exit 1
"$made" "$folder" && cp "$here/pages.js" "$folder" || exit 1
# What was really measured has other lengths of numbers and names, and dashes, than what is made up.
measured=
rm -rf "$folder"/measured_*
really() { # name, arguments of compare: its page as measured_NAME
    name=measured_$1
    shift
    timeout 120 "$compare" "$@" --servers "epoll_server,twin=$(dirname "$compare")/epoll_server" \
        --seconds 0.2 --warmup 0.02 --repeat 2 --placement free --no-instrument-test \
        --disturbed-max 100 --progress off --out "$folder/$name" > "$folder/$name.txt" 2>&1
    cp "$folder/$name/report.html" "$folder/$name.html" || { # a void run is no matter
        cat "$folder/$name.txt"
        exit 1
    }
    measured="$measured $name"
}
if [ -n "$compare" ]; then
    really servers --scenario ping-pong,large,ramp
    really map --map --cells 1x4x32,16x4x32,1x1x262144-64k,writers
fi
plant() { # name, style: the report with a fault
    { cat "$folder/report.html"; echo "<style>$2</style>"; } > "$folder/$1.html"
}
plant planted_overlap '.ratios .v{margin-left:-60px}'
plant planted_cut 'svg text{font-size:19px!important}'
plant planted_late '.verdict{padding-bottom:900px}'
plant planted_silent '.more{display:none!important}'
plant planted_broad 'h1{width:1400px}'
plant planted_pale '.c0{background:#ddeeff!important}'

look() { # dark, pages: into $folder/seen.txt faults, then "done"
    {
        echo '<!doctype html><style>:root{color-scheme:light dark}</style><body>'
        echo '<script src="pages.js"></script><script>lookAtAll(['
        for page in $2; do echo "'$page.html',"; done
        echo "],$1)</script>"
    } > "$folder/look.html"
    scheme=1
    [ "$1" = true ] && scheme=0
    timeout 240 "$chromium" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
        --hide-scrollbars \
        --user-data-dir="$folder/profile" --allow-file-access-from-files \
        --blink-settings=preferredColorScheme=$scheme --window-size=1400,1000 \
        --virtual-time-budget=60000 --dump-dom "file://$folder/look.html" \
        > "$folder/dom.txt" 2> "$folder/chromium.log"
    [ $? -ne 124 ] || { echo "SKIPPED: the browser did not end within 240 s"; exit 77; }
    sed 's/<br>/\n/g' "$folder/dom.txt" | grep -E '(FAULT|done)' |
        sed 's/.*\(FAULT\|done\)/\1/' > "$folder/seen.txt"
}

bad=0
right="report question calibrate windows tradeoffs ladder map$measured"
planted="planted_overlap planted_cut planted_late planted_silent planted_broad planted_pale"
for dark in false true; do
    pages=$right
    [ $dark = true ] || pages="$right $planted" # one start of the browser for all: each takes seconds
    look $dark "$pages"
    grep -q '^done' "$folder/seen.txt" && ! grep -v '^FAULT planted_' "$folder/seen.txt" | grep FAULT || {
        cat "$folder/seen.txt"
        tail -3 "$folder/chromium.log"
        bad=1
    }
    [ $dark = true ] || cp "$folder/seen.txt" "$folder/planted.txt"
done
expect() { # page, words of its fault
    grep -q "^FAULT planted_$1.*$2" "$folder/planted.txt" ||
        { echo "FAILED: planted_$1 was not found"; bad=1; }
}
expect overlap 'lies over'
expect cut 'is cut off'
expect late 'first screen: no trust line'
expect silent 'does not say so'
expect broad 'scrolls sideways'
expect pale 'hard to see'
rm -rf "$folder/profile"
exit $bad
