"""Calls and streams on a link: what comes back, how much, and how many at once."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from ajs.dispatch.link import LONGEST_COMMAND, MOST_CHANNELS, Reply
from ajs.dispatch.link_errors import LinkError
from tests.dispatch.waiting import until
from tests.ssh.conftest import LONG_S, World

MIB = 1024 * 1024

REPLIES: list[tuple[str, bytes, Reply]] = [
    # command, stdin, what comes back
    ("true", b"", Reply(b"", b"", 0)),
    ("exit 3", b"", Reply(b"", b"", 3)),
    ("exit 255", b"", Reply(b"", b"", 255)),
    ("no-such-command 2> /dev/null", b"", Reply(b"", b"", 127)),
    ("kill -KILL $$", b"", Reply(b"", b"", None)),
    ("echo out; kill -TERM $$", b"", Reply(b"out\n", b"", None)),
    ("exec 2> /dev/null; sh -c 'kill -TERM $$'; exit $?", b"", Reply(b"", b"", 143)),
    ("echo out; echo err >&2; exit 1", b"", Reply(b"out\n", b"err\n", 1)),
    ("cat", b"abc", Reply(b"abc", b"", 0)),
    ("cat", bytes(range(256)), Reply(bytes(range(256)), b"", 0)),
    ("cat; exec >&- 2>&-; exit 9", b"abc", Reply(b"abc", b"", 9)),
    ("printf '\u3042'; cat", "\u3044".encode(), Reply("\u3042\u3044".encode(), b"", 0)),
    ("wc -c < /dev/null", b"x" * MIB, Reply(b"0\n", b"", 0)),
    ("exec <&-; exit 4", b"x" * MIB, Reply(b"", b"", 4)),
]


@pytest.mark.parametrize(
    ("command", "stdin", "reply"), REPLIES, ids=[f"{row[0]!a} {len(row[1])}" for row in REPLIES]
)
def test_a_call(world: World, command: str, stdin: bytes, reply: Reply):
    link = world.open(world.relayed())
    assert link.call(command, stdin, deadline_s=LONG_S) == reply
    assert link.call("echo still here", deadline_s=LONG_S).out == b"still here\n"


def test_much_input(world: World):
    link = world.open(world.relayed())
    stdin = hashlib.shake_128(b"any").digest(MIB)
    assert link.call("cat", stdin, deadline_s=LONG_S).out == stdin
    digest = link.call("sha256sum", stdin, deadline_s=LONG_S).out.split()[0].decode()
    assert digest == hashlib.sha256(stdin).hexdigest()


def test_much_output_on_both_streams(world: World):
    link = world.open(world.relayed())
    ten = 10 * MIB
    for order in (f"head -c {ten} /dev/zero; head -c {ten} /dev/zero >&2",
                  f"head -c {ten} /dev/zero >&2; head -c {ten} /dev/zero",
                  f"head -c {ten} /dev/zero & head -c {ten} /dev/zero >&2; wait"):  # fmt: skip
        reply = link.call(order, deadline_s=LONG_S)
        assert (len(reply.out), len(reply.err), reply.exit_status) == (ten, ten, 0)


def test_input_and_output_beyond_every_buffer(world: World):
    """The command writes 8 MiB before it reads the first byte of 4."""
    link = world.open(world.relayed())
    command = f"head -c {8 * MIB} /dev/zero; wc -c"
    reply = link.call(command, b"x" * 4 * MIB, deadline_s=LONG_S)
    assert len(reply.out) == 8 * MIB + len(f"{4 * MIB}\n")


@pytest.mark.parametrize("command", ["yes", "yes >&2", "yes & yes >&2; wait"])
def test_more_output_than_was_asked_for(world: World, command: str):
    link = world.open(world.relayed())
    with pytest.raises(LinkError) as caught:
        link.call(command, deadline_s=LONG_S, max_output=100_000)
    assert caught.value.kind == "too_much_output"
    assert "100000 bytes" in caught.value.cause
    assert link.call("echo still here", deadline_s=LONG_S).out == b"still here\n"


def test_command_lines(world: World):
    link = world.open(world.relayed())
    longest = "echo " + "x" * (LONGEST_COMMAND - 5)
    assert len(link.call(longest, deadline_s=LONG_S).out) == LONGEST_COMMAND - 4
    for line, cause in [
        (longest + "x", f"{LONGEST_COMMAND + 1} bytes is longer than {LONGEST_COMMAND}"),
        ("\u3042" * (LONGEST_COMMAND // 3 + 1), "is longer than"),
        ("a\0b", "holds a NUL"),
        ("", "is empty"),
    ]:
        for ask in (link.call, link.stream):
            with pytest.raises(LinkError) as caught:
                ask(line, deadline_s=LONG_S)
            assert caught.value.kind == "bad_command"
            assert cause in caught.value.cause
    assert link.ended is None


def test_no_time_at_all(world: World):
    """Nothing is sent, and the link lives on: whoever asks may have used up the time elsewhere."""
    link = world.open(world.relayed())
    for deadline_s in (0, -1):
        for ask in (link.call, link.stream):
            with pytest.raises(LinkError) as caught:
                ask(f"touch {world.folder}/ran", deadline_s=deadline_s)
            assert caught.value.kind == "deadline"
    assert link.call("echo hi", deadline_s=LONG_S).out == b"hi\n"
    assert not (world.folder / "ran").exists()


# -- several at once --


def test_more_callers_than_channels(world: World):
    """Each waits for a free channel, and the server never sees more than eight."""
    link = world.open(world.relayed("MaxSessions 8"))
    gate = world.folder / "gate"
    count = f"ls {world.folder}/call.* | wc -l; rm $f"
    command = f"f=$(mktemp {world.folder}/call.XXXX); while ! test -e {gate}; do sleep 0.01; done; {count}"
    with ThreadPoolExecutor(24) as pool:
        calls = [pool.submit(link.call, command, deadline_s=LONG_S) for _ in range(24)]
        until(lambda: len([*world.folder.glob("call.*")]) == MOST_CHANNELS, "eight running")
        gate.touch()
        seen = [int(call.result().out) for call in calls]
    assert max(seen) <= MOST_CHANNELS


def test_many_calls_one_after_the_other_on_every_channel(world: World):
    """With MaxSessions as low as our channels: a session that has ended must not count."""
    link = world.open(world.relayed("MaxSessions 8"))

    def ask(number: int) -> bytes:
        return link.call(f"echo {number}", b"unread", deadline_s=LONG_S).out

    with ThreadPoolExecutor(MOST_CHANNELS) as pool:
        assert list(pool.map(ask, range(400))) == [b"%d\n" % number for number in range(400)]
    assert link.ended is None


def test_input_that_nobody_reads_harms_no_other_call(world: World):
    """Commands end while their input is being sent: paramiko would send on, and sshd cut the connection."""
    link = world.open(world.relayed())

    def ask(number: int) -> bytes:
        return link.call(f"echo {number}; exec <&-", b"x" * 256 * 1024, deadline_s=LONG_S).out

    with ThreadPoolExecutor(MOST_CHANNELS) as pool:
        assert list(pool.map(ask, range(200))) == [b"%d\n" % number for number in range(200)]
    assert link.ended is None
    assert "nonexistent channel" not in world.servers[1].log()


def test_one_session_at_a_time(world: World):
    """MaxSessions 1: a second one is refused, the link and the first one live on."""
    link = world.open(world.relayed("MaxSessions 1"))
    for number in range(10):
        assert link.call(f"echo {number}", deadline_s=LONG_S).out == b"%d\n" % number
    stream = link.stream(
        "echo begun; while ! test -e $0/end; do sleep 0.01; done".replace("$0", str(world.folder)),
        deadline_s=LONG_S,
    )
    pieces = iter(stream)
    assert next(pieces) == b"begun\n"
    with pytest.raises(LinkError) as caught:
        link.call("true", deadline_s=LONG_S)
    assert caught.value.kind == "too_many_sessions"
    assert "MaxSessions" in caught.value.cure
    (world.folder / "end").touch()
    assert list(pieces) == []
    assert link.call("echo hi", deadline_s=LONG_S).out == b"hi\n"


def test_many_links_at_once_over_one_relay(world: World):
    """64 open, call and close at the same time; sshd has its usual limits, and no call is lost."""
    route = world.relayed()

    def work(number: int) -> list[str]:
        try:
            link = world.open(route)
            said = [
                link.call(f"echo {number} {n}", deadline_s=LONG_S).out.decode() for n in range(3)
            ]
            link.close()
        except LinkError as error:
            return [str(error)]
        return said

    with ThreadPoolExecutor(64) as pool:
        said = list(pool.map(work, range(64)))
    assert said == [[f"{number} {n}\n" for n in range(3)] for number in range(64)]


# -- streams --


def test_a_stream(world: World):
    link = world.open(world.relayed())
    go = world.folder / "go"
    script = f"echo one; while ! test -e {go}; do sleep 0.01; done; echo err >&2; echo two"
    pieces = iter(link.stream(script, deadline_s=LONG_S))
    assert next(pieces) == b"one\n"
    go.touch()
    assert b"".join(pieces) == b"two\n"


def test_a_stream_with_much_on_both_outputs(world: World):
    link = world.open(world.relayed())
    command = f"head -c {8 * MIB} /dev/zero & head -c {8 * MIB} /dev/zero >&2; wait"
    assert sum(map(len, link.stream(command, deadline_s=LONG_S))) == 8 * MIB


def test_a_stream_closed_while_somebody_waits_for_it(world: World):
    link = world.open(world.relayed())
    stream = link.stream("echo begun; cat", deadline_s=LONG_S)
    came: list[bytes] = []
    reader = threading.Thread(target=lambda: came.extend(stream))
    reader.start()
    until(lambda: came or None, "the first piece")
    stream.close()
    stream.close()
    reader.join(LONG_S)
    assert not reader.is_alive()
    assert b"".join(came) == b"begun\n"
    assert link.ended is None
    # Its channel is free again: as many as ever can run.
    streams = [link.stream("true", deadline_s=LONG_S) for _ in range(MOST_CHANNELS)]
    assert [list(stream) for stream in streams] == [[]] * MOST_CHANNELS


def test_all_channels_taken(world: World):
    link = world.open(world.relayed())
    go = world.folder / "go"
    wait = f"while ! test -e {go}; do sleep 0.01; done"
    streams = [link.stream(wait, deadline_s=LONG_S) for _ in range(MOST_CHANNELS)]
    with pytest.raises(LinkError) as caught:
        link.call("true", deadline_s=0.2)
    assert caught.value.kind == "too_many_sessions"
    assert caught.value.cause == "all 8 channels of the link were in use for 0.2 s"
    assert link.ended is None
    go.touch()
    for stream in streams:
        assert list(stream) == []
    assert link.call("echo hi", deadline_s=LONG_S).out == b"hi\n"
