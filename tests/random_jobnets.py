"""Random jobnets for properties and simulation: nested, with recovery, holds, prohibitions, times and thresholds."""

from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

from ajs.model import Job, Jobnet
from ajs.plan import NestedPlan
from ajs.starting import Waiting
from ajs.testing import FakeRun
from tests.driver import EVENING, minutes, waiting


@dataclass(frozen=True)
class World:
    """A generation that is due, how its jobs go, and how many may run at once."""

    due: Waiting
    runs: dict[str, FakeRun]
    limit: int | None


def random_world(random: Random, *, number: int = 1) -> World:
    """One random world; the same state of ``random`` gives the same one."""
    root = _jobnet(random, f"root{number}", depth=0)
    nested, prohibited, runs = {}, set(), {}
    for path, unit in root.walk():
        if random.random() < 0.08:
            prohibited.add(path)
        if isinstance(unit, Jobnet):
            nested[path] = _plan(random)
        else:
            runs[path] = _run(random)
    due = waiting(root, number=number, nested=nested, prohibited=frozenset(prohibited))
    return World(due, runs, random.choice([None, 1, 2, 3]))


def _jobnet(random: Random, name: str, depth: int, **fields: Any) -> Jobnet:
    units: list[Jobnet | Job] = []
    for count in range(random.randint(0 if depth else 1, 6)):
        before = [u for u in units if random.random() < 0.4]
        recovery = bool(before) and random.random() < 0.25
        if not recovery:
            # The definition reader lets only recovery units follow a recovery unit.
            before = [u for u in before if not u.recovery]
        common: dict[str, Any] = {
            "after": tuple(u.name for u in before),
            "recovery": recovery,
            "hold": random.random() < 0.08,
        }
        if depth < 2 and random.random() < 0.3:
            units.append(_jobnet(random, f"n{count}", depth + 1, **common))
        else:
            units.append(_job(random, f"j{count}", **common))
    random.shuffle(units)
    return Jobnet(name=name, units=tuple(units), **fields)


def _job(random: Random, name: str, **fields: Any) -> Job:
    warning, abnormal = random.choice([(None, 0), (0, 4), (3, 7), (None, 7)])
    return Job(name=name, warning_above=warning, abnormal_above=abnormal, timeout_s=60, **fields)


def _plan(random: Random) -> NestedPlan:
    kind = random.random()
    if kind < 0.6:
        return NestedPlan(depends=True)
    if kind < 0.7:
        return NestedPlan()
    return NestedPlan(start=EVENING + minutes(random.randint(-30, 90)))


def _run(random: Random) -> FakeRun:
    lasts = random.choice([timedelta(), minutes(1), minutes(random.randint(2, 40))])
    kind = random.random()
    if kind < 0.04:
        return FakeRun(fails="no such file")
    if kind < 0.08:
        return FakeRun(lasts=lasts, return_code=None, signal=9)
    if kind < 0.12:
        return FakeRun(lasts=lasts, return_code=None, timed_out=True)
    return FakeRun(lasts=lasts, return_code=random.choice([0, 0, 0, 0, 2, 5, 9]))
