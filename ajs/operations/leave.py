"""``ajsleave``: cancelling registrations, whole or run by run, and deleting the results of ended runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from ajs.calendar import TypedDay
from ajs.errors import AjsError, BadValue, NoSchedule, NotRegistered, StillRunning
from ajs.moment import Moment
from ajs.operations.entry import find_roots
from ajs.operations.service import Service
from ajs.operations.targets import Filters, Name
from ajs.operations.timetables import timetables
from ajs.plan import Generation, Passed, Phase, RootPlan
from ajs.registering import Period, starts_in, without_runs
from ajs.schedule import Timetable
from ajs.store import log, plans, results, runs
from ajs.store.database import Reading, Writing
from ajs.store.numbers import execution_id, registration_parts
from ajs.store.plans import PlanChange
from ajs.store.presence import poke
from ajs.store.results import Ended
from ajs.store.units import Unit


class Part(Enum):
    """What of a registration is cancelled (commands.md 6)."""

    WHOLE = "whole"
    """The registration and all coming runs; results stay."""
    ALL = "all"
    """The registration, all coming runs, and the results of ended runs."""
    SCHEDULE = "schedule"
    """All coming runs: the registration ends, what runs goes on."""
    RESULT = "result"
    """The results of ended runs; what comes stays."""
    NUMBER = "number"
    """One run by its execution registration number, or all of an execution date."""
    STARTS = "starts"
    """The coming runs that start in a period of calendar dates."""
    DATES = "dates"
    """The coming runs with an execution date in a period."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """What is to be cancelled; ``number`` goes with ``Part.NUMBER``, ``period`` with the two kinds of period."""

    part: Part = Part.WHOLE
    number: str = ""
    period: tuple[TypedDay, TypedDay] | None = None


@dataclass(frozen=True, slots=True)
class LeftRoot:
    """What was cancelled of one root jobnet: runs that will not come, and how many results were deleted.

    ``ended``: it is no longer registered.
    """

    path: str
    runs: tuple[Generation, ...]
    results: int
    ended: bool


@dataclass(frozen=True, slots=True)
class Left:
    """What a cancellation of registrations did; ``operation`` is 0 for a dry run."""

    roots: tuple[LeftRoot, ...]
    operation: int


@dataclass(frozen=True, slots=True)
class _Cancel:
    """What is cancelled of one root jobnet."""

    root: Unit
    before: RootPlan | None
    after: RootPlan | None
    runs: tuple[Generation, ...] = ()
    results: tuple[int, ...] = ()


def leave(
    service: Service,
    names: Sequence[Name],
    filters: Filters,
    what: Leaving = Leaving(),
    *,
    command: Sequence[str],
    reason: str = "",
    dry_run: bool = False,
) -> Left:
    """Cancel the registration of root jobnets or a part of it, all or none; refused for what runs (6.12).

    The fates of planned runs stay, whatever is deleted.
    """
    now = service.clock.now()
    with service.store.write() as tx:
        found = _Finding(tx, service, names, filters, now)
        cancels = [found.cancel(root, what) for root in found.roots]
        operation = log.begin(
            tx, now, os_user=service.user, verb="leave", command=command, reason=reason
        )
        changes = [PlanChange(one.root.id, one.before, one.after) for one in cancels]
        plans.save_plans(tx, changes, operation)
        why = f"results deleted by {service.user}"
        deleted = results.delete(tx, {n: why for one in cancels for n in one.results}, now)
        _fates(tx, service, cancels, operation, now)
        gone = sum(len(one.runs) for one in cancels)
        summary = {"roots": len(cancels), "runs": gone}
        log.finish(tx, operation, summary | ({"results": deleted} if deleted else {}))
        left = tuple(
            LeftRoot(
                one.root.path,
                one.runs,
                len(one.results),
                ended=one.before is not None and one.after is None,
            )
            for one in cancels
        )
        if dry_run:
            tx.rollback()
            return Left(left, 0)
    poke(service.folder)
    return Left(left, operation)


class _Finding:
    """The root jobnets that were named, and everything of them that can be cancelled."""

    def __init__(
        self, tx: Reading, service: Service, names: Sequence[Name], filters: Filters, now: Moment
    ) -> None:
        self.roots = find_roots(tx, names, filters)
        ids = [root.id for root in self.roots]
        self._now = now.wall
        self._plans = plans.load_plans(tx, ids)
        self._running = plans.running(tx, ids)
        self._tables: dict[int, Timetable] = timetables(tx, self.roots, service.mode)
        self._ended: dict[int, list[Ended]] = results.ended(tx, ids)
        self._numbers = results.registered_for(tx, ids)

    def cancel(self, root: Unit, what: Leaving) -> _Cancel:
        """Return what is cancelled of this root jobnet; raises why nothing can be."""
        plan = self._plans.get(root.id)
        ended = self._ended.get(root.id, [])
        every = tuple(one.generation for one in ended)
        if what.part is Part.RESULT:
            if not every:
                raise _nothing(root, "no results of ended runs")
            return _Cancel(root, plan, plan, results=every)
        if what.part in (Part.WHOLE, Part.ALL):
            if plan is None and not (what.part is Part.ALL and every):
                raise _not_registered(root)
            self._refuse_running(root, self._running.get(root.id, ()))
            gone = plan.waiting if plan is not None else ()
            return _Cancel(root, plan, None, gone, every if what.part is Part.ALL else ())
        if what.part is Part.NUMBER:
            return self._by_number(root, plan, ended, what.number)
        if plan is None:
            raise _not_registered(root)
        if what.part is Part.SCHEDULE:
            return _Cancel(root, plan, None, plan.waiting)
        gone, running, said = self._in_period(root, plan, what)
        self._refuse_running(root, running)
        if not gone:
            raise _nothing(root, f"no run that waits {said}")
        return _Cancel(root, plan, without_runs(plan, gone), gone)

    def _in_period(
        self, root: Unit, plan: RootPlan, what: Leaving
    ) -> tuple[tuple[Generation, ...], tuple[Generation, ...], str]:
        """Return what waits and what runs in a period, and the period in words."""
        table = self._tables[root.id]
        today = table.day_of(self._now)
        first, last = (day.on(today) for day in what.period or ())
        if last < first:
            raise BadValue(
                f"the period {first} to {last} ends before it begins",
                hint="give the first day first",
                value=str(last),
            )
        period = Period(first, last)
        begins, ends = starts_in(table, period)

        def inside(one: Generation) -> bool:
            if what.part is Part.DATES:
                return one.slot.exec_date in period
            return begins <= one.slot.start < ends

        gone = tuple(g for g in plan.waiting if inside(g))
        running = tuple(g for g in self._running.get(root.id, ()) if inside(g))
        said = f"with an execution date from {first} to {last}"
        if what.part is Part.STARTS:
            said = f"with a start from {begins:%Y-%m-%d %H:%M} up to {ends:%Y-%m-%d %H:%M}"
        return gone, running, said

    def _by_number(
        self, root: Unit, plan: RootPlan | None, ended: Sequence[Ended], number: str
    ) -> _Cancel:
        """Return what bears an execution registration number, or an execution date of one."""
        day, serial = registration_parts(number) or (number, None)
        numbers = {
            generation
            for generation, given in self._numbers.get(root.id, {}).items()
            if given[0].replace("-", "") == day.replace("-", "") and serial in (None, given[1])
        }
        self._refuse_running(root, [g for g in self._running.get(root.id, ()) if g.id in numbers])
        gone = tuple(g for g in (plan.generations if plan is not None else ()) if g.id in numbers)
        old = tuple(one.generation for one in ended if one.generation in numbers)
        if not gone and not old:
            raise _nothing(root, f"no run with the registration number {number}")
        after = without_runs(plan, gone) if plan is not None and gone else plan
        waited = tuple(g for g in gone if g.phase is Phase.WAITING)
        return _Cancel(root, plan, after, waited, old)

    def _refuse_running(self, root: Unit, running: Sequence[Generation]) -> None:
        if not running:
            return
        run = f"{root.path}:{execution_id(running[0].id)}"
        raise StillRunning(
            f"{root.path} has a run that has not ended, since {running[0].slot.start:%Y-%m-%d %H:%M}",
            hint=f"wait for its end, or end it: ajskill {run} kills it, ajsintrpt {run} lets its jobs end; "
            "then run the command again",
            unit=root.path,
        )


def _not_registered(root: Unit) -> AjsError:
    return NotRegistered(
        f"{root.path} is not registered for execution",
        hint="ajsshow -E -R lists what is registered",
        unit=root.path,
    )


def _nothing(root: Unit, what: str) -> AjsError:
    return NoSchedule(
        f"{root.path} has {what}, so there is nothing to cancel",
        hint=f"ajsshow -g a {root.path} lists its runs; dummies go when the whole registration is cancelled",
        unit=root.path,
    )


def _fates(
    tx: Writing, service: Service, cancels: Sequence[_Cancel], operation: int, now: Moment
) -> None:
    """Record what will not come: runs that wait, and those that go with the last one of them."""
    why = f"cancelled by {service.user}"
    fates = []
    for one in cancels:
        gone = {g.id: g for g in one.runs}
        if one.before is not None and one.after is None:
            gone |= {g.id: g for g in one.before.waiting}
        fates += [
            runs.Fated(
                root=one.root.id,
                run=Passed(generation.slot, generation.ties, why),
                fate="cancelled",
                operation=operation,
                generation=generation.id,
            )
            for generation in gone.values()
        ]
    runs.add_fates(tx, fates, now)
