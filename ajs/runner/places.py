"""All places where attempts run: this machine, and the agents behind destinations."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from ajs.actions import Send
from ajs.agents import Agents, remote_place
from ajs.decide import Observed
from ajs.fleet import NOBODY_MET, Met, Way
from ajs.lifecycle import LiveGeneration
from ajs.runner.local import LocalPlaces
from ajs.runner.remote.places import RemotePlaces


class AllPlaces:
    """This machine, and agents from the first flexible job on: what they need is not loaded before."""

    def __init__(self, local: LocalPlaces, make_remote: Callable[[], RemotePlaces]) -> None:
        self._local = local
        self._make_remote = make_remote
        self._remote: RemotePlaces | None = None

    @property
    def _agents(self) -> RemotePlaces:
        if self._remote is None:
            self._remote = self._make_remote()
        return self._remote

    def close(self) -> None:
        """Let go of all agents."""
        if self._remote is not None:
            self._remote.close()

    def send(
        self, action: Send, name: str, generation: LiveGeneration | None, now: datetime
    ) -> None:
        """Set out to do one action where the attempt is."""
        if remote_place(action.place) is None:
            self._local.send(action, name, generation, now)
        else:
            self._agents.send(action, name, generation, now)

    def answers(self, now: datetime) -> tuple[Observed, ...]:
        """Return what has come back."""
        found = self._local.answers(now)
        return found if self._remote is None else (*found, *self._remote.answers(now))

    def next_at(self) -> datetime | None:
        """Return when to ask again though nothing woke us."""
        return self._local.next_at()

    def woken(self, names: list[bytes]) -> None:
        """Take note that something may have happened to these attempts, or that somebody reads what they write."""
        self._local.woken(names)
        if self._remote is not None:
            self._remote.woken(names)

    def seek(self, ways: frozenset[Way], agents: Agents) -> None:
        """Look for agents on these ways."""
        if ways or self._remote is not None:
            self._agents.seek(ways, agents)

    def met(self) -> Met:
        """Return what is known of relays and agents."""
        return NOBODY_MET if self._remote is None else self._remote.met()
