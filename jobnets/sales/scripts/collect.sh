#!/bin/sh
# collect.sh SHOPS TAKINGS: put the shops' files together; lines that are not takings are named on stderr.
set -eu
mkdir -p "$(dirname "$2")"
echo "$AJSEXECID $AJSJOBNAME" >>work/journal.txt
printf 'shop,goods,payment,amount\n' >"$2.new"
for file in "$1"/*.csv; do
    awk -F, -v name="$(basename "$file")" '
        FNR == 1 { next }
        NF == 4 && $4 ~ /^-?[0-9]+$/ { print; kept++; next }
        { printf "%s line %d is not takings: %s\n", name, FNR, $0 > "/dev/stderr" }
        END { printf "%s: %d takings\n", name, kept > "/dev/stderr" }
    ' "$file" >>"$2.new"
done
mv "$2.new" "$2"
printf 'collected %d takings of %s\n' "$(($(wc -l <"$2") - 1))" "$AJSEXDATE"
