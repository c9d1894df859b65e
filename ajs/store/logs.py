"""Logs to keep: throwing away the details of the oldest ended runs, and old fates (rule book 6.8).

They go in the very transaction in which a run of their root jobnet ends; what their jobs wrote goes after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from ajs.model import LOGS_TO_KEEP
from ajs.moment import Moment, wall_text
from ajs.store import results
from ajs.store.database import Reading, Writing, id_list
from ajs.store.rows import dump

# The ended runs beyond what their root jobnets keep, of the root jobnets of some generations. Runs that were skipped
# have no details and push none out: they are counted by themselves. A run stays as long as an attempt in it is not done
# with: its place has still to be told to throw its record away.
BEYOND = """
    WITH wanted AS (
        SELECT u.id AS root, coalesce(json_extract(d.body, '$.logs_to_keep'), ?2) AS keep
        FROM unit AS u JOIN definition AS d ON d.hash = u.definition
        WHERE u.id IN (SELECT root FROM generation WHERE id IN (SELECT value FROM json_each(?1))))
    SELECT e.id, e.keep FROM (
        SELECT g.id, wanted.keep, row_number() OVER (
                   PARTITION BY g.root, g.status = 'EXECDEFFER'
                   ORDER BY g.ended_utc DESC, g.start DESC, g.id DESC) AS age
        FROM wanted CROSS JOIN generation AS g INDEXED BY generation_ended
          ON g.root = wanted.root AND g.phase = 'ended') AS e
    WHERE e.age > e.keep
      AND NOT EXISTS (SELECT 1 FROM attempt AS a
                      WHERE a.generation = e.id AND a.state NOT IN ('ACKED', 'LOST'))
"""

LEFTOVERS = "SELECT attempt FROM leftover WHERE attempt > ? ORDER BY attempt LIMIT ?"
GONE = "DELETE FROM leftover WHERE attempt IN (SELECT value FROM json_each(?))"

# A prohibition that can still be taken back keeps its fate: it holds as long as its run is there.
OLD_FATES = """
    SELECT f.id FROM fate AS f
    WHERE f.start < ? AND NOT EXISTS (SELECT 1 FROM generation AS g WHERE g.id = f.generation)
    ORDER BY f.start LIMIT ?
"""
FORGET_FATES = f"DELETE FROM fate WHERE id IN ({OLD_FATES})"  # noqa: S608  the constant above


def trim(tx: Writing, generations: Iterable[int], at: Moment) -> int:
    """Throw away what is beyond the logs to keep of the root jobnets of these generations; return how many runs.

    To be called once these have ended, or once the last attempt of one that has ended is done with.
    """
    keep: dict[int, int] = dict(tx.rows(BEYOND, id_list(generations), LOGS_TO_KEEP))
    return results.delete(tx, {run: f"logs_to_keep {most}" for run, most in keep.items()}, at)


def leftovers(tx: Reading, after: str, most: int) -> list[str]:
    """Return the names of attempts whose output has still to be removed, in order, those after a name."""
    return [row[0] for row in tx.rows(LEFTOVERS, after, most)]


def removed(tx: Writing, attempts: Sequence[str]) -> None:
    """Note that nothing is left on the disk of these attempts."""
    tx.run(GONE, dump(list(attempts)))


def has_old_fates(tx: Reading, before: datetime) -> bool:
    """Whether there are fates of runs planned before this wall-clock time that can be thrown away."""
    return bool(tx.rows(OLD_FATES, wall_text(before), 1))


def forget_fates(tx: Writing, before: datetime, most: int) -> int:
    """Throw away the fates of runs planned before this wall-clock time, so many at most; return how many."""
    return tx.run(FORGET_FATES, wall_text(before), most)
