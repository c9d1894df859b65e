"""What is known of one start of one job, as tables."""

from datetime import UTC, datetime, timedelta

import pytest

from ajs.attempts import (
    TABLE,
    Absent,
    Acked,
    Attempt,
    AttemptKey,
    AttemptState,
    Claimed,
    Ended,
    FailedToStart,
    Lost,
    NoAnswer,
    Observation,
    Result,
    Running,
    Stored,
    ending,
    observe,
    placed,
    queued,
    withdrawn,
)
from ajs.errors import IllegalEvent
from ajs.model import Job
from tests.driver import ASKED

AT = datetime(2026, 8, 11, 13, 0, tzinfo=UTC)
LATER = AT + timedelta(minutes=5)
KEY = AttemptKey(17, "collect", 1)
DONE = Ended(Result(return_code=0))

OBSERVATIONS: dict[str, Observation] = {
    "absent": Absent(),
    "claimed": Claimed(),
    "running": Running(),
    "ended": DONE,
    "lost": Lost("other boot id"),
    "failed": FailedToStart("no such file"),
    "silence": NoAnswer(AT),
    "stored": Stored(),
    "acked": Acked(),
}

# '-': nobody can have asked for this answer. '=': nothing new. 'silent*': does not answer, and was seen running.
STATES = """
          | absent | claimed | running | ended | lost | failed | silence | stored | acked
QUEUED    | -      | -       | -       | -     | -    | -      | -       | -      | -
PLACED    | =      | =       | STARTED | ENDED | LOST | ENDED  | UNKNOWN | -      | -
STARTED   | =      | =       | =       | ENDED | LOST | =      | UNKNOWN | -      | -
UNKNOWN   | PLACED | PLACED  | STARTED | ENDED | LOST | ENDED  | =       | -      | -
silent*   | =      | =       | STARTED | ENDED | LOST | =      | =       | -      | -
ENDED     | =      | =       | =       | =     | =    | =      | =       | STORED | -
STORED    | =      | =       | =       | =     | =    | =      | =       | =      | ACKED
ACKED     | =      | =       | =       | =     | =    | =      | =       | =      | =
LOST      | =      | =       | =       | late  | =    | =      | =       | -      | -
"""


def attempt_in(state: str) -> Attempt:
    """An attempt that came to this state on the shortest way."""
    way: dict[str, tuple[Observation, ...]] = {
        "PLACED": (),
        "STARTED": (Running(AT),),
        "UNKNOWN": (NoAnswer(AT),),
        "silent*": (Running(AT), NoAnswer(AT)),
        "ENDED": (Running(AT), DONE),
        "STORED": (Running(AT), DONE, Stored()),
        "ACKED": (Running(AT), DONE, Stored(), Acked()),
        "LOST": (Running(AT), Lost("other boot id")),
    }
    attempt = queued(KEY)
    if state == "QUEUED":
        return attempt
    attempt = placed(attempt, "local", AT)
    for what in way[state]:
        attempt = observe(attempt, what, AT)
    return attempt


def rows() -> list[tuple[str, str, str]]:
    head, *lines = STATES.strip("\n").splitlines()
    columns = [c.strip() for c in head.split("|")[1:]]
    found = []
    for line in lines:
        state, *cells = (c.strip() for c in line.split("|"))
        found += [(state, what, cell) for what, cell in zip(columns, cells, strict=True)]
    return found


def test_the_table_has_every_state_and_every_observation():
    assert {s for s, _, _ in rows()} == {*AttemptState.__members__, "silent*"}
    assert {w for _, w, _ in rows()} == set(OBSERVATIONS)
    assert all(set(row) == {type(o) for o in OBSERVATIONS.values()} for row in TABLE.values())


@pytest.mark.parametrize(("state", "what", "expected"), rows())
def test_every_observation_in_every_state(state, what, expected):
    before = attempt_in(state)
    if expected == "-":
        with pytest.raises(IllegalEvent) as refused:
            observe(before, OBSERVATIONS[what], LATER)
        assert before.state.name in refused.value.message
        assert type(OBSERVATIONS[what]).__name__ in refused.value.message
        return
    after = observe(before, OBSERVATIONS[what], LATER)
    if expected == "=":
        assert after == before
    elif expected == "late":
        assert (after.state, after.late, after.result) == (before.state, DONE.result, None)
    else:
        assert after.state.name == expected


@pytest.mark.parametrize(("state", "what", "expected"), rows())
def test_hearing_it_twice_is_hearing_it_once(state, what, expected):
    if expected == "-":
        return
    once = observe(attempt_in(state), OBSERVATIONS[what], LATER)
    if TABLE[once.state][type(OBSERVATIONS[what])] is not None:
        assert observe(once, OBSERVATIONS[what], LATER + timedelta(seconds=1)) == once


@pytest.mark.parametrize("state", [*AttemptState.__members__, "silent*"])
def test_start_may_be_sent_only_while_placed(state):
    assert attempt_in(state).may_start == (state == "PLACED")


@pytest.mark.parametrize("state", [s for s in AttemptState.__members__ if s != "QUEUED"])
def test_a_place_never_changes_and_is_not_taken_back(state):
    with pytest.raises(IllegalEvent, match="cannot be placed at AGT2"):
        placed(attempt_in(state), "AGT2", LATER)
    with pytest.raises(IllegalEvent, match="cannot be withdrawn"):
        withdrawn(attempt_in(state))


def test_what_has_no_place_can_be_taken_back():
    assert withdrawn(queued(KEY)).state is AttemptState.ACKED


def test_a_second_ending_is_recorded_beside_the_first_and_a_third_nowhere():
    other = Ended(Result(return_code=9))
    third = Ended(Result(return_code=10))
    first = attempt_in("ENDED")
    assert observe(first, DONE, LATER) == first
    second = observe(first, other, LATER)
    assert (second.state, second.result, second.late) == (
        AttemptState.ENDED,
        DONE.result,
        other.result,
    )
    assert observe(second, third, LATER) == second


def test_silence_says_since_when_and_an_answer_ends_it():
    silent = attempt_in("silent*")
    assert silent.silent_since == AT
    assert observe(silent, Running(AT), LATER).silent_since is None


def test_times_are_the_places_own_when_it_says_them():
    at = attempt_in("PLACED")
    told = Ended(Result(return_code=0, started=AT, ended=AT + timedelta(minutes=1)))
    known = observe(at, told, LATER)
    assert (known.started, known.ended) == (AT, AT + timedelta(minutes=1))
    unknown = observe(at, DONE, LATER)
    assert (unknown.started, unknown.ended) == (LATER, LATER)


# The job has warning_above 3 and abnormal_above 7, and a timeout of 60 s; a plain job has neither. An operator had the
# killed one killed; where the kill came too late, the job ended as it did.
ENDINGS = """
job   | ended with          | status event | own code | because
rules | return code 0       | END_NORMAL   | 0        | return code 0
rules | return code 3       | END_NORMAL   | 3        | return code 3
rules | return code 4       | END_WARNING  | 4        | return code 4 above warning threshold 3
rules | return code 7       | END_WARNING  | 7        | return code 7 above warning threshold 3
rules | return code 8       | END_ABNORMAL | 8        | return code 8 above abnormal threshold 7
plain | return code 0       | END_NORMAL   | 0        | return code 0
plain | return code 1       | END_ABNORMAL | 1        | return code 1 above abnormal threshold 0
plain | return code 255     | END_ABNORMAL | 255      | return code 255 above abnormal threshold 0
rules | signal 9            | KILL         | none     | signal 9 ended it
rules | timed out           | KILL         | none     | it ran longer than its timeout of 60 s
rules | failed: no such dir | FAIL         | none     | it could not be started: no such dir
rules | lost: rebooted      | LOSE         | none     | how it ended cannot be known: rebooted
rules | still running       | -            | -        | -
killed | signal 15          | KILL         | none     | killed by hanako: rain
killed | killed, code 0     | KILL         | none     | killed by hanako: rain
killed | killed, code 143   | KILL         | none     | killed by hanako: rain
killed | return code 0      | END_NORMAL   | 0        | return code 0
killed | return code 9      | END_ABNORMAL | 9        | return code 9 above abnormal threshold 0
killed | timed out          | KILL         | none     | it ran longer than its timeout of None s
killed | lost: rebooted     | LOSE         | none     | how it ended cannot be known: rebooted
plain  | killed, code 0     | END_NORMAL   | 0        | return code 0
"""
JOBS = {
    "plain": Job(name="plain"),
    "killed": Job(name="killed"),
    "rules": Job(name="rules", warning_above=3, abnormal_above=7, timeout_s=60),
}


def told(words: str) -> Observation:
    kind, _, why = words.partition(": ")
    match words.split(), kind:
        case _, "failed":
            return FailedToStart(why)
        case _, "lost":
            return Lost(why)
        case [how, "code", code], _:
            return Ended(Result(return_code=int(code), killed=how == "killed,"))
        case ["signal", number], _:
            return Ended(Result(return_code=128 + int(number), signal=int(number)))
        case ["timed", "out"], _:
            return Ended(Result(return_code=143, signal=15, timed_out=True))
        case _:
            return Running()


@pytest.mark.parametrize("line", ENDINGS.strip().splitlines()[1:])
def test_what_an_ending_means_for_the_job(line):
    job, words, event, code, because = (cell.strip() for cell in line.split("|"))
    found = ending(
        observe(attempt_in("PLACED"), told(words), LATER),
        JOBS[job],
        ASKED if job == "killed" else None,
    )
    if found is None:
        assert (event, code, because) == ("-", "-", "-")
        return
    own = "none" if found.return_code is None else str(found.return_code)
    assert (found.event.name, own, found.cause.text) == (event, code, because)
