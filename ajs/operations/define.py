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
from ajs.moment import Moment
from ajs.operations.progress import Progress, counted, unwatched
from ajs.operations.service import Service
from ajs.operations.timetables import timetables
from ajs.plan import RootPlan, coming
from ajs.replanning import recalculated
from ajs.schedule import Slot, Timetable
from ajs.store import agents, log, plans, units
from ajs.store.database import Reading, Writing
from ajs.store.define import Defined, apply_definitions
from ajs.store.plans import PlanChange
from ajs.store.presence import poke

AHEAD = timedelta(days=28)
"""How far ahead the plan is compared before and after."""
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
    """What was defined and what it changed; ``operation`` is 0 for a dry run and when nothing differed."""

    defined: Defined
    plans: tuple[PlanDiff, ...]
    until: date
    operation: int


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
        stored = agents.load(tx)
    found = read(texts, _script, stored, watch=partial(progress, "reading"))
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
            return DefineResult(defined, diffs, until.date(), 0)
    poke(service.folder)
    return DefineResult(defined, diffs, until.date(), operation)


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
        touched = {n: u for n, u in roots.items() if _touched(n, u.path, defined)}
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
            diff = compared(unit.path, old, new, notes[number])
            if diff is not None:
                diffs.append(diff)
        return tuple(diffs)


def _touched(number: int, path: str, defined: Defined) -> bool:
    if number in defined.roots:
        return True
    return any(group == "/" or path.startswith(f"{group}/") for group in defined.calendars)


def _coming(plan: RootPlan, timetable: Timetable, until: datetime) -> list[Slot]:
    dummies = takewhile(lambda s: s.slot.start < until, coming(plan, timetable))
    slots = [s.slot for s in dummies] + [g.slot for g in plan.waiting if g.slot.start < until]
    return sorted(slots, key=lambda s: (s.start, s.exec_date))


def compared(
    path: str, old: Sequence[Slot], new: Sequence[Slot], notes: tuple[str, ...]
) -> PlanDiff | None:
    """Return how two lists of coming runs differ; one run gone and one new on the same date is a move."""
    gone = [s for s in old if s not in new]
    made = [s for s in new if s not in old]
    moves = []
    for was in list(gone):
        same_day = [s for s in made if s.exec_date == was.exec_date]
        if same_day:
            moves.append((was, same_day[0]))
            gone.remove(was)
            made.remove(same_day[0])
    if not (gone or made or moves or notes):
        return None
    return PlanDiff(path, tuple(made), tuple(gone), tuple(moves), notes)


def _summary(defined: Defined) -> dict[str, object]:
    return {
        "added": list(defined.added),
        "changed": list(defined.changed),
        "renamed": [list(pair) for pair in defined.renamed],
        "agents_added": [name for _, name in defined.agents_added],
        "agents_changed": [name for _, name in defined.agents_changed],
    }
