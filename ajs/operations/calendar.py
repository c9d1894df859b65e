"""``ajs calendar``: the days of a job group's calendar, each with where its setting comes from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from ajs.calendar import Calendar, DaySetting
from ajs.errors import WrongKind
from ajs.model import parent
from ajs.operations.service import Service
from ajs.store import units
from ajs.store.sources import Calendars
from ajs.store.units import GROUP


@dataclass(frozen=True, slots=True)
class CalendarDays:
    """A job group's calendar from one day on."""

    group: str
    calendar: Calendar
    days: tuple[tuple[date, DaySetting], ...]


def calendar_days(service: Service, group: str, first: date | None, count: int) -> CalendarDays:
    """Return ``count`` days of the calendar that the jobnets of ``group`` use; from today when no day is given."""
    with service.store.read() as tx:
        unit = units.find(tx, group)[0]
        if unit.kind != GROUP:
            raise WrongKind(
                f"{unit.path} is not a job group: calendars belong to job groups",
                hint=f"ajs calendar {parent(unit.path)} shows the one that it uses",
                unit=unit.path,
            )
        calendar = Calendars(tx).above(f"{unit.path.rstrip('/')}/any")
    start = first or service.today
    days = tuple(start + timedelta(days=n) for n in range(count))
    return CalendarDays(unit.path, calendar, tuple((d, calendar.setting(d)) for d in days))
