"""What runs, kept between the turns, so that a turn costs what it touches and not what there is.

A snapshot holds the generations that something has happened to: an observation, a start time, a change by a command,
or a free slot for one of their jobs. All others are only counted. Everything here can be thrown away and read from
the store again, but for ``asked``: what has been sent and not been answered is known to nobody else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import islice

from ajs.attempts import TAKES_SLOT, Attempt, AttemptKey, AttemptState
from ajs.decide import Observed, Snapshot, Waiting
from ajs.lifecycle import LiveGeneration, Status
from ajs.model import Jobnet
from ajs.moment import Moment

STARTS_AT_ONCE = 500
"""How many generations start in one turn at most, so that commands get at the database in between."""


class Memory:
    """Live generations and their attempts, what is due, and what has been asked."""

    def __init__(self) -> None:
        self.live: dict[int, LiveGeneration] = {}
        self.due: tuple[Waiting, ...] = ()
        self.next_start: datetime | None = None
        self.asked: frozenset[str] = frozenset()
        self.busy = 0
        """How many attempts take a slot."""
        self._attempts: dict[int, dict[AttemptKey, Attempt]] = {}
        self._queue: dict[AttemptKey, int] = {}
        self._rank = 0
        self._times: dict[int, datetime] = {}
        self._touched: set[int] = set()

    # -- what the store says --

    def load(
        self, live: Mapping[int, LiveGeneration], attempts: Mapping[AttemptKey, Attempt]
    ) -> None:
        """Take what the store has in place of all that was known; every generation counts as touched."""
        self.live.clear()
        self._attempts.clear()
        self._queue.clear()
        self._times.clear()
        self.busy = 0
        self._touched = {*live, *(key.generation for key in attempts)}
        for generation in live.values():
            self._put_live(generation)
        for attempt in attempts.values():
            self._put_attempt(attempt)

    def load_due(self, due: tuple[Waiting, ...], next_start: datetime | None) -> None:
        """Take the generations whose start has come, and when the next one's comes.

        Those that are held at their start are left out: only a command lets them go, and then all is read again.
        """
        self.due = tuple(w for w in due if not (w.held and w.status is Status.HOLDING))
        self.next_start = next_start

    def definitions(self) -> dict[str, Jobnet]:
        """Return the definitions in use, by hash."""
        found = {g.definition_hash: g.definition for g in self.live.values()}
        return found | {w.definition_hash: w.definition for w in self.due}

    @property
    def open(self) -> bool:
        """Whether an attempt is not done with; one that is lost is."""
        found = (a for attempts in self._attempts.values() for a in attempts.values())
        return any(a.state is not AttemptState.LOST for a in found)

    def attempt(self, key: AttemptKey) -> Attempt | None:
        """Return an attempt that is not done with."""
        return self._attempts.get(key.generation, {}).get(key)

    def attempts(self) -> dict[AttemptKey, Attempt]:
        """Return all attempts that are not done with."""
        return {k: a for attempts in self._attempts.values() for k, a in attempts.items()}

    # -- what a decision sees --

    def snapshot(
        self, now: Moment, observations: Sequence[Observed], limit: int | None
    ) -> Snapshot:
        """Return what has to be decided on now.

        Attempts that wait for a slot are there as far as slots can become free, first come first served: the first
        one left out is behind all that are in.
        """
        touched = self._touched | {seen.key.generation for seen in observations}
        touched |= {number for number, at in self._times.items() if at <= now.wall}
        free = len(self._queue)
        if limit is not None:
            free = max(0, limit - self.busy) + len(observations)
        touched |= {key.generation for key in islice(self._queue, free)}
        attempts = {k: a for n in touched for k, a in self._attempts.get(n, {}).items()}
        inside = sum(a.state in TAKES_SLOT for a in attempts.values())
        times = [at for number, at in self._times.items() if number not in touched]
        if self.next_start is not None:
            times.append(self.next_start)
        return Snapshot(
            due=self.due[:STARTS_AT_ONCE],
            live={n: self.live[n] for n in sorted(touched) if n in self.live},
            attempts=dict(sorted(attempts.items(), key=lambda item: self._queue.get(item[0], 0))),
            observations=tuple(observations),
            asked=self.asked,
            limit=limit,
            busy=self.busy - inside,
            next_start=min(times, default=None),
        )

    def absorb(self, before: Snapshot, after: Snapshot) -> None:
        """Take in what a decision that was committed and sent has made of its snapshot."""
        for number in before.live.keys() - after.live.keys():
            del self.live[number]
            self._times.pop(number, None)
        for key, attempt in before.attempts.items():
            self.busy -= attempt.state in TAKES_SLOT
            after_it = after.attempts.get(key)
            if after_it is None:
                del self._attempts[key.generation][key]
            if after_it is None or after_it.state is not AttemptState.QUEUED:
                self._queue.pop(key, None)
            if not self._attempts[key.generation]:
                del self._attempts[key.generation]
        for generation in after.live.values():
            self._put_live(generation)
        for attempt in after.attempts.values():
            self._put_attempt(attempt)
        self.asked = after.asked
        self.due = (*after.due, *self.due[STARTS_AT_ONCE:])
        self._touched.clear()

    def _put_live(self, generation: LiveGeneration) -> None:
        self.live[generation.id] = generation
        runs = generation.units.values()
        times = [r.planned for r in runs if r.status is Status.TIMEWAIT and r.planned is not None]
        if times:
            self._times[generation.id] = min(times)
        else:
            self._times.pop(generation.id, None)

    def _put_attempt(self, attempt: Attempt) -> None:
        self._attempts.setdefault(attempt.generation, {})[attempt.key] = attempt
        self.busy += attempt.state in TAKES_SLOT
        if attempt.state is AttemptState.QUEUED and attempt.key not in self._queue:
            self._rank += 1
            self._queue[attempt.key] = self._rank
