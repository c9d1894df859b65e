"""Lints: of the stored definitions of a scheduler service, and of definition files without any service."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import chain, takewhile
from typing import NamedTuple

from ajs.calendar import CalendarSettings
from ajs.errors import Place
from ajs.lint import Finding, Linter, OddHour, in_odd_hours
from ajs.model import Definitions
from ajs.operations.files import definition_texts, script_text
from ajs.operations.odd_hours import odd_hours
from ajs.operations.progress import Progress, counted, unwatched
from ajs.operations.service import Service
from ajs.operations.timetables import planned_by, timetables
from ajs.plan import Registration, RootPlan, after_floor, coming, nested_plan
from ajs.ports import Clock
from ajs.schedule import DayMode, Start, Timetable
from ajs.store import plans, units
from ajs.timetables import Calendars, Timetables

DAYS_BEFORE = timedelta(days=4)
"""Execution dates so long before an hour have no start in it: a run starts within two days of its date, and what is
nested in it within the 48 hours of that date or relative to its upper jobnet."""


class Linted(NamedTuple):
    """A finding and where it stands in the definition files, where these were read."""

    finding: Finding
    place: Place | None = None


def lint_files(
    paths: Sequence[str],
    *,
    zone: str,
    mode: DayMode,
    clock: Clock,
    progress: Progress = unwatched,
) -> tuple[Linted, ...]:
    """Read definition files as ``ajsdefine`` does, store nothing, and return what is suspicious in them.

    Raises DefinitionError with every problem of all files.
    """
    from ajs.definition.reader import read

    found = read(definition_texts(paths), script_text, watch=partial(progress, "reading"))
    now = clock.now()
    odd = odd_hours(zone, now.utc)
    tables = _tables(found, mode)
    findings: list[Finding] = []
    linter = Linter(now.wall.date())
    for path, table in counted(progress, "checking", tables.items()):
        findings += linter.root(path, table)
        findings += linter.clock_changes(path, table, odd)
    findings += linter.calendars()
    return tuple(Linted(one, place_of(found, one)) for one in findings)


def _tables(found: Definitions, mode: DayMode) -> dict[str, Timetable]:
    calendars = Calendars({g.path: g.calendar or CalendarSettings() for g in found.groups})
    roots = {root.path: root.jobnet for root in found.roots}
    made = Timetables(calendars, mode, roots.get)
    return {path: made.of(path, jobnet) for path, jobnet in roots.items()}


def place_of(found: Definitions, finding: Finding) -> Place | None:
    """Return where in the files that were read a finding stands, None where it is about something else."""
    rule = finding.rule or 0
    return found.places.get((finding.unit, rule)) or found.places.get((finding.unit, 0))


def lint_stored(service: Service, progress: Progress = unwatched) -> Iterator[Finding]:
    """Yield what is suspicious in all stored root jobnets, and in their calendars."""
    with service.store.read() as tx:
        roots = units.roots(tx)
        tables = timetables(tx, roots, service.mode)
    named = [(root.path, tables[root.id]) for root in roots if root.id in tables]
    yield from lint_timetables(named, service, progress)


def lint_timetables(
    tables: Collection[tuple[str, Timetable]], service: Service, progress: Progress
) -> Iterator[Finding]:
    """Yield what is suspicious in root jobnets, each given by its path, and in their calendars."""
    linter = Linter(service.clock.now().wall.date())
    for path, table in counted(progress, "checking", tables):
        yield from linter.root(path, table)
    yield from linter.calendars()


def stored_clock_changes(service: Service) -> Iterator[Finding]:
    """Yield the coming starts of what is registered, nested ones too, that a change of the clocks affects."""
    odd = odd_hours(service.time_zone, service.clock.now().utc)
    if not odd:
        return
    with service.store.read() as tx:
        roots = units.by_id(tx, plans.registered_roots(tx))
        planned = plans.load_plans(tx, roots)
        tables = timetables(tx, roots.values(), service.mode)
        tables = planned_by(tx, planned, tables, service.mode)
    for number, plan in planned.items():
        for starts in _affected(plan, tables[number], odd):
            yield from in_odd_hours(roots[number].path, starts, odd)


def _affected(
    plan: RootPlan, table: Timetable, odd: Sequence[OddHour]
) -> Iterator[dict[str, datetime]]:
    """Yield the starts of each run that may fall into an odd hour, by what follows the root's path."""
    for waiting in plan.waiting:
        nested = ((path, one.start) for path, one in waiting.nested.items() if one.scheduled)
        yield _named(waiting.slot.start, nested)
    last = max(span.end for span in odd)
    near = _near(plan.registration, table, odd)
    for start in takewhile(lambda s: s.slot.start < last, coming(plan, table, near)):
        # A nested jobnet starts less than 48 hours after the base time of its execution date.
        first, end = table.window(start.slot.exec_date)
        end = max(end, start.slot.start + timedelta(minutes=1))
        first = min(first, start.slot.start)
        if any(span.first < end and first < span.end for span in odd):
            fresh = nested_plan(table, plan.registration.registered, start.slot, start.ties)
            nested = ((path, one.start) for path, one in fresh.items())
            yield _named(start.slot.start, nested)


def _near(registration: Registration, table: Timetable, odd: Sequence[OddHour]) -> Iterator[Start]:
    """Yield the rule starts in the days before each odd hour, in slot order: others do not reach into it."""
    passed = datetime.min
    for span in odd:
        for start in after_floor(registration, table, span.first.date() - DAYS_BEFORE):
            if start.slot.start >= span.end:
                break
            if start.slot.start >= passed:
                yield start
        passed = span.end


def _named(root: datetime, nested: Iterator[tuple[str, datetime | None]]) -> dict[str, datetime]:
    lower = ((f"/{path}", at) for path, at in nested)
    return {path: at for path, at in chain([("", root)], lower) if at is not None}
