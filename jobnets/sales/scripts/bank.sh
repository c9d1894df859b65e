#!/bin/sh
# bank.sh TAKINGS FILE: the card takings for the bank, which takes no negative amounts.
set -eu
echo "$AJSEXECID $AJSJOBNAME" >>work/journal.txt
awk -F, 'NR > 1 && $3 == "card"' "$1" >"$2"
if grep -n -e ',-' "$2" >&2; then
    printf 'the bank refuses the file: it holds a negative amount\n' >&2
    exit 8
fi
printf 'sent %d card takings\n' "$(wc -l <"$2")"
