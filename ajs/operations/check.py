"""``ajs check``: what an administrator wants to know before relying on a service."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from ajs.errors import AjsError
from ajs.operations.service import Service, open_service
from ajs.operations.timetables import timetables
from ajs.plan import coming
from ajs.store import backup, plans, units
from ajs.store.folder import database
from ajs.store.presence import manager

SCRIPTS = (
    *(
        "ajsdefine",
        "ajsentry",
        "ajsplan",
        "ajsshow",
        "ajsleave",
        "ajsdelete",
        "ajsstart",
        "ajsstop",
    ),
)
CLOCK_DAYS = 400
"""How far ahead changes of the clock are looked for, in days: the next one of each kind is among them."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    fine: bool
    text: str
    hint: str = ""


def check(home: str | None, name: str | None) -> tuple[Finding, ...]:
    """Look at everything; what cannot be opened is a finding, not an error."""
    try:
        service = open_service(home=home, name=name)
    except AjsError as error:
        return (Finding(fine=False, text=error.message, hint=error.hint), *_commands())
    with service:
        return (
            Finding(fine=True, text=f"configuration {service.configuration}"),
            _state(service),
            _manager(service),
            *_commands(),
            *_clock_changes(service),
        )


def _state(service: Service) -> Finding:
    try:
        backup.check(database(service.folder))
    except AjsError as error:
        return Finding(fine=False, text=error.message, hint=error.hint)
    return Finding(fine=True, text=f"state of service {service.name} in {service.folder} is whole")


def _manager(service: Service) -> Finding:
    owner = manager(service.folder)
    if owner is None:
        return Finding(
            fine=True,
            text="no manager runs",
            hint=f"start it when jobs shall run: ajsstart -F {service.name}",
        )
    return Finding(fine=True, text=f"the manager runs: process {owner.pid} on {owner.host}")


def _commands() -> Iterator[Finding]:
    """Yield a finding for every command of ours that another one on PATH hides."""
    ours = os.path.dirname(os.path.abspath(sys.argv[0]))
    for script in SCRIPTS:
        found = shutil.which(script)
        own = os.path.join(ours, script)
        if found is not None and os.path.exists(own) and not os.path.samefile(found, own):
            yield Finding(
                fine=False,
                text=f"{found} comes before {own} on PATH",
                hint=f"call ajs {script.removeprefix('ajs')}, or change PATH",
            )


def _clock_changes(service: Service) -> Iterator[Finding]:
    """Yield the coming starts that fall into an hour which the clocks leave out or show twice."""
    odd = _odd_hours(service.time_zone, service.clock.now().utc)
    if not odd:
        return
    with service.store.read() as tx:
        roots = units.by_id(tx, plans.registered_roots(tx))
        stored = plans.load_plans(tx, roots)
        tables = timetables(tx, roots.values(), service.mode)
    until = max(end for _, end, _ in odd)
    for number, plan in stored.items():
        runs = [g.slot.start for g in plan.waiting]
        dummies = coming(plan, tables[number])
        runs += [s.slot.start for s in takewhile(lambda s: s.slot.start <= until, dummies)]
        for start in runs:
            for first, end, what in odd:
                if first <= start < end:
                    text = f"{roots[number].path} at {start:%Y-%m-%d %H:%M}: {what}"
                    yield Finding(fine=True, text=text)


def _odd_hours(zone_name: str, now: datetime) -> list[tuple[datetime, datetime, str]]:
    """Return the coming wall-clock spans that do not exist or exist twice, with what happens to a start there."""
    zone = ZoneInfo(zone_name)
    found = []
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for _ in range(CLOCK_DAYS):
        following = day + timedelta(days=1)
        shift = _offset(zone, following) - _offset(zone, day)
        if shift:
            found.append(_span(zone, day, following, shift))
        day = following
    return found


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()


def _span(
    zone: ZoneInfo, before: datetime, after: datetime, shift: timedelta
) -> tuple[datetime, datetime, str]:
    old = _offset(zone, before)
    while after - before > timedelta(minutes=1):
        middle = before + (after - before) / 2
        before, after = (middle, after) if _offset(zone, middle) == old else (before, middle)
    instant = after.replace(second=0, microsecond=0)
    wall = (instant.astimezone(UTC) + old).replace(tzinfo=None)
    if shift > timedelta():
        return wall, wall + shift, "this time does not exist; it runs at the first instant after it"
    return wall + shift, wall, "this time comes twice; it runs the first time"
