"""A courier: the thread that keeps links to one agent, and carries requests there and answers back.

It asks for a list every few seconds, which is the truth, and listens for the ends of jobs, which is faster. When the
agent cannot be reached it goes on trying, through every relay agent that leads there, and says so once.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime

from ajs.actions import Send
from ajs.agents import AgentIdentity, Destination
from ajs.dispatch.answers import parse_event
from ajs.dispatch.launching import follow_command
from ajs.dispatch.link import FarSide, Link, Stream
from ajs.dispatch.link_errors import Closed, LinkError
from ajs.dispatch.protocol import Heard, Hello, Introduction, Start
from ajs.fleet import Contact
from ajs.runner.remote.books import Asked, Books, Payload
from ajs.runner.remote.desk import Desk
from ajs.runner.remote.relays import at_relay, to_agent
from ajs.runner.remote.talk import converse, introduced, root_of, unforeseen

POLL_S = 5.0
"""How often to ask how the jobs stand."""
FIRST_POLL_S = 1.0
"""How soon to ask after somebody has begun to listen: what ended before that was not heard."""
IDLE_POLL_S = 30.0
"""How often to ask for a sign of life when there are none: who has gone without a word gets no job."""
SILENCE_S = 15.0
"""After how long without an answer the manager is told."""
OPEN_S = 15.0
"""How long opening a link may take."""
SHORTEST_REST_S = 0.5
LONGEST_REST_S = 15.0
"""How long to wait after no relay agent led to the agent: twice as long each time, up to this."""
IDLE_S = 600.0
"""After how long without anything to do the links are given up."""


def key_of(far_side: FarSide) -> str:
    """Return what an agent's host key is known by: its certificate's key id, or the key's fingerprint."""
    return far_side.key_id or far_side.fingerprint


class Courier:
    """One agent: its books, its links, its thread."""

    def __init__(self, agent: AgentIdentity, relay: str, desk: Desk) -> None:
        """``relay`` is the relay agent or group that leads to the agent, "" for none."""
        self.agent = agent
        self._relay = relay
        self._desk = desk
        self._news = threading.Condition()
        self._books = Books(agent, desk.fetched)
        self._present = (agent.epoch, agent.boot_id)
        self._links: dict[str, Link] = {}
        self._listeners: list[Stream] = []
        self._uptime_ahead_s = 0.0
        self._trouble = "no link to it has been opened yet"
        self._over = ""
        self._stopping = False
        self._closed = False
        """Whether nothing is taken any more: what came now nobody would see."""
        self._poll_at_s = 0.0
        self._new_listener = False
        """Whether somebody has begun to listen since it was asked last."""
        self._rest_s = 0.0
        self._rest_until_s = 0.0
        self._used_at_s = self._heard_at_s = self._waits_since_s = desk.clock.elapsed_s()
        self._heard_at: datetime = desk.clock.now().utc
        self._thread = threading.Thread(
            target=self._run, name=f"courier {agent.label}", daemon=True
        )

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    # -- for the manager and for scouts --

    @property
    def contact(self) -> Contact:
        """The agent, and why it cannot be used now."""
        restarted = "it was restarted" if self._books.reborn else ""
        unlinked = "" if self.linked else "no link to it lives"
        return Contact(self.agent, self._over or restarted or self._trouble or unlinked)

    @property
    def ended(self) -> bool:
        """Whether the courier takes nothing any more: it had nothing to do for long, or its agent is gone."""
        return self._closed

    @property
    def linked(self) -> bool:
        """Whether there is a link that lives."""
        return any(link.ended is None for link in list(self._links.values()))

    def take(self, action: Send, name: str, payload: Payload | None, *, begun: bool) -> bool:
        """Take one action to carry out; return whether that was done, False when the courier has ended."""
        with self._news:
            if self._closed:
                return False
            self._used_at_s = self._desk.clock.elapsed_s()
            if not self._books.watched:
                self._waits_since_s = self._used_at_s
            self._books.take(action, name, payload, begun=begun)
            self._news.notify_all()
            return True

    def look_at(self, names: Iterable[str], *, follow: bool) -> None:
        """Look at attempts at once that something may have happened to; ``follow``: somebody reads what they write."""
        with self._news:
            if sum(self._books.look_at(name, follow=follow) for name in names):
                self._news.notify_all()

    def adopt(self, relay: str, link: Link, heard: Heard, said: Introduction) -> bool:
        """Take over a link to the agent that somebody else has opened; return whether it was of use."""
        if not self._attach(relay, link, heard, said):
            return False
        with self._news:
            self._trouble = ""
            self._rest_s = self._rest_until_s = 0.0
            self._news.notify_all()
        self._desk.wake()
        return True

    def stop(self) -> None:
        """Let go of everything, at once what hangs in a call; jobs run on."""
        with self._news:
            self._stopping = True
            links = list(self._links.values())
            self._news.notify_all()
        for link in links:
            threading.Thread(target=link.close, daemon=True).start()

    def join(self, seconds: float) -> None:
        """Wait for the end after ``stop``, so long at most: opening a link cannot be broken off."""
        self._thread.join(seconds)

    # -- the thread --

    def _run(self) -> None:
        try:
            while self._goes_on():
                self._turn()
        finally:
            with self._news:
                self._closed = True
                links, self._links = self._links, {}
                listeners, self._listeners = self._listeners, []
            for listener in listeners:
                listener.close()
            for relay, link in links.items():
                link.close()
                self._desk.relays.count(relay, -1)

    def _goes_on(self) -> bool:
        """Whether there is another turn; from the moment it is said that there is none, nothing is taken."""
        with self._news:
            self._closed = self._closed or self._stopping or self._useless()
            return not self._closed

    def _useless(self) -> bool:
        idle_s = self._desk.clock.elapsed_s() - self._used_at_s
        return self._books.idle and (idle_s > IDLE_S or self._books.reborn)

    def _turn(self) -> None:
        try:
            self._look_and_ask()
        except LinkError as error:
            self._failed(error)
        except Exception as error:  # noqa: BLE001  a thread that died would leave its jobs with nobody who asks
            self._failed(unforeseen(self.agent.label, error))

    def _look_and_ask(self) -> None:
        now_s = self._desk.clock.elapsed_s()
        self._tell_silence(now_s)
        with self._news:
            if self._stopping:
                return
            asked = self._due(now_s)
            if not asked:
                self._news.wait(self._patience(now_s))
                return
        starts = (w.relay for w, request in asked if w is not None and isinstance(request, Start))
        relay, link = self._link(next(starts, ""))
        with self._news:
            # Anew: whoever opened the link has heard whether the agent was restarted, and its uptime.
            asked = self._due(self._desk.clock.elapsed_s())
            self._books.sends(asked)
        if asked:
            self._ask(relay, link, asked)

    def _due(self, now_s: float) -> list[Asked]:
        if now_s < self._rest_until_s:
            return []
        poll = now_s >= self._poll_due_s
        asked = self._books.requests(now_s, int(now_s + self._uptime_ahead_s), poll=poll)
        if asked or not poll or (self._books.idle and not self.linked):
            return asked
        return [(None, Hello())]

    @property
    def _poll_due_s(self) -> float:
        """When to ask again though there is nothing new."""
        return self._poll_at_s + (IDLE_POLL_S - POLL_S if self._books.idle else 0)

    def _patience(self, now_s: float) -> float:
        """Return how long there is nothing to do unless somebody says so."""
        times = [self._poll_due_s, self._books.next_s(now_s) or 0.0]
        if self._books.idle:
            times.append(self._used_at_s + IDLE_S)
        at_s = min((t for t in times if t > now_s), default=now_s + POLL_S)
        if not self._heard_lately(now_s):
            at_s = min(at_s, now_s + SILENCE_S)
        return max(0.01, max(at_s, self._rest_until_s) - now_s)

    # -- talking --

    def _ask(self, relay: str, link: Link, asked: list[Asked]) -> None:
        requests = [request for _, request in asked]
        heard = converse(link, *self._call, requests, self.agent.label)
        now_s = self._desk.clock.elapsed_s()
        if (heard.agent.epoch, heard.agent.boot_id) != self._present:
            self._introduce(relay, link)
        with self._news:
            if self._stopping:
                return
            self._uptime_ahead_s = heard.agent.uptime_s - now_s
            seen = self._books.heard(asked, heard.answers, now_s)
            if any(watch is None for watch, _ in asked):
                self._poll_at_s = now_s + (FIRST_POLL_S if self._new_listener else POLL_S)
                self._new_listener = False
        self._heard(now_s)
        if seen:
            self._desk.tell(seen, relay)

    @property
    def _call(self) -> tuple[str, bytes, str]:
        destination = self._destination()
        return root_of(destination.job_folder), self._desk.helper, self._desk.helper_digest

    def _destination(self) -> Destination:
        found = self._desk.destination(self.agent.destination)
        if found is None:
            cause = f"the destination {self.agent.destination} is no longer defined"
            raise Closed(self.agent.label, cause, "define it again: its agents keep the results")
        return found

    def _heard(self, now_s: float) -> None:
        self._heard_at_s, self._heard_at = now_s, self._desk.clock.now().utc
        self._rest_s = self._rest_until_s = 0.0
        self._set_trouble(self._books.unstored)

    def _failed(self, error: LinkError) -> None:
        self._rest_s = min(max(2 * self._rest_s, SHORTEST_REST_S), LONGEST_REST_S)
        self._rest_until_s = self._desk.clock.elapsed_s() + self._rest_s
        self._set_trouble(str(error))

    def _set_trouble(self, said: str) -> None:
        if said != self._trouble:
            self._trouble = said
            self._desk.wake()

    def _heard_lately(self, now_s: float) -> bool:
        return now_s - max(self._heard_at_s, self._waits_since_s) <= SILENCE_S

    def _tell_silence(self, now_s: float) -> None:
        if self._heard_lately(now_s):
            return
        with self._news:
            seen = self._books.silent(self._heard_at)
        if seen:
            self._desk.tell(seen, "")

    # -- links --

    def _link(self, first: str) -> tuple[str, Link]:
        """Return a link that lives: through this relay agent where that can be had, else through another one."""
        links = self._living()
        if first in links:
            return first, links[first]
        names = self._desk.relays.in_order(self._desk.agents, self._relay, first)
        error: LinkError | None = None
        for relay in names if first or not links else ():
            if relay in links or self._closed or self._stopping:
                break
            try:
                return relay, self._open(relay)
            except LinkError as failed:
                error = failed
                self._tell_silence(self._desk.clock.elapsed_s())
        for relay, link in self._living().items():
            return relay, link
        if error is None:
            troubles = "; ".join(self._desk.relays.troubles().values())
            cause = troubles or f"no relay agent of {self._relay} is defined"
            error = Closed(self.agent.label, cause, "it is tried again in a moment")
        raise error

    def _living(self) -> dict[str, Link]:
        """Return the links that live, by relay agent; those that do not are dropped."""
        with self._news:
            links = dict(self._links)
        for relay, link in links.items():
            if link.ended is not None:
                self._drop(relay, link)
        return {relay: link for relay, link in links.items() if link.ended is None}

    def _open(self, relay: str) -> Link:
        """Return a new link to the agent at its own address, the agent being the same as ever."""
        desk, destination = self._desk, self._destination()
        route = to_agent(desk.agents, destination, self.agent, relay)
        try:
            link = desk.links.open(route, now=desk.clock.now().utc, deadline_s=OPEN_S)
        except LinkError as error:
            if relay and at_relay(error):
                desk.relays.failed(relay, str(error))
                desk.wake()
            raise
        if relay:
            desk.relays.reached(relay)
        if self._stopping:
            link.close()
        try:
            self._introduce(relay, link)
        except LinkError:
            link.close()
            raise
        with self._news:
            return self._links.get(relay, link)

    def _introduce(self, relay: str, link: Link) -> None:
        """Make sure that it is the agent that we know, and take note of whether it was restarted."""
        heard, said = introduced(link, *self._call, self.agent.label)
        # The same records on the same boot are the same agent, also where it proves itself with another key by now: one
        # that `trust` names since, or a renewed certificate.
        same = (heard.agent.epoch, heard.agent.boot_id) == self._present
        if not same and key_of(link.far_side) != self.agent.host_key:
            self._end("its address is another host's now", link)
        if heard.agent.epoch != self.agent.epoch:
            self._end("its job folder was made anew, and with it every record is gone", link)
        with self._news:
            known = self._links.get(relay) is link
        if known:
            self._note(heard, said)
        elif not self._attach(relay, link, heard, said):
            link.close()

    def _end(self, why: str, link: Link) -> None:
        """Give up an agent that is no more: what it knew, nobody will ever know."""
        with self._news:
            self._over, self._closed = why, True
            seen = self._books.gone(f"the agent {self.agent.label} is gone: {why}")
        self._desk.tell(seen, "")
        link.close()
        raise Closed(self.agent.label, why, "its jobs have an unknown end")

    def _attach(self, relay: str, link: Link, heard: Heard, said: Introduction) -> bool:
        """Keep a new link; return whether that was done: not beside a living one of the same way, nor at the end."""
        root = self._call[0]
        with self._news:
            old = self._links.get(relay)
            if self._closed or self._stopping or (old is not None and old.ended is None):
                return False
            self._note(heard, said)
            self._links[relay] = link
        if old is None:
            self._desk.relays.count(relay, 1)
        self._listen(link, root)
        return True

    def _note(self, heard: Heard, said: Introduction) -> None:
        clock = self._desk.clock
        with self._news:
            self._present = (heard.agent.epoch, heard.agent.boot_id)
            same = (heard.agent.boot_id, str(said.init_ticks)) == (
                self.agent.boot_id,
                self.agent.init_ticks,
            )
            if not same:
                # Known attempts are looked after. New ones go to whom the agent is now, whom a scout will meet.
                self._books.restarted()
            self._books.skew = said.clock - clock.now().utc
            self._uptime_ahead_s = heard.agent.uptime_s - clock.elapsed_s()

    def _drop(self, relay: str, link: Link) -> None:
        with self._news:
            if self._links.get(relay) is link:
                del self._links[relay]
                self._desk.relays.count(relay, -1)
        error = link.ended
        if relay and error is not None and at_relay(error):
            self._desk.relays.failed(relay, str(error))

    # -- listening --

    def _listen(self, link: Link, root: str) -> None:
        """Have a thread listen for the ends of jobs as long as the link lives."""
        name = f"listener {self.agent.label}"
        threading.Thread(target=self._hear, args=(link, root), name=name, daemon=True).start()

    def _hear(self, link: Link, root: str) -> None:
        with suppress(LinkError):
            stream = link.stream(follow_command(root), deadline_s=OPEN_S)
            try:
                self._follow(stream)
            finally:
                stream.close()
        # It may be the link that has ended, and then no job goes there until there is another one.
        self._desk.wake()

    def _follow(self, stream: Stream) -> None:
        with self._news:
            if self._closed:
                return
            self._listeners.append(stream)
            self._new_listener = True
            self._poll_at_s = min(self._poll_at_s, self._desk.clock.elapsed_s() + FIRST_POLL_S)
            self._news.notify_all()
        try:
            rest = b""
            for piece in stream:
                *lines, rest = (rest + piece).split(b"\n")
                names = [parse_event(line + b"\n") for line in lines]
                self.look_at([name for name in names if name is not None], follow=False)
        finally:
            with self._news, suppress(ValueError):
                self._listeners.remove(stream)
