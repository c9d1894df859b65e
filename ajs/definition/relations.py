"""The order of the units of one jobnet: unknown names, circles, and what may follow a recovery unit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ajs.definition.kinds import Placed, Spot
from ajs.definition.problems import meant, shown

MAX_NAMED = 40
"""Units of a circle that its message names."""


@dataclass(frozen=True, slots=True)
class Relation:
    """What one unit says about its place in the order; ``ordered`` is whether ``after`` was given at all."""

    unit: Placed[str]
    spot: Spot
    after: tuple[Placed[str], ...]
    recovery: bool
    ordered: bool


def check(relations: Mapping[str, Relation]) -> None:
    """Note every relation that cannot be: the units of one jobnet by name (execution.md 3.2)."""
    for relation in relations.values():
        _check_names(relation, relations)
        if relation.recovery and not relation.ordered:
            relation.spot.refuse(
                relation.unit.place,
                f"recovery unit {shown(relation.unit.value)} follows no unit, so it would never run",
                hint="add after: with the units whose abnormal end it is for",
                value=relation.unit.value,
            )
    for circle in _circles(
        {
            name: tuple(p.value for p in r.after if p.value in relations and p.value != name)
            for name, r in relations.items()
        }
    ):
        first = relations[circle[0]]
        names = [*circle, circle[0]]
        if len(names) > MAX_NAMED:
            names = [*names[: MAX_NAMED - 2], f"{len(names) - MAX_NAMED + 1} more", names[-1]]
        first.spot.refuse(
            next(p.place for p in first.after if p.value == names[1]),
            f"these units wait for one another in a circle: {' after '.join(names)}",
            hint="remove one of these names from after",
            value=circle[0],
        )


def _check_names(relation: Relation, relations: Mapping[str, Relation]) -> None:
    """Check each name that one unit waits for."""
    seen: set[str] = set()
    for before in relation.after:
        name, spot = before.value, relation.spot.at("after")
        if name in seen:
            spot.refuse(
                before.place,
                f"after names {shown(name)} twice",
                value=name,
                hint="remove one of them",
            )
        elif name == relation.unit.value:
            spot.refuse(
                before.place,
                f"{shown(name)} is after itself",
                value=name,
                hint="name the units that must end before it",
            )
        elif name not in relations:
            spot.refuse(
                before.place,
                f"after names {shown(name)}, and there is no such unit in this jobnet",
                hint=meant(spot.problems.nearest(name, relations, but=relation.unit.value))
                or "after names units that stand beside this one, without a path",
                value=name,
            )
        elif relations[name].recovery and not relation.recovery:
            spot.refuse(
                before.place,
                f"{shown(relation.unit.value)} follows the recovery unit {shown(name)} and is none itself",
                hint="add recovery: yes to it, or take it out of after",
                value=name,
            )
        seen.add(name)


def _circles(before: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """Yield circles of names until each circle left shares a name with one of them.

    A walk back along the relations; a name that is met again on the way closes a circle. Each name is walked once,
    and ``last`` says how far up the way a name lies that a circle was yielded for, so the walk takes linear time.
    """
    done: set[str] = set()
    for root in before:
        if root in done:
            continue
        way, where, last = [root], {root: 0}, [-1]
        branches = [iter(before[root])]
        while way:
            name = next(branches[-1], None)
            if name is None:
                done.add(way[-1])
                del where[way.pop()]
                branches.pop()
                last.pop()
            elif name in where:
                if where[name] > last[-1]:
                    yield tuple(way[where[name] :])
                    last[where[name] :] = range(where[name], len(way))
            elif name not in done:
                where[name] = len(way)
                way.append(name)
                branches.append(iter(before[name]))
                last.append(last[-1])
