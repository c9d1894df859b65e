"""``ajsschedule``: every run of a period by rules and calendar, before any temporary change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import takewhile

from ajs.errors import BadValue
from ajs.moment import Moment
from ajs.operations.progress import Progress, counted, unwatched
from ajs.operations.service import Service
from ajs.operations.targets import Filters, Name, find_units
from ajs.operations.timetables import dateless_notes, planned_by, timetables
from ajs.plan import Method, last_past
from ajs.rules import Occurrence, Rule, shifted
from ajs.schedule import Slot, Start, Tie, Timetable
from ajs.store import plans, units
from ajs.store.database import Reading
from ajs.store.units import GROUP, Unit

DAYS = 31
"""How many days the period has when its end is not said."""


@dataclass(frozen=True, slots=True)
class Nested:
    """What the rules plan for a nested jobnet in one run of its root.

    ``start`` is None when it does not run; ``follows``: it has no time of its own and starts with its upper jobnet.
    """

    path: str
    start: datetime | None
    follows: bool


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a root jobnet: where it lies, and for each rule that gives it where the calendar put its date.

    The first of ``occurrences`` supplies the attributes of the run (rule book 2.2).
    """

    slot: Slot
    occurrences: tuple[Occurrence, ...]
    nested: tuple[Nested, ...]

    @property
    def substituted(self) -> bool:
        """Whether a closed day moved it."""
        return any(one.substituted != one.day for one in self.occurrences)

    @property
    def moved(self) -> bool:
        """Whether it lies on another date than the one on which the rule falls, for whatever reason."""
        return any(one.runs_on != one.day for one in self.occurrences)


@dataclass(frozen=True, slots=True)
class RootSchedule:
    """The runs of one root jobnet, in slot order.

    ``method`` says how it is registered, None for not at all: its runs then count from ``since``, the moment of asking,
    as if it were registered then; else from its registration, and of what a fixed one was computed from.
    """

    unit: Unit
    timetable: Timetable
    method: Method | None
    since: datetime
    runs: tuple[Run, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What is wrong with its rules as they count from ``since``."""
        return tuple(dateless_notes(self.unit.path, self.timetable, self.since))


@dataclass(frozen=True, slots=True)
class Schedule:
    """The runs of the execution dates ``first`` to ``last``, root jobnet by root jobnet in the order asked for."""

    service: str
    time_zone: str
    at: Moment
    first: date
    last: date
    roots: tuple[RootSchedule, ...]


def schedule(
    service: Service,
    names: Sequence[Name],
    filters: Filters,
    period: tuple[date, date],
    *,
    progress: Progress = unwatched,
) -> Schedule:
    """Return the runs of the root jobnets named, and of those in the job groups named (ruling R13).

    A nested jobnet or job that is named stands for its root, of which it leaves only the nested jobnets above and
    below it. Raises UnitNotFound, BadValue.
    """
    first, last = period
    if last < first:
        raise BadValue(
            f"the period ends on {last}, before it begins on {first}",
            hint="-b is its first execution date, -e its last one",
            value=str(last),
        )
    now = service.clock.now()
    with service.store.read() as tx:
        inside: dict[int, set[str]] = {}
        for unit in _meant(tx, names, filters):
            if unit.kind == GROUP:
                inside |= {u.id: {""} for u in units.below(tx, unit.path) if u.root == u.id}
            elif unit.root is not None:
                inside.setdefault(unit.root, set()).add(unit.path)
        roots = units.by_id(tx, inside)
        registered = plans.load_plans(tx, roots)
        # The registration of fixed execution has frozen what its runs come from.
        now_defined = timetables(tx, roots.values(), service.mode)
        tables = planned_by(tx, registered, now_defined, service.mode)
    found = []
    for number in counted(progress, "scheduling", [n for n in inside if n in tables]):
        unit, plan = roots[number], registered.get(number)
        wanted = inside[number]
        whole = bool(wanted & {"", unit.path})
        method = None if plan is None else plan.registration.method
        by_rules = plan is not None and method is not Method.IMMEDIATE
        since = plan.registration.registered if plan is not None and by_rules else now.wall
        catch_up = plan is None or plan.registration.catch_up
        runs = runs_between(
            tables[number],
            since,
            period,
            catch_up=catch_up,
            below=() if whole else tuple(path.removeprefix(f"{unit.path}/") for path in wanted),
        )
        found.append(RootSchedule(unit, tables[number], method, since, tuple(runs)))
    return Schedule(service.name, service.time_zone, now, first, last, tuple(found))


def _meant(tx: Reading, names: Sequence[Name], filters: Filters) -> Iterator[Unit]:
    """Yield the units that are meant; filters narrow the root jobnets for which a named job group stands."""
    narrows = filters.registered or filters.unregistered or filters.roots or filters.jobnets
    groups: list[Name] = []
    others: list[Name] = []
    for name in names:
        unit = units.by_path(tx, name.path)
        (groups if narrows and unit is not None and unit.kind == GROUP else others).append(name)
    for some, how in ((groups, filters._replace(recursive=True, roots=True)), (others, filters)):
        if some:
            yield from (unit for unit, _ in find_units(tx, some, how))


def runs_between(
    timetable: Timetable,
    registered: datetime,
    period: tuple[date, date],
    *,
    catch_up: bool = True,
    below: Sequence[str] = (),
) -> Iterator[Run]:
    """Yield the runs of the execution dates of a period, in slot order.

    Of the starts of its day that were past when it was registered only the last one counts (rule book 6.5).
    ``below`` are relative paths that leave only the nested jobnets above, at and below them; none leaves all.
    """
    first, last = period
    _, end = timetable.window(last)
    starts = timetable.starts(registered, first, catch_up=catch_up)
    for start in last_past(takewhile(lambda one: one.slot.start < end, starts), registered):
        if start.slot.exec_date <= last:
            yield _run(timetable, registered, start, below)


def _run(timetable: Timetable, registered: datetime, start: Start, below: Sequence[str]) -> Run:
    slot = start.slot
    occurrences = tuple(_occurrence(timetable, tie) for tie in start.ties)
    planned = timetable.nested(registered, slot.exec_date, slot.start, start.ties)
    at: dict[str, datetime | None] = {"": slot.start}
    nested = []
    for path, one in planned.items():
        at[path] = at[path.rpartition("/")[0]] if one.follows else one.at
        if not below or any(_on_one_line(path, other) for other in below):
            nested.append(Nested(path, at[path], one.follows))
    return Run(slot, occurrences, tuple(nested))


def _on_one_line(path: str, other: str) -> bool:
    return f"{path}/".startswith(f"{other}/") or f"{other}/".startswith(f"{path}/")


def _occurrence(timetable: Timetable, tie: Tie) -> Occurrence:
    """Return where the calendar puts the date on which a rule of the root falls."""
    # A root without rules has rule 1 on the registered day (rule book 2.3).
    rule = timetable.jobnet.rule(tie.rule) or Rule(number=tie.rule)
    return shifted(rule, tie.day, timetable.calendar)
