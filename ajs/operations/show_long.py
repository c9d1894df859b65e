"""``ajsshow -l``: everything that is stored about a unit in one generation."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ajs.agents import remote_place
from ajs.causes import Cause, Why
from ajs.errors import UsageError
from ajs.operations.show import Line, Page, show
from ajs.operations.show_rows import Which
from ajs.operations.targets import Filters, Name
from ajs.operations.times import Local, happened_at, local
from ajs.store import show as stored
from ajs.store import units
from ajs.store.show import AttemptRow, EventRow

if TYPE_CHECKING:
    from ajs.operations.service import Service

MOST = 500
"""How many units can be shown in full at once."""


class Attempt(NamedTuple):
    """One attempt of a job; instants are ISO text with offset, "" for what is not known."""

    row: AttemptRow
    placed: str
    started: str
    ended: str
    silent_since: str
    output: str
    """The folder that holds what it wrote."""
    late: Mapping[str, Any] | None
    """Another ending that arrived after the one that counts."""


class Happened(NamedTuple):
    """One change of a unit's status and its cause; ``at`` is ISO text with offset."""

    at: str
    status: str
    cause: Cause


class Long(NamedTuple):
    """A unit in one generation with its attempts and the history of its status.

    ``definition`` is the hash of the root jobnet as it is defined now; the generation has that of its own.
    """

    line: Line
    root: str
    definition: str
    attempts: tuple[Attempt, ...]
    events: tuple[Happened, ...]


def show_long(
    service: Service, names: Sequence[Name], filters: Filters, which: Which | None = None
) -> tuple[Page, tuple[Long, ...]]:
    """Return the page of ``show`` and each of its lines in full; raises what ``show`` raises."""
    page = show(service, names, filters, which, inside=False, attempts=True, following=True)
    if len(page.lines) > MOST:
        raise UsageError(
            f"-l would show {len(page.lines)} units in full, more than {MOST}",
            hint="name the unit that matters, or leave -l away",
        )
    rows = [line.generation for line in page.lines if line.generation is not None]
    shown = local(service.time_zone)
    with service.store.read() as tx:
        attempts: dict[tuple[int, str], list[Attempt]] = {}
        for row in stored.attempts(tx, [g.id for g in rows]):
            attempt = Attempt(
                row,
                shown(row.placed_utc),
                shown(row.started_utc),
                shown(row.ended_utc),
                shown(row.silent_since_utc),
                f"{_begins(page, row)}{row.incarnation}-{row.id}",
                _late(row, shown),
            )
            attempts.setdefault((row.generation, row.path), []).append(attempt)
        events: dict[tuple[int, str], list[Happened]] = {}
        for event in stored.events(tx, [g.id for g in rows]):
            events.setdefault((event.generation, event.path), []).append(happened(event))
        known = {line.unit: units.by_path(tx, line.unit) for line in page.lines}
        ids = {unit.root for unit in known.values() if unit is not None and unit.root is not None}
        roots = units.by_id(tx, ids)
    found = []
    for line in page.lines:
        unit = known[line.unit]
        root = roots.get(unit.root) if unit is not None and unit.root is not None else None
        number = line.generation.id if line.generation is not None else 0
        path = line.generation.path if line.generation is not None else line.unit
        key = (number, line.unit[len(path) + 1 :])
        found.append(
            Long(
                line,
                root.path if root is not None else "",
                (root.definition or "") if root is not None else "",
                tuple(attempts.get(key, ())),
                tuple(events.get(key, ())),
            )
        )
    return page, tuple(found)


def _late(row: AttemptRow, shown: Local) -> dict[str, Any] | None:
    if row.late is None:
        return None
    found: dict[str, Any] = json.loads(row.late)
    return found | {key: shown(found[key]) or None for key in ("started", "ended")}


def _begins(page: Page, row: AttemptRow) -> str:
    return page.output if remote_place(row.place) is None else page.fetched


def happened(event: EventRow) -> Happened:
    """Return a stored change of a status as plain values."""
    found = json.loads(event.cause)
    at = happened_at(event.at_wall, event.at_utc)
    return Happened(at, event.status, Cause(Why[found.pop("why")], **found))
