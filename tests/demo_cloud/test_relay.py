"""A relay: tunnels to the hosts of the cloud for those who may, and what is left when it dies."""

from __future__ import annotations

import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import paramiko
import pytest

from ajs.clock import SystemClock
from ajs.demo.cloud.cloud import Cloud
from ajs.demo.cloud.keys import make_key
from ajs.demo.cloud.layout import LOOPBACK, RELAYS
from ajs.dispatch.link import Route, Trust
from ajs.dispatch.link_errors import LinkError
from ajs.dispatch.ssh.dial import SshLinks
from tests.demo_cloud.conftest import LONG_S, MIB, NOW, endpoint, link_to, running_in
from tests.dispatch.waiting import until
from tests.ssh.servers import free_port

AGENT = "LB2/agent-1"


@pytest.mark.parametrize("relay", RELAYS)
@pytest.mark.parametrize("target", ["LB1", "LB2", "LB1/agent-2", "LB2/agent-1"])
def test_a_link_through_a_relay(cloud: Cloud, relay: str, target: str):
    with link_to(cloud, target, relay) as link:
        home = link.call("pwd", deadline_s=LONG_S).out.decode().strip()
        assert home.startswith(cloud.hosts[target].folder)


def test_ssh_through_a_relay(cloud: Cloud, ssh):
    ran = ssh("LB1", "pwd", "-o", "ProxyJump=AGT2")
    assert ran.stdout.decode().strip() in {
        cloud.hosts[name].folder for name in ("LB1/agent-1", "LB1/agent-2")
    }
    assert f"tunnel to {cloud.hosts['LB1'].address}\n" in _log(cloud, "AGT2")


def test_other_targets_are_refused(cloud: Cloud):
    with socket.socket() as other:
        other.bind((LOOPBACK, 0))
        other.listen()
        for host, port in [
            (LOOPBACK, other.getsockname()[1]),
            ("localhost", cloud.hosts["LB1"].port),
            (LOOPBACK, cloud.hosts["AGT2"].port),
        ]:
            target = endpoint(cloud, "LB1", host=host, port=port)
            error = _refused(cloud, Route(target=target, relay=endpoint(cloud, "AGT1")))
            assert error.kind == "refused_forwarding", error


def test_a_target_that_does_not_answer(cloud: Cloud):
    port = free_port()
    permitted = Path(cloud.hosts["AGT2"].file("permitted"))
    before = permitted.read_text()
    permitted.write_text(f"{LOOPBACK}:{port}\n")
    try:
        target = endpoint(cloud, "LB1", port=port)
        error = _refused(cloud, Route(target=target, relay=endpoint(cloud, "AGT2")))
        assert error.kind == "unreachable", error
    finally:
        permitted.write_text(before)


def test_commands_on_a_relay_fail(cloud: Cloud, ssh):
    for command in ("true", "echo out"):
        ran = ssh("AGT1", command)
        assert (ran.returncode, ran.stdout) == (1, b"")


@pytest.mark.parametrize("at", ["relay", "target"])
def test_another_user_key(cloud: Cloud, tmp_path, at):
    make_key(str(tmp_path / "other"))
    ends = {"relay": "AGT1", "target": "LB1"}
    route = Route(**{
        role: endpoint(cloud, name, **({"key_file": str(tmp_path / "other")} if role == at else {}))
        for role, name in ends.items()
    })  # fmt: skip
    error = _refused(cloud, route)
    assert error.kind == "user_key"
    assert ends[at] in error.hop


@pytest.mark.parametrize("at", ["relay", "target"])
def test_a_host_key_that_is_not_the_expected_one(cloud: Cloud, tmp_path, at):
    other = Trust(pinned=(make_key(str(tmp_path / "other")),))
    ends = {"relay": "AGT1", "target": "LB1"}
    route = Route(**{
        role: endpoint(cloud, name, **({"trust": other} if role == at else {}))
        for role, name in ends.items()
    })  # fmt: skip
    error = _refused(cloud, route)
    assert error.kind == "host_key"
    assert ends[at] in error.hop


def test_ssh_is_refused_with_another_key_and_refuses_another_host(cloud: Cloud, ssh, tmp_path):
    make_key(str(tmp_path / "other"))
    config = Path(cloud.ssh_config).read_text().replace(cloud.user_key, str(tmp_path / "other"))
    (tmp_path / "config").write_text(config)
    ran = subprocess.run(
        ["ssh", "-F", tmp_path / "config", "AGT1", "true"], capture_output=True, check=False
    )
    assert ran.returncode == 255
    assert b"Permission denied (publickey)" in ran.stderr
    known = tmp_path / "known_hosts"
    key = (tmp_path / "other.pub").read_text()
    known.write_text(f"[{LOOPBACK}]:{cloud.hosts['AGT1'].port} {key}")
    ran = ssh("AGT1", "true", "-o", f"UserKnownHostsFile={known}")
    assert ran.returncode == 255
    assert b"HOST IDENTIFICATION HAS CHANGED" in ran.stderr


def test_many_tunnels_at_once_on_one_connection(cloud: Cloud):
    """Tunnels open, carry much and close beside each other, and none of them disturbs another one."""
    relay = paramiko.Transport((LOOPBACK, cloud.hosts["AGT1"].port))
    key = paramiko.Ed25519Key.from_private_key_file(cloud.user_key)
    relay.connect(username="ajs", pkey=key)

    def through(number: int) -> int:
        target = (LOOPBACK, cloud.hosts[AGENT].port)
        tunnel = relay.open_channel("direct-tcpip", target, (LOOPBACK, 0), timeout=LONG_S)
        inner = paramiko.Transport(tunnel)
        try:
            inner.connect(username="ajs", pkey=key)
            channel = inner.open_session()
            channel.exec_command(f"head -c {MIB + number} /dev/zero")
            size = 0
            while data := channel.recv(MIB):
                size += len(data)
            return size - MIB
        finally:
            inner.close()
            tunnel.close()

    try:
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(through, range(16))) == list(range(16))
    finally:
        relay.close()


def test_a_command_goes_on_when_its_relay_is_killed(cloud: Cloud):
    home = Path(cloud.hosts[AGENT].folder)
    with link_to(cloud, AGENT, "AGT1") as link:
        link.stream("echo $$ > pid; trap '' PIPE; until [ -e go ]; do sleep 0.1; done; echo on > went-on",
                    deadline_s=LONG_S)  # fmt: skip
        pid = int(until(lambda: _text(home / "pid"), "the command"))
        cloud.kill("AGT1")
        until(lambda: link.ended, "the end of the link")
        assert link.ended is not None
        assert link.ended.kind == "closed"
    assert cloud.pid("AGT1") is None
    error = _refused(cloud, Route(target=endpoint(cloud, AGENT), relay=endpoint(cloud, "AGT1")))
    assert error.kind == "unreachable"
    assert pid in running_in(cloud.folder)
    with link_to(cloud, AGENT, "AGT2") as link:
        assert link.call(f"kill -0 {pid}", deadline_s=LONG_S).exit_status == 0
        link.call("touch go", deadline_s=LONG_S)
    until(lambda: _text(home / "went-on"), "it goes on")
    cloud.restart("AGT1")
    with link_to(cloud, AGENT, "AGT1") as link:
        assert link.call("cat went-on", deadline_s=LONG_S).out == b"on\n"


def _refused(cloud: Cloud, route: Route) -> LinkError:
    with pytest.raises(LinkError) as caught:
        SshLinks(SystemClock("UTC")).open(route, now=NOW, deadline_s=LONG_S)
    return caught.value


def _log(cloud: Cloud, name: str) -> str:
    return Path(cloud.hosts[name].file("log")).read_text()


def _text(path: Path) -> str | None:
    return path.read_text() or None if path.exists() else None
