"""What runs and plans are made from: definitions, calendars and scripts as they were stored by ``ajsdefine``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, MutableMapping

from ajs.calendar import CalendarSettings
from ajs.definition.stored import calendar_from_json, is_planning, jobnet_from_json
from ajs.errors import StoreError
from ajs.model import Jobnet, StoredUnits
from ajs.plan import Frozen
from ajs.schedule import DayMode, Timetable
from ajs.store.database import Reading, Writing
from ajs.timetables import Calendars, Timetables

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

# All of them as one text, in order of path, so that equal ones are stored once.
ALL_CALENDARS = """
    SELECT json_group_object(path, json(body)) FROM (
        SELECT path, body FROM unit
        WHERE kind = 'group' AND deleted IS NULL AND body IS NOT NULL ORDER BY path)
"""
FREEZE = "INSERT INTO frozen_calendars (hash, body) VALUES (?, ?) ON CONFLICT DO NOTHING"
FROZEN = "SELECT path.key, path.value FROM frozen_calendars, json_each(body) AS path WHERE hash = ?"


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


def stored_calendars(tx: Reading, frozen: str = "") -> Calendars:
    """Return the calendars of the stored job groups; ``frozen`` is the key of calendars as they once were."""
    return Calendars(dict(tx.made(_calendar, FROZEN, frozen)) if frozen else calendars(tx))


def stored_timetables(tx: Reading, calendars: Calendars, mode: DayMode) -> Timetables:
    """Return the timetables of stored root jobnets, to be asked for within this look at the database."""

    def root(path: str) -> Jobnet | None:
        row = tx.row(ROOT_BODY, path)
        return None if row is None else jobnet_from_json(row[0])

    return Timetables(calendars, mode, root)


def freeze_calendars(tx: Writing) -> str:
    """Keep the calendars of all job groups as they are now, and return their key."""
    body = str(tx.rows(ALL_CALENDARS)[0][0])
    key = hashlib.sha256(body.encode()).hexdigest()
    tx.run(FREEZE, key, body)
    return key


def frozen_timetables(
    tx: Reading,
    frozen: Mapping[int, Frozen],
    mode: DayMode,
    known: MutableMapping[str, Calendars] | None = None,
) -> dict[int, Timetable]:
    """Return the timetables that fixed registrations were computed from; an exclusive jobnet counts as it is now.

    Calendars in ``known``, by their key, are not read again; those that are read are put there.
    """
    calendars = {} if known is None else known
    jobnets = definitions(tx, {one.definition for one in frozen.values()})
    made: dict[str, Timetables] = {}
    for key in sorted({one.calendars for one in frozen.values()}):
        if key not in calendars:
            calendars[key] = stored_calendars(tx, key)
        made[key] = stored_timetables(tx, calendars[key], mode)
    return {
        number: made[one.calendars].of(one.path, jobnets[one.definition])
        for number, one in frozen.items()
    }


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
