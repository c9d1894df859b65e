"""Helpers, runners and jobs that are killed, time out, or will not go."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

from ajs.dispatch.messages import (
    Absent,
    Claimed,
    Exited,
    FailedToStart,
    Lost,
    Remains,
    Running,
    Signalled,
)
from ajs.dispatch.protocol import (
    Ack,
    Kill,
    KillOrdered,
    Stands,
    State,
    Tomb,
    build,
)
from tests.agent.conftest import Place
from tests.dispatch.conftest import gone
from tests.dispatch.waiting import until

IGNORES_TERM = 'trap "" TERM; echo ready; sleep 100 & wait; sleep 100'


def test_a_helper_killed_between_lock_and_pid_leaves_a_claim(place: Place, tmp_path: Path):
    """The shell that should have become the runner kills the helper instead."""
    (tmp_path / "killer").write_text(
        f"until [ -s '{tmp_path}/helper' ]; do sleep 0.01; done; kill -9 $(cat '{tmp_path}/helper')"
    )
    command = place.command.removesuffix(f"'{place.shell}'").removesuffix(place.shell)
    start = place.job("true", name="k")
    killer = f'"/bin/sh {tmp_path}/killer"'
    with subprocess.Popen(
        ["sh", "-c", command + killer],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=place.environment,
    ) as helper:
        (tmp_path / "helper").write_text(str(helper.pid))
        said, _ = helper.communicate(build([start]))
    assert helper.returncode == -9
    assert b" k" not in said
    assert place.state("k") == Claimed()
    assert place.stands(start) == Claimed()
    answer = place.ask(State("k"))
    assert isinstance(answer, Stands)
    assert answer.age_s in range(60)
    place.ask(Kill("k"))
    assert place.state("k") == Lost(remains=Remains.NEVER_RAN, job_pid=None)
    assert place.stands(Ack("k")) == Tomb()
    assert place.stands(start) == Tomb()


def test_a_runner_that_never_comes_is_a_refusal(place: Place):
    command = place.command.removesuffix(f"'{place.shell}'").removesuffix(place.shell)
    start = place.job("true", name="r")
    done = subprocess.run(
        ["sh", "-c", command + "/no/such/shell"],
        check=True,
        input=build([start]),
        capture_output=True,
        env=place.environment,
    )
    assert b" refused r its runner could not be started\n" in done.stdout
    assert place.state("r") == Absent()


def test_a_lost_runner_leaves_a_job_that_can_be_killed(place: Place):
    name = place.run(IGNORES_TERM)
    place.text(name, "ready")
    running = place.state(name)
    os.kill(running.guard_pid, 9)
    there = Lost(remains=Remains.THERE, job_pid=running.job_pid)
    until(lambda: place.state(name) == there, "lost")
    assert place.stands(Ack(name)) == there, "not forgotten while it runs"
    killed = place.ask(Kill(name))
    assert isinstance(killed, KillOrdered)
    assert killed.survivors == 2
    until(lambda: place.state(name) == Lost(remains=Remains.GONE, job_pid=running.job_pid), "gone")
    assert gone(running.job_pid)
    assert place.stands(Ack(name)) == Tomb()


def ticks_since_boot() -> float:
    return float(Path("/proc/uptime").read_text().split()[0]) * os.sysconf("SC_CLK_TCK")


def test_a_number_that_came_again_is_not_ours(place: Place):
    """Runner and job are gone, and their numbers belong to others now: nobody is signalled."""
    name = place.run("exec sleep 100")
    running = place.state(name)
    record = place.folder(name) / "pid"
    words = record.read_text().split()
    # A number comes again only long after: in another tick of the clock that processes are told apart by.
    until(lambda: ticks_since_boot() > int(words[5]) + 1, "a later tick")
    with subprocess.Popen(["sleep", "100"], start_new_session=True) as other:
        os.kill(running.guard_pid, 9)
        os.kill(running.job_pid, 9)
        until(lambda: gone(running.guard_pid) and gone(running.job_pid), "gone")
        words[1] = words[4] = str(other.pid)
        record.write_text(" ".join(words) + "\n")
        lost = Lost(remains=Remains.GONE, job_pid=other.pid)
        assert place.state(name) == lost
        place.ask(Kill(name))
        assert other.poll() is None
        other.kill()


def test_the_timeout_is_held_against_a_job_that_ignores_term(place: Place):
    name = place.run(IGNORES_TERM, timeout_s=0.5)
    result = place.result(name)
    assert (result.outcome, result.timed_out, result.killed) == (Signalled(9), True, False)
    assert (result.left, result.escaped) == (0, 0)
    until(lambda: not place.processes(), "no process left")


def test_a_timeout_that_was_not_needed_leaves_nothing(place: Place):
    name = place.run("true", timeout_s=1000)
    assert not place.result(name).timed_out
    until(lambda: not place.processes(), "no process left")


def test_the_timeout_is_held_without_the_runner(place: Place):
    name = place.run("exec sleep 100", timeout_s=2)
    running = place.state(name)
    os.kill(running.guard_pid, 9)
    until(lambda: gone(running.job_pid), "the end of the job")


def test_a_kill_is_polite_first_and_says_so(place: Place):
    name = place.run('trap "echo bye; exit 5" TERM; echo ready; while :; do sleep 0.05; done')
    place.text(name, "ready")
    killed = place.ask(Kill(name))
    assert isinstance(killed, KillOrdered)
    assert isinstance(killed.stands.standing, Running)
    place.ask(Kill(name))
    result = place.result(name)
    assert (result.outcome, result.timed_out, result.killed) == (Exited(5), False, True)
    assert place.output(name) == b"ready\nbye\n"


def test_a_job_killed_before_it_began_never_begins(place: Place, tmp_path: Path):
    """It is held up on its way to the record, where it asks for the time."""
    start = place.job(f"touch '{tmp_path}/ran'")
    usual = place.environment
    with place.held_up("date") as go:
        starting = threading.Thread(target=place.ask, args=[start])
        starting.start()
        until(lambda: place.held(1), "the job held up")
        place.environment = usual
        assert place.state(start.attempt_id) == Claimed()
        never = Lost(remains=Remains.NEVER_RAN, job_pid=None)
        killed = place.ask(Kill(start.attempt_id))
        assert isinstance(killed, KillOrdered)
        assert (killed.stands.standing, killed.survivors) == (never, 0)
        go.touch()
        starting.join()
    result = place.result(start.attempt_id)
    assert result.outcome == FailedToStart("it was killed before it began")
    assert not (tmp_path / "ran").exists()


def test_children_left_behind_are_killed(place: Place):
    name = place.run("sleep 100 & sleep 100 & timeout 100 sleep 100 & sleep 0.3")
    assert place.result(name).outcome == Exited(0)
    assert place.result(name).left == 0
    until(lambda: not place.processes(), "no process left")


def test_who_moves_to_another_session_is_reported(place: Place):
    name = place.run("setsid sleep 100 & sleep 0.3")
    result = place.result(name)
    assert (result.outcome, result.left, result.escaped) == (Exited(0), 0, 1)
    killed = place.ask(Kill(name))
    assert isinstance(killed, KillOrdered)
    assert killed.survivors == 1


def test_a_job_cannot_end_its_runner_with_signals_for_all(place: Place):
    name = place.run("kill -TERM $(cut -d' ' -f4 /proc/$$/stat); sleep 0.2; exit 4")
    assert place.result(name).outcome == Exited(4)


def test_a_job_that_kills_its_runner_is_lost(place: Place):
    start = place.job("kill -9 $(cut -d' ' -f4 /proc/$$/stat); exec sleep 100")
    name = start.attempt_id
    place.ask(start)
    until(lambda: isinstance(place.state(name), Lost), "lost")
    assert place.state(name).remains is Remains.THERE
