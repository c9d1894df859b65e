"""``ajsdefine``: definitions from YAML files into the store, with what that does to the plan.

Files are read here, once; nothing else ever reads them again. A planned registration follows its new rules and
calendar at once; fixed and immediate ones do not (rule book 6.3).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import partial

from ajs.errors import BadValue
from ajs.lint import Lint, Severity
from ajs.model import Definitions, Jobnet, groups_above, parent
from ajs.moment import Moment
from ajs.operations.files import definition_texts, script_text
from ajs.operations.fixed_runs import behind
from ajs.operations.lint import Linted, lint_timetables, place_of
from ajs.operations.plan_diff import PlanDiff, compared, nested_may_differ, planned_until
from ajs.operations.progress import Progress, counted, unwatched
from ajs.operations.service import Service
from ajs.operations.timetables import planned_by, timetables
from ajs.plan import RootPlan
from ajs.replanning import recalculated
from ajs.schedule import DayMode, Timetable
from ajs.store import agents, log, plans, sources, units
from ajs.store import show as stored_rows
from ajs.store.database import Reading, Writing
from ajs.store.define import Defined, apply_definitions
from ajs.store.numbers import execution_id
from ajs.store.plans import PlanChange
from ajs.store.presence import poke

AHEAD = timedelta(days=28)
"""How far ahead dummies are compared before and after when nothing is said."""


@dataclass(frozen=True, slots=True)
class Rebased:
    """A job group whose base day or base time changes under so many registered root jobnets (rule book 1.12)."""

    group: str
    what: str
    roots: int


@dataclass(frozen=True, slots=True)
class DefineResult:
    """What was defined and what it changed; ``operation`` is 0 for a dry run and when nothing differed.

    ``lints``: the warnings about the root jobnets that were added or changed, or whose calendar was.
    ``followed``: there were plans that followed the definitions, so that their runs were compared: dummies up to the
    day ``until``, real runs wherever they lie.
    """

    defined: Defined
    plans: tuple[PlanDiff, ...]
    until: date
    operation: int
    followed: bool = False
    lints: tuple[Linted, ...] = ()
    rebased: tuple[Rebased, ...] = ()


def define(
    service: Service,
    paths: Sequence[str],
    *,
    command: Sequence[str],
    reason: str = "",
    dry_run: bool = False,
    until: date | None = None,
    progress: Progress = unwatched,
) -> DefineResult:
    """Read the files, or all YAML files below the folders, and store what they say in one transaction.

    Dummies are compared up to ``until``, four weeks ahead when it is None. Raises DefinitionError with every problem
    of all files, and stores nothing then; BadValue for a date before today.
    """
    from ajs.definition.reader import read

    texts = definition_texts(paths)
    with service.store.read() as tx:
        stored, named = agents.load(tx), sources.named(tx)
        known = sources.definitions(tx, {u.definition for u in units.roots(tx) if u.definition})
    found = read(texts, script_text, stored, units=named, watch=partial(progress, "reading"))
    now = service.clock.now()
    end = _end(until, now)
    with service.store.write() as tx:
        before = _Plans(tx, service.mode, known)
        operation = log.begin(
            tx, now, os_user=service.user, verb="define", command=command, reason=reason
        )
        defined = apply_definitions(
            tx, found.groups, found.roots, found.scripts, operation, found.agents
        )
        followed = before.follow(tx, defined, operation, progress) if defined.anything else ()
        to_lint = _differing(tx, service.mode, defined, known) if defined.anything else ()
        log.finish(tx, operation, _summary(defined))
        if dry_run or not defined.anything:
            operation = 0
            tx.rollback()
    # Nobody waits for what only tells of the change: it is worked out from values, with the database let go.
    if operation:
        poke(service.folder)
    diffs = tuple(_diffs(followed, end, progress))
    lints = _lints(to_lint, service, found, progress)
    rebased = _rebased([one.defined for one in followed])
    until = until or end.date()
    return DefineResult(defined, diffs, until, operation, bool(followed), lints, rebased)


def _end(until: date | None, now: Moment) -> datetime:
    """Return the instant up to which dummies are compared."""
    if until is None:
        return now.wall + AHEAD
    if until < now.wall.date():
        raise BadValue(
            f"--until {until} is over",
            hint="it is the last day whose coming runs are compared: today or later",
            value=str(until),
        )
    return datetime.combine(until, time()) + timedelta(days=1)


def _differing(
    tx: Reading, mode: DayMode, defined: Defined, known: Mapping[str, Jobnet]
) -> list[tuple[str, Timetable]]:
    """Return the root jobnets that are other ones now, or whose calendar is, by path."""
    new = {*defined.added, *defined.changed}
    roots = [root for root in units.roots(tx) if defined.calendars or root.path in new]
    tables = timetables(tx, roots, mode, known)
    return [
        (root.path, tables[root.id])
        for root in roots
        if not defined.calendars or _touched(root.id, root.path, tables[root.id], defined)
    ]


def _lints(
    tables: Sequence[tuple[str, Timetable]],
    service: Service,
    found: Definitions,
    progress: Progress,
) -> tuple[Linted, ...]:
    """Return the warnings about what is another one now: what can never run, or is dropped, as things stand."""
    return tuple(
        Linted(one, place_of(found, one))
        for one in lint_timetables(tables, service, progress)
        if one.lint.severity is Severity.WARN and one.lint is not Lint.CLOSED_DAYS_END
    )


# -- what follows for the plans --


@dataclass(frozen=True, slots=True)
class _Followed:
    """A registered root jobnet that the definitions touch: its plan, and what makes its runs, before and after.

    ``defined`` are the timetables of what is defined, before and after; ``was`` and ``now`` those from which the plan
    is computed, which are what was frozen where it is fixed. ``lost`` says what the plan lost on the way, ``told`` what
    else is to be said of it.
    """

    path: str
    before: RootPlan
    after: RootPlan
    was: Timetable
    now: Timetable
    defined: tuple[Timetable, Timetable]
    lost: tuple[str, ...]
    told: tuple[str, ...]


class _Plans:
    """The registered root jobnets as they were planned before the new definitions."""

    def __init__(self, tx: Reading, mode: DayMode, known: Mapping[str, Jobnet]) -> None:
        self._mode = mode
        self._known = known
        self._roots = units.by_id(tx, plans.registered_roots(tx))
        self._plans = plans.load_plans(tx, self._roots)
        self._defined = timetables(tx, self._roots.values(), mode, known)
        self._tables = planned_by(tx, self._plans, self._defined, mode)

    def follow(
        self, tx: Writing, defined: Defined, operation: int, progress: Progress
    ) -> tuple[_Followed, ...]:
        """Recalculate the plans that the definitions touch, store them, and return all these."""
        roots = units.by_id(tx, self._roots)
        touched = {n: u for n, u in roots.items() if _touched(n, u.path, self._tables[n], defined)}
        defined_now = timetables(tx, touched.values(), self._mode, self._known)
        tables = planned_by(tx, {n: self._plans[n] for n in touched}, defined_now, self._mode)
        changes, notes = [], {}
        for number in counted(progress, "planning", touched):
            before = self._plans[number]
            base_time_was = self._tables[number].calendar.base_time
            after, notes[number] = recalculated(before, tables[number], base_time_was)
            changes.append(PlanChange(number, before, after))
        saved = plans.save_plans(tx, changes, operation)
        going_on = self._going_on(tx, defined)
        return tuple(
            _Followed(
                path=unit.path,
                before=self._plans[number],
                after=stored,
                was=self._tables[number],
                now=tables[number],
                defined=(self._defined[number], defined_now[number]),
                lost=notes[number],
                told=going_on.get(number, ()),
            )
            for number, unit in touched.items()
            if (stored := saved[number]) is not None
        )

    def _going_on(self, tx: Reading, defined: Defined) -> dict[int, tuple[str, ...]]:
        """Return a note for each root with a new definition of which a run goes on with the one before."""
        changed = [number for number in defined.roots if number in self._roots]
        found: dict[int, tuple[str, ...]] = {}
        for run in stored_rows.generations(tx, changed, phase="running") if changed else ():
            text = f"the run {execution_id(run.id)} that goes on keeps the definition with which it started"
            found[run.root] = (*found.get(run.root, ()), text)
        return found


def _diffs(
    followed: Sequence[_Followed], until: datetime, progress: Progress
) -> Iterator[PlanDiff]:
    """Yield what changed in plans that followed, up to ``until``."""
    for one in counted(progress, "comparing", followed):
        told = (*one.lost, *one.told, *behind(one.after, one.was, one.defined[1]))
        nested = nested_may_differ(one.was, one.now)
        old = planned_until(one.before, one.was, until, one.after, nested=nested)
        new = planned_until(one.after, one.now, until, one.before, nested=nested)
        diff = compared(one.path, old, new, told, until)
        if diff is not None:
            yield replace(diff, notes=(*diff.notes, *_surviving(one.after, one.lost)))


def _rebased(tables: Sequence[tuple[Timetable, Timetable]]) -> tuple[Rebased, ...]:
    """Return whose base day or base time becomes another one, from timetables before and after."""
    counts: Counter[tuple[str, str]] = Counter()
    for before, after in tables:
        was, now = before.calendar, after.calendar
        for what in ("base_day", "base_time"):
            if getattr(was, what) != getattr(now, what):
                old = {group: getattr(own, what) for group, own in was.settings}
                new = {group: getattr(own, what) for group, own in now.settings}
                both = [*new, *(group for group in old if group not in new)]
                group = next((g for g in both if old.get(g) != new.get(g)), both[0])
                counts[group, what.replace("_", " ")] += 1
    return tuple(Rebased(group, what, roots) for (group, what), roots in counts.items())


def _surviving(plan: RootPlan, told: Sequence[str]) -> Iterator[str]:
    """Yield what stays of temporary changes and is not told of yet: nothing that was changed goes without a word."""
    for run in plan.waiting:
        at = f"{run.slot.start:%Y-%m-%d %H:%M}"
        if any(at in text for text in told):
            continue
        lower = any(n.fixed or n.prohibited for n in run.nested.values())
        if run.changed or run.kept:
            yield f"the start changed to {at} stays"
        elif run.holds or run.attributes or run.prohibited or lower:
            yield f"what was changed in the run of {at} stays"


def _touched(number: int, path: str, was: Timetable, defined: Defined) -> bool:
    """Whether the definitions change a root jobnet, its exclusive jobnet, or a calendar that one of them uses."""
    if number in defined.roots:
        return True
    if any(path == new and parent(old) != parent(new) for old, new in defined.renamed):
        # It stands in another group now, under that one's calendar.
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


def _summary(defined: Defined) -> dict[str, object]:
    return {
        "added": list(defined.added),
        "changed": list(defined.changed),
        "renamed": [list(pair) for pair in defined.renamed],
        "agents_added": [name for _, name in defined.agents_added],
        "agents_changed": [name for _, name in defined.agents_changed],
    }
