"""Deleting units: they stay as rows with their ids, so that what ran under their names can still be read."""

from __future__ import annotations

from collections.abc import Iterable

from ajs.store.database import Writing, id_list
from ajs.store.log import Images

DELETE = """
    UPDATE unit SET deleted = ?, version = version + 1
    WHERE id IN (SELECT value FROM json_each(?)) AND deleted IS NULL
"""


def delete_units(tx: Writing, ids: Iterable[int], operation: int) -> None:
    """Mark these units as deleted by the operation; nothing that is there may be left below them."""
    wanted = list(ids)
    with Images(tx, operation, "unit", wanted):
        tx.run(DELETE, operation, id_list(wanted))
