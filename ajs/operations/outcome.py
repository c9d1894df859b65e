"""How runs that somebody waits for stand: how they ended, or how far they have come."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ajs.operations.service import Service
from ajs.operations.times import local
from ajs.statuses import ABENDED, Status
from ajs.store import gone
from ajs.store import show as stored
from ajs.store.numbers import execution_id
from ajs.store.show import UnitRunRow
from ajs.store.units import JOB

BADNESS = {
    Status.UNKNOWN: 3,
    **dict.fromkeys(ABENDED, 2),
    Status.WARNING: 1,
    Status.NORMAL: 0,
}
"""The statuses in which a job has ended that was executed, or was to be; the higher the worse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worst:
    """The job of a run that ended worst, by its status and then its return code; ``path`` is relative to the root."""

    path: str
    status: Status
    return_code: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one run stands; times are ISO text with offset, "" for what has not come yet.

    ``worst`` is None as long as no job of it has ended, and for a run whose details are no longer kept.
    """

    unit: str
    execution_id: str
    status: Status
    started: str
    ended: str
    worst: Worst | None


def outcomes(service: Service, generations: Iterable[int]) -> tuple[Outcome, ...]:
    """Return how runs stand now, in the order given; those that were taken out of the plan are left out."""
    wanted = list(generations)
    with service.store.read() as tx:
        rows = stored.some(tx, wanted)
        went = gone.some(tx, wanted)
        jobs: dict[int, list[UnitRunRow]] = {}
        for run in stored.unit_runs(tx, wanted):
            if run.kind == JOB:
                jobs.setdefault(run.generation, []).append(run)
    shown = local(service.time_zone)
    found = {
        row.id: Outcome(
            unit=row.path,
            execution_id=row.execution_id,
            status=Status[row.status],
            started=shown(row.started_utc),
            ended=shown(row.ended_utc),
            worst=_worst(jobs.get(row.id, ())),
        )
        for row in rows
    }
    found |= {
        run.id: Outcome(
            unit=run.path,
            execution_id=execution_id(run.id),
            status=Status[run.status],
            started=shown(run.started_utc),
            ended=shown(run.ended_utc),
            worst=None,
        )
        for run in went
    }
    return tuple(found[number] for number in wanted if number in found)


def _worst(jobs: Iterable[UnitRunRow]) -> Worst | None:
    ended = [job for job in jobs if Status[job.status] in BADNESS]
    if not ended:
        return None
    worst = max(ended, key=lambda job: (BADNESS[Status[job.status]], job.return_code or 0))
    return Worst(path=worst.path, status=Status[worst.status], return_code=worst.return_code)
