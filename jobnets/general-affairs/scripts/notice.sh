#!/bin/sh
# notice.sh HOURS OUT: who worked above 45 hours.
set -eu
echo "$AJSEXECID $AJSJOBNAME" >>work/journal.txt
awk '$2 > 45 { printf "%s worked %.1f hours, %.1f above 45\n", $1, $2, $2 - 45 }' "$1" >"$2"
cat "$2"
