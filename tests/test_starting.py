"""What happens to a run whose start time has come: the table, and stories of runs of one root jobnet that overlap."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ajs.actions import AwaitPrevious, HoldGeneration, SkipGeneration, StartGeneration
from ajs.causes import Cause
from ajs.decide import Snapshot
from ajs.lifecycle import Status
from ajs.model import HoldIf, Overlap
from ajs.starting import Before, Previous, step
from ajs.testing import FakeClock, FakeMachine, FakeRun, runs_by_path
from tests.driver import EVENING, Driver, job, minutes, net, waiting

NOW = FakeClock(EVENING).now()

# overlap | goes on | its status | held | hold_if | run before | what happens
TABLE = """
skip       |      | TIMEWAIT | -     | -        | -         | start
skip       | @A1  | TIMEWAIT | -     | -        | -         | skip
skip       | @A1  | HOLDING  | -     | -        | -         | skip
skip       | @A1  | TERMWAIT | -     | -        | -         | skip
skip       | @A1  | TIMEWAIT | yes   | -        | -         | hold
multi      |      | TIMEWAIT | -     | -        | -         | start
multi      | @A1  | TIMEWAIT | -     | -        | -         | await
multi      | @A1  | TERMWAIT | -     | -        | -         | WAITS_PREVIOUS
multi      |      | TERMWAIT | -     | -        | -         | start
multi      | @A1  | TIMEWAIT | yes   | -        | -         | hold
multi      | @A1  | TERMWAIT | yes   | -        | -         | hold
multi      | @A1  | HOLDING  | -     | -        | -         | await
multi      | @A1  | HOLDING  | yes   | -        | -         | HELD
concurrent | @A1  | TIMEWAIT | -     | -        | -         | start
concurrent | @A1  | TERMWAIT | -     | -        | -         | start
concurrent | @A1  | TIMEWAIT | yes   | -        | -         | hold
# how the run before it ended
skip       |      | TIMEWAIT | -     | abnormal | -         | start
skip       |      | TIMEWAIT | -     | abnormal | NORMAL    | start
skip       |      | TIMEWAIT | -     | abnormal | WARNING   | start
skip       |      | TIMEWAIT | -     | abnormal | ABNORMAL  | hold
skip       |      | TIMEWAIT | -     | abnormal | KILL      | hold
skip       |      | TIMEWAIT | -     | abnormal | INTERRUPT | hold
skip       |      | TIMEWAIT | -     | warning  | WARNING   | hold
skip       |      | TIMEWAIT | -     | warning  | ABNORMAL  | hold
skip       |      | TIMEWAIT | -     | warning  | NORMAL    | start
skip       |      | TIMEWAIT | -     | -        | ABNORMAL  | start
skip       |      | HOLDING  | -     | abnormal | ABNORMAL  | HELD_AFTER
skip       |      | HOLDING  | -     | abnormal | NORMAL    | start
skip       |      | TIMEWAIT | no    | abnormal | ABNORMAL  | start
skip       |      | HOLDING  | no    | abnormal | ABNORMAL  | start
skip       |      | TIMEWAIT | yes   | abnormal | NORMAL    | hold
multi      | @A1  | TIMEWAIT | -     | abnormal | ABCONT    | await
multi      |      | TERMWAIT | -     | abnormal | ABNORMAL  | hold
concurrent | @A1  | TIMEWAIT | -     | abnormal | ABCONT    | start
"""
STEPS = {
    "start": StartGeneration,
    "skip": SkipGeneration,
    "hold": HoldGeneration,
    "await": AwaitPrevious,
}
ROWS = [
    tuple(cell.strip() for cell in line.split("|"))
    for line in TABLE.strip().splitlines()
    if not line.startswith("#")
]


@pytest.mark.parametrize("row", ROWS, ids=["-".join(filter(None, row)) for row in ROWS])
def test_what_happens_when_the_time_has_come(row):
    overlap, previous, status, held, hold_if, before, happens = row
    root = net(
        "r",
        overlap=Overlap(overlap),
        hold_if=None if hold_if == "-" else HoldIf(hold_if),
    )
    one = replace(
        waiting(root, number=3, holds={} if held == "-" else {"": held == "yes"}),
        status=Status[status],
        previous=(Previous(1, previous),) if previous else (),
        before=None if before == "-" else Before(2, "@A2", Status[before]),
    )
    found = step(one, NOW)
    if happens in STEPS:
        assert type(found) is STEPS[happens]
        assert not one.stays
    else:
        assert isinstance(found, Cause)
        assert found.why.name == happens
        assert one.stays


def test_before_its_time_nothing_happens_whatever_is_in_its_way():
    root = net("r", overlap=Overlap.MULTI)
    one = replace(waiting(root, at=EVENING + minutes(1)), previous=(Previous(9, "@A9"),))
    found = step(one, NOW)
    assert isinstance(found, Cause)
    assert found.text == "its start time is 2026-08-11 22:01:00"


# -- stories --


def story(overlap: Overlap, *starts: float, lasts: tuple[float, ...], **fields) -> Driver:
    """Runs of one root jobnet that start so many minutes after 22:00 and last so long."""
    root = net("r", job("a"), overlap=overlap, **fields)
    due = [waiting(root, number=n, at=EVENING + minutes(m)) for n, m in enumerate(starts, 1)]
    given = dict(enumerate(lasts, 1))

    def run(key):
        return FakeRun(lasts=minutes(given[key.generation]))

    return Driver(Snapshot(due=tuple(due)), FakeMachine(run), FakeClock(EVENING)).run()


def roots(driver: Driver) -> list[str]:
    return [
        f"{e.at:%H:%M} {e.generation} {e.after.name}: {e.cause.text}"
        for e in driver.history
        if not e.path
    ]


def test_multi_schedule_runs_wait_their_turn_in_the_order_of_their_starts():
    driver = story(Overlap.MULTI, 0, 10, 20, lasts=(60, 5, 5))
    assert roots(driver) == [
        "22:00 1 RUNNING: its start time 2026-08-11 22:00:00 has come",
        "22:10 2 TERMWAIT: the run @A1 of the same root jobnet has not ended",
        "22:20 3 TERMWAIT: the run @A1 of the same root jobnet has not ended",
        "23:00 1 NORMAL: all its units have ended",
        "23:00 2 RUNNING: the run of the same root jobnet that it waited for has ended",
        "23:05 2 NORMAL: all its units have ended",
        "23:05 3 RUNNING: the run of the same root jobnet that it waited for has ended",
        "23:10 3 NORMAL: all its units have ended",
    ]


def test_runs_of_one_minute_wait_their_turn_too():
    driver = story(Overlap.MULTI, 0, 0, 0, lasts=(5, 5, 5))
    assert [line[:13] for line in roots(driver) if "RUNNING" in line] == [
        "22:00 1 RUNNI",
        "22:05 2 RUNNI",
        "22:10 3 RUNNI",
    ]


def test_concurrent_execution_starts_beside_the_run_before():
    driver = story(Overlap.CONCURRENT, 0, 10, 20, lasts=(60, 5, 5))
    assert [line[:9] for line in roots(driver) if "RUNNING" in line] == [
        "22:00 1 R",
        "22:10 2 R",
        "22:20 3 R",
    ]
    assert driver.ended == dict.fromkeys((1, 2, 3), Status.NORMAL)


def test_a_run_waits_for_all_runs_that_go_on_those_left_out_too():
    root = net("r", job("a"), overlap=Overlap.MULTI)
    both = (Previous(1, "@A1"), Previous(2, "@A2"))
    driver = Driver(
        Snapshot(due=(replace(waiting(root, number=3), previous=both),)),
        FakeMachine(runs_by_path({})),
        FakeClock(EVENING),
    ).run()
    assert roots(driver) == ["22:00 3 TERMWAIT: the run @A1 of the same root jobnet has not ended"]


def test_a_run_that_failed_in_the_same_decision_holds_the_next_one():
    root = net("r", overlap=Overlap.MULTI, hold_if=HoldIf.ABNORMAL)
    running = Before(1, "@A1", Status.RUNNING)
    bad = net("r", job("a"), hold_if=HoldIf.ABNORMAL, overlap=Overlap.MULTI)
    driver = Driver(
        Snapshot(due=(waiting(bad), replace(waiting(root, number=2), before=running))),
        FakeMachine(runs_by_path({"a": FakeRun(return_code=1)})),
        FakeClock(EVENING),
    ).run()
    assert roots(driver)[-1] == (
        "22:00 2 HOLDING: it is held because the run @A1 before it ended abnormally"
    )


def test_a_run_that_started_and_ended_in_the_same_decision_is_the_run_before():
    root = net("r", hold_if=HoldIf.ABNORMAL)
    failed = Before(9, "@A9", Status.ABNORMAL)
    first = replace(waiting(root), before=replace(failed, status=Status.NORMAL))
    second = replace(waiting(root, number=2), before=failed)
    driver = Driver(
        Snapshot(due=(first, second)), FakeMachine(runs_by_path({})), FakeClock(EVENING)
    ).run()
    assert driver.ended == {1: Status.NORMAL, 2: Status.NORMAL}
