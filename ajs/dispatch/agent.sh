#!/bin/sh
# What runs on a destination agent: sh agent.sh ROOT NONCE [SHELL] with requests on stdin and answers on stdout
# (docs/reference/agent-protocol.md). Only POSIX sh, because an agent has nothing else for certain; it must do the same
# under dash, bash and busybox. SHELL is what runs the jobs, where it is not /bin/sh.
#
#   ROOT/epoch        made once; "no such attempt" proves "never ran" only under the same epoch
#   ROOT/jobs/NAME/   one attempt; making this folder is the lock
#       claim         UPTIME BOOT NOT_AFTER KILL_AFTER, written first
#       pid           NAME RUNNER TICKS BOOT JOB TICKS STARTED; the job begins only after it is there
#       result        NAME OUTCOME CODE TIMED_OUT KILLED STARTED ENDED OUT ERR LEFT ESCAPED [WHY]
#       out, err      what the job wrote; launch, file: what was sent; kill, timeout: what was ordered
#       reserve       a block that is freed for the result when the disk is full
#   ROOT/tombs/NAME   BOOT NOT_AFTER: the attempt is done with, and never starts again
#   ROOT/events       a line for every end, for a `tail -F`; nothing depends on it
#   ROOT/new/         payloads on their way
#
# A process is known by its number and its start in clock ticks; numbers alone come again. A text is whole when it ends
# with a newline, so a line cut off counts for nothing. Helpers of another version may read these files: what they hold
# is part of the protocol.

# What is unquoted is meant to fall into words (fields, lines, the words of SHELL); `set -f` keeps it from matching.
# shellcheck disable=SC2086

umask 077
set -f
root=$1 nonce=$2 sh=${3:-/bin/sh}
protocol=1 keep_kb=1024 most_bytes=67108864 tomb_margin=60 events_most=65536
ifs=$IFS
nl='
'
boot=''
{ read -r boot < /proc/sys/kernel/random/boot_id; } 2> /dev/null

say() { printf '%s %s\n' "$nonce" "$*"; }
now() { read -r uptime _ < /proc/uptime; uptime=${uptime%%.*}; }

# -- processes --

# Sets ticks to the start of process $1; empty when there is none, or only a zombie.
look() {
    ticks='' last=''
    # The name of a program may hold anything, newlines and parentheses too: what counts follows the last one.
    [ -e "/proc/$1/stat" ] && { while read -r text; do last=$text; done < "/proc/$1/stat"; } 2> /dev/null
    set -- ${last##*) }
    case ${1-Z} in [ZXx]) ;; *) ticks=${20-} ;; esac
}

# Sets found to the living processes of session $1, strays to those of them in another process group than $1.
# One process for all of /proc; the session and not the group, since `timeout` moves to a group of its own.
members() {
    found='' strays=''
    IFS=$nl
    for text in $(set +f; cat /proc/[0-9]*/stat 2> /dev/null); do
        IFS=$ifs
        case ${text##*) } in
        [ZXx]\ *) ;;
        *" $1 "*) member "$1" "${text%% *}" ${text##*) } ;;
        esac
    done
    IFS=$ifs
}
member() { # SESSION PID, then from the state on what stat says
    [ "$6" = "$1" ] || return 0
    found="$found $2"
    [ "$5" = "$1" ] || strays="$strays $2"
}

# Sets found and strays to what is left of the job of attempt $1, whose first process $2 began at $3.
remains() {
    members "$2"
    look "$2"
    [ "$ticks" != "$3" ] || return 0
    # The first process is gone and its number may be another's by now: only who carries the attempt's name counts.
    strays=''
    for pid in $found; do
        { tr '\0' '\n' < "/proc/$pid/environ" | grep -q -x -F "AJS_ATTEMPT=$1"; } 2> /dev/null && strays="$strays $pid"
    done
    found=$strays
}

# Sends the signals $1 to what is left of a job (as remains). Not `kill -TERM -- -PGID`: an error in dash.
strike() {
    remains "$2" "$3" "$4"
    for signal in $1; do
        [ "$ticks" != "$4" ] || kill -s "$signal" -- "-$3"
        for pid in $strays; do kill -s "$signal" "$pid"; done
    done 2> /dev/null
}

# Asks the job of attempt $1 to end, and ends it $2 seconds later.
finish() {
    read -r _ _ _ _ job job_ticks _ < "$root/jobs/$1/pid" || return 0
    strike 'TERM CONT' "$1" "$job" "$job_ticks"
    sleep "$2"
    strike KILL "$1" "$job" "$job_ticks"
}

# Sets survivors to how many processes carry the name of attempt $1, wherever they have moved. Not `grep` alone:
# busybox's ends at the first NUL.
count_survivors() {
    survivors=$(set +f; cat /proc/[0-9]*/environ 2> /dev/null | tr '\0' '\n' | grep -c -x -F "AJS_ATTEMPT=$1")
}

# -- the processes beside a job; each is this script, started anew --

# Starts $@ in a session of its own, without us as its parent. The first setsid leads a session and so the second one
# must fork. Not `&`: it leaves INT and QUIT ignored, and no shell below could take that back.
detach() { setsid setsid $sh "$0" "$root" - "$sh" "$@" < /dev/null 2> /dev/null; }

# The runner: NAME TIMEOUT KILL_AFTER. It lives as long as its job, which is its child in the foreground.
run() {
    name=$1 dir=$root/jobs/$1
    # Caught and not ignored: what a shell ignores its children ignore.
    trap : HUP INT QUIT TERM
    look $$
    timer=''
    if [ "$2" -gt 0 ]; then
        setsid $sh "$0" "$root" - "$sh" timer "$1" "$2" "$3" > /dev/null 2>&1 &
        timer=$!
    fi
    { setsid $sh "$0" "$root" - "$sh" job "$1" $$ "$ticks"; status=$?; } 2> "$dir/notice"
    ended=$(date +%s)
    # The timer itself first: then nobody is left to start another `sleep`.
    [ -z "$timer" ] || { kill -s KILL "$timer"; kill -s KILL -- "-$timer"; } 2> /dev/null
    timed_out=0 killed=0 started=$ended left=0 escaped=0
    [ ! -e "$dir/timeout" ] || timed_out=1
    [ ! -e "$dir/kill" ] || killed=1
    if { read -r _ _ _ _ job _ started < "$dir/pid"; } 2> /dev/null; then
        clear_up
        judge
    else
        # Without this record it was not let go.
        outcome=failed code=0 why='it was ended before it began'
    fi
    { read -r why < "$dir/refusal"; } 2> /dev/null && outcome=failed code=0
    [ "$outcome" = failed ] || why=''
    cd "$dir" || exit
    rm -f reserve
    # The disk may be full: try until it lets us, or the folder is gone.
    until write_result; do sleep 5; [ -d "$dir" ] || exit; done
}

# Kills what the job has left in its session, and counts what did not obey and what has gone elsewhere.
clear_up() {
    tries=0
    while members "$job"; [ -n "$found" ] && [ "$tries" -lt 20 ]; do
        { kill -s KILL -- "-$job"; for pid in $strays; do kill -s KILL "$pid"; done; } 2> /dev/null
        tries=$((tries + 1))
        sleep 0.1 2> /dev/null || sleep 1
    done
    for pid in $found; do left=$((left + 1)); done
    count_survivors "$name"
    [ "$survivors" -le "$left" ] || escaped=$((survivors - left))
}

# Sets outcome and code. A shell says 128 + N for signal N and for `exit 128 + N` alike; but it tells the user of a
# signal ("Killed"), and this notice is ours. What cannot be told: INT and PIPE are never told of, TERM not by bash.
# There 128 + N means the signal, as everywhere in shells.
judge() {
    outcome=exited code=$status
    [ "$status" -gt 128 ] && [ "$status" -le 192 ] || return 0
    case $status:${BASH_VERSION-} in
    130:* | 141:* | 143:?*) ;;
    *) [ -s "$dir/notice" ] || return 0 ;;
    esac
    outcome=signalled code=$((status - 128))
}

# In the job's folder: writes the result down; fails when the disk does.
write_result() {
    # shellcheck disable=SC2046 # numbers
    set -- $(wc -c out err ../../events 2> /dev/null)
    printf '%s\n' "$name $outcome $code $timed_out $killed $started $ended $1 $3 $left $escaped${why:+ $why}" > result.new ||
        return 1
    sync out err result.new
    mv -f result.new result || return 1
    printf 'ended %s\n' "$name" >> ../../events
    [ "${5:-0}" -lt "$events_most" ] || mv -f ../../events ../../events.old
    rm -f pid launch file notice refusal kill timeout
}

# The timer: NAME TIMEOUT KILL_AFTER. It does its work without the runner as well.
timer() {
    sleep "$2"
    until [ -e "$root/jobs/$1/pid" ]; do
        [ -d "$root/jobs/$1" ] && [ ! -e "$root/jobs/$1/result" ] || return 0
        sleep 1
    done
    true > "$root/jobs/$1/timeout"
    finish "$1" "$3"
}

# Becomes the job: NAME RUNNER TICKS. It writes its own number down first, so whoever runs is on record.
job() {
    dir=$root/jobs/$1
    look $$
    { printf '%s\n' "$1 $2 $3 $boot $$ $ticks $(date +%s)" > "$dir/pid.new" && mv -f "$dir/pid.new" "$dir/pid"; } ||
        give_up 'its process id could not be written down'
    [ ! -e "$dir/kill" ] || give_up 'it was killed before it began'
    # The one who started us may have gone with its connection; caught, because `ignored` would reach the job.
    trap : PIPE
    printf 'begun\n' 2> /dev/null
    unset SSH_CLIENT SSH_CONNECTION SSH_TTY
    export AJS_ATTEMPT="$1" AJS_FILE="$dir/file" AJS_REFUSAL="$dir/refusal"
    exec $sh "$dir/launch" < /dev/null >> "$dir/out" 2>> "$dir/err"
}
give_up() {
    printf '%s\n' "$*" > "$dir/refusal"
    exit 127
}

# -- how an attempt stands --

# Sets state to the word and answer to the line for attempt $1. Starts no process, unless the attempt is lost.
state_of() {
    dir=$root/jobs/$1
    if result; then
        return 0
    elif { read -r _ runner runner_ticks booted job job_ticks started < "$dir/pid"; } 2> /dev/null; then
        ticks=''
        [ "$booted" != "$boot" ] || look "$runner"
        # The runner has gone: whatever it wrote down meanwhile was its last word.
        if [ "$ticks" = "$runner_ticks" ]; then
            state=running answer="running $1 $runner $job $started"
        elif ! result; then
            lost "$1"
        fi
    elif result; then # its end takes the pid away
        return 0
    elif [ -d "$dir" ]; then
        claimed "$1"
    else
        state=absent answer="absent $1"
    fi
    # Last: a folder that is being removed may look like anything, but its tomb was there before.
    [ ! -e "$root/tombs/$1" ] || state=tomb answer="tomb $1"
}
result() {
    [ -e "$dir/result" ] && { read -r text < "$dir/result"; } 2> /dev/null && state=ended answer="ended $text"
}
lost() {
    found='' why=runner
    if [ "$booted" = "$boot" ]; then remains "$1" "$job" "$job_ticks"; else why=boot; fi
    state=lost answer="lost $1 $why gone $job"
    [ -z "$found" ] || state=left answer="lost $1 $why there $job"
}
claimed() {
    now
    read_claim
    if [ "$booted" != "$boot" ]; then
        state=lost answer="lost $1 boot gone -"
    # Looked at in this order the job has not begun, and will find the order when it is about to.
    elif [ -e "$dir/kill" ] && [ ! -e "$dir/pid" ] && [ ! -e "$dir/result" ]; then
        state=barred answer="claimed $1 $((uptime - since)) barred"
    else
        state=claimed answer="claimed $1 $((uptime - since)) open"
    fi
}
# Without a claim the helper died right after the lock, or is just there.
read_claim() {
    since=$uptime booted=$boot not_after='-' kill_after=10
    [ ! -s "$dir/claim" ] || read -r since booted not_after kill_after < "$dir/claim"
}

# -- requests --

hello() {
    set -- ${SSH_CONNECTION-}
    address=${3:--} port=${4:--}
    look 1
    room
    host=''
    { read -r host < /proc/sys/kernel/hostname; } 2> /dev/null
    missing=''
    for tool in cat chmod date dd df grep head ln mkdir mv rm setsid sleep tail tr wc; do
        command -v "$tool" > /dev/null || missing="$missing,$tool"
    done
    hash < /dev/null
    [ -n "$sum" ] || missing="$missing,sha256sum"
    printf x | dd bs=1 count=1 iflag=fullblock > /dev/null 2>&1 || missing="$missing,dd-iflag-fullblock"
    missing=${missing#,}
    say "hello $address $port ${ticks:--} $(date +%s) ${free:--} ${host:--} ${missing:--}"
    sweep
}

# Removes payloads whose helper died: an hour old, or of another boot.
sweep() {
    set +f; set -- "$root"/new/*; set -f
    for path; do
        born=${path##*/} born=${born%%.*}
        case $born in '' | *[!0123456789]*) continue ;; esac
        [ "$born" -le "$uptime" ] && [ "$((uptime - born))" -le 3600 ] && continue
        rm -f "$path"
    done
}

# Sets free to the space left in the root, in kB: the number before the percentage, whatever stands before.
room() {
    text=$(df -Pk "$root" 2> /dev/null)
    text=${text##*"$nl"}
    set -- ${text%%\%*}
    while [ $# -gt 2 ]; do shift; done
    free=${1-}
}

# Sets sum to the SHA-256 of stdin, or to nothing where no tool for it is there.
hash() {
    for sum in sha256sum 'sha256 -q' 'shasum -a 256' 'openssl dgst -sha256 -r'; do
        command -v "${sum%% *}" > /dev/null && break
    done
    sum=$($sum 2> /dev/null)
    sum=${sum%% *}
}

# Reads a payload: LENGTH SHA256 FILE; sets problem. Not `head -c`: busybox's reads more than it gives. One block, read
# before a byte is written, so that a full disk does not put us out of step.
take() {
    [ "$1" -gt 0 ] && [ -z "$problem" ] || return 0
    if ! dd bs="$1" count=1 iflag=fullblock > "$3" 2> /dev/null; then
        problem='the payload could not be stored' stop=1
    elif hash < "$3"; [ "$sum" != "$2" ]; then
        problem=mismatch stop=1
    fi
}
skip() { [ "$1" -eq 0 ] || dd bs="$1" count=1 iflag=fullblock > /dev/null 2>&1; }

# NAME EPOCH BOOT NOT_AFTER TIMEOUT KILL_AFTER LENGTH SHA256 LENGTH SHA256, then the two payloads. Once a payload was
# not what was said we may be out of step, and the rest is no request: stop.
start() {
    new=$root/new/$uptime.$nonce.$$.$count problem=''
    room
    if [ "${free:-0}" -lt $((keep_kb + ($7 + $9) / 1024)) ]; then
        problem="only ${free:-0} kB are free"
        skip "$7"
        skip "$9"
    fi
    take "$7" "$8" "$new.launch"
    take "$9" "${10}" "$new.file"
    if [ "$problem" = mismatch ]; then answer="mismatch $1"; else place "$@"; fi
    rm -f "$new.launch" "$new.file"
    say "$answer"
}

# Takes the attempt and starts it, unless it has been here or may not start any more. Sets answer.
place() {
    state_of "$1"
    now
    if [ "$2" != "$epoch" ]; then
        answer="other $1 epoch"
    elif [ "$state" != absent ]; then
        return 0
    elif [ "$3" != "$boot" ]; then
        answer="other $1 boot"
    elif [ "$uptime" -gt "$4" ]; then
        answer="expired $1"
    elif [ -n "$problem" ]; then
        answer="refused $1 $problem"
    elif mkdir "$dir" 2> /dev/null; then
        begin "$@"
    elif [ -d "$dir" ]; then
        state_of "$1"
    else
        answer="refused $1 the folder of the job could not be made"
    fi
}
begin() {
    if ! fill "$@" 2> /dev/null; then
        answer="refused $1 the folder of the job could not be filled"
    # Again, now that the lock is ours: a tomb is there before its folder goes and outlives NOT_AFTER, so whoever was
    # held up between the look and the lock finds one of the two.
    elif [ -e "$root/tombs/$1" ]; then
        answer="tomb $1"
    elif now; [ "$uptime" -gt "$4" ]; then
        answer="expired $1"
    else
        # The line comes when the job is on record, the end of the pipe when runner and job are gone.
        detach run "$1" "$5" "$6" | read -r _
        state_of "$1"
        [ "$state" = claimed ] || return 0
        true > "$dir/kill"
        state_of "$1"
        [ "$state" = barred ] || return 0
        answer="refused $1 its runner could not be started"
    fi
    rm -rf "$dir"
}
fill() {
    printf '%s\n' "$uptime $boot $4 $6" > "$dir/claim" &&
        printf '%4096s' '' > "$dir/reserve" && [ -s "$dir/reserve" ] &&
        true > "$dir/out" && true > "$dir/err" && true > "$dir/notice" &&
        mv "$new.launch" "$dir/launch" || return 1
    [ "$9" -eq 0 ] || { mv "$new.file" "$dir/file" && chmod 700 "$dir/file"; }
}

# Every attempt that has a folder, with as many processes for a thousand as for one. An attempt goes from nothing to a
# pid to a result, and we look in this order: it may be said twice, the later line being the newer, but is never missed.
list() {
    bury_tombs
    listed=0
    set +f; set -- "$root"/jobs/*; set -f
    for path; do
        [ -e "$path/pid" ] || [ -e "$path/result" ] || [ ! -d "$path" ] || unfinished "${path##*/}"
    done
    records=$(set +f; cat "$root"/jobs/*/pid 2> /dev/null)
    list_running
    IFS=$nl
    for text in $(set +f; cat "$root"/jobs/*/result 2> /dev/null); do
        [ -e "$root/tombs/${text%% *}" ] || { say "ended $text"; listed=$((listed + 1)); }
    done
    IFS=$ifs
    say "listed $listed"
}
unfinished() {
    state_of "$1"
    case $state in ended | tomb | absent) ;; *) say "$answer"; listed=$((listed + 1)) ;; esac
}
list_running() {
    runners='' alive=' '
    IFS=$nl
    for text in $records; do text=${text#* } runners=$runners$nl/proc/${text%% *}/stat; done
    # shellcheck disable=SC2013 # lines; /dev/null because cat without any would read our requests
    for text in $(cat /dev/null $runners 2> /dev/null); do
        IFS=$ifs
        pid=${text%% *}
        # `#` and not `##`, which takes a third of the time of it all: a runner's name has no parentheses, and whoever
        # is not found here is looked at closely.
        set -- ${text#*) }
        case ${1-Z} in [ZXx]) ;; *) alive="$alive$pid:${20-} " ;; esac
    done
    IFS=$nl
    for text in $records; do
        IFS=$ifs
        set -- $text
        case $4$alive in
        "$boot"*" $2:$3 "*) say "running $1 $2 $5 $7"; listed=$((listed + 1)) ;;
        *) unfinished "$1" ;;
        esac
    done
    IFS=$ifs
}

# Removes tombs that no start can outlive any more: it would be answered `expired` or `other`.
bury_tombs() {
    set +f; set -- "$root"/tombs/*; set -f
    folders='' tombs=''
    for path; do
        booted=''
        { read -r booted not_after < "$path"; } 2> /dev/null
        case $booted:$not_after in :* | "$boot:-") continue ;; esac
        [ "$booted" = "$boot" ] && [ "$uptime" -le $((not_after + tomb_margin)) ] && continue
        folders="$folders jobs/${path##*/}" tombs="$tombs tombs/${path##*/}"
    done
    # Folders first: one that a crash left half removed must not come to light.
    [ -z "$tombs" ] || (cd "$root" && rm -rf $folders && rm -f $tombs)
}

fetch() { # NAME out|err OFFSET MOST
    state_of "$1"
    # No output without a pid: a helper may have died before it made the files.
    if [ ! -e "$dir/$2" ] || [ "$state" = tomb ]; then say "$answer"; return; fi
    size=$(wc -c < "$dir/$2")
    length=$((size - $3))
    [ "$length" -ge 0 ] || length=0
    [ "$length" -le "$4" ] || length=$4
    say "data $1 $2 $3 $length $((size))"
    [ "$length" -eq 0 ] || tail -c "+$(($3 + 1))" "$dir/$2" | head -c "$length"
    printf '\n'
}

# The order is on disk before we look who runs, and the job is on record before it looks for the order: one of the two
# finds the other, so an attempt that is still only claimed now will never begin.
kill_job() {
    state_of "$1"
    case $state in
    claimed | barred | running | left)
        read_claim
        asked=''
        if [ -s "$dir/kill" ]; then read -r asked < "$dir/kill"; else printf '%s\n' "$uptime" > "$dir/kill"; fi
        state_of "$1"
        case $state:$asked in
        running: | left:) detach finish "$1" "$kill_after" > /dev/null ;;
        running:* | left:*) [ $((uptime - asked)) -le "$kill_after" ] || strike KILL "$1" "$job" "$job_ticks" ;;
        esac
        ;;
    esac
    count_survivors "$1"
    say "survivors $1 $survivors"
    say "$answer"
}

# Forgets an attempt that has ended, or never will begin; answers how any other stands.
ack() {
    state_of "$1"
    case $state in
    ended | lost | barred)
        now
        read_claim
        if printf '%s\n' "$booted $not_after" > "$root/tombs/$1" && [ -s "$root/tombs/$1" ]; then
            rm -rf "$dir"
            answer="acked $1"
        else
            rm -f "$root/tombs/$1" # the disk is full: not acked is the answer
        fi
        ;;
    tomb) answer="acked $1" ;;
    esac
    say "$answer"
}

# -- the conversation --

# Whether $1 can be an attempt's name: no ranges, whose meaning depends on the locale.
is_name() {
    case $1 in
    '' | [.-]* | *[!ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-]*) return 1 ;;
    esac
    [ "${#1}" -le 200 ]
}
are_numbers() {
    for number; do
        case $number in '' | *[!0123456789]* | 0?* | ????????????????*) return 1 ;; esac
    done
}
is_start() { are_numbers "$4" "$5" "$6" "$7" "$9" && [ "$7" -gt 0 ] && [ $(($7 + $9)) -le "$most_bytes" ]; }

prepare() {
    [ -n "$boot" ] || { why='/proc is not there'; return 1; }
    why="$root cannot be used"
    for folder in jobs tombs new; do [ -d "$root/$folder" ] || mkdir -p "$root/$folder" || return 1; done
    if [ ! -s "$root/epoch" ]; then
        # A link appears whole and never replaces anything: the first one stays.
        read -r epoch < /proc/sys/kernel/random/uuid
        printf '%s\n' "$epoch" > "$root/new/$nonce" && ln "$root/new/$nonce" "$root/epoch"
        rm -f "$root/new/$nonce"
    fi
    [ -e "$root/events" ] || true >> "$root/events"
    read -r epoch < "$root/epoch"
}

converse() {
    # A newline before: what a login file printed may have left its line open.
    printf '\n'
    prepare 2> /dev/null || { say "failed $why"; exit; }
    now
    say "begin $protocol $epoch $boot $uptime"
    count=0 stop=''
    while [ -z "$stop" ] && IFS= read -r line; do
        count=$((count + 1))
        set -- $line
        verb=${1-}:$#
        [ $# -eq 0 ] || shift
        [ $# -eq 0 ] || is_name "$1" || verb=bad
        now
        case $verb in
        hello:1) hello ;;
        list:1) list ;;
        state:2) state_of "$1"; say "$answer" ;;
        kill:2) kill_job "$1" ;;
        ack:2) ack "$1" ;;
        fetch:5)
            case $2 in out | err) are_numbers "$3" "$4" || verb=bad ;; *) verb=bad ;; esac
            [ "$verb" = bad ] || fetch "$@"
            ;;
        start:11) if is_start "$@"; then start "$@"; else verb=bad; fi ;;
        *) verb=bad ;;
        esac
        # What follows may be the payload of what we did not understand.
        [ "$verb" != bad ] || { say "bad $count"; stop=1; }
    done
    say "end $count"
}

case ${4-converse} in
converse) converse ;;
run | timer | job | finish) shift 3; "$@" ;;
esac
