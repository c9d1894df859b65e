"""The timetables of stored root jobnets: their definition under their calendar."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from ajs.model import Jobnet
from ajs.plan import RootPlan
from ajs.schedule import DayMode, Timetable
from ajs.store import sources
from ajs.store.database import Reading
from ajs.store.units import Unit


def timetables(
    tx: Reading,
    roots: Iterable[Unit],
    mode: DayMode,
    known: Mapping[str, Jobnet] | None = None,
) -> dict[int, Timetable]:
    """Return the timetables of these root jobnets, by unit id, as they are defined now.

    Definitions in ``known``, by their hash, are not read again.
    """
    wanted = list(roots)
    jobnets = sources.definitions(tx, {u.definition for u in wanted if u.definition}, known)
    found = sources.stored_timetables(tx, sources.stored_calendars(tx), mode)
    return {
        unit.id: found.of(unit.path, jobnets[unit.definition]) for unit in wanted if unit.definition
    }


def dateless_notes(path: str, timetable: Timetable, registered: datetime) -> Iterator[str]:
    """Say which rules of a root jobnet fall on no day: no month that counts for them has their start day (R14)."""
    for number in timetable.dateless(registered):
        yield f"{path}: rule {number} falls on no day: no month in which it could run has its start day"


def planned_by(
    tx: Reading,
    plans: Mapping[int, RootPlan],
    tables: Mapping[int, Timetable],
    mode: DayMode,
) -> dict[int, Timetable]:
    """Return the timetables that make the dummies of these plans: those now, or what a fixed registration froze."""
    frozen = {
        number: plan.registration.frozen
        for number, plan in plans.items()
        if plan.registration.frozen is not None
    }
    return dict(tables) | sources.frozen_timetables(tx, frozen, mode)
