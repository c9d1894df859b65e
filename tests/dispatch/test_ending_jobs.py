"""Ending a job: timeout, kill, and what is left of it."""

from __future__ import annotations

import signal

import pytest

from ajs.dispatch.messages import Absent, Exited, Remains, Signalled
from ajs.errors import StillRunning
from tests.dispatch.conftest import Place, gone, own_signals
from tests.dispatch.waiting import until

WAIT = "while :; do sleep 0.05; done"


def test_a_timeout_ends_a_job_politely(place: Place):
    script = f"trap 'echo bye; exit 3' TERM; {WAIT}"
    attempt_id = place.shell(script, timeout_s=0.5)
    result = place.result(attempt_id)
    assert (result.outcome, result.timed_out, result.killed) == (Exited(3), True, False)
    assert place.out(attempt_id) == b"bye\n"


def test_a_timeout_kills_what_ignores_it_children_and_all(place: Place):
    script = f"trap '' TERM; (sleep 1000 & echo $! >> pids; wait) & echo $! >> pids; {WAIT}"
    result = place.result(place.shell(script, timeout_s=0.5, kill_after_s=0.2))
    assert (result.outcome, result.timed_out, result.killed) == (Signalled(9), True, False)
    pids = [int(pid) for pid in (place.folder / "pids").read_text().split()]
    assert len(pids) == 2
    assert [pid for pid in pids if not gone(pid)] == []


def test_a_job_that_ends_in_time_is_not_timed_out(place: Place):
    result = place.result(place.start("true", timeout_s=1000))
    assert (result.outcome, result.timed_out) == (Exited(0), False)


def test_kill_ends_a_job_politely(place: Place):
    attempt_id = place.shell(f"trap 'exit 4' TERM; echo > ready; {WAIT}")
    place.file("ready")
    place.dispatch.kill(attempt_id)
    result = place.result(attempt_id)
    assert (result.outcome, result.timed_out, result.killed) == (Exited(4), False, True)


def test_kill_goes_on_to_kill_what_ignores_it(place: Place):
    attempt_id = place.shell(f"trap '' TERM; echo > ready; {WAIT}", kill_after_s=0.2)
    place.file("ready")
    place.dispatch.kill(attempt_id)
    result = place.result(attempt_id)
    assert (result.outcome, result.killed) == (Signalled(9), True)


def test_a_second_kill_hurries_the_first(place: Place):
    attempt_id = place.shell(f"trap 'echo > heard' TERM; echo > ready; {WAIT}", kill_after_s=1000)
    place.file("ready")
    place.dispatch.kill(attempt_id)
    place.file("heard")
    place.dispatch.kill(attempt_id, at_once=True)
    assert place.result(attempt_id).outcome == Signalled(9)


def test_a_stopped_job_hears_the_kill(place: Place):
    attempt_id = place.shell("trap 'exit 5' TERM; echo > ready; kill -STOP $$", kill_after_s=1000)
    place.file("ready")
    place.dispatch.kill(attempt_id)
    assert place.result(attempt_id).outcome == Exited(5)


def test_kill_reaches_other_process_groups_of_the_session(place: Place):
    """GNU timeout puts itself into a group of its own; what runs under it is asked politely too.

    The job itself outlives the request, since its end is the end of everything that it has left.
    """
    inner = f'trap "echo > heard; exit" TERM; echo $$ > inner; {WAIT}'
    attempt_id = place.shell(f"trap : TERM; timeout 1000 sh -c '{inner}'")
    pid = int(place.file("inner"))
    place.dispatch.kill(attempt_id)
    assert place.result(attempt_id).killed
    assert place.file("heard") == "\n"
    assert gone(pid)


def test_a_manager_that_ignores_signals_passes_that_on_to_nobody(place: Place):
    """As under nohup, or in the background of a shell script."""
    numbers = [signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGQUIT]
    before = [signal.signal(number, signal.SIG_IGN) for number in numbers]
    attempt_id = place.shell(f"grep SigIgn /proc/self/status > ignored; {WAIT}")
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)
    _, mask = place.file("ignored").split()
    assert own_signals(mask) == 0
    place.dispatch.kill(attempt_id)
    assert place.result(attempt_id).outcome == Signalled(15)


@pytest.mark.parametrize(
    "child",
    ["sleep 1000 &", "(sleep 1000 & sleep 1000 &) &", "trap '' TERM HUP; sleep 1000 &"],
    ids=["child", "orphans", "deaf child"],
)
def test_what_a_job_leaves_in_its_session_is_killed(place: Place, child: str):
    attempt_id = place.shell(f"{child} exit 7")
    result = place.result(attempt_id)
    assert (result.outcome, result.killed) == (Exited(7), False)
    assert (result.left, result.escaped) == (0, 0)


def test_what_moved_to_another_group_is_killed_at_the_end_too(place: Place):
    script = "set -m; sleep 1000 & echo $! > pid; exit 0"
    result = place.result(place.start("bash", "-c", script))
    assert (result.outcome, result.left, result.escaped) == (Exited(0), 0, 0)
    assert gone(int(place.file("pid")))


def test_what_left_the_session_is_counted_and_lives(place: Place, strays: list[int]):
    script = (
        "setsid sh -c 'echo $$ > pid; exec sleep 1000' & while [ ! -s pid ]; do sleep 0.02; done"
    )
    result = place.result(place.shell(script))
    strays.append(int(place.file("pid")))
    assert (result.outcome, result.left, result.escaped) == (Exited(0), 0, 1)
    assert not gone(strays[0])


def test_killing_what_has_ended_or_never_was_does_nothing(place: Place):
    attempt_id = place.start("true")
    before = place.result(attempt_id)
    place.dispatch.kill(attempt_id)
    assert place.result(attempt_id) == before
    assert place.dispatch.kill("never-was") == Absent()


def test_a_running_job_cannot_be_forgotten(place: Place):
    attempt_id = place.shell(WAIT)
    place.running(attempt_id)
    with pytest.raises(StillRunning):
        place.dispatch.forget(attempt_id)


def test_a_job_that_kills_its_guard_is_lost_and_can_still_be_killed(place: Place):
    attempt_id = place.shell("kill -9 $PPID; exec sleep 1000")
    lost = place.lost(attempt_id)
    assert lost.remains is Remains.THERE
    with pytest.raises(StillRunning):
        place.dispatch.forget(attempt_id)
    place.dispatch.kill(attempt_id)
    until(lambda: place.lost(attempt_id).remains is Remains.GONE, "the orphan gone")
    place.dispatch.forget(attempt_id)
    assert place.standing(attempt_id) == Absent()


def test_the_number_of_another_process_is_never_signalled(place: Place, strays: list[int]):
    """The job's first process is gone; its child keeps the session. Nobody can prove whose it is: it is left."""
    child = "sh -c 'echo $$ > pid; exec sleep 1000' & while [ ! -s pid ]; do sleep 0.02; done"
    attempt_id = place.shell(f"kill -9 $PPID; {child}; kill -9 $$")
    lost = place.lost(attempt_id)
    strays.append(int(place.file("pid")))
    until(lambda: gone(lost.job_pid or 0), "the first process gone")
    place.dispatch.kill(attempt_id, at_once=True)
    assert place.lost(attempt_id).remains is Remains.THERE
    assert not gone(strays[0])
