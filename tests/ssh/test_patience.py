"""Servers that say nothing, servers that have too many, and servers that have refused us."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta

import pytest

from ajs.clock import SystemClock
from ajs.dispatch.link import Route
from ajs.dispatch.link_errors import LinkError
from ajs.dispatch.ssh.breaker import HANDSHAKES, Gate
from ajs.dispatch.ssh.deadline import Deadline
from tests.ssh.conftest import LONG_S, NOW, World
from tests.ssh.servers import silent

SHORT_S = 1.5
AGENT, RELAY = "agent AGT2 127.0.0.1:", "relay AGT1 127.0.0.1:"


# -- who says nothing --


@pytest.mark.parametrize("who", ["relay", "agent", "ssh-agent"])
def test_somebody_who_says_nothing(world: World, monkeypatch, who: str):
    with ExitStack() as stack:
        port = stack.enter_context(silent())
        relay, target = world.server("AGT1").endpoint(), world.server("AGT2").endpoint()
        hop = AGENT
        match who:
            case "relay":
                relay, hop = world.servers[0].endpoint(port=port), RELAY
            case "agent":
                target = world.servers[1].endpoint(port=port)
            case _:
                path = str(world.folder / "mute")
                mute = stack.enter_context(socket.socket(socket.AF_UNIX))
                mute.bind(path)
                mute.listen()
                monkeypatch.setenv("SSH_AUTH_SOCK", path)
                target = world.servers[1].endpoint(key_file=None)
        with pytest.raises(LinkError) as caught:
            world.open(Route(relay=relay, target=target), deadline_s=SHORT_S)
        assert caught.value.kind == "deadline"
        assert caught.value.hop.startswith(hop)


def test_a_server_that_stands_still(world: World):
    server = world.server("AGT2")
    server.pause()
    with pytest.raises(LinkError) as caught:
        world.open(Route(target=server.endpoint()), deadline_s=SHORT_S)
    assert caught.value.kind == "deadline"
    assert "within 1.5 s to the SSH handshake" in caught.value.cause


# -- too many at once, and the key that was refused --


def test_a_banner_that_never_comes(world: World):
    """MaxStartups 1: who holds the one place keeps all others out."""
    server = world.server("AGT2", "MaxStartups 1")
    with socket.create_connection(("127.0.0.1", server.port)) as holder:
        assert holder.recv(4) == b"SSH-"
        with pytest.raises(LinkError) as caught:
            world.open(Route(target=server.endpoint()), deadline_s=SHORT_S)
        assert caught.value.kind == "too_busy"
        assert "MaxStartups" in caught.value.cure
        assert server.log().count("MaxStartups") >= 1
    world.open(Route(target=server.endpoint()))


def test_no_more_than_eight_handshakes_at_once():
    gate, stopwatch = Gate(), SystemClock("UTC")
    full, go = threading.Barrier(HANDSHAKES + 1), threading.Event()

    def hold() -> None:
        with gate.handshake("agent A", Deadline.after(stopwatch, LONG_S)):
            full.wait(LONG_S)
            go.wait(LONG_S)

    with ThreadPoolExecutor(HANDSHAKES) as pool:
        held = [pool.submit(hold) for _ in range(HANDSHAKES)]
        full.wait(LONG_S)
        late = gate.handshake("agent B", Deadline.after(stopwatch, 0.05))
        with pytest.raises(LinkError) as caught, late:
            pass
        assert str(caught.value).startswith(
            "agent B: 8 other connections were being made all the 0.05 s"
        )
        go.set()
        assert [each.result(LONG_S) for each in held] == [None] * HANDSHAKES
    with gate.handshake("agent B", Deadline.after(stopwatch, 0)):
        pass


def test_one_login_at_a_time_until_the_key_is_known_to_be_good(world: World):
    """20 at once with a wrong key: the server sees one login, the others learn from it."""
    server = world.server("AGT2")
    route = Route(target=server.endpoint(key_file=str(world.keys["other"].path)))

    def kind(_) -> str:
        with pytest.raises(LinkError) as caught:
            world.open(route)
        return caught.value.kind

    with ThreadPoolExecutor(20) as pool:
        assert sorted(pool.map(kind, range(20))) == ["held_off"] * 19 + ["user_key"]
    assert server.log().count("Failed publickey") <= 1


def test_a_refused_key_is_not_tried_again_for_a_while(world: World):
    server = world.server("AGT2")
    wrong = str(world.keys["other"].path)
    route = Route(target=server.endpoint(key_file=wrong))
    seen = []
    for seconds in [0, 1, 59, 60, 61, 179, 180]:
        with pytest.raises(LinkError) as caught:
            world.open(route, now=NOW + timedelta(seconds=seconds))
        seen.append((seconds, caught.value.kind, server.log().count("Connection from")))
    assert seen == [
        # after, kind, connections so far
        (0, "user_key", 1),
        (1, "held_off", 1),
        (59, "held_off", 1),
        (60, "user_key", 2),
        (61, "held_off", 2),
        (179, "held_off", 2),
        (180, "user_key", 3),
    ]
    # Another key, or none of the trouble: that host is not held off.
    world.open(Route(target=server.endpoint()), now=NOW + timedelta(seconds=181))
    # And a key that is accepted is forgiven everything.
    (server.folder / "authorized_keys").write_text(world.keys["other"].public + "\n")
    world.open(route, now=NOW + timedelta(hours=1))
