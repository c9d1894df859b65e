"""``ajs why``: one chain of reasons for a run, past, present or coming, and for a day without one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import takewhile

from ajs.causes import Cause
from ajs.choices import OVERDUE
from ajs.errors import GenerationNotFound, WrongKind
from ajs.model import Jobnet
from ajs.operations.row_changes import RowChange, changes_of, kills
from ajs.operations.service import Service
from ajs.operations.show_long import Happened
from ajs.operations.targets import Filters, Name, Target, find_targets
from ajs.operations.times import local, odd_hour
from ajs.operations.timetables import planned_by, timetables
from ajs.operations.waits import Stand, late, stands
from ajs.plan import Generation, Method, RootPlan, coming, generation_for
from ajs.reasons import Reason
from ajs.schedule import Slot, Start, Tie, Timetable
from ajs.statuses import Status
from ajs.store import gone, log, plans, units
from ajs.store import show as stored
from ajs.store.database import Reading
from ajs.store.log import Operation
from ajs.store.rows import generation_from
from ajs.store.show import FateRow, GenerationRow, RegistrationRow

TAKEN_OUT = ("prohibited", "cancelled")
"""Fates of runs that somebody took out of the plan, who can put them back."""


@dataclass(frozen=True, slots=True)
class Changed:
    """An operation that changed a run, and what of it."""

    operation: Operation
    changes: tuple[RowChange, ...]


@dataclass(frozen=True, slots=True)
class TakenBack:
    """A prohibition of ``unit`` that no longer holds: the operation that made it, and the one that took it back."""

    unit: str
    made: Operation
    back: Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyRun:
    """Why one run is as it is.

    ``slot`` is where it lies, ``original`` where it lay before temporary changes, ``start`` when the unit itself is to
    start, where that has a time of its own. ``clock_change`` says what becomes of a start in an hour that the clocks
    leave out or show twice, "" for any other. ``chain`` leads from the unit's status to the one that caused it all;
    ``waiting`` are units below it that wait, ``delays`` what came too late. Without a generation it is a dummy.
    """

    generation: GenerationRow | None
    slot: Slot
    original: Slot
    status: Status | None
    start: datetime | None
    nested: tuple[Reason, ...]
    changes: tuple[Changed, ...]
    clock_change: str
    taken_back: tuple[TakenBack, ...] = ()
    chain: tuple[Stand, ...] = ()
    waiting: tuple[Stand, ...] = ()
    delays: tuple[Happened, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """The reasons for one unit on one execution date.

    ``deleted`` is the operation that deleted the unit, None for one that is there. ``rules`` are the root's on ``day``
    and on the days that its runs come from; empty when rules are not used.
    ``passed`` says why the plan has no run although the rules give one: ``moved_past`` (by the run ``mover``),
    ``had_its_turn``, ``went_by`` (also of some runs of a day that has others: ``gone``), ``none_waits``,
    ``not_registered``, or "". ``fates`` are those that hold, with real times in the
    service's time zone; ``lapsed`` those of a cancelled registration whose runs are there again, since it was
    registered anew. ``if_registered`` are the runs that the day would have, were the root jobnet registered now,
    each with the reasons of a nested jobnet in it.
    """

    unit: str
    root: str
    kind: str
    deleted: Operation | None
    day: date
    registration: RegistrationRow | None
    rules: tuple[tuple[date, tuple[Reason, ...]], ...]
    runs: tuple[WhyRun, ...]
    fates: tuple[FateRow, ...]
    lapsed: tuple[FateRow, ...]
    passed: str
    gone: tuple[Slot, ...]
    mover: WhyRun | None
    manager_runs: bool
    if_registered: tuple[tuple[Slot, tuple[Reason, ...]], ...] = ()


def why(
    service: Service, name: Name, day: date | None = None, registration_number: str = ""
) -> Why:
    """Return the reasons for the unit named on an execution date, or for one run of it.

    Without either: for the run that goes on, else the next one, else the last one; for an unregistered jobnet today, by
    its rules as if it were registered now. Raises UnitNotFound, GenerationNotFound; WrongKind for a job group.
    """
    now = service.clock.now()
    with service.store.read() as tx:
        target = _target(tx, name, registration_number)
        return _Explaining(tx, service, target, now.wall).why(day, service.manager_runs())


def _target(tx: Reading, name: Name, registration_number: str) -> Target:
    unit = units.by_path(tx, name.path)
    if unit is not None and unit.kind == units.GROUP and unit.deleted is None:
        raise WrongKind(
            f"{unit.path} is a job group, and a job group itself is not run",
            hint=f"name a jobnet or a job in it; ajsshow -R {unit.path} lists them",
            unit=unit.path,
        )
    found = find_targets(tx, [name], Filters(), registration_number, deleted=True)
    if len(found) > 1:
        raise WrongKind(
            f"{name.path} means {len(found)} units; one at a time is explained",
            hint="write the full name of one of them",
            unit=name.path,
        )
    return found[0]


class _Explaining:
    """Everything known of one root jobnet, read within one consistent look."""

    def __init__(self, tx: Reading, service: Service, target: Target, now: datetime) -> None:
        self.tx = tx
        self.target = target
        self.now = now
        root = target.root
        self.registration = next(iter(stored.registrations(tx, [root.id])), None)
        self.plan = plans.load_plan(tx, root.id)
        found = {} if self.plan is None else {root.id: self.plan}
        tables = timetables(tx, [root], service.mode)
        self.timetable: Timetable = planned_by(tx, found, tables, service.mode)[root.id]
        self.deleted = None if root.deleted is None else log.entry(tx, root.deleted)
        self.rows = stored.generations(tx, [root.id])
        self.clock = service.clock
        self.time_zone = service.time_zone
        self.local = local(service.time_zone)

    def why(self, asked: date | None, manager_runs: bool) -> Why:
        rows, day = self._runs(asked)
        days = {day} | {date.fromisoformat(row.original_exec_date) for row in rows}
        rules: tuple[tuple[date, tuple[Reason, ...]], ...] = ()
        if self._by_its_rules and self.deleted is None:
            registered = self._registered()
            catch_up = self.plan is None or self.plan.registration.catch_up
            rules = tuple(
                (one, self.timetable.explain(registered, one, catch_up=catch_up))
                for one in sorted(days)
            )
        runs = [self._run(row) for row in rows]
        given = self._by_rules(day)
        gone: list[Start] = []
        if self.plan is not None and self.target.generation is None:
            kept = {g.kept.slot for g in self.plan.generations if g.kept is not None}
            for start in self._dummies(self.plan, day):
                if start.slot.start > self.now - OVERDUE or start.slot in kept:
                    runs.append(self._dummy(start, self.plan))
                else:
                    gone.append(start)
        runs.sort(key=lambda run: run.slot)
        fates, lapsed = self._fates(day, runs)
        lost = bool(given) and not runs and not fates and self.plan is not None
        mover = self._mover(given) if lost else None
        passed = ""
        if lost and self.plan is not None and not self.plan.registration.has_dummies:
            ran = self.plan.registration.done.issuperset
            passed = "had_its_turn" if all(ran(s.ties) for s in given) else "not_registered"
        elif lost:
            passed = self._gone_by() if gone else "had_its_turn" if mover is None else "moved_past"
        elif gone:
            passed = self._gone_by()
        return Why(
            unit=self.target.unit.path,
            root=self.target.root.path,
            kind=self.target.unit.kind,
            deleted=self.deleted,
            day=day,
            registration=self.registration,
            rules=rules,
            runs=tuple(runs),
            fates=fates,
            lapsed=lapsed,
            passed=passed,
            gone=tuple(start.slot for start in gone),
            mover=mover,
            manager_runs=manager_runs,
            if_registered=tuple(
                (start.slot, nested)
                for start in (given if self.plan is None and self.deleted is None else ())
                if (nested := self._nested(start.slot, start.ties))
            ),
        )

    def _gone_by(self) -> str:
        """Return what is in the way of dummies whose time has passed."""
        return "went_by" if self.plan is not None and self.plan.waiting else "none_waits"

    # -- which runs, which day --

    def _runs(self, asked: date | None) -> tuple[list[GenerationRow], date]:
        """Return the stored runs that the question is about, and the execution date."""
        number = self.target.generation
        if number is not None:
            rows = [row for row in self.rows if row.id == number]
            if not rows:
                gone.refuse(self.tx, self.target.root, number)
                raise GenerationNotFound(
                    f"{self.target.root.path} has no such run",
                    hint=f"ajsshow -g a {self.target.root.path} lists its runs",
                    unit=self.target.root.path,
                )
            return rows, date.fromisoformat(rows[0].exec_date)
        if asked is None:
            current = stored.current(self.tx, [self.target.root.id])
            gone_on = self.registration is not None or self.deleted is not None
            if not current or not (gone_on or current[0].phase == "running"):
                return [], self.timetable.day_of(self.now)
            return current, date.fromisoformat(current[0].exec_date)
        text = asked.isoformat()
        return [row for row in self.rows if text in (row.exec_date, row.original_exec_date)], asked

    @property
    def _by_its_rules(self) -> bool:
        """Whether rules count: not for immediate runs, nor for those registered for a date and time."""
        if self.plan is None:
            return True
        registration = self.plan.registration
        return registration.method is Method.PLANNED or registration.frozen is not None

    def _registered(self) -> datetime:
        """Return the moment from which the rules count: now, for what is not registered."""
        if self.registration is None:
            return self.now
        return datetime.fromisoformat(self.registration.registered)

    def _by_rules(self, day: date) -> list[Start]:
        """Return the starts that the rules give an execution date."""
        if not self._by_its_rules:
            return []
        _, end = self.timetable.window(day)
        catch_up = self.plan is None or self.plan.registration.catch_up
        starts = self.timetable.starts(self._registered(), day, catch_up=catch_up)
        near = takewhile(lambda start: start.slot.start < end + timedelta(days=1), starts)
        return [start for start in near if start.slot.exec_date == day]

    def _dummies(self, plan: RootPlan, day: date) -> list[Start]:
        """Return the dummies of an execution date."""
        if not plan.registration.has_dummies:
            return []
        _, end = self.timetable.window(day)
        near = takewhile(
            lambda start: start.slot.start < end + timedelta(days=1), coming(plan, self.timetable)
        )
        return [start for start in near if start.slot.exec_date == day]

    def _mover(self, given: Sequence[Start]) -> WhyRun | None:
        """Return the run that was moved past one of the starts that the rules give."""
        for one in self.plan.waiting if self.plan is not None else ():
            if any(one.original < start.slot and not one.slot < start.slot for start in given):
                return next((self._run(row) for row in self.rows if row.id == one.id), None)
        return None

    def _fates(
        self, day: date, runs: Sequence[WhyRun]
    ) -> tuple[tuple[FateRow, ...], tuple[FateRow, ...]]:
        """Return the fates of an execution date that hold, and those whose run was planned anew.

        A prohibition or cancellation that was taken back is told by the run itself.
        """
        every = [
            fate._replace(started=self.local(fate.started), ended=self.local(fate.ended))
            for fate in stored.fates(self.tx, [self.target.root.id])
        ]
        phases = {row.id: row.phase for row in self.rows}
        newest = {fate.generation: fate.id for fate in sorted(every, key=lambda fate: fate.id)}
        originals = {run.original.start.isoformat() for run in runs}
        holding: list[FateRow] = []
        lapsed: list[FateRow] = []
        for fate in every:
            if fate.exec_date != day.isoformat():
                continue
            phase = phases.get(fate.generation or 0)
            if fate.fate not in TAKEN_OUT:
                holding.append(fate)
            elif phase is None:
                (lapsed if fate.start in originals else holding).append(fate)
            elif phase == "prohibited" and fate.id == newest[fate.generation]:
                holding.append(fate)
        return tuple(holding), tuple(lapsed)

    # -- one run --

    def _run(self, row: GenerationRow) -> WhyRun:
        generation = generation_from(
            *(row.id, row.method, row.phase, row.start, row.exec_date, row.original_start),
            *(row.original_exec_date, row.ties, row.kept, row.added, row.nested, row.holds),
            *(row.prohibited_units, row.attributes, row.version),
        )
        inner = self.target.inner
        changes = self._changes(row)
        all_stands = stands(self.tx, row, self.clock.now())
        return WhyRun(
            generation=row,
            slot=generation.slot,
            original=generation.original,
            status=Status[all_stands[inner].status] if inner in all_stands else None,
            start=self._start(generation),
            # No rule counts inside a run that was registered for a date and time.
            nested=() if row.added else self._nested(generation.original, _ties(generation)),
            changes=changes,
            clock_change=self._clock_change(generation),
            taken_back=tuple(_taken_back(changes)),
            chain=_chain(all_stands, inner),
            waiting=tuple(
                stand
                for path, stand in all_stands.items()
                if path != inner
                and (not inner or path.startswith(f"{inner}/"))
                and Status[stand.status].waiting
                and row.phase == "running"
            ),
            delays=late(self.tx, row, inner),
        )

    def _dummy(self, start: Start, plan: RootPlan) -> WhyRun:
        generation = generation_for(start, plan.registration, self.timetable)
        return WhyRun(
            generation=None,
            slot=start.slot,
            original=start.slot,
            status=None,
            start=self._start(generation),
            nested=self._nested(start.slot, start.ties),
            changes=(),
            clock_change=self._clock_change(generation),
        )

    def _clock_change(self, generation: Generation) -> str:
        return odd_hour(self._start(generation) or generation.slot.start, self.time_zone)

    def _start(self, generation: Generation) -> datetime | None:
        plan = generation.nested.get(self.target.inner)
        return None if plan is None else plan.start

    def _nested(self, slot: Slot, ties: tuple[Tie, ...]) -> tuple[Reason, ...]:
        """Return why the nested jobnet, or the one that holds the job, starts in a run as its rules say."""
        path = self.target.inner
        if path and not isinstance(_unit_at(self.timetable.jobnet, path), Jobnet):
            path = path.rpartition("/")[0]
        if not path or not ties:
            return ()
        chains = self.timetable.explain_nested(self._registered(), slot.exec_date, slot.start, ties)
        return chains.get(path, ())

    def _changes(self, row: GenerationRow) -> tuple[Changed, ...]:
        """Return what operations did to the run as far as the unit is concerned, oldest first."""
        found = []
        unit = self.target.unit.path
        for operation, image in log.touching(self.tx, "generation", row.id):
            mine = tuple(
                change
                for change in (
                    *changes_of(image, self.target.root.path),
                    *kills(self.tx, operation.id),
                )
                if change.run in ("", row.execution_id)
                and (f"{unit}/".startswith(f"{change.unit}/") or change.unit.startswith(f"{unit}/"))
            )
            if mine:
                found.append(Changed(operation, mine))
        return tuple(found)


def prohibits(change: RowChange) -> bool | None:
    """Whether a change prohibits a unit (True) or takes that back (False); None when it does neither.

    >>> prohibits(RowChange(what="prohibition", unit="/a/x", before="", after="yes"))
    True
    """
    if change.what == "run_phase" and "prohibited" in (change.before, change.after):
        return change.after == "prohibited"
    return change.after == "yes" if change.what == "prohibition" else None


def _taken_back(changes: Sequence[Changed]) -> Iterator[TakenBack]:
    """Yield the prohibitions among the changes of a run that a later one of them took back."""
    made: dict[str, Operation] = {}
    for changed in changes:
        for change in changed.changes:
            on = prohibits(change)
            if on:
                made[change.unit] = changed.operation
            elif on is False and change.unit in made:
                yield TakenBack(change.unit, made.pop(change.unit), changed.operation)


def _ties(generation: Generation) -> tuple[Tie, ...]:
    return generation.kept.ties if generation.kept is not None else generation.ties


def _unit_at(root: Jobnet, path: str) -> object:
    return next((unit for found, unit in root.walk() if found == path), None)


def _chain(every: dict[str, Stand], path: str) -> tuple[Stand, ...]:
    """Return a unit's stand, then that of the unit which caused it, and so on; each unit once."""
    chain: list[Stand] = []
    seen: set[str] = set()
    while path in every and path not in seen:
        seen.add(path)
        stand = every[path]
        chain.append(stand)
        cause: Cause | None = stand.cause
        if cause is None or not cause.unit:
            break
        path = cause.unit
    return tuple(chain)
