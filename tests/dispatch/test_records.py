"""What the lines of a record say, whatever a crash left of them, and what that means for the manager's books."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ajs import attempts
from ajs.dispatch.guard import system
from ajs.dispatch.messages import (
    Absent,
    Claimed,
    Ended,
    Exited,
    FailedToStart,
    JobResult,
    Lost,
    NotTaken,
    Outcome,
    Remains,
    Running,
    Signalled,
    Standing,
    observed,
)
from ajs.dispatch.spool import Spool

STARTED = datetime(2026, 8, 11, 13, 0, 5, 123000, tzinfo=UTC)
ENDED = datetime(2026, 8, 11, 13, 0, 6, 0, tzinfo=UTC)


def result_of(outcome: Outcome) -> JobResult:
    return JobResult(
        outcome=outcome,
        timed_out=False,
        killed=True,
        started=STARTED,
        ended=ENDED,
        out_size=5,
        err_size=0,
        left=0,
        escaped=None,
    )


class Writer:
    """Writes records whose guard and job are processes of this test."""

    def __init__(self, spool: Spool, living: subprocess.Popen[bytes], dead: int) -> None:
        self.spool = spool
        self.living = living.pid
        self.dead = dead

    def guard(self, *, alive: bool, boot_id: str = "") -> str:
        pid = self.living if alive else self.dead
        ticks = system.read_process(self.living).started
        boot_id = boot_id or system.read_boot_id()
        return json.dumps({"guard": pid, "guard_started": ticks, "boot_id": boot_id}) + "\n"

    def job(self, *, alive: bool) -> str:
        pid = self.living if alive else self.dead
        ticks = system.read_process(self.living).started
        started = "2026-08-11T13:00:05.123Z"
        return json.dumps({"job": pid, "job_started": ticks, "started": started}) + "\n"

    def result(self, **outcome: object) -> str:
        said = {
            "timed_out": False,
            "killed": True,
            "started": "2026-08-11T13:00:05.123Z",
            "ended": "2026-08-11T13:00:06.000Z",
            "out_size": 5,
            "err_size": 0,
            "left": 0,
            "escaped": None,
        }
        return json.dumps(outcome | said) + "\n"

    def standing(self, *lines: str) -> Standing:
        folder = self.spool.folder / "a"
        folder.mkdir()
        (folder / system.RECORD_FILE).write_text("".join(lines))
        return self.spool.states(["a"])["a"]


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    spool = Spool(tmp_path / "spool")
    spool.create()
    with subprocess.Popen(["true"]) as dead:
        pass
    with subprocess.Popen(["sleep", "1000"], start_new_session=True) as living:
        yield Writer(spool, living, dead.pid)
        living.kill()


def test_a_record_ends_with_a_result(writer: Writer):
    lines = writer.guard(alive=False), writer.job(alive=False), writer.result(return_code=7)
    assert writer.standing(*lines) == Ended(result_of(Exited(7)))


def test_the_result_counts_although_the_guard_still_lives(writer: Writer):
    lines = writer.guard(alive=True), writer.job(alive=True), writer.result(signal=9)
    assert writer.standing(*lines) == Ended(result_of(Signalled(9)))


def test_a_job_that_never_became_a_process_has_a_result(writer: Writer):
    lines = writer.guard(alive=False), writer.result(failed_to_start="cannot fork")
    assert writer.standing(*lines) == Ended(result_of(FailedToStart("cannot fork")))


def test_guard_and_job_live(writer: Writer):
    lines = writer.guard(alive=True), writer.job(alive=True)
    expected = Running(guard_pid=writer.living, job_pid=writer.living, started=STARTED)
    assert writer.standing(*lines) == expected


def test_the_guard_lives_and_there_is_no_job_yet(writer: Writer):
    assert writer.standing(writer.guard(alive=True)) == Claimed()


def test_the_guard_lives_and_buries_the_job(writer: Writer):
    assert writer.standing(writer.guard(alive=True), writer.job(alive=False)) == Claimed()


def test_a_result_that_was_being_written_is_none(writer: Writer):
    torn = writer.result(return_code=0)[:-2]
    standing = writer.standing(writer.guard(alive=False), writer.job(alive=False), torn)
    assert standing == Lost(remains=Remains.GONE, job_pid=writer.dead)


def test_what_a_failed_write_left_behind_the_result_does_not_matter(writer: Writer):
    lines = writer.guard(alive=False), writer.result(return_code=7), '0, "escaped": null}'
    assert writer.standing(*lines) == Ended(result_of(Exited(7)))


def test_the_guard_is_dead_and_the_job_lives(writer: Writer):
    standing = writer.standing(writer.guard(alive=False), writer.job(alive=True))
    assert standing == Lost(remains=Remains.THERE, job_pid=writer.living)


def test_a_dead_guard_that_let_no_job_go(writer: Writer):
    expected = Lost(remains=Remains.NEVER_RAN, job_pid=None)
    assert writer.standing(writer.guard(alive=False)) == expected


def test_a_job_line_that_was_being_written_was_never_acted_on(writer: Writer):
    standing = writer.standing(writer.guard(alive=False), writer.job(alive=True)[:-1])
    assert standing == Lost(remains=Remains.NEVER_RAN, job_pid=None)


def test_another_boot_proves_that_nothing_runs_but_not_that_nothing_ran(writer: Writer):
    """The process ids mean other processes now."""
    lines = writer.guard(alive=True, boot_id="another"), writer.job(alive=True)
    assert writer.standing(*lines) == Lost(remains=Remains.GONE, job_pid=writer.living)


def test_another_boot_and_no_job_on_record(writer: Writer):
    standing = writer.standing(writer.guard(alive=False, boot_id="another"))
    assert standing == Lost(remains=Remains.GONE, job_pid=None)


def test_another_process_has_the_number_of_the_guard(writer: Writer):
    said = json.loads(writer.guard(alive=True)) | {"guard_started": 1}
    assert writer.standing(json.dumps(said) + "\n") == Lost(remains=Remains.NEVER_RAN, job_pid=None)


@pytest.mark.parametrize("text", ["", "\0\0\0\0", "{", "[]\n", '{"guard": "x"}\n'])
def test_a_record_that_a_power_cut_emptied(writer: Writer, text: str):
    assert writer.standing(text) == Lost(remains=Remains.UNKNOWN, job_pid=None)


def test_no_folder_is_absence(writer: Writer):
    assert writer.spool.states(["never-was"]) == {"never-was": Absent()}


def test_a_guard_that_ends_between_two_looks_has_left_its_result(writer: Writer, monkeypatch):
    """We read "no result", it writes one and goes, we see that it is gone."""
    written = writer.result(return_code=7)

    def lives(_: object) -> bool:
        with (writer.spool.folder / "a" / system.RECORD_FILE).open("a") as record:
            record.write(written)
        return False

    monkeypatch.setattr("ajs.dispatch.record.guard_lives", lives)
    assert writer.standing(writer.guard(alive=False)) == Ended(result_of(Exited(7)))


def test_a_claim_given_up_between_two_looks_is_absence(writer: Writer, monkeypatch):
    def lives(_: object) -> bool:
        (writer.spool.folder / "a").rename(writer.spool.folder / ".gone-a")
        return False

    monkeypatch.setattr("ajs.dispatch.record.guard_lives", lives)
    assert writer.standing(writer.guard(alive=False)) == Absent()


# -- the spool itself --


def test_a_spool_is_made_once_and_keeps_its_epoch(tmp_path: Path):
    spool = Spool(tmp_path / "deep" / "spool")
    spool.create()
    epoch = spool.epoch()
    spool.create()
    assert spool.epoch() == epoch
    assert len(epoch) == 32
    assert os.stat(spool.folder).st_mode & 0o7777 == 0o2770
    assert [path.name for path in spool.folder.iterdir()] == [".epoch"]


def test_another_spool_has_another_epoch(tmp_path: Path):
    epochs = []
    for name in ("one", "two"):
        spool = Spool(tmp_path / name)
        spool.create()
        epochs.append(spool.epoch())
    assert epochs[0] != epochs[1]


def test_a_new_owner_sweeps_what_crashes_left(writer: Writer):
    for name in (".new-17-a", ".gone-17-a"):
        (writer.spool.folder / name).mkdir()
        (writer.spool.folder / name / "record").touch()
    (writer.spool.folder / ".owner-left").touch()
    writer.standing(writer.guard(alive=False))
    owner = writer.spool.take_over()
    assert (writer.spool.folder / ".owner").read_text() == owner
    left = sorted(path.name for path in writer.spool.folder.iterdir())
    assert left == [".epoch", ".owner", "a"]


# -- what it means for the manager's books --

KILLED = attempts.Result(signal=15, killed=True, started=STARTED, ended=ENDED, out_bytes=5)
RETURNED = attempts.Result(return_code=3, killed=True, started=STARTED, ended=ENDED, out_bytes=5)
GUARD_GONE = "the guard of the job is gone; "
MEANINGS: list[tuple[Standing, attempts.Observation]] = [
    (Absent(), attempts.Absent()),
    (Claimed(), attempts.Claimed()),
    (Running(guard_pid=1, job_pid=2, started=STARTED), attempts.Running(STARTED)),
    (Ended(result_of(Exited(3))), attempts.Ended(RETURNED)),
    (Ended(result_of(Signalled(15))), attempts.Ended(KILLED)),
    (Ended(result_of(FailedToStart("not found"))), attempts.FailedToStart("not found")),
    (NotTaken("no space left on device"), attempts.FailedToStart("no space left on device")),
    (
        Lost(remains=Remains.NEVER_RAN, job_pid=None),
        attempts.FailedToStart(GUARD_GONE + "the job was never let go"),
    ),
    (
        Lost(remains=Remains.GONE, job_pid=2),
        attempts.Lost(GUARD_GONE + "no process of its session is left"),
    ),
    (
        Lost(remains=Remains.THERE, job_pid=2),
        attempts.Lost(GUARD_GONE + "processes of its session are still there"),
    ),
    (
        Lost(remains=Remains.UNKNOWN, job_pid=None),
        attempts.Lost(GUARD_GONE + "the attempt's record cannot be read"),
    ),
]


@pytest.mark.parametrize(("standing", "observation"), MEANINGS)
def test_what_it_means_for_the_books(standing: Standing, observation: attempts.Observation):
    assert observed(standing) == observation
