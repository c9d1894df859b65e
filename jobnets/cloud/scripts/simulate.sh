#!/bin/sh
# simulate.sh SHOP...: tomorrow's takings of each shop, out of many tries.
set -eu
echo "$AJSEXECID $AJSJOBNAME on $AJSHOST"
for shop; do
    sleep "${SECONDS_A_SHOP:-1}"
    awk -v shop="$shop" 'BEGIN {
        srand(length(shop))
        for (try = 1; try <= 100000; try++) sum += 1000 + 500 * rand()
        printf "%-10s %6d expected\n", shop, sum / 100000
    }'
done
