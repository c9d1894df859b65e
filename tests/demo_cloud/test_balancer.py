"""The load balancer: turns, backends that are dead, not well, or drained."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ajs.demo.cloud.cloud import Cloud
from ajs.demo.cloud.layout import LOOPBACK
from ajs.demo.cloud.process import reserved
from tests.demo_cloud.conftest import LONG_S, MIB, link_to
from tests.dispatch.waiting import until

FIRST, SECOND = "LB1/agent-1", "LB1/agent-2"


def answering(cloud: Cloud, times: int) -> list[str]:
    """Which agent answered on connections through LB1, one after the other."""
    homes = {host.folder: name for name, host in cloud.hosts.items()}
    found = []
    for _ in range(times):
        with link_to(cloud, "LB1") as link:
            found.append(homes[link.call("pwd", deadline_s=LONG_S).out.decode().strip()])
    return found


def test_agents_take_turns(cloud: Cloud):
    found = answering(cloud, 6)
    assert Counter(found) == {FIRST: 3, SECOND: 3}
    assert found[::2] == [found[0]] * 3


def test_a_dead_agent_gets_nothing_until_it_is_back(cloud: Cloud):
    cloud.kill(FIRST)
    assert answering(cloud, 3) == [SECOND] * 3
    cloud.restart(FIRST)
    until(lambda: FIRST in answering(cloud, 2), "the agent that came back")


def test_a_drained_agent_keeps_what_it_has(cloud: Cloud):
    with link_to(cloud, "LB1") as one, link_to(cloud, "LB1") as other:
        cloud.drain(FIRST)
        try:
            assert answering(cloud, 3) == [SECOND] * 3
            for link in (one, other):
                assert link.call("echo here", deadline_s=LONG_S).out == b"here\n"
        finally:
            cloud.drain(FIRST, drains=False)
    assert set(answering(cloud, 2)) == {FIRST, SECOND}


def test_connections_end_with_the_load_balancer_and_it_comes_back(cloud: Cloud):
    with link_to(cloud, "LB1") as through, link_to(cloud, FIRST) as past:
        cloud.kill("LB1")
        until(lambda: through.ended, "the end of the link")
        assert past.call("echo here", deadline_s=LONG_S).out == b"here\n"
    cloud.restart("LB1")
    assert len(answering(cloud, 2)) == 2


# -- alone, before backends that are no SSH servers --


@dataclass
class Backend:
    """Greets like an SSH server, or not, and then sends back what it got, when all of it is there."""

    greeting: bytes
    port: int = 0
    got: list[bytes] = field(default_factory=list)

    @contextmanager
    def serving(self) -> Iterator[Backend]:
        with socket.socket() as listener:
            listener.bind((LOOPBACK, 0))
            listener.listen()
            self.port = listener.getsockname()[1]
            thread = threading.Thread(target=self._serve, args=(listener,))
            thread.start()
            yield self
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(sock,), daemon=True).start()

    def _answer(self, sock: socket.socket) -> None:
        with sock:
            try:
                sock.sendall(self.greeting)
                data = b"".join(iter(lambda: sock.recv(MIB), b""))
                if data:
                    self.got.append(data)
                    sock.sendall(data)
            except OSError:
                return


@pytest.fixture
def balance(tmp_path: Path):
    """Start a load balancer before these backends; returns what connects to it."""
    holder = reserved()
    port = holder.getsockname()[1]
    started = []

    def begin(*ports: int):
        lines = (f"b{n} {LOOPBACK}:{port}\n" for n, port in enumerate(ports))
        (tmp_path / "backends").write_text("".join(lines))
        words = ["ajs.demo.cloud.balancer", str(tmp_path), str(port), str(os.getpid())]
        with (tmp_path / "log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *words], stdout=subprocess.PIPE, stderr=log
            )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"

        def talk(data: bytes = b"") -> bytes:
            with socket.create_connection((LOOPBACK, port)) as sock:
                sender = threading.Thread(target=_send, args=(sock, data))
                sender.start()
                found = b"".join(iter(lambda: sock.recv(MIB), b""))
                sender.join()
                return found

        return talk

    yield begin
    for process in started:
        process.kill()
        said = process.communicate()[0]
        assert said == b"", "prints nothing"
    holder.close()
    assert "Traceback" not in (tmp_path / "log").read_text()


def _send(sock: socket.socket, data: bytes) -> None:
    try:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
    except OSError:
        return


def test_all_of_it_arrives_both_ways(balance):
    with Backend(b"SSH-2.0-one\r\n").serving() as one:
        talk = balance(one.port)
        data = bytes(range(256)) * 4 * 4096
        assert talk(data) == b"SSH-2.0-one\r\n" + data


def test_who_does_not_greet_as_ssh_gets_nothing(balance, tmp_path):
    with Backend(b"SSH-2.0-one\r\n").serving() as one, Backend(b"220 mail\r\n").serving() as two:
        talk = balance(one.port, two.port)
        until(lambda: "b1 is down" in (tmp_path / "log").read_text(), "the check of b1")
        assert [talk(b"hello") for _ in range(4)] == [b"SSH-2.0-one\r\nhello"] * 4
        assert two.got == []


def test_nobody_is_there(balance):
    holders = [reserved(), reserved()]
    talk = balance(*(holder.getsockname()[1] for holder in holders))
    assert talk() == b""
    for holder in holders:
        holder.close()


def test_no_backends_at_all(balance):
    assert balance()() == b""
