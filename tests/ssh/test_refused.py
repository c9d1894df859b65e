"""Opening a link: who is refused, and what each refusal says."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ajs.dispatch.link import Route
from ajs.dispatch.link_errors import LinkError
from tests.ssh.conftest import World
from tests.ssh.servers import USER, free_port
from tests.ssh.trusting import VALID, certified, pinned, trusting_ca

Case = Callable[[World], Route]


def wrong_host_key(world: World) -> Route:
    server = world.server("AGT2")
    return Route(target=server.endpoint(trust=pinned(world, "other", "another")))


def wrong_host_key_of_the_relay(world: World) -> Route:
    relay = world.server("AGT1")
    target = world.server("AGT2").endpoint()
    return Route(relay=relay.endpoint(trust=pinned(world, "other")), target=target)


def another_kind_of_host_key(world: World) -> Route:
    return Route(target=world.server("AGT2").endpoint(trust=pinned(world, "ecdsa:other")))


def wrong_user_key(world: World) -> Route:
    other = str(world.keys["other"].path)
    return Route(
        relay=world.server("AGT1").endpoint(), target=world.server("AGT2").endpoint(key_file=other)
    )


def one_try_only(world: World) -> Route:
    other = str(world.keys["other"].path)
    return Route(target=world.server("AGT2", "MaxAuthTries 1").endpoint(key_file=other))


def no_keys_taken(world: World) -> Route:
    options = ("PubkeyAuthentication no", "PasswordAuthentication yes")
    return Route(target=world.server("AGT2", *options).endpoint())


def more_than_a_key(world: World) -> Route:
    options = (
        "AuthenticationMethods publickey,password",
        "PasswordAuthentication yes",
    )
    return Route(target=world.server("AGT2", *options).endpoint())


def no_certificate(world: World) -> Route:
    return Route(target=world.server("AGT2").endpoint(trust=trusting_ca(world)))


def forwarding(*options: str) -> Case:
    def route(world: World) -> Route:
        return Route(
            relay=world.server("AGT1", *options).endpoint(), target=world.server("AGT2").endpoint()
        )

    return route


def restricted_at_the_relay(world: World) -> Route:
    relay = world.server("AGT1", authorized=f"restrict {world.keys['user'].public}\n")
    return Route(relay=relay.endpoint(), target=world.server("AGT2").endpoint())


def closed_port(world: World) -> Route:
    target = world.server("AGT2").endpoint(port=free_port())
    return Route(relay=world.server("AGT1").endpoint(), target=target)


def relay_down(world: World) -> Route:
    target = world.server("AGT2").endpoint()
    return Route(relay=world.server("AGT1").endpoint(port=free_port()), target=target)


def unknown_name(world: World) -> Route:
    return Route(target=world.server("AGT2").endpoint(host="no.invalid"))


def old_ways_only(world: World) -> Route:
    return Route(
        target=world.server("AGT2", "KexAlgorithms diffie-hellman-group14-sha256").endpoint()
    )


def weak_ciphers_only(world: World) -> Route:
    return Route(target=world.server("AGT2", "Ciphers aes128-cbc").endpoint())


def signed(*options: str, **other) -> Case:
    return lambda world: certified(world, *options, **other)


AGENT, RELAY = "agent AGT2 127.0.0.1:", "relay AGT1 127.0.0.1:"
REFUSED: list[tuple[str, Case, str, str, str]] = [
    # how the host is known, or the user
    ("wrong host key", wrong_host_key, "host_key", AGENT, "none of the pinned ones"),
    ("wrong host key of the relay", wrong_host_key_of_the_relay, "host_key", RELAY, "none of the pinned ones"),
    ("another kind of host key", another_kind_of_host_key, "host_key", AGENT, "pinned kind: ecdsa-sha2-nistp256"),
    ("wrong user key", wrong_user_key, "user_key", AGENT, f"does not accept the key of {USER}"),
    ("one try only", one_try_only, "user_key", AGENT, f"the login of {USER} broke off"),
    ("no keys taken", no_keys_taken, "user_key", AGENT, f"takes no keys from {USER}, only password"),
    ("more than a key", more_than_a_key, "user_key", AGENT, f"wants more from {USER} than a key: password"),
    # its certificate
    ("none", no_certificate, "certificate", AGENT, "shows no host certificate"),
    ("expired", signed("-n", "pool", "-V", "20250101:20260101"), "certificate", AGENT, "has expired"),
    ("future", signed("-n", "pool", "-V", "20270101:20280101"), "certificate", AGENT, "not valid yet"),
    ("other principals", signed("-n", "a,b", "-V", "20260101:20270101"), "certificate", AGENT, "is for a, b, not"),
    ("no principals", signed("-V", "20260101:20270101"), "certificate", AGENT, "names no principal, not for pool"),
    ("unknown CA", signed(authority="other-ca"), "certificate", AGENT, "is from another CA, SHA256:"),
    ("a user's", signed(host=False), "certificate", AGENT, "the certificate of a user, not of a host"),
    ("critical option", signed(*VALID, "-O", "critical:x@y.z=1"), "certificate", AGENT, "the critical options x@y.z"),
    # the way
    ("no forwarding", forwarding("AllowTcpForwarding no"), "refused_forwarding", RELAY, "does not forward to 127"),
    ("not to there", forwarding("PermitOpen 192.0.2.1:22"), "refused_forwarding", RELAY, "does not forward to 127"),
    ("restricted key", restricted_at_the_relay, "refused_forwarding", RELAY, "does not forward to 127"),
    ("closed port", closed_port, "unreachable", AGENT, "the relay AGT1 127.0.0.1:"),
    ("relay down", relay_down, "unreachable", RELAY, "no connection: connection refused"),
    ("unknown name", unknown_name, "unreachable", "agent AGT2 no.invalid:", "the name no.invalid has no address"),
    # what is agreed on
    ("finite fields only", old_ways_only, "incompatible", AGENT, "no acceptable kex algorithm"),
    ("weak ciphers only", weak_ciphers_only, "incompatible", AGENT, "no acceptable ciphers"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("case", "kind", "hop", "cause"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_refused(world: World, capfd, case: Case, kind: str, hop: str, cause: str):
    route = case(world)
    with pytest.raises(LinkError) as caught:
        world.open(route)
    error = caught.value
    assert (error.kind, cause in error.cause) == (kind, True), str(error)
    assert error.hop.startswith(hop)
    assert error.cure
    assert str(error) == f"{error.hop}: {error.cause}; {error.cure}"
    assert capfd.readouterr() == ("", "")


def test_a_host_that_is_not_trusted_never_hears_of_the_user(world: World):
    with pytest.raises(LinkError):
        world.open(wrong_host_key(world))
    assert USER not in world.servers[0].log()
    assert "userauth" not in world.servers[0].log()
