"""``ajsplan``: temporary changes of planned runs, many targets in one transaction.

The plans are read, the changes computed, and then committed only where nothing has moved meanwhile. A dry run takes
the same path to its end and rolls back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ajs.changes import Change, Ground, Hold, MoveTo, apply
from ajs.changes.base import BEFORE_ITS_TURN
from ajs.changes.move import DAY_MINUTES
from ajs.changes.preview import Effect, effects
from ajs.errors import (
    AjsError,
    GenerationNotFound,
    NoSchedule,
    NothingToUndo,
    NotRegistered,
    PlanMoved,
    Refused,
)
from ajs.lifecycle import LiveGeneration, Status
from ajs.model import Job
from ajs.moment import Moment
from ajs.operations.at_once import starts_at_once
from ajs.operations.progress import Progress, counted, unwatched
from ajs.operations.running import with_plan
from ajs.operations.service import Service
from ajs.operations.targets import Filters, Name, Target, find_targets
from ajs.operations.times import odd_hour
from ajs.operations.timetables import planned_by, timetables
from ajs.plan import Generation, Passed, Phase, RootPlan, with_all_nested
from ajs.schedule import Timetable
from ajs.store import log, plans, runs
from ajs.store.database import Reading, Writing
from ajs.store.numbers import execution_id
from ajs.store.plans import PlanChange
from ajs.store.presence import poke

NOTHING_THERE = (NotRegistered, NoSchedule, NothingToUndo)
"""What leaves out a unit that was found and not named: there is nothing to change about it."""
TOKEN_HALF = 6
"""How many characters of a plan token stand for the request, and how many for the plans."""
TRIES = 5
"""How often a change is computed anew when the plan moved between the look and the commit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be changed: which units, and which changes to each, in order."""

    names: tuple[Name, ...]
    changes: tuple[Change, ...]
    filters: Filters = Filters()
    registration_number: str = ""
    keep_going: bool = False


@dataclass(frozen=True, slots=True)
class RootChanged:
    """What the command did to one root jobnet.

    ``at_once`` are the runs that then start as soon as a manager looks; ``jobs`` its jobs, which have no time of their
    own, by full path.
    """

    path: str
    effects: tuple[Effect, ...]
    notes: tuple[str, ...]
    at_once: frozenset[int] = frozenset()
    jobs: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Changed:
    """What a change command did, or would do.

    ``token`` stands for the request and the state that was looked at (``--if-plan``); ``operation`` is the entry in the
    operation log, 0 for a dry run and when everything was so already. ``refused`` are the targets left out with
    ``--keep-going``, each with its error; ``without`` those found by a pattern or a filter that have nothing to change,
    with the error that naming them would have given.
    """

    roots: tuple[RootChanged, ...]
    token: str
    operation: int
    refused: tuple[tuple[str, AjsError], ...]
    without: tuple[tuple[str, AjsError], ...] = ()


@dataclass(slots=True)
class _Root:
    """One root jobnet while its changes are computed."""

    target: Target
    timetable: Timetable
    planned_by: Timetable
    """What makes its dummies: a fixed registration has frozen that."""
    before: RootPlan
    plan: RootPlan
    live: dict[int, LiveGeneration]
    running: dict[int, Generation]
    """The generations that run, as the changes so far left them."""
    changed_running: dict[int, Generation]
    """Those of them that were changed, as they were before."""
    notes: list[str]


def change(
    service: Service,
    request: Request,
    *,
    command: Sequence[str],
    reason: str = "",
    dry_run: bool = False,
    if_plan: str = "",
    progress: Progress = unwatched,
) -> Changed:
    """Make the changes, all or nothing unless ``keep_going``, and return what they did.

    Raises the refusal of the first target that cannot be changed, or PlanMoved when ``if_plan`` is no longer the
    token of the present state.
    """
    for attempt in range(1, TRIES + 1):
        now = service.clock.now()
        with service.store.read() as tx:
            work = _Work(tx, service, request, now)
        work.compute(request, progress)
        if if_plan and if_plan != work.token:
            raise _another(if_plan, work.token)
        try:
            with service.store.write() as tx:
                found = work.commit(tx, command, reason)
                nothing = not any(root.effects for root in found.roots)
                if dry_run or nothing:
                    tx.rollback()
        except PlanMoved:
            # Somebody was faster between our look and our commit: what they made is looked at anew.
            if if_plan or attempt == TRIES:
                raise
            continue
        if dry_run or nothing:
            return replace(found, operation=0)
        poke(service.folder)
        return found
    raise AssertionError  # the last try returns or raises


def _another(given: str, token: str) -> PlanMoved:
    """Return the refusal of a token that does not stand for this request on this plan."""
    same_request = given.partition("-")[0] == token.partition("-")[0]
    what = "the plan is no longer the one" if same_request else "this is not the command"
    return PlanMoved(
        f"{what} that {given} stands for",
        hint="look at the preview again: this command with --dry-run prints the token for it",
        value=given,
    )


class _Work:
    """The plans of all roots that the targets belong to, and what the changes make of them."""

    def __init__(self, tx: Reading, service: Service, request: Request, now: Moment) -> None:
        self.service = service
        self.now = now
        self.targets = find_targets(tx, request.names, request.filters, request.registration_number)
        roots = {t.root.id: t for t in self.targets}
        stored = plans.load_plans(tx, roots)
        tables = timetables(tx, [t.root for t in roots.values()], service.mode)
        planned = planned_by(tx, stored, tables, service.mode)
        started = plans.running(tx, roots)
        wanted = [g.id for found in started.values() for g in found]
        live = runs.live(tx, wanted)
        self.roots: dict[int, _Root] = {}
        for number, target in roots.items():
            plan = stored.get(number)
            if plan is None:
                continue
            jobnet = tables[number].jobnet
            whole = tuple(with_all_nested(g, jobnet) for g in plan.generations)
            plan = replace(plan, generations=whole)
            running = {g.id: g for g in started.get(number, ())}
            self.roots[number] = _Root(
                target,
                tables[number],
                planned[number],
                plan,
                plan,
                {g: live[g] for g in running if g in live},
                running,
                {},
                [],
            )
        self.refused: list[tuple[str, AjsError]] = []
        self.without: list[tuple[str, AjsError]] = []
        self.touched: dict[int, None] = {}
        self.token = ""

    def compute(self, request: Request, progress: Progress) -> None:
        """Apply every change to every target, in order."""
        for target in counted(progress, "changing", self.targets):
            try:
                self._one(target, request.changes)
            except AjsError as error:
                if not target.named and isinstance(error, NOTHING_THERE):
                    self.without.append((target.unit.path, error))
                    continue
                if not request.keep_going or not isinstance(error, Refused | GenerationNotFound):
                    if len(self.targets) > 1:
                        error.hint += "; --keep-going changes the other units all the same"
                    raise
                self.refused.append((target.unit.path, error))
        self.token = f"{_digest(request)}-{self._plan_digest()}"
        if not self.touched:
            raise (*self.refused, *self.without)[0][1]

    def _one(self, target: Target, changes: Sequence[Change]) -> None:
        root = self.roots.get(target.root.id)
        if root is None:
            raise NotRegistered(
                f"{target.root.path} is not registered for execution, so there is no run to change",
                hint=f"register it first: ajsentry {target.root.path}",
                unit=target.root.path,
            )
        generation = _choose(root, target, changes)
        plan = root.plan
        notes = _elsewhere(root, target, generation)
        unit = target.inner
        if generation.id in root.running:
            plan = RootPlan(registration=plan.registration, generations=(generation,))
        for one in changes:
            statuses = _statuses(root, generation)
            ground = Ground(
                target.root.path,
                root.timetable,
                self.now.wall,
                statuses,
                named=target.generation is not None,
            )
            done = apply(plan, generation, unit, one, ground)
            notes += [*done.notes, *_another_day(one, unit, ground, generation, done.generation)]
            plan, generation = done.plan, done.generation
        if generation.id in root.running:
            root.changed_running.setdefault(generation.id, root.running[generation.id])
            root.running[generation.id] = generation
        else:
            root.plan = plan
        root.notes += notes
        self.touched[target.root.id] = None

    def _plan_digest(self) -> str:
        """Return what stands for the plans that the targets were looked up in."""
        seen = [
            f"{number}:{r.before.registration.version}:"
            + ",".join(f"{g}.{r.live[g].version}" for g in sorted(r.changed_running))
            for number, r in sorted(self.roots.items())
        ]
        return hashlib.sha256(" ".join(seen).encode()).hexdigest()[:TOKEN_HALF]

    # -- storing --

    def commit(self, tx: Writing, command: Sequence[str], reason: str) -> Changed:
        """Write what changed as one operation and return what it did."""
        operation = log.begin(
            tx, self.now, os_user=self.service.user, verb="plan", command=command, reason=reason
        )
        touched = [(n, self.roots[n]) for n in self.touched]
        saved = plans.save_plans(
            tx, [PlanChange(n, r.before, r.plan) for n, r in touched], operation
        )
        done = []
        fates: list[runs.Fated] = []
        why = f"prohibited by {self.service.user}" + (f": {reason}" if reason else "")
        for number, root in touched:
            after = saved[number] or root.plan
            for running in root.changed_running:
                self._save_running(tx, root, root.running[running], operation)
            fates += self._prohibited(number, root, after, operation, why)
            effects = self._effects(root, after)
            done.append(
                RootChanged(
                    root.target.root.path,
                    effects,
                    (*root.notes, *_odd_hours(effects, self.service.time_zone)),
                    self._at_once(tx, root, after),
                    _jobs(root),
                )
            )
        runs.add_fates(tx, fates, self.now)
        log.finish(tx, operation, _summary(done, self.refused))
        return Changed(tuple(done), self.token, operation, tuple(self.refused), tuple(self.without))

    def _save_running(
        self, tx: Writing, root: _Root, generation: Generation, operation: int
    ) -> None:
        live = root.live[generation.id]
        after = with_plan(live, generation)
        runs.save_live(tx, live, after, (), self.now, operation, plan=generation)

    def _prohibited(
        self, number: int, root: _Root, after: RootPlan, operation: int, why: str
    ) -> list[runs.Fated]:
        """Return the fates of the runs that the operation prohibited."""
        was = {g.id: g.phase for g in root.before.generations}
        return [
            runs.Fated(
                root=number,
                run=Passed(g.slot, g.ties, why),
                fate="prohibited",
                operation=operation,
                generation=g.id,
            )
            for g in after.generations
            if g.phase is Phase.PROHIBITED and was.get(g.id) is Phase.WAITING
        ]

    def _at_once(self, tx: Reading, root: _Root, after: RootPlan) -> frozenset[int]:
        """Return the runs whose start has passed, with nothing in their way."""
        if root.running:
            return frozenset()
        jobnet = root.timetable.jobnet
        return frozenset(g.id for g in after.waiting if starts_at_once(tx, jobnet, g, self.now))

    def _effects(self, root: _Root, after: RootPlan) -> tuple[Effect, ...]:
        path = root.target.root.path
        found = effects(path, root.before, after, root.planned_by)
        for number, before in root.changed_running.items():
            was = replace(root.before, generations=(before,))
            now = replace(root.before, generations=(root.running[number],))
            found += effects(path, was, now, root.planned_by)
        return found


def _jobs(root: _Root) -> frozenset[str]:
    path = root.target.root.path
    units = root.timetable.jobnet.walk()
    return frozenset(f"{path}/{inner}" for inner, unit in units if isinstance(unit, Job))


def _digest(request: Request) -> str:
    """Return what stands for the request: which units, and what is to become of them."""
    return hashlib.sha256(repr(request).encode()).hexdigest()[:TOKEN_HALF]


def _another_day(
    one: Change, unit: str, ground: Ground, before: Generation, after: Generation
) -> list[str]:
    """Say so when hours from 24 on lead to another execution date than the one that was typed or that the run had."""
    if unit or not isinstance(one, MoveTo) or one.minutes is None or one.minutes < DAY_MINUTES:
        return []
    day = before.slot.exec_date if one.day is None else one.day.on(ground.today)
    if after.slot.exec_date == day:
        return []
    hours = f"{one.minutes // 60}:{one.minutes % 60:02}"
    return [f"{ground.root}: {hours} is one day later: execution date {after.slot.exec_date}"]


def _odd_hours(effects: Sequence[Effect], time_zone: str) -> list[str]:
    """Say which new starts fall into an hour that the clocks leave out or show twice."""
    found = []
    for effect in effects:
        if effect.kind in ("moved", "appears") and effect.after is not None:
            start = effect.after.start
            if odd := odd_hour(start, time_zone):
                found.append(f"{effect.unit} at {start:%Y-%m-%d %H:%M}: {odd}")
    return found


def _elsewhere(root: _Root, target: Target, generation: Generation) -> list[str]:
    """Say where else the unit's turn is still to come, when a run that waits was chosen for the operator."""
    if target.generation is not None or not target.inner or generation.id in root.running:
        return []
    name = target.unit.path
    return [
        f"{name}: changed in the next run, {execution_id(generation.id)}; its turn in the running "
        f"{execution_id(number)} is still to come: {name}:{execution_id(number)} names it there"
        for number, live in root.live.items()
        if live.units[target.inner].status in BEFORE_ITS_TURN
    ]


def _statuses(root: _Root, generation: Generation) -> dict[str, Status]:
    live = root.live.get(generation.id)
    return {} if live is None else {path: run.status for path, run in live.units.items()}


def _choose(root: _Root, target: Target, changes: Sequence[Change]) -> Generation:
    """Return the generation that a command acts on: the one named, else the next one that waits.

    A release without a name acts on a running generation in which the unit is held and has not had its turn, if there
    is one: that is what an operator sees waiting.
    """
    path, inner = target.unit.path, target.inner
    if target.generation is not None:
        found = root.plan.generation(target.generation) or root.running.get(target.generation)
        if found is None:
            raise GenerationNotFound(
                f"{target.root.path} has no run {execution_id(target.generation)} that waits or runs",
                hint=f"ajsshow -g a {target.root.path} lists its runs",
                unit=path,
                value=execution_id(target.generation),
            )
        return found
    if inner and any(c == Hold(on=False) for c in changes):
        for number, live in root.live.items():
            unit = live.units[inner]
            if unit.held and unit.status in BEFORE_ITS_TURN:
                return root.running[number]
    waiting = root.plan.waiting
    if waiting:
        return waiting[0]
    prohibited = [g for g in root.plan.generations if g.phase is Phase.PROHIBITED]
    if prohibited:
        return prohibited[-1]
    if root.running:
        return root.running[max(root.running)]
    raise NoSchedule(
        f"{target.root.path} has no run that waits",
        hint=f"ajs why {target.root.path} says why",
        unit=path,
    )


def _summary(
    done: Sequence[RootChanged], refused: Sequence[tuple[str, AjsError]]
) -> dict[str, object]:
    kinds: dict[str, int] = {}
    for root in done:
        for effect in root.effects:
            kinds[effect.kind] = kinds.get(effect.kind, 0) + 1
    changed = sum(bool(root.effects) for root in done)
    return {"roots": changed, "effects": kinds, "refused": len(refused)}
