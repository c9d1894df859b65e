"""``ajs undo``: an operation taken back, as a new operation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ajs.changes.base import BEFORE_ITS_TURN
from ajs.errors import NothingToUndo, PlanMoved
from ajs.moment import Moment
from ajs.operations.row_changes import RowChange, changes_of
from ajs.operations.running import touched, with_plan
from ajs.operations.service import Service
from ajs.plan import Generation
from ajs.store import log, plans, runs, units
from ajs.store.database import Writing
from ajs.store.log import Operation
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
    ran; PlanMoved when anything that it changed has changed since. Nothing was changed then.
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
        if dry_run:
            tx.rollback()
    changes = [c for i in images for c in changes_of(i, paths.get(i.unit, f"unit {i.unit}"))]
    if not dry_run:
        poke(service.folder)
    return Undone(before, tuple(changes), 0 if dry_run else by)


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
