"""Units as they are defined: job groups, jobnets, jobs, their relations and paths.

Everything here is checked by the reader in ``definition`` before it is made; nothing inside re-checks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ajs.agents import Agents
from ajs.calendar import CalendarSettings
from ajs.rules import Rule

NAME_BYTES = 30
"""Longest unit name in bytes of UTF-8 (commands.md 1)."""
PATH_BYTES = 930
"""Longest full name of a unit in bytes of UTF-8 (commands.md 1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job that runs a command or a stored script, on this machine unless it is a flexible job.

    A flexible job is one with a ``destination``, the name of where it runs; ``relay`` names the agent or agent group
    through which that is reached, "" for directly, and ``work_dir`` is a folder there.

    ``command`` is a line for ``/bin/sh -c``; ``script`` the SHA-256 of a stored file, run as a program with
    ``command`` as its argument line. A return code above ``abnormal_above`` ends abnormally, above ``warning_above``
    with warning (execution.md 1.2: thresholds wth and tho).
    """

    name: str
    comment: str = ""
    after: tuple[str, ...] = ()
    recovery: bool = False
    hold: bool = False
    command: str = ""
    script: str = ""
    work_dir: str = ""
    environment: tuple[tuple[str, str], ...] = ()
    timeout_s: int | None = None
    warning_above: int | None = None
    abnormal_above: int = 0
    destination: str = ""
    relay: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Jobnet:
    """A root or nested jobnet.

    ``rules`` of ``None`` on a nested jobnet: it depends on its upper jobnet and has that one's schedule (rule
    book 5.1). An empty tuple: the schedule is undefined, no run is ever planned (2.6).
    """

    name: str
    comment: str = ""
    after: tuple[str, ...] = ()
    recovery: bool = False
    hold: bool = False
    rules: tuple[Rule, ...] | None = None
    units: tuple[Jobnet | Job, ...] = ()

    def rule(self, number: int) -> Rule | None:
        """Return the rule with this number, or None."""
        return next((r for r in self.rules or () if r.number == number), None)

    def walk(self, below: str = "") -> Iterator[tuple[str, Jobnet | Job]]:
        """Yield every unit below this jobnet with its path relative to it, upper before lower."""
        for unit in self.units:
            path = f"{below}/{unit.name}" if below else unit.name
            yield path, unit
            if isinstance(unit, Jobnet):
                yield from unit.walk(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobGroup:
    """A job group: a path such as ``/sales`` (``/`` is the scheduler service itself) and its own calendar."""

    path: str
    comment: str = ""
    calendar: CalendarSettings = CalendarSettings()


@dataclass(frozen=True, slots=True)
class RootDefinition:
    """A root jobnet under its full path; ``was`` is the full path it had before a renaming."""

    path: str
    jobnet: Jobnet
    was: str = ""


@dataclass(frozen=True, slots=True)
class Script:
    """A stored file: the SHA-256 of its content and the content."""

    sha256: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Definitions:
    """What a set of definition texts says: groups, root jobnets, the scripts that their jobs run, and agents."""

    groups: tuple[JobGroup, ...]
    roots: tuple[RootDefinition, ...]
    scripts: tuple[Script, ...] = ()
    agents: Agents = Agents()


def parent(path: str) -> str:
    """Return the full path of the unit above: ``/a`` for ``/a/b``, ``/`` for ``/a``."""
    return path.rpartition("/")[0] or "/"


def groups_above(path: str) -> tuple[str, ...]:
    """Return the paths of the job groups above a unit, nearest first, the service ``/`` last.

    >>> groups_above("/sales/daily-close")
    ('/sales', '/')
    """
    found = []
    while path != "/":
        path = parent(path)
        found.append(path)
    return tuple(found)
