"""What runs, kept between the turns, so that a turn costs what it touches and not what there is.

A snapshot holds the generations that something has happened to: an observation, a start time, a change by a command,
or a free slot for one of their jobs. All others are only counted. Everything here can be thrown away and read from
the store again, but for ``asked``: what has been sent and not been answered is known to nobody else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain, islice

from ajs.agents import AgentIdentity, Agents, remote_place
from ajs.attempts import TAKES_SLOT, Attempt, AttemptKey, AttemptState, taken
from ajs.decide import Observed, Snapshot
from ajs.delays import NOT_WATCHED, Delay
from ajs.fleet import Load, Met, Way
from ajs.lifecycle import LiveGeneration, Status
from ajs.model import Job, Jobnet
from ajs.moment import Moment
from ajs.starting import Waiting
from ajs.watching import deadline, of_waiting, watches

STARTS_AT_ONCE = 500
"""How many generations start in one turn at most, so that commands get at the database in between."""


class Memory:
    """Live generations and their attempts, what is due, and what has been asked."""

    def __init__(self) -> None:
        self.live: dict[int, LiveGeneration] = {}
        self.due: tuple[Waiting, ...] = ()
        self.next_start: datetime | None = None
        self.watched: tuple[tuple[datetime, Waiting], ...] = ()
        """Generations that wait and are monitored, each with the next limit that has not been noted."""
        self.asked: frozenset[str] = frozenset()
        self.busy = 0
        """How many attempts take a slot on this machine."""
        self._at: Counter[AgentIdentity] = Counter()
        self._through: Counter[str] = Counter()
        self.agents = Agents()
        self._attempts: dict[int, dict[AttemptKey, Attempt]] = {}
        self._queue: dict[AttemptKey, int] = {}
        self._waiting: dict[Way | None, dict[int, dict[AttemptKey, None]]] = {}
        """The queue by way and priority; the way is None for the jobs of this machine."""
        self._ways: dict[str, dict[str, Way]] = {}
        """The flexible jobs of definitions in use: by hash, then by path."""
        self._rank = 0
        self._times: dict[int, datetime] = {}
        self._deadlines: dict[int, datetime] = {}
        """When a jobnet in a generation has run as long as it may, in UTC."""
        self._touched: set[int] = set()

    # -- what the store says --

    def load(
        self, live: Mapping[int, LiveGeneration], attempts: Mapping[AttemptKey, Attempt]
    ) -> None:
        """Take what the store has in place of all that was known; every generation counts as touched."""
        self.live.clear()
        self._attempts.clear()
        self._queue.clear()
        self._waiting.clear()
        self._ways.clear()
        self._times.clear()
        self._deadlines.clear()
        self.busy = 0
        self._at.clear()
        self._through.clear()
        self._touched = {*live, *(key.generation for key in attempts)}
        for generation in live.values():
            self._put_live(generation)
        for attempt in attempts.values():
            self._put_attempt(attempt)

    def load_due(self, due: tuple[Waiting, ...], next_start: datetime | None) -> None:
        """Take the generations whose start has come, and when the next one's comes.

        Those that wait on for something else than their time are left out: a command or the end of a run lets them go,
        and then all is read again.
        """
        self.due = tuple(w for w in due if not w.stays)
        self.next_start = next_start

    def load_watched(self, watched: Iterable[Waiting]) -> None:
        """Take the generations that wait and are monitored."""
        found = []
        for waiting in watched:
            limits = [
                at
                for path, watch in watches(
                    waiting.definition, waiting.generation, waiting.base_time
                ).items()
                for delay, at in of_waiting(watch).items()
                if (path, delay) not in waiting.delayed
            ]
            if limits:
                found.append((min(limits), waiting))
        self.watched = tuple(found)

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
        self, now: Moment, observations: Sequence[Observed], limit: int | None, met: Met
    ) -> Snapshot:
        """Return what has to be decided on now.

        Attempts that wait for a slot are there as far as slots can become free, the highest priority first, then first
        come first served: the first one left out is behind all that are in.
        """
        touched = self._touched | {seen.key.generation for seen in observations}
        touched |= {number for number, at in self._times.items() if at <= now.wall}
        touched |= {number for number, at in self._deadlines.items() if at <= now.utc}
        touched |= {key.generation for key in self._next(limit, met, len(observations))}
        attempts = {k: a for n in touched for k, a in self._attempts.get(n, {}).items()}
        here, load = self._outside(attempts.values())
        times = [at for number, at in self._times.items() if number not in touched]
        times += [
            now.wall + (at - now.utc) for n, at in self._deadlines.items() if n not in touched
        ]
        times += [at for at, _ in self.watched if now.wall < at]
        if self.next_start is not None:
            times.append(self.next_start)
        return Snapshot(
            due=self.due[:STARTS_AT_ONCE],
            live={n: self.live[n] for n in sorted(touched) if n in self.live},
            attempts=dict(sorted(attempts.items(), key=lambda item: self._queue.get(item[0], 0))),
            observations=tuple(observations),
            asked=self.asked,
            limit=limit,
            busy=here,
            load=load,
            agents=self.agents,
            met=met,
            next_start=min(times, default=None),
            watched=tuple(waiting for at, waiting in self.watched if at <= now.wall),
        )

    def absorb(self, before: Snapshot, after: Snapshot) -> None:
        """Take in what a decision that was committed and sent has made of its snapshot."""
        for number in before.live.keys() - after.live.keys():
            del self.live[number]
            self._times.pop(number, None)
            self._deadlines.pop(number, None)
        for key, attempt in before.attempts.items():
            self._count(attempt, -1)
            after_it = after.attempts.get(key)
            if after_it is None:
                del self._attempts[key.generation][key]
            if after_it is None or after_it.state is not AttemptState.QUEUED:
                self._leave_queue(key)
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
        ends: list[datetime] = []
        for run in (r for r in runs if r.watch is not NOT_WATCHED):
            # One that was noted may wake us once for nothing.
            limits = of_waiting(run.watch)
            late = {delay for path, delay in generation.delayed if path == run.path}
            times += [
                at for delay, at in limits.items() if delay not in late and not run.status.ended
            ]
            taken = deadline(run)
            if taken is not None and Delay.END not in late:
                ends.append(taken)
        for found, kept in ((times, self._times), (ends, self._deadlines)):
            if found:
                kept[generation.id] = min(found)
            else:
                kept.pop(generation.id, None)

    def _put_attempt(self, attempt: Attempt) -> None:
        self._attempts.setdefault(attempt.generation, {})[attempt.key] = attempt
        self._count(attempt, 1)
        if attempt.state is AttemptState.QUEUED and attempt.key not in self._queue:
            self._rank += 1
            self._queue[attempt.key] = self._rank
            way = self._waiting.setdefault(self._way(attempt.key), {})
            way.setdefault(self._priority(attempt.key), {})[attempt.key] = None

    # -- slots --

    @property
    def wanted(self) -> frozenset[Way]:
        """The ways on which flexible jobs wait for an agent."""
        return frozenset(way for way in self._waiting if way is not None)

    def _next(self, limit: int | None, met: Met, answered: int) -> Iterator[AttemptKey]:
        """Yield the attempts that may get a slot now; each answer that came may have set one free."""
        for way, by_priority in self._waiting.items():
            keys = chain.from_iterable(by_priority[one] for one in sorted(by_priority)[::-1])
            yield from islice(keys, self._free(way, limit, met) + answered)

    def _free(self, way: Way | None, limit: int | None, met: Met) -> int:
        """Return how many jobs more may begin on a way, or on this machine."""
        if way is None:
            return len(self._queue) if limit is None else max(0, limit - self.busy)
        limits = {d.name: d.limit for d in self.agents.destinations}
        most = limits.get(way.destination, 0)
        usable = (c.agent for c in met.agents if not c.trouble)
        return sum(
            max(0, most - self._at[agent])
            for agent in usable
            if agent.destination == way.destination
        )

    def _count(self, attempt: Attempt, by: int) -> None:
        if attempt.state not in TAKES_SLOT:
            return
        place = remote_place(attempt.place)
        if place is None:
            self.busy += by
            return
        self._at[place.agent] += by
        self._through[attempt.relay] += by

    def _outside(self, inside: Iterable[Attempt]) -> tuple[int, Load]:
        """Return the slots taken by the attempts that a snapshot leaves out: here, and on agents."""
        here, load = taken(inside)
        at, through = self._at - Counter(load.agents), self._through - Counter(load.relays)
        return self.busy - here, Load(agents=at, relays=through)

    def _leave_queue(self, key: AttemptKey) -> None:
        if self._queue.pop(key, None) is None:
            return
        for way, by_priority in self._waiting.items():
            for priority, keys in by_priority.items():
                if key not in keys:
                    continue
                del keys[key]
                if not keys:
                    del by_priority[priority]
                if not by_priority:
                    del self._waiting[way]
                return

    def _priority(self, key: AttemptKey) -> int:
        """Return the priority of a job; it does not change while it waits for a slot."""
        generation = self.live.get(key.generation)
        return 0 if generation is None else generation.units[key.path].priority

    def _way(self, key: AttemptKey) -> Way | None:
        """Return the way to the agents of a flexible job, None for a job of this machine."""
        generation = self.live.get(key.generation)
        if generation is None:
            return None
        if generation.definition_hash not in self._ways:
            self._ways[generation.definition_hash] = {
                path: Way(unit.destination, unit.relay)
                for path, unit in generation.definition.walk()
                if isinstance(unit, Job) and unit.destination
            }
        return self._ways[generation.definition_hash].get(key.path)
