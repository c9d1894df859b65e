"""The system's clock, put to another date: real waiting, real processes, any day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from ajs.clock import SystemClock
from ajs.moment import Moment


class ShiftedClock(SystemClock):
    """A clock that showed ``wall`` when it was made and goes on from there like any other."""

    def __init__(self, zone: str, wall: datetime) -> None:
        super().__init__(zone)
        real = super().now()
        self.shift = wall.replace(tzinfo=self._zone) - real.utc

    def now(self) -> Moment:
        utc = super().now().utc + self.shift
        return Moment(utc.astimezone(self._zone).replace(tzinfo=None, microsecond=0), utc)

    def wait(
        self, fds: Sequence[int], until: datetime | None = None, at_most_s: float | None = None
    ) -> tuple[int, ...]:
        if until is not None:
            left = self.first_instant(until) - self.now().utc
            seconds = max(left, timedelta()).total_seconds()
            at_most_s = seconds if at_most_s is None else min(seconds, at_most_s)
        return super().wait(fds, None, at_most_s)
