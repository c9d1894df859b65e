"""``ajsdefine``: definitions from YAML files into the store, with what that does to the plan.

Files are read here, once; nothing else ever reads them again. A planned registration follows its new rules and
calendar at once; fixed and immediate ones do not (rule book 6.3).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from itertools import takewhile

from ajs.errors import BadValue, escaped, is_utf8
from ajs.files import MIB, open_regular, read_whole
from ajs.model import groups_above, parent
from ajs.moment import Moment
from ajs.operations.progress import Progress, counted, unwatched
from ajs.operations.service import Service
from ajs.operations.timetables import timetables
from ajs.plan import RootPlan, coming
from ajs.replanning import recalculated
from ajs.schedule import Slot, Tie, Timetable
from ajs.store import agents, log, plans, sources, units
from ajs.store.database import Reading, Writing
from ajs.store.define import Defined, apply_definitions
from ajs.store.plans import PlanChange
from ajs.store.presence import poke

AHEAD = timedelta(days=28)
"""How far ahead the plan is compared before and after."""
MARGIN = timedelta(days=7)
"""How much farther it is looked at, so that a run that only moves across the edge is seen to move."""
ENDINGS = (".yaml", ".yml")
MOST_DEFINITIONS = 64 * MIB
"""How large a definition file can be to be read at all; what one may hold is for the reader to say."""
MOST_SCRIPT = 64 * MIB
"""How large a script can be; agents take no more."""


@dataclass(frozen=True, slots=True)
class PlanDiff:
    """What new definitions do to one root's coming runs: which appear, vanish, or move, and what was lost."""

    path: str
    appear: tuple[Slot, ...]
    vanish: tuple[Slot, ...]
    move: tuple[tuple[Slot, Slot], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DefineResult:
    """What was defined and what it changed; ``operation`` is 0 for a dry run and when nothing differed.

    ``followed``: there were plans that followed the definitions, so that their runs were compared up to ``until``.
    """

    defined: Defined
    plans: tuple[PlanDiff, ...]
    until: date
    operation: int
    followed: bool = False


@dataclass(frozen=True, slots=True)
class Planned:
    """One coming run: when it lies, and the occurrences of rules that it comes from."""

    slot: Slot
    ties: frozenset[Tie]


def define(
    service: Service,
    paths: Sequence[str],
    *,
    command: Sequence[str],
    reason: str = "",
    dry_run: bool = False,
    progress: Progress = unwatched,
) -> DefineResult:
    """Read the files, or all YAML files below the folders, and store what they say in one transaction.

    Raises DefinitionError with every problem of all files, and stores nothing then.
    """
    from ajs.definition.reader import read

    texts = tuple((name, _content(name)) for name in _files(paths))
    with service.store.read() as tx:
        stored, named = agents.load(tx), sources.named(tx)
    found = read(texts, _script, stored, units=named, watch=partial(progress, "reading"))
    now = service.clock.now()
    until = now.wall + AHEAD
    with service.store.write() as tx:
        before = _Plans(tx, service, now)
        operation = log.begin(
            tx, now, os_user=service.user, verb="define", command=command, reason=reason
        )
        defined = apply_definitions(
            tx, found.groups, found.roots, found.scripts, operation, found.agents
        )
        diffs = before.follow(tx, defined, operation, until, progress) if defined.anything else ()
        log.finish(tx, operation, _summary(defined))
        if dry_run or not defined.anything:
            tx.rollback()
            return DefineResult(defined, diffs, until.date(), 0, before.followed)
    poke(service.folder)
    return DefineResult(defined, diffs, until.date(), operation, before.followed)


# -- files --


def _files(paths: Sequence[str]) -> list[str]:
    """Return the definition files that the arguments mean, each once, folders in order of name."""
    found: dict[str, None] = {}
    for path in paths:
        if os.path.isdir(path):
            inside = list(_below(path))
            if not inside:
                raise BadValue(
                    f"there is no definition file below {path}",
                    hint="definition files end in .yaml or .yml",
                    value=path,
                )
            found |= dict.fromkeys(inside)
        else:
            found[path] = None
    for path in found:
        if not is_utf8(path):
            raise BadValue(
                f"the name of the file {escaped(path)} is not UTF-8",
                hint="rename it, or the folder that it is in",
                value=escaped(path),
            )
    return list(found)


def _below(folder: str) -> Iterator[str]:
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        yield from (os.path.join(here, n) for n in sorted(names) if n.endswith(ENDINGS))


def _content(name: str) -> bytes:
    try:
        with open_regular(name) as file:
            return read_whole(file, MOST_DEFINITIONS)
    except OSError as error:
        raise BadValue(
            f"{name} cannot be read: {error.strerror}",
            hint="name a definition file, or a folder that holds some",
            value=name,
        ) from error


def _script(file: str, path: str) -> bytes:
    with open_regular(os.path.join(os.path.dirname(file), path)) as script:
        return read_whole(script, MOST_SCRIPT)


# -- what follows for the plans --


class _Plans:
    """The registered root jobnets as they were planned before the new definitions."""

    def __init__(self, tx: Reading, service: Service, now: Moment) -> None:
        self._mode = service.mode
        self._now = now
        self._roots = units.by_id(tx, plans.registered_roots(tx))
        self._plans = plans.load_plans(tx, self._roots)
        self._tables = timetables(tx, self._roots.values(), self._mode)
        self.followed = False

    def follow(
        self,
        tx: Writing,
        defined: Defined,
        operation: int,
        until: datetime,
        progress: Progress,
    ) -> tuple[PlanDiff, ...]:
        """Recalculate the plans that the definitions touch, store them, and return what changed."""
        roots = units.by_id(tx, self._roots)
        touched = {n: u for n, u in roots.items() if _touched(n, u.path, self._tables[n], defined)}
        self.followed = bool(touched)
        tables = timetables(tx, touched.values(), self._mode)
        changes, notes = [], {}
        for number in counted(progress, "planning", touched):
            before = self._plans[number]
            base_time_was = self._tables[number].calendar.base_time
            after, notes[number] = recalculated(before, tables[number], base_time_was)
            changes.append(PlanChange(number, before, after))
        saved = plans.save_plans(tx, changes, operation)
        diffs = []
        for number, unit in counted(progress, "comparing", touched.items()):
            stored = saved[number]
            if stored is None:
                continue
            old = _coming(self._plans[number], self._tables[number], until)
            new = _coming(stored, tables[number], until)
            diff = compared(unit.path, old, new, notes[number], until)
            if diff is not None:
                diffs.append(diff)
        return tuple(diffs)


def _touched(number: int, path: str, was: Timetable, defined: Defined) -> bool:
    """Whether the definitions change a root jobnet, its exclusive jobnet, or a calendar that one of them uses."""
    if number in defined.roots:
        return True
    changed = {*defined.added, *defined.changed, *(p for pair in defined.renamed for p in pair)}
    calendars = set(defined.calendars)
    table: Timetable | None = was
    while table is not None:
        groups = {table.jobnet.calendar_of or parent(path), *table.calendars}
        if any(not {group, *groups_above(group)}.isdisjoint(calendars) for group in groups):
            return True
        if table.jobnet.exclusive:
            path = f"{parent(path).rstrip('/')}/{table.jobnet.exclusive}"
            if path in changed:
                return True
        table = table.exclusive
    return False


def _coming(plan: RootPlan, timetable: Timetable, until: datetime) -> list[Planned]:
    """Return the coming runs up to a margin behind ``until``, in order."""
    end = until + MARGIN
    dummies = takewhile(lambda s: s.slot.start < end, coming(plan, timetable))
    found = [Planned(s.slot, frozenset(s.ties)) for s in dummies]
    found += [Planned(g.slot, frozenset(g.ties)) for g in plan.waiting if g.slot.start < end]
    return sorted(found, key=lambda run: (run.slot.start, run.slot.exec_date))


def compared(
    path: str,
    old: Sequence[Planned],
    new: Sequence[Planned],
    notes: tuple[str, ...],
    until: datetime,
) -> PlanDiff | None:
    """Return how two lists of coming runs differ up to ``until``.

    One run gone and one new is a move when the same occurrence of a rule makes them, or they have the same date.
    """
    before, after = {run.slot for run in old}, {run.slot for run in new}
    gone = [run for run in old if run.slot not in after]
    made = [run for run in new if run.slot not in before]
    moves = []
    for same in (_same_occurrence, _same_date):
        for was in list(gone):
            now = next((run for run in made if same(was, run)), None)
            if now is not None:
                moves.append((was.slot, now.slot))
                gone.remove(was)
                made.remove(now)
    moves = sorted(
        ((was, now) for was, now in moves if min(was.start, now.start) < until),
        key=lambda move: (move[0].start, move[0].exec_date),
    )
    appear = tuple(run.slot for run in made if run.slot.start < until)
    vanish = tuple(run.slot for run in gone if run.slot.start < until)
    if not (appear or vanish or moves or notes):
        return None
    return PlanDiff(path, appear, vanish, tuple(moves), notes)


def _same_occurrence(was: Planned, now: Planned) -> bool:
    return bool(was.ties & now.ties)


def _same_date(was: Planned, now: Planned) -> bool:
    return was.slot.exec_date == now.slot.exec_date


def _summary(defined: Defined) -> dict[str, object]:
    return {
        "added": list(defined.added),
        "changed": list(defined.changed),
        "renamed": [list(pair) for pair in defined.renamed],
        "agents_added": [name for _, name in defined.agents_added],
        "agents_changed": [name for _, name in defined.agents_changed],
    }
