"""Turn after turn, and waiting in between: for the time, for a command, for the end of a job, for the order to stop.

A wake-up is only ever a hint. Whatever was missed is found when the database's change counter and the spool are looked
at anyway, every ``POLL_S`` seconds.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Protocol

from ajs.errors import AjsError, Busy, StoreError
from ajs.ports import Clock, Places, Stopwatch, Waiting
from ajs.runner.manager import Manager, Turn
from ajs.store.presence import WakeSocket

POLL_S = 2.0
"""How often to look for changes though nothing woke us, in seconds."""
GAP_S = 0.001
"""How long to leave the database to others after a commit, in seconds, unless we had to wait since the last one."""
GAP_PER_CHANGE_S = 0.000_01
"""How much longer for each thing that was stored: about as long as storing it kept others out (SQLite's waiting
writers look only now and then whether it is their turn)."""
TROUBLE_S = 5.0
"""How long to wait before the next try when the state cannot be written, in seconds."""


class Waiter(Clock, Waiting, Stopwatch, Protocol):
    """The clock of the loop."""

    def sleep(self, seconds: float) -> None:
        """Wait so long for nothing."""
        ...


class Watched(Places, Protocol):
    """Places that can be told of wake-ups."""

    def woken(self, names: list[bytes]) -> None:
        """Take note that these attempts may have ended."""
        ...


class StopOrder:
    """The order to stop; may be given at any instant, by a signal handler too."""

    def __init__(self) -> None:
        self.given = False
        self._hears, self._tells = os.pipe()
        os.set_blocking(self._tells, False)

    def give(self) -> None:
        """Let the loop end after its turn."""
        self.given = True
        os.write(self._tells, b"s")

    def fileno(self) -> int:
        """Return the file descriptor that can be read once the order was given."""
        return self._hears

    def close(self) -> None:
        """Close both ends."""
        os.close(self._hears)
        os.close(self._tells)


class Loop:
    """Runs a manager until it is told to stop, or until it is idle.

    ``trouble`` is told of every error that is waited out: the state that cannot be written for now.
    """

    def __init__(
        self,
        manager: Manager,
        clock: Waiter,
        places: Watched,
        wake: WakeSocket,
        stop: StopOrder,
        trouble: Callable[[AjsError], None],
    ) -> None:
        self._manager = manager
        self._clock = clock
        self._places = places
        self._wake = wake
        self._stop = stop
        self._trouble = trouble
        self._hurried = False

    def run(self, *, until_idle: bool) -> None:
        """Take turns until the order to stop, or with ``until_idle`` until nothing runs and nothing is due."""
        while not self._stop.given:
            turn = self._turn(patient=not until_idle)
            if turn is None:
                continue
            if turn.committed:
                self._leave_gap(turn.committed)
            if turn.again:
                continue
            if until_idle and turn.idle:
                return
            self._wait(turn)

    def _turn(self, *, patient: bool) -> Turn | None:
        """Take a turn; None when the state cannot be used for now and it is time to try again."""
        try:
            return self._manager.turn()
        except (Busy, StoreError) as error:
            if not patient:
                raise
            self._trouble(error)
            self._clock.wait((self._stop.fileno(),), at_most_s=TROUBLE_S)
            return None

    def _leave_gap(self, committed: int) -> None:
        """Let others write in between; not needed where we waited for something since the last commit."""
        if self._hurried:
            self._clock.sleep(GAP_S + GAP_PER_CHANGE_S * committed)
        self._hurried = True

    def _wait(self, turn: Turn) -> None:
        at_most_s = POLL_S
        look_at = self._places.next_at()
        if look_at is not None:
            left = (look_at - self._clock.now().utc).total_seconds()
            at_most_s = min(POLL_S, max(0.0, left))
        fds = (self._wake.fileno(), self._stop.fileno())
        ready = self._clock.wait(fds, at_most_s=0)
        if not ready:
            ready = self._clock.wait(fds, turn.wake_at, at_most_s)
            self._hurried = False
        if self._wake.fileno() in ready:
            self._places.woken(self._wake.drain())
