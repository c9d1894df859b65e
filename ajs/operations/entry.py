"""``ajsentry`` and ``ajsleave``: registering root jobnets for execution, and cancelling that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ajs.errors import (
    AjsError,
    AlreadyRegistered,
    NeverRuns,
    NotRegistered,
    StillRunning,
    WrongKind,
)
from ajs.model import Overlap
from ajs.moment import Moment
from ajs.operations.progress import Progress, counted, unwatched
from ajs.operations.service import Service
from ajs.operations.targets import Filters, Name, find_units
from ajs.operations.timetables import timetables
from ajs.plan import (
    Generation,
    Method,
    Passed,
    Registration,
    RootPlan,
    nested_without_rules,
    with_next,
)
from ajs.schedule import Slot, Timetable
from ajs.store import log, plans, runs
from ajs.store.database import Reading, Writing
from ajs.store.numbers import execution_id
from ajs.store.plans import PlanChange
from ajs.store.presence import poke
from ajs.store.units import ROOT, Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Registering:
    """How root jobnets are registered: planned, with or without today's past run, or immediate; perhaps held."""

    method: Method
    catch_up: bool = True
    hold: bool = False


@dataclass(frozen=True, slots=True)
class Entered:
    """One root jobnet that was registered, and the run that this made; None when its rules plan none so far.

    ``at_once``: its time has passed and nothing is in its way, so that it starts as soon as a manager looks.
    """

    path: str
    method: Method
    generation: Generation | None
    at_once: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """What a registration did; ``operation`` is its number in the operation log, 0 for a dry run.

    ``notes`` are what the operator must know.
    """

    entered: tuple[Entered, ...]
    operation: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Left:
    """What a cancellation of registrations did: root jobnets and the runs that will not come."""

    roots: tuple[tuple[str, tuple[Generation, ...]], ...]
    operation: int


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
        roots = _roots(tx, names, filters)
        tables = timetables(tx, roots, service.mode)
        before = plans.load_plans(tx, [r.id for r in roots])
        notes = tuple(_skipped(tx, roots, tables, how))
        changes = [
            PlanChange(
                root.id,
                before.get(root.id),
                _registered(root, before.get(root.id), tables[root.id], how, now),
            )
            for root in counted(progress, "registering", roots)
        ]
        operation = log.begin(
            tx, now, os_user=service.user, verb="entry", command=command, reason=reason
        )
        saved = plans.save_plans(tx, changes, operation)
        entered = tuple(
            _entered(root, how, _made(before.get(root.id), saved[root.id]), tables[root.id], now)
            for root in roots
        )
        log.finish(tx, operation, {"roots": len(roots), "method": how.method.value})
        if dry_run:
            tx.rollback()
            return Entry(entered, 0, notes)
    poke(service.folder)
    return Entry(entered, operation, notes)


def _roots(tx: Reading, names: Sequence[Name], filters: Filters) -> list[Unit]:
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


_KINDS = {"group": "job group", "jobnet": "nested jobnet", "job": "job"}


def _registered(
    root: Unit, before: RootPlan | None, timetable: Timetable, how: Registering, now: Moment
) -> RootPlan:
    waits = before is not None and bool(before.waiting)
    if before is not None and before.registration.method is Method.PLANNED and waits:
        hint = "change the run (ajsplan), or cancel the registration first (ajsleave)"
        if how.method is Method.IMMEDIATE:
            hint = f"to run it now: ajsplan -q {root.path}"
        raise AlreadyRegistered(
            f"{root.path} is registered for planned execution and has a next run on "
            f"{before.waiting[0].slot.start:%Y-%m-%d %H:%M}",
            hint=hint,
            unit=root.path,
        )
    registration = Registration(method=how.method, registered=now.wall, catch_up=how.catch_up)
    kept = before.generations if before is not None else ()
    if how.method is Method.IMMEDIATE:
        return _immediate(before, registration, kept, timetable, how, now)
    holds = {"": True} if how.hold else {}
    plan = with_next(RootPlan(registration=registration, generations=kept), timetable, holds)
    if len(plan.generations) == len(kept):
        raise NeverRuns(
            f"{root.path}: its rules and its calendar give no run from {now.wall:%Y-%m-%d %H:%M} on",
            hint=f"ajs why {root.path} says why; ajsentry -n runs it at once",
            unit=root.path,
        )
    return plan


def _immediate(
    before: RootPlan | None,
    registration: Registration,
    kept: tuple[Generation, ...],
    timetable: Timetable,
    how: Registering,
    now: Moment,
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
    if before is not None and before.registration.method is Method.IMMEDIATE:
        registration = before.registration
    return RootPlan(registration=registration, generations=(*kept, run))


def _entered(
    root: Unit, how: Registering, made: Generation | None, timetable: Timetable, now: Moment
) -> Entered:
    passed = made is not None and made.slot.start <= now.wall
    held = made is not None and made.holds.get("", timetable.jobnet.hold)
    return Entered(root.path, how.method, made, at_once=passed and not held)


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


OVERLAPPED = {
    Overlap.SKIP: "will be skipped unless that one ends first",
    Overlap.MULTI: "waits until that one has ended",
}


def _made(before: RootPlan | None, after: RootPlan | None) -> Generation | None:
    old = {g.id for g in before.generations} if before is not None else set()
    new = [g for g in after.waiting if g.id not in old] if after is not None else []
    return new[0] if new else None


def leave(
    service: Service,
    names: Sequence[Name],
    filters: Filters,
    *,
    command: Sequence[str],
    reason: str = "",
    dry_run: bool = False,
) -> Left:
    """Cancel the registration of root jobnets, all or none; refused for one with a running generation (6.12).

    Results of ended runs stay.
    """
    now = service.clock.now()
    with service.store.write() as tx:
        roots = _roots(tx, names, filters)
        before = plans.load_plans(tx, [r.id for r in roots])
        running = plans.running(tx, [r.id for r in roots])
        for root in roots:
            refusal = _cannot_leave(root, before.get(root.id), running.get(root.id, []))
            if refusal is not None:
                raise refusal
        operation = log.begin(
            tx, now, os_user=service.user, verb="leave", command=command, reason=reason
        )
        plans.save_plans(tx, [PlanChange(r.id, before[r.id], None) for r in roots], operation)
        gone = tuple((r.path, before[r.id].waiting) for r in roots)
        _cancelled(tx, service, roots, before, operation, now)
        log.finish(tx, operation, {"roots": len(roots), "runs": sum(len(g) for _, g in gone)})
        if dry_run:
            tx.rollback()
            return Left(gone, 0)
    poke(service.folder)
    return Left(gone, operation)


def _cannot_leave(
    root: Unit, plan: RootPlan | None, running: Sequence[Generation]
) -> AjsError | None:
    if plan is None:
        return NotRegistered(
            f"{root.path} is not registered for execution",
            hint="ajsshow -E -R lists what is registered",
            unit=root.path,
        )
    if running:
        run = f"{root.path}:{execution_id(running[0].id)}"
        return StillRunning(
            f"{root.path} has a run that has not ended, since {running[0].slot.start:%Y-%m-%d %H:%M}",
            hint=f"wait for its end, or end it: ajskill {run} kills it, ajsintrpt {run} lets its jobs end; "
            "then run the command again",
            unit=root.path,
        )
    return None


def _cancelled(
    tx: Writing,
    service: Service,
    roots: Sequence[Unit],
    before: dict[int, RootPlan],
    operation: int,
    now: Moment,
) -> None:
    why = f"{service.user} cancelled the registration"
    fates = [
        runs.Fated(
            root=root.id,
            run=Passed(generation.slot, generation.ties, why),
            fate="prohibited",
            operation=operation,
            generation=generation.id,
        )
        for root in roots
        for generation in before[root.id].waiting
    ]
    runs.add_fates(tx, fates, now)
