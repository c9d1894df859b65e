"""``ajskill`` and ``ajsintrpt``: ending what runs, at once or softly.

Both only write down what an operator wants; the manager carries it out. A kill concerns what goes on in a unit at this
moment: its processes are ended, and what still waits below a jobnet is not started. An interruption lets the jobs of a
root jobnet come to their end and starts nothing new (execution.md 3.8).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ajs.causes import Asked
from ajs.errors import AjsError, GenerationNotFound, NotRunning, Refused, WrongKind
from ajs.lifecycle import NOT_LET_GO, RUNNING, LiveGeneration, Status
from ajs.model import Job, Jobnet
from ajs.operations.running import GOES_ON, below, with_kill
from ajs.operations.service import Service
from ajs.operations.targets import Filters, Name, Target, find_targets
from ajs.store import log, plans, runs
from ajs.store import show as stored
from ajs.store.database import Reading
from ajs.store.numbers import execution_id
from ajs.store.presence import poke
from ajs.store.units import ROOT


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What is to be ended: which units, in which runs, and whether to go on where one is refused."""

    names: tuple[Name, ...]
    filters: Filters = Filters()
    registration_number: str = ""
    keep_going: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One unit in one run that is ended: its jobs that go on, by full path, and how many units will not start.

    ``already`` says who had it ended before, and why; "" when this operation does.
    """

    unit: str
    execution_id: str
    is_job: bool
    jobs: tuple[str, ...]
    waiting: int
    already: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """What a kill or an interruption did, or would do.

    ``operation`` is the entry in the operation log, 0 for a dry run and when all was ordered already. ``refused`` are
    the targets left out, each with its error.
    """

    hits: tuple[Hit, ...]
    operation: int
    refused: tuple[tuple[str, AjsError], ...]


def kill(
    service: Service,
    ending: Ending,
    *,
    command: Sequence[str],
    reason: str = "",
    dry_run: bool = False,
) -> Ended:
    """Have jobs killed, and jobnets with everything below them; with ``-R`` what does not go on is passed over.

    Raises the refusal of the first target unless others are done: NotRunning, GenerationNotFound.
    """
    return _end(service, ending, _kill, "kill", command, reason, dry_run=dry_run)


def interrupt(
    service: Service,
    ending: Ending,
    *,
    command: Sequence[str],
    reason: str = "",
    dry_run: bool = False,
) -> Ended:
    """Have root jobnets interrupted; with ``-R`` what is no root jobnet, or does not run, is passed over.

    Raises the refusal of the first target unless others are done: NotRunning, WrongKind, GenerationNotFound.
    """
    return _end(service, ending, _interrupt, "intrpt", command, reason, dry_run=dry_run)


_How = Callable[[Target, LiveGeneration, Asked], tuple[LiveGeneration, Hit]]


def _end(
    service: Service,
    ending: Ending,
    how: _How,
    verb: str,
    command: Sequence[str],
    reason: str,
    *,
    dry_run: bool,
) -> Ended:
    now = service.clock.now()
    with service.store.write() as tx:
        targets = find_targets(tx, ending.names, ending.filters, ending.registration_number)
        operation = log.begin(
            tx, now, os_user=service.user, verb=verb, command=command, reason=reason
        )
        order = Asked(operation, service.user, reason)
        going_on = _GoingOn(tx, targets)
        after = dict(going_on.live)
        hits: list[Hit] = []
        refused: list[tuple[str, AjsError]] = []
        for target in targets:
            try:
                number = going_on.generation(target)
                if going_on.covered(target, number):
                    continue
                after[number], hit = how(target, after[number], order)
                hits.append(hit)
            except AjsError as error:
                if not isinstance(error, Refused | GenerationNotFound):
                    raise
                refused.append((target.unit.path, error))
        _raise_first(refused, ending, targets, hits)
        if ending.filters.recursive:
            refused = [
                (path, e) for path, e in refused if not isinstance(e, NotRunning | WrongKind)
            ]
        changed = [n for n, live in after.items() if live is not going_on.live[n]]
        for number in changed:
            runs.save_live(tx, going_on.live[number], after[number], (), now, operation)
        log.finish(
            tx,
            operation,
            {
                "runs": len(changed),
                "jobs": sum(len(hit.jobs) for hit in hits if not hit.already),
                "refused": len(refused),
            },
        )
        nothing = dry_run or not changed
        if nothing:
            tx.rollback()
    if not nothing:
        poke(service.folder)
    return Ended(tuple(hits), 0 if nothing else operation, tuple(refused))


def _raise_first(
    refused: Sequence[tuple[str, AjsError]],
    ending: Ending,
    targets: Sequence[Target],
    hits: Sequence[Hit],
) -> None:
    """Raise the first refusal when nothing is left to do, or when all or nothing was asked for."""
    counted = refused
    if ending.filters.recursive and hits:
        counted = [(p, e) for p, e in refused if not isinstance(e, NotRunning | WrongKind)]
    if not counted or (hits and ending.keep_going):
        return
    error = counted[0][1]
    if hits and len(targets) > 1:
        error.hint += "; --keep-going ends the other units all the same"
    raise error


class _GoingOn:
    """The runs of the targets' root jobnets that go on."""

    def __init__(self, tx: Reading, targets: Sequence[Target]) -> None:
        self._tx = tx
        self._found = plans.running(tx, {t.root.id for t in targets})
        self.live = runs.live(tx, [g.id for found in self._found.values() for g in found])
        self._named = {(t.unit.path, self._number(t)) for t in targets}

    def _number(self, target: Target) -> int | None:
        newest = max((g.id for g in self._found.get(target.root.id, ())), default=None)
        return newest if target.generation is None else target.generation

    def covered(self, target: Target, number: int) -> bool:
        """Whether a unit above this one was named for the same run too."""
        path = target.unit.path
        while path != target.root.path:
            path = path.rpartition("/")[0]
            if (path, number) in self._named:
                return True
        return False

    def generation(self, target: Target) -> int:
        """Return the run that a target means: the one named, else the one that goes on."""
        path, number = target.unit.path, self._number(target)
        if number is None:
            raise NotRunning(
                f"no run of {target.root.path} goes on",
                hint=f"ajsshow {target.root.path} shows it; "
                "a run that waits is kept from starting with ajsplan --prohibit",
                unit=path,
            )
        if number in self.live:
            return number
        name = execution_id(number)
        row = next((r for r in stored.some(self._tx, [number]) if r.root == target.root.id), None)
        if row is None:
            stored.refuse_no_longer_kept(self._tx, target.root, number)
            raise GenerationNotFound(
                f"{target.root.path} has no run {name}",
                hint=f"ajsshow -g a {target.root.path} lists its runs",
                unit=path,
                value=name,
            )
        status = Status[row.status]
        raise _not_running(f"{target.root.path}:{name}", status, f"{path}:{name}")


def _not_running(what: str, status: Status, unit: str) -> NotRunning:
    if status.ended:
        return NotRunning(
            f"{what} has ended already: {status.text}",
            hint=f"ajs why {unit} says why",
            unit=unit,
        )
    return NotRunning(
        f"{what} has not started: {status.text}",
        hint=f"keep it from starting: ajsplan --prohibit {unit}",
        unit=unit,
    )


def _kill(target: Target, live: LiveGeneration, order: Asked) -> tuple[LiveGeneration, Hit]:
    run = live.units.get(target.inner)
    unit = f"{target.unit.path}:{live.execution_id}"
    if run is None:
        raise NotRunning(
            f"{unit} is not part of this run, which started before it was defined",
            hint=f"ajsshow -R {target.root.path}:{live.execution_id} shows what is",
            unit=unit,
        )
    if run.status not in GOES_ON:
        raise _not_running(unit, run.status, unit)
    after = with_kill(live, target.inner, order)
    already = "" if after is not live or run.kill_asked is None else run.kill_asked.text
    return after, _hit(target, live, GOES_ON, already)


def _interrupt(target: Target, live: LiveGeneration, order: Asked) -> tuple[LiveGeneration, Hit]:
    if target.unit.kind != ROOT:
        kind = (
            "job"
            if isinstance(dict(live.definition.walk()).get(target.inner), Job)
            else "nested jobnet"
        )
        raise WrongKind(
            f"{target.unit.path} is a {kind}: only root jobnets are interrupted",
            hint=f"end it alone: ajskill {target.unit.path}; or its root jobnet: ajsintrpt {target.root.path}",
            unit=target.unit.path,
        )
    may_end = RUNNING | {Status.EXECWAIT}
    if live.interrupted is not None:
        return live, _hit(target, live, may_end, live.interrupted.text)
    return replace(live, interrupted=order), _hit(target, live, may_end, "")


def _hit(target: Target, live: LiveGeneration, ending: frozenset[Status], already: str) -> Hit:
    units: dict[str, Jobnet | Job] = dict(live.definition.walk())
    inside = below(live, target.inner)
    jobs = [p for p, r in inside.items() if r.status in ending and isinstance(units.get(p), Job)]
    waiting = sum(
        run.status in NOT_LET_GO or (run.status is Status.QUEUING and run.status not in ending)
        for run in inside.values()
    )
    return Hit(
        unit=target.unit.path,
        execution_id=live.execution_id,
        is_job=isinstance(units.get(target.inner), Job),
        jobs=tuple(f"{target.root.path}/{path}" for path in jobs),
        waiting=waiting,
        already=already,
    )
