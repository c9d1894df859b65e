"""The run before a run: of the same root jobnet, with the nearest start before it, of those that have started."""

from __future__ import annotations

from collections.abc import Iterable

from ajs.store.database import Reading, id_list

BEFORE = """
    SELECT w.id, b.id, b.status FROM generation AS w JOIN generation AS b ON b.id = (
        SELECT e.id FROM generation AS e
        WHERE e.root = w.root AND e.phase IN ('running', 'ended') AND e.status <> 'EXECDEFFER'
          AND (e.start, e.exec_date, e.id) < (w.start, w.exec_date, w.id)
        ORDER BY e.start DESC, e.exec_date DESC, e.id DESC LIMIT 1)
    WHERE w.id IN (SELECT value FROM json_each(?))
"""


def runs_before(tx: Reading, generations: Iterable[int]) -> dict[int, tuple[int, str]]:
    """Return number and status of the run before each of these generations, where there is one."""
    return {
        number: (earlier, status)
        for number, earlier, status in tx.rows(BEFORE, id_list(generations))
    }
