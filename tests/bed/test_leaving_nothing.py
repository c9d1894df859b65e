"""Beds side by side, and what is left of one: nothing, however it ended."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bed import bed as beds
from tests.bed.bed import Bed, missing, require_bed
from tests.bed.client import reached
from tests.bed.site import INTERFACE, run
from tests.dispatch.waiting import until
from tests.ssh.servers import below, parents

PROGRAM = """\
import os, signal, sys
from pathlib import Path
from tests.bed.bed import Bed
with Bed(Path(sys.argv[1])) as bed:
    print(bed.site.number, flush=True)
    signal.pause()
"""
MOUNTED = re.compile("/(mnt|run|run/netns.*|home|home/jobs|tmp|etc/passwd|usr/bin/date)$")
HOST = re.compile(r"(relay|agent|lb)\d*$")


def ours() -> list[str]:
    """Whatever a bed could leave in our own namespace: where it mounts things, and networks named as its hosts are."""
    places = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    names = run("ip", "netns", "list").stdout.split()
    return [
        *(place for place in places if MOUNTED.match(place)),
        *(n for n in names if HOST.match(n)),
    ]


def is_there(bed: Bed) -> bool:
    return os.path.exists(f"/sys/class/net/{INTERFACE}{bed.site.number}")


def test_two_beds_at_once(tmp_path):
    require_bed()
    with Bed(tmp_path / "one", agents=1) as one, Bed(tmp_path / "two", agents=1) as two:
        assert one.site.number != two.site.number
        one.relay(1).kill()
        assert reached(two, times=1) == ["agent1"]
        assert reached(one, times=1, relay=2) == ["agent1"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, None])
def test_nothing_is_left_of_a_bed(tmp_path, error):
    require_bed()
    before, started = ours(), below(os.getpid())
    bed = Bed(tmp_path, agents=1)
    processes: set[int] = set()

    def use():
        nonlocal processes
        with bed:
            processes = below(os.getpid()) - started
            assert is_there(bed)
            assert ours() == before
            if error:
                raise error

    if error:
        with pytest.raises(error):
            use()
    else:
        use()
    assert len(processes) > 10
    assert not processes & set(parents())
    assert ours() == before
    assert not is_there(bed)


def test_nothing_is_left_of_a_bed_that_could_not_be_made(tmp_path, monkeypatch):
    require_bed()
    before, started = ours(), below(os.getpid())
    bed = Bed(tmp_path, agents=1, agent_options=("NoSuchOption yes",))
    with pytest.raises(AssertionError, match="NoSuchOption"), bed:
        pass
    assert not below(os.getpid()) - started
    assert ours() == before
    assert not is_there(bed)


def test_nothing_is_left_of_a_bed_whose_process_was_killed(tmp_path, project):
    require_bed()
    before = ours()
    command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    with subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE) as maker:
        assert maker.stdout is not None
        interface = f"/sys/class/net/{INTERFACE}{int(maker.stdout.readline())}"
        processes = below(maker.pid)
        assert len(processes) > 10
        assert os.path.exists(interface)
        maker.kill()
        maker.wait()
    until(lambda: not processes & set(parents()), "no processes")
    until(lambda: not os.path.exists(interface), "no interface")
    assert ours() == before


def test_a_left_over_interface_is_removed(tmp_path, monkeypatch):
    require_bed()
    with Bed(tmp_path / "first", agents=0) as bed:
        number = bed.site.number
    run("ip", "link", "add", f"{INTERFACE}{number}", "type", "veth", "peer", "name", "ajsleft")
    monkeypatch.setattr("tests.bed.site.NUMBERS", [number])
    with Bed(tmp_path / "second", agents=1) as bed:
        assert reached(bed, times=1) == ["agent1"]
    assert not is_there(bed)
    assert not os.path.exists("/sys/class/net/ajsleft")


# -- where no bed can be made --


@pytest.fixture
def asked_anew():
    """Lets the question be asked anew, and forgets the answer afterwards."""
    missing.cache_clear()
    yield
    missing.cache_clear()


def test_whoever_is_not_root_is_told_so(monkeypatch, asked_anew):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(
        pytest.skip.Exception, match="no test bed of namespaces here: we are not root"
    ):
        require_bed()


def test_a_tool_that_is_not_there_is_named(monkeypatch, asked_anew):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(beds, "TOOLS", ("sh", "no-such-tool", "nor-this"))
    with pytest.raises(pytest.skip.Exception, match="not installed: no-such-tool, nor-this"):
        require_bed()


def test_a_system_that_makes_no_namespaces_is_quoted(monkeypatch, asked_anew):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(beds, "TOOLS", ())
    monkeypatch.setattr(beds, "PROBE", ("sh", "-c", "echo not here >&2; exit 1"))
    with pytest.raises(pytest.skip.Exception, match="not here"):
        require_bed()
