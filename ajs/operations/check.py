"""``ajs check``: what an administrator wants to know before relying on scheduler services."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from ajs import config
from ajs.agents import AgentGroup, kind_of
from ajs.attempts import TAKES_SLOT
from ajs.errors import AjsError
from ajs.lint import Severity
from ajs.moment import wall_text
from ajs.operations.lint import Linted, lint_stored, stored_clock_changes
from ajs.operations.progress import Progress, unwatched
from ajs.operations.service import Service, open_service
from ajs.operations.times import local
from ajs.ports import Clock
from ajs.store import agents, backup, runs
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


CODES = ("CONFIGURATION", "STATE", "MANAGER", "MISSED", "COMMAND", "KEY", "NOT_LOOKED_AT")
"""What can be found besides lints; the codes are stable."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; ``code`` is stable."""

    code: str
    fine: bool
    text: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """What was found about one scheduler service, or, with the name "", about what all have in common.

    ``lints`` is what is suspicious in its definitions and calendars.
    """

    service: str
    findings: tuple[Finding, ...]
    lints: tuple[Linted, ...] = ()

    @property
    def warned(self) -> bool:
        """Whether there is a warning among the lints."""
        return any(one.finding.lint.severity is Severity.WARN for one in self.lints)


def check(
    home: str | None,
    name: str | None,
    clock_of: Callable[[str], Clock] | None = None,
    progress: Progress = unwatched,
) -> tuple[Part, ...]:
    """Look at everything, at one service or at all of ajs.toml; what cannot be opened is a finding, not an error.

    ``clock_of`` gives the clock for a time zone; the system's when it is left out.
    """
    try:
        found = config.load(config.find(home, os.environ, os.getcwd()))
        wanted = list(found.services) if name is None else [found.service(name, os.environ).name]
    except AjsError as error:
        return (Part("", (_wrong("CONFIGURATION", error), *_commands())),)
    common = (Finding("CONFIGURATION", True, f"configuration {found.file}"), *_commands())
    asked = name is not None
    parts = (
        _of_service(found.services[one], home, clock_of, progress, asked=asked) for one in wanted
    )
    return (Part("", common), *parts)


def _of_service(
    settings: config.Service,
    home: str | None,
    clock_of: Callable[[str], Clock] | None,
    progress: Progress,
    *,
    asked: bool,
) -> Part:
    folder, name = settings.folder, settings.name
    if not asked and os.path.isdir(folder) and not os.access(folder, os.R_OK | os.X_OK):
        # Services are fenced off from each other by the operating system: that is in order, and not for us to see.
        closed = Finding(
            code="NOT_LOOKED_AT",
            fine=True,
            text=f"not looked at: {folder} is closed to this user",
            hint="check it as a user who may work on it",
        )
        return Part(name, (closed,))
    try:
        service = open_service(home=home, name=name, clock_of=clock_of)
    except AjsError as error:
        return Part(name, (_wrong("STATE", error),))
    with service:
        state = _state(service)
        if not state.fine:
            return Part(name, (state, _manager(service)))
        findings = (state, _manager(service), *_missed(service), *_keys(service))
        found = (*lint_stored(service, progress), *stored_clock_changes(service))
    return Part(name, findings, tuple(Linted(one) for one in found))


def _wrong(code: str, error: AjsError) -> Finding:
    return Finding(code, fine=False, text=error.message, hint=error.hint)


def _state(service: Service) -> Finding:
    try:
        backup.check(database(service.folder))
    except AjsError as error:
        return _wrong("STATE", error)
    return Finding(
        "STATE", fine=True, text=f"state of service {service.name} in {service.folder} is whole"
    )


def _manager(service: Service) -> Finding:
    owner = manager(service.folder)
    if owner is not None:
        return Finding(
            "MANAGER", fine=True, text=f"the manager runs: process {owner.pid} on {owner.host}"
        )
    waiting = list(_left_waiting(service))
    if waiting:
        text = f"no manager runs, though {' and '.join(waiting)}"
        return Finding(
            "MANAGER", fine=False, text=text, hint=f"start it: ajsstart -F {service.name}"
        )
    return Finding(
        "MANAGER",
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
        yield Finding("MISSED", fine=True, text=text, hint=why)


def _commands() -> Iterator[Finding]:
    """Yield a finding for every command of ours that another one on PATH hides."""
    ours = os.path.dirname(os.path.abspath(sys.argv[0]))
    for script in SCRIPTS:
        found = shutil.which(script)
        own = os.path.join(ours, script)
        if found is not None and os.path.exists(own) and not os.path.samefile(found, own):
            yield Finding(
                "COMMAND",
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
            yield Finding("KEY", fine=False, text=f"{what} cannot be used: {why}", hint=hint)
            continue
        if mode & OTHERS:
            text = f"{what} may be read or changed by others, so SSH would refuse it"
            yield Finding("KEY", fine=False, text=text, hint=f"chmod 600 {path}")
