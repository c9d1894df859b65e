"""``ajsentry``: registering root jobnets for execution."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ajs.calendar import LAST_YEAR, TypedDay
from ajs.definition.schedule_text import PlannedRun
from ajs.errors import AlreadyRegistered, BadValue, NeverRuns, NoSuchDate, Refused, WrongKind
from ajs.model import Overlap, groups_above
from ajs.moment import Moment
from ajs.operations.at_once import starts_at_once
from ajs.operations.progress import Progress, counted, unwatched
from ajs.operations.schedule_file import planned
from ajs.operations.service import Service
from ajs.operations.targets import Filters, Name, find_units
from ajs.operations.timetables import dateless_notes, planned_by, timetables
from ajs.plan import (
    Frozen,
    Generation,
    Method,
    Phase,
    Registration,
    RootPlan,
    nested_without_rules,
    with_next,
)
from ajs.reasons import Because
from ajs.registering import (
    MOST_RUNS,
    Fixed,
    Period,
    at_time,
    by_count,
    by_period,
    standing_for_dummies,
    with_runs,
)
from ajs.schedule import Slot, Timetable
from ajs.store import log, plans
from ajs.store.database import Reading
from ajs.store.numbers import execution_id, registration_number
from ajs.store.plans import PlanChange
from ajs.store.presence import poke
from ajs.store.results import registered_for
from ajs.store.sources import freeze, freeze_calendars, planning_groups
from ajs.store.units import ROOT, Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Registering:
    """How root jobnets are registered: planned, with or without today's past run, fixed, or immediate; perhaps held.

    Fixed is one of four: for a ``period`` of execution dates, for so many future generations (``count``), ``at`` a
    date and time in minutes after 0:00, or for the ``runs`` of a schedule information file, by
    root jobnet. ``skip_overdue``: a start
    missed without a manager is left out.
    """

    method: Method
    catch_up: bool = True
    hold: bool = False
    period: tuple[TypedDay, TypedDay] | None = None
    count: int = 0
    at: tuple[TypedDay, int] | None = None
    runs: Mapping[str, Sequence[PlannedRun]] | None = None
    skip_overdue: bool = False

    @property
    def by_rules(self) -> bool:
        """Whether fixed runs are computed from rules and calendars, which are frozen then."""
        return self.period is not None or self.count > 0


@dataclass(frozen=True, slots=True)
class Entered:
    """One root jobnet that was registered, and the first run that this made; None when it made none.

    ``at_once``: its time has passed and nothing is in its way, so that it starts as soon as a manager looks. ``made``
    is how many runs it made, ``last`` the last one of them.
    """

    path: str
    method: Method
    generation: Generation | None
    at_once: bool = False
    made: int = 1
    last: Generation | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """What a registration did; ``operation`` is its number in the operation log, 0 for a dry run.

    ``notes`` are what the operator must know.
    """

    entered: tuple[Entered, ...]
    operation: int
    notes: tuple[str, ...] = ()


def entry(
    service: Service,
    names: Sequence[Name],
    filters: Filters,
    how: Registering,
    *,
    command: Sequence[str],
    reason: str = "",
    dry_run: bool = False,
    progress: Progress = unwatched,
) -> Entry:
    """Register root jobnets for execution, all or none."""
    now = service.clock.now()
    with service.store.write() as tx:
        roots = find_roots(tx, names, filters)
        tables = timetables(tx, roots, service.mode)
        before = plans.load_plans(tx, [r.id for r in roots])
        planned_tables = planned_by(tx, before, tables, service.mode)
        _refuse_planning(tx, roots, how)
        notes = list(_skipped(tx, roots, tables, how))
        calendars = freeze_calendars(tx) if how.by_rules else ""
        changes = []
        for root in counted(progress, "registering", roots):
            key = root.definition or ""
            frozen = freeze(tx, root.path, key, calendars) if how.by_rules else None
            was = before.get(root.id)
            after, said = _registered(tx, root, was, tables[root.id], how, frozen, now)
            # Dummies stay what they are, unless this registration froze others.
            anew = after.registration.frozen == frozen
            after = standing_for_dummies(after, (tables if anew else planned_tables)[root.id])
            changes.append(PlanChange(root.id, was, after))
            notes += said
        operation = log.begin(
            tx, now, os_user=service.user, verb="entry", command=command, reason=reason
        )
        saved = plans.save_plans(tx, changes, operation)
        entered = tuple(
            _entered(
                tx, root, how, _made(before.get(root.id), saved[root.id]), tables[root.id], now
            )
            for root in roots
        )
        for root, one in zip(roots, entered, strict=True):
            notes += _dateless(one, tables[root.id], now)
            notes += _outside(one, tables[root.id], now)
        made = sum(one.made for one in entered)
        log.finish(tx, operation, {"roots": len(roots), "method": how.method.value, "runs": made})
        if dry_run:
            tx.rollback()
            return Entry(entered, 0, tuple(notes))
    poke(service.folder)
    return Entry(entered, operation, tuple(notes))


def find_roots(tx: Reading, names: Sequence[Name], filters: Filters) -> list[Unit]:
    """Return the root jobnets that were named; only they are registered, everything below comes along (6.1)."""
    found = []
    for unit, name in find_units(tx, names, filters):
        if unit.kind == ROOT:
            found.append(unit)
        elif unit.path == name.path and not filters.recursive:
            raise WrongKind(
                f"{unit.path} is a {_KINDS[unit.kind]}: only root jobnets are registered for execution",
                hint="name the root jobnet, or a job group with -R",
                unit=unit.path,
            )
    if not found:
        raise WrongKind(
            f"{', '.join(n.path for n in names)}: there is no root jobnet to register",
            hint="ajsshow -R -T lists the root jobnets",
        )
    return found


def _refuse_planning(tx: Reading, roots: Sequence[Unit], how: Registering) -> None:
    """Refuse any but fixed registration of root jobnets in planning groups (rule book 6.1)."""
    planning = planning_groups(tx) if how.method is not Method.FIXED else frozenset()
    for root in roots:
        group = next((group for group in groups_above(root.path) if group in planning), None)
        if group is not None:
            raise Refused(
                f"{root.path} is in the planning group {group}, where jobnets are registered for fixed execution only",
                hint="register it for a period (-b -e), for a number of runs (-g), or for a date and time (-d -t)",
                unit=root.path,
            )


_KINDS = {"group": "job group", "jobnet": "nested jobnet", "job": "job"}


def _registered(
    tx: Reading,
    root: Unit,
    before: RootPlan | None,
    timetable: Timetable,
    how: Registering,
    frozen: Frozen | None,
    now: Moment,
) -> tuple[RootPlan, tuple[str, ...]]:
    """Return the plan after the registration, and what the operator must know of it."""
    if before is not None and before.waiting:
        _refuse_beside(root, before, how)
    if how.method is Method.IMMEDIATE:
        return _immediate(before, timetable, how, now), ()
    registration = _registration(before, how, frozen, now)
    plan = RootPlan(registration=registration, generations=before.generations if before else ())
    holds = {"": True} if how.hold else {}
    if how.method is Method.FIXED:
        fixed = _fixed(root, plan, timetable, how, holds, now.wall)
        return fixed.plan, tuple(_merged(tx, root, fixed.merged))
    after = with_next(plan, timetable, holds)
    if len(after.generations) > len(plan.generations):
        return after, ()
    never = _never(root, timetable, f"from {now.wall:%Y-%m-%d %H:%M} on")
    if timetable.jobnet.rules == ():
        raise never
    # It waits for a rule or a calendar that gives it a run (6.3, R14).
    return after, (f"{never.message}; {never.hint}",)


def _refuse_beside(root: Unit, before: RootPlan, how: Registering) -> None:
    """Refuse what cannot stand beside the runs that wait (rule book 6.1)."""
    method, following = before.registration.method, before.waiting[0]
    if method is how.method is Method.FIXED:
        _refuse_mixed(root, before, how)
    if method is not Method.PLANNED and (
        how.method is not Method.PLANNED or method is Method.IMMEDIATE
    ):
        return
    hint = "change the run (ajsplan), or cancel the registration first (ajsleave)"
    if how.method is Method.IMMEDIATE:
        hint = f"to run it now: ajsplan -q {root.path}"
    raise AlreadyRegistered(
        f"{root.path} is registered for {method.value} execution and has a next run on "
        f"{following.slot.start:%Y-%m-%d %H:%M}",
        hint=hint,
        unit=root.path,
    )


def _refuse_mixed(root: Unit, before: RootPlan, how: Registering) -> None:
    """Refuse ``-o`` for a part of the runs that wait: it counts for the jobnet as long as it is registered."""
    fixed = [g for g in before.waiting if g.method is Method.FIXED]
    skips = before.registration.skip_overdue
    if not fixed or skips is how.skip_overdue:
        return
    was, hint = ("with", "give -o") if skips else ("without", "leave -o out")
    raise AlreadyRegistered(
        f"{root.path} has runs that wait and were registered {was} -o, which counts for all of its runs alike",
        hint=f"{hint} here too, or cancel the registration first (ajsleave)",
        unit=root.path,
    )


def _registration(
    before: RootPlan | None, how: Registering, frozen: Frozen | None, now: Moment
) -> Registration:
    """Return the new registration; what ran under the one before it does not come again."""
    new = Registration(
        method=how.method,
        registered=now.wall,
        catch_up=not how.skip_overdue if how.method is Method.FIXED else how.catch_up,
        count=how.count,
        skip_overdue=how.skip_overdue,
        frozen=frozen,
    )
    if before is None:
        return new
    old = before.registration
    new = replace(new, floor=old.floor, done=old.done, version=old.version)
    if how.method is Method.FIXED and old.method is Method.FIXED:
        # One more run or period: the dummies after a number of runs stay, and stay what they are.
        new = replace(new, cancelled=old.cancelled, count=how.count or old.count)
        if not how.by_rules or (old.count and not how.count):
            new = replace(new, registered=old.registered, frozen=old.frozen)
    return new


def _fixed(
    root: Unit,
    plan: RootPlan,
    timetable: Timetable,
    how: Registering,
    holds: Mapping[str, bool],
    now: datetime,
) -> Fixed:
    """Return what a fixed registration makes of the plan; refused when that is nothing."""
    registration = plan.registration
    today = timetable.day_of(now)
    if how.at is not None:
        day, minutes = how.at
        slot = timetable.typed(day.on(today), minutes)
        _refuse_past(root, slot, timetable, now, skip_overdue=how.skip_overdue)
        return at_time(plan, timetable, slot, holds)
    if how.runs is not None:
        told = [planned(root.path, run, timetable, now) for run in how.runs.get(root.path, ())]
        if not told:
            raise NeverRuns(
                f"{root.path}: the schedule information file has no run of it",
                hint=f"a line that is not indented begins with {root.path}",
                unit=root.path,
            )
        for one in told:
            _refuse_past(root, one.slot, timetable, now, skip_overdue=how.skip_overdue)
        return _few(root, plan, with_runs(plan, told))
    # What is registered now is computed from what is defined now, also where dummies come from what was before.
    fresh = replace(plan, registration=replace(registration, registered=now))
    if how.period is not None:
        period = Period(*(day.on(today) for day in how.period))
        if period.last < period.first:
            raise BadValue(
                f"-b {period.first} -e {period.last}: the period ends before it begins",
                hint="both are execution dates, the first and the last one",
                value=str(period.last),
            )
        fixed = by_period(fresh, timetable, period, holds)
        where = f"on the execution dates {period.first} to {period.last}"
        where += f" that starts after {now:%Y-%m-%d %H:%M}" if period.first <= today else ""
    else:
        fixed = by_count(fresh, timetable, holds)
        where = f"from {now:%Y-%m-%d %H:%M} on"
    _few(root, plan, fixed)
    if fixed.plan.generations == plan.generations and not fixed.merged:
        raise _never(root, timetable, where)
    cancelled = fixed.plan.registration.cancelled
    return replace(
        fixed,
        plan=replace(fixed.plan, registration=replace(registration, cancelled=cancelled)),
    )


def _few(root: Unit, before: RootPlan, fixed: Fixed) -> Fixed:
    """Return what a registration made; refused when that is too much."""
    if len(fixed.plan.generations) - len(before.generations) > MOST_RUNS:
        raise Refused(
            f"{root.path}: these are more than {MOST_RUNS} runs at once",
            hint="register a shorter period or a part of the file, and the rest later",
            unit=root.path,
        )
    return fixed


def _refuse_past(
    root: Unit, slot: Slot, timetable: Timetable, now: datetime, *, skip_overdue: bool
) -> None:
    """Refuse a run before today, and with ``-o`` one before now; today's past starts at once otherwise (6.5)."""
    begins, _ = timetable.window(timetable.day_of(now))
    at = f"{slot.start:%Y-%m-%d %H:%M}"
    if slot.start < begins:
        raise Refused(
            f"{root.path}: {at} lies before today, which began at {begins:%Y-%m-%d %H:%M}",
            hint="a time that has passed today starts at once; ajsentry -n runs the jobnet at once",
            unit=root.path,
            value=at,
        )
    if slot.exec_date.year > LAST_YEAR:
        raise NoSuchDate(
            f"{root.path}: {at} lies after {LAST_YEAR}",
            hint=f"years go up to {LAST_YEAR}",
            value=at,
        )
    if skip_overdue and slot.start < now:
        raise NeverRuns(
            f"{root.path}: {at} has passed, and -o leaves out what has passed: it would never run",
            hint="leave -o out to run it at once, or give a later time",
            unit=root.path,
            value=at,
        )


def _never(root: Unit, timetable: Timetable, where: str) -> NeverRuns:
    """Return the refusal of a registration that would plan nothing, with why."""
    if timetable.jobnet.rules == ():
        return NeverRuns(
            f"{root.path}: its schedule is undefined, so its rules plan no run",
            hint="ajsentry -n runs it at once, ajsentry -d DATE -t TIME at that time",
            unit=root.path,
        )
    return NeverRuns(
        f"{root.path}: its rules and its calendar give no run {where}",
        hint=f"ajs why {root.path} says why; ajsentry -n runs it at once",
        unit=root.path,
    )


def _merged(tx: Reading, root: Unit, merged: Sequence[Generation]) -> Iterator[str]:
    """Say which runs were registered already; they are not made again (rule book 6.6)."""
    waiting = [g for g in merged if g.phase is Phase.WAITING]
    off = [g for g in merged if g.phase is Phase.PROHIBITED]
    if waiting:
        are = "are" if len(waiting) > 1 else "is"
        stay = "stay as they are" if len(waiting) > 1 else "stays as it is"
        yield f"{_some(root, waiting)} {are} registered already, and {stay}"
    if off:
        are = "are prohibited, and stay" if len(off) > 1 else "is prohibited, and stays"
        back = f"ajsplan -u {root.path}:{execution_id(off[0].id)}"
        if off[0].method is Method.FIXED:
            number = registration_number(*registered_for(tx, [root.id])[root.id][off[0].id])
            back = f"ajs undo takes the prohibition back, or ajsleave -B {number} and then this command again"
        yield f"{_some(root, off)} {are} so: {back}"


def _some(root: Unit, found: Sequence[Generation]) -> str:
    """Name the first of some runs and count the others."""
    first = found[0]
    run = f"{root.path}:{execution_id(first.id)} on {first.slot.start:%Y-%m-%d %H:%M}"
    return f"{run} and {len(found) - 1} more" if len(found) > 1 else run


def _immediate(
    before: RootPlan | None, timetable: Timetable, how: Registering, now: Moment
) -> RootPlan:
    at = now.wall.replace(microsecond=0)
    slot = Slot(at, timetable.day_of(at))
    run = Generation(
        method=Method.IMMEDIATE,
        slot=slot,
        original=slot,
        nested=nested_without_rules(timetable),
        holds={"": True} if how.hold else {},
    )
    if before is None:
        registration = Registration(method=Method.IMMEDIATE, registered=now.wall)
        return RootPlan(registration=registration, generations=(run,))
    registration = before.registration
    if registration.method is Method.PLANNED:
        # Nothing of it waits any more. What ran under it must not come again under a later registration.
        registration = replace(registration, method=Method.IMMEDIATE, registered=now.wall)
    return RootPlan(registration=registration, generations=(*before.generations, run))


def _entered(
    tx: Reading,
    root: Unit,
    how: Registering,
    made: Sequence[Generation],
    timetable: Timetable,
    now: Moment,
) -> Entered:
    first = made[0] if made else None
    return Entered(
        root.path,
        how.method,
        first,
        at_once=first is not None and starts_at_once(tx, timetable.jobnet, first, now),
        made=len(made),
        last=made[-1] if made else None,
    )


def _skipped(
    tx: Reading, roots: Sequence[Unit], tables: Mapping[int, Timetable], how: Registering
) -> Iterator[str]:
    """Say which immediate runs will be skipped or wait, since another one of the same root jobnet goes on (6.9)."""
    if how.method is not Method.IMMEDIATE or how.hold:
        return
    running = plans.running(tx, [r.id for r in roots])
    for root in roots:
        jobnet = tables[root.id].jobnet
        if root.id in running and not jobnet.hold and jobnet.overlap in OVERLAPPED:
            other = f"{root.path}:{execution_id(running[root.id][0].id)}"
            yield f"{other} still goes on: the new run {OVERLAPPED[jobnet.overlap]}"


def _dateless(entered: Entered, timetable: Timetable, now: Moment) -> Iterator[str]:
    """Say which rules give none of the runs, since the month has no such day and the next one neither (R14)."""
    run = entered.generation
    if entered.method is Method.IMMEDIATE or (run is not None and not run.ties):
        return
    yield from dateless_notes(entered.path, timetable, now.wall)


def _outside(entered: Entered, timetable: Timetable, now: Moment) -> Iterator[str]:
    """Say which nested jobnets have no schedule in the next run since it would lie outside the 48 hours (5.7)."""
    run = entered.generation
    if run is None or not run.ties or all(nested.scheduled for nested in run.nested.values()):
        return
    chains = timetable.explain_nested(now.wall, run.slot.exec_date, run.slot.start, run.ties)
    for path, chain in chains.items():
        if chain[-1].because is Because.OUTSIDE_WINDOW:
            yield f"{entered.path}/{path} is not scheduled: {chain[-1].text}"


OVERLAPPED = {
    Overlap.SKIP: "will be skipped unless that one ends first",
    Overlap.MULTI: "waits until that one has ended",
}


def _made(before: RootPlan | None, after: RootPlan | None) -> list[Generation]:
    """Return the runs that were made, in slot order."""
    old = {g.id for g in before.generations} if before is not None else set()
    return [g for g in after.waiting if g.id not in old] if after is not None else []
