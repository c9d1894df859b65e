"""The load balancer: HAProxy, which hands TCP connections to the agents whose sshd answers."""

from __future__ import annotations

import csv
import socket
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from tests.bed.host import Host
from tests.bed.site import Site
from tests.dispatch.waiting import until

_CONFIGURATION = """\
global
    stats socket /run/haproxy.sock mode 600 level admin
defaults
    mode tcp
    timeout connect 5s
    timeout check 2s
    timeout client {idle}
    timeout server {idle}
listen pool
    bind *:22
    balance roundrobin
    option tcp-check
    tcp-check expect string SSH-2.0-
    default-server check inter 200ms fall 2 rise 1 disabled {server}
"""
UNTRIED = {"", "INI"}
"""What HAProxy says of a server whose sshd it has not asked yet."""


class Balancer(Host):
    """Every agent that there may ever be is known to it, in maintenance until it is there.

    ``idle`` is how long a connection may be silent; ``server`` are options such as on-marked-down shutdown-sessions.
    """

    def __init__(
        self,
        site: Site,
        folder: Path,
        name: str,
        addresses: dict[str, str],
        agents: Mapping[str, str],
    ) -> None:
        super().__init__(site, folder, name, addresses)
        self._agents = agents
        self._taken: set[str] = set()
        self.idle = "1h"
        self.server = ""

    def serve(self) -> None:
        servers = [f"    server {name} {host}:22\n" for name, host in self._agents.items()]
        text = _CONFIGURATION.format(idle=self.idle, server=self.server)
        self.write("haproxy.cfg", text + "".join(servers))
        self.run("haproxy", "-D", "-f", "/run/bed/haproxy.cfg")
        for name in sorted(self._taken):
            self._say_state(name, "ready")
            until(partial(self._tried, name), f"{name} tried")

    def say(self, command: str) -> str:
        """Give HAProxy a command, and return its answer."""
        assert self.space is not None, f"{self.name} is off"
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(f"/proc/{self.space.pid}/root/run/haproxy.sock")
            sock.sendall(f"{command}\n".encode())
            with sock.makefile() as answer:
                return answer.read()

    def status(self, agent: str) -> str:
        """UP, DOWN, DRAIN, MAINT, or on the way from one to the other, as ``DOWN 1/2``."""
        return self._statistics(agent)["status"]

    def sessions(self, agent: str) -> int:
        """How many connections to the agent there are."""
        return int(self._statistics(agent)["scur"])

    def _statistics(self, agent: str) -> dict[str, str]:
        rows = csv.DictReader(self.say("show stat").removeprefix("# ").splitlines())
        return next(row for row in rows if row["svname"] == agent)

    def ready(self, agent: str) -> None:
        """Give it connections, and wait until its sshd has answered."""
        self._taken.add(agent)
        self._set(agent, "ready", "UP")
        until(lambda: self._check(agent) == "L7OK", f"{agent} answering")

    def drain(self, agent: str) -> None:
        """Give it no new connections; those that are there live on."""
        self._set(agent, "drain", "DRAIN")

    def maintain(self, agent: str) -> None:
        """Leave it alone; connections that are there live on."""
        self._taken.discard(agent)
        self._set(agent, "maint", "MAINT")

    def shut_sessions(self, agent: str) -> None:
        """End the connections to it."""
        self.say(f"shutdown sessions server pool/{agent}")
        until(lambda: self.sessions(agent) == 0, f"no connections to {agent}")

    def wait_for(self, agent: str, status: str) -> None:
        """Wait until HAProxy has noticed."""
        until(lambda: self.status(agent) == status, f"{agent} {status}")

    def settle(self, agent: str) -> None:
        """Wait until HAProxy gives it connections again, unless it was told not to."""
        until(lambda: self.status(agent) in {"UP", "DRAIN", "MAINT"}, f"{agent} up")

    def _set(self, agent: str, state: str, status: str) -> None:
        self._say_state(agent, state)
        self.wait_for(agent, status)

    def _say_state(self, agent: str, state: str) -> None:
        said = self.say(f"set server pool/{agent} state {state}").strip()
        assert not said, said

    def _tried(self, agent: str) -> bool:
        return self._check(agent) not in UNTRIED

    def _check(self, agent: str) -> str:
        return self._statistics(agent)["check_status"].removeprefix("* ")
