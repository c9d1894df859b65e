"""Starting the cloud, playing fate in it, and ending it."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import IO, Self, cast

from ajs.demo.cloud.client_files import agents_text, known_hosts_text, ssh_config_text
from ajs.demo.cloud.keys import make_key
from ajs.demo.cloud.layout import POOLS, RELAYS, Host, Kind, names
from ajs.demo.cloud.process import reserved, switch_off
from ajs.errors import ConfigurationError

FOLDER = "cloud"
READY_S = 60
PROGRAMS = {
    Kind.AGENT: ("ajs.demo.cloud.server", "agent"),
    Kind.RELAY: ("ajs.demo.cloud.server", "relay"),
    Kind.LOAD_BALANCER: ("ajs.demo.cloud.balancer",),
}


class Cloud:
    """A cloud that runs; it ends with the ``with`` block, or with the process that started it."""

    def __init__(self, folder: str, hosts: Mapping[str, Host], held: list[socket.socket]) -> None:
        self.folder = folder
        self.agents_file = os.path.join(folder, "agents.yaml")
        self.ssh_config = os.path.join(folder, "ssh_config")
        self.user_key = os.path.join(folder, "user_key")
        self.hosts = hosts
        self._held = held
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    @classmethod
    def start(cls, folder: str) -> Self:
        """Make ``folder/cloud``, start all hosts, and return when each of them answers."""
        path = os.path.join(os.path.abspath(folder), FOLDER)
        try:
            os.mkdir(path)
        except FileExistsError as error:
            raise ConfigurationError(
                f"{path} is there already",
                hint="name another folder, or remove it when no cloud runs in it",
                value=path,
            ) from error
        # The ports are held to the end: a host that comes back finds its own one free.
        held = {name: reserved() for name in names()}
        hosts = {
            name: Host(name, kind, os.path.join(path, name), held[name].getsockname()[1])
            for name, kind in names().items()
        }
        cloud = cls(path, hosts, [*held.values()])
        try:
            cloud._furnish()
            # The load balancers later: they look at once whether their agents answer.
            for kinds in ((Kind.AGENT, Kind.RELAY), (Kind.LOAD_BALANCER,)):
                some = [host for host in hosts.values() if host.kind in kinds]
                for host in some:
                    cloud._begin(host)
                for host in some:
                    cloud._await(host)
        except BaseException:
            cloud.stop()
            raise
        return cloud

    def _furnish(self) -> None:
        """Make keys, folders, and the files that the hosts read."""
        user = make_key(self.user_key)
        keys = {}
        for host in self.hosts.values():
            os.mkdir(host.folder)
            if host.kind is not Kind.LOAD_BALANCER:
                keys[host.name] = make_key(host.file("host_key"))
                _write(host.file("authorized_keys"), f"{user}\n")
        inside = [host.address for host in self.hosts.values() if host.kind is not Kind.RELAY]
        for name in RELAYS:
            _write(self.hosts[name].file("permitted"), "\n".join(inside) + "\n")
        for pool in POOLS:
            lines = (f"{agent} {self.hosts[agent].address}\n" for agent in pool.agents)
            _write(self.hosts[pool.name].file("backends"), "".join(lines))
        ports = {name: host.port for name, host in self.hosts.items()}
        _write(self.agents_file, agents_text(self.user_key, ports, keys))
        _write(os.path.join(self.folder, "known_hosts"), known_hosts_text(ports, keys))
        _write(self.ssh_config, ssh_config_text(self.folder, [*self.hosts.values()]))

    # -- hosts --

    def pid(self, name: str) -> int | None:
        """Return the process of a host; None when it has ended."""
        process = self._processes[name]
        return process.pid if process.poll() is None else None

    def kill(self, name: str) -> None:
        """End the process of a host at once; what an agent runs goes on."""
        self._processes[name].kill()
        self._processes[name].wait()

    def restart(self, name: str) -> None:
        """Have a host come back at the same address, and return when it answers."""
        self.kill(name)
        self._begin(self.hosts[name])
        self._await(self.hosts[name])

    def drain(self, agent: str, *, drains: bool = True) -> None:
        """Let an agent get no new connections from its load balancer, or let it get some again."""
        (pool,) = (pool for pool in POOLS if agent in pool.agents)
        path = self.hosts[pool.name].file("backends")
        with open(path, encoding="utf-8") as file:
            found = dict(line.split(maxsplit=1) for line in file)
        found[agent] = f"{self.hosts[agent].address}{' drain' if drains else ''}\n"
        _write(path, "".join(f"{name} {rest}" for name, rest in found.items()))

    def _begin(self, host: Host) -> None:
        words = (*PROGRAMS[host.kind], host.folder, str(host.port), str(os.getpid()))
        with open(host.file("log"), "ab") as log:
            self._processes[host.name] = subprocess.Popen(
                # -P: the folder that we happen to be in holds no modules of ours.
                [sys.executable, "-P", "-m", *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for whoever started the cloud
                bufsize=0,
            )

    def _await(self, host: Host) -> None:
        """Return when the host listens."""
        with cast("IO[bytes]", self._processes[host.name].stdout) as said:
            poll = select.poll()
            poll.register(said, select.POLLIN)
            if not poll.poll(READY_S * 1000) or not said.readline():
                raise ConfigurationError(
                    f"{host.kind} {host.name} of the cloud did not start",
                    hint=f"read {host.file('log')}",
                    value=host.name,
                )

    # -- the end --

    def stop(self) -> None:
        """End all hosts, and everything that runs on the agents."""
        for process in self._processes.values():
            process.kill()
        for process in self._processes.values():
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
        for host in self.hosts.values():
            if host.kind is Kind.AGENT:
                switch_off(host.folder)
        for holder in self._held:
            holder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def _write(path: str, text: str) -> None:
    """Write a file in one step, whoever reads it meanwhile."""
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(f"{path}.new", path)
