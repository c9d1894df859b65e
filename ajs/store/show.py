"""Plain rows for reading commands: generations, their units, attempts, events, registrations and fates.

Times, dates, statuses and JSON columns are as they are stored; nothing of the core is loaded for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from ajs.errors import GenerationNotFound
from ajs.store import gone
from ajs.store.database import Reading, id_list
from ajs.store.numbers import (
    execution_id,
    generation_number,
    registration_number,
    registration_parts,
)
from ajs.store.units import Unit

if TYPE_CHECKING:
    from ajs.causes import Asked


class RegistrationRow(NamedTuple):
    """The registration of one root jobnet (``root`` is its unit id)."""

    root: int
    path: str
    method: str
    registered: str
    registered_utc: str
    registered_by: str
    catch_up: int
    future: int | None
    """How many future generations a fixed registration by number has."""


class GenerationRow(NamedTuple):
    """One generation. ``ties`` to ``attributes`` are JSON text; ``kept`` and ``attributes`` may be None."""

    id: int
    root: int
    path: str
    registered_for: str
    serial: int
    method: str
    phase: str
    status: str
    start: str
    exec_date: str
    original_start: str
    original_exec_date: str
    ties: str
    kept: str | None
    added: int
    nested: str
    holds: str
    prohibited_units: str
    attributes: str | None
    delayed: str | None
    interrupted: int | None
    definition: str | None
    started_utc: str | None
    ended_utc: str | None
    version: int

    @property
    def execution_id(self) -> str:
        """The execution ID, ``@A1``."""
        return execution_id(self.id)

    @property
    def registration_number(self) -> str:
        """The execution registration number, ``20260811001``."""
        return registration_number(self.registered_for, self.serial)


class UnitRunRow(NamedTuple):
    """One unit of a generation that has started; ``path`` is relative to the root, "" the root itself."""

    generation: int
    path: str
    kind: str
    status: str
    planned: str | None
    scheduled: int
    prohibited: int
    held: int
    kill_asked: int | None
    attempt: int
    return_code: int | None
    started_utc: str | None
    ended_utc: str | None


class AttemptRow(NamedTuple):
    """One attempt; ``incarnation`` and ``id`` make its name at its place.

    The result's parts are None while there is none.
    """

    id: int
    incarnation: str
    generation: int
    path: str
    number: int
    state: str
    place: str
    relay: str
    placed_utc: str | None
    started_utc: str | None
    ended_utc: str | None
    return_code: int | None
    signal: int | None
    timed_out: int | None
    out_bytes: int | None
    err_bytes: int | None
    left: int | None
    escaped: int | None
    why: str
    silent_since_utc: str | None
    late: str | None


class OnAgent(NamedTuple):
    """One attempt of a flexible job: its place, the relay agent, and since when nothing was heard, if that is so."""

    generation: int
    path: str
    place: str
    relay: str
    silent_since_utc: str | None


class HeldUnits(NamedTuple):
    """The units that a definition holds, as paths relative to the root.

    ``hold_if``: after which end of the run before it the root jobnet is held, "" for none.
    """

    units: frozenset[str]
    hold_if: str


NOTHING_HELD = HeldUnits(frozenset(), "")


class EventRow(NamedTuple):
    """One change of a status; ``cause`` is JSON text."""

    id: int
    generation: int
    path: str
    at_utc: str
    at_wall: str
    status: str
    cause: str


class FateRow(NamedTuple):
    """What became of a planned run that did not run, or that ``ran`` and whose details are no longer kept.

    Only of the latter there are a status, a registration number and real times; ``why`` is then what they went for.
    """

    id: int
    root: int
    path: str
    exec_date: str
    start: str
    ties: str
    fate: str
    why: str
    operation: int | None
    generation: int | None
    at_utc: str
    status: str | None
    registered_for: str | None
    serial: int | None
    started: str | None
    ended: str | None

    @property
    def registration_number(self) -> str:
        """The execution registration number of a run that ran, "" for others."""
        if self.registered_for is None or self.serial is None:
            return ""
        return registration_number(self.registered_for, self.serial)


REGISTRATIONS = """
    SELECT r.root, u.path, r.method, r.registered, r.registered_utc, r.registered_by, r.catch_up, r.count
    FROM registration AS r JOIN unit AS u ON u.id = r.root
    WHERE {roots} ORDER BY +u.path
"""

# Generations of some root jobnets (all with NULL) whose start lies in a span, the newest so many of each root.
GENERATIONS = """
    SELECT id, root, path, registered_for, serial, method, phase, status, start, exec_date,
           original_start, original_exec_date, ties, kept, added, nested, holds, prohibited_units,
           attributes, delayed, interrupted, definition, started_utc, ended_utc, version
    FROM (SELECT g.*, u.path,
                 row_number() OVER (PARTITION BY g.root ORDER BY g.start DESC, g.id DESC) AS age
          FROM generation AS g JOIN unit AS u ON u.id = g.root
          WHERE {roots}
            AND (?2 IS NULL OR g.start >= ?2) AND (?3 IS NULL OR g.start < ?3)
            AND (?4 IS NULL OR g.phase = ?4) AND (?5 IS NULL OR g.status = ?5))
    WHERE age <= ?6
    ORDER BY path, start, exec_date, id
"""

ONE = """
    SELECT g.id, g.root, u.path, g.registered_for, g.serial, g.method, g.phase, g.status, g.start,
           g.exec_date, g.original_start, g.original_exec_date, g.ties, g.kept, g.added, g.nested,
           g.holds, g.prohibited_units, g.attributes, g.delayed, g.interrupted, g.definition, g.started_utc,
           g.ended_utc, g.version
    FROM generation AS g JOIN unit AS u ON u.id = g.root
    WHERE g.root = ?1 AND (g.id = ?2 OR (g.registered_for = ?3 AND g.serial = ?4))
"""

# A + before a column keeps SQLite from going through all of a table in the order of that column.

# Of each root jobnet the generation that counts now: the one that runs, else the next that waits, else the last one.
CURRENT = """
    SELECT coalesce(
        (SELECT id FROM generation WHERE root = value AND phase = 'running'
         ORDER BY start DESC, id DESC LIMIT 1),
        (SELECT id FROM generation WHERE root = value AND phase = 'waiting'
         ORDER BY start, exec_date, id LIMIT 1),
        (SELECT id FROM (
            SELECT * FROM (SELECT id, start FROM generation WHERE root = value AND phase = 'ended'
                           ORDER BY start DESC, id DESC LIMIT 1)
            UNION ALL
            SELECT * FROM (SELECT id, start FROM generation WHERE root = value AND phase = 'prohibited'
                           ORDER BY start DESC, id DESC LIMIT 1))
         ORDER BY start DESC, id DESC LIMIT 1))
    FROM json_each(?)
"""

SOME = """
    SELECT g.id, g.root, u.path, g.registered_for, g.serial, g.method, g.phase, g.status, g.start,
           g.exec_date, g.original_start, g.original_exec_date, g.ties, g.kept, g.added, g.nested,
           g.holds, g.prohibited_units, g.attributes, g.delayed, g.interrupted, g.definition, g.started_utc,
           g.ended_utc, g.version
    FROM generation AS g JOIN unit AS u ON u.id = g.root
    WHERE g.id IN (SELECT value FROM json_each(?)) ORDER BY +u.path
"""

PROHIBITED = """
    SELECT root, start FROM generation
    WHERE root IN (SELECT value FROM json_each(?)) AND phase = 'prohibited' ORDER BY start, id
"""

# How many runs of each root jobnet go on, and how many wait for one of those to end.
BESIDE = """
    SELECT root, sum(phase = 'running'), sum(phase = 'waiting') FROM generation
    WHERE root IN (SELECT value FROM json_each(?))
      AND (phase = 'running' OR (phase = 'waiting' AND status = 'TERMWAIT'))
    GROUP BY root HAVING count(*) > 1
"""

UNIT_RUNS = """
    SELECT generation, path, kind, status, planned, scheduled, prohibited, held, kill_asked,
           attempt, return_code, started_utc, ended_utc
    FROM unit_run
    WHERE generation IN (SELECT value FROM json_each(?1)) AND (?2 IS NULL OR path = ?2)
    ORDER BY generation, position
"""

ATTEMPTS = """
    SELECT id, incarnation, generation, path, number, state, place, relay, placed_utc, started_utc,
           ended_utc, json_extract(result, '$.return_code'), json_extract(result, '$.signal'),
           json_extract(result, '$.timed_out'), json_extract(result, '$.out_bytes'),
           json_extract(result, '$.err_bytes'), json_extract(result, '$.left'),
           json_extract(result, '$.escaped'), why, silent_since_utc, late
    FROM attempt
    WHERE generation IN (SELECT value FROM json_each(?1)) AND (?2 IS NULL OR path = ?2)
    ORDER BY generation, path, number
"""

# A place on an agent is a JSON list.
ON_AGENTS = """
    SELECT generation, path, place, relay, silent_since_utc FROM attempt
    WHERE generation IN (SELECT value FROM json_each(?1)) AND (?2 IS NULL OR path = ?2)
      AND place LIKE '[%'
    ORDER BY generation, path, number
"""

EVENTS = """
    SELECT id, generation, path, at_utc, at_wall, status, cause FROM event
    WHERE generation IN (SELECT value FROM json_each(?1)) AND (?2 IS NULL OR path = ?2)
    ORDER BY id
"""

# Where every unit below a path, and on the way to it, stands within its upper unit.
POSITIONS = """
    SELECT path, position FROM unit
    WHERE (path >= ?1 || '/' AND path < ?1 || '0') OR path IN (SELECT value FROM json_each(?2))
"""

# Definitions in which some unit may be held: "hold" or "hold_if".
HOLDING = """
    SELECT hash, body FROM definition
    WHERE hash IN (SELECT value FROM json_each(?)) AND instr(body, '"hold')
"""

# Who had which units killed and runs interrupted, and why. Kills are few, so their own index is gone through.
ORDERS = """
    SELECT r.generation, r.path, 'kill_asked', r.kill_asked, o.os_user, o.reason
    FROM unit_run AS r INDEXED BY unit_run_killed JOIN operation AS o ON o.id = r.kill_asked
    WHERE r.kill_asked IS NOT NULL AND r.generation IN (SELECT value FROM json_each(?1))
    UNION ALL
    SELECT g.id, '', 'interrupted', g.interrupted, o.os_user, o.reason
    FROM generation AS g JOIN operation AS o ON o.id = g.interrupted
    WHERE g.id IN (SELECT value FROM json_each(?1))
"""

# What an operation asked to be killed, as far as it went on at that moment.
KILLED_BY = """
    SELECT u.path, r.generation, r.path
    FROM unit_run AS r JOIN generation AS g ON g.id = r.generation JOIN unit AS u ON u.id = g.root
    WHERE r.kill_asked = ? ORDER BY r.generation, r.position
"""

FATES = """
    SELECT f.id, f.root, u.path, f.exec_date, f.start, f.ties, f.fate, f.why, f.operation,
           f.generation, f.at_utc, f.status, f.registered_for, f.serial, f.started_utc, f.ended_utc
    FROM fate AS f JOIN unit AS u ON u.id = f.root
    WHERE {roots}
      AND (?2 IS NULL OR f.start >= ?2) AND (?3 IS NULL OR f.start < ?3)
    ORDER BY f.start, u.path, f.id
"""


def registrations(tx: Reading, roots: Iterable[int] | None = None) -> list[RegistrationRow]:
    """Return the registrations of some root jobnets or of all, in order of path."""
    return [RegistrationRow(*row) for row in tx.rows(*_of(REGISTRATIONS, "r", roots))]


def generations(
    tx: Reading,
    roots: Iterable[int] | None = None,
    *,
    since: str | None = None,
    until: str | None = None,
    phase: str | None = None,
    status: str | None = None,
    newest: int = 1 << 62,
) -> list[GenerationRow]:
    """Return generations in order of path and start.

    ``roots`` are unit ids, None all; ``since`` (included) and ``until`` (excluded) wall-clock text for the start;
    ``newest`` is how many of each root jobnet, those with the latest starts.
    """
    found = tx.rows(*_of(GENERATIONS, "g", roots), since, until, phase, status, newest)
    return [GenerationRow(*row) for row in found]


def current(tx: Reading, roots: Iterable[int]) -> list[GenerationRow]:
    """Return of each root jobnet the generation that counts now, if it has any, in order of path.

    That is the one that runs, else the next one that waits, else the last one that ended or was prohibited.
    """
    return some(tx, [row[0] for row in tx.rows(CURRENT, id_list(roots)) if row[0] is not None])


def prohibited(tx: Reading, roots: Iterable[int]) -> list[tuple[int, str]]:
    """Return root jobnet and start of each of their generations that was prohibited, in order of start."""
    return [(root, start) for root, start in tx.rows(PROHIBITED, id_list(roots))]


def beside(tx: Reading, roots: Iterable[int]) -> dict[int, tuple[int, int]]:
    """Return how many runs of root jobnets go on and how many wait for those, where that is more than one in all."""
    return {root: (going, waiting) for root, going, waiting in tx.rows(BESIDE, id_list(roots))}


def generation(tx: Reading, root: Unit, name: str) -> GenerationRow:
    """Return the generation of a root jobnet with this execution ID or execution registration number.

    Raises GenerationNotFound, also when the text is neither.
    """
    day, serial = registration_parts(name) or (None, None)
    number = generation_number(name)
    row = tx.row(ONE, root.id, number, day, serial)
    if row is None:
        gone.refuse(tx, root, number, registration_parts(name))
        raise GenerationNotFound(
            f"{root.path} has no generation {name}",
            hint=f"`ajsshow {root.path}` lists them with their execution IDs",
            unit=root.path,
            value=name,
        )
    return GenerationRow(*row)


def unit_runs(
    tx: Reading, generation_ids: Iterable[int], path: str | None = None
) -> list[UnitRunRow]:
    """Return the units of generations that have started, in the order of their definitions."""
    return [UnitRunRow(*row) for row in tx.rows(UNIT_RUNS, id_list(generation_ids), path)]


def attempts(
    tx: Reading, generation_ids: Iterable[int], path: str | None = None
) -> list[AttemptRow]:
    """Return the attempts of generations, of one job or of all."""
    return [AttemptRow(*row) for row in tx.rows(ATTEMPTS, id_list(generation_ids), path)]


def on_agents(tx: Reading, generation_ids: Iterable[int], path: str | None = None) -> list[OnAgent]:
    """Return where the flexible jobs of generations ran, of one job or of all, earlier attempts first."""
    return [OnAgent(*row) for row in tx.rows(ON_AGENTS, id_list(generation_ids), path)]


def events(tx: Reading, generation_ids: Iterable[int], path: str | None = None) -> list[EventRow]:
    """Return every change of a status in generations, of one unit or of all, in the order in which they happened."""
    return [EventRow(*row) for row in tx.rows(EVENTS, id_list(generation_ids), path)]


def orders(tx: Reading, generation_ids: Iterable[int]) -> dict[tuple[int, str, str], Asked]:
    """Return the orders of operators by generation, relative path, and ``kill_asked`` or ``interrupted``."""
    found = tx.rows(ORDERS, id_list(generation_ids))
    if not found:
        return {}
    from ajs.causes import Asked

    return {(number, path, what): Asked(*order) for number, path, what, *order in found}


def killed_by(tx: Reading, operation: int) -> list[tuple[str, int, str]]:
    """Return the root jobnet, generation and relative path of every unit that an operation asked to be killed."""
    return [(root, number, path) for root, number, path in tx.rows(KILLED_BY, operation)]


def some(tx: Reading, numbers: Iterable[int]) -> list[GenerationRow]:
    """Return generations by their numbers, in order of path."""
    return [GenerationRow(*row) for row in tx.rows(SOME, id_list(numbers))]


def positions(tx: Reading, path: str) -> dict[str, int]:
    """Return where each unit below a path, and on the way to it, stands within its upper unit, by full path."""
    above = [path[:at] for at in range(len(path)) if at and path[at] == "/"]
    below = "" if path == "/" else path
    import json

    return dict(tx.rows(POSITIONS, below, json.dumps([*above, path])))


def held_by_definition(tx: Reading, hashes: Iterable[str]) -> dict[str, HeldUnits]:
    """Return what definitions hold, by hash of those that hold anything."""
    wanted = ",".join(f'"{key}"' for key in sorted(set(hashes)))
    found = tx.rows(HOLDING, f"[{wanted}]")
    if not found:
        return {}
    import json

    bodies = ((key, json.loads(body)) for key, body in found)
    return {
        key: HeldUnits(frozenset(_held(body, "")), body.get("hold_if", "")) for key, body in bodies
    }


def _held(unit: dict[str, Any], path: str) -> Iterator[str]:
    """Yield the units that are held in the stored form of a definition."""
    if unit.get("hold"):
        yield path
    for lower in unit.get("units", ()):
        yield from _held(lower, f"{path}/{lower['name']}" if path else lower["name"])


def fates(
    tx: Reading,
    roots: Iterable[int] | None = None,
    *,
    since: str | None = None,
    until: str | None = None,
) -> list[FateRow]:
    """Return what became of planned runs that did not run, in order of their planned starts."""
    return [FateRow(*row) for row in tx.rows(*_of(FATES, "f", roots), since, until)]


def _of(sql: str, alias: str, roots: Iterable[int] | None) -> tuple[str, str | None]:
    """Return a query for some root jobnets or for all, and its first value.

    Written into the text instead of asked by it, so that the index of the roots is used where there is one to use.
    """
    if roots is None:
        return sql.format(roots="?1 IS NULL"), None
    some = f"{alias}.root IN (SELECT value FROM json_each(?1))"  # noqa: S608  the alias is a constant above
    return sql.format(roots=some), id_list(roots)
