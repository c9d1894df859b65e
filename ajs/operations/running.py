"""Temporary changes inside a generation that runs: what its plan says, carried over to its units."""

from __future__ import annotations

from dataclasses import replace

from ajs.lifecycle import LiveGeneration
from ajs.plan import Generation


def with_plan(live: LiveGeneration, plan: Generation) -> LiveGeneration:
    """Return the running generation with holds, prohibitions and nested starts as its plan says now."""
    units = dict(live.units)
    for path, unit in live.definition.walk():
        nested = plan.nested.get(path)
        prohibited = path in plan.prohibited or (nested is not None and nested.prohibited)
        units[path] = replace(
            units[path],
            held=plan.holds.get(path, unit.hold),
            prohibited=prohibited,
            planned=None if nested is None else nested.start,
            scheduled=nested is None or nested.start is not None or nested.depends,
        )
    return replace(live, units=units)


def touched(before: Generation, after: Generation) -> set[str]:
    """Return the relative paths of the units that two plans of one generation differ in."""
    holds = {p for p in {*before.holds, *after.holds} if before.holds.get(p) != after.holds.get(p)}
    nested = {
        p for p in {*before.nested, *after.nested} if before.nested.get(p) != after.nested.get(p)
    }
    return holds | nested | (before.prohibited ^ after.prohibited)
