"""What a courier knows of the attempts at its agent: what to ask next, and what the answers mean. No I/O, no clock.

An attempt is watched from the first action about it until there is something to decide. Requests are idempotent, so
whatever was not answered is simply asked again; the agent's own record says what is true.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice

from ajs import attempts
from ajs.actions import AckAttempt, AskAgain, KillAttempt, Send, StartAttempt, StoreResult
from ajs.agents import AgentIdentity
from ajs.attempts import AttemptKey, Observation
from ajs.decide import Observed
from ajs.dispatch.fetched import Fetched
from ajs.dispatch.messages import Absent, Claimed, Ended, Lost, NotTaken, Remains, Running, Stream
from ajs.dispatch.protocol import (
    MOST_PAYLOAD,
    Ack,
    Answer,
    Damaged,
    Data,
    Expired,
    Fetch,
    Kill,
    KillOrdered,
    List,
    Listed,
    Misunderstood,
    Other,
    Request,
    Stands,
    Start,
    State,
    Tomb,
    observed,
)
from ajs.errors import StoreError

STARTS = 16
"""How many attempts are started in one conversation at most."""
START_BYTES = 8 << 20
"""How many bytes of scripts are sent in one conversation at most, unless a single one is longer."""
FETCH_BYTES = 4 << 20
"""How much of one stream is fetched in one conversation at most."""
FETCHES = 32
"""How many streams are fetched from in one conversation at most: most jobs write little, and each has two."""
FETCHED_BYTES = 16 << 20
"""How much is fetched in one conversation at most, of all streams together."""
NOT_AFTER_S = 900
"""How long a start that was sent may still begin, in seconds of the agent's uptime."""
CLAIMED_S = 30
"""An attempt that was taken and has not begun after so long is ended (ssh-dispatch.md 3.6, row 4)."""
TRIES = 5
"""How often a start that the agent refuses is tried again, after 1, 2, 4 .. seconds, before the job has failed."""
CLAIMED_REST_S = 0.25
"""How long to wait before asking again about an attempt that was taken and has not begun yet."""
DISK_REST_S = 5.0
"""How long to wait when what a job wrote cannot be stored here."""
SKEW = timedelta(seconds=2)
"""Clocks that differ by less count as equal: the agent's is told in whole seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """What to start: the launch script, the job file, and how long it may take.

    Raises ValueError for more than an agent takes.
    """

    launch: bytes
    file: bytes = b""
    timeout_s: float | None = None

    def __post_init__(self) -> None:
        """Refuse what no agent would take."""
        if self.size > MOST_PAYLOAD:
            raise ValueError(
                f"the job takes {self.size} bytes, an agent takes {MOST_PAYLOAD} at most"
            )

    @property
    def size(self) -> int:
        """How many bytes go over the link."""
        return len(self.launch) + len(self.file)


@dataclass(slots=True, kw_only=True)
class Watch:
    """One attempt and what is to be done about it."""

    key: AttemptKey
    name: str
    relay: str
    """The relay agent to send the start through."""
    payload: Payload | None = None
    """What to start; None when it is only asked about."""
    begun: bool = False
    """Whether it is known to have begun, so that its absence means that its record was lost."""
    watched: bool = False
    """Whether there is something to report about how it stands."""
    ask: bool = False
    """Whether to ask about it now, not only with the next list."""
    hinted: bool = False
    """Whether something is said to have happened since it was asked about last: an answer on its way is older."""
    told: bool = False
    """Whether it was reported as running."""
    silent: bool = False
    """Whether it was reported that there is no answer."""
    kill: bool = False
    store: bool = False
    follow: bool = False
    """Whether somebody reads what it writes."""
    ack: bool = False
    not_after: int | None = None
    """What the starts of it that were sent say; None when none was sent that may still begin."""
    open_starts: int = 0
    """How many starts of it were sent and not answered, of those that may still begin."""
    refusals: int = 0
    refused: str = ""
    """Why its start was refused last."""
    rest_until_s: float = 0.0
    unstored: str = ""
    """Why what it wrote could not be stored here the last time."""
    whole: set[Stream] = field(default_factory=set)
    """The streams of which all that there is has been fetched."""

    @property
    def needless(self) -> bool:
        """Whether nothing is to be done about it any more."""
        return not (self.watched or self.kill or self.store or self.ack)


Asked = tuple[Watch | None, Request]


class Books:
    """The attempts at one agent."""

    def __init__(self, agent: AgentIdentity, fetched: Fetched) -> None:
        self.agent = agent
        self._fetched = fetched
        self._watches: dict[str, Watch] = {}
        self.reborn = False
        """Whether the agent has been restarted since it was met: what it has no record of may have run."""
        self.skew = timedelta()
        """How far its clock is ahead of ours."""

    @property
    def idle(self) -> bool:
        """Whether nothing is watched and nothing is to be done."""
        return not self._watches

    @property
    def watched(self) -> int:
        """How many attempts are watched."""
        return sum(watch.watched for watch in self._watches.values())

    @property
    def unstored(self) -> str:
        """Why what jobs wrote cannot be stored here, "" when it can."""
        return next((w.unstored for w in self._watches.values() if w.unstored), "")

    # -- what is to be done --

    def take(self, action: Send, name: str, payload: Payload | None, *, begun: bool) -> None:
        """Take in one action of the manager; ``payload`` comes with a start."""
        watch = self._watches.get(name)
        if watch is None:
            watch = self._watches[name] = Watch(key=action.key, name=name, relay=action.relay)
        match action:
            case StartAttempt():
                watch.watched, watch.told, watch.relay = True, False, action.relay
                watch.payload, watch.ask = (None, True) if self.reborn else (payload, False)
            case AskAgain():
                # Nothing is started: what was not answered may be told to start once more when it is absent.
                watch.watched, watch.told, watch.payload, watch.ask = True, False, None, True
                watch.begun = watch.begun or begun
            case KillAttempt():
                watch.kill = True
            case StoreResult():
                watch.store, watch.whole = True, set()
            case AckAttempt():
                watch.ack = True

    def look_at(self, name: str, *, follow: bool) -> bool:
        """Ask about an attempt at once, with ``follow`` for what it wrote too; return whether it is one of ours."""
        watch = self._watches.get(name)
        if watch is None:
            return False
        watch.ask, watch.hinted, watch.follow = True, True, watch.follow or follow
        return True

    def restarted(self) -> None:
        """Take note that the agent was restarted: nothing is started there any more, and what ran is over."""
        self.reborn = True
        for watch in self._watches.values():
            if watch.payload is not None:
                watch.payload, watch.ask = None, True

    def requests(self, now_s: float, uptime_s: int, *, poll: bool) -> list[Asked]:
        """Return what to ask the agent now, starts of one relay agent only; ``uptime_s`` is the agent's.

        Tell ``sends`` of it before it is sent.
        """
        asked: list[Asked] = list(self._starts(now_s, uptime_s))
        for watch in self._watches.values():
            if watch.rest_until_s > now_s:
                continue
            if watch.kill:
                asked.append((watch, Kill(watch.name)))
            if watch.ack and not watch.store:
                asked.append((watch, Ack(watch.name)))
            if watch.ask and watch.watched and watch.payload is None:
                asked.append((watch, State(watch.name)))
        if poll and self.watched:
            asked.append((None, List()))
        return asked + self._fetches(now_s)

    def sends(self, asked: Sequence[Asked]) -> None:
        """Take note that these requests are sent now, whether or not they will be answered."""
        for watch, request in asked:
            if watch is None:
                for listed in self._watches.values():
                    listed.hinted = False
                continue
            watch.hinted = watch.hinted and not isinstance(request, Start | State | Kill)
            if isinstance(request, Start):
                watch.not_after = request.not_after
                watch.open_starts += 1

    def next_s(self, now_s: float) -> float | None:
        """Return when something that rests is to be tried again, None when nothing does."""
        times = (w.rest_until_s for w in self._watches.values() if w.rest_until_s > now_s)
        return min(times, default=None)

    def _starts(self, now_s: float, uptime_s: int) -> Iterator[Asked]:
        relay, count, size = None, 0, 0
        for watch in self._watches.values():
            payload = watch.payload
            if payload is None or watch.rest_until_s > now_s or not watch.watched:
                continue
            if relay is None:
                relay = watch.relay
            if watch.relay != relay:
                continue
            count, size = count + 1, size + payload.size
            if count > STARTS or (count > 1 and size > START_BYTES):
                return
            not_after = watch.not_after
            start = Start(
                attempt_id=watch.name,
                epoch=self.agent.epoch,
                boot_id=self.agent.boot_id,
                not_after=uptime_s + NOT_AFTER_S if not_after is None else not_after,
                launch=payload.launch,
                file=payload.file,
                timeout_s=payload.timeout_s,
            )
            yield watch, start

    def _fetches(self, now_s: float) -> list[Asked]:
        streams = list(islice(self._unfetched(now_s), FETCHES))
        most = min(FETCH_BYTES, FETCHED_BYTES // max(len(streams), 1))
        fetches: list[Asked] = []
        for watch, stream in streams:
            try:
                size = self._fetched.size(watch.name, stream)
            except StoreError as error:
                self._cannot_store(watch, error, now_s)
            else:
                fetches.append((watch, Fetch(watch.name, stream, size, most)))
        return fetches

    def _unfetched(self, now_s: float) -> Iterator[tuple[Watch, Stream]]:
        for watch in self._watches.values():
            if not (watch.store or watch.follow) or watch.rest_until_s > now_s:
                continue
            for stream in Stream:
                if stream not in watch.whole:
                    yield watch, stream

    # -- what was answered --

    def heard(
        self, asked: Sequence[Asked], answers: Sequence[Answer], now_s: float
    ) -> list[Observed]:
        """Take in the answers to requests, and return what they mean for the manager.

        What cannot be stored here is fetched again later, see ``unstored``; it stands in the way of nothing else.
        """
        found: list[Observed] = []
        for (watch, request), answer in zip(asked, answers, strict=True):
            if watch is None:
                if isinstance(answer, Listed):
                    found += self._listed(answer, now_s)
                continue
            watch.silent = False
            try:
                found += self._answered(watch, request, answer, now_s)
            except StoreError as error:
                self._cannot_store(watch, error, now_s)
            self._drop_if_done(watch)
        return found

    def _cannot_store(self, watch: Watch, error: StoreError, now_s: float) -> None:
        watch.unstored = error.message
        self._rest(watch, now_s, DISK_REST_S)

    def _answered(
        self, watch: Watch, request: Request, answer: Answer, now_s: float
    ) -> Iterable[Observed]:
        match answer:
            case Stands():
                return self._stands(watch, request, answer, now_s)
            case KillOrdered(stands=stands):
                watch.kill = False
                return self._stands(watch, request, stands, now_s)
            case Data():
                return self._data(watch, answer)
            case Damaged() | Misunderstood():
                # What came after it was not answered; the next time that goes without it.
                if isinstance(request, Start):
                    watch.open_starts -= 1
                self._rest(watch, now_s)
            case _ if isinstance(request, Start):
                # The helper stopped before it.
                watch.open_starts -= 1
            case _:
                pass  # not answered, and asked again
        return ()

    def silent(self, since: datetime) -> list[Observed]:
        """Return that there is no answer about all that is watched, where that was not said yet."""
        found = []
        for watch in self._watches.values():
            if watch.watched and not watch.silent:
                watch.silent, watch.told = True, False
                watch.ask = watch.payload is None
                found.append(Observed(watch.key, attempts.NoAnswer(since)))
        return found

    def gone(self, why: str) -> list[Observed]:
        """Return that nobody will ever know of the attempts here, and forget them."""
        found = [
            Observed(watch.key, what)
            for watch in self._watches.values()
            for what in self._without_agent(watch, why)
        ]
        self._watches.clear()
        return found

    @staticmethod
    def _without_agent(watch: Watch, why: str) -> Iterator[Observation]:
        if watch.watched:
            yield attempts.Lost(why)
        if watch.store:
            yield attempts.Stored()
        if watch.ack:
            yield attempts.Acked()

    def _listed(self, answer: Listed, now_s: float) -> Iterable[Observed]:
        found: list[Observed] = []
        for watch in list(self._watches.values()):
            if not watch.watched or watch.payload is not None:
                continue
            stands = answer.standings.get(watch.name)
            if stands is None:
                # Not there or done with: only a question about it alone tells which.
                watch.ask = True
            else:
                watch.silent = False
                found += self._standing(watch, stands, now_s)
            self._drop_if_done(watch)
        return found

    def _stands(
        self, watch: Watch, request: Request, stands: Stands, now_s: float
    ) -> Iterable[Observed]:
        match request:
            case Ack():
                # It ends with a tomb. Absent says that this one is gone too, or that nothing was ever there.
                if isinstance(stands.standing, Tomb | Absent):
                    watch.ack = False
                    return [Observed(watch.key, attempts.Acked())]
                self._rest(watch, now_s)
                return []
            case Fetch():
                # There is nothing more to be had, or nothing yet.
                watch.follow = False
                if not watch.store:
                    return []
                watch.whole.add(request.stream)
                return self._stored(watch) if len(watch.whole) == len(Stream) else []
            case Start():
                return self._started(watch, stands, now_s)
            case _:
                return self._standing(watch, stands, now_s) if watch.watched else []

    def _started(self, watch: Watch, stands: Stands, now_s: float) -> Iterable[Observed]:
        watch.open_starts -= 1
        match stands.standing:
            case NotTaken(reason):
                watch.refusals, watch.refused = watch.refusals + 1, reason
                if watch.refusals > TRIES and not watch.open_starts:
                    return self._over(watch, attempts.FailedToStart(reason))
                # While another start of it may still arrive, only its expiry proves that none begins.
                self._rest(watch, now_s, 2.0 ** (min(watch.refusals, TRIES) - 1))
                return []
            case Expired():
                # No start of it that was ever sent can begin any more, so a new one may be sent.
                watch.not_after, watch.open_starts = None, 0
                if watch.refusals > TRIES:
                    return self._over(watch, attempts.FailedToStart(watch.refused))
                return []
            case _:
                watch.payload = None
                return self._standing(watch, stands, now_s) if watch.watched else []

    def _standing(self, watch: Watch, stands: Stands, now_s: float) -> Iterable[Observed]:
        watch.ask = watch.hinted
        match stands.standing:
            case Running(started=started):
                return self._runs(watch, self._by_our_clock(started))
            case Lost(remains=Remains.THERE):
                # It runs on without its runner. How it ends nobody will see; until then it is not over.
                return self._runs(watch, None)
            case Other():
                watch.ask = True
                return []
            case Claimed():
                # Too old, whoever took it died before it began: killed, it never will, and the agent says so.
                watch.kill = watch.kill or (stands.age_s or 0) > CLAIMED_S
                watch.ask = True
                self._rest(watch, now_s, CLAIMED_REST_S)
                return []
            case _:
                return self._over(watch, self._ending(watch, stands))

    def _ending(self, watch: Watch, stands: Stands) -> Observation | None:
        """Return what it means that nothing more will come of an attempt here."""
        match stands.standing:
            case Absent() if watch.begun or self.reborn:
                why = "was restarted and " if self.reborn else ""
                return attempts.Lost(f"the agent {why}has no record of it")
            case Tomb():
                # Taken and thrown away before the state that we have was restored.
                return attempts.Lost("its result was fetched before")
            case Ended(result=result):
                started, ended = map(self._by_our_clock, (result.started, result.ended))
                corrected = Ended(replace(result, started=started, ended=ended))
                return observed(replace(stands, standing=corrected))
            case _:
                return observed(stands)

    def _by_our_clock(self, at: datetime) -> datetime:
        return at - self.skew if abs(self.skew) > SKEW else at

    def _runs(self, watch: Watch, started: datetime | None) -> Iterable[Observed]:
        watch.begun = True
        if watch.told:
            return []
        watch.told = True
        return [Observed(watch.key, attempts.Running(started))]

    def _over(self, watch: Watch, what: Observation | None) -> Iterable[Observed]:
        watch.watched = watch.ask = watch.follow = watch.kill = False
        watch.payload = None
        return [] if what is None else [Observed(watch.key, what)]

    def _data(self, watch: Watch, answer: Data) -> Iterable[Observed]:
        self._fetched.append(watch.name, answer.stream, answer.offset, answer.content)
        if self._fetched.size(watch.name, answer.stream) >= answer.size:
            watch.whole.add(answer.stream)
        if len(watch.whole) < len(Stream):
            return []
        if not watch.store:
            # All that there is so far; whoever reads on will say so.
            watch.follow, watch.whole, watch.unstored = False, set(), ""
            self._fetched.touch(watch.name)
            return []
        return self._stored(watch)

    def _stored(self, watch: Watch) -> Iterable[Observed]:
        self._fetched.sync(watch.name)
        watch.store, watch.unstored = False, ""
        return [Observed(watch.key, attempts.Stored())]

    def _rest(self, watch: Watch, now_s: float, seconds: float = 1.0) -> None:
        watch.rest_until_s = now_s + seconds

    def _drop_if_done(self, watch: Watch) -> None:
        if watch.needless:
            self._watches.pop(watch.name, None)
