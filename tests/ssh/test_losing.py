"""Links that die: whoever waits is woken and told which hop it was, and nothing is left."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing

import pytest

from ajs.dispatch.link import MOST_CHANNELS, Route
from ajs.dispatch.link_errors import LinkError
from ajs.dispatch.ssh.link import SshLink
from tests.dispatch.waiting import until
from tests.ssh.conftest import LONG_S, World

WAITS = "while echo more 2> /dev/null; do sleep 0.02; done"  # ends with the connection
SHORT_S = 1.0

Loss = Callable[[World], None]
LOSSES: list[tuple[str, Loss, str, str]] = [
    # what happens, who is to blame, the cause
    ("relay killed", lambda world: world.servers[0].kill(), "relay AGT1", "the connection was closed"),
    ("agent killed", lambda world: world.servers[1].kill(), "agent AGT2", "the connection was closed"),
]  # fmt: skip


def waiting(link, pool: ThreadPoolExecutor, count: int) -> list[Future]:
    """So many calls that are under way, each past its first output."""
    begun = threading.Barrier(count + 1)

    def follow() -> None:
        pieces = iter(link.stream(f"echo begun; {WAITS}", deadline_s=LONG_S))
        next(pieces)
        begun.wait(LONG_S)
        list(pieces)

    calls = [pool.submit(follow) for _ in range(count)]
    begun.wait(LONG_S)
    return calls


@pytest.mark.parametrize(
    ("lose", "hop", "cause"), [row[1:] for row in LOSSES], ids=[row[0] for row in LOSSES]
)
def test_lost_while_calls_are_under_way(world: World, capfd, lose: Loss, hop: str, cause: str):
    told: list[LinkError] = []
    link = world.open(world.relayed(), on_death=told.append)
    with ThreadPoolExecutor(10) as pool, closing(link):
        calls = waiting(link, pool, 4)
        lose(world)
        for call in calls:
            error = call.exception(LONG_S)
            assert isinstance(error, LinkError)
            assert (error.kind, error.cause) == ("closed", cause)
            assert error.hop.startswith(hop)
    until(lambda: told or None, "somebody told")
    assert [(error.kind, error.cause) for error in told] == [("closed", cause)]
    assert link.ended is not None
    assert link.ended.hop.startswith(hop)
    for ask in (link.call, link.stream):
        with pytest.raises(LinkError) as caught:
            ask("true", deadline_s=LONG_S)
        assert (caught.value.kind, caught.value.cause) == ("closed", cause)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("who", [0, 1], ids=["relay", "agent"])
@pytest.mark.parametrize("stdin", [b"", b"x" * 64 * 1024 * 1024], ids=["idle", "sending"])
def test_the_deadline_ends_a_link_that_stands_still(world: World, who: int, stdin: bytes):
    told: list[LinkError] = []
    link = world.open(world.relayed(), on_death=told.append)
    with ThreadPoolExecutor(10) as pool, closing(link):
        others = waiting(link, pool, 3)
        world.servers[who].pause()
        others.append(pool.submit(link.call, "cat", deadline_s=LONG_S))
        with pytest.raises(LinkError) as caught:
            link.call("cat", stdin, deadline_s=SHORT_S)
        assert caught.value.kind == "deadline"
        assert caught.value.cause == "no answer within 1 s to a command"
        assert caught.value.hop.startswith("agent AGT2")
        for other in others:
            error = other.exception(LONG_S)
            assert isinstance(error, LinkError)
            assert error.kind == "deadline"
    until(lambda: told or None, "somebody told")
    assert len(told) == 1
    with pytest.raises(LinkError):
        link.call("true", deadline_s=LONG_S)


def test_a_command_that_takes_longer_than_its_deadline(world: World):
    link = world.open(world.relayed())
    with pytest.raises(LinkError) as caught:
        link.call("sleep 2", deadline_s=SHORT_S)
    assert caught.value.kind == "deadline"
    assert link.ended is not None


def test_callers_who_wait_for_a_channel_are_woken(world: World):
    link = world.open(world.relayed())
    with ThreadPoolExecutor(20) as pool, closing(link):
        waiting(link, pool, MOST_CHANNELS)
        queued = [pool.submit(link.call, "true", deadline_s=LONG_S) for _ in range(4)]
        world.servers[0].kill()
        for call in queued:
            error = call.exception(LONG_S)
            assert isinstance(error, LinkError)
            assert error.kind == "closed"


def test_a_death_with_nobody_waiting(world: World):
    told: list[LinkError] = []
    link = world.open(world.relayed(), on_death=told.append)
    world.servers[1].kill()
    until(lambda: told or None, "somebody told")
    assert [str(error) for error in told] == [str(link.ended)]


def test_closing_tells_nobody_and_wakes_all(world: World):
    told: list[LinkError] = []
    link = world.open(world.relayed(), on_death=told.append)
    with ThreadPoolExecutor(10) as pool, closing(link):
        calls = waiting(link, pool, 3)
        link.close()
        link.close()
        for call in calls:
            error = call.exception(LONG_S)
            assert isinstance(error, LinkError)
            assert error.cause == "the link was closed here"
    assert told == []
    assert link.ended is not None


def test_who_is_told_may_close_and_may_fail(world: World, capfd):
    links: list[SshLink] = []

    def close(error: LinkError) -> None:
        links[0].close()
        raise RuntimeError

    links.append(world.open(world.relayed(), on_death=close))
    world.servers[0].kill()
    until(lambda: not links[0]._keeper._thread.is_alive(), "the end of the link")
    assert capfd.readouterr() == ("", "")


def test_the_relay_dies_between_the_two_handshakes(world: World):
    """The agent says nothing, so the relay can be ended while the second handshake waits."""
    relay, target = world.server("AGT1"), world.server("AGT2")
    target.pause()
    with ThreadPoolExecutor(1) as pool:
        opening = pool.submit(world.open, Route(relay=relay.endpoint(), target=target.endpoint()))
        until(lambda: "Starting session" in relay.log(), "the first session")
        relay.kill()
        error = opening.exception(LONG_S)
    assert isinstance(error, LinkError)
    assert error.kind in {"closed", "unreachable"}
    assert error.hop.startswith("relay AGT1")


def test_opening_and_losing_again_and_again(world: World):
    """The connection goes at any moment of a call: always a LinkError, and never a hang."""
    for number in range(12):
        route = Route(relay=world.server("AGT1").endpoint(), target=world.server("AGT2").endpoint())
        relay, target = world.servers[-2:]
        link = world.open(route)
        with ThreadPoolExecutor(6) as pool:

            def ask(link=link) -> str:
                try:
                    while True:
                        link.call("cat", b"x" * 100_000, deadline_s=LONG_S)
                except LinkError as error:
                    return error.kind

            calls = [pool.submit(ask) for _ in range(6)]
            for _ in range(number):
                link._keeper.pause(0.02)
            (relay if number % 2 else target).kill()
            assert [call.result(LONG_S) for call in calls] == ["closed"] * 6
        relay.kill()
        target.kill()
