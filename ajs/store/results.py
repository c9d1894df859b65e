"""Results of runs that have ended: which there are, and deleting them, whoever wants that. One line stays of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ajs.moment import Moment
from ajs.store.database import Reading, Writing, id_list
from ajs.store.rows import dump


class Ended(NamedTuple):
    """One run of a root jobnet (by unit id) that has ended."""

    root: int
    generation: int


# Ended runs, but for those of which a place is still to be told that their result has been stored.
ENDED = """
    SELECT root, id FROM generation AS g
    WHERE root IN (SELECT value FROM json_each(?)) AND phase = 'ended'
      AND NOT EXISTS (SELECT 1 FROM attempt AS a
                      WHERE a.generation = g.id AND a.state NOT IN ('ACKED', 'LOST'))
    ORDER BY start, exec_date, id
"""

REGISTERED_FOR = """
    SELECT root, id, registered_for, serial FROM generation
    WHERE root IN (SELECT value FROM json_each(?))
"""

# One line stays of each. Runs that were skipped have their fate already.
TELL = """
    INSERT INTO fate (root, exec_date, start, ties, fate, why, generation, at_utc, status,
                      registered_for, serial, started_utc, ended_utc)
    SELECT root, exec_date, start, ties, 'ran', ?2 ->> ('$.' || id), id, ?3, status,
           registered_for, serial, started_utc, ended_utc
    FROM generation
    WHERE id IN (SELECT value FROM json_each(?1)) AND phase = 'ended' AND status <> 'EXECDEFFER'
    ORDER BY start, id
"""

# Where there was a place, there may be output.
LEAVE = """
    INSERT INTO leftover (attempt)
    SELECT s.uuid || '-' || a.incarnation || '-' || a.id FROM attempt AS a JOIN service AS s
    WHERE a.generation IN (SELECT value FROM json_each(?)) AND a.place <> ''
"""

# In this order, since each refers to those after it.
DELETE = tuple(
    f"DELETE FROM {table} WHERE {key} IN (SELECT value FROM json_each(?))"  # noqa: S608 - constants
    for table, key in (
        ("event", "generation"),
        ("attempt", "generation"),
        ("unit_run", "generation"),
        ("generation", "id"),
    )
)


def ended(tx: Reading, roots: Iterable[int]) -> dict[int, list[Ended]]:
    """Return the ended runs of these root jobnets whose results can be deleted, by unit id, in order."""
    found: dict[int, list[Ended]] = {}
    for row in tx.rows(ENDED, id_list(roots)):
        found.setdefault(row[0], []).append(Ended(*row))
    return found


def registered_for(tx: Reading, roots: Iterable[int]) -> dict[int, dict[int, tuple[str, int]]]:
    """Return date and serial number of every run's registration number, by unit id and run."""
    found: dict[int, dict[int, tuple[str, int]]] = {}
    for root, generation, day, serial in tx.rows(REGISTERED_FOR, id_list(roots)):
        found.setdefault(root, {})[generation] = (day, serial)
    return found


def delete(tx: Writing, why: Mapping[int, str], at: Moment) -> int:
    """Delete the details of these runs, each for its reason, and return how many there were.

    One line stays of each that ended. Their output lies in files: these are written down as left over, for the manager
    to remove after this transaction. So whoever dies in between leaves nothing that the next manager does not find.
    """
    if why:
        ids = id_list(why)
        tx.run(TELL, ids, dump({str(number): text for number, text in why.items()}), at.stamp)
        for sql in (LEAVE, *DELETE):
            tx.run(sql, ids)
    return len(why)
