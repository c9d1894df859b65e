"""Stories of whole generations: what is decided when, against a machine that runs no program."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ajs.actions import (
    AckAttempt,
    AskAgain,
    EndGeneration,
    KillAttempt,
    PlaceAttempt,
    QueueAttempt,
    SkipGeneration,
    StartAttempt,
    StartGeneration,
    StoreResult,
)
from ajs.attempts import (
    Absent,
    Attempt,
    AttemptKey,
    AttemptState,
    Claimed,
    Ended,
    FailedToStart,
    Lost,
    NoAnswer,
    Result,
    Running,
    Stored,
)
from ajs.decide import Observed, Snapshot, apply, decide
from ajs.lifecycle import Status
from ajs.plan import NestedPlan
from ajs.starting import Previous
from ajs.testing import FakeClock, FakeMachine, FakeRun, runs_by_path
from tests.driver import ASKED, EVENING, Driver, job, minutes, net, waiting

CLOSE = net(
    "daily-close",
    job("collect"),
    job("total", "collect", warning_above=3, abnormal_above=7),
    net("report", job("print"), after=("total",)),
    job("apology", "total", recovery=True),
)


def drive(*due, runs=None, at=EVENING, **snapshot) -> Driver:
    machine = FakeMachine(runs_by_path(runs or {}))
    return Driver(Snapshot(due=due, **snapshot), machine, FakeClock(at))


def lines(text: str) -> list[str]:
    return text.strip().splitlines()


def names(actions) -> list[str]:
    return [type(a).__name__ for a in actions]


# -- stories --


def test_a_night_that_goes_well():
    runs = {"collect": FakeRun(lasts=minutes(30)), "total": FakeRun(lasts=minutes(5))}
    driver = drive(waiting(CLOSE), runs=runs).run()
    assert driver.log() == lines("""
22:00 . RUNNING: its start time 2026-08-11 22:00:00 has come
22:00 collect EXECWAIT: its upper jobnet runs
22:00 collect RUNNING: the job has started
22:30 collect NORMAL: return code 0
22:30 total EXECWAIT: predecessor collect ended normally
22:30 total RUNNING: the job has started
22:35 total NORMAL: return code 0
22:35 report RUNNING: predecessor total ended normally
22:35 report/print EXECWAIT: its upper jobnet runs
22:35 apology BYPASS: there is nothing to recover: predecessor total ended normally
22:35 report/print RUNNING: the job has started
22:35 report/print NORMAL: return code 0
22:35 report NORMAL: all its units have ended
22:35 . NORMAL: all its units have ended
""")
    assert driver.ended == {1: Status.NORMAL}
    assert driver.snapshot == Snapshot()


def test_a_night_that_fails_and_apologises():
    runs = {"total": FakeRun(lasts=minutes(5), return_code=9)}
    driver = drive(waiting(CLOSE), runs=runs).run()
    assert driver.log()[5:] == lines("""
22:00 total RUNNING: the job has started
22:05 total ABNORMAL: return code 9 above abnormal threshold 7
22:05 report UNEXEC: predecessor total ended abnormally
22:05 report/print UNEXEC: its upper jobnet report was not executed
22:05 apology EXECWAIT: predecessor total ended abnormally
22:05 . ABCONT: unit total ended abnormally
22:05 apology RUNNING: the job has started
22:05 apology NORMAL: return code 0
22:05 . ABNORMAL: unit total ended abnormally
""")


def test_a_warning_goes_up_and_lets_the_next_one_go():
    driver = drive(waiting(CLOSE), runs={"total": FakeRun(return_code=4)}).run()
    assert "22:00 total WARNING: return code 4 above warning threshold 3" in driver.log()
    assert driver.log()[-1] == "22:00 . WARNING: unit total ended with warning"


@pytest.mark.parametrize(
    ("goes", "status", "because"),
    [
        (FakeRun(fails="no such file"), "FAIL", "it could not be started: no such file"),
        (FakeRun(signal=9, return_code=None), "KILL", "signal 9 ended it"),
        (FakeRun(timed_out=True), "KILL", "it ran longer than its timeout of 60 s"),
    ],
)
def test_what_ajs_sets_itself_has_the_return_code_of_ajs(goes, status, because):
    root = net("r", job("a", timeout_s=60), job("b", "a", recovery=True))
    driver = drive(waiting(root), runs={"a": goes}).run()
    assert f"22:00 a {status}: {because}" in driver.log()
    run = driver.units[1, "a"]
    assert (run.return_code, run.code_set_by_ajs) == (-1, True)
    assert driver.statuses() == {"": "ABNORMAL", "a": status, "b": "NORMAL"}


def test_an_empty_root_ends_in_the_decision_that_starts_it():
    driver = drive(waiting(net("r")))
    decision = driver.turn()
    assert names(decision.to_commit) == ["StartGeneration", "ChangeUnit", "EndGeneration"]
    assert driver.ended == {1: Status.NORMAL}


def test_nothing_before_the_start_time_but_when_to_wake():
    driver = drive(waiting(CLOSE), at=EVENING - minutes(1))
    decision = driver.turn()
    assert decision.actions == ()
    assert decision.wake_at == EVENING
    assert decision.reasons[1, ""].text == "its start time is 2026-08-11 22:00:00"


def test_the_earliest_of_all_that_is_due_wakes():
    later = EVENING + minutes(60)
    decision = drive(waiting(CLOSE, at=later), next_start=EVENING + minutes(30)).turn()
    assert decision.wake_at == EVENING + minutes(30)


def test_a_nested_jobnet_waits_for_its_own_time():
    nested = NestedPlan(start=EVENING + minutes(60))
    driver = drive(waiting(CLOSE, nested={"report": nested})).run(until=EVENING + minutes(10))
    assert driver.statuses()["report"] == "TIMEWAIT"
    assert driver.decisions[-1].wake_at == EVENING + minutes(60)
    assert driver.decisions[-1].reasons[1, "report"].text == "its start time is 2026-08-11 23:00:00"
    driver.run()
    assert "23:00 report RUNNING: its start time 2026-08-11 23:00:00 has come" in driver.log()
    assert driver.ended == {1: Status.NORMAL}


@pytest.mark.parametrize(
    "plan",
    [
        {"nested": {"report": NestedPlan(start=None, depends=False)}},
        {"nested": {"report": NestedPlan(depends=True, prohibited=True)}},
        {"prohibited": frozenset({"report"})},
    ],
)
def test_a_nested_jobnet_without_a_plan_shows_it_and_is_bypassed(plan):
    runs = {"collect": FakeRun(lasts=minutes(30))}
    driver = drive(waiting(CLOSE, **plan), runs=runs).run(until=EVENING + minutes(10))
    assert driver.statuses()["report"] == "NOPLAN"
    assert driver.statuses()["report/print"] == "NOPLAN"
    assert driver.initial[1, "report/print"] is Status.NOPLAN
    driver.run()
    assert driver.statuses()["report"] == "BYPASS"
    assert driver.statuses()["report/print"] == "BYPASS"
    assert driver.ended == {1: Status.NORMAL}


def test_a_nested_jobnet_that_depends_on_its_upper_one_follows_it():
    driver = drive(waiting(CLOSE, nested={"report": NestedPlan(depends=True)})).run()
    assert driver.initial[1, "report"] is Status.TERMWAIT
    assert driver.statuses()["report"] == "NORMAL"


# -- holds --


def test_a_held_job_stops_when_its_turn_comes_and_goes_on_when_released():
    driver = drive(waiting(CLOSE, holds={"total": True})).run()
    assert driver.statuses()["total"] == "HOLDING"
    assert driver.decisions[-1].reasons[1, "total"].text == "it is held"
    driver.change(1, "total", held=False)
    driver.run()
    assert "22:00 total EXECWAIT: it was released from hold" in driver.log()
    assert driver.ended == {1: Status.NORMAL}


def test_a_hold_in_the_definition_can_be_released_for_one_generation():
    root = net("r", job("a", hold=True))
    assert drive(waiting(root)).run().statuses()["a"] == "HOLDING"
    assert drive(waiting(root, holds={"a": False})).run().statuses()["a"] == "NORMAL"


def test_a_held_root_waits_at_its_start_time():
    held = waiting(CLOSE, holds={"": True})
    driver = drive(held, at=EVENING - minutes(1)).run()
    assert driver.log() == ["22:00 . HOLDING: it is held"]
    assert driver.snapshot.due[0].status is Status.HOLDING
    released = replace(driver.snapshot.due[0], generation=replace(held.generation, holds={}))
    driver.snapshot = replace(driver.snapshot, due=(released,))
    driver.run()
    assert driver.log()[1] == "22:00 . RUNNING: it was released from hold"
    assert driver.ended == {1: Status.NORMAL}


# -- the run before --


def test_a_start_while_the_run_before_it_still_goes_is_skipped():
    runs = {"collect": FakeRun(lasts=minutes(90))}
    due = waiting(CLOSE), waiting(CLOSE, number=2, at=EVENING + minutes(60))
    driver = drive(*due, runs=runs).run()
    skipped = "23:00 2:. EXECDEFFER: the run @A1 of the same root jobnet was still going"
    assert skipped in driver.log()
    assert driver.ended == {1: Status.NORMAL}


def test_a_run_that_the_snapshot_leaves_out_counts_too():
    due = replace(waiting(CLOSE, number=2), previous=(Previous(1, "@A1"),))
    assert names(drive(due).turn().to_commit) == ["SkipGeneration"]


def test_two_at_the_same_time_the_second_is_skipped():
    driver = drive(waiting(CLOSE), waiting(CLOSE, number=2)).run()
    assert [a for d in driver.decisions for a in d.to_commit if isinstance(a, SkipGeneration)]
    assert driver.ended == {1: Status.NORMAL}


def test_what_is_due_starts_in_the_order_of_the_plan():
    runs = {"collect": FakeRun(lasts=minutes(5))}
    due = waiting(CLOSE, number=1), waiting(CLOSE, number=2, at=EVENING - minutes(1))
    driver = drive(*due, runs=runs).run()
    assert driver.ended == {2: Status.NORMAL}
    assert (
        "22:00 1:. EXECDEFFER: the run @A2 of the same root jobnet was still going" in driver.log()
    )


def test_a_run_that_ends_in_the_decision_that_starts_the_next_is_over():
    driver = drive(waiting(net("r", job("a"))))
    driver.turn()
    following = replace(waiting(net("r", job("a")), number=2), previous=(Previous(1, "@A1"),))
    driver.snapshot = replace(driver.snapshot, due=(following,))
    decision = driver.turn([Observed(KEY, Ended(Result(return_code=0)))])
    assert [
        type(a) for a in decision.to_commit if isinstance(a, (EndGeneration, StartGeneration))
    ] == [
        EndGeneration,
        StartGeneration,
    ]


def test_a_run_that_ends_at_the_start_time_of_the_next_is_in_nobodys_way():
    runs = {"a": FakeRun(lasts=minutes(60))}
    root = net("r", job("a"))
    driver = drive(waiting(root), waiting(root, number=2, at=EVENING + minutes(60)), runs=runs)
    assert driver.run().ended == {1: Status.NORMAL, 2: Status.NORMAL}


def test_another_root_is_in_nobodys_way():
    runs = {"collect": FakeRun(lasts=minutes(90))}
    other = replace(CLOSE, name="weekly-close")
    driver = drive(waiting(CLOSE), waiting(other, number=2), runs=runs).run()
    assert driver.ended == {1: Status.NORMAL, 2: Status.NORMAL}


# -- slots --


def test_jobs_above_the_limit_queue_and_go_in_the_order_they_came():
    root = net("r", job("a"), job("b"), job("c"))
    runs = {n: FakeRun(lasts=minutes(10)) for n in "abc"}
    driver = drive(waiting(root), runs=runs, limit=1)
    first = driver.turn()
    assert [type(a) for a in first.to_send] == [StartAttempt]
    driver.run(until=EVENING + minutes(1))
    assert driver.statuses() == {"": "RUNNING", "a": "RUNNING", "b": "QUEUING", "c": "QUEUING"}
    assert driver.decisions[-1].reasons[1, "c"].text == "no more than 1 jobs may run at once"
    driver.run()
    started = [line for line in driver.log() if "the job has started" in line]
    assert [line[:7] for line in started] == ["22:00 a", "22:10 b", "22:20 c"]
    assert driver.ended == {1: Status.NORMAL}


def test_slots_taken_outside_the_snapshot_count():
    driver = drive(waiting(net("r", job("a"))), limit=2, busy=2)
    assert driver.turn().to_send == ()
    driver.snapshot = replace(driver.snapshot, busy=1)
    assert names(driver.turn().to_send) == ["StartAttempt"]


# -- attempts --

KEY = AttemptKey(1, "a", 1)
ONE_JOB = net("r", job("a"), job("b", "a"))


def test_the_place_is_committed_before_the_start_is_sent():
    decision = drive(waiting(ONE_JOB)).turn()
    place = next(a for a in decision.to_commit if isinstance(a, PlaceAttempt))
    start = next(a for a in decision.to_send if isinstance(a, StartAttempt))
    assert place.attempt.state is AttemptState.PLACED
    assert (start.key, start.place, start.job) == (KEY, place.attempt.place, job("a"))


def test_what_a_job_that_ended_at_once_sets_off_is_one_decision():
    driver = drive(waiting(ONE_JOB))
    driver.turn()
    decision = driver.turn([Observed(KEY, Ended(Result(return_code=0)))])
    assert names(decision.actions) == [
        "ChangeAttempt",
        "ChangeUnit",
        "ChangeUnit",
        "ChangeUnit",
        "PlaceAttempt",
        "StoreResult",
        "StartAttempt",
    ]


SILENCE = NoAnswer(datetime(2026, 8, 11, 22, tzinfo=UTC))

# After the start was sent: what the place says, and what is sent then.
ANSWERS = [
    ((Absent(),), ["StartAttempt"]),
    ((Claimed(),), []),
    ((Running(),), []),
    ((SILENCE,), ["AskAgain"]),
    ((SILENCE, Absent()), ["StartAttempt"]),
    # The watch that asking began goes on.
    ((SILENCE, Claimed()), []),
    ((Running(), SILENCE), ["AskAgain"]),
    ((Running(), Absent()), ["AskAgain"]),
    ((Ended(Result(return_code=1)),), ["StoreResult"]),
    ((Ended(Result(return_code=1)), Stored()), ["AckAttempt"]),
    ((FailedToStart("no such file"),), ["StoreResult"]),
    ((Lost("other boot id"),), []),
]


@pytest.mark.parametrize(("answers", "sent"), ANSWERS)
def test_what_is_sent_after_an_answer(answers, sent):
    driver = drive(waiting(net("r", job("a"))))
    driver.turn()
    to_send: tuple = ()
    for answer in answers:
        to_send = driver.turn([Observed(KEY, answer)]).to_send
    assert names(to_send) == sent


def test_what_is_not_new_changes_nothing():
    driver = drive(waiting(ONE_JOB))
    driver.turn()
    driver.turn([Observed(KEY, Running())])
    assert driver.turn([Observed(KEY, Running()), Observed(KEY, Claimed())]).actions == ()


def test_after_a_crash_everything_that_matters_is_asked_again():
    driver = drive(waiting(net("r", job("a"), job("b"), job("c"), job("d"))))
    driver.turn()
    driver.turn(
        [
            Observed(AttemptKey(1, "b", 1), Running()),
            Observed(AttemptKey(1, "c", 1), Ended(Result(return_code=0))),
            Observed(AttemptKey(1, "d", 1), Ended(Result(return_code=0))),
        ]
    )
    driver.turn([Observed(AttemptKey(1, "d", 1), Stored())])
    driver.snapshot = replace(driver.snapshot, asked=frozenset())
    decision = decide(driver.snapshot, driver.clock.now())
    assert decision.to_commit == ()
    assert [(type(a), a.key.path) for a in decision.to_send] == [
        (StartAttempt, "a"),
        (AskAgain, "b"),
        (StoreResult, "c"),
        (AckAttempt, "d"),
    ]


def test_a_lost_job_is_unknown_and_its_late_result_is_recorded_beside():
    driver = drive(waiting(net("r", job("a"), job("b"))), runs={"b": FakeRun(lasts=minutes(5))})
    driver.turn()
    driver.turn([Observed(KEY, Running())])
    driver.turn([Observed(KEY, Lost("other boot id"))])
    assert driver.log()[-2:] == [
        "22:00 a UNKNOWN: how it ended cannot be known: other boot id",
        "22:00 . ABCONT: unit a has an unknown end status",
    ]
    late = Result(return_code=0)
    driver.turn([Observed(KEY, Ended(late))])
    assert driver.statuses()["a"] == "UNKNOWN"
    assert driver.snapshot.attempts[KEY].late == late


def test_silence_leaves_the_job_running_and_says_since_when():
    driver = drive(waiting(ONE_JOB))
    driver.turn()
    driver.turn([Observed(KEY, Running())])
    since = driver.clock.now().utc
    decision = driver.turn([Observed(KEY, NoAnswer(since))])
    assert driver.statuses()["a"] == "RUNNING"
    assert decision.reasons[1, "a"].text == "no contact since 2026-08-11 22:00:00"
    driver.turn([Observed(KEY, Ended(Result(return_code=0)))])
    assert driver.statuses()["a"] == "NORMAL"


def test_an_ending_that_an_operator_set_is_not_overwritten_by_the_result():
    driver = drive(waiting(ONE_JOB))
    driver.turn()
    driver.turn([Observed(KEY, Running())])
    driver.change(1, "a", status=Status.NORMAL, return_code=0)
    driver.turn([Observed(KEY, Ended(Result(return_code=9)))])
    assert driver.statuses()["b"] == "EXECWAIT"
    assert driver.snapshot.live[1].units["a"].status is Status.NORMAL
    result = driver.snapshot.attempts[KEY].result
    assert result is not None
    assert result.return_code == 9


def test_an_answer_about_an_attempt_that_is_not_known_says_nothing():
    driver = drive(waiting(ONE_JOB))
    driver.turn()
    other = Observed(AttemptKey(99, "x", 1), Ended(Result(return_code=0)))
    assert driver.turn([other]).actions == ()


# -- kill and interrupt --


def test_a_running_job_is_killed_by_its_place():
    driver = drive(waiting(ONE_JOB), runs={"a": FakeRun(lasts=minutes(60))})
    driver.run(until=EVENING + minutes(1))
    driver.change(1, "a", kill_asked=ASKED)
    assert names(driver.turn().to_send) == ["KillAttempt"]
    driver.run()
    assert driver.statuses() == {"": "ABNORMAL", "a": "KILL", "b": "UNEXEC"}
    assert "22:01 a KILL: killed by hanako: rain" in driver.log()


def test_a_kill_waits_until_the_start_is_known_to_have_arrived():
    driver = drive(waiting(ONE_JOB))
    driver.turn()
    driver.change(1, "a", kill_asked=ASKED)
    assert driver.turn([]).to_send == ()
    assert names(driver.turn([Observed(KEY, SILENCE)]).to_send) == ["AskAgain"]
    sent = driver.turn([Observed(KEY, Running())]).to_send
    assert [type(a) for a in sent] == [KillAttempt]
    assert driver.turn([]).to_send == ()
    again = driver.turn([Observed(KEY, Running())]).to_send
    assert [type(a) for a in again] == [KillAttempt]


def test_a_queued_job_is_killed_without_having_started():
    root = net("r", job("a"), job("b"))
    driver = drive(waiting(root), runs={"a": FakeRun(lasts=minutes(5))}, limit=1)
    driver.run(until=EVENING + minutes(1))
    driver.change(1, "b", kill_asked=ASKED)
    driver.run()
    assert "22:01 b KILL: killed before it started, by hanako: rain" in driver.log()
    assert [key.path for key, _ in driver.machine.starts] == ["a"]


def test_an_interrupted_generation_lets_run_what_runs_and_starts_nothing():
    root = net("r", job("a"), job("b"), job("c", "a"))
    driver = drive(waiting(root), runs={"a": FakeRun(lasts=minutes(5))}, limit=1)
    driver.run(until=EVENING + minutes(1))
    live = replace(driver.snapshot.live[1], interrupted=ASKED)
    driver.snapshot = replace(driver.snapshot, live={1: live})
    driver.run()
    assert driver.statuses() == {"": "INTERRUPT", "a": "NORMAL", "b": "UNEXEC", "c": "UNEXEC"}
    assert driver.ended == {1: Status.INTERRUPT}


# -- identity --


def test_ids_tell_actions_apart_and_a_repeat_is_recognised():
    driver = drive(waiting(CLOSE), waiting(net("x", job("a"), job("b")), number=2), limit=1)
    before = driver.snapshot
    driver.run()
    actions = [a for d in driver.decisions for a in d.actions]
    assert any(isinstance(a, QueueAttempt) for a in actions)
    ids = [a.id for a in actions]
    assert len(ids) == len(set(ids))
    again = decide(before, FakeClock(EVENING).now())
    assert [a.id for a in again.actions] == [a.id for a in driver.decisions[0].actions]


def test_apply_raises_the_version_of_what_changed():
    driver = drive(waiting(ONE_JOB))
    driver.turn()
    version = driver.snapshot.live[1].version
    driver.turn([Observed(KEY, Running())])
    assert driver.snapshot.live[1].version == version + 1
    driver.turn([])
    assert driver.snapshot.live[1].version == version + 1


def test_a_generation_keeps_the_definition_and_version_it_started_with():
    due = replace(waiting(CLOSE), generation=replace(waiting(CLOSE).generation, version=5))
    start = drive(due).turn().to_commit[0]
    assert isinstance(start, StartGeneration)
    assert (start.live.definition, start.live.definition_hash) == (CLOSE, "hash of daily-close")
    assert start.live.version == 5


def test_what_is_left_of_an_ended_generation_is_seen_to():
    """The generation ends before its last output is stored; that is still done."""
    driver = drive(waiting(net("r", job("a"))))
    driver.turn()
    decision = driver.turn([Observed(KEY, Ended(Result(return_code=0)))])
    assert any(isinstance(a, EndGeneration) for a in decision.to_commit)
    assert driver.snapshot.live == {}
    assert driver.snapshot.attempts[KEY].state is AttemptState.ENDED
    assert names(driver.turn([Observed(KEY, Stored())]).to_send) == ["AckAttempt"]


def test_a_lost_attempt_of_an_ended_generation_is_let_go():
    lost = Attempt(generation=1, path="a", number=1, state=AttemptState.LOST)
    snapshot = Snapshot(attempts={KEY: lost})
    decision = decide(snapshot, FakeClock(EVENING).now())
    assert decision.actions == ()
    assert apply(snapshot, decision).attempts == {}
