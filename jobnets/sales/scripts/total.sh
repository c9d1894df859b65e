#!/bin/sh
# total.sh TAKINGS TOTALS: totals by shop and goods. Returns 1 (a warning) when an amount is negative.
set -eu
echo "$AJSEXECID $AJSJOBNAME" >>work/journal.txt
awk -F, 'NR > 1 { sum[$1 "," $2] += $4; all += $4; if ($4 < 0) odd++ }
    END {
        for (key in sum) print key "," sum[key] | "sort"
        close("sort")
        print "all,all," all
        exit odd > 0
    }' "$1" >"$2" && code=0 || code=$?
[ "$code" -eq 0 ] || printf 'an amount is negative, is that a return?\n' >&2
printf 'total %s\n' "$(tail -n 1 "$2" | cut -d, -f3)"
exit "$code"
