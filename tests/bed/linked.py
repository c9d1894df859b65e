"""Links into the bed, and the helper called over them, as a manager would; nothing is left of them afterwards."""

from __future__ import annotations

import secrets
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ajs.clock import SystemClock
from ajs.dispatch import launching
from ajs.dispatch.answers import parse, parse_install
from ajs.dispatch.link import Route
from ajs.dispatch.link_errors import LinkError
from ajs.dispatch.messages import Ended, JobResult, Stream
from ajs.dispatch.protocol import (
    Agent,
    Answer,
    Data,
    Fetch,
    Heard,
    Hello,
    Introduction,
    Request,
    Stands,
    Start,
    State,
    build,
)
from ajs.dispatch.ssh.dial import SshLinks
from ajs.dispatch.ssh.link import SshLink
from tests.bed.bed import Bed
from tests.bed.host import RECORDS
from tests.bed.server import Agent as Host
from tests.dispatch.waiting import until

NOW = datetime(2026, 8, 12, 3, 0, tzinfo=UTC)
LONG_S = 60.0
SHORT_S = 2.0
HELPER = Path(launching.__file__).with_name("agent.sh").read_bytes()
DIGEST = launching.digest(HELPER)
ROOT = launching.DEFAULT_ROOT
FOLDER = ROOT.removeprefix("~/")


class Linked:
    """A bed, and the links that a test opens into it."""

    def __init__(self, bed: Bed) -> None:
        self.bed = bed
        self.links = SshLinks(SystemClock("UTC"))
        self._opened: list[SshLink] = []
        self._threads = set(threading.enumerate())

    def open(
        self, agent: Host | None = None, *, relay: int = 1, route: Route | None = None, **other: Any
    ) -> SshLink:
        """A link to the agent, or to whichever the load balancer gives."""
        way = route or self.bed.route(agent, relay=relay)
        link = self.links.open(way, **{"now": NOW, "deadline_s": LONG_S, **other})
        self._opened.append(link)
        return link

    def refused(self, agent: Host | None = None, **other: Any) -> LinkError:
        """Why no link comes about."""
        try:
            self.open(agent, **other)
        except LinkError as error:
            return error
        raise AssertionError("a link was opened")

    def end(self) -> None:
        """Close all links, and see that no thread of theirs is left."""
        for link in self._opened:
            link.close()
        until(lambda: not set(threading.enumerate()) - self._threads, "no threads left")


class Talk:
    """The helper at the other end of a link; it is put in place first."""

    def __init__(self, link: SshLink) -> None:
        self.link = link
        nonce = secrets.token_hex(8)
        reply = link.call(launching.install_command(ROOT, DIGEST, nonce), HELPER, deadline_s=LONG_S)
        assert parse_install(reply.out, nonce) is None, reply
        self.agent = self.heard(Hello()).agent

    def heard(self, *requests: Request, deadline_s: float = LONG_S) -> Heard:
        """A whole conversation."""
        nonce = secrets.token_hex(8)
        command = launching.call_command(ROOT, DIGEST, nonce)
        reply = self.link.call(command, build(requests), deadline_s=deadline_s)
        heard = parse(reply.out, nonce, requests)
        assert isinstance(heard, Heard), (heard, reply)
        return heard

    def ask(self, request: Request) -> Answer:
        """The answer to one request."""
        return self.heard(request).answers[0]

    def hello(self) -> Introduction:
        """Who the agent says it is."""
        answer = self.ask(Hello())
        assert isinstance(answer, Introduction)
        return answer

    def stands(self, request: Request) -> Any:
        """How the attempt stands by the answer to this request."""
        answer = self.ask(request)
        assert isinstance(answer, Stands), answer
        return answer.standing

    def state(self, start: Start) -> Any:
        """How the attempt stands."""
        return self.stands(State(start.attempt_id))

    def result(self, start: Start) -> JobResult:
        """Wait for the attempt to end."""

        def look() -> JobResult | None:
            standing = self.state(start)
            return standing.result if isinstance(standing, Ended) else None

        return until(look, f"{start.attempt_id} ended")

    def output(self, start: Start) -> bytes:
        """What the job has written to stdout."""
        data = self.ask(Fetch(start.attempt_id, Stream.OUT, 0, 1 << 20))
        assert isinstance(data, Data), data
        return data.content


def job(agent: Agent, script: str, **other: Any) -> Start:
    """A start on this agent; the job writes its name into the records of the host, and then runs the script."""
    launch = f'echo "$AJS_ATTEMPT" >> {RECORDS}/starts\n{script}\n'
    usual: dict[str, Any] = {
        "attempt_id": secrets.token_hex(8),
        "epoch": agent.epoch,
        "boot_id": agent.boot_id,
        "not_after": agent.uptime_s + 3600,
        "kill_after_s": 1,
    }
    return Start(launch=launch.encode(), **(usual | other))
