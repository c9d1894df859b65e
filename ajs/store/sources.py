"""What runs and plans are made from: definitions, calendars and scripts as they were stored by ``ajsdefine``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from ajs.calendar import Calendar, CalendarSettings
from ajs.definition.stored import calendar_from_json, is_planning, jobnet_from_json
from ajs.errors import StoreError
from ajs.model import Jobnet, StoredUnits, groups_above
from ajs.store.database import Reading

# Definitions by hash.
BODIES = "SELECT hash, body FROM definition WHERE hash IN (SELECT value FROM json_each(?))"

# The root jobnets, each with the name of its exclusive jobnet.
ROOTS = """
    SELECT path, json_extract(definition.body, '$.exclusive')
    FROM unit JOIN definition ON definition.hash = unit.definition WHERE kind = 'root' AND deleted IS NULL
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
        """Return the calendar that a root jobnet with this full path uses."""
        groups = groups_above(path)
        if groups[0] not in self._made:
            chain = [(g, self._settings[g]) for g in groups if g in self._settings]
            self._made[groups[0]] = Calendar.effective(chain)
        return self._made[groups[0]]


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
