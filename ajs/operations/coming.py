"""``ajsshow --schedule``: the coming runs, real ones and dummies, with their nested jobnets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import takewhile

from ajs.choices import OVERDUE
from ajs.model import Jobnet
from ajs.operations.service import Service
from ajs.operations.show import Mark
from ajs.operations.targets import Filters, Name, find_units
from ajs.operations.timetables import planned_by, timetables
from ajs.plan import (
    Generation,
    NestedPlan,
    Phase,
    RootPlan,
    coming,
    generation_for,
    with_all_nested,
)
from ajs.schedule import Timetable
from ajs.statuses import Status
from ajs.store import plans, units
from ajs.store import show as stored
from ajs.store.numbers import execution_id
from ajs.store.units import GROUP, Unit

DAYS = 14
"""How far ahead the schedule goes when nothing else is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LowerRun:
    """A unit below the root in one run: a nested jobnet, or a job that will be held or is prohibited.

    ``start`` is None when it follows its upper jobnet, or does not run; ``original`` what it was before temporary
    changes.
    """

    path: str
    job: bool
    scheduled: bool
    start: datetime | None
    original: datetime | None
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One coming run of a root jobnet; ``execution_id`` is "" for a dummy, ``status`` None then."""

    root: str
    comment: str
    execution_id: str
    status: Status | None
    exec_date: date
    start: datetime
    original_exec_date: date
    original: datetime
    marks: tuple[Mark, ...]
    lower: tuple[LowerRun, ...]


@dataclass(frozen=True, slots=True)
class Coming:
    """The runs from now on until ``until`` (not included), by start, and the root jobnets that are not registered."""

    service: str
    since: datetime
    until: datetime
    runs: tuple[Run, ...]
    unregistered: tuple[str, ...]


def coming_runs(
    service: Service, names: Sequence[Name], filters: Filters, days: int = DAYS
) -> Coming:
    """Return the coming runs of the root jobnets named, and of those in the job groups named, for so many days.

    What runs now and what waits although its time has passed comes too. Raises UnitNotFound.
    """
    now = service.clock.now().wall
    until = datetime(now.year, now.month, now.day) + timedelta(days=days)
    with service.store.read() as tx:
        found = [unit for unit, _ in find_units(tx, names, filters)]
        inside: dict[int, set[str]] = {}
        for unit in found:
            if unit.kind == GROUP:
                inside |= {u.id: set() for u in units.below(tx, unit.path) if u.root == u.id}
            elif unit.root is not None:
                inside.setdefault(unit.root, set()).add(unit.path)
        roots = units.by_id(tx, inside)
        tables = timetables(tx, roots.values(), service.mode)
        waiting = plans.load_plans(tx, roots)
        planned = planned_by(tx, waiting, tables, service.mode)
        running = plans.running(tx, roots)
        statuses = {
            row.id: Status[row.status]
            for row in stored.generations(tx, roots)
            if row.phase != "ended"
        }
    runs: list[Run] = []
    for number, root in roots.items():
        wanted = {path for path in inside[number] if path != root.path}
        plan = waiting.get(number)
        if plan is None or (wanted and root.path in inside[number]):
            wanted = set()
        if plan is not None:
            one = _Root(root, tables[number], planned[number], plan, statuses, frozenset(wanted))
            runs += one.runs(running.get(number, ()), now, until)
    runs.sort(key=lambda run: (run.start, run.exec_date, run.root))
    lost = tuple(root.path for number, root in roots.items() if number not in waiting)
    return Coming(service.name, now, until, tuple(runs), lost)


@dataclass(frozen=True, slots=True)
class _Root:
    """One root jobnet whose runs are listed; ``wanted`` are the units below it that were named, if it was not.

    ``planned_by`` makes the dummies, which a fixed registration has computed from what it froze.
    """

    unit: Unit
    timetable: Timetable
    planned_by: Timetable
    plan: RootPlan
    statuses: dict[int, Status]
    wanted: frozenset[str]

    def runs(self, running: Sequence[Generation], now: datetime, until: datetime) -> Iterator[Run]:
        """Yield what runs, what waits, and what is still to come of prohibited runs and dummies.

        Dummies that went by are missed (6.10); prohibited runs that did are history.
        """
        for generation in (*running, *self.plan.generations):
            gone = generation.phase is Phase.PROHIBITED and generation.slot.start <= now
            if generation.slot.start < until and not gone:
                yield self._run(generation)
        kept = {g.kept.slot for g in self.plan.generations if g.kept is not None}
        for start in takewhile(lambda s: s.slot.start < until, coming(self.plan, self.planned_by)):
            if start.slot.start > now - OVERDUE or start.slot in kept:
                yield self._run(generation_for(start, self.plan.registration, self.planned_by))

    def _run(self, generation: Generation) -> Run:
        slot, original = generation.slot, generation.original
        return Run(
            root=self.unit.path,
            comment=self.unit.comment,
            execution_id=execution_id(generation.id) if generation.id else "",
            status=self.statuses.get(generation.id),
            exec_date=slot.exec_date,
            start=slot.start,
            original_exec_date=original.exec_date,
            original=original.start,
            marks=tuple(self._marks(generation)),
            lower=tuple(self._lower(generation)),
        )

    def _marks(self, generation: Generation) -> Iterator[Mark]:
        if generation.added:
            yield Mark("added")
        elif generation.changed:
            yield Mark("moved", generation.original.start.isoformat())
        if generation.kept is not None:
            yield Mark("also", generation.kept.slot.start.isoformat())
        if generation.phase is Phase.PROHIBITED:
            yield Mark("prohibited")
        yield from _hold(generation.holds.get(""), held=self.timetable.jobnet.hold)

    def _lower(self, generation: Generation) -> Iterator[LowerRun]:
        """Yield the nested jobnets in the order of their definition, and jobs that have marks."""
        generation = with_all_nested(generation, self.timetable.jobnet)
        runs = {"": True}
        for path, unit in self.timetable.jobnet.walk():
            upper_runs = runs[path.rpartition("/")[0]]
            nested = generation.nested.get(path) if isinstance(unit, Jobnet) else None
            prohibited = path in generation.prohibited
            if nested is not None:
                runs[path] = upper_runs and nested.scheduled and not prohibited
            marks = list(_hold(generation.holds.get(path), held=unit.hold and upper_runs))
            if nested is not None:
                prohibited = prohibited or nested.prohibited
                if nested.fixed and nested.start != nested.original:
                    was = nested.original.isoformat() if nested.original is not None else ""
                    marks.insert(0, Mark("moved", was))
            if prohibited:
                marks.append(Mark("prohibited"))
            if (nested is None and not marks) or not self._asked(path):
                continue
            job = nested is None
            nested = nested or NestedPlan(depends=True)
            yield LowerRun(
                path=path,
                job=job,
                scheduled=upper_runs and nested.scheduled and not prohibited,
                start=nested.start,
                original=nested.original,
                marks=tuple(marks),
            )

    def _asked(self, path: str) -> bool:
        full = f"{self.unit.path}/{path}"
        return not self.wanted or any(f"{full}/".startswith(f"{w}/") for w in self.wanted)


def _hold(temporary: bool | None, *, held: bool) -> Iterator[Mark]:
    if temporary is not None:
        yield Mark("held" if temporary else "released")
    elif held:
        yield Mark("hold")
