#!/bin/sh
# tell.sh TAKINGS OUTBOX: write the treasurer which lines to mend.
set -eu
echo "$AJSEXECID $AJSJOBNAME" >>work/journal.txt
{
    printf 'To: treasurer\nSubject: card takings of %s were refused\n\n' "$AJSEXDATE"
    grep -e ',-' "$1"
} >>"$2"
printf 'told the treasurer\n'
