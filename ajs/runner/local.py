"""The place that this machine is: sending to the launcher, watching the spool, saying what was seen.

The record and the output of a job lie in the spool of this very machine, synced before the result is. So the end of a
job is *Ended*, *Stored* and *Acked* at once, and one commit takes it all in. The spool keeps the attempt's folder; that
is why it would never start the attempt again, which *Acked* promises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ajs import attempts
from ajs.actions import AckAttempt, AskAgain, KillAttempt, Send, StartAttempt, StoreResult
from ajs.attempts import AttemptKey, Observation
from ajs.decide import Observed
from ajs.dispatch.local import LocalDispatch
from ajs.dispatch.messages import (
    Absent,
    Claimed,
    Ended,
    JobSpec,
    Lost,
    NotTaken,
    Remains,
    Running,
    Standing,
    observed,
)
from ajs.errors import StoreError
from ajs.lifecycle import LiveGeneration, Status
from ajs.model import Job

FIRST_LOOK = timedelta(milliseconds=30)
"""When to look for the first time at a start; from then on after twice as long each time, up to ``LOOK``."""
LOOK = timedelta(seconds=2)
"""How often to look at a job that runs: its guard wakes us at its end, but a wake-up can get lost."""
SILENCE = timedelta(seconds=5)
"""How often to ask a spool that cannot be read."""
KILL_AFTER = timedelta(seconds=10)
"""How long after TERM what is left of a job without guard gets KILL."""
NO_AGENTS = "flexible jobs need agents, and this manager runs jobs on its own machine only"
"""Why a flexible job fails to start: it must never run here instead."""
TRIES = 5
"""How often a start that the machine refuses is tried again, after 1, 2, 4 .. seconds, before the job has failed."""
BURST = 8
"""So many wake-ups at once fill the socket's queue: others may have been lost."""

MakeSpec = Callable[[str, AttemptKey, Job, LiveGeneration], JobSpec]


@dataclass(slots=True)
class _Watch:
    """One attempt that is watched until it has ended, or nothing is to be seen of it."""

    key: AttemptKey
    name: str
    look_at: datetime
    spec: JobSpec | None = None
    """What to start when it is absent; None when only asked."""
    pause: timedelta = FIRST_LOOK
    begun: bool = False
    """Whether it is known to have begun, so that its absence means that its record was lost."""
    told: bool = False
    """Whether this watch has said that it runs."""
    refusals: int = 0
    start_again: bool = False
    kill_at: datetime | None = None


class LocalPlaces:
    """The one place there is so far: this machine."""

    def __init__(
        self, dispatch: LocalDispatch, make_spec: MakeSpec, known: Iterable[Observed] = ()
    ) -> None:
        """``known`` is what can be said of attempts before any is asked about."""
        self._dispatch = dispatch
        self._make_spec = make_spec
        self._watches: dict[str, _Watch] = {}
        self._ready = list(known)
        self._silent = False
        self._latest: datetime | None = None

    # -- sending --

    def send(
        self, action: Send, name: str, generation: LiveGeneration | None, now: datetime
    ) -> None:
        """Do one action of a decision, see ``ports.Places``."""
        match action:
            case StartAttempt(key=key, job=job):
                self._begin(key, name, job, generation, now)
            case AskAgain(key=key):
                run = None if generation is None else generation.units[key.path]
                known = run is None or run.status is Status.RUNNING
                at = now + SILENCE if self._silent else now
                self._watches[name] = _Watch(key, name, at, begun=known)
            case KillAttempt():
                self._kill(name, now)
            case StoreResult(key=key):
                self._ready.append(Observed(key, attempts.Stored()))
            case AckAttempt(key=key):
                self._ready.append(Observed(key, attempts.Acked()))

    def _begin(
        self, key: AttemptKey, name: str, job: Job, generation: LiveGeneration | None, now: datetime
    ) -> None:
        if generation is None:
            raise ValueError(f"attempt {name} of a run that has ended is to be started")
        watch = self._watches[name] = _Watch(key, name, now + FIRST_LOOK)
        if job.destination:
            self._over(watch, attempts.FailedToStart(NO_AGENTS))
            return
        try:
            watch.spec = self._make_spec(name, key, job, generation)
        except (StoreError, ValueError) as error:
            self._over(watch, attempts.FailedToStart(str(error)))
            return
        self._start(watch, now)

    def _start(self, watch: _Watch, now: datetime) -> None:
        if watch.spec is None:
            return
        try:
            self._dispatch.start(watch.spec)
        except StoreError as error:
            self._refused(watch, error.message, now)

    def _kill(self, name: str, now: datetime) -> None:
        watch = self._watches.get(name)
        if watch is not None:
            watch.kill_at = now + KILL_AFTER
        self._dispatch.kill(name)

    # -- answers --

    def woken(self, names: Iterable[bytes]) -> None:
        """Take note that these attempts may have ended: they are looked at next time."""
        said = [name.decode("ascii", "replace") for name in names]
        found = [self._watches[name] for name in said if name in self._watches]
        if len(said) >= BURST:
            found = list(self._watches.values())
        for watch in found:
            watch.look_at = datetime.min.replace(tzinfo=watch.look_at.tzinfo)

    def next_at(self) -> datetime | None:
        """Return when to look again; an instant long past when something is ready."""
        times = [watch.look_at for watch in self._watches.values()]
        if self._ready and self._latest is not None:
            times.append(self._latest)
        return min(times, default=None)

    def answers(self, now: datetime) -> tuple[Observed, ...]:
        """Return what can be said of attempts now; raises ManagerRunning when another manager has taken the spool."""
        if self._latest is not None and now < self._latest:
            # Somebody set the clock back: what was to come in seconds must not come in hours.
            for watch in self._watches.values():
                watch.look_at = min(watch.look_at, now + LOOK)
        self._latest = now
        self._dispatch.poll()
        watches = [watch for watch in self._watches.values() if watch.look_at <= now]
        if watches:
            self._look(watches, now)
        ready, self._ready = tuple(self._ready), []
        return ready

    def _look(self, watches: list[_Watch], now: datetime) -> None:
        for watch in watches:
            if watch.start_again:
                watch.start_again = False
                self._start(watch, now)
        watches = [watch for watch in watches if watch.look_at <= now]
        try:
            states = self._dispatch.states([watch.name for watch in watches])
        except StoreError:
            self._silent = True
            for watch in watches:
                self._over(watch, attempts.NoAnswer(now))
            return
        self._silent = False
        for watch in watches:
            watch.look_at = now + watch.pause
            watch.pause = min(2 * watch.pause, LOOK)
            self._seen(watch, states[watch.name], now)

    def _seen(self, watch: _Watch, standing: Standing, now: datetime) -> None:
        match standing:
            case Claimed():
                pass
            case Running(started=started):
                self._runs(watch, attempts.Running(started), now)
            case Lost(remains=Remains.THERE):
                # It runs on without its guard. How it ends nobody will see; until then it is not over.
                self._runs(watch, attempts.Running(), now)
                if watch.kill_at is not None and watch.kill_at <= now:
                    self._dispatch.kill(watch.name, at_once=True)
            case Absent() if watch.begun:
                self._over(watch, attempts.Lost("its record has gone from the spool"))
            case Absent() if watch.spec is not None:
                self._refused(watch, "the launcher of jobs ended before it took the job", now)
            case NotTaken(reason=reason):
                self._refused(watch, reason, now)
            case Absent() | Ended() | Lost():
                self._over(watch, observed(standing))

    def _runs(self, watch: _Watch, seen: attempts.Running, now: datetime) -> None:
        watch.pause = LOOK
        watch.look_at = now + LOOK
        if not watch.told:
            watch.told = watch.begun = True
            self._ready.append(Observed(watch.key, seen))

    def _refused(self, watch: _Watch, why: str, now: datetime) -> None:
        """Try again later what nothing has become of, and give it up after some time."""
        watch.refusals += 1
        if watch.refusals > TRIES or watch.spec is None:
            self._over(watch, attempts.FailedToStart(why))
            return
        watch.look_at = now + timedelta(seconds=2 ** (watch.refusals - 1))
        watch.pause = FIRST_LOOK
        watch.start_again = True

    def _over(self, watch: _Watch, what: Observation) -> None:
        self._watches.pop(watch.name, None)
        self._ready.append(Observed(watch.key, what))
        if isinstance(what, attempts.Ended | attempts.FailedToStart):
            self._ready += (
                Observed(watch.key, attempts.Stored()),
                Observed(watch.key, attempts.Acked()),
            )
