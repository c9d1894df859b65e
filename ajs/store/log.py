"""The operation log: who did what, when and why, and every row as it was before and after.

Images are made by the database itself, from the rows as they stand, so that they cannot differ from them. The history,
``ajs undo`` and what tells who last changed something are read from here; the log is only added to.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Self

from ajs.errors import OperationNotFound
from ajs.moment import Moment, wall_text
from ajs.store.database import Reading, Writing, id_list
from ajs.store.numbers import GREATEST

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "unit": (
        *("id", "path", "name", "kind", "upper", "root", "position", "comment", "body"),
        *("definition", "deleted", "version"),
    ),
    "registration": (
        *("root", "method", "registered", "registered_utc", "registered_by", "catch_up"),
        *("floor_start", "floor_exec_date", "done", "count", "skip_overdue", "cancelled"),
        *("frozen_path", "frozen_definition", "frozen_calendars", "frozen_exclusive", "version"),
    ),
    "generation": (
        *("id", "root", "registered_for", "serial", "method", "phase", "status", "start"),
        *("exec_date", "original_start", "original_exec_date", "ties", "kept", "added"),
        *("nested", "holds", "prohibited_units", "attributes", "interrupted", "definition"),
        *("started_utc", "ended_utc", "version"),
    ),
    "agent_definition": ("id", "name", "kind", "body", "version"),
}
"""The tables whose rows have images, and their columns; the first one is the key."""

OWNER = {
    "unit": "coalesce(t.root, t.id)",
    "registration": "t.root",
    "generation": "t.root",
    "agent_definition": "(SELECT id FROM unit WHERE path = '/')",
}
"""The root jobnet or job group that a row belongs to; agents belong to the whole service."""


def image(table: str) -> str:
    """Return the SQL expression for the whole of a row of ``t`` as JSON."""
    pairs = ", ".join(f"'{column}', t.{column}" for column in COLUMNS[table])
    return f"json_object({pairs})"


def _images(table: str, side: str) -> str:
    """Return the statement that notes the rows with the keys ?2 on one side of operation ?1."""
    # The names are the constants above; nothing from outside gets into this text.
    return f"""
        INSERT INTO operation_row (operation, tbl, key, unit, {side})
        SELECT ?1, '{table}', t.{COLUMNS[table][0]}, {OWNER[table]}, {image(table)}
        FROM json_each(?2) AS wanted JOIN {table} AS t ON t.{COLUMNS[table][0]} = wanted.value
        WHERE true
        ON CONFLICT (operation, tbl, key) DO """  # noqa: S608


# A row touched twice by one operation keeps its first image of before and its last of after.
_BEFORE = {table: _images(table, "before") + "NOTHING" for table in COLUMNS}
_AFTER = {table: _images(table, "after") + "UPDATE SET after = excluded.after" for table in COLUMNS}


class Operation(NamedTuple):
    """One entry of the log; ``command`` is the exact command, ``summary`` what it did as its verb tells it."""

    id: int
    at_utc: str
    at_wall: str
    os_user: str
    verb: str
    command: tuple[str, ...]
    reason: str
    undoes: int | None
    undone_by: int | None
    summary: Mapping[str, Any]


class Image(NamedTuple):
    """One row that an operation touched; ``before`` is None for a new row, ``after`` for one that was removed."""

    table: str
    key: int
    unit: int
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


def begin(
    tx: Writing,
    at: Moment,
    *,
    os_user: str,
    verb: str,
    command: Sequence[str],
    reason: str = "",
    undoes: int | None = None,
) -> int:
    """Write a new entry and return its number; ``finish`` adds what came of it.

    ``undoes`` is the entry that it takes back; OperationNotFound when there is none.
    """
    if undoes is not None:
        entry(tx, undoes)
    return tx.insert(
        "INSERT INTO operation (at_utc, at_wall, os_user, verb, command, reason, undoes, summary)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, '{}')",
        at.stamp,
        wall_text(at.wall),
        os_user,
        verb,
        json.dumps(list(command), ensure_ascii=False),
        reason,
        undoes,
    )


def finish(tx: Writing, operation: int, summary: Mapping[str, Any]) -> None:
    """Write what came of the operation: plain values, as its verb tells it."""
    text = json.dumps(summary, ensure_ascii=False)
    tx.run("UPDATE operation SET summary = ? WHERE id = ?", text, operation)


class Images:
    """``with Images(tx, operation, "generation", ids):`` the rows with these ids are changed in the block.

    Rows that are made in the block are named by adding their ids to ``made``. Without an operation (the manager's own
    changes) nothing is noted.
    """

    def __init__(
        self, tx: Writing, operation: int | None, table: str, ids: Iterable[int] = ()
    ) -> None:
        self._tx = tx
        self._operation = operation
        self._table = table
        self._ids = list(ids)
        self.made: list[int] = []

    def __enter__(self) -> Self:
        if self._operation is not None and self._ids:
            self._tx.run(_BEFORE[self._table], self._operation, id_list(self._ids))
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None or self._operation is None:
            return
        if self._ids:
            # A row that goes has no after; one that came and went within the operation leaves nothing.
            self._tx.run(
                "UPDATE operation_row SET after = NULL"
                " WHERE operation = ? AND tbl = ? AND key IN (SELECT value FROM json_each(?))"
                " AND after IS NOT NULL",
                self._operation,
                self._table,
                id_list(self._ids),
            )
        keys = [*self._ids, *self.made]
        if keys:
            self._tx.run(_AFTER[self._table], self._operation, id_list(keys))


# Entries that fit, newest first. ?5 is a list of units: theirs are the entries that touched one of them.
HISTORY = """
    SELECT id, at_utc, at_wall, os_user, verb, command, reason, undoes, undone_by, summary
    FROM operation
    WHERE (?1 IS NULL OR at_wall >= ?1) AND (?2 IS NULL OR at_wall < ?2)
      AND (?3 IS NULL OR verb = ?3) AND (?4 IS NULL OR os_user = ?4)
      AND (?5 IS NULL OR id IN (
          SELECT operation FROM operation_row WHERE unit IN (SELECT value FROM json_each(?5))))
    ORDER BY id DESC LIMIT ?6
"""

ENTRY = """
    SELECT id, at_utc, at_wall, os_user, verb, command, reason, undoes, undone_by, summary
    FROM operation WHERE id = ?
"""

# Everything that was done to one row, oldest first.
TOUCHING = """
    SELECT o.id, o.at_utc, o.at_wall, o.os_user, o.verb, o.command, o.reason, o.undoes, o.undone_by,
           o.summary, r.tbl, r.key, r.unit, r.before, r.after
    FROM operation_row AS r JOIN operation AS o ON o.id = r.operation
    WHERE r.tbl = ? AND r.key = ? ORDER BY o.id
"""

# What an operation touched, in the order in which it did.
ROWS = "SELECT tbl, key, unit, before, after FROM operation_row WHERE operation = ? ORDER BY seq"


def history(
    tx: Reading,
    *,
    since: str | None = None,
    until: str | None = None,
    verb: str | None = None,
    os_user: str | None = None,
    units: Iterable[int] | None = None,
    limit: int = -1,
) -> list[Operation]:
    """Return the entries that fit, newest first.

    ``since`` (included) and ``until`` (excluded) are wall-clock text; ``units`` are ids of root jobnets and job
    groups; a negative ``limit`` means all.
    """
    ids = None if units is None else id_list(units)
    return tx.made(_operation, HISTORY, since, until, verb, os_user, ids, min(limit, GREATEST))


def entry(tx: Reading, operation: int) -> Operation:
    """Return one entry; raises OperationNotFound."""
    found = tx.made(_operation, ENTRY, operation) if operation <= GREATEST else []
    if not found:
        raise OperationNotFound(
            f"the operation log has no entry {operation}",
            hint="`ajs history` lists them",
            value=str(operation),
        )
    return found[0]


def touching(tx: Reading, table: str, key: int) -> list[tuple[Operation, Image]]:
    """Return everything that operations did to one row, oldest first."""
    return tx.made(_touching, TOUCHING, table, key)


def images(tx: Reading, operation: int) -> list[Image]:
    """Return every row that an operation touched, as it was before and after, in the order touched."""
    return tx.made(_image, ROWS, operation)


def _operation(*row: Any) -> Operation:
    found = Operation(*row)
    command = tuple(json.loads(row[5]))
    return found._replace(command=command, summary=json.loads(row[9]))


def _touching(*row: Any) -> tuple[Operation, Image]:
    return _operation(*row[:10]), _image(*row[10:])


def _image(table: str, key: int, unit: int, before: str | None, after: str | None) -> Image:
    was = None if before is None else json.loads(before)
    return Image(table, key, unit, was, None if after is None else json.loads(after))
