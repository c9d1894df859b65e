"""What a start, a skip or an end of a run means for the plan of its root jobnet.

A run that starts or is skipped leaves the plan, and under planned registration the next real one is made (rule book
6.2); what is passed by gets its fate. A run that ends hands the holds whose turn never came to the next one (7.8).
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from ajs.actions import ChangeUnit, Commit, EndGeneration, SkipGeneration, StartGeneration
from ajs.causes import MISSED, Cause
from ajs.errors import PlanMoved
from ajs.lifecycle import LiveGeneration, UnitRun
from ajs.plan import WENT_BY, Frozen, Generation, Passed, RootPlan, holds_handed_on, started
from ajs.schedule import DayMode, Timetable
from ajs.starting import Waiting
from ajs.store import plans, units
from ajs.store.database import Reading
from ajs.store.plans import PlanChange
from ajs.store.runs import Fate, Fated
from ajs.store.sources import frozen_timetables, stored_timetables
from ajs.timetables import Calendars


@dataclass(frozen=True, slots=True)
class Steps:
    """The changed plans, and what became of runs that do not run.

    ``hand_on_first`` are runs that a decision starts at the very moment at which the run before them ends and hands
    holds on to them: they must start one turn later, when they have them.
    """

    changes: tuple[PlanChange, ...]
    fates: tuple[Fated, ...]
    hand_on_first: frozenset[int]
    missed: tuple[tuple[str, Passed], ...] = ()
    """The runs whose time went by, each with the path of its root jobnet."""


@dataclass(slots=True)
class _Root:
    """The plan of one root jobnet while the decision goes through it."""

    id: int
    before: RootPlan
    after: RootPlan
    left: set[int] = field(default_factory=set)


class Planner:
    """Goes through one decision and changes the plans that it concerns, as they are stored now."""

    def __init__(
        self,
        tx: Reading,
        calendars: Calendars,
        mode: DayMode,
        now: datetime,
        frozen: MutableMapping[str, Calendars] | None = None,
    ) -> None:
        """``frozen`` keeps the calendars that fixed registrations froze, by their key, between decisions."""
        self._tx = tx
        self._mode = mode
        self._timetables = stored_timetables(tx, calendars, mode)
        self._frozen: MutableMapping[str, Calendars] = {} if frozen is None else frozen
        self._now = now
        self._roots: dict[str, _Root | None] = {}
        self._fates: list[Fated] = []
        self._missed: list[tuple[str, Passed]] = []
        self._handed: set[int] = set()
        self._hand_on_first: set[int] = set()

    def steps(
        self,
        to_commit: Sequence[Commit],
        due: Mapping[int, Waiting],
        live: Mapping[int, LiveGeneration],
    ) -> Steps:
        """Return what the decision means for the plans; raises PlanMoved when they are not as it saw them."""
        ending = {a.generation for a in to_commit if isinstance(a, EndGeneration)}
        ended = {n: (g.root_path, dict(g.units)) for n, g in live.items() if n in ending}
        for action in to_commit:
            match action:
                case StartGeneration(live=begun):
                    self._start(due[begun.id])
                    if begun.id in ending:
                        ended[begun.id] = (begun.root_path, dict(begun.units))
                case SkipGeneration(generation=number, cause=cause):
                    self._skip(due[number], cause)
                case ChangeUnit(generation=number, run=run) if number in ending:
                    ended[number][1][run.path] = run
                case EndGeneration(generation=number):
                    path, units = ended[number]
                    holds = due[number].generation.holds if number in due else None
                    self._end(path, number, holds, units)
                case _:
                    pass
        changes = tuple(
            PlanChange(root.id, root.before, root.after, frozenset(root.left))
            for root in self._roots.values()
            if root is not None
        )
        return Steps(
            changes, tuple(self._fates), frozenset(self._hand_on_first), tuple(self._missed)
        )

    def _start(self, waiting: Waiting) -> None:
        if waiting.generation.id in self._handed:
            self._hand_on_first.add(waiting.generation.id)
        self._leave(waiting)

    def _skip(self, waiting: Waiting, cause: Cause) -> None:
        root, generation = self._leave(waiting)
        run = Passed(generation.slot, generation.ties, cause.text)
        fate: Fate = "missed" if cause.why in MISSED else "skipped"
        self._fates.append(Fated(root=root.id, run=run, fate=fate, generation=generation.id))
        if fate == "missed":
            self._missed.append((waiting.root_path, run))
        _hand_on(root, generation.holds)

    def _end(
        self,
        path: str,
        number: int,
        holds: Mapping[str, bool] | None,
        units: Mapping[str, UnitRun],
    ) -> None:
        root = self._root(path)
        if root is None:
            return
        if holds is None:
            stored = plans.running_by_id(self._tx, [number]).get(number)
            holds = {} if stored is None else stored.holds
        unused = {p: on for p, on in holds.items() if p in units and _never_came(units[p])}
        self._handed |= _hand_on(root, unused)

    def _leave(self, waiting: Waiting) -> tuple[_Root, Generation]:
        """Take a run that starts or is skipped out of its plan, which makes the next one."""
        root = self._root(waiting.root_path)
        generation = None if root is None else root.after.generation(waiting.generation.id)
        if root is None or generation is None:
            raise PlanMoved(
                f"the run {waiting.root_path}:{waiting.execution_id} is no longer in the plan",
                hint="look at the plan again",
                unit=waiting.root_path,
                value=waiting.execution_id,
            )
        timetable = self._timetable(waiting, root.after.registration.frozen)
        root.after, passed = started(root.after, generation, timetable, self._now)
        root.left.add(generation.id)
        self._missed += ((waiting.root_path, run) for run in passed if run.why == WENT_BY)
        self._fates += (
            Fated(
                root=root.id,
                run=run,
                fate="missed" if run.why == WENT_BY else "passed",
            )
            for run in passed
        )
        return root, generation

    def _timetable(self, waiting: Waiting, frozen: Frozen | None) -> Timetable:
        """Return what makes the runs that come after this one."""
        if frozen is not None:
            return frozen_timetables(self._tx, {0: frozen}, self._mode, self._frozen)[0]
        return self._timetables.of(waiting.root_path, waiting.definition)

    def _root(self, path: str) -> _Root | None:
        """Return the root jobnet with its plan as far as it has been changed, None when it is not registered."""
        if path not in self._roots:
            unit = units.by_path(self._tx, path)
            plan = None if unit is None else plans.load_plan(self._tx, unit.id)
            root = None
            if unit is not None and plan is not None:
                root = _Root(unit.id, plan, plan)
            self._roots[path] = root
        return self._roots[path]


def _never_came(run: UnitRun) -> bool:
    """Whether the generation ended before it was this unit's turn."""
    return run.attempt == 0 and run.started is None


def _hand_on(root: _Root, unused: Mapping[str, bool]) -> set[int]:
    """Hand holds on to the run that comes next, if there are any and one comes; return its number."""
    following = next(iter(root.after.waiting), None)
    if following is None or not unused:
        return set()
    handed = holds_handed_on(unused, following)
    kept = tuple(handed if g is following else g for g in root.after.generations)
    root.after = replace(root.after, generations=kept)
    return {following.id}
