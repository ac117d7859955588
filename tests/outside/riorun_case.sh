#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A program made with the installed library, over Registered I/O under Wine, from outside the tree.
#   riorun_case.sh ECHO.exe RIORUN WINE_SH
# A pass: alone it names riorun and ends with 1; with the installed riorun it is an echo server.
set -u
echo=$1 riorun=$2 wine=$3
unset WINEDLLPATH RINGSIDE_RIO_PROVIDER
alone=$(timeout 60 "$wine" "$echo" rio 0 2>&1 </dev/null)
code=$?
if [ $code -ne 1 ] || [[ $alone != *"start this program with riorun"* ]]; then
    echo "without a provider: exit code $code: $alone"
    exit 1
fi
export WINEPREFIX="${WINEPREFIX:-$(dirname "$wine")/../build/wine-prefix}" # that of wine.sh
WINEPREFIX=$(readlink -f "$WINEPREFIX")
exec "$(dirname "$0")/example_case.sh" echo "$echo" rio "$riorun"
