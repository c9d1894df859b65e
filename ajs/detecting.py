"""What comes too late, told of live generations and of those that wait (rule book 7.8)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from ajs.actions import DetectDelay
from ajs.causes import Cause, Why
from ajs.delays import NOT_WATCHED, Delay, Delays
from ajs.lifecycle import LiveGeneration, Status
from ajs.moment import Moment, wall_text
from ajs.starting import Waiting
from ajs.watching import of_waiting, open_limits, watches

NONE: Delays = frozenset()


def minute_before(now: Moment) -> Moment:
    """Return the end of the minute before this one: what starts or ends in the minute of its limit is in time."""
    ago = timedelta(seconds=now.wall.second, microseconds=now.wall.microsecond + 1)
    return Moment(now.wall - ago, now.utc - ago)


def detected(
    live: Iterable[LiveGeneration],
    waiting: Iterable[Waiting],
    known: Mapping[int, Delays],
    at: Moment,
) -> Iterator[DetectDelay]:
    """Yield every limit that has gone by at a moment and is not known yet, neither stored nor from before."""
    for one in live:
        told = one.delayed | known.get(one.id, NONE)
        for path, run in one.units.items():
            if run.watch is not NOT_WATCHED:
                for delay, limit in open_limits(run, at).items():
                    if limit <= at.wall and (path, delay) not in told:
                        cause = _cause(delay, limit)
                        yield DetectDelay(
                            one.id, one.version, path, delay, run.status, cause, waits=False
                        )
    for each in waiting:
        run_of = each.generation
        told = each.delayed | known.get(run_of.id, NONE)
        for path, watch in watches(each.definition, run_of, each.base_time).items():
            status = Status.TERMWAIT if path else each.status
            for delay, limit in of_waiting(watch).items():
                if limit <= at.wall and (path, delay) not in told:
                    cause = _cause(delay, limit)
                    yield DetectDelay(
                        run_of.id, run_of.version, path, delay, status, cause, waits=True
                    )


def to_come(
    live: Iterable[LiveGeneration], known: Mapping[int, Delays], now: Moment
) -> Iterator[datetime]:
    """Yield the wall-clock times of the limits of live generations that nobody has noted."""
    for one in live:
        told = one.delayed | known.get(one.id, NONE)
        for path, run in one.units.items():
            if run.watch is not NOT_WATCHED:
                limits = open_limits(run, now)
                yield from (at for delay, at in limits.items() if (path, delay) not in told)


def _cause(delay: Delay, limit: datetime) -> Cause:
    why = Why.START_DELAYED if delay is Delay.START else Why.END_DELAYED
    return Cause(why, value=wall_text(limit))
