"""What runs and plans are made from: definitions, calendars and scripts as they were stored by ``ajsdefine``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from ajs.calendar import Calendar, CalendarSettings
from ajs.definition.stored import calendar_from_json, is_planning, jobnet_from_json
from ajs.errors import StoreError
from ajs.model import Jobnet, StoredUnits, groups_above, parent
from ajs.schedule import DayMode, Timetable
from ajs.store.database import Reading

# Definitions by hash.
BODIES = "SELECT hash, body FROM definition WHERE hash IN (SELECT value FROM json_each(?))"

# The root jobnets, each with the name of its exclusive jobnet.
ROOTS = """
    SELECT path, json_extract(definition.body, '$.exclusive')
    FROM unit JOIN definition ON definition.hash = unit.definition WHERE kind = 'root' AND deleted IS NULL
"""

# The definition of one root jobnet by its path.
ROOT_BODY = """
    SELECT definition.body FROM unit JOIN definition ON definition.hash = unit.definition
    WHERE path = ? AND kind = 'root' AND deleted IS NULL
"""

# The calendars that job groups set themselves.
CALENDARS = "SELECT path, body FROM unit WHERE kind = 'group' AND deleted IS NULL"


def definitions(
    tx: Reading, hashes: Iterable[str], known: Mapping[str, Jobnet] | None = None
) -> dict[str, Jobnet]:
    """Return the root jobnets with these hashes; those in ``known`` are not read again."""
    wanted = set(hashes)
    found = {key: known[key] for key in wanted if key in known} if known else {}
    missing = sorted(wanted - found.keys())
    if missing:
        found |= dict(tx.made(_definition, BODIES, json.dumps(missing)))
    lost = wanted - found.keys()
    if lost:
        raise StoreError(
            f"{tx.file} holds no definition with the hash {min(lost)}",
            hint="load the definitions again with `ajsdefine`",
            value=min(lost),
        )
    return found


def definition(tx: Reading, key: str) -> Jobnet:
    """Return the root jobnet with this hash."""
    return definitions(tx, [key])[key]


def calendars(tx: Reading) -> dict[str, CalendarSettings]:
    """Return what every job group sets itself, by the group's path."""
    return dict(tx.made(_calendar, CALENDARS))


def planning_groups(tx: Reading) -> frozenset[str]:
    """Return the paths of the planning groups."""
    return frozenset(path for path, body in tx.rows(CALENDARS) if is_planning(body))


def named(tx: Reading) -> StoredUnits:
    """Return the units that new definitions can name."""
    return StoredUnits(
        groups={path: is_planning(body) for path, body in tx.rows(CALENDARS)},
        roots={path: exclusive or "" for path, exclusive in tx.rows(ROOTS)},
    )


class Calendars:
    """The calendars of the stored job groups, each made once however many jobnets use it."""

    def __init__(self, tx: Reading) -> None:
        self._settings = calendars(tx)
        self._made: dict[str, Calendar] = {}

    def above(self, path: str) -> Calendar:
        """Return the calendar of the job group that a unit with this full path stands in."""
        return self.of(parent(path))

    def of(self, group: str) -> Calendar:
        """Return the calendar of a job group: what it and the groups above it set."""
        if group not in self._made:
            groups = (group, *groups_above(group))
            chain = [(g, self._settings[g]) for g in groups if g in self._settings]
            self._made[group] = Calendar.effective(chain)
        return self._made[group]


class Timetables:
    """The timetables of stored root jobnets, under the calendars that they and what is nested in them use."""

    def __init__(self, tx: Reading, calendars: Calendars, mode: DayMode) -> None:
        self._tx = tx
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
        found: Timetable | None = None
        for one in reversed(chain):
            found = self._under(*one, found)
        if found is None:
            raise AssertionError  # the chain holds the jobnet itself
        return found

    def _exclusive(self, path: str, jobnet: Jobnet) -> tuple[str, Jobnet] | None:
        """Return the path and the definition of a root's exclusive jobnet; one that is not there excludes nothing."""
        if not jobnet.exclusive:
            return None
        other = f"{parent(path).rstrip('/')}/{jobnet.exclusive}"
        row = self._tx.row(ROOT_BODY, other)
        return None if row is None else (other, jobnet_from_json(row[0]))

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


def script(tx: Reading, sha256: str) -> bytes:
    """Return the content of a stored file."""
    row = tx.row("SELECT content FROM script WHERE sha256 = ?", sha256)
    if row is None:
        raise StoreError(
            f"{tx.file} holds no script with the SHA-256 {sha256}",
            hint="load the definitions again with `ajsdefine`",
            value=sha256,
        )
    content: bytes = row[0]
    return content


def _definition(key: str, body: str) -> tuple[str, Jobnet]:
    return key, jobnet_from_json(body)


def _calendar(path: str, body: str | None) -> tuple[str, CalendarSettings]:
    return path, CalendarSettings() if body is None else calendar_from_json(body)
