"""The cloud as a whole: it comes up, it survives bad clients, and nothing of it is left behind."""

from __future__ import annotations

import os
import signal
import socket
import stat
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import yaml

from ajs.cli.boundary import run
from ajs.demo.cloud.cloud import PROGRAMS, Cloud
from ajs.demo.cloud.keys import make_key
from ajs.demo.cloud.layout import LOOPBACK, Kind
from ajs.errors import ConfigurationError
from tests.demo_cloud.conftest import LONG_S, link_to, running_in
from tests.dispatch.waiting import until

HOSTS = ["AGT1", "AGT2", "LB1", "LB2", "LB1/agent-1", "LB1/agent-2", "LB2/agent-1", "LB2/agent-2"]
LEFT_BEHIND = "setsid sleep 1000 < /dev/null > /dev/null 2>&1 & echo $!"
PARENT = """
import signal, sys
from ajs.demo.cloud.cloud import PROGRAMS, Cloud
from ajs.demo.cloud.keys import make_key
with Cloud.start(sys.argv[1]) as cloud:
    print(cloud.folder, flush=True)
    signal.pause()
"""


def test_what_is_there(cloud: Cloud):
    assert list(cloud.hosts) == HOSTS
    assert len({host.port for host in cloud.hosts.values()}) == len(HOSTS)
    for name, host in cloud.hosts.items():
        assert host.folder == os.path.join(cloud.folder, name)
        assert cloud.pid(name) in running_in(cloud.folder)
        socket.create_connection((LOOPBACK, host.port)).close()
    private = [cloud.user_key]
    private += [
        h.file("host_key") for h in cloud.hosts.values() if h.kind is not Kind.LOAD_BALANCER
    ]
    for path in private:
        assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600, path


def test_agents_yaml(cloud: Cloud):
    found = yaml.safe_load(Path(cloud.agents_file).read_text())
    assert list(found) == ["agents", "agent_groups", "destinations"]
    assert found["agent_groups"] == {"RELAYS": {"members": ["AGT1:16", "AGT2:15"]}}
    for name, behind in {
        "AGT1": ["AGT1"],
        "AGT2": ["AGT2"],
        "LB1": ["LB1/agent-1", "LB1/agent-2"],
        "LB2": ["LB2/agent-1", "LB2/agent-2"],
    }.items():
        one = dict((found["agents"] | found["destinations"])[name])
        one.pop("comment", None)
        assert one == {
            "host": LOOPBACK,
            "port": cloud.hosts[name].port,
            "user": "ajs",
            "key": cloud.user_key,
            "trust": {
                "host_keys": [
                    Path(cloud.hosts[host].file("host_key.pub")).read_text().strip()
                    for host in behind
                ]
            },
        }


BROKEN = {
    "nothing": b"",
    "a web browser": b"GET / HTTP/1.1\r\nHost: agent\r\n\r\n",
    "half a greeting": b"SSH-2.",
    "only a greeting": b"SSH-2.0-x\r\n",
    "a packet of a gigabyte": b"SSH-2.0-x\r\n" + struct.pack(">I", 1 << 30),
    "noise": b"SSH-2.0-x\r\n" + bytes(range(256)) * 64,
    "an old protocol": b"SSH-1.5-x\r\n",
}


@pytest.mark.parametrize("says", BROKEN.values(), ids=BROKEN.keys())
@pytest.mark.parametrize("host", ["AGT1", "LB1", "LB1/agent-1"])
@pytest.mark.parametrize("resets", [False, True])
def test_broken_clients_disturb_nobody(cloud: Cloud, host: str, says: bytes, resets: bool):
    """That no traceback is written is looked at when the cloud has ended."""
    for _ in range(3):
        with socket.create_connection((LOOPBACK, cloud.hosts[host].port)) as sock:
            if resets:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            with suppress(OSError):
                sock.sendall(says)
    with link_to(cloud, "LB1") as link:
        assert link.call("echo here", deadline_s=LONG_S).out == b"here\n"


@pytest.mark.parametrize("jump", ["AGT1", "none"])
@pytest.mark.parametrize("host", ["LB1", "LB1/agent-1"])
def test_clients_that_vanish_amid_output(cloud: Cloud, host: str, jump: str):
    """Commands that write and read without end lose their streams, and so end."""
    for _ in range(5):
        words = ["ssh", "-F", cloud.ssh_config, "-o", f"ProxyJump={jump}", host]
        client = subprocess.Popen(
            [*words, "yes & yes >&2 & cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # unread it would fill the window that stdout needs too
            start_new_session=True,
        )
        with client:
            assert client.stdin is not None
            assert client.stdout is not None
            assert client.stdout.read(10)
            client.stdin.write(b"x" * 10_000)
            # With it goes the one that holds the connection to the relay.
            os.killpg(client.pid, signal.SIGKILL)
    until(
        lambda: not [w for w in running_in(cloud.folder).values() if w.startswith(("yes", "cat"))],
        "the end of the commands",
    )


def test_nothing_is_left_after_the_block(tmp_path):
    with Cloud.start(str(tmp_path)) as cloud, link_to(cloud, "LB1") as link:
        left = int(link.call(LEFT_BEHIND, deadline_s=LONG_S).out)
        assert left in running_in(cloud.folder)
        cloud.kill("LB2")
        ports = [host.port for host in cloud.hosts.values()]
    assert running_in(cloud.folder) == {}
    for port in ports:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((LOOPBACK, port))


def test_everything_ends_with_the_one_that_started_it(tmp_path):
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, tmp_path], stdout=subprocess.PIPE, text=True
    )
    with parent:
        assert parent.stdout is not None
        folder = parent.stdout.readline().strip()
        ssh = ["ssh", "-F", f"{folder}/ssh_config", "LB1", LEFT_BEHIND]
        left = int(subprocess.run(ssh, check=True, capture_output=True).stdout)
        found = running_in(folder)
        assert left in found
        assert len(found) == len(HOSTS) + 1
        parent.kill()
    until(lambda: not running_in(folder), "the end of everything")


def test_a_host_that_is_started_too_late_ends_at_once(tmp_path):
    """Its parent may end before it looks: then it has another one."""
    make_key(str(tmp_path / "host_key"))
    for program in PROGRAMS.values():
        words = [*program, tmp_path, "0", "1"]
        ran = subprocess.run([sys.executable, "-m", *words], capture_output=True, check=False)
        assert (ran.returncode, ran.stdout, ran.stderr) == (0, b"", b"")


def test_a_folder_that_is_there(tmp_path):
    (tmp_path / "cloud").mkdir()
    with pytest.raises(ConfigurationError) as caught:
        Cloud.start(str(tmp_path))
    assert str(tmp_path / "cloud") in caught.value.message


def test_a_host_that_does_not_start(tmp_path, monkeypatch):
    monkeypatch.setitem(PROGRAMS, Kind.RELAY, ("ajs.demo.cloud.no_such_module",))
    with pytest.raises(ConfigurationError) as caught:
        Cloud.start(str(tmp_path))
    assert "AGT1" in caught.value.message
    assert "no_such_module" in Path(caught.value.hint.removeprefix("read ")).read_text()
    assert running_in(str(tmp_path)) == {}


@contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[None]:
    """Have the process end whatever happens, so that a test that fails does not wait for it."""
    try:
        yield
    finally:
        process.terminate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_keeps_it_up_until_it_is_told(tmp_path, number):
    words = ["-c", "from ajs.cli import main; import sys; sys.argv[:1] = ['ajs']; sys.exit(main())"]
    process = subprocess.Popen(
        [sys.executable, *words, "demo", "cloud"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    with process, ended(process):
        assert process.stdout is not None
        lines: list[str] = []
        while not lines or "Ctrl-C" not in lines[-1]:
            lines.append(process.stdout.readline())
            assert lines[-1], "".join(lines)
        table = {line.split()[0]: line.split()[-1] for line in lines[1 : len(HOSTS) + 1]}
        assert table == {name: f"cloud/{name}" for name in HOSTS}
        folder = tmp_path / "cloud"
        shown = {int(line.rsplit(None, 2)[1]) for line in lines[1 : len(HOSTS) + 1]}
        assert shown == set(running_in(str(folder)))
        (ssh,) = (line for line in lines if line.startswith("ssh -F "))
        words = ssh.split()[:3]
        ran = subprocess.run(
            [*words, "LB1", "pwd"], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert ran.stdout.startswith(str(folder / "LB1"))
        process.send_signal(number)
        _, said = process.communicate()
    assert process.returncode == 0
    assert said == "the cloud is switched off; its folder is left behind\n"
    assert running_in(str(folder)) == {}


def test_usage(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("demo", "ajs demo", ["cloud", "--copy-jobnets", "."]) == 2
    assert "exclude each other" in capsys.readouterr().err
    assert run("demo", "ajs demo", ["clouds"]) == 2
    assert not list(tmp_path.iterdir())
