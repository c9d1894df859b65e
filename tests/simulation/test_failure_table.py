"""The failure table of dispatch, row by row: real decide, tables and books, an agent that keeps its contract.

One job on one agent. The way is told what to do with each conversation, the agent and the manager what happens to them;
each story ends with how often the job ran and what became of it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ajs.actions import AskAgain, Send, StartAttempt
from ajs.agents import AgentIdentity
from ajs.attempts import AttemptKey, AttemptState
from ajs.decide import Observed, Snapshot
from ajs.dispatch.fetched import Fetched
from ajs.dispatch.messages import Stream
from ajs.dispatch.protocol import Heard, Start, build
from ajs.fleet import Contact, Met
from ajs.runner.remote.books import CLAIMED_S, Books, Payload
from ajs.testing import FakeClock
from tests.driver import EVENING, Driver, job, net, waiting
from tests.runner.remote.fakes import NOON, FakeAgent
from tests.runner.remote.world import DEFINED

AGENT = AgentIdentity("LB1", "10.0.0.5", 22, "SHA256:five", "b1", "25", "e1")
KEY = AttemptKey(1, "j", 1)
POLL = timedelta(seconds=5)
SILENCE = timedelta(seconds=15)
LASTS_S = 60
OUTPUT = b"what the job wrote\n"
ROOT = net("root", job("j", destination="LB1", relay="GRP"))


class Way:
    """The books of one agent as a courier uses them, and the agent behind them, for ``Driver``.

    ``fates`` say what happens to the next conversations: "cut N" lets N bytes through, "lost" the answer get lost,
    "down" nothing through; "" is a good one, and so are all after them. ``then`` is done right before a conversation.
    """

    def __init__(self, folder: Path) -> None:
        self.agent = FakeAgent()
        self.fetched = Fetched(folder)
        self.books = Books(AGENT, self.fetched)
        self.fates: list[str] = []
        self.then: dict[int, Callable[[], object]] = {}
        self.running = False
        self.talks = 0
        self.gone = ""
        self.down = False
        self._heard_at = datetime.min.replace(tzinfo=NOON.tzinfo)
        self._began = self._heard_at
        self._up = 0
        self._at: datetime | None = None

    # -- what Driver asks of a machine --

    @property
    def starts(self) -> list[str]:
        return self.agent.starts

    def send(self, action: Send, now: datetime) -> None:
        payload = Payload(launch=b"exec true\n") if isinstance(action, StartAttempt) else None
        self.books.take(action, "j", payload, begun=self.running)
        self._at = now

    def next_at(self) -> datetime | None:
        return None if self.books.idle or self._at is None else self._at

    def cut(self) -> None:
        """The manager is gone, and with it what its courier knew."""
        self.books = Books(AGENT, self.fetched)

    def answers(self, now: datetime) -> tuple[Observed, ...]:
        self._pass(now)
        if self.books.idle or self._at is None or now < self._at:
            return ()
        self._at = now + POLL
        if now - self._heard_at > SILENCE and self.talks:
            silence = self.books.silent(self._heard_at)
            if silence:
                return tuple(silence)
        seen = self._talk(now)
        self.running = self.running or any("Running" in repr(s.what) for s in seen)
        return tuple(seen)

    # -- the way and the agent --

    def _pass(self, now: datetime) -> None:
        if not self._up:
            self._began, self._up, self._heard_at = now, self.agent.up, now
        self.agent.up = self._up + int((now - self._began).total_seconds())
        for name, there in self.agent.jobs.items():
            over = self.agent.up - there.began >= LASTS_S
            if over and self.agent._word(name) == "running":
                self.agent.end(name, 3, OUTPUT)

    def _talk(self, now: datetime) -> list[Observed]:
        now_s = (now - self._began).total_seconds()
        self.then.pop(self.talks, lambda: None)()
        self.talks += 1
        if self.gone:
            return self.books.gone(self.gone)
        fate = self.fates.pop(0) if self.fates else ""
        if self.down or fate == "down":
            return []
        asked = self.books.requests(now_s, self.agent.up, poll=True)
        if self.agent.boot != AGENT.boot_id and not self.books.reborn:
            # Whoever opens the link hears it first.
            self.books.restarted()
            asked = self.books.requests(now_s, self.agent.up, poll=True)
        self.books.sends(asked)
        requests = [request for _, request in asked]
        if fate.startswith("cut"):
            heard = self.agent.ask(requests, int(fate.split()[1]))
            return []
        heard = self.agent.ask(requests)
        if fate == "lost":
            return []
        assert isinstance(heard, Heard)
        self._heard_at = now
        return self.books.heard(asked, heard.answers, now_s)


@pytest.fixture
def way(tmp_path) -> Way:
    return Way(tmp_path / "fetched")


def driver(way: Way, **crash) -> Driver:
    snapshot = Snapshot(due=(waiting(ROOT),), agents=DEFINED, met=Met(agents=(Contact(AGENT),)))
    return Driver(snapshot, way, FakeClock(EVENING), **crash)  # type: ignore[arg-type]


def story(way: Way, until: timedelta = timedelta(hours=2), **crash) -> str:
    """What became of the job: how often it ran, its status, its states, and whether its output is here."""
    it = driver(way, **crash)
    it.run(until=EVENING + until)
    kept = way.fetched.size("j", Stream.OUT) == len(OUTPUT)
    return f"ran {way.starts.count('j')}, {status(it)}, {'kept' if kept else 'no output'}"


def status(it: Driver) -> str:
    """The job's status."""
    return it.units[1, "j"].status.name


def states(it: Driver) -> list[str]:
    """The states that the attempt went through."""
    found: list[str] = []
    for attempt in it.attempts[KEY]:
        if attempt.state.name not in found[-1:]:
            found.append(attempt.state.name)
    return found


WELL = "ran 1, ABNORMAL, kept"
"""The job ends with return code 3, which is abnormal; what matters is that nothing else comes of it."""
SIZE = len(
    build(
        [
            Start(attempt_id="j", epoch="e1", boot_id="b1", not_after=5900, launch=b"exec true\n"),
        ]
    )
)


def test_when_nothing_fails(way):
    it = driver(way).run(until=EVENING + timedelta(hours=1))
    assert states(it) == ["PLACED", "STARTED", "ENDED", "STORED", "ACKED"]
    assert way.agent.jobs == {}
    assert way.agent.acked_results == {"j": 1}


def test_row_1_cut_before_the_lock_was_taken(way):
    way.fates = ["cut 0", "down"]
    assert story(way) == WELL


@pytest.mark.parametrize("through", [1, 20, SIZE - 10, SIZE - 1])
def test_row_2_the_start_cut_in_the_middle(way, through):
    way.fates = [f"cut {through}"]
    way.then[1] = lambda: way.starts == [] or pytest.fail("a start that was cut ran")
    assert story(way) == WELL


def test_row_3_cut_after_the_lock_and_the_answer_lost(way):
    way.fates = ["lost", "lost"]
    assert story(way) == WELL
    assert [line.split()[0] for line in way.agent.heard].count("start") == 3


def test_row_3_the_answer_lost_and_long_silence(way):
    way.fates = ["lost", *["down"] * 10]
    it = driver(way).run(until=EVENING + timedelta(hours=1))
    assert "UNKNOWN" in states(it)
    assert way.starts == ["j"]
    assert status(it) == "ABNORMAL"


def test_row_4_taken_and_never_begun(way):
    way.agent.stuck = True
    it = driver(way).run(until=EVENING + timedelta(seconds=CLAIMED_S - 5))
    assert status(it) == "EXECWAIT"
    it.run(until=EVENING + timedelta(hours=1))
    assert status(it) == "FAIL"
    assert way.starts == []
    assert way.agent.jobs == {}


def test_row_5_no_way_for_long_while_the_job_runs(way):
    way.then[2] = lambda: setattr(way, "down", True)
    it = driver(way).run(until=EVENING + timedelta(minutes=30))
    assert status(it) == "RUNNING"
    assert it.snapshot.attempts[KEY].state is AttemptState.UNKNOWN
    assert it.decisions[-1].reasons[1, "j"].text.startswith("no contact since")
    way.down = False
    it.run(until=EVENING + timedelta(hours=1))
    assert status(it) == "ABNORMAL"
    assert way.starts == ["j"]
    assert way.fetched.output("j", Stream.OUT, 0, 99) == OUTPUT


def test_row_8_silence_is_noticed_and_nothing_is_started_again(way):
    way.fates = ["", *["down"] * 20]
    it = driver(way).run(until=EVENING + timedelta(hours=1))
    assert states(it) == [
        "PLACED",
        "STARTED",
        "UNKNOWN",
        "ENDED",
        "STORED",
        "ACKED",
    ]
    assert way.starts == ["j"]


def test_row_10_the_runner_killed_while_its_job_runs_on(way):
    def kill_runner() -> None:
        way.agent.jobs["j"].runner, way.agent.jobs["j"].there = False, True

    def job_ends() -> None:
        way.agent.jobs["j"].there = False

    way.then = {2: kill_runner, 30: job_ends}
    it = driver(way).run(until=EVENING + timedelta(minutes=1))
    # What is left of it still runs, and so its slot is taken.
    assert status(it) == "RUNNING"
    it.run(until=EVENING + timedelta(hours=1))
    assert status(it) == "UNKNOWN"
    assert it.snapshot.attempts == {}
    assert way.starts == ["j"]


def test_row_11_the_agent_restarts_while_the_job_runs(way):
    way.then[2] = way.agent.reboot
    it = driver(way).run(until=EVENING + timedelta(hours=1))
    assert status(it) == "UNKNOWN"
    assert "the agent was restarted" in it.attempts[KEY][-1].why
    assert way.starts == ["j"]


def test_row_11_the_agent_restarts_before_the_start_arrives(way):
    way.fates = ["cut 5"]
    way.then[1] = way.agent.reboot
    it = driver(way).run(until=EVENING + timedelta(hours=1))
    # It may have run before: nobody starts it again.
    assert status(it) == "UNKNOWN"
    assert way.starts == []


def test_row_11_the_agent_restarts_after_the_job_has_ended(way):
    way.fates = ["", *["down"] * 20]
    way.then[21] = way.agent.reboot
    assert story(way) == WELL


def test_row_13_the_address_is_another_hosts_now(way):
    heard: list[str] = []

    def replaced() -> None:
        heard.extend(way.agent.heard)
        way.gone = "the agent is gone: its address is another host's now"

    way.then[2] = replaced
    it = driver(way).run(until=EVENING + timedelta(hours=1))
    assert status(it) == "UNKNOWN"
    assert it.attempts[KEY][-1].why == "the agent is gone: its address is another host's now"
    # The other host was never told of the job.
    assert way.agent.heard == heard


FATES = {
    "good": [],
    "lost": ["lost"],
    "cut": ["cut 30"],
    "bad": ["lost", "", "lost", "", "lost", "lost", "", "lost"],
}


@pytest.mark.parametrize("before", [True, False], ids=["before-commit", "after-commit"])
@pytest.mark.parametrize("fates", FATES.values(), ids=FATES.keys())
def test_row_15_the_manager_killed_at_any_point(tmp_path, fates, before):
    whole = Way(tmp_path / "whole")
    whole.fates = list(fates)
    it = driver(whole)
    it.run(until=EVENING + timedelta(hours=1))
    assert it.commits >= 5
    for at in range(1, it.commits + 1):
        one = Way(tmp_path / str(at))
        one.fates = list(fates)
        assert story(one, crash_at=at, crash_before=before) == WELL, at
        assert one.agent.jobs == {}
        assert one.agent.acked_results == {"j": 1}


def test_a_question_never_starts_anything(way):
    way.books.take(AskAgain(KEY, ""), "j", None, begun=False)
    requests = [request for _, request in way.books.requests(0.0, 0, poll=True)]
    assert not any(isinstance(request, Start) for request in requests)
