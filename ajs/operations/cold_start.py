"""``ajsstart -c``: all registrations cancelled and all results deleted, before a manager begins (rule book 6.11)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ajs.attempts import TAKES_SLOT, AttemptState
from ajs.errors import StillRunning
from ajs.operations.service import Service
from ajs.plan import Passed
from ajs.store import log, plans, results, runs
from ajs.store import show as stored
from ajs.store.numbers import execution_id
from ajs.store.plans import PlanChange
from ajs.store.presence import FolderLock

NOTHING_TO_TELL = frozenset({AttemptState.QUEUED, AttemptState.ACKED, AttemptState.LOST})
"""No place keeps anything of an attempt in these states."""


@dataclass(frozen=True, slots=True)
class Cold:
    """What a cold start did away with: registrations, runs that waited, and results of runs that had started.

    ``staying`` are the ended runs of which a place has still to be told that their results are stored.
    """

    roots: int
    runs: int
    results: int
    staying: int
    operation: int


def cold_start(service: Service, *, command: Sequence[str], reason: str = "") -> Cold:
    """Cancel every registration and delete every result; the operation log and the fates of planned runs stay.

    Raises ManagerRunning while there is a manager, and StillRunning while a job may run: nobody would know of it.
    """
    now = service.clock.now()
    with FolderLock.take(service.folder, "ajsstart -c"), service.store.write() as tx:
        going_on = {row.id for row in stored.generations(tx, phase="running")}
        untold = {k: a for k, a in runs.open_attempts(tx).items() if a.state not in NOTHING_TO_TELL}
        for key, attempt in untold.items():
            if attempt.state in TAKES_SLOT or key.generation in going_on:
                run = execution_id(key.generation)
                raise StillRunning(
                    f"the job {key.path} of the run {run} may still run, and a cold start would forget it",
                    hint="start the manager without -c, wait for its jobs or end them with ajskill, then ajsstop",
                    value=run,
                )
        roots = plans.registered_roots(tx)
        before = plans.load_plans(tx, roots)
        operation = log.begin(
            tx, now, os_user=service.user, verb="start", command=command, reason=reason
        )
        plans.save_plans(tx, [PlanChange(r, before[r], None) for r in roots], operation)
        why = f"cancelled by {service.user}, who started the manager cold"
        waiting = [(root, g) for root in roots for g in before[root].waiting]
        fates = [
            runs.Fated(
                root=root,
                run=Passed(generation.slot, generation.ties, why),
                fate="cancelled",
                operation=operation,
                generation=generation.id,
            )
            for root, generation in waiting
        ]
        runs.add_fates(tx, fates, now)
        staying = {key.generation for key in untold}
        why = f"results deleted by a cold start of {service.user}"
        ids = (row.id for row in stored.generations(tx))
        gone = results.delete(tx, {n: why for n in ids if n not in staying}, now)
        summary = {"roots": len(roots), "runs": len(waiting), "results": gone}
        log.finish(tx, operation, summary)
    return Cold(len(roots), len(waiting), gone, len(staying), operation)
