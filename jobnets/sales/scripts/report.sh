#!/bin/sh
# report.sh TOTALS REPORT: the managers' page.
set -eu
echo "$AJSEXECID $AJSJOBNAME" >>work/journal.txt
{
    printf 'Takings of %s\n\n' "$AJSEXDATE"
    awk -F, '$1 != "all" { printf "  %-10s %-8s %9d\n", $1, $2, $3 }
        $1 == "all" { printf "  %-19s %9d\n", "all shops", $3 }' "$1"
} >"$2"
cat "$2"
