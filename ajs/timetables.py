"""Definitions and calendars, wherever they come from → the timetables of root jobnets.

Which group's calendar counts for which jobnet, and which other jobnet excludes it, is decided here; where the
definitions are kept is told by who asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ajs.calendar import Calendar, CalendarSettings
from ajs.model import Jobnet, groups_above, parent
from ajs.schedule import DayMode, Timetable


class Calendars:
    """The calendars of job groups, each made once however many jobnets use it."""

    def __init__(self, settings: Mapping[str, CalendarSettings]) -> None:
        """``settings`` is what each group sets itself, by its path."""
        self._settings = settings
        self._made: dict[str, Calendar] = {}

    def of(self, group: str) -> Calendar:
        """Return the calendar of a job group: what it and the groups above it set."""
        if group not in self._made:
            groups = (group, *groups_above(group))
            chain = [(g, self._settings[g]) for g in groups if g in self._settings]
            self._made[group] = Calendar.effective(chain)
        return self._made[group]


class Timetables:
    """The timetables of root jobnets, under the calendars that they and what is nested in them use."""

    def __init__(
        self, calendars: Calendars, mode: DayMode, root: Callable[[str], Jobnet | None]
    ) -> None:
        """``root`` gives the definition of the root jobnet with a full path, None where there is none."""
        self._root = root
        self._calendars = calendars
        self._mode = mode
        self._nested: dict[tuple[str, int], Calendar] = {}

    def of(self, path: str, jobnet: Jobnet) -> Timetable:
        """Return the timetable of a root jobnet with this full path and definition."""
        # The exclusive jobnet of the exclusive one, and so on. Definitions with a circle are refused; should there be
        # one, it ends where it closes.
        chain = [(path, jobnet)]
        while (other := self._exclusive(*chain[-1])) is not None and other not in chain:
            chain.append(other)
        exclusive: Timetable | None = None
        for one in reversed(chain[1:]):
            exclusive = self._under(*one, exclusive)
        return self._under(path, jobnet, exclusive)

    def _exclusive(self, path: str, jobnet: Jobnet) -> tuple[str, Jobnet] | None:
        """Return the path and the definition of a root's exclusive jobnet; one that is not there excludes nothing."""
        if not jobnet.exclusive:
            return None
        other = f"{parent(path).rstrip('/')}/{jobnet.exclusive}"
        found = self._root(other)
        return None if found is None else (other, found)

    def _under(self, path: str, jobnet: Jobnet, exclusive: Timetable | None) -> Timetable:
        group = jobnet.calendar_of or parent(path)
        calendar = self._calendars.of(group)
        named = {
            unit.calendar_of
            for _, unit in jobnet.walk()
            if isinstance(unit, Jobnet) and unit.calendar_of
        }
        calendars = {name: self._with_base_time(name, calendar.base_time) for name in named}
        return Timetable(jobnet, calendar, self._mode, exclusive, calendars)

    def _with_base_time(self, group: str, base_time: int) -> Calendar:
        key = (group, base_time)
        if key not in self._nested:
            self._nested[key] = self._calendars.of(group).with_base_time(base_time)
        return self._nested[key]
