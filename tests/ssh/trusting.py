"""What the tests of opening a link share: ways to agents that are known by certificates or by keys."""

from __future__ import annotations

from ajs.dispatch.link import Route, Trust
from tests.ssh.conftest import World

VALID = ("-n", "pool,other", "-V", "20260101:20270101")


def trusting_ca(world: World, **other) -> Trust:
    return Trust(**{"authorities": (world.keys["ca"].public,), "principals": ("pool",), **other})


def certified(world: World, *options: str, host_key: str = "signed", **other) -> Route:
    """Straight to an agent whose host key was signed with these options."""
    certificate = world.keys.certified(host_key, *(options or VALID), **other)
    server = world.server("AGT2", host_key=host_key, certificate=certificate)
    return Route(target=server.endpoint(trust=trusting_ca(world)))


def pinned(world: World, *names: str) -> Trust:
    return Trust(pinned=tuple(world.keys[name].public for name in names))
