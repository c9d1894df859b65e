"""The system's clock: the only file that reads the time or sleeps."""

from __future__ import annotations

import select
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ajs.errors import ConfigurationError
from ajs.moment import Moment

LONGEST_S = 3600.0
"""A longer wait is cut into pieces of this many seconds."""
CLOCK_CHECK_S = 10.0
"""How often, in seconds, a wait for a wall-clock time looks at the clock: somebody may set it meanwhile."""


class SystemClock:
    """The machine's clock, seen from one time zone."""

    def __init__(self, zone: str) -> None:
        try:
            self._zone = ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ConfigurationError(
                f"this machine knows no time zone {zone!r}",
                hint="name one of the IANA list, such as Asia/Tokyo; the list comes with the package tzdata",
                value=zone,
            ) from error

    def now(self) -> Moment:
        """Return the present moment: wall-clock time to the second, UTC to the millisecond.

        That is how moments are stored, so that one that was stored and read again is the same.
        """
        utc = datetime.now(UTC)
        utc = utc.replace(microsecond=utc.microsecond // 1000 * 1000)
        return Moment(utc.astimezone(self._zone).replace(tzinfo=None, microsecond=0), utc)

    def first_instant(self, wall: datetime) -> datetime:
        """Return the first UTC instant at which the wall clock shows this time or a later one.

        A time inside the hour that clocks leave out is reached at the end of the gap; one that comes twice is reached
        the first time (design.md, Time).
        """
        one, other = (wall.replace(tzinfo=self._zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        if one <= other:
            return one  # It exists: fold 0 is the first time.
        # In a gap fold 1 lies before it and fold 0 behind: close in on the instant between.
        before, reached = other, one
        while reached - before > timedelta(seconds=1):
            middle = before + timedelta(seconds=(reached - before) // timedelta(seconds=2))
            if middle.astimezone(self._zone).replace(tzinfo=None) < wall:
                before = middle
            else:
                reached = middle
        return reached

    def due(self, wall: datetime, now: datetime) -> datetime:
        """Return the next UTC instant from ``now`` on at which the wall clock shows this time or a later one.

        That is ``first_instant``, but for a time that comes twice, has come once, and is still ahead on the clock.
        """
        first = self.first_instant(wall)
        if first <= now and now.astimezone(self._zone).replace(tzinfo=None) < wall:
            return wall.replace(tzinfo=self._zone, fold=1).astimezone(UTC)
        return first

    def wait(
        self, fds: Sequence[int], until: datetime | None = None, at_most_s: float | None = None
    ) -> tuple[int, ...]:
        """Return the file descriptors that can be read, as soon as there is one.

        Returns () when the wall clock shows ``until`` or ``at_most_s`` seconds have passed, whichever comes first;
        with neither it waits without end. One whose other end is gone counts as readable.
        """
        poll = select.poll()
        for fd in fds:
            poll.register(fd, select.POLLIN)
        due = None if until is None else self.due(until, datetime.now(UTC))
        end = None if at_most_s is None else time.monotonic() + at_most_s
        while True:
            left = LONGEST_S
            if end is not None:
                left = min(left, end - time.monotonic())
            if due is not None:
                left = min(left, (due - datetime.now(UTC)).total_seconds(), CLOCK_CHECK_S)
            # Rounded up, so that nothing that is due is looked at a moment too early.
            ready = poll.poll(max(0, int(left * 1000) + (left > 0)))
            if ready or left <= 0:
                return tuple(fd for fd, _ in ready)

    def elapsed_s(self) -> float:
        """Return seconds since some instant that stays the same; setting the clock does not change them."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait so long for nothing."""
        time.sleep(seconds)
