"""Opening a link: who is believed, and what is agreed on."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest

from ajs.dispatch.link import Link, Links, Route, Stream, Trust
from ajs.dispatch.link_errors import LinkError
from tests.ssh.conftest import LONG_S, NOW, World
from tests.ssh.trusting import VALID, certified, pinned, trusting_ca


def test_the_right_keys(world: World):
    link = world.open(world.relayed())
    assert link.far_side.fingerprint == world.keys["host-AGT2"].fingerprint
    assert link.far_side.key_id is None
    assert link.far_side.address == f"127.0.0.1:{world.servers[1].port}"
    assert link.call("echo $0 there", deadline_s=LONG_S).out.endswith(b"there\n")
    assert link.ended is None


def test_what_is_promised_to_those_above(world: World):
    """The type checker holds that this is what ``ajs.dispatch.link`` names."""
    links: Links = world.links
    told: list[LinkError] = []
    link: Link = links.open(world.relayed(), now=NOW, deadline_s=LONG_S, on_death=told.append)
    stream: Stream = link.stream("echo hi", deadline_s=LONG_S)
    assert list(stream) == [b"hi\n"]
    link.close()
    assert told == []


def test_without_a_relay(world: World):
    link = world.open(Route(target=world.server("AGT2").endpoint()))
    assert link.call("echo hi", deadline_s=LONG_S).out == b"hi\n"


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_kinds_of_keys(world: World, kind: str):
    """Each as host key, as user's key and as certificate."""
    name = f"{kind}:all"
    key = world.keys[name]
    certificate = world.keys.certified(name, *VALID)
    server = world.server(
        "AGT2", host_key=name, certificate=certificate, authorized=key.public + "\n"
    )
    for trust in (pinned(world, name), trusting_ca(world)):
        world.open(Route(target=server.endpoint(trust=trust, key_file=str(key.path))))


def test_all_pinned_keys_count(world: World):
    server = world.server("AGT2")
    trust = pinned(world, "other", "another", "host-AGT2", "ecdsa:other")
    world.open(Route(target=server.endpoint(trust=trust)))


def test_a_certificate_tells_who_the_host_is(world: World):
    link = world.open(certified(world))
    assert link.far_side.key_id == "id of signed"
    assert link.far_side.fingerprint == world.keys["signed"].fingerprint


def test_a_pinned_key_needs_no_good_certificate(world: World):
    key = world.keys["signed"].public
    route = certified(world, authority="other-ca")
    trust = trusting_ca(world, pinned=(key,))
    world.open(Route(target=replace(route.target, trust=trust)))


# -- small packets at once --


def test_the_relay_had_a_session(world: World):
    link = world.open(world.relayed())
    sock = link._keeper._sockets[0]
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert not getattr(sock, "acknowledges_at_once", None)
    assert world.servers[0].log().count("Starting session: command") == 1


@pytest.mark.parametrize("option", ["MaxSessions 0", "ForceCommand exec sleep 60 < /dev/null"])
def test_a_relay_without_sessions(world: World, option: str):
    relay, target = world.server("AGT1", option), world.server("AGT2")
    link = world.open(Route(relay=relay.endpoint(), target=target.endpoint()))
    assert link.call("echo hi", deadline_s=LONG_S).out == b"hi\n"
    assert getattr(link._keeper._sockets[0], "acknowledges_at_once", None) is (
        option == "MaxSessions 0"
    )


def test_what_is_agreed_on(world: World):
    link = world.open(world.relayed())
    for _, transport in link._keeper._hops:
        assert transport.local_cipher == "aes128-gcm@openssh.com"
        assert "diffie-hellman" not in " ".join(transport.preferred_kex)
        assert not any("cbc" in name or "sha1" in name for name in transport.preferred_ciphers)


# -- values --


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({}, "needs a pinned key or a host CA"),
        ({"pinned": ("ssh-ed25519",)}, "is not a public key"),
        ({"pinned": ("ssh-ed25519 AAAA",)}, "is not a public key"),
        ({"pinned": ("ssh-dss AAAAB3NzaC1kc3M=",)}, "is not a public key"),
        ({"pinned": ("* ssh-ed25519 AAAAC3NzaC1lZDI1NTE5",)}, "is not a public key"),
        ({"authorities": ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5",)}, "needs the principals"),
        ({"authorities": ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5",), "principals": ("",)}, "needs the principals"),
    ],
)  # fmt: skip
def test_trust_that_would_trust_anybody(values, complaint):
    with pytest.raises(ValueError, match=complaint):
        Trust(**values)
