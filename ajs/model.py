"""Units as they are defined: job groups, jobnets, jobs, their relations and paths.

Everything here is checked by the reader in ``definition`` before it is made; nothing inside re-checks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum

from ajs.agents import Agents
from ajs.calendar import CalendarSettings
from ajs.errors import Place
from ajs.rules import Rule

NAME_BYTES = 30
"""Longest unit name in bytes of UTF-8 (commands.md 1)."""
PATH_BYTES = 930
"""Longest full name of a unit in bytes of UTF-8 (commands.md 1)."""


LOGS_TO_KEEP = 31
"""How many ended runs of a root jobnet are kept unless its definition says otherwise. AJS3 keeps 1 (rule book 2.3)."""


class Overlap(Enum):
    """What a start does while an earlier run of the same root jobnet goes on (rule book 6.9)."""

    SKIP = "skip"
    """Schedule skip: it does not run."""
    MULTI = "multi"
    """Multi-schedule: it waits, and starts when the earlier one has ended."""
    CONCURRENT = "concurrent"
    """Multi-schedule with concurrent execution: it starts beside the earlier one."""


class HoldIf(Enum):
    """After which end of the run before it a root jobnet is held at its start (commands.md 3.7)."""

    ABNORMAL = "abnormal"
    """Held when that one ended abnormally."""
    WARNING = "warning"
    """Held when that one ended abnormally or with warning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job that runs a command or a stored script, on this machine unless it is a flexible job.

    A flexible job is one with a ``destination``, the name of where it runs; ``relay`` names the agent or agent group
    through which that is reached, "" for directly, and ``work_dir`` is a folder there.

    ``command`` is a line for ``/bin/sh -c``; ``script`` the SHA-256 of a stored file, run as a program with
    ``command`` as its argument line. A return code above ``abnormal_above`` ends abnormally, above ``warning_above``
    with warning (execution.md 1.2: thresholds wth and tho). ``priority`` of None is that of the upper jobnet.
    """

    name: str
    comment: str = ""
    after: tuple[str, ...] = ()
    recovery: bool = False
    hold: bool = False
    priority: int | None = None
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

    ``valid_until`` is the last date on which rules plan a run (3.14); ``calendar_of`` the path of the job group whose
    calendar is used, "" for its own (1.6); ``exclusive`` the name of a jobnet beside it: on a day on which that one is
    scheduled, this one is not (3.15). ``priority`` of None is that of the upper jobnet, 1 on a root.
    ``required_time`` is how many minutes a run may take before its end counts as delayed. ``overlap``, ``logs_to_keep``
    and ``hold_if`` mean something on a root only.
    """

    name: str
    comment: str = ""
    after: tuple[str, ...] = ()
    recovery: bool = False
    hold: bool = False
    priority: int | None = None
    rules: tuple[Rule, ...] | None = None
    units: tuple[Jobnet | Job, ...] = ()
    valid_until: date | None = None
    calendar_of: str = ""
    exclusive: str = ""
    overlap: Overlap = Overlap.SKIP
    logs_to_keep: int = LOGS_TO_KEEP
    hold_if: HoldIf | None = None
    required_time: int | None = None

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
    """A job group: a path such as ``/sales`` (``/`` is the scheduler service itself) and its own calendar.

    In a ``planning`` group root jobnets are registered for fixed execution only (rule book 6.1). What is None is not
    given: it stays as it is stored, and nothing is set where nothing is stored.
    """

    path: str
    comment: str | None = None
    calendar: CalendarSettings | None = None
    planning: bool | None = None


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
    """What a set of definition texts says: groups, root jobnets, the scripts that their jobs run, and agents.

    ``places`` says where in the texts it stands: (full path, 0) → a unit, (full path of a jobnet, number) → a rule.
    """

    groups: tuple[JobGroup, ...]
    roots: tuple[RootDefinition, ...]
    scripts: tuple[Script, ...] = ()
    agents: Agents = Agents()
    places: Mapping[tuple[str, int], Place] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class StoredUnits:
    """The units that are stored already, as far as new definitions can name them.

    ``groups`` are the paths of job groups, each with whether it is a planning group; ``roots`` those of root jobnets,
    each with the name of its exclusive jobnet.
    """

    groups: Mapping[str, bool] = field(default_factory=dict)
    roots: Mapping[str, str] = field(default_factory=dict)


NOTHING_STORED = StoredUnits()


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
