"""What a guard wrote down of its attempt, and what that says together with ``/proc``.

The file ``record`` has up to three lines of JSON: who the guard is, who the job is (written before the job is let
go), how it ended. A line counts when it is whole, so the file needs no renaming to be read while it is written.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ajs.dispatch.guard import system
from ajs.dispatch.messages import (
    Claimed,
    Ended,
    Exited,
    FailedToStart,
    JobResult,
    Lost,
    Outcome,
    Remains,
    Running,
    Signalled,
    Standing,
)
from ajs.moment import utc_from_text


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardProcess:
    """Who guards the attempt: process id, its start in clock ticks since boot, and which boot."""

    pid: int
    ticks: int
    boot_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobProcess:
    """The first process of the job: process id, its start in clock ticks and as an instant (UTC)."""

    pid: int
    ticks: int
    started: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The lines of the file that are there yet."""

    guard: GuardProcess
    job: JobProcess | None
    result: JobResult | None


# -- reading --


def read_record(folder: Path) -> Record | None:
    """Return an attempt's record; None when there is no file or no first line in it (a power cut can empty it)."""
    try:
        text = (folder / system.RECORD_FILE).read_bytes()
    except FileNotFoundError:
        return None
    guard: GuardProcess | None = None
    job: JobProcess | None = None
    result: JobResult | None = None
    for said in whole_lines(text):
        guard = guard or read_guard(said)
        job = job or read_job(said)
        result = result or read_result(said)
    return None if guard is None else Record(guard=guard, job=job, result=result)


def whole_lines(text: bytes) -> list[object]:
    """Return the lines that are complete and say something."""
    found = []
    for line in text.split(b"\n")[:-1]:
        with suppress(ValueError):
            found.append(json.loads(line))
    return found


def read_guard(said: object) -> GuardProcess | None:
    """Return the guard, if this line names it."""
    match said:
        case {"guard": int(pid), "guard_started": int(ticks), "boot_id": str(boot_id)}:
            return GuardProcess(pid=pid, ticks=ticks, boot_id=boot_id)
        case _:
            return None


def read_job(said: object) -> JobProcess | None:
    """Return the job's first process, if this line names it."""
    match said:
        case {"job": int(pid), "job_started": int(ticks), "started": str(started)}:
            return JobProcess(pid=pid, ticks=ticks, started=utc_from_text(started))
        case _:
            return None


def read_result(said: object) -> JobResult | None:
    """Return the result, if this line is it."""
    match said:
        case {
            "timed_out": bool(timed_out),
            "killed": bool(killed),
            "started": str(started),
            "ended": str(ended),
            "out_size": int(out_size),
            "err_size": int(err_size),
            "left": int(left),
            "escaped": int() | None as escaped,
        } if (outcome := read_outcome(said)) is not None:
            return JobResult(
                outcome=outcome,
                timed_out=timed_out,
                killed=killed,
                started=utc_from_text(started),
                ended=utc_from_text(ended),
                out_size=out_size,
                err_size=err_size,
                left=left,
                escaped=escaped,
            )
        case _:
            return None


def read_outcome(said: object) -> Outcome | None:
    """Return the way a job ended, out of the line with its result."""
    match said:
        case {"failed_to_start": str(reason)}:
            return FailedToStart(reason)
        case {"signal": int(number)}:
            return Signalled(number)
        case {"return_code": int(return_code)}:
            return Exited(return_code)
        case _:
            return None


# -- judging --


def judge(record: Record, folder: Path) -> Standing | None:
    """Return how the attempt with this record stands; None when its folder has changed hands since it was read."""
    if record.result is not None:
        return Ended(record.result)
    if guard_lives(record.guard):
        if record.job is None or not has_begun(record.job):
            return Claimed()
        return Running(
            guard_pid=record.guard.pid, job_pid=record.job.pid, started=record.job.started
        )
    # Whatever the guard did between the two looks is done now: what stands here is its last word.
    last = read_record(folder)
    if last is None or last.guard != record.guard:
        return None
    if last.result is not None:
        return Ended(last.result)
    return Lost(remains=look_for_remains(last), job_pid=last.job.pid if last.job else None)


def guard_lives(guard: GuardProcess) -> bool:
    """Whether exactly this guard still runs."""
    if guard.boot_id != system.read_boot_id():
        return False
    process = system.find_process(guard.pid)
    return process is not None and process.alive and process.started == guard.ticks


def has_begun(job: JobProcess) -> bool:
    """Whether the process has become the job's command: before that it may still turn out that it cannot."""
    process = system.find_process(job.pid)
    return process is not None and process.started == job.ticks and process.began


def look_for_remains(record: Record) -> Remains:
    """Return what is left of a job whose guard is gone.

    A job is let go only after its process id is on record, so a record of this boot without one proves that it
    never ran. Of another boot it proves nothing (a power cut may have lost the newer line), but nothing runs.
    """
    if record.guard.boot_id != system.read_boot_id():
        return Remains.GONE
    if record.job is None:
        return Remains.NEVER_RAN
    if any(process.session == record.job.pid for process in system.read_processes()):
        return Remains.THERE
    return Remains.GONE


def signal_orphans(record: Record, number: int) -> None:
    """Signal the process group of a job without guard, if its first process proves that the number is still its."""
    if record.job is None:
        return
    first = system.find_process(record.job.pid)
    if first is not None and first.alive and first.started == record.job.ticks:
        with suppress(ProcessLookupError):  # ended between the two lines
            os.killpg(record.job.pid, number)
