"""The units that jobnets name: exclusive jobnets beside them, job groups whose calendar they use; planning groups.

Whether a name exists is known only when all texts are read: what they name may stand in another one, or be stored.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from ajs.definition.kinds import Placed, Spot
from ajs.definition.problems import Problems, meant, shown
from ajs.errors import Place
from ajs.model import StoredUnits, groups_above, parent

MOST_IN_A_ROW = 16
"""How many jobnets exclude one another in a row at most: what one runs on depends on all behind it."""


@dataclass(frozen=True, slots=True)
class Exclusive:
    """A jobnet beside others, and the exclusive jobnet that it names, if any."""

    spot: Spot
    names: Placed[str] | None


@dataclass(slots=True)
class UnitsReading:
    """What the texts name, and what there is besides: ``stored``."""

    problems: Problems
    stored: StoredUnits
    groups: dict[str, Place] = field(default_factory=dict)
    """Job groups of the texts."""
    planning: dict[str, bool] = field(default_factory=dict)
    """Whether a job group is a planning group, where the texts say it."""
    roots: dict[str, Exclusive] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    """What renamed root jobnets were."""
    calendars: list[tuple[Placed[str], Spot]] = field(default_factory=list)

    def check(self) -> None:
        """Note every name for which there is no unit, and every group that cannot stand where it does."""
        planning = {"/": False} | dict.fromkeys(self.groups, False)
        planning |= {**self.stored.groups, **self.planning}
        for path in [*planning, *self.roots]:
            planning |= {upper: False for upper in groups_above(path) if upper not in planning}
        for named, spot in self.calendars:
            if named.value not in planning:
                spot.refuse(
                    named.place,
                    f"calendar_of names {shown(named.value)}, and there is no such job group",
                    hint=meant(self.problems.nearest(named.value, planning))
                    or "name a job group that is stored, or define it in the same call",
                    value=named.value,
                )
        self._check_planning(planning)
        for group in dict.fromkeys(parent(path) for path in self.roots):
            self._check_exclusive(group)

    def _check_planning(self, planning: Mapping[str, bool]) -> None:
        """Note job groups inside planning groups, and a scheduler service that is one (rule book 6.1)."""
        if self.planning.get("/"):
            Spot(self.problems, "/").refuse(
                self.groups["/"],
                "the scheduler service / cannot be a planning group",
                hint="a planning group stands in a job group; define one below /",
                value="/",
            )
        for path in sorted(planning):
            upper = parent(path)
            given = self.groups.get(path, self.groups.get(upper))
            if upper != "/" and planning[upper] and given is not None:
                Spot(self.problems, path).refuse(
                    given,
                    f"job group {shown(path)} stands in the planning group {shown(upper)}",
                    hint="a planning group holds root jobnets only; move the group, or take planning away",
                    value=path,
                )

    def _check_exclusive(self, group: str) -> None:
        """Note what the root jobnets of one group exclude that cannot be."""
        above = f"{group.rstrip('/')}/"
        here = {
            path.removeprefix(above): other
            for path, other in self.stored.roots.items()
            if parent(path) == group and path not in self.gone
        }
        known = {name: Exclusive(Spot(self.problems), None) for name in here}
        known |= {
            path.removeprefix(above): one
            for path, one in self.roots.items()
            if parent(path) == group
        }
        check_exclusive(known, (), here)


def check_exclusive(
    jobnets: Mapping[str, Exclusive], jobs: Collection[str], stored: Mapping[str, str] | None = None
) -> None:
    """Note exclusive jobnets that cannot be, of jobnets beside one another by name (rule book 3.15).

    ``stored`` are those that stay as they are: name → exclusive jobnet.
    """
    follows = dict(stored or {})
    for name, one in jobnets.items():
        if one.names is None:
            if one.spot.unit:
                follows.pop(name, None)
            continue
        other = one.names.value
        follows[name] = other
        spot = one.spot.at("exclusive")
        if other == name:
            message, hint = "a jobnet cannot exclude itself", "name another one, or remove the key"
        elif other in jobs:
            message = f"exclusive names {shown(other)}, which is a job"
            hint = "only a jobnet has a schedule; put the job into a nested jobnet"
        elif other not in jobnets:
            message = f"exclusive names {shown(other)}, and there is no such jobnet beside this one"
            hint = (
                meant(spot.problems.nearest(other, jobnets, but=name))
                or "name a jobnet that stands beside this one, without a path"
            )
        else:
            continue
        follows.pop(name)
        spot.refuse(one.names.place, message, hint=hint, value=other)
    for circle in _circles(follows):
        for at, name in enumerate(circle):
            if name not in jobnets or (named := jobnets[name].names) is None:
                continue  # this one is stored
            names = (*circle[at:], *circle[:at], name)
            jobnets[name].spot.refuse(
                named.place,
                f"these jobnets exclude one another in a circle: {', '.join(names)}",
                hint="exclusion goes one way; remove one of these keys",
                value=named.value,
            )
            break
    for row in _rows(follows):
        here = next((n for n in row if n in jobnets and jobnets[n].names is not None), None)
        if here is None or (named := jobnets[here].names) is None:
            continue  # all of it is stored
        jobnets[here].spot.refuse(
            named.place,
            f"{len(row)} jobnets exclude one another in a row, from {shown(row[0])} to {shown(row[-1])}",
            hint=f"at most {MOST_IN_A_ROW} may; remove one of these keys",
            value=named.value,
        )


def _rows(follows: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    """Yield the rows of names, each of which follows the one before, that are too long; no circles."""
    for first in sorted(follows.keys() - set(follows.values())):
        row = {first: None}
        while row and (name := follows.get(next(reversed(row)))) is not None:
            row = {} if name in row else row | {name: None}
        if len(row) > MOST_IN_A_ROW:
            yield tuple(row)


def _circles(follows: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    """Yield the circles of names of which each follows one other."""
    done: set[str] = set()
    for start in follows:
        way: list[str] = []
        name = start
        while name in follows and name not in done:
            done.add(name)
            way.append(name)
            name = follows[name]
        if name in way:
            yield tuple(way[way.index(name) :])
