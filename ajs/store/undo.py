"""Taking an operation back: every row that it touched becomes what it was before.

All of it or nothing: one row that is no longer as the operation left it refuses the whole, and so does one that later
operations changed and changed back: they could not be taken back any more. Versions do not count for this, so that an
operation can be taken back after a later one on the same rows has been.
"""

from __future__ import annotations

from typing import NamedTuple, NoReturn

from ajs.errors import NothingToUndo, PlanMoved
from ajs.store import agents, log
from ajs.store.database import Reading, Row, Writing
from ajs.store.numbers import execution_id


class Undone(NamedTuple):
    """What an undo changed: root jobnets and job groups by id, and how many rows."""

    units: tuple[int, ...]
    rows: int


# Operations after ?1 that hold: neither taken back nor themselves a taking back.
LATER = "SELECT id FROM operation WHERE id > ?1 AND undoes IS NULL AND undone_by IS NULL"


def _moved(table: str) -> str:
    """Return the query for the first row that is not as operation ?1 left it, or that operations after it changed.

    A row that an operation only gave a new version is not one that it changed.
    """
    key = log.COLUMNS[table][0]
    # The names are constants of the log; nothing from outside gets into this text.
    return f"""
        SELECT key, unit, before, after, now, overtaken FROM (
            SELECT r.seq, r.key, r.unit, r.before, r.after,
                   (SELECT max(o.operation) FROM operation_row AS o
                    WHERE o.tbl = r.tbl AND o.key = r.key AND o.operation > ?1
                      -- The sign keeps this from being looked up once for each later operation.
                      AND +o.operation IN ({LATER})
                      AND {_differ("o.before", "o.after")}) AS overtaken,
                   CASE WHEN t.{key} IS NULL THEN NULL ELSE {log.image(table)} END AS now
            FROM operation_row AS r LEFT JOIN {table} AS t ON t.{key} = r.key
            WHERE r.operation = ?1 AND r.tbl = '{table}'
              AND (r.before IS NOT NULL OR r.after IS NOT NULL))
        WHERE {_differ("now", "after")}
           OR overtaken IS NOT NULL AND {_differ("before", "after")}
        ORDER BY seq LIMIT 1
    """  # noqa: S608


def _differ(one: str, other: str) -> str:
    """Return the condition that two images of a row differ in more than the version.

    Patching drops what is null: a column that came later is not in older images.
    """
    plain = "json_patch('{{}}', json_remove({}, '$.version'))"
    return f"{plain.format(one)} IS NOT {plain.format(other)}"


def _removal(table: str) -> str:
    """Return the statement that removes the rows which operation ?1 made."""
    return f"""
        DELETE FROM {table} WHERE {log.COLUMNS[table][0]} IN (
            SELECT key FROM operation_row
            WHERE operation = ?1 AND tbl = '{table}' AND before IS NULL AND after IS NOT NULL)
    """  # noqa: S608


def _restoring(table: str) -> str:
    """Return the statement that gives the rows which operation ?1 changed their old values and a new version."""
    key, *columns = log.COLUMNS[table][:-1]
    old = ", ".join(f"json_extract(r.before, '$.{column}')" for column in columns)
    source = f"operation_row AS r WHERE r.operation = ?1 AND r.tbl = '{table}'"
    return f"""
        UPDATE {table} AS t
        SET ({", ".join(columns)}) = (SELECT {old} FROM {source} AND r.key = t.{key}),
            version = version + 1
        WHERE {key} IN (
            SELECT r.key FROM {source} AND r.before IS NOT NULL AND r.after IS NOT NULL)
    """  # noqa: S608


def _return(table: str) -> str:
    """Return the statement that brings back the rows which operation ?1 removed."""
    columns = log.COLUMNS[table]
    old = ", ".join(f"json_extract(before, '$.{column}')" for column in columns)
    return f"""
        INSERT INTO {table} ({", ".join(columns)})
        SELECT {old} + 1 FROM operation_row
        WHERE operation = ?1 AND tbl = '{table}' AND before IS NOT NULL AND after IS NULL
    """  # noqa: S608


# Paths are unique at every step, so what is renamed goes out of the way first.
PARK = """
    UPDATE unit SET path = '/' || char(1) || id WHERE id IN (
        SELECT r.key FROM operation_row AS r JOIN unit AS t ON t.id = r.key
        WHERE r.operation = ?1 AND r.tbl = 'unit' AND r.before IS NOT NULL
          AND json_extract(r.before, '$.path') <> t.path)
"""

# A root jobnet that the operation added and that has a plan or a history by now.
USED = """
    SELECT t.path FROM operation_row AS r JOIN unit AS t ON t.id = r.key
    WHERE r.operation = ?1 AND r.tbl = 'unit' AND r.before IS NULL AND t.kind = 'root'
      AND (EXISTS (SELECT 1 FROM registration WHERE root = t.id)
           OR EXISTS (SELECT 1 FROM generation WHERE root = t.id)
           OR EXISTS (SELECT 1 FROM serial WHERE root = t.id)
           OR EXISTS (SELECT 1 FROM fate WHERE root = t.id))
    ORDER BY t.path LIMIT 1
"""

# A root jobnet that the operation defined again after it had been deleted, and that is registered by now.
REGISTERED = """
    SELECT t.path FROM operation_row AS r JOIN unit AS t ON t.id = r.key
    WHERE r.operation = ?1 AND r.tbl = 'unit' AND json_extract(r.before, '$.deleted') IS NOT NULL
      AND EXISTS (SELECT 1 FROM registration WHERE root = t.id)
    ORDER BY t.path LIMIT 1
"""

# After the undo of operation ?1: a unit that would be there although the one above it is deleted.
ALONE = """
    SELECT t.path FROM unit AS t JOIN unit AS above ON above.id = t.upper
    WHERE t.deleted IS NULL AND above.deleted IS NOT NULL
      AND EXISTS (SELECT 1 FROM operation_row AS r
                  WHERE r.operation = ?1 AND r.tbl = 'unit' AND r.key IN (t.id, above.id))
    ORDER BY t.path LIMIT 1
"""

# A unit that somebody has put below one that the operation added.
OCCUPIED = """
    SELECT t.path FROM operation_row AS r JOIN unit AS t ON t.upper = r.key
    WHERE r.operation = ?1 AND r.tbl = 'unit' AND r.before IS NULL AND r.after IS NOT NULL
      AND NOT EXISTS (
          SELECT 1 FROM operation_row AS o
          WHERE o.operation = ?1 AND o.tbl = 'unit' AND o.key = t.id)
    ORDER BY t.path LIMIT 1
"""

# After the undo of operation ?1: a root jobnet that was deleted since and would be registered.
DELETED = """
    SELECT t.path FROM unit AS t
    WHERE t.deleted IS NOT NULL AND EXISTS (SELECT 1 FROM registration WHERE root = t.id)
      AND t.id IN (SELECT unit FROM operation_row WHERE operation = ?1)
    ORDER BY t.path LIMIT 1
"""

# The plans that get or lose generations have changed as a whole.
PLANS = """
    UPDATE registration SET version = version + 1 WHERE root IN (
        SELECT unit FROM operation_row WHERE operation = ?1 AND tbl = 'generation'
        EXCEPT SELECT key FROM operation_row WHERE operation = ?1 AND tbl = 'registration')
"""


def undo_rows(tx: Writing, operation: int, by: int) -> Undone:
    """Take back everything that an operation changed, as part of the operation ``by``.

    Fates that the operation recorded go with it. Raises OperationNotFound; NothingToUndo when it changed nothing, is
    an undo itself or was taken back already; PlanMoved, naming the unit, when a row has changed since.
    """
    _refuse_empty(tx, operation)
    for table in log.COLUMNS:
        moved = tx.row(_moved(table), operation)
        if moved is not None:
            _refuse_moved(tx, operation, table, moved)
    for sql, why in (
        (USED, "has a plan or a history by now"),
        (REGISTERED, "is registered by now"),
        (OCCUPIED, "was put there since"),
    ):
        _refuse_found(tx, sql, operation, why)
    touched = log.images(tx, operation)
    tx.run("PRAGMA defer_foreign_keys = ON")
    for table in log.COLUMNS:
        rows = [image for image in touched if image.table == table]
        kept = [image.key for image in rows if image.after is not None]
        with log.Images(tx, by, table, kept) as images:
            images.made.extend(image.key for image in rows if image.after is None)
            tx.run(_removal(table), operation)
            if table == "unit":
                tx.run(PARK, operation)
            tx.run(_restoring(table), operation)
            tx.run(_return(table), operation)
    _refuse_found(tx, ALONE, operation, "would be in a job group that is deleted")
    _refuse_found(tx, DELETED, operation, "was deleted since")
    if any(image.table in ("unit", "agent_definition") for image in touched):
        _refuse_missing(tx, operation)
    tx.run(PLANS, operation)
    tx.run("DELETE FROM fate WHERE operation = ?", operation)
    tx.run("UPDATE operation SET undone_by = ? WHERE id = ?", by, operation)
    units = tuple(sorted({image.unit for image in touched}))
    return Undone(units, len(touched))


def _refuse_empty(tx: Reading, operation: int) -> None:
    entry = log.entry(tx, operation)
    if entry.undoes is not None:
        why = f"operation {operation} is itself the undo of operation {entry.undoes}"
    elif entry.undone_by is not None:
        why = f"operation {operation} was undone by operation {entry.undone_by}"
    elif all(image.before is None and image.after is None for image in log.images(tx, operation)):
        why = f"operation {operation} ({entry.verb}) changed nothing that could be taken back"
    else:
        return
    raise NothingToUndo(why, hint="`ajs history` lists the operations", value=str(operation))


def _refuse_found(tx: Reading, sql: str, operation: int, why: str) -> None:
    found = tx.row(sql, operation)
    if found is not None:
        raise PlanMoved(
            f"operation {operation} cannot be undone: {found[0]} {why}",
            hint="undo what came after it first",
            unit=found[0],
            value=str(operation),
        )


def _refuse_missing(tx: Reading, operation: int) -> None:
    """Refuse what would leave a job or an agent group with the name of something that is not there."""
    missing = agents.missing(tx)
    if missing is not None:
        raise PlanMoved(
            f"operation {operation} cannot be undone: {missing.user} would name {missing.key} {missing.name}, "
            "which would not be there",
            hint="undo what came after it first, or define what uses it anew",
            unit=missing.user,
            value=str(operation),
        )


def _refuse_moved(tx: Reading, operation: int, table: str, moved: Row) -> NoReturn:
    import json

    key, owner, before, after, now, later = moved
    found = tx.row("SELECT path FROM unit WHERE id = ?", owner)
    path = found[0] if found else f"unit {owner}"
    what = path
    if table == "generation":
        what = f"the run {path}:{execution_id(key)}"
    elif table == "registration":
        what = f"the registration of {path}"
    elif table == "agent_definition":
        what = path = json.loads(now or after or before)["name"]
    elif now is not None:
        what = path = json.loads(now)["path"]
    happened = "has changed since"
    if after is None and now is not None:
        happened = "exists again"
    elif now is None and after is not None:
        happened = "is gone"
    elif now is not None:
        was, is_now = json.loads(after), json.loads(now)
        if was.get("phase") != is_now.get("phase"):
            happened = {"running": "has started", "ended": "has ended"}.get(
                is_now["phase"], f"is {is_now['phase']} now"
            )
    by = f" (operation {later})" if later is not None else ""
    raise PlanMoved(
        f"operation {operation} cannot be undone: {what} {happened}{by}",
        hint="nothing was changed; undo what came after it first, or change the plan by hand",
        unit=path,
        value=str(operation),
    )
