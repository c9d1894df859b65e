"""Seeded simulation of decide, apply and the attempt tables against a machine that cannot be relied on.

Every seed is a world: a random jobnet, jobs that end in all ways, places that answer late, twice or not at all, and
a manager that dies. Operators release what is held whenever nothing moves. What must hold is said once, in
``invariants``.
"""

import os
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from ajs.attempts import AttemptState
from ajs.decide import Snapshot
from ajs.lifecycle import ENDED_WELL, NOT_LET_GO, RUNNING, Status
from ajs.model import Job, Jobnet
from ajs.operations.running import below, with_kill
from ajs.testing import FakeMachine, Faults, runs_by_path
from tests.driver import ASKED, EVENING, Driver, minutes
from tests.random_jobnets import World, random_world

SEEDS = range(int(os.environ.get("AJS_SIMULATION_SEEDS", "60")))
SWEPT = range(8)
BAD_WAY = Faults(drop=0.2, double=0.2, delay=timedelta(seconds=40))
TERMINAL = {AttemptState.ENDED, AttemptState.STORED, AttemptState.ACKED, AttemptState.LOST}


def driver_of(world: World, faults: Faults | None = None, seed: int = 0, **crash) -> Driver:
    machine = FakeMachine(runs_by_path(world.runs), faults=faults, seed=seed)
    return Driver(Snapshot(due=(world.due,), limit=world.limit), machine, **crash)


def to_the_end(driver: Driver) -> Driver:
    """Run until the generation has ended; whenever nothing moves any more, release what is held."""
    for _ in range(100):
        driver.run()
        held = [w for w in driver.snapshot.due if w.held]
        if held:
            due = replace(held[0], generation=replace(held[0].generation, holds={"": False}))
            driver.snapshot = replace(driver.snapshot, due=(due,))
            continue
        holding = [
            (generation.id, path)
            for generation in driver.snapshot.live.values()
            for path, run in generation.units.items()
            if run.status is Status.HOLDING
        ]
        if not holding:
            return driver
        for number, path in holding:
            driver.change(number, path, held=False)
    raise AssertionError("something is held again and again")


def invariants(driver: Driver) -> None:
    """What must hold in every world."""
    one_start_per_attempt(driver)
    one_ending_per_attempt(driver)
    one_cause_per_change(driver)
    all_ended(driver)
    nobody_before_its_predecessors(driver)


def one_start_per_attempt(driver: Driver) -> None:
    starts = Counter(key for key, _ in driver.machine.starts)
    assert all(count == 1 for count in starts.values()), starts
    assert set(starts) <= set(driver.attempts)


def one_ending_per_attempt(driver: Driver) -> None:
    for key, versions in driver.attempts.items():
        endings = {(a.result, a.why, a.ended) for a in versions if a.state in TERMINAL}
        assert len(endings) == 1, key
        states = [a.state for a in versions]
        assert states[-1] in {AttemptState.ACKED, AttemptState.LOST}
        assert len({a.place for a in versions if a.place}) <= 1


def one_cause_per_change(driver: Driver) -> None:
    status = dict(driver.initial)
    for entry in driver.history:
        key = (entry.generation, entry.path)
        assert entry.before is status[key]
        assert entry.after is not entry.before
        assert entry.cause.text
        status[key] = entry.after
    assert status == {key: run.status for key, run in driver.units.items()}


def all_ended(driver: Driver) -> None:
    assert set(driver.ended) == {number for number, _ in driver.units}
    assert all(run.status.ended for run in driver.units.values())
    assert driver.snapshot.due == ()
    assert driver.snapshot.live == {}
    assert driver.snapshot.attempts == {}


def nobody_before_its_predecessors(driver: Driver) -> None:
    """By the machine's own records: no job ran before every job of its predecessors had ended."""
    for key, at in driver.machine.starts:
        for before in predecessors(driver.definitions[key.generation], key.path):
            for other, end in driver.machine.ends.items():
                inside = other.path == before or other.path.startswith(f"{before}/")
                if other.generation == key.generation and inside:
                    assert end <= at, f"{key.path} started before {other.path} ended"


def predecessors(root: Jobnet, path: str) -> list[str]:
    """The predecessors of a unit and of every jobnet above it, as paths."""
    units: dict[str, Jobnet | Job] = dict(root.walk())
    found = []
    while path:
        upper = path.rpartition("/")[0]
        found += [f"{upper}/{name}" if upper else name for name in units[path].after]
        path = upper
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_on_a_good_way(seed):
    driver = to_the_end(driver_of(random_world(Random(seed))))
    invariants(driver)


@pytest.mark.parametrize("seed", SEEDS)
def test_on_a_bad_way_the_same_comes_out(seed):
    good = to_the_end(driver_of(random_world(Random(seed))))
    bad = to_the_end(driver_of(random_world(Random(seed)), BAD_WAY, seed))
    invariants(bad)
    assert bad.statuses() == good.statuses()
    assert {k: r.return_code for k, r in bad.units.items()} == {
        k: r.return_code for k, r in good.units.items()
    }


@pytest.mark.parametrize("before", [True, False], ids=["before-commit", "after-commit"])
@pytest.mark.parametrize("faults", [None, BAD_WAY], ids=["good-way", "bad-way"])
@pytest.mark.parametrize("seed", SWEPT)
def test_a_manager_that_dies_at_any_commit_comes_to_the_same_end(seed, faults, before):
    whole = to_the_end(driver_of(random_world(Random(seed)), faults, seed))
    for at in range(1, whole.commits + 1):
        driver = driver_of(
            random_world(Random(seed)), faults, seed, crash_at=at, crash_before=before
        )
        to_the_end(driver)
        # On a bad way the dice fall differently after a crash, and it may be done in fewer commits.
        assert driver.crashed or faults is not None
        invariants(driver)
        assert driver.statuses() == whole.statuses()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_machine_that_dies_loses_what_ran_and_nothing_else(seed):
    driver = driver_of(random_world(Random(seed)), Faults(delay=timedelta(seconds=5)), seed)
    at = EVENING + minutes(Random(seed).randint(0, 30))
    driver.run(until=at)
    now = driver.clock.now().utc
    running = {k for k, end in driver.machine.ends.items() if end > now}
    driver.machine.die(now, now + minutes(5))
    driver.machine.cut()
    driver.snapshot = replace(driver.snapshot, asked=frozenset())
    to_the_end(driver)
    invariants(driver)
    lost = {k for k, v in driver.attempts.items() if v[-1].state is AttemptState.LOST}
    assert lost == running
    unknown = {p for (_, p), run in driver.units.items() if run.status is Status.UNKNOWN}
    assert unknown == {key.path for key in lost}


@pytest.mark.parametrize("seed", SEEDS)
def test_killing_at_random_starts_nothing_twice_and_ends(seed):
    random = Random(seed)
    driver = driver_of(random_world(Random(seed)), BAD_WAY, seed)
    for turn in range(20):
        driver.run(until=EVENING + minutes(2 * turn))
        for generation in driver.snapshot.live.values():
            for path, run in generation.units.items():
                busy = run.status in {Status.EXECWAIT, Status.QUEUING, Status.RUNNING}
                if busy and run.attempt and random.random() < 0.2:
                    driver.change(generation.id, path, kill_asked=ASKED)
    to_the_end(driver)
    invariants(driver)


@pytest.mark.parametrize("seed", SEEDS)
def test_killing_jobnets_at_random_starts_nothing_new_below_them_and_ends(seed):
    random = Random(seed)
    driver = driver_of(random_world(Random(seed)), BAD_WAY, seed)
    killed: dict[str, set[str]] = {}
    for turn in range(20):
        driver.run(until=EVENING + minutes(2 * turn))
        for generation in driver.snapshot.live.values():
            runs = generation.units
            for path in [
                p for p, r in runs.items() if r.status in RUNNING and _is_jobnet(driver, p)
            ]:
                if random.random() < 0.1:
                    inside = below(generation, path)
                    waiting = {p for p, run in inside.items() if run.status in NOT_LET_GO}
                    killed.setdefault(path, waiting)
                    after = with_kill(driver.snapshot.live[generation.id], path, ASKED)
                    after = replace(after, version=after.version + 1)
                    live = {**driver.snapshot.live, generation.id: after}
                    driver.snapshot = replace(driver.snapshot, live=live)
    to_the_end(driver)
    invariants(driver)
    statuses = {path: Status[name] for path, name in driver.statuses().items()}
    assert all(statuses[path] is Status.KILL for path in killed)
    kept = set().union(*killed.values())
    assert kept & {key.path for key, _ in driver.machine.starts} == set()
    assert all(statuses[path] in {Status.UNEXEC, Status.BYPASS} for path in kept)


def _is_jobnet(driver: Driver, path: str) -> bool:
    units = dict(driver.definitions[1].walk())
    return not path or isinstance(units[path], Jobnet)


@pytest.mark.parametrize("seed", SEEDS)
def test_interrupting_at_random_starts_nothing_new_and_ends(seed):
    driver = driver_of(random_world(Random(seed)), seed=seed)
    driver.run(until=EVENING + minutes(Random(seed).randint(0, 20)))
    if not driver.snapshot.live:
        assert all(run.status.ended for run in driver.units.values())
        return
    started = len(driver.machine.starts)
    live = {k: replace(g, interrupted=ASKED) for k, g in driver.snapshot.live.items()}
    driver.snapshot = replace(driver.snapshot, live=live)
    to_the_end(driver)
    invariants(driver)
    assert len(driver.machine.starts) == started
    assert driver.ended[1] is Status.INTERRUPT


def test_the_worlds_are_worth_simulating():
    """All the statuses and endings that the invariants speak of do come up."""
    seen: Counter[Status] = Counter()
    good = 0
    for seed in range(60):
        driver = to_the_end(driver_of(random_world(Random(seed))))
        seen += Counter(entry.after for entry in driver.history)
        good += driver.ended[1] in ENDED_WELL
    assert 0 < good < 60
    # What units begin with, and what only operators, a second run or a dead machine bring about.
    elsewhere = {Status.NOPLAN, Status.TERMWAIT}
    elsewhere |= {Status.EXECDEFFER, Status.INTERRUPT, Status.UNKNOWN}
    assert set(seen) == set(Status) - elsewhere
