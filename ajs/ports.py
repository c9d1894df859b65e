"""What the shell must provide to those above it: named here, so that they do not depend on how it does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from ajs.actions import Send
from ajs.decide import Observed
from ajs.lifecycle import LiveGeneration
from ajs.moment import Moment


class Clock(Protocol):
    """Reads the time."""

    def now(self) -> Moment:
        """Return the present moment: wall-clock time to the second, UTC to the millisecond."""
        ...


class Waiting(Protocol):
    """Waits for other processes, or for the time."""

    def wait(
        self, fds: Sequence[int], until: datetime | None = None, at_most_s: float | None = None
    ) -> tuple[int, ...]:
        """Return the file descriptors that can be read, as soon as there is one.

        Returns () when the wall clock shows ``until`` or ``at_most_s`` seconds have passed, whichever comes first;
        with neither it waits without end.
        """
        ...


class Stopwatch(Protocol):
    """Tells how much time has passed."""

    def elapsed_s(self) -> float:
        """Return seconds since some instant that stays the same; setting the clock does not change them."""
        ...


class Places(Protocol):
    """Where attempts run, and the way there: everything behind dispatch (``actions.py`` says what each action asks)."""

    def send(
        self, action: Send, name: str, generation: LiveGeneration | None, now: datetime
    ) -> None:
        """Set out to do one action for the attempt that its place knows by ``name``, without waiting for it.

        ``generation`` is the one that the attempt belongs to while it runs; a ``StartAttempt`` always has it.
        """
        ...

    def answers(self, now: datetime) -> tuple[Observed, ...]:
        """Return what has come back by this UTC instant, in the order in which it came; each answer once."""
        ...

    def next_at(self) -> datetime | None:
        """Return the UTC instant at which to ask for answers again though nothing woke us; None for never."""
        ...
