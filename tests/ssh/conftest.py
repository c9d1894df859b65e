"""A world of SSH servers for one test; afterwards no thread and no process of it may be left."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ajs.clock import SystemClock
from ajs.dispatch.link import Route
from ajs.dispatch.ssh.dial import SshLinks
from ajs.dispatch.ssh.link import SshLink
from tests.dispatch.waiting import until
from tests.ssh.servers import SSHD, Keys, Server, free_port

NOW = datetime(2026, 8, 12, 3, 0, tzinfo=UTC)
LONG_S = 60.0


@dataclass
class World:
    """Servers, and the links that a test opens to them."""

    folder: Path
    keys: Keys
    links: SshLinks = field(default_factory=lambda: SshLinks(SystemClock("UTC")))
    servers: list[Server] = field(default_factory=list)
    opened: list[SshLink] = field(default_factory=list)

    def server(
        self,
        name: str,
        *options: str,
        host_key: str = "",
        certificate: Path | None = None,
        authorized: str = "",
    ) -> Server:
        folder = self.folder / f"{name}{len(self.servers)}"
        folder.mkdir()
        if authorized:
            (folder / "authorized_keys").write_text(authorized)
        server = Server(name, folder, self.keys, host_key or f"host-{name}", free_port())
        self.servers.append(server)
        server.start(options, certificate)
        return server

    def relayed(self, *options: str) -> Route:
        """The way through a relay to an agent with these options."""
        return Route(
            relay=self.server("AGT1").endpoint(), target=self.server("AGT2", *options).endpoint()
        )

    def open(self, route: Route, **other) -> SshLink:
        link = self.links.open(route, **{"now": NOW, "deadline_s": LONG_S, **other})
        self.opened.append(link)
        return link

    def end(self) -> None:
        for link in self.opened:
            link.close()
        for server in self.servers:
            server.end()


@pytest.fixture(scope="session")
def keys(tmp_path_factory) -> Keys:
    return Keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def world(tmp_path: Path, keys: Keys, monkeypatch) -> Iterator[World]:
    if SSHD is None:
        pytest.skip("sshd is not installed: links over SSH are not tried on real servers")
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    before = set(threading.enumerate())
    world = World(tmp_path, keys)
    try:
        yield world
        for link in world.opened:
            link.close()
        until(lambda: not set(threading.enumerate()) - before, "no threads left")
        world.end()
    finally:
        for server in world.servers:
            server.kill()
