"""``ajs history``: the operation log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ajs.errors import BadValue
from ajs.operations.row_changes import RowChange, changes_of, kills
from ajs.operations.service import Service
from ajs.operations.targets import Filters, Name, find_units
from ajs.store import log, units
from ajs.store.log import Operation

VERBS = ("define", "entry", "plan", "leave", "delete", "kill", "intrpt", "undo", "restore")
"""The verbs whose operations are logged."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One operation in full: what it changed, and the root jobnets and job groups that it touched, by full path."""

    operation: Operation
    touched: tuple[str, ...]
    changes: tuple[RowChange, ...]


def history(
    service: Service,
    names: Sequence[Name] = (),
    *,
    since: str | None = None,
    until: str | None = None,
    verb: str | None = None,
    user: str | None = None,
    newest: int = -1,
) -> tuple[Operation, ...]:
    """Return the operations that fit, newest first; with names those that touched one of the units.

    ``since`` (included) and ``until`` (excluded) are wall-clock text; a negative ``newest`` means all. A unit inside a
    root jobnet stands for the root jobnet; a job group for everything in it. What was deleted counts too. Raises
    UnitNotFound, and BadValue for a verb that is never logged.
    """
    if verb is not None and verb not in VERBS:
        raise BadValue(
            f"--verb {verb!r} is no command that the operation log knows",
            hint=f"use one of {', '.join(VERBS)}",
            value=verb,
        )
    with service.store.read() as tx:
        ids: set[int] | None = None
        if names:
            found = find_units(tx, names, Filters(recursive=True), deleted=True)
            ids = {unit.id if unit.root is None else unit.root for unit, _ in found}
        return tuple(
            log.history(
                tx, since=since, until=until, verb=verb, os_user=user, units=ids, limit=newest
            )
        )


def entry(service: Service, number: int) -> Entry:
    """Return one operation in full; raises OperationNotFound."""
    with service.store.read() as tx:
        operation = log.entry(tx, number)
        images = log.images(tx, number)
        paths = {key: unit.path for key, unit in units.by_id(tx, {i.unit for i in images}).items()}
        killed = kills(tx, number)
    changes = [
        change
        for image in images
        for change in changes_of(image, paths.get(image.unit, f"unit {image.unit}"))
    ]
    touched = {paths[image.unit] for image in images if image.unit in paths}
    return Entry(operation, tuple(sorted(touched)), (*changes, *killed))
