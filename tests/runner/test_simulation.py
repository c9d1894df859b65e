"""Seeded simulation of the manager over a real store: random jobnets, a way that cannot be relied on, crashes.

What is checked after every turn is in ``kit.World.turn``: what the manager remembers is what the store has. What must
hold in the end is said once, in ``invariants``; it is read from the store's own tables and the machine's own list.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from random import Random

import pytest

from ajs.attempts import AttemptKey
from ajs.lifecycle import Status
from ajs.plan import Method
from ajs.store import show
from ajs.testing import FakeRun, Faults
from tests.random_jobnets import random_world
from tests.runner.kit import Crash, World

SEEDS = range(int(os.environ.get("AJS_SIMULATION_SEEDS", "60")) // 5)
SWEPT = range(3)
BAD_WAY = Faults(drop=0.2, double=0.2, delay=timedelta(seconds=40))
DONE = {"ACKED", "LOST"}


def world_of(folder, seed: int, faults: Faults | None = None, *, nets: int = 3) -> World:
    """A world with up to so many random root jobnets that are due at once; their jobs share the machine."""
    random = Random(seed)
    made = [random_world(random, number=n) for n in range(1, random.randint(1, nets) + 1)]
    jobs: dict[str, FakeRun] = {}
    for one in made:
        jobs |= one.runs
    roots = [one.due.definition for one in made]
    limit = random.choice([None, 1, 2, 3])
    it = World(folder, *roots, jobs=jobs, faults=faults, seed=seed, limit=limit)
    for one in made:
        generation = one.due.generation
        fixed = due_again(generation)
        it.register(f"/sales/{one.due.definition.name}", fixed, method=Method.FIXED)
    return it


def due_again(generation):
    return replace(generation, id=0, version=0)


def to_the_end(it: World) -> World:
    """Run until all has ended; whenever nothing moves any more, release what is held, as an operator does."""
    for _ in range(100):
        it.run()
        with it.other.read() as tx:
            held = show.generations(tx, status="HOLDING", phase="waiting")
            running = [g.id for g in show.generations(tx, phase="running")]
            holding = [r for r in show.unit_runs(tx, running) if r.status == "HOLDING"]
        for generation in held:
            it.change(generation.path, lambda g: replace(g, holds={"": False}))
        for run in holding:
            it.release(run.generation, run.path)
        if not held and not holding:
            return it
    raise AssertionError("something is held again and again")


def outcome(it: World) -> dict[tuple[int, str], tuple[str, int | None]]:
    """How every unit ended."""
    with it.other.read() as tx:
        generations = [g.id for g in show.generations(tx)]
        return {
            (r.generation, r.path): (r.status, r.return_code)
            for r in show.unit_runs(tx, generations)
        }


def invariants(it: World) -> None:
    with it.other.read() as tx:
        generations = show.generations(tx)
        ids = [g.id for g in generations]
        units = show.unit_runs(tx, ids)
        attempts = show.attempts(tx, ids)
        events = show.events(tx, ids)
        fates = show.fates(tx)
    # All has ended, and the manager knows that.
    assert all(g.phase == "ended" for g in generations)
    assert all(Status[r.status].ended for r in units)
    assert not it.manager.memory.live
    assert not it.manager.memory.attempts()
    assert it.manager.memory.busy == 0
    # At most one start per attempt, and none of an attempt that the store does not know.
    starts = Counter(key for key, _ in it.machine.starts)
    assert all(count == 1 for count in starts.values())
    assert set(starts) <= {(a.generation, a.path, a.number) for a in attempts}
    # Every attempt is done with, and has one ending; the machine's word is the one that is stored.
    assert {a.state for a in attempts} <= DONE
    for a in attempts:
        result = it.machine.record(AttemptKey(a.generation, a.path, a.number))
        if result is not None and a.state == "ACKED":
            assert (a.return_code, a.signal) == (result.return_code, result.signal)
    # Every change of a status is recorded once, with its cause, up to what is there now.
    told: dict[tuple[int, str], list[str]] = {}
    for event in events:
        assert event.cause
        told.setdefault((event.generation, event.path), []).append(event.status)
    assert {key: statuses[-1] for key, statuses in told.items()} == {
        (r.generation, r.path): r.status for r in units
    } | {(g.id, ""): g.status for g in generations}
    for statuses in told.values():
        assert all(before != after for before, after in pairwise(statuses))
    # Every planned run is accounted for: it ran, or its fate says why not.
    ran = {r.generation for r in units if r.path == ""}
    assert set(ids) == ran | {f.generation for f in fates}


@pytest.mark.parametrize("seed", SEEDS)
def test_good_and_bad_ways_lead_to_the_same_end(tmp_path, seed):
    good = to_the_end(world_of(tmp_path / "good", seed))
    invariants(good)
    bad = to_the_end(world_of(tmp_path / "bad", seed, BAD_WAY))
    invariants(bad)
    assert outcome(bad) == outcome(good)


@pytest.mark.parametrize("before", [True, False], ids=["before-commit", "after-commit"])
@pytest.mark.parametrize("seed", SWEPT)
def test_a_manager_that_dies_at_any_commit_is_followed_by_one_that_comes_to_the_same_end(
    tmp_path, seed, before
):
    whole = to_the_end(world_of(tmp_path / "whole", seed, BAD_WAY, nets=1))
    expected = outcome(whole)
    for at in range(1, whole.store.commits + 1):
        it = world_of(tmp_path / str(at), seed, BAD_WAY, nets=1)
        it.begin(dies_at=at, before=before)
        try:
            to_the_end(it)
        except Crash:
            it.store.close()
            it.begin()
            to_the_end(it)
        invariants(it)
        assert outcome(it) == expected


@pytest.mark.parametrize("seed", SEEDS)
def test_managers_that_die_again_and_again_lose_nothing(tmp_path, seed):
    expected = outcome(to_the_end(world_of(tmp_path / "whole", seed)))
    random = Random(seed)
    it = world_of(tmp_path / "dying", seed, BAD_WAY)
    for _ in range(500):
        it.begin(dies_at=random.randint(1, 4), before=random.random() < 0.5)
        try:
            to_the_end(it)
        except Crash:
            it.store.close()
            continue
        break
    invariants(it)
    assert outcome(it) == expected
