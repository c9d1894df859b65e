"""A cloud for the tests of one file, the system's ssh as a client of it, and links of ajs's own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ajs.clock import SystemClock
from ajs.demo.cloud.cloud import Cloud
from ajs.demo.cloud.layout import LOOPBACK, POOLS, USER
from ajs.dispatch.link import Endpoint, Link, Route, Trust
from ajs.dispatch.ssh.dial import SshLinks

NOW = datetime(2026, 8, 12, 3, 0, tzinfo=UTC)
LONG_S = 60.0
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def cloud(tmp_path_factory) -> Iterator[Cloud]:
    """Shared by a file: a test that kills or drains something puts it back."""
    with Cloud.start(str(tmp_path_factory.mktemp("demo"))) as cloud:
        yield cloud
        for host in cloud.hosts.values():
            text = Path(host.file("log")).read_text()
            assert "Traceback" not in text, f"{host.name}: {text}"
    assert running_in(cloud.folder) == {}


@pytest.fixture
def ssh(cloud: Cloud):
    """Run a command on a host with the system's ssh."""
    if shutil.which("ssh") is None:
        pytest.skip("ssh is not installed: the cloud is tried with clients of our own only")

    def run(host: str, command: str, *options: str, stdin: bytes = b""):
        return subprocess.run(
            ["ssh", "-F", cloud.ssh_config, *options, host, command],
            input=stdin,
            capture_output=True,
            check=False,
        )

    return run


def endpoint(cloud: Cloud, name: str, **other) -> Endpoint:
    """Where a host is, and the keys that may show there."""
    behind = {pool.name: pool.agents for pool in POOLS}.get(name, (name,))
    pinned = tuple(Path(cloud.hosts[one].file("host_key.pub")).read_text() for one in behind)
    fields: dict = {
        "host": LOOPBACK,
        "port": cloud.hosts[name].port,
        "user": USER,
        "key_file": cloud.user_key,
        "trust": Trust(pinned=pinned),
        "name": name,
    }
    return Endpoint(**{**fields, **other})


@contextmanager
def link_to(cloud: Cloud, target: str, relay: str | None = "AGT1") -> Iterator[Link]:
    route = Route(
        target=endpoint(cloud, target), relay=None if relay is None else endpoint(cloud, relay)
    )
    link = SshLinks(SystemClock("UTC")).open(route, now=NOW, deadline_s=LONG_S)
    try:
        yield link
    finally:
        link.close()


def running_in(folder: str) -> dict[int, str]:
    """The processes that belong to a cloud: its hosts name its folder, and what agents run has a home in it."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            with suppress(OSError):
                words = Path("/proc", name, "cmdline").read_bytes().split(b"\0")
                environment = Path("/proc", name, "environ").read_bytes().split(b"\0")
                server = b"-P" in words and any(w.startswith(os.fsencode(folder)) for w in words)
                inside = any(v.startswith(os.fsencode(f"HOME={folder}/")) for v in environment)
                if server or inside:
                    found[int(name)] = b" ".join(words).decode(errors="replace")
    return found
