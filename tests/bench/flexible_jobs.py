"""Flexible jobs over real OpenSSH servers in network namespaces: one relay agent, four agents, the whole manager.

No-op jobs per second against bare calls of ``true`` over links of the same kind, and against what the agents' helper
does when it is only told to start and asked who has ended; how long after it is due one job begins, and after its end
that is on record; what a manager costs that does nothing but watch long jobs.

    python -m tests.bench.flexible_jobs [LONG [JOBS]]

Both sides keep their links: neither opens one while it is measured. All of it is on this machine, the agents too, so
that the rates say little and their ratio says more; the manager's processor time is its own alone.
"""

from __future__ import annotations

import itertools
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from ajs.clock import SystemClock
from ajs.dispatch.launching import digest
from ajs.dispatch.link import MOST_CHANNELS, Link
from ajs.dispatch.messages import Ended
from ajs.dispatch.protocol import Agent, Answer, Heard, Hello, List, Listed, Request, Start
from ajs.dispatch.ssh.dial import SshLinks
from ajs.runner.remote.books import STARTS
from ajs.runner.remote.desk import HELPER
from ajs.runner.remote.talk import converse
from tests.bed.bed import Bed, missing
from tests.bed.host import RECORDS, USER
from tests.bed.server import POOL
from tests.bed.server import Agent as Host
from tests.dispatch.waiting import until

AGENTS = 4
JOBS = 200
LONG = 1000
PAIRS = 3
SINGLES = 20
WATCH_S = 30
AIM_CORE = 0.03
"""How much of one core watching 1,000 jobs may cost."""
OPEN_S = 30.0
BY_ITSELF_S = 900
"""After so long a long job ends by itself."""
AJS = "import sys; from ajs.cli import main; sys.argv = ['ajs', *sys.argv[1:]]; sys.exit(main())"
STAMP = f'echo "$AJS_ATTEMPT $(date +%s.%N)" >> {RECORDS}/stamps'
RUN = "SELECT MAX(id) FROM generation"
SPENT = f"""
    SELECT MIN(a.placed_utc), MAX(e.at_utc), COUNT(*) FROM attempt AS a
    JOIN event AS e ON e.generation = a.generation AND e.path = a.path AND e.status = 'NORMAL'
    WHERE a.generation = ({RUN})
"""
SINGLE = f"""
    SELECT o.at_utc, e.at_utc FROM operation AS o
    JOIN operation_row AS r ON r.operation = o.id AND r.tbl = 'generation' AND r.before IS NULL
    JOIN event AS e ON e.generation = r.key AND e.path = 'job' AND e.status = 'NORMAL'
    WHERE e.generation = ({RUN})
"""
OPEN = "SELECT COUNT(*) FROM attempt WHERE state <> 'ACKED'"
RUNNING = "SELECT COUNT(*) FROM attempt WHERE state = 'STARTED' AND started_utc IS NOT NULL"


class Manager:
    """A scheduler service whose destination is the bed's load balancer, and its manager."""

    def __init__(self, folder: Path, bed: Bed, jobs: int, long: int) -> None:
        self._folder = folder
        (folder / "agents.yaml").write_text(json.dumps(_agents(bed, max(jobs, long))))
        (folder / "bench.yaml").write_text(json.dumps(_jobnets(jobs, long)))
        self.ajs("init", "s", "--time-zone", "UTC")
        self.ajs("define", "agents.yaml", "bench.yaml")
        self._db = sqlite3.connect(folder / "state" / "s" / "ajs.db")
        words = [sys.executable, "-c", AJS, "start", "--quiet"]
        self._process = subprocess.Popen(words, cwd=folder, stderr=subprocess.DEVNULL)
        until((folder / "state" / "s" / "ajs.sock").exists, "the manager's socket")

    def ajs(self, *arguments: str) -> None:
        """Run a command."""
        words = [sys.executable, "-c", AJS, *arguments]
        done = subprocess.run(
            words, cwd=self._folder, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        if done.returncode:
            raise SystemExit(f"ajs {' '.join(arguments)}: {done.stdout.decode()}")

    def row(self, statement: str) -> tuple[str, ...]:
        """Return the first row that the state has for a statement."""
        found: tuple[str, ...] = self._db.execute(statement).fetchone()
        return found

    def end(self) -> None:
        """Stop the manager; jobs run on."""
        self._process.terminate()
        self._process.wait()
        self._db.close()

    def meet_agents(self) -> None:
        """Run one job, and wait until all agents have been met and can be used."""
        self.ajs("entry", "-n", "-w", "/bench/one")
        look = "SELECT COALESCE((SELECT body FROM fleet), '{\"agents\": []}')"

        def usable() -> bool:
            agents = json.loads(self.row(look)[0])["agents"]
            return sum(not agent[-1] for agent in agents) == AGENTS

        until(usable, f"{AGENTS} agents that can be used")

    def settle(self) -> None:
        """Wait until nothing is left to be done about jobs that have ended."""
        until(lambda: int(self.row(OPEN)[0]) == 0, "all results fetched")

    def cpu_s(self) -> float:
        """Return how much processor time the manager has taken until now."""
        text = Path(f"/proc/{self._process.pid}/stat").read_text()
        fields = text.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def status(self, field: str) -> int:
        """Return a number that the kernel tells about the manager, such as VmRSS."""
        text = Path(f"/proc/{self._process.pid}/status").read_text()
        line = next(line for line in text.splitlines() if line.startswith(f"{field}:"))
        return int(line.split()[1])


def _agents(bed: Bed, limit: int) -> dict[str, object]:
    key = str(bed.keys["user"].path)
    relay = bed.relay(1)
    return {
        "agents": {
            "RELAY": {
                "host": relay.addresses["out"],
                "user": USER,
                "key": key,
                "limit": limit,
                "trust": {"host_keys": relay.host_key},
            }
        },
        "destinations": {
            "CLOUD": {
                "host": bed.lb.addresses["in"],
                "user": USER,
                "key": key,
                "limit": limit,
                "trust": {"host_ca": bed.keys["ca"].public, "principals": POOL},
            }
        },
    }


def _jobnets(jobs: int, long: int) -> dict[str, object]:
    def job(command: str) -> dict[str, str]:
        way = {"type": "flexible", "destination": "CLOUD", "relay": "RELAY"}
        return {**way, "command": command}

    fan = {f"j{number}": job(":") for number in range(jobs)}
    watched = {f"j{number}": job(f"exec sleep {BY_ITSELF_S}") for number in range(long)}
    nets = {"one": {"job": job(STAMP)}, "fan": fan, "long": watched}
    return {"group": "/bench", "jobnets": {name: {"units": units} for name, units in nets.items()}}


@contextmanager
def links(bed: Bed) -> Iterator[list[Link]]:
    """A link to every agent through the relay agent."""
    clock = SystemClock("UTC")
    dial = SshLinks(clock)
    with ExitStack() as stack:

        def opened(agent: Host) -> Link:
            link = dial.open(bed.route(agent), now=clock.now().utc, deadline_s=OPEN_S)
            stack.callback(link.close)
            return link

        yield [opened(agent) for agent in bed.agents]


def bare(kept: Sequence[Link], calls: int) -> float:
    """Return how many calls of ``true`` a second the links carry, each with all its channels in use."""
    turns = itertools.islice(itertools.cycle(kept), calls)
    with ThreadPoolExecutor(len(kept) * MOST_CHANNELS) as threads:
        began = time.perf_counter()
        list(threads.map(lambda link: link.call("true", deadline_s=OPEN_S), turns))
        return calls / (time.perf_counter() - began)


def helped(kept: Sequence[Link], jobs: int, root: str) -> float:
    """Return how many no-op jobs a second the helper runs on all agents when nobody wants to know more than the end."""
    helper = HELPER.read_bytes()

    def ask(link: Link, *requests: Request) -> Heard:
        return converse(link, root, helper, digest(helper), requests, "agent")

    def run(link: Link, agent: Agent) -> None:
        for first in range(0, jobs // AGENTS, STARTS):
            count = min(STARTS, jobs // AGENTS - first)
            ask(link, *(_start(agent, f"bench-{first + number}") for number in range(count)))
        while _ended(ask(link, List()).answers[0]) < jobs // AGENTS:
            time.sleep(0.01)

    agents = [ask(link, Hello()).agent for link in kept]
    with ThreadPoolExecutor(len(kept)) as threads:
        began = time.perf_counter()
        list(threads.map(run, kept, agents))
        return jobs / (time.perf_counter() - began)


def _start(agent: Agent, name: str) -> Start:
    return Start(
        attempt_id=name,
        epoch=agent.epoch,
        boot_id=agent.boot_id,
        not_after=agent.uptime_s + BY_ITSELF_S,
        launch=b":\n",
    )


def _ended(answer: Answer) -> int:
    assert isinstance(answer, Listed), answer
    return sum(isinstance(stands.standing, Ended) for stands in answer.standings.values())


def call_ms(link: Link) -> float:
    """Return how long one call of ``true`` takes, in milliseconds."""
    began = time.perf_counter()
    link.call("true", deadline_s=OPEN_S)
    return 1000 * (time.perf_counter() - began)


def fan(manager: Manager, jobs: int) -> tuple[float, float]:
    """Return how many no-op jobs a second the manager runs, first placed to last on record; and its CPU seconds."""
    before = manager.cpu_s()
    manager.ajs("entry", "-n", "-w", "/bench/fan")
    manager.settle()
    cpu = manager.cpu_s() - before
    placed, ended, count = manager.row(SPENT)
    assert int(count) == jobs, f"{count} of {jobs} jobs have ended normally"
    return jobs / (_utc(ended) - _utc(placed)).total_seconds(), cpu


def single(manager: Manager, bed: Bed) -> tuple[float, float]:
    """Return the milliseconds from registered to begun, and from the job's last act to its end on record."""
    seen = len(_stamps(bed))
    manager.ajs("entry", "-n", "-w", "/bench/one")
    (stamp,) = _stamps(bed)[seen:]
    due, recorded = map(_utc, manager.row(SINGLE))
    manager.settle()
    return 1000 * (stamp - due).total_seconds(), 1000 * (recorded - stamp).total_seconds()


def _stamps(bed: Bed) -> list[datetime]:
    lines = [line for agent in bed.agents for line in agent.records()]
    # In the order in which they were written, whichever agent it was.
    return [datetime.fromtimestamp(at, UTC) for at in sorted(float(x.split()[1]) for x in lines)]


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text)


def spread(name: str, times: Sequence[float], floor: float) -> None:
    """Print the median and the most of so many times."""
    p50 = statistics.median(times)
    print(
        f"  {name:<32} p50 {p50:5.0f} ms  max {max(times):5.0f} ms  of {len(times)};"
        f"  bare call {floor:.0f} ms, ratio {p50 / floor:.1f}"
    )


def watch(manager: Manager, jobs: int) -> None:
    """Print what it costs the manager to watch so many long jobs."""
    began = time.perf_counter()
    manager.ajs("entry", "-n", "/bench/long")
    until(lambda: int(manager.row(RUNNING)[0]) >= jobs, f"{jobs} long jobs running")
    started_s = time.perf_counter() - began
    time.sleep(5)  # what the starts have left behind is over
    before, began = manager.cpu_s(), time.perf_counter()
    time.sleep(WATCH_S)
    share = (manager.cpu_s() - before) / (time.perf_counter() - began)
    print(
        f"{jobs} long jobs on {AGENTS} agents, {started_s:.0f} s until all were on record as running\n"
        f"  manager: {100 * share:.1f} % of a core over {WATCH_S} s (aim for 1,000: {100 * AIM_CORE:.0f} %),"
        f" {manager.status('Threads')} threads, {manager.status('VmRSS') / 1024:.0f} MB"
    )


def main() -> None:
    """Make the bed, and print the three tables."""
    if why := missing():
        print(f"skipped: no test bed of namespaces here: {why}")
        return
    long = int(sys.argv[1]) if len(sys.argv) > 1 else LONG
    jobs = int(sys.argv[2]) if len(sys.argv) > 2 else JOBS
    os.environ.pop("SSH_AUTH_SOCK", None)
    with (
        tempfile.TemporaryDirectory() as made,
        Bed(Path(made), agents=AGENTS, relays=1) as bed,
        links(bed) as kept,
    ):
        folder = Path(made, "manager")
        folder.mkdir()
        manager = Manager(folder, bed, jobs, long)
        try:
            manager.meet_agents()
            print(f"fan of {jobs} no-op jobs, {AGENTS} agents, one relay agent")
            print(
                "bare calls/s  helper jobs/s  jobs/s  calls/jobs  helper/jobs  manager cpu ms/job"
            )
            for turn in range(PAIRS):
                calls = bare(kept, 2 * jobs)
                helper = helped(kept, jobs, f"~/bench{turn}")
                rate, cpu = fan(manager, jobs)
                print(
                    f"{calls:12.0f}  {helper:13.0f}  {rate:6.0f}  {calls / rate:10.1f}"
                    f"  {helper / rate:11.1f}  {1000 * cpu / jobs:18.1f}"
                )
            times = [single(manager, bed) for _ in range(SINGLES)]
            floor = statistics.median(call_ms(kept[0]) for _ in range(SINGLES))
            print("one job")
            spread("from registered to begun", [begun for begun, _ in times], floor)
            spread("from its end to that on record", [ended for _, ended in times], floor)
            watch(manager, long)
        finally:
            manager.end()


if __name__ == "__main__":
    main()
