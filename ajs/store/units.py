"""Finding units by full name, by pattern, and below others. Plain rows: reading commands load no definitions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ajs.errors import UnitNotFound
from ajs.store.database import Reading, id_list

GROUP, ROOT, JOBNET, JOB = "group", "root", "jobnet", "job"
SUGGESTED = 3
"""How many names that may have been meant a complaint has."""


class Unit(NamedTuple):
    """One stored unit.

    ``kind`` is ``group``, ``root``, ``jobnet`` (nested) or ``job``. ``root`` is the id of the root jobnet that it
    belongs to, itself for a root jobnet, None for a job group. ``definition`` is the hash of a root jobnet's.
    ``deleted`` is the operation that deleted it, None for a unit that is there.
    """

    id: int
    path: str
    name: str
    kind: str
    upper: int | None
    root: int | None
    comment: str
    definition: str | None
    version: int
    deleted: int | None


# One unit by its full path, deleted or not.
BY_PATH = """
    SELECT id, path, name, kind, upper, root, comment, definition, version, deleted FROM unit WHERE path = ?
"""

# Units by id.
BY_ID = """
    SELECT id, path, name, kind, upper, root, comment, definition, version, deleted
    FROM unit WHERE id IN (SELECT value FROM json_each(?)) ORDER BY path
"""

# Units whose path begins with the fixed part of a pattern (?1 .. ?2), matches the pattern (?3) and has as many slashes
# as it (?4): then every slash of the path meets one of the pattern, so that no * or ? can stand for one. Deleted ones
# too only with ?5.
MATCHING = """
    SELECT id, path, name, kind, upper, root, comment, definition, version, deleted
    FROM unit
    WHERE path >= ?1 AND path < ?2 AND path GLOB ?3 AND path <> '/'
      AND length(path) - length(replace(path, '/', '')) = ?4 AND (?5 OR deleted IS NULL)
    ORDER BY path
"""

# Everything below one path: '0' is the character after '/'. Deleted units too only with ?2.
BELOW = """
    SELECT id, path, name, kind, upper, root, comment, definition, version, deleted
    FROM unit WHERE path >= ?1 || '/' AND path < ?1 || '0' AND (?2 OR deleted IS NULL)
    ORDER BY path
"""

# The units directly below one, in their order.
CHILDREN = """
    SELECT id, path, name, kind, upper, root, comment, definition, version, deleted
    FROM unit WHERE upper = ? AND deleted IS NULL ORDER BY position, name
"""

# Units whose path begins with ?1 and lies before ?2, of the level on which ?1 ends; whether anything is below them.
BEGINNING = """
    SELECT path, EXISTS (SELECT 1 FROM unit AS lower WHERE lower.upper = unit.id AND lower.deleted IS NULL)
    FROM unit
    WHERE path >= ?1 AND path < ?2 AND instr(substr(path, length(?1) + 1), '/') = 0
      AND path <> '/' AND deleted IS NULL
    ORDER BY path LIMIT ?3
"""

# Units of one name, wherever they are.
NAMED = "SELECT path FROM unit WHERE name = ? AND deleted IS NULL ORDER BY path LIMIT ?"

PLANNING = "SELECT path FROM unit WHERE planning = 1 AND deleted IS NULL"

# Names that a mistyped path may have meant: everything beside it.
BESIDE = """
    SELECT path FROM unit
    WHERE upper = (SELECT id FROM unit WHERE path = ?) AND deleted IS NULL ORDER BY path
"""


def by_path(tx: Reading, path: str) -> Unit | None:
    """Return the unit with this full name, also one that was deleted, or None."""
    row = tx.row(BY_PATH, path)
    return None if row is None else Unit(*row)


def by_id(tx: Reading, ids: Iterable[int]) -> dict[int, Unit]:
    """Return the units with these ids that exist, by id."""
    return {row[0]: Unit(*row) for row in tx.rows(BY_ID, id_list(ids))}


def planning_groups(tx: Reading) -> frozenset[str]:
    """Return the paths of the job groups in which root jobnets take fixed registration only."""
    return frozenset(row[0] for row in tx.rows(PLANNING))


def children(tx: Reading, unit: Unit) -> list[Unit]:
    """Return the units directly below one, in the order of their definition."""
    return [Unit(*row) for row in tx.rows(CHILDREN, unit.id)]


def below(tx: Reading, path: str, *, deleted: bool = False) -> list[Unit]:
    """Return every unit below this path, at any depth, in order of path; with ``deleted`` also deleted ones."""
    rows = tx.rows(BELOW, "" if path == "/" else path, deleted)
    return [Unit(*row) for row in rows if row[1] != "/"]


def beginning(tx: Reading, text: str, most: int) -> list[tuple[str, bool]]:
    """Return the units on one level whose full name begins so, and whether there are units below each."""
    return [(row[0], bool(row[1])) for row in tx.rows(BEGINNING, text, f"{text}\U0010ffff", most)]


def find(tx: Reading, pattern: str, *, lower: bool = False, deleted: bool = False) -> list[Unit]:
    """Return the units that a full name or a pattern means, in order of path.

    ``*`` stands for any text inside one name, ``?`` for one character of it (commands.md, filters); with ``lower``
    everything below what was found comes too (``-R``); with ``deleted`` units that were deleted count too. Raises
    UnitNotFound when nothing is found.
    """
    if _is_pattern(pattern):
        found = _matching(tx, pattern, deleted=deleted)
    else:
        unit = by_path(tx, pattern)
        found = [] if unit is None or (unit.deleted is not None and not deleted) else [unit]
    if not found:
        raise _not_found(tx, pattern)
    if lower:
        every = {unit.id: unit for unit in found}
        for unit in found:
            if unit.kind != JOB:
                lower_ones = below(tx, unit.path, deleted=deleted)
                every |= {below_it.id: below_it for below_it in lower_ones}
        found = sorted(every.values(), key=lambda unit: unit.path)
    return found


def _is_pattern(text: str) -> bool:
    return "*" in text or "?" in text


def _matching(tx: Reading, pattern: str, *, deleted: bool) -> list[Unit]:
    fixed = pattern
    for wild in "*?":
        fixed = fixed.partition(wild)[0]
    glob = pattern.replace("[", "[[]")
    after = f"{fixed}\U0010ffff"
    rows = tx.rows(MATCHING, fixed, after, glob, pattern.count("/"), deleted)
    return [Unit(*row) for row in rows]


def _not_found(tx: Reading, path: str) -> UnitNotFound:
    if _is_pattern(path):
        return UnitNotFound(
            f"no unit matches {path}",
            hint="a * or ? stands for characters of one name, never for a /; see `ajsshow -R /`",
            unit=path,
            value=path,
        )
    gone = by_path(tx, path)
    if gone is not None and gone.deleted is not None:
        from ajs.store import log

        by = log.entry(tx, gone.deleted)
        return UnitNotFound(
            f"there is no unit {path} any more: {by.os_user} deleted it at {by.at_wall[:16].replace('T', ' ')}",
            hint=f"ajs undo {by.id} brings it back; ajs history, ajs why and ajsshow -g a still tell of it",
            unit=path,
            value=path,
        )
    import difflib

    upper = path.rpartition("/")[0] or "/"
    beside = [row[0] for row in tx.rows(BESIDE, upper)]
    near = difflib.get_close_matches(path, beside, n=SUGGESTED) or _elsewhere(tx, path)
    hint = f"did you mean {' or '.join(near)}?" if near else "see what there is with `ajsshow -R /`"
    return UnitNotFound(f"there is no unit {path}", hint=hint, unit=path, value=path)


def _elsewhere(tx: Reading, path: str) -> list[str]:
    """Return what a name may have meant in which an upper unit is mistyped or left out, best first."""
    import difflib

    meant = ""
    for part in path.strip("/").split("/"):
        below_it = {row[0].rpartition("/")[2] for row in tx.rows(BESIDE, meant or "/")}
        near = [part] if part in below_it else difflib.get_close_matches(part, below_it, n=1)
        if not near:
            return [row[0] for row in tx.rows(NAMED, path.rpartition("/")[2], SUGGESTED)]
        meant = f"{meant}/{near[0]}"
    return [meant]
