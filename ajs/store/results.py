"""Results of runs that have ended: which there are, and deleting them. What became of planned runs (fates) stays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ajs.store.database import Reading, Writing, id_list


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


def delete(tx: Writing, generations: Iterable[int]) -> int:
    """Delete everything kept of these runs, and return how many there were."""
    ids = list(generations)
    for sql in DELETE if ids else ():
        tx.run(sql, id_list(ids))
    return len(ids)
