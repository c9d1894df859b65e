"""What a courier asks next, and what the answers mean: action, answer, observations and requests."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from ajs import attempts
from ajs.actions import AckAttempt, AskAgain, KillAttempt, StartAttempt, StoreResult
from ajs.agents import AgentIdentity, RemotePlace
from ajs.attempts import AttemptKey
from ajs.dispatch.fetched import Fetched
from ajs.dispatch.link import MOST_OUTPUT
from ajs.dispatch.messages import (
    Absent,
    Claimed,
    Ended,
    Exited,
    FailedToStart,
    JobResult,
    Lost,
    NotTaken,
    Remains,
    Running,
    Signalled,
    Stream,
)
from ajs.dispatch.protocol import (
    MOST_PAYLOAD,
    Damaged,
    Data,
    Expired,
    Fetch,
    KillOrdered,
    List,
    Listed,
    Misunderstood,
    Other,
    Stands,
    Start,
    Tomb,
    Unanswered,
)
from ajs.model import Job
from ajs.runner.remote import books as tested
from ajs.runner.remote.books import Books, Payload
from tests.runner.remote.fakes import NOON

AGENT = AgentIdentity("LB1", "10.0.0.5", 22, "k5", "b1", "25", "e1")
PLACE = RemotePlace(AGENT, "GRP").text
KEY = AttemptKey(1, "collect", 1)
NAME = "a-1"
PAYLOAD = Payload(launch=b"exec true\n")
RESULT = JobResult(
    outcome=Exited(3),
    timed_out=False,
    killed=False,
    started=NOON,
    ended=NOON + timedelta(seconds=9),
    out_size=3,
    err_size=0,
    left=0,
    escaped=0,
)
RUNNING = Running(guard_pid=1, job_pid=2, started=NOON)


@pytest.fixture
def books(tmp_path) -> Books:
    return Books(AGENT, Fetched(tmp_path / "fetched"))


def action(kind, key=KEY, relay="AGT1"):
    if kind is StartAttempt:
        return StartAttempt(key, PLACE, Job(name="collect"), relay)
    return kind(key, PLACE, relay)


def take(books: Books, *kinds, name=NAME, key=KEY, begun=False, relay="AGT1") -> Books:
    for kind in kinds:
        payload = PAYLOAD if kind is StartAttempt else None
        books.take(action(kind, key, relay), name, payload, begun=begun)
    return books


def asks(books: Books, now_s=0.0, uptime_s=5000, *, poll=False) -> list[str]:
    return [words(r) for _, r in books.requests(now_s, uptime_s, poll=poll)]


def words(request) -> str:
    name = getattr(request, "attempt_id", "")
    more = f" {request.stream.value} {request.offset}" if isinstance(request, Fetch) else ""
    return f"{type(request).__name__} {name}{more}".strip()


def hear(books: Books, *answers, now_s=0.0, poll=False, uptime_s=5000) -> list[str]:
    asked = books.requests(now_s, uptime_s, poll=poll)
    books.sends(asked)
    return told(books.heard(asked, answers, now_s))


def told(seen: Sequence) -> list[str]:
    return [said(one.what) for one in seen]


def said(what) -> str:
    match what:
        case attempts.Lost(why) | attempts.FailedToStart(why):
            return f"{type(what).__name__}: {why}"
        case attempts.Ended(result):
            code = f"signal {result.signal}" if result.signal else result.return_code
            return f"Ended {code}"
        case attempts.Running(started):
            return "Running" if started else "Running since nobody knows when"
        case attempts.NoAnswer(since):
            return f"NoAnswer since {since:%H:%M:%S}"
        case _:
            return type(what).__name__


def stands(standing, age_s=None, name=NAME) -> Stands:
    return Stands(name, standing, age_s)


# -- action, answer: what is told, what is asked next --

START, ASK, BEGUN = "start", "ask", "ask what has begun"
NEVER_RAN = "the guard of the job is gone; the job was never let go"
GONE = "the runner of the job on the agent is gone; no process of its session is left"

TABLE = [
    # taken, standing, told, asked next
    (START, RUNNING, ["Running"], []),
    (START, Ended(RESULT), ["Ended 3"], []),
    (START, Ended(replace(RESULT, outcome=Signalled(9))), ["Ended signal 9"], []),
    (START, Ended(replace(RESULT, outcome=FailedToStart("no"))), ["FailedToStart: no"], []),
    (START, Claimed(), [], ["State a-1"]),
    (START, Lost(remains=Remains.THERE, job_pid=1), ["Running since nobody knows when"], []),
    (START, Lost(remains=Remains.GONE, job_pid=1), [f"Lost: {GONE}"], []),
    (START, Lost(remains=Remains.NEVER_RAN, job_pid=None), [f"FailedToStart: {NEVER_RAN}"], []),
    (START, Tomb(), ["Lost: its result was fetched before"], []),
    (START, NotTaken("disk full"), [], ["Start a-1"]),
    (START, Expired(), [], ["Start a-1"]),
    (START, Other(epoch_differs=False), [], ["State a-1"]),
    (ASK, RUNNING, ["Running"], []),
    (ASK, Ended(RESULT), ["Ended 3"], []),
    (ASK, Claimed(), [], ["State a-1"]),
    (ASK, Absent(), ["Absent"], []),
    (BEGUN, Absent(), ["Lost: the agent has no record of it"], []),
    (ASK, Lost(remains=Remains.THERE, job_pid=1), ["Running since nobody knows when"], []),
    (ASK, Lost(remains=Remains.GONE, job_pid=1), [f"Lost: {GONE}"], []),
    (ASK, Tomb(), ["Lost: its result was fetched before"], []),
]


@pytest.mark.parametrize(
    ("taken", "standing", "expected", "after"), TABLE, ids=lambda x: str(x)[:40]
)
def test_what_an_answer_means(books, taken, standing, expected, after):
    take(books, StartAttempt if taken == START else AskAgain, begun=taken == BEGUN)
    assert asks(books) == ["Start a-1" if taken == START else "State a-1"]
    assert hear(books, stands(standing)) == expected
    assert asks(books, now_s=60.0) == after


@pytest.mark.parametrize("answer", [Damaged(NAME), Unanswered(), Misunderstood()])
@pytest.mark.parametrize("kind", [StartAttempt, AskAgain])
def test_what_is_not_answered_is_asked_again(books, kind, answer):
    take(books, kind)
    first = asks(books)
    assert hear(books, answer) == []
    rests = not isinstance(answer, Unanswered)
    assert asks(books) == ([] if rests else first)
    assert asks(books, now_s=1.0) == first


def test_what_the_helper_cannot_read_does_not_hold_up_what_comes_after_it(books):
    take(books, AskAgain)
    take(books, AskAgain, name="a-2", key=KEY._replace(path="b"))
    assert hear(books, Misunderstood(), Unanswered()) == []
    assert asks(books) == ["State a-2"]


def test_a_job_that_runs_is_told_once_and_asked_about_in_lists_only(books):
    take(books, StartAttempt)
    assert hear(books, stands(RUNNING)) == ["Running"]
    assert asks(books) == []
    assert asks(books, poll=True) == ["List"]
    assert hear(books, Listed({NAME: stands(RUNNING)}), poll=True) == []
    assert hear(books, Listed({NAME: stands(Ended(RESULT))}), poll=True) == ["Ended 3"]
    assert books.idle


def test_what_a_list_leaves_out_is_asked_about_alone(books):
    take(books, AskAgain)
    hear(books, stands(RUNNING))
    assert hear(books, Listed({}), poll=True) == []
    assert asks(books) == ["State a-1"]
    assert hear(books, stands(Absent())) == ["Lost: the agent has no record of it"]


def test_a_list_says_nothing_of_what_is_still_to_be_started(books):
    take(books, StartAttempt)
    assert hear(books, Unanswered(), Listed({}), poll=True) == []
    assert asks(books) == ["Start a-1"]


# -- starting --


def start(books: Books, now_s=0.0, uptime_s=5000) -> Start:
    (asked,) = books.requests(now_s, uptime_s, poll=False)
    books.sends([asked])
    assert isinstance(asked[1], Start)
    return asked[1]


def test_a_start_says_for_whom_and_until_when_however_often_it_is_sent(books):
    take(books, StartAttempt)
    first = start(books, uptime_s=5000)
    assert (first.epoch, first.boot_id, first.not_after) == ("e1", "b1", 5900)
    assert start(books, uptime_s=5600) == first


def test_a_start_that_was_never_sent_has_its_time_from_when_it_is(books):
    # What stood as the agent's uptime before anybody had heard from it was a guess.
    take(books, StartAttempt)
    assert asks(books, uptime_s=9_000_000) == ["Start a-1"]
    assert start(books, uptime_s=5000).not_after == 5900


def test_only_after_it_has_expired_is_a_new_start_sent(books):
    take(books, StartAttempt)
    assert start(books).not_after == 5900
    assert hear(books, stands(Expired()), uptime_s=6000) == []
    assert start(books, uptime_s=6000).not_after == 6900


def test_a_refused_start_is_tried_again_after_longer_and_longer_and_then_has_failed(books):
    take(books, StartAttempt)
    now_s, rests = 0.0, []
    for _ in range(tested.TRIES):
        assert hear(books, stands(NotTaken("disk full")), now_s=now_s) == []
        assert asks(books, now_s=now_s) == []
        again = books.next_s(now_s)
        assert again is not None
        rests.append(again - now_s)
        now_s = again
    assert rests == [1, 2, 4, 8, 16]
    assert hear(books, stands(NotTaken("disk full")), now_s=now_s) == ["FailedToStart: disk full"]
    assert books.idle


def test_while_a_start_may_still_arrive_a_refused_one_has_not_failed(books):
    take(books, StartAttempt)
    start(books)  # and nobody knows what became of it
    for now_s in range(0, 200, 20):
        assert hear(books, stands(NotTaken("disk full")), now_s=float(now_s)) == []
    # It comes to an end: no start of it can begin any more.
    assert hear(books, stands(Expired()), now_s=900.0) == ["FailedToStart: disk full"]


def test_a_refused_start_that_was_delayed_runs(books):
    take(books, StartAttempt)
    start(books)
    for now_s in range(0, 200, 20):
        hear(books, stands(NotTaken("disk full")), now_s=float(now_s))
    assert hear(books, stands(RUNNING), now_s=300.0) == ["Running"]


def test_what_was_not_answered_is_asked_about_and_not_started(books):
    take(books, StartAttempt)
    start(books)
    assert told(books.silent(NOON)) == ["NoAnswer since 12:00:00"]
    take(books, AskAgain)
    assert asks(books) == ["State a-1"]
    assert hear(books, stands(Absent())) == ["Absent"]
    take(books, StartAttempt)
    assert asks(books) == ["Start a-1"]


def test_so_many_are_started_at_once(books):
    for count in range(40):
        take(books, StartAttempt, name=f"a-{count}", key=KEY._replace(path=f"j{count}"))
    assert len(asks(books)) == tested.STARTS


def test_scripts_go_in_small_parcels_a_large_one_alone(books):
    large = Payload(launch=b"x", file=bytes(tested.START_BYTES))
    for count, payload in enumerate((large, PAYLOAD, large)):
        key = KEY._replace(path=f"j{count}")
        books.take(action(StartAttempt, key), f"a-{count}", payload, begun=False)
    assert asks(books) == ["Start a-0"]


def test_what_no_agent_would_take_is_no_payload():
    with pytest.raises(ValueError, match="takes 67108865 bytes"):
        Payload(launch=b"x", file=bytes(MOST_PAYLOAD))


def test_one_conversation_has_starts_for_one_relay_agent(books):
    for count, relay in enumerate(["AGT2", "AGT1", "AGT2"]):
        key = KEY._replace(path=f"j{count}")
        take(books, StartAttempt, name=f"a-{count}", key=key, relay=relay)
    assert asks(books) == ["Start a-0", "Start a-2"]
    assert hear(books, stands(RUNNING, name="a-0"), stands(RUNNING, name="a-2")) == ["Running"] * 2
    assert asks(books) == ["Start a-1"]


# -- an agent that was restarted, or is gone --


def test_nothing_is_started_on_an_agent_that_was_restarted(books):
    take(books, StartAttempt)
    books.restarted()
    assert asks(books) == ["State a-1"]
    why = "the agent was restarted and has no record of it"
    assert hear(books, stands(Absent())) == [f"Lost: {why}"]
    take(books, StartAttempt)
    assert asks(books) == ["State a-1"]


def test_what_ended_before_the_restart_has_its_result(books):
    take(books, StartAttempt)
    books.restarted()
    assert hear(books, stands(Ended(RESULT))) == ["Ended 3"]


def test_with_an_agent_that_is_gone_all_is_over(books):
    take(books, StartAttempt)
    take(books, StoreResult, name="a-2", key=KEY._replace(path="b"))
    take(books, AckAttempt, name="a-3", key=KEY._replace(path="c"))
    take(books, KillAttempt, name="a-4", key=KEY._replace(path="d"))
    assert told(books.gone("it is gone")) == ["Lost: it is gone", "Stored", "Acked"]
    assert books.idle


# -- silence --


def test_silence_is_told_once_until_something_was_heard(books):
    take(books, StartAttempt)
    hear(books, stands(RUNNING))
    assert told(books.silent(NOON)) == ["NoAnswer since 12:00:00"]
    take(books, AskAgain)
    assert books.silent(NOON) == []
    assert hear(books, stands(RUNNING)) == ["Running"]
    assert told(books.silent(NOON)) == ["NoAnswer since 12:00:00"]


def test_a_list_ends_the_silence_too(books):
    take(books, StartAttempt)
    hear(books, stands(RUNNING))
    books.silent(NOON)
    asked = [(None, List())]
    assert told(books.heard(asked, [Listed({NAME: stands(RUNNING)})], 0.0)) == ["Running"]
    assert told(books.silent(NOON)) == ["NoAnswer since 12:00:00"]


def test_of_what_is_only_stored_or_acked_no_silence_is_told(books):
    take(books, StoreResult)
    assert books.silent(NOON) == []


# -- killing --


def test_a_kill_goes_out_until_it_is_answered_and_the_watch_tells_the_end(books):
    take(books, AskAgain, KillAttempt)
    assert asks(books) == ["Kill a-1", "State a-1"]
    assert hear(books, Unanswered(), Unanswered()) == []
    ordered = KillOrdered(stands(RUNNING), 1)
    assert hear(books, ordered, stands(RUNNING)) == ["Running"]
    assert asks(books) == []
    end = Ended(replace(RESULT, outcome=Signalled(15), killed=True))
    assert hear(books, Listed({NAME: stands(end)}), poll=True) == ["Ended signal 15"]


def test_a_kill_of_what_has_ended_tells_the_end(books):
    take(books, AskAgain, KillAttempt)
    assert hear(books, KillOrdered(stands(Ended(RESULT)), 0), stands(Ended(RESULT))) == ["Ended 3"]
    assert books.idle


def test_who_took_a_job_and_never_began_it_is_killed(books):
    take(books, StartAttempt)
    assert hear(books, stands(Claimed(), 3)) == []
    assert asks(books, now_s=5.0) == ["State a-1"]
    assert hear(books, stands(Claimed(), tested.CLAIMED_S + 1), now_s=5.0) == []
    assert asks(books, now_s=9.0) == ["Kill a-1", "State a-1"]
    barred = stands(Lost(remains=Remains.NEVER_RAN, job_pid=None), 40)
    ordered = KillOrdered(stands(Claimed(), 40), 0)
    assert hear(books, ordered, barred, now_s=9.0) == [f"FailedToStart: {NEVER_RAN}"]


def test_what_has_not_begun_yet_is_not_asked_about_in_a_rush(books):
    take(books, StartAttempt)
    hear(books, stands(Claimed(), 0))
    assert asks(books) == []
    assert books.next_s(0.0) == tested.CLAIMED_REST_S


def test_when_to_go_on_does_not_hide_behind_what_is_past(books):
    take(books, StartAttempt)
    hear(books, stands(Claimed(), 0))
    take(books, StartAttempt, name="a-2", key=KEY._replace(path="b"))
    hear(books, stands(RUNNING), Damaged("a-2"), now_s=50.0)
    assert books.next_s(50.0) == 51.0


# -- clocks --


def test_instants_are_told_by_our_clock(books):
    books.skew = timedelta(hours=1)
    take(books, StartAttempt)
    asked = books.requests(0.0, 0, poll=False)
    books.sends(asked)
    (seen,) = books.heard(asked, [stands(Ended(RESULT))], 0.0)
    assert isinstance(seen.what, attempts.Ended)
    assert seen.what.result.started == NOON - timedelta(hours=1)
    assert seen.what.result.ended == NOON - timedelta(minutes=59, seconds=51)


def test_a_clock_that_is_hardly_wrong_counts_as_right(books):
    books.skew = tested.SKEW
    take(books, AskAgain)
    asked = books.requests(0.0, 0, poll=False)
    (seen,) = books.heard(asked, [stands(RUNNING)], 0.0)
    assert seen.what == attempts.Running(NOON)


# -- fetching --


def data(offset: int, content: bytes, size: int, stream=Stream.OUT) -> Data:
    return Data(NAME, stream, offset, content, size)


def test_both_streams_are_fetched_from_where_their_files_end_and_then_stored(books):
    take(books, StoreResult)
    assert asks(books) == ["Fetch a-1 out 0", "Fetch a-1 err 0"]
    assert hear(books, data(0, b"abc", 6), data(0, b"", 0, Stream.ERR)) == []
    assert asks(books) == ["Fetch a-1 out 3"]
    assert hear(books, Unanswered()) == []
    assert hear(books, data(3, b"def", 6)) == ["Stored"]
    assert books.idle
    assert books._fetched.output(NAME, Stream.OUT, 0, 99) == b"abcdef"
    assert books._fetched.output(NAME, Stream.ERR, 0, 99) == b""


@pytest.mark.parametrize(
    ("jobs", "streams", "most"),
    [
        (1, 2, tested.FETCH_BYTES),
        (2, 4, tested.FETCHED_BYTES // 4),
        (8, 16, tested.FETCHED_BYTES // 16),
        (tested.FETCHES, tested.FETCHES, tested.FETCHED_BYTES // tested.FETCHES),
    ],
)
def test_many_that_wrote_little_are_fetched_in_one_conversation_and_no_more_bytes(
    books, jobs, streams, most
):
    for number in range(jobs):
        take(books, StoreResult, name=f"a-{number}", key=AttemptKey(1, f"j{number}", 1))
    asked = [request for _, request in books.requests(0.0, 5000, poll=False)]
    assert [request.most for request in asked] == [most] * streams
    names = [request.attempt_id for request in asked]
    assert names == [f"a-{number}" for number in range(streams // 2) for _ in Stream]
    assert sum(request.most for request in asked) <= MOST_OUTPUT // 2


def test_what_comes_twice_is_stored_once(books):
    take(books, StoreResult)
    hear(books, data(0, b"abc", 6), Unanswered())
    assert hear(books, data(0, b"abc", 6), data(0, b"", 0, Stream.ERR)) == []
    assert hear(books, data(3, b"def", 6)) == ["Stored"]
    assert books._fetched.output(NAME, Stream.OUT, 0, 99) == b"abcdef"


def test_what_somebody_has_removed_here_is_fetched_anew(books):
    take(books, StoreResult)
    hear(books, data(0, b"abc", 6), data(0, b"", 0, Stream.ERR))
    asked = books.requests(0.0, 0, poll=False)
    (books._fetched.folder / NAME / "out").unlink()
    assert books.heard(asked, [data(3, b"def", 6)], 0.0) == []
    assert asks(books) == ["Fetch a-1 out 0"]
    assert hear(books, data(0, b"abcdef", 6)) == ["Stored"]


def test_where_there_is_nothing_to_be_had_it_is_stored(books):
    take(books, StoreResult)
    assert hear(books, stands(Absent()), stands(Absent())) == ["Stored"]
    assert books.idle


def test_one_stream_that_is_missing_does_not_cut_the_other_one_short(books):
    take(books, StoreResult)
    assert hear(books, stands(Absent()), data(0, b"abc", 6, Stream.ERR)) == []
    assert asks(books) == ["Fetch a-1 err 3"]
    assert hear(books, data(3, b"def", 6, Stream.ERR)) == ["Stored"]
    assert books._fetched.output(NAME, Stream.ERR, 0, 99) == b"abcdef"


def test_what_cannot_be_looked_at_here_is_said_and_tried_again(books):
    take(books, StoreResult)
    books._fetched.folder.mkdir(exist_ok=True)
    in_the_way = books._fetched.folder / NAME
    in_the_way.write_text("no folder")
    assert books.requests(0.0, 0, poll=False) == []
    (watch,) = books._watches.values()
    assert watch.unstored.startswith("nobody can see how much of a job's output is in ")
    in_the_way.unlink()
    asked = [request for _, request in books.requests(3600.0, 0, poll=False)]
    assert [request.offset for request in asked] == [0, 0]


def test_a_store_begins_with_what_was_read_while_the_job_ran(books):
    take(books, StartAttempt)
    hear(books, stands(RUNNING))
    assert books.look_at(NAME, follow=True)
    assert asks(books) == ["State a-1", "Fetch a-1 out 0", "Fetch a-1 err 0"]
    assert hear(books, stands(RUNNING), data(0, b"ab", 2), data(0, b"", 0, Stream.ERR)) == []
    assert asks(books) == []
    hear(books, Listed({NAME: stands(Ended(RESULT))}), poll=True)
    take(books, StoreResult)
    assert asks(books) == ["Fetch a-1 out 2", "Fetch a-1 err 0"]


@pytest.mark.parametrize(
    ("kinds", "poll", "answers"),
    [
        ((StartAttempt,), False, [stands(RUNNING)]),
        ((AskAgain,), False, [stands(RUNNING)]),
        ((AskAgain, KillAttempt), False, [KillOrdered(stands(RUNNING), 0), stands(RUNNING)]),
        ((AskAgain,), True, [stands(RUNNING), Listed({NAME: stands(RUNNING)})]),
    ],
)
def test_what_happens_while_an_answer_is_on_its_way_is_asked_about_again(
    books, kinds, poll, answers
):
    take(books, *kinds)
    asked = books.requests(0.0, 5000, poll=poll)
    books.sends(asked)
    assert books.look_at(NAME, follow=False)
    assert told(books.heard(asked, answers, 0.0)) == ["Running"]
    assert asks(books) == ["State a-1"]
    assert hear(books, stands(RUNNING)) == []
    assert asks(books) == []


def test_a_list_tells_of_what_happened_before_it(books):
    take(books, StartAttempt)
    hear(books, stands(RUNNING))
    books.look_at(NAME, follow=False)
    hear(books, Unanswered(), Listed({NAME: stands(RUNNING)}), poll=True)
    assert asks(books) == []


def test_a_reader_of_what_has_not_begun_does_not_make_it_ask_in_a_rush(books):
    take(books, AskAgain)
    books.look_at(NAME, follow=True)
    hear(books, stands(Claimed(), 0), stands(Claimed(), 0), stands(Claimed(), 0))
    assert asks(books, now_s=9.0) == ["State a-1"]


def test_what_is_none_of_ours_is_not_looked_at(books):
    assert not books.look_at("another", follow=True)


def test_a_disk_that_is_full_here_loses_nothing_of_all_else(books, monkeypatch):
    take(books, StoreResult)
    take(books, StartAttempt, name="a-2", key=KEY._replace(path="b"))

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("ajs.dispatch.fetched.Fetched._write", full)
    out, err = data(0, b"abc", 3), data(0, b"", 0, Stream.ERR)
    assert hear(books, stands(RUNNING, name="a-2"), out, err) == ["Running"]
    assert "cannot be stored" in books.unstored
    assert asks(books, now_s=tested.DISK_REST_S - 0.1) == []
    monkeypatch.undo()
    assert hear(books, out, err, now_s=tested.DISK_REST_S) == ["Stored"]
    assert books.unstored == ""
    assert books._fetched.output(NAME, Stream.OUT, 0, 99) == b"abc"


# -- done with --


@pytest.mark.parametrize("standing", [Tomb(), Absent()])
def test_who_has_nothing_left_has_acked(books, standing):
    # Absent: its tomb is gone too, or its start was refused and nothing was ever there.
    take(books, AckAttempt)
    assert asks(books) == ["Ack a-1"]
    assert hear(books, stands(standing)) == ["Acked"]
    assert books.idle


@pytest.mark.parametrize("standing", [Ended(RESULT), RUNNING, Claimed()])
def test_what_cannot_be_forgotten_yet_is_acked_later(books, standing):
    take(books, AckAttempt)
    assert hear(books, stands(standing)) == []
    assert asks(books) == []
    assert asks(books, now_s=1.0) == ["Ack a-1"]


def test_nothing_is_acked_before_it_is_stored(books):
    take(books, StoreResult, AckAttempt)
    assert asks(books) == ["Fetch a-1 out 0", "Fetch a-1 err 0"]
    assert hear(books, stands(Tomb()), stands(Tomb())) == ["Stored"]
    assert hear(books, stands(Tomb())) == ["Acked"]
