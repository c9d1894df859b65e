"""Relay agents as they are found to be, and the routes through them."""

from __future__ import annotations

import os
import threading
from collections import Counter
from dataclasses import dataclass

from ajs.agents import Agent, AgentIdentity, Agents, Destination
from ajs.agents import Trust as Defined
from ajs.dispatch.link import Endpoint, Route, Trust
from ajs.dispatch.link_errors import LinkError, RefusedForwarding, Unreachable
from ajs.fleet import DIRECT, by_preference, members
from ajs.ports import Stopwatch

SHORTEST_REST_S = 1.0
LONGEST_REST_S = 30.0
"""How long a relay agent that failed is left alone: twice as long each time, up to this."""


@dataclass(slots=True)
class _Trouble:
    """What is wrong with a relay agent, and when it may be tried again."""

    said: str
    rest_s: float
    until_s: float


class Relays:
    """What is known of the relay agents by all who go through them; may be used from several threads."""

    def __init__(self, stopwatch: Stopwatch) -> None:
        self._stopwatch = stopwatch
        self._lock = threading.Lock()
        self._troubles: dict[str, _Trouble] = {}
        self._links: Counter[str] = Counter()

    def failed(self, name: str, said: str) -> None:
        """Take note that a relay agent could not be used."""
        with self._lock:
            now_s = self._stopwatch.elapsed_s()
            before = self._troubles.get(name)
            if before is not None and now_s < before.until_s:
                # Many links may end with one relay agent: that is one failure.
                before.said = said
                return
            rest_s = SHORTEST_REST_S if before is None else min(2 * before.rest_s, LONGEST_REST_S)
            self._troubles[name] = _Trouble(said, rest_s, now_s + rest_s)

    def reached(self, name: str) -> None:
        """Take note that a relay agent works."""
        with self._lock:
            self._troubles.pop(name, None)

    def troubles(self) -> dict[str, str]:
        """Return what is wrong, by relay agent."""
        with self._lock:
            return {name: trouble.said for name, trouble in sorted(self._troubles.items())}

    def count(self, name: str, by: int) -> None:
        """Take note of a link that was opened through a relay agent, or has ended."""
        with self._lock:
            self._links[name] += by

    def in_order(
        self, defined: Agents, relay: str, first: str = "", *, probe: bool = False
    ) -> list[str]:
        """Return the relay agents of a name in the order to try them; those that failed are left out while they rest.

        ``first`` comes first where it may be tried; with ``probe`` so do those that have failed and rested: nobody
        else finds out that one works again which others stand before. For no relay there is one way, the direct one.
        """
        if relay == DIRECT:
            return [DIRECT]
        limits = {agent.name: agent.limit for agent in defined.agents}
        with self._lock:
            now_s = self._stopwatch.elapsed_s()
            resting = {n for n, trouble in self._troubles.items() if now_s < trouble.until_s}
            rested = self._troubles.keys() - resting if probe else set()
            links = dict(self._links)
        named = [m for m in members(defined, relay) if m.agent in limits]
        found = by_preference((m for m in named if m.agent not in resting), limits, links)
        return sorted(found, key=lambda name: name != first and name not in rested)


def at_relay(error: LinkError) -> bool:
    """Whether it is the relay agent that failed, and not what lies behind it."""
    # A relay that works and does not let us through to one host is not to blame for the others.
    return error.hop.startswith("relay ") and not isinstance(error, RefusedForwarding)


# -- routes --


def to_destination(defined: Agents, destination: Destination, relay: str) -> Route:
    """Return the route to whatever agent a destination leads to; Unreachable without that relay agent."""
    target = _endpoint(destination, destination.host, destination.port)
    return Route(target=target, relay=_relay(defined, relay))


def to_agent(defined: Agents, destination: Destination, agent: AgentIdentity, relay: str) -> Route:
    """Return the route to one agent at its own address; Unreachable without that relay agent."""
    target = _endpoint(destination, agent.address, agent.port)
    return Route(target=target, relay=_relay(defined, relay))


def _relay(defined: Agents, name: str) -> Endpoint | None:
    if name == DIRECT:
        return None
    for agent in defined.agents:
        if agent.name == name:
            return _endpoint(agent, agent.host, agent.port)
    raise Unreachable(f"relay {name}", "it is no longer defined", "define it again")


def _endpoint(defined: Agent | Destination, host: str, port: int) -> Endpoint:
    return Endpoint(
        host=host,
        port=port,
        user=defined.user,
        key_file=os.path.expanduser(defined.key) if defined.key else None,
        trust=_trust(defined.trust),
        name=defined.name,
    )


def _trust(trust: Defined) -> Trust:
    return Trust(pinned=trust.host_keys, authorities=trust.host_ca, principals=trust.principals)
