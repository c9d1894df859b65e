"""The timetables of stored root jobnets: their definition under their calendar."""

from __future__ import annotations

from collections.abc import Iterable

from ajs.calendar import Calendar
from ajs.model import groups_above
from ajs.schedule import DayMode, Timetable
from ajs.store import sources
from ajs.store.database import Reading
from ajs.store.units import Unit


class Calendars:
    """The calendars of the stored job groups, each made once however many jobnets use it."""

    def __init__(self, tx: Reading) -> None:
        self._settings = sources.calendars(tx)
        self._made: dict[str, Calendar] = {}

    def above(self, path: str) -> Calendar:
        """Return the calendar that a root jobnet with this full path uses."""
        group = groups_above(path)[0]
        if group not in self._made:
            chain = [(g, self._settings[g]) for g in groups_above(path) if g in self._settings]
            self._made[group] = Calendar.effective(chain)
        return self._made[group]


def timetables(tx: Reading, roots: Iterable[Unit], mode: DayMode) -> dict[int, Timetable]:
    """Return the timetables of these root jobnets, by unit id, as they are defined now."""
    wanted = list(roots)
    jobnets = sources.definitions(tx, {u.definition for u in wanted if u.definition})
    calendars = Calendars(tx)
    return {
        unit.id: Timetable(jobnets[unit.definition], calendars.above(unit.path), mode)
        for unit in wanted
        if unit.definition
    }
