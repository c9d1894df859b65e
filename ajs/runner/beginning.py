"""What a manager leaves out when it begins: starts that were missed without one, or all of the day (rule book 6.11)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import Enum

from ajs.actions import SkipGeneration
from ajs.causes import Cause, Why
from ajs.choices import OVERDUE
from ajs.lifecycle import Status
from ajs.moment import Moment, wall_text
from ajs.plan import Method, Passed, RootPlan
from ajs.runner.planning import Planner
from ajs.schedule import DayMode
from ajs.starting import Waiting
from ajs.store import plans, runs, units
from ajs.store.database import Store, Writing
from ajs.store.sources import frozen_timetables, stored_calendars, stored_timetables
from ajs.timetables import Calendars


class Overdue(Enum):
    """What becomes of starts that were missed without a manager (``ajsstart``)."""

    START = "start"
    """They start now, but for jobnets registered with ``ajsentry -o``."""
    SKIP = "skip"
    """They do not run (``-o``)."""
    NOTHING_TODAY = "nothing_today"
    """Neither they nor anything else of today's AJS day runs (``-t``)."""


def leave_out(
    store: Store, mode: DayMode, now: Moment, overdue: Overdue
) -> tuple[tuple[str, Passed], ...]:
    """Take out of the plans what is not to run, and return each run that was missed with its root jobnet.

    Immediate runs stay, and so does what is held at its start: an operator waits for these. A run that is made in
    place of one that is left out is looked at in its turn.
    """
    missed: list[tuple[str, Passed]] = []
    with store.write() as tx:
        while True:
            found = tuple(_left_out(tx, mode, now, overdue))
            if not found:
                return tuple(missed)
            actions = [SkipGeneration(w.generation.id, _cause(w, overdue)) for w in found]
            due = {w.generation.id: w for w in found}
            steps = Planner(tx, stored_calendars(tx), mode, now.wall).steps(actions, due, {})
            versions = {number: w.generation.version for number, w in due.items()}
            runs.commit(tx, actions, versions, now)
            plans.save_plans(tx, steps.changes, operation=None)
            runs.add_fates(tx, steps.fates, now)
            missed += steps.missed


def _left_out(tx: Writing, mode: DayMode, now: Moment, overdue: Overdue) -> Iterator[Waiting]:
    """Yield the runs that wait and are not to run."""
    ahead = timedelta(days=2) if overdue is Overdue.NOTHING_TODAY else timedelta()
    waiting = runs.due(tx, now.wall + ahead)
    found = {w.root_path: units.by_path(tx, w.root_path) for w in waiting}
    numbers = {path: unit.id for path, unit in found.items() if unit is not None}
    stored = plans.load_plans(tx, numbers.values())
    tables = stored_timetables(tx, stored_calendars(tx), mode)
    known: dict[str, Calendars] = {}
    for one in waiting:
        plan = stored.get(numbers[one.root_path])
        if plan is None or one.generation.method is Method.IMMEDIATE:
            continue
        if one.status is Status.HOLDING:
            continue
        if overdue is Overdue.NOTHING_TODAY:
            frozen = plan.registration.frozen
            table = (
                tables.of(one.root_path, one.definition)
                if frozen is None
                else frozen_timetables(tx, {0: frozen}, mode, known)[0]
            )
            begins, _ = table.window(table.day_of(now.wall))
            if one.generation.slot.start < begins + timedelta(days=1):
                yield one
        elif _missed(one, plan, now.wall, overdue):
            yield one


def _missed(one: Waiting, plan: RootPlan, now: datetime, overdue: Overdue) -> bool:
    start = one.generation.slot.start
    if start > now - OVERDUE:
        return False
    registration = plan.registration
    if overdue is Overdue.SKIP:
        return True
    # Fixed registrations add up, and leave what had passed out themselves: the moment is that of the last one.
    counts = registration.method is Method.FIXED or registration.registered <= start
    return registration.skip_overdue and counts


def _cause(one: Waiting, overdue: Overdue) -> Cause:
    if overdue is Overdue.NOTHING_TODAY:
        return Cause(Why.NOT_TODAY)
    return Cause(Why.NO_MANAGER, value=wall_text(one.generation.slot.start))
