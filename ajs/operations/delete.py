"""``ajsdelete``: units that are no longer wanted, with everything below them.

A group's calendar counts only for what is below the group, and goes with all of that: no other run can move.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ajs.errors import Refused, StillRegistered, StillRunning, WrongKind
from ajs.operations.progress import Progress, counted, unwatched
from ajs.operations.service import Service
from ajs.operations.targets import Filters, Name, find_units
from ajs.store import log, plans, sources, units
from ajs.store import show as stored
from ajs.store.database import Reading
from ajs.store.delete import delete_units
from ajs.store.presence import poke
from ajs.store.units import GROUP, ROOT, Unit

NAMED = 3
"""How many root jobnets a hint names before it says how to mean all of them."""


@dataclass(frozen=True, slots=True)
class Deleted:
    """The units that were deleted, in order of path; ``operation`` is 0 for a dry run."""

    units: tuple[Unit, ...]
    operation: int


def delete(
    service: Service,
    names: Sequence[Name],
    filters: Filters,
    *,
    command: Sequence[str],
    reason: str = "",
    dry_run: bool = False,
    progress: Progress = unwatched,
) -> Deleted:
    """Delete job groups and root jobnets, all or none.

    Raises UnitNotFound; WrongKind for a unit inside a root jobnet; StillRegistered and StillRunning for a root jobnet
    that is to run or runs; Refused for ``/``, for a job group in which something would be left, and for what a root
    jobnet that stays names, since its runs would be others then.
    """
    now = service.clock.now()
    with service.store.write() as tx:
        tops = _tops(tx, names, filters)
        roots = [unit for unit in tops if unit.kind == ROOT]
        _refuse_running(tx, roots, names)
        gone = {unit.id: unit for unit in tops}
        for group in [unit for unit in tops if unit.kind == GROUP]:
            _refuse_left(group, units.children(tx, group), gone)
        _refuse_named(tx, tops)
        for root in counted(progress, "deleting", roots):
            gone |= {unit.id: unit for unit in units.below(tx, root.path)}
        operation = log.begin(
            tx, now, os_user=service.user, verb="delete", command=command, reason=reason
        )
        delete_units(tx, gone, operation)
        log.finish(tx, operation, {"units": len(gone), "root_jobnets": len(roots)})
        found = tuple(sorted(gone.values(), key=lambda unit: unit.path))
        if dry_run:
            tx.rollback()
            return Deleted(found, 0)
    poke(service.folder)
    return Deleted(found, operation)


def _tops(tx: Reading, names: Sequence[Name], filters: Filters) -> list[Unit]:
    """Return the job groups and root jobnets that were named; what is inside a root jobnet goes with it alone."""
    found = {unit.id: unit for unit, _ in find_units(tx, names, filters)}
    for unit in found.values():
        if unit.path == "/":
            raise Refused(
                "/ is the scheduler service itself and cannot be deleted",
                hint="ajsdelete -R '/*' deletes everything in it",
                unit="/",
            )
        if unit.root is not None and unit.root not in found:
            root = units.by_id(tx, [unit.root])[unit.root]
            raise WrongKind(
                f"{unit.path} is inside the root jobnet {root.path}, whose definition is one text",
                hint="take it out of the YAML file and run ajsdefine",
                unit=unit.path,
            )
    return [unit for unit in found.values() if unit.kind in (GROUP, ROOT)]


def _refuse_running(tx: Reading, roots: Sequence[Unit], names: Sequence[Name]) -> None:
    ids = [root.id for root in roots]
    registered = [row.path for row in stored.registrations(tx, ids)]
    if not registered:
        return
    running = {root.id: root.path for root in roots}
    for number in plans.running(tx, ids):
        raise StillRunning(
            f"{running[number]} has a run that has not ended",
            hint=f"wait for its end, then cancel the registration: ajsleave {running[number]}",
            unit=running[number],
        )
    others = len(registered) - 1
    more = f", and so {'is' if others == 1 else 'are'} {others} more" if others else ""
    leave = f"ajsleave {' '.join(registered)}"
    if len(registered) > NAMED:
        leave = f"ajsleave -R -T -E {' '.join(name.path for name in names)}"
    raise StillRegistered(
        f"{registered[0]} is registered for execution{more}",
        hint=f"cancel the registration first: {leave}",
        unit=registered[0],
    )


def _refuse_left(group: Unit, inside: Iterable[Unit], gone: dict[int, Unit]) -> None:
    left = [unit.path for unit in inside if unit.id not in gone]
    if left:
        more = f" and {len(left) - 1} more" if len(left) > 1 else ""
        raise Refused(
            f"the job group {group.path} is not empty: {left[0]}{more}",
            hint=f"ajsdelete -R {group.path} deletes it with everything in it",
            unit=group.path,
        )


def _refuse_named(tx: Reading, tops: Iterable[Unit]) -> None:
    gone = {unit.path for unit in tops}
    for naming in sources.naming(tx):
        if naming.named in gone and naming.root not in gone:
            raise Refused(
                f"{naming.unit} names {naming.named} ({naming.key}); without it, it would run on other days",
                hint=f"take {naming.key} out of its definition and run ajsdefine, or delete {naming.root} too",
                unit=naming.named,
                value=naming.unit,
            )
