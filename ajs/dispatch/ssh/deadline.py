"""A deadline: so many seconds from its making, on a clock that nobody sets."""

from __future__ import annotations

from dataclasses import dataclass

from ajs.ports import Stopwatch


@dataclass(frozen=True, slots=True)
class Deadline:
    """The reading of a stopwatch by which something must be done, and the seconds that it was given."""

    stopwatch: Stopwatch
    at_s: float
    given_s: float

    @classmethod
    def after(cls, stopwatch: Stopwatch, seconds: float) -> Deadline:
        """Return the deadline so many seconds from here."""
        return cls(stopwatch, stopwatch.elapsed_s() + seconds, seconds)

    def sooner(self, seconds: float) -> Deadline:
        """Return this deadline, or the one so many seconds from here when that comes first."""
        other = Deadline.after(self.stopwatch, seconds)
        return other if other.at_s < self.at_s else self

    def left_s(self) -> float:
        """Return the seconds left, never less than 0."""
        return max(0.0, self.at_s - self.stopwatch.elapsed_s())

    def __str__(self) -> str:
        """``5 s``."""
        return f"{self.given_s:g} s"
