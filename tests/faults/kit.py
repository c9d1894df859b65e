"""A department whose flexible jobs run in the test bed: its home folder, commands and managers, and what agents say.

What the agents say is in files of their own that no fault removes: every job writes the name of its attempt there when
it begins, waits for the word to go on, and writes its name once more when it ends.
"""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ajs.dispatch.messages import Stream
from ajs.operations.output import Wanted, output
from ajs.operations.targets import Name
from tests.bed.bed import Bed
from tests.bed.host import RECORDS, USER, Host
from tests.bed.server import POOL, Relay
from tests.bed.server import Agent as AgentHost
from tests.crash.kit import Place
from tests.dispatch.waiting import until

RELAYS = ("AGT1", "AGT2")
BEGIN = f'echo "$AJS_ATTEMPT $AJSJOBNAME" >> {RECORDS}/starts'
END = f'echo "$AJS_ATTEMPT $AJSJOBNAME" >> {RECORDS}/ends'
WAIT = f"until [ -e {RECORDS}/go ] || [ -e {RECORDS}/go.${{AJSJOBNAME##*/}} ]; do sleep 0.05; done"
WITH_RESULT = {"NORMAL", "WARNING", "ABNORMAL"}


def says(code: int = 0, *, wait: bool = True, between: str = "") -> str:
    """The command of a job that waits for the word to go on, says who it is, and ends with this return code."""
    parts = [BEGIN, *([WAIT] if wait else []), *([between] if between else [])]
    return "; ".join([*parts, 'echo "I am $AJSJOBNAME"', END, f"exit {code}"])


FLEXIBLE = {"type": "flexible", "destination": "LB1", "relay": "RELAYS"}


def job(command: str, **other: Any) -> dict[str, Any]:
    """A flexible job that is a command line."""
    return FLEXIBLE | {"command": command} | other


def script(file: str, **other: Any) -> dict[str, Any]:
    """A flexible job that is a file beside the definition."""
    return FLEXIBLE | {"script": file} | other


def agents_of(bed: Bed, *, limit: int = 100) -> dict[str, Any]:
    """What agents.yaml says of the bed: relay agents AGT1 and AGT2 in the group RELAYS, destination LB1.

    ``limit`` is how many jobs each agent takes; whoever wants them spread gives a low one.
    """
    user = {"user": USER, "key": str(bed.keys["user"].path)}

    def relay(host: Relay) -> dict[str, Any]:
        trust = {"host_keys": [host.host_key]}
        return {"host": host.addresses["out"], **user, "trust": trust, "limit": 100}

    named = dict(zip(RELAYS, bed.relays, strict=True))
    trust = {"host_ca": [bed.keys["ca"].public], "principals": [POOL]}
    balancer = {"host": bed.lb.addresses["in"], **user, "trust": trust, "limit": limit}
    return {
        "agents": {name: relay(host) for name, host in named.items()},
        "agent_groups": {"RELAYS": {"members": list(named)}},
        "destinations": {"LB1": balancer},
    }


class Department:
    """A home folder with a scheduler service, in which all jobs lie below ``/day``."""

    def __init__(self, folder: Path, bed: Bed, agents: Mapping[str, Any] | None = None) -> None:
        folder.mkdir()
        self.bed = bed
        self.place = Place(folder)
        self.log = folder / "manager.log"
        self._managers: list[subprocess.Popen[str]] = []
        self.define(agents or agents_of(bed))

    # -- commands --

    def define(self, content: Mapping[str, Any]) -> None:
        """Load definitions; what is JSON is YAML."""
        self.place.define(json.dumps(content, ensure_ascii=False))

    def net(self, name: str = "net", /, **units: Mapping[str, Any]) -> None:
        """Define a jobnet below ``/day`` and register it for immediate execution."""
        self.define({"group": "/day", "jobnets": {name: {"units": units}}})
        self.place.run("ajsentry", "-n", f"/day/{name}")

    def manager(self) -> subprocess.Popen[str]:
        """Begin a manager and wait until it says that it runs; what it says is in ``log``."""
        before = self._times_begun()
        with self.log.open("a") as log:
            process = self.place.start("ajsstart", to=log)
        self._managers.append(process)
        until(lambda: self._times_begun() > before, f"a manager: {self.log}")
        return process

    def _times_begun(self) -> int:
        return self.log.read_text().count("runs, process") if self.log.exists() else 0

    def kill_manager(self) -> None:
        """Kill the manager."""
        process = self._managers.pop()
        process.kill()
        process.wait()

    def end(self) -> None:
        """End all managers."""
        while self._managers:
            self.kill_manager()

    def show(self, unit: str = "/day") -> dict[str, dict[str, Any]]:
        """What ``ajsshow -l`` says for machines of the newest run of each unit there and below, by full name."""
        out, _ = self.place.run("ajsshow", "-l", "-R", "--format", "json", unit)
        return {one["unit"]: one for one in json.loads(out)["units"]}

    def why(self, unit: str) -> str:
        """What ``ajs why`` says."""
        return self.place.run("ajs why", f"/day/{unit}")[0]

    def output(self, unit: str) -> tuple[str, str]:
        """What ``ajs output`` writes once all of it is here."""
        return self.place.run("ajs output", "--follow", f"/day/{unit}")

    # -- how it goes --

    def statuses(self, net: str = "net") -> dict[str, tuple[str, int | None]]:
        """Status and return code of every unit below a jobnet, by relative path."""
        return {p: found for p, found in self.place.units(f"/day/{net}").items() if p}

    def becomes(self, status: str, *jobs: str, net: str = "net") -> None:
        """Wait until these jobs have this status."""
        for name in jobs:
            until(partial(self._is, net, name, status), f"{name} {status}: {self.log}")

    def _is(self, net: str, name: str, status: str) -> bool:
        return self.statuses(net).get(name, ("", None))[0] == status

    def ended(self, net: str = "net") -> str:
        """Wait until a jobnet has ended, and return its status."""
        over = WITH_RESULT | {"KILL", "INTERRUPT"}

        def look() -> str | None:
            status, _ = self.place.units(f"/day/{net}").get("", ("", None))
            return status if status in over else None

        return until(look, f"{net} ended: {self.log}")

    def check(self, net: str = "net") -> None:
        """Every job that is said to have ended has ended once on one agent, and what it wrote is here."""
        once(self.bed)
        ends = Counter(name for _, name in lines(self.bed, "ends"))
        for path, (status, _) in self.statuses(net).items():
            full = f"/day/{net}/{path}"
            if status in WITH_RESULT:
                assert ends[full] == 1, (full, status)
                assert self.wrote(path, net) == {Stream.OUT: f"I am {full}\n".encode()}

    def wrote(self, path: str, net: str = "net") -> dict[Stream, bytes]:
        """What a job has written, once all of it is here."""
        wanted = Wanted(name=Name("", f"/day/{net}/{path}", ""))
        found: dict[Stream, bytes] = {}
        with self.place.open() as service:
            for piece in output(service, wanted, follow=True):
                found[piece.stream] = found.get(piece.stream, b"") + piece.content
        return found


# -- what agents have on record --


def lines(bed: Bed, file: str) -> list[tuple[str, str]]:
    """What jobs wrote into a file of records, on all agents: the names of attempt and job."""
    found = []
    for agent in bed.agents:
        path = agent.folder / "records" / file
        if path.exists():
            whole = [x for x in path.read_text().splitlines(keepends=True) if x.endswith("\n")]
            found += [(x.split()[0], x.split()[1]) for x in whole]
    return found


def once(bed: Bed) -> None:
    """Every attempt that was ever started on any agent was started once."""
    twice = {name: n for name, n in Counter(lines(bed, "starts")).items() if n > 1}
    assert not twice


def started(bed: Bed) -> Counter[str]:
    """How often each job was started, by the last part of its name."""
    return Counter(name.rpartition("/")[2] for _, name in lines(bed, "starts"))


def begun(bed: Bed, *jobs: str) -> None:
    """Wait until these jobs have been started, by what they wrote on an agent."""
    until(lambda: set(jobs) <= set(started(bed)), f"{jobs} begun")


def on(agent: AgentHost) -> list[str]:
    """The jobs that were started on an agent, in order."""
    path = agent.folder / "records" / "starts"
    return [x.rpartition("/")[2] for x in path.read_text().splitlines()] if path.exists() else []


def go(bed: Bed, *jobs: str) -> None:
    """Let these jobs go on, or all of them."""
    for agent in bed.agents:
        for name in [f"go.{one}" for one in jobs] or ["go"]:
            (agent.folder / "records" / name).touch()


def job_folder(agent: AgentHost) -> Path:
    """The folder of the only attempt on an agent."""
    (folder,) = (agent.home / ".ajs" / "jobs").iterdir()
    return folder


def login_shell(agent: AgentHost, rc: str) -> None:
    """Let the account of jobs have bash, and this in its ~/.bashrc."""
    passwd = (agent.folder / "passwd").read_text()
    agent.write("passwd", passwd.replace("/home/jobs:/bin/sh", "/home/jobs:/bin/bash"))
    (agent.home / ".bashrc").write_text(f"{rc}\n")


# -- stopping a host in the middle --

_WIRE = """\
#!/bin/sh
case "$*" in
{pattern})
    if rmdir {folder}/armed 2> /dev/null; then
        echo "$PPID" > {folder}/at.new
        mv {folder}/at.new {folder}/at
        until [ -e {folder}/on ]; do sleep 0.02; done
    fi ;;
esac
exec /run/real-{tool} "$@"
"""


class Wire:
    """A trip wire before a tool of a host: the first who calls it with arguments of a pattern stands there until freed.

    So the helper on an agent, which is a shell script, is caught at any line that starts a process.
    """

    def __init__(self, host: Host, tool: str, pattern: str) -> None:
        self._host = host
        self._folder = host.folder / "wire"
        self._folder.mkdir()
        self._folder.chmod(0o777)
        (self._folder / "armed").mkdir()
        text = _WIRE.format(pattern=pattern.replace(" ", r"\ "), tool=tool, folder="/run/bed/wire")
        host.write(f"wire-{tool}", text, mode=0o755)
        real = f"/run/real-{tool}"
        script = f"true > {real}; mount --bind /usr/bin/{tool} {real}; "
        host.run("sh", "-euc", f"{script} mount --bind /run/bed/wire-{tool} /usr/bin/{tool}")

    def reached(self) -> None:
        """Wait until somebody stands there."""
        until((self._folder / "at").exists, f"{self._host} at the wire")

    def free(self) -> None:
        """Let who stands there go on."""
        (self._folder / "on").touch()

    def kill(self) -> None:
        """Kill the one who stands there, the process that called the tool."""
        pid = (self._folder / "at").read_text().strip()
        self._host.run("kill", "-KILL", pid)
        self.free()
