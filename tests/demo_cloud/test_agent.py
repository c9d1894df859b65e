"""What commands find on an agent, and what comes back: the same as from sshd."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import paramiko
import pytest

from ajs.demo.cloud.access import MOST_SESSIONS
from ajs.demo.cloud.cloud import Cloud
from ajs.demo.cloud.layout import LOOPBACK, USER
from ajs.demo.cloud.transport import signal_name
from ajs.dispatch.link import MOST_CHANNELS, Reply
from tests.demo_cloud.conftest import LONG_S, MIB, link_to, running_in
from tests.dispatch.waiting import until

AGENT = "LB1/agent-1"
REPLIES: list[tuple[str, bytes, int, bytes, bytes]] = [
    # command, stdin, exit status, stdout, stderr
    ("true", b"", 0, b"", b""),
    ("exit 3", b"", 3, b"", b""),
    ("exit 255", b"", 255, b"", b""),
    ("no-such-command 2> /dev/null", b"", 127, b"", b""),
    ("echo out; echo err >&2; exit 1", b"", 1, b"out\n", b"err\n"),
    ("cat", bytes(range(256)), 0, bytes(range(256)), b""),
    ("cat; exec >&- 2>&-; exit 9", b"abc", 9, b"abc", b""),
    ("read line; echo $line", b"one\ntwo\n", 0, b"one\n", b""),
    ("exec <&-; exit 4", b"x" * MIB, 4, b"", b""),
    ("wc -c < /dev/null", b"x" * MIB, 0, b"0\n", b""),
    ("wc -c", b"x" * MIB, 0, b"1048576\n", b""),
    ("sh -c 'kill -TERM $$' 2> /dev/null", b"", 143, b"", b""),
    ("printf '\u3042'; cat", "\u3044".encode(), 0, "\u3042\u3044".encode(), b""),
    # A process left behind holds none of the streams: nobody waits for it.
    ("setsid sleep 1000 < /dev/null > /dev/null 2>&1 & echo left", b"", 0, b"left\n", b""),
]
IDS = [f"{row[0]!a} {len(row[1])}" for row in REPLIES]


@pytest.mark.parametrize(("command", "stdin", "status", "out", "err"), REPLIES, ids=IDS)
def test_what_comes_back(cloud: Cloud, ssh, command, stdin, status, out, err):
    ran = ssh(AGENT, command, stdin=stdin)
    assert (ran.returncode, ran.stdout, ran.stderr) == (status, out, err)
    with link_to(cloud, AGENT) as link:
        assert link.call(command, stdin, deadline_s=LONG_S) == Reply(out, err, status)


def test_a_signal_is_told(cloud: Cloud, ssh):
    ran = ssh(AGENT, "echo out; kill -KILL $$")
    assert (ran.returncode, ran.stdout) == (255, b"out\n")
    with link_to(cloud, AGENT) as link:
        assert link.call("echo out; kill -KILL $$", deadline_s=LONG_S).exit_status is None


@pytest.mark.parametrize(
    ("number", "name"),
    [(15, "TERM"), (9, "KILL"), (24, "SIG@openssh.com"), (40, "SIG@openssh.com")],
)
def test_names_of_signals(number, name):
    assert signal_name(number) == name


def test_the_environment(cloud: Cloud, ssh):
    host = cloud.hosts[AGENT]
    ran = ssh(AGENT, "pwd; env; ps -o sid= -p $$; echo $$", "-o", "ProxyJump=none")
    first, *lines, session, pid = ran.stdout.decode().split("\n")[:-1]
    found = dict(line.split("=", 1) for line in lines)
    assert first == found["HOME"] == host.folder
    client, client_port, own, own_port = found["SSH_CONNECTION"].split()
    assert (client, own, own_port) == ("127.0.0.1", "127.0.0.1", str(host.port))
    assert found["SSH_CLIENT"] == f"127.0.0.1 {client_port} {host.port}"
    assert found.keys() == {
        *("HOME", "LOGNAME", "PATH", "PWD", "SHELL", "SSH_CLIENT", "SSH_CONNECTION", "USER")
    }
    assert session.strip() == pid, "a session of its own"


def test_variables_of_the_client_do_not_arrive(ssh):
    assert ssh(AGENT, "echo ${LC_ALL-none}", "-o", "SetEnv=LC_ALL=C").stdout == b"none\n"


def test_no_terminal_no_shell_no_subsystem(ssh):
    assert b"PTY allocation request failed" in ssh(AGENT, "true", "-tt").stderr
    assert b"subsystem request failed" in ssh(AGENT, "sftp", "-s").stderr


def test_much_output(ssh):
    ran = ssh(AGENT, f"head -c {100 * MIB} /dev/zero; head -c {MIB} /dev/zero >&2")
    assert (ran.returncode, len(ran.stdout), len(ran.stderr)) == (0, 100 * MIB, MIB)


def test_much_both_ways_at_once(cloud: Cloud):
    """The command writes 8 MiB to each stream before it reads the first byte of 4."""
    stdin = hashlib.shake_128(b"any").digest(4 * MIB)
    command = f"head -c {8 * MIB} /dev/zero >&2; head -c {8 * MIB} /dev/zero; sha256sum"
    with link_to(cloud, AGENT) as link:
        reply = link.call(command, stdin, deadline_s=LONG_S)
    assert (len(reply.err), reply.exit_status) == (8 * MIB, 0)
    digest = hashlib.sha256(stdin).hexdigest()
    assert reply.out[8 * MIB :].decode().split()[0] == digest


def test_a_command_that_is_too_long(cloud: Cloud):
    with _connected(cloud) as transport:
        channel = transport.open_session()
        channel.exec_command("# " + "x" * 131072)
        assert channel.recv_exit_status() == 1
        assert b"rgument list too long" in channel.recv_stderr(1000)


def test_the_status_comes_although_somebody_holds_the_output(cloud: Cloud):
    """A client that waits for the status has it; one that waits for the end of the output waits, as with sshd."""
    with _connected(cloud) as transport:
        channel = transport.open_session()
        channel.exec_command("sleep 1000 & exit 5")
        assert channel.recv_exit_status() == 5
        assert not channel.closed
        assert not channel.eof_received


def test_a_command_whose_channel_is_closed_goes_on(cloud: Cloud):
    home = Path(cloud.hosts[AGENT].folder)
    with _connected(cloud) as transport:
        channel = transport.open_session()
        channel.exec_command(
            "trap : HUP TERM; echo $$ > pid; cat > /dev/null; until [ -e go ]; do sleep 0.1; done;"
            " echo $? > went-on"
        )
        until(lambda: _text(home / "pid"), "the command")
        channel.close()
        (home / "go").touch()
        assert until(lambda: _text(home / "went-on"), "it goes on") == "0\n"


def test_a_command_that_writes_to_nobody_ends(cloud: Cloud):
    """``tail -F`` looks whether somebody reads; so the pipe has to be closed and not only left."""
    home = Path(cloud.hosts[AGENT].folder)
    with _connected(cloud) as transport:
        channel = transport.open_session()
        channel.exec_command("echo $$ > tail-pid; exec tail -n +1 -F log")
        pid = int(until(lambda: _text(home / "tail-pid"), "tail"))
        channel.close()
        until(lambda: pid not in running_in(cloud.folder), "the end of tail")


def test_ten_sessions_on_a_connection(cloud: Cloud):
    assert MOST_CHANNELS <= MOST_SESSIONS
    with _connected(cloud) as transport:
        channels = [transport.open_session() for _ in range(MOST_SESSIONS)]
        with pytest.raises(paramiko.ChannelException) as caught:
            transport.open_session()
        assert caught.value.code == 2
        channels[0].exec_command("exit 6")
        assert channels[0].recv_exit_status() == 6
        channels[0].close()
        until(lambda: _opens(transport), "room for another session")


def test_one_command_for_each_session(cloud: Cloud):
    with _connected(cloud) as transport:
        channel = transport.open_session()
        channel.exec_command("sleep 1000")
        with pytest.raises(paramiko.SSHException):
            channel.exec_command("true")


def test_an_agent_forwards_nothing(cloud: Cloud):
    with _connected(cloud) as transport, pytest.raises(paramiko.ChannelException) as caught:
        transport.open_channel("direct-tcpip", ("127.0.0.1", cloud.hosts["LB2"].port), ("", 0))
    assert caught.value.code == 1


@pytest.mark.parametrize("user", ["root", ""])
def test_other_users_are_refused(cloud: Cloud, user):
    with pytest.raises(paramiko.AuthenticationException), _connected(cloud, user):
        pass


def test_commands_outlive_their_agent_and_it_comes_back(cloud: Cloud, ssh):
    pid = int(ssh(AGENT, "sleep 1000 > /dev/null 2>&1 & echo $!").stdout)
    before = cloud.pid(AGENT)
    cloud.kill(AGENT)
    assert cloud.pid(AGENT) is None
    assert pid in running_in(cloud.folder)
    cloud.restart(AGENT)
    assert cloud.pid(AGENT) not in {None, before}
    assert ssh(AGENT, f"kill {pid}").returncode == 0


def _opens(transport: paramiko.Transport) -> bool:
    with suppress(paramiko.ChannelException):
        transport.open_session()
        return True
    return False


def _text(path: Path) -> str | None:
    return path.read_text() or None if path.exists() else None


@contextmanager
def _connected(cloud: Cloud, user: str = USER) -> Iterator[paramiko.Transport]:
    """A connection of plain paramiko, past the relays."""
    transport = paramiko.Transport((LOOPBACK, cloud.hosts[AGENT].port))
    try:
        transport.connect(
            username=user, pkey=paramiko.Ed25519Key.from_private_key_file(cloud.user_key)
        )
        yield transport
    finally:
        transport.close()


def test_the_number_of_a_process_is_told_by_the_log(cloud: Cloud, ssh):
    pid = ssh(AGENT, "echo $$ told").stdout.decode().split()[0]
    assert f"process {pid}: echo $$ told\n" in Path(cloud.hosts[AGENT].file("log")).read_text()
