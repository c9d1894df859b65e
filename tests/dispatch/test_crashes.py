"""Killed at any instant: no job starts twice, no result is lost."""

from __future__ import annotations

import json
import os
import random
import resource
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ajs.dispatch.guard.launcher import FRAME
from ajs.dispatch.local import Launcher, LocalDispatch
from ajs.dispatch.messages import (
    Absent,
    Claimed,
    Ended,
    Exited,
    Lost,
    NotTaken,
    Remains,
    Running,
    Standing,
)
from ajs.errors import ManagerRunning, StoreError
from tests.dispatch.conftest import Place, gone
from tests.dispatch.waiting import until

WAIT_FOR_GO = "while [ ! -e go ]; do sleep 0.02; done"


# -- the same attempt, many times --


def test_starting_an_attempt_again_and_again_runs_it_once(place: Place):
    attempt_id = place.shell("echo x >> ran; echo out")
    for _ in range(50):
        place.shell("echo x >> ran; echo out", attempt_id=attempt_id)
    place.result(attempt_id)
    place.shell("echo x >> ran; echo out", attempt_id=attempt_id)
    assert place.result(attempt_id).out_size == 4
    assert (place.folder / "ran").read_text() == "x\n"


def test_24_guards_race_for_one_attempt(place: Place):
    """The manager never sends an id twice to one launcher, so this goes round it."""
    spec = place.spec("/bin/sh", "-c", "echo x >> ran", attempt_id="race")
    launcher = Launcher(place.spool.folder, place.spool.take_over())
    for _ in range(24):
        launcher.send(place.dispatch._request(spec))
    answers: list[str] = []

    def all_answered() -> bool:
        launcher.flush()
        answers.extend(answer["answer"] for answer in launcher.read())
        return len(answers) == 24

    until(all_answered, "24 answers")
    launcher.close()
    place.result("race")
    assert sorted(answers) == ["claimed", *["exists"] * 23]
    assert (place.folder / "ran").read_text() == "x\n"


def test_24_managers_race_for_one_attempt(place: Place):
    """Only one may run per service; should there be more by mistake, the newest starts jobs, and nothing runs twice."""
    spec = place.spec("/bin/sh", "-c", "echo x >> ran", attempt_id="race")
    managers = [LocalDispatch(place.spool.folder, place.folder / "wake") for _ in range(24)]
    ousted = set()

    def ended() -> bool:
        for number, manager in enumerate(managers):
            try:
                if manager.states(["race"])["race"] == Absent():
                    manager.start(spec)
            except ManagerRunning:
                ousted.add(number)
        return isinstance(place.standing("race"), Ended)

    until(ended, "the end of the race")
    for manager in managers:
        manager.close()
    assert (place.folder / "ran").read_text() == "x\n"
    assert len(ousted) < 24, "the one that took the spool over last is never ousted"


def test_a_request_left_in_a_launcher_starts_nothing_under_a_new_manager(place: Place):
    old = place.dispatch
    place.result(place.start("true"))
    assert old.launcher_pid is not None
    os.kill(old.launcher_pid, signal.SIGSTOP)
    spec = place.spec("/bin/sh", "-c", "echo x >> ran", attempt_id="left-over")
    old.start(spec)
    place.dispatch = LocalDispatch(place.spool.folder, place.folder / "wake")
    place.dispatch.start(spec)
    place.result("left-over")
    place.dispatch.forget("left-over")
    os.kill(old.launcher_pid, signal.SIGCONT)

    def ousted() -> bool:
        try:
            old.poll()
        except ManagerRunning:
            return True
        return False

    until(ousted, "the old manager told that it is not one any more")
    old.close()
    assert place.standing("left-over") == Absent()
    assert (place.folder / "ran").read_text() == "x\n"
    assert place.result(place.start("true")).outcome == Exited(0)


def test_half_a_request_starts_nothing(place: Place):
    """A manager killed while it writes."""
    whole = place.spec("/bin/sh", "-c", "echo x >> ran", attempt_id="whole")
    half = place.spec("/bin/sh", "-c", "echo x >> ran", attempt_id="half")
    launcher = Launcher(place.spool.folder, place.spool.take_over())
    launcher.send(place.dispatch._request(whole))
    text = json.dumps(place.dispatch._request(half)).encode()
    os.write(launcher._requests, (FRAME.pack(len(text)) + text)[:-1])
    launcher.close()
    place.result("whole")
    assert place.standing("half") == Absent()
    assert (place.folder / "ran").read_text() == "x\n"


# -- the launcher, the guard, the manager die --


def test_jobs_go_on_when_the_launcher_is_killed(place: Place):
    ids = [place.shell(f"{WAIT_FOR_GO}; exit {n}") for n in range(5)]
    for attempt_id in ids:
        place.running(attempt_id)
    killed = place.dispatch.launcher_pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    until(lambda: gone(killed), "the launcher dead")
    place.dispatch.poll()
    assert place.dispatch.launcher_pid is None
    (place.folder / "go").touch()
    assert [place.result(i).outcome for i in ids] == [Exited(n) for n in range(5)]
    assert place.result(place.start("true")).outcome == Exited(0)


def test_what_a_killed_launcher_had_not_started_is_absent_and_startable(place: Place):
    place.result(place.start("true"))
    killed = place.dispatch.launcher_pid
    assert killed is not None
    os.kill(killed, signal.SIGSTOP)
    attempt_id = place.shell("echo x >> ran")
    assert place.standing(attempt_id) == Claimed()
    os.kill(killed, signal.SIGKILL)
    until(lambda: place.standing(attempt_id) == Absent(), "the request lost")
    place.shell("echo x >> ran", attempt_id=attempt_id)
    assert place.result(attempt_id).outcome == Exited(0)
    assert (place.folder / "ran").read_text() == "x\n"


def test_launchers_killed_at_random_moments(place: Place):
    """Forty attempts, the launcher shot again and again: each runs once, each result arrives."""
    rng = random.Random(7)
    ids = [f"shot-{n}" for n in range(40)]
    shots = 0

    def all_ended() -> bool:
        nonlocal shots
        standings = place.dispatch.states(ids)
        for attempt_id, standing in standings.items():
            if standing == Absent():
                place.shell(f"echo {attempt_id} >> ran", attempt_id=attempt_id)
        if shots < 20 and place.dispatch.launcher_pid and rng.random() < 0.3:
            os.kill(place.dispatch.launcher_pid, signal.SIGKILL)
            shots += 1
        return all(isinstance(standing, Ended) for standing in standings.values())

    until(all_ended, "all forty ended")
    assert shots > 0
    assert sorted((place.folder / "ran").read_text().split()) == sorted(ids)


def test_a_job_whose_guard_is_killed_is_lost(place: Place):
    attempt_id = place.shell(WAIT_FOR_GO)
    running = place.running(attempt_id)
    os.kill(running.guard_pid, signal.SIGKILL)
    assert place.lost(attempt_id) == Lost(remains=Remains.THERE, job_pid=running.job_pid)
    (place.folder / "go").touch()
    until(lambda: place.lost(attempt_id).remains is Remains.GONE, "the job gone")
    place.shell("echo x >> ran", attempt_id=attempt_id)
    assert place.lost(attempt_id).remains is Remains.GONE
    assert not (place.folder / "ran").exists()


def test_guards_killed_at_random_moments(place: Place):
    """What has a result ran once; what is lost ran at most once; what never ran is proved by its record."""
    rng = random.Random(11)
    ids = [place.shell(f"echo shot-{n} >> ran", attempt_id=f"shot-{n}") for n in range(40)]
    settled: dict[str, Standing] = {}

    def all_settled() -> bool:
        for guard in children(place.dispatch.launcher_pid):
            if rng.random() < 0.2:
                os.kill(guard, signal.SIGKILL)
        for attempt_id, standing in place.dispatch.states(ids).items():
            match standing:
                case Ended() | Lost() | NotTaken():
                    settled[attempt_id] = standing
                case Absent() | Claimed() | Running():
                    pass
        return len(settled) == len(ids)

    until(all_settled, "all forty settled")
    until(lambda: all(standing_quiet(place, i) for i in ids), "nothing running")
    path = place.folder / "ran"
    ran = path.read_text().split() if path.exists() else []
    assert len(ran) == len(set(ran))
    for attempt_id, standing in settled.items():
        match standing:
            case Ended():
                assert ran.count(attempt_id) == 1
            case NotTaken() | Lost(remains=Remains.NEVER_RAN):
                assert ran.count(attempt_id) == 0
            case _:  # lost: nobody can know
                pass


def standing_quiet(place: Place, attempt_id: str) -> bool:
    match place.standing(attempt_id):
        case Lost(remains=remains):
            return remains is not Remains.THERE
        case _:
            return True


def children(parent: int | None) -> list[int]:
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(parent)], capture_output=True, text=True, check=False
    )
    return [int(pid) for pid in listed.stdout.split() if not gone(int(pid))]


def test_a_manager_that_goes_leaves_its_jobs_to_the_next(place: Place):
    attempt_id = place.shell(f"{WAIT_FOR_GO}; exit 9")
    place.running(attempt_id)
    place.dispatch.close()
    place.dispatch = LocalDispatch(place.spool.folder, place.folder / "wake")
    place.running(attempt_id)
    (place.folder / "go").touch()
    assert place.result(attempt_id).outcome == Exited(9)
    assert place.dispatch.launcher_pid is None, "asking needs no launcher"


@pytest.mark.parametrize("seed", [1, 2])
def test_managers_killed_at_random_moments(place: Place, project: Path, seed: int):
    """A manager process is shot and started again until all is done: every job ran exactly once.

    A shot comes some turns after the manager began, at any instant of the next turn, or while it waits behind that one
    when we are slow. A job needs two turns at least, and 8 of them are looked at in each; so, whatever the speed of the
    machine, 80 jobs take 20 turns, and no manager that is shot takes more than 6.
    """
    jobs, rng, shots = 80, random.Random(seed), 0
    stored = place.folder / "stored"
    stored.mkdir()
    while shots < 20:
        turns = rng.randint(0, 5)
        with manager(place, project, jobs, turns + 1) as process:
            assert process.stdout is not None
            done = [process.stdout.readline() for _ in range(turns)]
            if "" in done:  # it has ended, since nothing was left to do
                assert process.wait() == 0
                break
            select.select([], [], [], rng.uniform(0, 0.06))
            process.kill()
            shots += 1
    with manager(place, project, jobs) as process:
        process.communicate()
        assert process.returncode == 0
    names = sorted(f"job-{n}" for n in range(jobs))
    results = {path.name: path.read_text() for path in stored.iterdir()}
    assert shots >= 3
    assert sorted((place.folder / "ran").read_text().split()) == names
    assert sorted((place.folder / "ended").read_text().split()) == names
    assert sorted(name for name in results if not name.startswith(".")) == names
    assert {name for name, text in results.items() if "Exited(return_code=0)" not in text} == set()
    assert place.dispatch.attempts() == frozenset()


def manager(place: Place, project: Path, jobs: int, *turns: int) -> subprocess.Popen[str]:
    program = [sys.executable, "tests/dispatch/manager_program.py", str(place.folder)]
    return subprocess.Popen(
        [*program, str(jobs), *map(str, turns)],
        cwd=project,
        env=os.environ | {"PYTHONPATH": "."},
        stdout=subprocess.PIPE,
        text=True,
    )


# -- the disk --


def test_a_full_disk_refuses_the_start_and_blocks_nothing(place: Place):
    place.result(place.start("true"))
    with disk_full(place.dispatch.launcher_pid):
        attempt_id = place.shell("echo x >> ran")
        refused = until(lambda: as_not_taken(place.standing(attempt_id)), "the refusal")
        assert refused.reason == (
            f"cannot make the attempt's folder in {place.spool.folder}: file too large"
        )
    assert attempt_id not in place.dispatch.attempts()
    assert not [path.name for path in place.spool.folder.iterdir() if attempt_id in path.name]
    assert place.result(place.shell("echo y >> ran")).outcome == Exited(0)
    assert place.result(place.shell("echo z >> ran", attempt_id=attempt_id)).outcome == Exited(0)
    assert (place.folder / "ran").read_text() == "y\nz\n"


def test_a_result_is_kept_until_the_disk_takes_it(place: Place):
    attempt_id = place.shell(f"{WAIT_FOR_GO}; exit 3")
    running = place.running(attempt_id)
    with disk_full(running.guard_pid):
        (place.folder / "go").touch()
        until(lambda: gone(running.job_pid), "the end of the job")
        assert not isinstance(place.standing(attempt_id), Ended | Lost)
    assert place.result(attempt_id).outcome == Exited(3)


class disk_full:  # noqa: N801 reads as what it does
    """No process that this one starts, nor itself, can write into a file: "file too large", like a full disk."""

    def __init__(self, pid: int | None):
        assert pid is not None
        self.pid = pid

    def __enter__(self):
        self.before = resource.prlimit(self.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (0, self.before[1]))

    def __exit__(self, *_):
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, self.before)


def as_not_taken(standing: Standing) -> NotTaken | None:
    return standing if isinstance(standing, NotTaken) else None


def test_a_spool_that_is_not_there_is_an_error_and_never_absence(place: Place):
    place.result(place.start("true"))
    place.spool.folder.rename(place.folder / "unmounted")
    with pytest.raises(StoreError):
        place.standing("anything")
    refused_id = place.start("true")

    def refused() -> bool:
        place.dispatch.poll()
        return refused_id in place.dispatch._not_taken

    until(refused, "the refusal")
    place.spool.folder.mkdir()
    with pytest.raises(StoreError):
        place.standing("anything")
    with pytest.raises(StoreError):
        LocalDispatch(place.spool.folder, place.folder / "wake").start(place.spec("true"))
    place.spool.folder.rmdir()
    (place.folder / "unmounted").rename(place.spool.folder)
    assert place.standing(refused_id) == NotTaken(
        f"cannot make the attempt's folder in {place.spool.folder}: no such file or directory"
    )


def test_a_launcher_that_cannot_even_begin_is_an_error(place: Place, monkeypatch, capfd):
    monkeypatch.setattr("ajs.dispatch.local.PROGRAM", "import sys; sys.exit('no such module')")
    attempt_id = place.start("true")
    until(lambda: place.standing(attempt_id) == Absent(), "the launcher's end noticed")
    with pytest.raises(StoreError, match="ended as soon as it was started"):
        place.start("true", attempt_id=attempt_id)
    assert "no such module" in capfd.readouterr().err


def test_the_result_of_a_job_that_ended_while_the_spool_was_moved_away(place: Place):
    attempt_id = place.shell(f"echo before; {WAIT_FOR_GO}; echo after; exit 7")
    guard = place.running(attempt_id).guard_pid
    away = place.spool.folder.with_name("away")
    place.spool.folder.rename(away)
    (place.folder / "go").touch()
    until(lambda: gone(guard), "the guard has ended")
    away.rename(place.spool.folder)
    result = place.result(attempt_id)
    assert (result.outcome, result.out_size) == (Exited(7), len("before\nafter\n"))
    assert place.out(attempt_id) == b"before\nafter\n"
