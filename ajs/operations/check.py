"""``ajs check``: what an administrator wants to know before relying on scheduler services."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from ajs import config
from ajs.agents import AgentGroup, kind_of
from ajs.errors import AjsError
from ajs.operations.service import Service, open_service
from ajs.operations.timetables import timetables
from ajs.plan import coming
from ajs.store import agents, backup, plans, units
from ajs.store.folder import database
from ajs.store.presence import manager

SCRIPTS = (
    *("ajsdefine", "ajsentry", "ajsplan", "ajsshow", "ajsleave", "ajsdelete", "ajskill"),
    *("ajsintrpt", "ajsstart", "ajsstop"),
)
OTHERS = 0o077
"""The modes of a file by which others than its owner may do anything with it."""
CLOCK_DAYS = 400
"""How far ahead changes of the clock are looked for, in days: the next one of each kind is among them."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    fine: bool
    text: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """What was found about one scheduler service, or, with the name "", about what all have in common."""

    service: str
    findings: tuple[Finding, ...]


def check(home: str | None, name: str | None) -> tuple[Part, ...]:
    """Look at everything, at one service or at all of ajs.toml; what cannot be opened is a finding, not an error."""
    try:
        found = config.load(config.find(home, os.environ, os.getcwd()))
        wanted = list(found.services) if name is None else [found.service(name, os.environ).name]
    except AjsError as error:
        return (Part("", (_wrong(error), *_commands())),)
    common = (Finding(fine=True, text=f"configuration {found.file}"), *_commands())
    parts = [
        Part(one, tuple(_of_service(home, one, found.services[one].folder, asked=name is not None)))
        for one in wanted
    ]
    return (Part("", common), *parts)


def _of_service(home: str | None, name: str, folder: str, *, asked: bool) -> Iterator[Finding]:
    if not asked and os.path.isdir(folder) and not os.access(folder, os.R_OK | os.X_OK):
        # Services are fenced off from each other by the operating system: that is in order, and not for us to see.
        yield Finding(
            fine=True,
            text=f"not looked at: {folder} is closed to this user",
            hint="check it as a user who may work on it",
        )
        return
    try:
        service = open_service(home=home, name=name)
    except AjsError as error:
        yield _wrong(error)
        return
    with service:
        yield _state(service)
        yield _manager(service)
        yield from _keys(service)
        yield from _clock_changes(service)


def _wrong(error: AjsError) -> Finding:
    return Finding(fine=False, text=error.message, hint=error.hint)


def _state(service: Service) -> Finding:
    try:
        backup.check(database(service.folder))
    except AjsError as error:
        return _wrong(error)
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


def _keys(service: Service) -> Iterator[Finding]:
    """Yield a finding for every agent and destination whose private key is missing or may be read by others."""
    with service.store.read() as tx:
        stored = agents.load(tx)
    for one in stored:
        if isinstance(one, AgentGroup) or not one.key:
            continue
        path = os.path.expanduser(one.key)
        what = f"{kind_of(one).text} {one.name}: the private key {path}"
        try:
            mode = os.stat(path).st_mode
        except OSError as error:
            why = (error.strerror or type(error).__name__).lower()
            hint = "put it there, or define another path; ~ is the home folder of who runs this"
            yield Finding(fine=False, text=f"{what} cannot be used: {why}", hint=hint)
            continue
        if mode & OTHERS:
            text = f"{what} may be read or changed by others, so SSH would refuse it"
            yield Finding(fine=False, text=text, hint=f"chmod 600 {path}")


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
