#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/unit/pages.sh MADE_PAGES FOLDER: made-up results of every kind of comparison as pages, in
# headless Chromium at three widths in light and dark: no text lies over another or is cut off, a
# table that scrolls says so, and the first screen has the verdict, the trust line and the ratios.
# Pages with a fault planted must be found faulty. Skipped (77) where there is no Chromium.
set -u
made=$1
folder=$2
here=$(cd "$(dirname "$0")" && pwd)
chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || {
    echo "SKIPPED: no chromium here (Debian: apt-get install chromium)"
    exit 77
}
mkdir -p "$folder" || exit 1
"$made" "$folder" && cp "$here/pages.js" "$folder" || exit 1
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
for dark in false true; do
    look $dark 'report question calibrate windows tradeoffs ladder map'
    [ "$(cat "$folder/seen.txt")" = done ] || {
        cat "$folder/seen.txt"
        tail -3 "$folder/chromium.log"
        bad=1
    }
done
expect() { # page, words of its fault
    look false "planted_$1"
    grep -q "FAULT.*$2" "$folder/seen.txt" || { echo "FAILED: planted_$1 was not found"; bad=1; }
}
expect overlap 'lies over'
expect cut 'is cut off'
expect late 'first screen: no trust line'
expect silent 'does not say so'
expect broad 'scrolls sideways'
expect pale 'hard to see'
rm -rf "$folder/profile"
exit $bad
