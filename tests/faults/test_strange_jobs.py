"""Flexible jobs and agents that are unusual, and all in order: the jobs run once and as they would on this machine."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from ajs.dispatch.messages import Stream
from tests.bed.bed import Bed
from tests.dispatch.waiting import until
from tests.faults.kit import (
    BEGIN,
    FLEXIBLE,
    Department,
    agents_of,
    go,
    job,
    lines,
    login_shell,
    says,
    script,
    started,
)

HUNDRED_MB = 100 * 1024 * 1024

# -- texts --

TEXT = 'it\'s "so",  two\nlines\ttab 日本語 $HOME `id` \\n \\ %s ! * ~ ;&|<>(){}[]#=-'
SHOWS = '#!/bin/sh\nprintf \'<%s>\' "$@" "$TEXT"\n'
COMMANDS: dict[str, dict[str, str]] = {
    "quotes": {"command": """printf '<%s>' it\\'s "say \\"hi\\"" 'a  b' "" '$HOME' "\\\\" '%s'"""},
    "lines": {"command": "printf '<%s>' 'one\ntwo'\nprintf '<%s>' \"three\n\nfour\""},
    "here": {"command": "cat <<'END'\n$HOME 'and' \"`id`\"\nEND\necho after"},
    "japanese": {"command": "printf '<%s>' 日本語 '売上 集計' \"$TEXT\" # 終わり"},
    "parameters": {"script": "shows.sh", "parameters": """it\\'s "a  b" '日本語 $HOME' "" \\*"""},
    "no-shell-line": {"script": "plain", "parameters": "x"},
    "empty": {"command": 'printf \'<%s>\' "$EMPTY" "${EMPTY-unset}"'},
}


def test_texts_arrive_as_they_would_here(lone: Bed, department: Department):
    folder = department.place.folder
    (folder / "shows.sh").write_text(SHOWS)
    (folder / "plain").write_text('printf \'<%s>\' "$TEXT" "$1"\n')
    units: dict[str, dict[str, Any]] = {}
    for name, fields in COMMANDS.items():
        units[f"{name}-here"] = fields | {"environment": {"TEXT": TEXT, "EMPTY": ""}}
        units[f"{name}-there"] = FLEXIBLE | units[f"{name}-here"]
    department.net(**units)
    department.manager()
    assert department.ended() == "NORMAL"
    for name in COMMANDS:
        there, here = (department.wrote(f"{name}-{where}") for where in ("there", "here"))
        assert there == here
        assert here[Stream.OUT]


# -- sizes --


def test_a_large_script(lone: Bed, department: Department):
    """It arrives byte for byte, also what no text is."""
    text = f'#!/bin/sh\n{BEGIN}; sha256sum < "$0"; exit\n'.encode() + bytes(range(256)) * 4096
    (department.place.folder / "large").write_bytes(text)
    department.net(work=script("large"))
    department.manager()
    assert department.ended() == "NORMAL"
    assert department.output("net/work") == (f"{sha256(text).hexdigest()}  -\n", "")
    assert started(lone) == {"work": 1}


def test_a_hundred_megabytes_of_output(lone: Bed, department: Department):
    """Another job on the same agent does not wait for them."""
    agents = agents_of(lone)
    agents["destinations"]["LB1"]["job_folder"] = "/tmp/jobs"  # noqa: S108 - of the agent, with more room
    department.define(agents)
    writes = f"{BEGIN}; yes 売 | head -c {HUNDRED_MB}"
    department.net(work=job(writes), beside=job(says(wait=False)))
    department.manager()
    assert department.ended() == "NORMAL"
    (attempt,) = department.show("/day/net/work")["/day/net/work"]["attempts"]
    assert attempt["stdout_bytes"] == HUNDRED_MB
    out, _ = department.output("net/work")
    line = "売\n"
    assert out == line * (HUNDRED_MB // len(line.encode()))
    assert started(lone) == {"work": 1, "beside": 1}


# -- agents --


@pytest.mark.parametrize("ahead_s", [3600, -3600])
def test_the_clock_of_the_agent_is_wrong(lone: Bed, department: Department, ahead_s):
    lone.agent(1).set_clock(ahead_s)
    department.net(work=job(says(wait=False)))
    department.manager()
    assert department.ended() == "NORMAL"
    (attempt,) = department.show("/day/net/work")["/day/net/work"]["attempts"]
    placed, began, ended = (
        datetime.fromisoformat(attempt[name]) for name in ("placed", "started", "ended")
    )
    assert abs(began - placed) < timedelta(minutes=10)
    assert began <= ended < placed + timedelta(minutes=10)
    department.check()


@pytest.mark.parametrize("rc", ["echo hello; echo oops >&2", "printf 'no end of line'", "set -u"])
def test_the_login_files_of_the_account_print(lone: Bed, department: Department, rc):
    login_shell(lone.agent(1), rc)
    department.net(work=job(says(wait=False)))
    department.manager()
    assert department.ended() == "NORMAL"
    assert started(lone) == {"work": 1}
    department.check()


# -- relays --


@pytest.mark.parametrize("how", ["another host key", "no forwarding", "off", "silent"])
def test_one_of_the_relays_cannot_be_used(bed: Bed, department: Department, how):
    """The job goes through the other one."""
    agents = agents_of(bed)
    if how == "another host key":
        agents["agents"]["AGT1"]["trust"] = {"host_keys": [bed.keys["other"].public]}
    elif how == "no forwarding":
        bed.relay(1).configure("AllowTcpForwarding no")
    elif how == "off":
        bed.relay(1).kill()
    else:
        bed.relay(1).drop()
    department.define(agents)
    department.net(work=job(says(wait=False)))
    department.manager()
    assert department.ended() == "NORMAL"
    assert started(bed) == {"work": 1}
    (attempt,) = department.show("/day/net/work")["/day/net/work"]["attempts"]
    assert attempt["agent"]["relay"] == "AGT2"
    department.check()


# -- secrets --

SECRET = "correct-horse-battery-staple-4711"  # noqa: S105 - made up


def test_nothing_secret_is_shown_to_others(bed: Bed, department: Department):
    """Not by any process of any host while the job starts, runs and ends, nor by what the manager writes."""
    secrets = {SECRET, *private_lines(bed)}
    department.net(
        work=job(says(between='[ -n "$PASSWORD" ]'), environment={"PASSWORD": SECRET}),
    )
    department.manager()
    until(lambda: nowhere(secrets) and started(bed), "begun")
    department.becomes("RUNNING", "work")
    nowhere(secrets)
    go(bed)
    until(lambda: nowhere(secrets) and lines(bed, "ends"), "ended")
    assert department.ended() == "NORMAL"
    nowhere(secrets)
    written = [department.log, *department.place.state.rglob("*")]
    for file in (one for one in written if one.is_file()):
        content = file.read_bytes()
        assert not any(line.encode() in content for line in private_lines(bed)), file
    assert SECRET not in department.log.read_text()
    assert SECRET not in department.why("net/work")
    assert SECRET not in str(department.show())


def private_lines(bed: Bed) -> list[str]:
    """The lines of the private key that we log in with."""
    text = bed.keys["user"].path.read_text()
    return [line for line in text.splitlines() if not line.startswith("-----")]


def nowhere(secrets: set[str]) -> bool:
    """Look at the command line of every process of this machine, those of the bed among them."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            said = path.read_bytes().decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        assert not any(secret in said for secret in secrets), said
    return True
