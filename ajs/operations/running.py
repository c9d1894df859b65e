"""What commands change inside a generation that runs: what its plan says now, and orders to kill."""

from __future__ import annotations

from dataclasses import replace

from ajs.attributes import NOTHING_SET, Attributes, priorities
from ajs.causes import Asked
from ajs.delays import NOT_WATCHED
from ajs.lifecycle import HANDED_OVER, RUNNING, LiveGeneration, UnitRun
from ajs.plan import Generation
from ajs.watching import watches


def with_plan(live: LiveGeneration, plan: Generation) -> LiveGeneration:
    """Return the running generation with holds, attributes, prohibitions and nested starts as its plan says now."""
    units = dict(live.units)
    priority = priorities(live.definition, plan.attributes)
    watch = watches(live.definition, plan, live.base_time)
    units[""] = replace(units[""], watch=watch.get("", NOT_WATCHED))
    for path, unit in live.definition.walk():
        nested = plan.nested.get(path)
        prohibited = path in plan.prohibited or (nested is not None and nested.prohibited)
        units[path] = replace(
            units[path],
            held=plan.holds.get(path, unit.hold),
            priority=priority[path],
            watch=watch.get(path, NOT_WATCHED),
            prohibited=prohibited,
            planned=None if nested is None else nested.start,
            scheduled=nested is None or nested.start is not None or nested.depends,
        )
    return replace(live, units=units)


GOES_ON = HANDED_OVER | RUNNING
"""Statuses of what can be killed: it runs, or its turn has come."""


def below(live: LiveGeneration, path: str) -> dict[str, UnitRun]:
    """Return a unit of the generation and all that is below it, by relative path."""
    lower = f"{path}/" if path else ""
    return {p: run for p, run in live.units.items() if p == path or p.startswith(lower)}


def with_kill(live: LiveGeneration, path: str, order: Asked) -> LiveGeneration:
    """Return the generation with everything to be killed that goes on in a unit; the first order to kill counts."""
    killed = {
        p: replace(run, kill_asked=order)
        for p, run in below(live, path).items()
        if run.status in GOES_ON and run.kill_asked is None
    }
    return replace(live, units={**live.units, **killed}) if killed else live


def touched(before: Generation, after: Generation) -> set[str]:
    """Return the units whose turn must not have come for one plan of a generation to become the other, by path."""
    holds = {p for p in {*before.holds, *after.holds} if before.holds.get(p) != after.holds.get(p)}
    attributes = {
        p
        for p in {*before.attributes, *after.attributes}
        if _until_its_turn(before, p) != _until_its_turn(after, p)
    }
    nested = {
        p for p in {*before.nested, *after.nested} if before.nested.get(p) != after.nested.get(p)
    }
    return holds | attributes | nested | (before.prohibited ^ after.prohibited)


def _until_its_turn(plan: Generation, path: str) -> Attributes:
    """Return what is set for a unit and cannot be changed any more when its turn has come."""
    return replace(plan.attributes.get(path, NOTHING_SET), end_delay=None, required_time=None)
