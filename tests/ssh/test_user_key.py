"""Our own key: the file, or the ssh-agent, and what is said when there is none that can be used."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ajs.dispatch.link import Route
from ajs.dispatch.link_errors import LinkError
from tests.ssh.conftest import LONG_S, World
from tests.ssh.servers import keygen, ssh_agent


def key_file(world: World, content: str, mode: int = 0o600) -> str:
    path = world.folder / "key"
    path.write_text(content)
    path.chmod(mode)
    return str(path)


def encrypted(world: World) -> str:
    path = str(world.folder / "encrypted")
    keygen("-t", "ed25519", "-N", "open sesame", "-f", path)
    return path


def encrypted_pem(world: World) -> str:
    path = str(world.folder / "encrypted")
    keygen("-t", "rsa", "-m", "PEM", "-N", "open sesame", "-f", path)
    return path


UNUSABLE: list[tuple[str, Callable[[World], str], str]] = [
    ("missing", lambda world: str(world.folder / "none"), "cannot be read: no such file"),
    ("a folder", lambda world: str(world.folder), "is not a file"),
    ("open to others", lambda world: key_file(world, world.keys["user"].path.read_text(), 0o640), "by others"),
    ("passphrase", encrypted, "is protected by a passphrase"),
    ("passphrase, PEM", encrypted_pem, "is protected by a passphrase"),
    ("public", lambda world: key_file(world, world.keys["user"].public), "holds no private key"),
    ("empty", lambda world: key_file(world, ""), "holds no private key"),
    ("binary", lambda world: key_file(world, "\0" * 100), "holds no private key"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("make", "cause"), [row[1:] for row in UNUSABLE], ids=[row[0] for row in UNUSABLE]
)
def test_a_key_file_that_cannot_be_used_is_refused_before_anybody_is_contacted(
    world: World, make: Callable[[World], str], cause: str
):
    target = world.server("AGT2").endpoint(key_file=make(world))
    with pytest.raises(LinkError) as caught:
        world.open(Route(target=target))
    assert caught.value.kind == "user_key"
    assert cause in caught.value.cause
    assert "Connection from" not in world.servers[0].log()


def test_no_ssh_agent(world: World, monkeypatch):
    route = Route(target=world.server("AGT2").endpoint(key_file=None))
    for value, cause in [
        ("", "no ssh-agent is known"),
        (str(world.folder / "none"), "does not answer"),
    ]:
        monkeypatch.setenv("SSH_AUTH_SOCK", value)
        with pytest.raises(LinkError, match=cause) as caught:
            world.open(route)
        assert caught.value.kind == "user_key"


def test_an_ssh_agent_without_keys(world: World, monkeypatch):
    route = Route(target=world.server("AGT2").endpoint(key_file=None))
    with ssh_agent(world.folder) as path:
        monkeypatch.setenv("SSH_AUTH_SOCK", path)
        with pytest.raises(LinkError, match="has no key that can be used"):
            world.open(route)


def test_a_key_of_the_ssh_agent(world: World, monkeypatch):
    server = world.server("AGT2")
    keys = [world.keys[name] for name in ("other", "rsa:other", "user")]
    with ssh_agent(world.folder, *keys) as path:
        monkeypatch.setenv("SSH_AUTH_SOCK", path)
        link = world.open(Route(target=server.endpoint(key_file=None)))
        # And the agent is not lent to the other side.
        assert link.call("echo .$SSH_AUTH_SOCK.", deadline_s=LONG_S).out == b"..\n"
