"""The test bed: we, two relays, a load balancer and agents, each with a network of its own, made and removed by tests.

::

    we ---- relay1, relay2 ---- lb, agent1, agent2, ...
       out                  in

We are on the network ``out`` and have no route to ``in``; the way there is a connection through a relay's sshd.
Operations return when they have taken effect.
"""

from __future__ import annotations

import functools
import os
import shutil
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from ajs.dispatch.link import Endpoint, Route, Trust
from tests.bed.balancer import Balancer
from tests.bed.host import USER, Host
from tests.bed.server import ALWAYS, POOL, Agent, Relay
from tests.bed.site import Site, run
from tests.ssh.servers import Keys

TOOLS = ("haproxy", "ip", "iptables", "nsenter", "pgrep", "ssh", "ssh-keygen", "sshd", "unshare")
MOST_AGENTS = 32
SPACES = ("unshare", "--mount", "--net", "--pid", "--fork")
NEEDS = "mount -t tmpfs no /mnt; ip link add out type bridge; ip link add v1 type veth; iptables -P INPUT DROP"
PROBE = (*SPACES, "sh", "-euc", NEEDS)
"""What a bed needs of the system, tried where it leaves nothing."""


@functools.cache
def missing() -> str:
    """Why no bed can be made here; empty when one can."""
    if os.geteuid() != 0:
        return "we are not root"
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
    absent = [tool for tool in TOOLS if not shutil.which(tool, path=path)]
    if absent:
        return f"not installed: {', '.join(absent)}"
    tried = run(*PROBE, check=False)
    return "" if tried.returncode == 0 else tried.stderr.strip() or "no namespaces can be made"


def require_bed() -> None:
    """Skip the test where no bed can be made, and say why."""
    if why := missing():
        pytest.skip(f"no test bed of namespaces here: {why}")


class Bed:
    """A bed as a context manager; ``folder`` is the test's own.

    Options are lines for sshd_config, which can be changed later, see ``SshHost.configure``.
    """

    def __init__(
        self,
        folder: Path,
        *,
        agents: int = 2,
        relays: int = 2,
        relay_options: tuple[str, ...] = (),
        agent_options: tuple[str, ...] = (),
    ) -> None:
        self.folder = folder / "bed"
        self._folders = self.folder / "hosts"
        self._folders.mkdir(parents=True)
        keys = self.folder / "keys"
        keys.mkdir()
        self.keys = Keys(keys)
        self.relays: list[Relay] = []
        self.agents: list[Agent] = []
        self._hosts: list[Host] = []
        self._counts = (relays, agents)
        self._options = (relay_options, agent_options)
        self._added = 0

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.site = Site(self._folders)
            stack.callback(self._end)
            self._make()
            stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def _end(self) -> None:
        try:
            for host in self._hosts:
                host.kill()
        finally:
            self.site.end()

    def _make(self) -> None:
        relays, agents = self._counts
        number = self.site.number
        self.site.ip(
            "link set lo up",
            "link add out type bridge",
            "link add in type bridge",
            f"addr add 198.18.{number}.254/24 dev out",
            "link set out up",
            "link set in up",
        )
        # The switch knows no way to the other network, and says so at once.
        self.site.join(f"198.18.{number}.1/24", f"198.19.{number}.0/24 via 198.18.{number}.254")
        for place in range(1, relays + 1):
            addresses = {"out": f"198.18.{number}.{10 + place}", "in": self._inner(10 + place)}
            name = f"relay{place}"
            relay = Relay(self.site, self._folders, name, addresses, self.keys, self._options[0])
            self.relays.append(relay)
            self._start(relay)
        known = {f"agent{n}": self._inner(100 + n) for n in range(1, MOST_AGENTS + 1)}
        self.lb = Balancer(self.site, self._folders, "lb", {"in": self._inner(5)}, known)
        self._start(self.lb)
        for _ in range(agents):
            self.add_agent()

    def _start(self, host: Host) -> None:
        self._hosts.append(host)
        host.start()

    def _inner(self, host: int) -> str:
        return f"198.19.{self.site.number}.{host}"

    # -- hosts --

    def relay(self, number: int) -> Relay:
        return self.relays[number - 1]

    def agent(self, number: int) -> Agent:
        return next(agent for agent in self.agents if agent.name == f"agent{number}")

    def add_agent(self) -> Agent:
        """Put another agent behind the load balancer."""
        self._added += 1
        address = {"in": self._inner(100 + self._added)}
        name = f"agent{self._added}"
        agent = Agent(self.site, self._folders, name, address, self.keys, self._options[1])
        self.agents.append(agent)
        self._start(agent)
        self.lb.ready(name)
        return agent

    def remove_agent(self, agent: Agent) -> None:
        """Take it away for good, as when a pool shrinks: no new connections, then it is gone."""
        self.lb.maintain(agent.name)
        agent.kill()
        agent.leave()
        self.agents.remove(agent)

    def reboot(self, agent: Agent, *, wipe: bool = False) -> None:
        """Switch it off and on again; its disk is kept, unless it is to be a new one."""
        agent.kill()
        if wipe:
            agent.new_disk()
        self._restart(agent)

    def replace(
        self, agent: Agent, *, authority: str = "ca", principal: str = POOL, valid: str = ALWAYS
    ) -> None:
        """Put another instance in its place: the same address, another host key, another disk.

        Its certificate may be one of another host CA, for another principal, or valid at another time, as for
        ``ssh-keygen -V``.
        """
        agent.kill()
        agent.new_disk()
        agent.new_instance(authority=authority, principal=principal, valid=valid)
        self._restart(agent)

    def _restart(self, agent: Agent) -> None:
        agent.start()
        if self.lb.space is not None:
            self.lb.settle(agent.name)

    # -- ways --

    def route(self, agent: Agent | None = None, *, relay: int = 1) -> Route:
        """The way to an agent by its own address, or through the load balancer to any."""
        target = agent or self.lb
        by_authority = Trust(authorities=(self.keys["ca"].public,), principals=(POOL,))
        through = self.relay(relay)
        return Route(
            relay=self._endpoint(through, "out", Trust(pinned=(through.host_key,))),
            target=self._endpoint(target, "in", by_authority),
        )

    def _endpoint(self, host: Host, interface: str, trust: Trust) -> Endpoint:
        key = str(self.keys["user"].path)
        address = host.addresses[interface]
        return Endpoint(host=address, user=USER, key_file=key, trust=trust, name=host.name)

    def ssh(self, *command: str, to: Agent | None = None, relay: int = 1) -> list[str]:
        """The command line of OpenSSH's client for a command there, by the way that ``route`` gives."""
        target = to or self.lb
        jump = self.relay(relay)
        known = self.folder / "known_hosts"
        known.write_text(
            f"@cert-authority {POOL} {self.keys['ca'].public}\n"
            + "".join(f"{host.name} {host.host_key}\n" for host in self.relays)
        )
        config = self.folder / "ssh_config"
        config.write_text(
            f"Host {jump.name}\n  HostName {jump.addresses['out']}\n  HostKeyAlias {jump.name}\n"
            f"Host {target.name}\n  HostName {target.addresses['in']}\n  HostKeyAlias {POOL}\n"
            f"  ProxyCommand ssh -F {config} -W %h:%p {jump.name}\n"
            f"Host *\n  User {USER}\n  IdentityFile {self.keys['user'].path}\n  IdentitiesOnly yes\n"
            f"  IdentityAgent none\n  UserKnownHostsFile {known}\n  GlobalKnownHostsFile /dev/null\n"
            "  KexAlgorithms curve25519-sha256\n  BatchMode yes\n  LogLevel INFO\n"
        )
        return ["ssh", "-F", str(config), target.name, *command]
