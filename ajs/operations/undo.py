"""``ajs undo``: an operation taken back, as a new operation."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ajs.changes.base import BEFORE_ITS_TURN
from ajs.errors import NothingToUndo, PlanMoved, Refused
from ajs.moment import Moment
from ajs.operations.row_changes import RowChange, changes_of
from ajs.operations.running import touched, with_plan
from ajs.operations.service import Service
from ajs.operations.timetables import timetables
from ajs.plan import Generation
from ajs.store import log, plans, runs, units
from ajs.store.database import Writing
from ajs.store.log import Image, Operation
from ajs.store.numbers import execution_id
from ajs.store.presence import poke
from ajs.store.undo import undo_rows

ENDING = {"kill": "was killed", "intrpt": "was interrupted"}
"""Verbs that end what runs, and what they did to it."""


@dataclass(frozen=True, slots=True)
class Undone:
    """What was taken back: the operation, what that changed, and the number of the new one (0 for a dry run)."""

    undone: Operation
    changes: tuple[RowChange, ...]
    operation: int
    at_once: tuple[str, ...] = ()
    """The runs whose start of today has passed and that wait again, so that they start at once."""


def undo(
    service: Service,
    number: int,
    *,
    command: Sequence[str],
    reason: str = "",
    dry_run: bool = False,
) -> Undone:
    """Take back everything that an operation changed, in one transaction, and return what that was.

    Raises OperationNotFound; NothingToUndo when it changed nothing, is an undo itself, was undone already or ended what
    ran; PlanMoved when anything that it changed has changed since, Refused when a run of an earlier day would start.
    Nothing was changed then.
    """
    now = service.clock.now()
    with service.store.write() as tx:
        before = log.entry(tx, number)
        if before.verb in ENDING:
            raise NothingToUndo(
                f"operation {number} cannot be taken back: what {ENDING[before.verb]} does not go on by itself",
                hint="ajsentry -n, or ajsplan -q for a planned jobnet, runs it again from its beginning",
                value=str(number),
            )
        if before.summary.get("results"):
            raise NothingToUndo(
                f"operation {number} cannot be taken back: the results that it deleted are gone",
                hint="ajsentry registers the jobnet anew",
                value=str(number),
            )
        by = log.begin(
            tx,
            now,
            os_user=service.user,
            verb="undo",
            command=command,
            reason=reason,
            undoes=number,
        )
        running = _running(tx, number)
        done = undo_rows(tx, number, by)
        _carry_over(tx, running, by, now)
        log.finish(tx, by, {"rows": done.rows, "roots": len(done.units)})
        images = log.images(tx, by)
        # A unit that was added is gone now, and told by its image.
        paths = {key: unit.path for key, unit in units.by_id(tx, done.units).items()}
        paths |= {i.key: i.before["path"] for i in images if i.table == "unit" and i.before}
        at_once = _past(tx, service, number, images, now)
        if dry_run:
            tx.rollback()
    changes = [c for i in images for c in changes_of(i, paths.get(i.unit, f"unit {i.unit}"))]
    if not dry_run:
        poke(service.folder)
    return Undone(before, tuple(changes), 0 if dry_run else by, at_once)


def _past(
    tx: Writing, service: Service, number: int, images: Sequence[Image], now: Moment
) -> tuple[str, ...]:
    """Return the runs whose start has passed today, so that they start at once; refused for one of an earlier day.

    One that is held waits, whenever its start was.
    """
    wall = now.wall.isoformat()
    again = [i for i in images if i.table == "generation" and _waits_again(i, wall)]
    roots = units.by_id(tx, {i.unit for i in again})
    tables = timetables(tx, roots.values(), service.mode)
    found = []
    for image in again:
        after = image.after or {}
        timetable = tables[image.unit]
        if json.loads(after["holds"]).get("", timetable.jobnet.hold):
            continue
        start = datetime.fromisoformat(after["start"])
        name = f"{roots[image.unit].path}:{execution_id(image.key)}"
        begins, _ = timetable.window(timetable.day_of(now.wall))
        if start < begins:
            raise Refused(
                f"operation {number} cannot be undone: {name} would start at once: {start:%Y-%m-%d %H:%M} "
                f"lies before today, which began at {begins:%Y-%m-%d %H:%M}",
                hint="nothing was changed, an earlier day is over; register what is still to come anew (ajsentry), "
                "or change the plan by hand (ajsplan)",
                unit=name,
                value=str(number),
            )
        found.append(name)
    return tuple(found)


def _waits_again(image: Image, wall: str) -> bool:
    """Whether a run waits for a start that has passed, and did not before the undo."""
    before, after = image.before, image.after
    if after is None or after["phase"] != "waiting" or after["start"] > wall:
        return False
    return before is None or before["phase"] != "waiting" or before["start"] != after["start"]


def _running(tx: Writing, operation: int) -> dict[int, Generation]:
    """Return the generations that the operation touched and that run, as their plan is now."""
    touched = [i.key for i in log.images(tx, operation) if i.table == "generation"]
    return plans.running_by_id(tx, touched)


def _carry_over(
    tx: Writing, running: Mapping[int, Generation], operation: int, now: Moment
) -> None:
    """Let the units of running generations follow their plan back; refused when one has had its turn since."""
    restored = plans.running_by_id(tx, running)
    live = runs.live(tx, running)
    for number, before in running.items():
        after = restored[number]
        for path in sorted(touched(before, after)):
            unit = live[number].units[path]
            if unit.status not in BEFORE_ITS_TURN:
                name = f"{live[number].root_path}/{path}:{live[number].execution_id}"
                raise PlanMoved(
                    f"{name} has had its turn since",
                    hint="nothing was changed; what has run stays as it is",
                    unit=name,
                )
        runs.save_live(tx, live[number], with_plan(live[number], after), (), now, operation)
