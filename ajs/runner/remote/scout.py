"""A scout: the thread that looks for agents on one way, for as long as flexible jobs want some there.

A load balancer only ever says *here is one*. So a scout dials again and again, and is content when it has met nobody
new for a while; agents that are scaled out later are met later. Whom it meets gets a courier with the link.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from ajs.agents import AgentIdentity, Destination
from ajs.dispatch.link import Link
from ajs.dispatch.link_errors import LinkError
from ajs.dispatch.protocol import Heard, Introduction
from ajs.fleet import Way
from ajs.runner.remote.courier import OPEN_S, key_of
from ajs.runner.remote.desk import Desk
from ajs.runner.remote.relays import at_relay, to_destination
from ajs.runner.remote.talk import introduced, root_of, unforeseen

CONTENT_AFTER = 2
"""Beyond the agents that are known, how often in a row an old acquaintance must answer before the search pauses."""
WANTED_PAUSE_S = 2.0
"""How long the search pauses while jobs wait for an agent."""
PAUSE_S = 30.0
"""How long it pauses otherwise."""
LINGER_S = 120.0
"""How long the search goes on after it was last wanted."""
SHORTEST_REST_S = 0.5
LONGEST_REST_S = 5.0
"""How long to wait after nobody could be met: twice as long each time, up to this."""

Meet = Callable[[AgentIdentity, str, str, Link, Heard, Introduction], bool]
"""Told of an agent, the relay name of the way, the relay agent, link and introduction; says whether it is a new one."""


class Scout:
    """The search on one way."""

    def __init__(self, way: Way, desk: Desk, meet: Meet, known: Callable[[str], int]) -> None:
        """``known`` says how many agents of a destination are known."""
        self.way = way
        self._desk = desk
        self._meet = meet
        self._known = known
        self._news = threading.Condition()
        self._stopping = False
        self._wanted = True
        self._wanted_at_s = desk.clock.elapsed_s()
        self._old = 0
        self._blocked = 0
        """How often a relay agent worked and did not lead on: then it is another one's turn."""
        self._rest_s = 0.0
        self.trouble = ""
        """Why nobody is found, "" when somebody is or nothing is known yet."""
        self._thread = threading.Thread(target=self._run, name=f"scout {way}", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def want(self, *, wanted: bool) -> None:
        """Say whether jobs wait for an agent on this way."""
        with self._news:
            if wanted:
                self._wanted_at_s = self._desk.clock.elapsed_s()
            if wanted and not self._wanted:
                self._news.notify_all()
            self._wanted = wanted

    @property
    def ended(self) -> bool:
        """Whether the search has been given up."""
        return not self._thread.is_alive()

    def stop(self) -> None:
        """Give it up."""
        with self._news:
            self._stopping = True
            self._news.notify_all()

    def join(self, seconds: float) -> None:
        """Wait for the end after ``stop``, so long at most: opening a link cannot be broken off."""
        self._thread.join(seconds)

    def _run(self) -> None:
        while not self._forgotten():
            pause_s = self._look()
            with self._news:
                if self._stopping:
                    return
                if pause_s:
                    self._news.wait(pause_s)

    def _forgotten(self) -> bool:
        return not self._wanted and self._desk.clock.elapsed_s() - self._wanted_at_s > LINGER_S

    def _look(self) -> float:
        """Dial once; return how long to pause."""
        destination = self._desk.destination(self.way.destination)
        if destination is None:
            return WANTED_PAUSE_S
        names = self._desk.relays.in_order(self._desk.agents, self.way.relay, probe=True)
        if not names:
            return SHORTEST_REST_S
        try:
            new = self._dial(destination, names[self._blocked % len(names)])
        except LinkError as error:
            self._say(str(error))
            self._rest_s = min(max(2 * self._rest_s, SHORTEST_REST_S), LONGEST_REST_S)
            if at_relay(error):
                untried = len(names) > 1
            else:
                self._blocked += 1
                untried = self._blocked % len(names) > 0
            # Another relay agent may lead there at once.
            return 0.0 if untried else self._rest_s
        except Exception as error:  # noqa: BLE001  a search that ended would leave jobs waiting for ever
            self._say(str(unforeseen(f"search behind {self.way.destination}", error)))
            return LONGEST_REST_S
        self._say("")
        self._rest_s = 0.0
        self._old = 0 if new else self._old + 1
        if self._old < self._known(self.way.destination) + CONTENT_AFTER - 1:
            return 0.0
        self._old = 0
        return WANTED_PAUSE_S if self._wanted else PAUSE_S

    def _dial(self, destination: Destination, relay: str) -> bool:
        desk = self._desk
        route = to_destination(desk.agents, destination, relay)
        try:
            link = desk.links.open(route, now=desk.clock.now().utc, deadline_s=OPEN_S)
        except LinkError as error:
            if relay and at_relay(error):
                desk.relays.failed(relay, str(error))
            raise
        if relay:
            desk.relays.reached(relay)
        if self._stopping:
            link.close()
            return False
        try:
            root = root_of(destination.job_folder)
            hop = f"agent behind {destination.name}"
            heard, said = introduced(link, root, desk.helper, desk.helper_digest, hop)
            agent = _identity(destination, link, heard, said)
            new = self._meet(agent, self.way.relay, relay, link, heard, said)
        except BaseException:
            link.close()
            raise
        if not new:
            link.close()
        return new

    def _say(self, trouble: str) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            self._desk.wake()


def _identity(
    destination: Destination, link: Link, heard: Heard, said: Introduction
) -> AgentIdentity:
    return AgentIdentity(
        destination=destination.name,
        address=said.address or destination.host,
        port=destination.agent_port or said.port or destination.port,
        host_key=key_of(link.far_side),
        boot_id=heard.agent.boot_id,
        init_ticks=str(said.init_ticks),
        epoch=heard.agent.epoch,
    )
