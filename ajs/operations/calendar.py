"""``ajscalendar``: a job group's calendar, where each of its settings comes from, and which jobnets use it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from ajs.calendar import LAST_YEAR, Calendar, DaySetting
from ajs.errors import WrongKind
from ajs.model import Jobnet, parent
from ajs.operations.service import Service
from ajs.store import sources, units
from ajs.store.database import Reading
from ajs.store.sources import stored_calendars
from ajs.store.units import GROUP


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarDays:
    """A job group's calendar from one day on.

    ``base_time_of``, ``base_day_of`` and ``month_of`` are the groups that set these, "" where none does. ``used_by``
    are the full paths of the root jobnets in the group that use its calendar, and of jobnets elsewhere that name it.
    """

    service: str
    group: str
    calendar: Calendar
    base_time_of: str
    base_day_of: str
    month_of: str
    days: tuple[tuple[date, DaySetting], ...]
    used_by: tuple[str, ...]


def calendar_days(service: Service, group: str, first: date | None, count: int) -> CalendarDays:
    """Return ``count`` days of the calendar that the jobnets of ``group`` use, from today when no day is given.

    They are fewer where ``LAST_YEAR`` ends before that.
    """
    with service.store.read() as tx:
        unit = units.find(tx, group)[0]
        if unit.kind != GROUP:
            raise WrongKind(
                f"{unit.path} is not a job group: calendars belong to job groups",
                hint=f"ajscalendar {parent(unit.path)} shows the one of the group that it is in",
                unit=unit.path,
            )
        calendar = stored_calendars(tx).of(unit.path)
        used_by = tuple(sorted(_users(tx, unit.path)))
    start = first or service.today
    last = date(LAST_YEAR, 12, 31)
    days = tuple(start + timedelta(days=n) for n in range(min(count, (last - start).days + 1)))
    own = calendar.settings
    return CalendarDays(
        service=service.name,
        group=unit.path,
        calendar=calendar,
        base_time_of=next((g for g, s in own if s.base_time is not None), ""),
        base_day_of=next((g for g, s in own if s.base_day is not None), ""),
        month_of=next((g for g, s in own if s.month is not None), ""),
        days=tuple((day, calendar.setting(day)) for day in days),
        used_by=used_by,
    )


def _users(tx: Reading, group: str) -> Iterator[str]:
    """Yield the jobnets that use the calendar of a group, because they are in it or because they name it."""
    roots = [unit for unit in units.below(tx, "/") if unit.root == unit.id and unit.definition]
    jobnets = sources.definitions(tx, {unit.definition for unit in roots if unit.definition})
    for root in roots:
        jobnet = jobnets[root.definition or ""]
        if (jobnet.calendar_of or parent(root.path)) == group:
            yield root.path
        for path, unit in jobnet.walk():
            if isinstance(unit, Jobnet) and unit.calendar_of == group:
                yield f"{root.path}/{path}"
