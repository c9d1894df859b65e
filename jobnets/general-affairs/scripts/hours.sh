#!/bin/sh
# hours.sh HOURS OUT: hours by person.
set -eu
mkdir -p "$(dirname "$2")"
echo "$AJSEXECID $AJSJOBNAME" >>work/journal.txt
awk -F, 'NR > 1 { sum[$1] += $3 } END { for (p in sum) printf "%-8s %5.1f\n", p, sum[p] | "sort" }' "$1" >"$2"
cat "$2"
