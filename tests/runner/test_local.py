"""The place that this machine is, over a dispatch that says what the tests want."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from ajs import attempts
from ajs.actions import AckAttempt, AskAgain, KillAttempt, StartAttempt, StoreResult
from ajs.attempts import LOCAL, AttemptKey
from ajs.dispatch.messages import (
    Absent,
    Claimed,
    Ended,
    Exited,
    FailedToStart,
    JobResult,
    JobSpec,
    Lost,
    NotTaken,
    Remains,
    Running,
    Standing,
)
from ajs.errors import StoreError
from ajs.lifecycle import LiveGeneration, Status, UnitRun
from ajs.model import Job, Jobnet
from ajs.runner.local import LocalPlaces

AT = datetime(2026, 8, 11, 13, 0, tzinfo=UTC)
KEY = AttemptKey(1, "total", 1)
NAME = "service-incarnation-1"
START = StartAttempt(KEY, LOCAL, Job(name="total", command="true"))
ASK = AskAgain(KEY, LOCAL)
RUNNING = Running(guard_pid=1, job_pid=2, started=AT)


def result(outcome) -> Ended:
    return Ended(
        JobResult(
            outcome=outcome,
            timed_out=False,
            killed=False,
            started=AT,
            ended=AT,
            out_size=1,
            err_size=2,
            left=0,
            escaped=0,
        )
    )


@dataclass
class Dispatch:
    """Says ``standing`` of every attempt; starts raise ``refuses``."""

    standing: Standing = field(default_factory=Absent)
    refuses: StoreError | None = None
    unreadable: bool = False
    started: list[str] = field(default_factory=list)
    killed: list[bool] = field(default_factory=list)

    def poll(self) -> None:
        pass

    def start(self, spec: JobSpec) -> None:
        self.started.append(spec.attempt_id)
        if self.refuses is not None:
            raise self.refuses

    def states(self, names):
        if self.unreadable:
            raise StoreError("the disk is gone")
        return dict.fromkeys(names, self.standing)

    def kill(self, name: str, *, at_once: bool = False):
        self.killed.append(at_once)
        return self.standing


def generation(status: Status = Status.EXECWAIT) -> LiveGeneration:
    return LiveGeneration(
        id=1,
        root_path="/sales/close",
        execution_id="@A1",
        exec_date=date(2026, 8, 11),
        definition_hash="h",
        definition=Jobnet(name="close"),
        units={"total": UnitRun(path="total", status=status)},
        version=1,
    )


def spec(name, key, job, generation) -> JobSpec:
    return JobSpec(attempt_id=name, argv=("/bin/sh", "-c", job.command), cwd=Path("/"))


@pytest.fixture
def dispatch() -> Dispatch:
    return Dispatch()


@pytest.fixture
def places(dispatch) -> LocalPlaces:
    return LocalPlaces(dispatch, spec)


def said(places: LocalPlaces, seconds: float) -> list[object]:
    """What the places say so long after the start."""
    return [seen.what for seen in places.answers(AT + timedelta(seconds=seconds))]


def test_a_job_is_started_seen_running_once_and_seen_ended_with_its_result_stored(places, dispatch):
    places.send(START, NAME, generation(), AT)
    assert dispatch.started == [NAME]
    assert said(places, 0) == []
    dispatch.standing = Claimed()
    assert said(places, 0.1) == []
    dispatch.standing = RUNNING
    assert said(places, 1) == [attempts.Running(AT)]
    assert said(places, 10) == []
    dispatch.standing = result(Exited(3))
    assert said(places, 10.1) == []
    places.woken([NAME.encode()])
    ended, *rest = said(places, 10.2)
    assert ended == attempts.Ended(
        attempts.Result(return_code=3, started=AT, ended=AT, out_bytes=1, err_bytes=2)
    )
    assert rest == [attempts.Stored(), attempts.Acked()]
    assert places.next_at() is None


def test_a_lost_wake_up_only_delays(places, dispatch):
    places.send(START, NAME, generation(), AT)
    dispatch.standing = RUNNING
    said(places, 1)
    dispatch.standing = result(Exited(0))
    assert said(places, 2.5) == []
    assert len(said(places, 3.1)) == 3


def test_so_many_wake_ups_that_some_were_lost_make_it_look_at_everything(places, dispatch):
    places.send(START, NAME, generation(), AT)
    dispatch.standing = RUNNING
    said(places, 1)
    dispatch.standing = result(Exited(0))
    places.woken([b"another"] * 8)
    assert len(said(places, 1.1)) == 3


LATER_WORDS = {
    "absent, never begun": (Status.EXECWAIT, Absent(), attempts.Absent()),
    "absent, seen running": (
        Status.RUNNING,
        Absent(),
        attempts.Lost("its record has gone from the spool"),
    ),
    "running": (Status.RUNNING, RUNNING, attempts.Running(AT)),
    "runs without its guard": (
        Status.RUNNING,
        Lost(remains=Remains.THERE, job_pid=2),
        attempts.Running(),
    ),
}


@pytest.mark.parametrize(("status", "standing", "expected"), LATER_WORDS.values(), ids=LATER_WORDS)
def test_what_is_said_of_an_attempt_that_is_asked_about(
    places, dispatch, status, standing, expected
):
    dispatch.standing = standing
    places.send(ASK, NAME, generation(status), AT)
    assert said(places, 0) == [expected]
    assert dispatch.started == []


@pytest.mark.parametrize(
    ("remains", "kind"),
    [
        (Remains.NEVER_RAN, attempts.FailedToStart),
        (Remains.GONE, attempts.Lost),
        (Remains.UNKNOWN, attempts.Lost),
    ],
)
def test_a_guard_that_is_gone(places, dispatch, remains, kind):
    dispatch.standing = Lost(remains=remains, job_pid=None)
    places.send(ASK, NAME, generation(Status.RUNNING), AT)
    assert isinstance(said(places, 0)[0], kind)


@pytest.mark.parametrize(
    "standing", [NotTaken("no space left"), Absent()], ids=["refused", "launcher died"]
)
def test_a_start_that_the_machine_refuses_is_tried_again_and_given_up_after_a_while(
    places, dispatch, standing
):
    dispatch.standing = standing
    places.send(START, NAME, generation(), AT)
    heard = [said(places, tenth / 10) for tenth in range(700)]
    assert len(dispatch.started) == 6
    (over,) = [what for what in heard if what]
    assert isinstance(over[0], attempts.FailedToStart)


def test_a_start_that_is_refused_once_goes_on(places, dispatch):
    dispatch.refuses = StoreError("no launcher")
    places.send(START, NAME, generation(), AT)
    dispatch.refuses = None
    dispatch.standing = RUNNING
    assert said(places, 0.5) == []
    assert said(places, 1.1) == [attempts.Running(AT)]
    assert dispatch.started == [NAME, NAME]


def test_a_flexible_job_never_runs_here(places, dispatch):
    job = Job(name="total", command="true", destination="LB1")
    places.send(StartAttempt(KEY, LOCAL, job), NAME, generation(), AT)
    answers = places.answers(AT)
    why = "flexible jobs need agents, and this manager runs jobs on its own machine only"
    assert [seen.what for seen in answers] == [
        attempts.FailedToStart(why),
        attempts.Stored(),
        attempts.Acked(),
    ]
    assert dispatch.started == []
    assert places.next_at() is None


def test_a_script_that_cannot_be_had_is_a_failed_start(dispatch):
    def no_spec(*_):
        raise StoreError("holds no script")

    places = LocalPlaces(dispatch, no_spec)
    places.send(START, NAME, generation(), AT)
    assert said(places, 0)[0] == attempts.FailedToStart("holds no script")


def test_a_command_that_cannot_be_run_is_a_failed_start(places, dispatch):
    dispatch.standing = result(FailedToStart("no such folder"))
    places.send(START, NAME, generation(), AT)
    assert said(places, 1)[0] == attempts.FailedToStart("no such folder")


def test_a_spool_that_cannot_be_read_is_no_answer_and_is_asked_now_and_then(places, dispatch):
    dispatch.unreadable = True
    places.send(ASK, NAME, generation(Status.RUNNING), AT)
    assert said(places, 0) == [attempts.NoAnswer(AT)]
    places.send(ASK, NAME, generation(Status.RUNNING), AT)
    assert said(places, 4) == []
    dispatch.unreadable = False
    dispatch.standing = RUNNING
    assert said(places, 5) == [attempts.Running(AT)]


def test_a_kill_of_what_is_left_without_guard_becomes_hard_after_ten_seconds(places, dispatch):
    dispatch.standing = Lost(remains=Remains.THERE, job_pid=2)
    places.send(ASK, NAME, generation(Status.RUNNING), AT)
    said(places, 0)
    places.send(KillAttempt(KEY, LOCAL), NAME, generation(Status.RUNNING), AT)
    assert dispatch.killed == [False]
    said(places, 9)
    assert dispatch.killed == [False]
    said(places, 11.1)
    assert dispatch.killed == [False, True]


def test_a_clock_that_was_set_back_an_hour_does_not_make_us_wait_an_hour(places, dispatch):
    places.send(START, NAME, generation(), AT)
    dispatch.standing = RUNNING
    said(places, 1)
    dispatch.standing = result(Exited(0))
    assert said(places, -3600) == []
    assert len(said(places, -3597)) == 3


def test_results_are_stored_and_acked_where_they_are(places):
    places.send(StoreResult(KEY, LOCAL), NAME, None, AT)
    places.send(AckAttempt(KEY, LOCAL), NAME, None, AT)
    assert said(places, 0) == [attempts.Stored(), attempts.Acked()]
