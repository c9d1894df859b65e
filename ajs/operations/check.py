"""``ajs check``: what an administrator wants to know before relying on scheduler services."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from ajs import config
from ajs.agents import AgentGroup, kind_of
from ajs.attempts import TAKES_SLOT
from ajs.errors import AjsError
from ajs.moment import wall_text
from ajs.operations.service import Service, open_service
from ajs.operations.times import LEFT_OUT, TWICE, local
from ajs.operations.timetables import planned_by, timetables
from ajs.plan import coming
from ajs.ports import Clock
from ajs.store import agents, backup, plans, runs, units
from ajs.store import show as stored
from ajs.store.folder import database
from ajs.store.presence import manager

SCRIPTS = (
    *("ajsdefine", "ajsentry", "ajsplan", "ajsshow", "ajsleave", "ajsdelete", "ajskill"),
    *("ajsintrpt", "ajsstart", "ajsstop"),
)
OTHERS = 0o077
"""The modes of a file by which others than its owner may do anything with it."""
MISSED_DAYS = timedelta(days=7)
"""How far back runs that were missed are told of."""
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


def check(
    home: str | None, name: str | None, clock_of: Callable[[str], Clock] | None = None
) -> tuple[Part, ...]:
    """Look at everything, at one service or at all of ajs.toml; what cannot be opened is a finding, not an error.

    ``clock_of`` gives the clock for a time zone; the system's when it is left out.
    """
    try:
        found = config.load(config.find(home, os.environ, os.getcwd()))
        wanted = list(found.services) if name is None else [found.service(name, os.environ).name]
    except AjsError as error:
        return (Part("", (_wrong(error), *_commands())),)
    common = (Finding(fine=True, text=f"configuration {found.file}"), *_commands())
    parts = [
        Part(
            one,
            tuple(_of_service(found.services[one], home, clock_of, asked=name is not None)),
        )
        for one in wanted
    ]
    return (Part("", common), *parts)


def _of_service(
    settings: config.Service,
    home: str | None,
    clock_of: Callable[[str], Clock] | None,
    *,
    asked: bool,
) -> Iterator[Finding]:
    folder = settings.folder
    if not asked and os.path.isdir(folder) and not os.access(folder, os.R_OK | os.X_OK):
        # Services are fenced off from each other by the operating system: that is in order, and not for us to see.
        yield Finding(
            fine=True,
            text=f"not looked at: {folder} is closed to this user",
            hint="check it as a user who may work on it",
        )
        return
    try:
        service = open_service(home=home, name=settings.name, clock_of=clock_of)
    except AjsError as error:
        yield _wrong(error)
        return
    with service:
        yield _state(service)
        yield _manager(service)
        yield from _missed(service)
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
    if owner is not None:
        return Finding(fine=True, text=f"the manager runs: process {owner.pid} on {owner.host}")
    waiting = list(_left_waiting(service))
    if waiting:
        text = f"no manager runs, though {' and '.join(waiting)}"
        return Finding(fine=False, text=text, hint=f"start it: ajsstart -F {service.name}")
    return Finding(
        fine=True,
        text="no manager runs",
        hint=f"start it when jobs shall run: ajsstart -F {service.name}",
    )


def _left_waiting(service: Service) -> Iterator[str]:
    """Yield what a manager would be needed for now: runs that are due, runs that go on, jobs that may have ended."""
    now = service.clock.now()
    with service.store.read() as tx:
        due = [
            run.generation.slot.start
            for run in runs.due(tx, now.wall)
            if not run.held and not run.stays
        ]
        going_on = stored.generations(tx, phase="running")
        attempts = runs.open_attempts(tx).values()
    if due:
        yield f"{_counted(len(due), 'run')} due since {min(due):%Y-%m-%d %H:%M}"
    if going_on:
        shown = local(service.time_zone)
        first = min(shown(run.started_utc) for run in going_on)
        jobs = sum(one.state in TAKES_SLOT for one in attempts)
        also = f" ({jobs} job{'s' * (jobs != 1)} recorded as running)" if jobs else ""
        yield f"{_counted(len(going_on), 'run')} going on since {_minute(first)}{also}"


def _counted(number: int, what: str) -> str:
    return f"{number} {what} is" if number == 1 else f"{number} {what}s are"


def _minute(at: str) -> str:
    return at[:16].replace("T", " ")


def _missed(service: Service) -> Iterator[Finding]:
    """Yield a finding when planned runs were missed in the last days: nobody was there to start them."""
    since = service.clock.now().wall - MISSED_DAYS
    with service.store.read() as tx:
        fates = stored.fates(tx, since=wall_text(since))
    missed = [fate for fate in fates if fate.fate == "missed"]
    if missed:
        last = missed[-1]
        verb = "run was" if len(missed) == 1 else "runs were"
        text = (
            f"{len(missed)} {verb} missed since {_minute(missed[0].start)}, "
            f"the last: {last.path} of {_minute(last.start)}"
        )
        why = f"ajs why -F {service.name} {last.path} {last.exec_date.replace('-', '/')} says more"
        yield Finding(fine=True, text=text, hint=why)


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
        found = agents.load(tx)
    for one in found:
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
        planned = plans.load_plans(tx, roots)
        tables = timetables(tx, roots.values(), service.mode)
        tables = planned_by(tx, planned, tables, service.mode)
    until = max(end for _, end, _ in odd)
    for number, plan in planned.items():
        starts = [g.slot.start for g in plan.waiting]
        dummies = coming(plan, tables[number])
        starts += [s.slot.start for s in takewhile(lambda s: s.slot.start <= until, dummies)]
        for start in starts:
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
        return wall, wall + shift, LEFT_OUT
    return wall + shift, wall, TWICE
