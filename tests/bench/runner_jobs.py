"""No-op jobs through the whole manager, against bare processes and as many durable commits on the same machine.

A fan of jobs gives jobs per second, a chain the latency of one hop: end of a job noticed, stored, next one started.
The floor spawns the same shell as often, one after the other, and makes as many durable SQLite commits as the manager
did. The manager's own cpu time tells more than the rest where the machine has other things to do.

Run it as ``PYTHONPATH=. python tests/bench/runner_jobs.py [JOBS]``; it prints rates and ratios.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ajs import config
from ajs.clock import SystemClock
from ajs.model import Job, Jobnet, RootDefinition
from ajs.operations.service import Service
from ajs.plan import Generation, Method, Registration, RootPlan
from ajs.runner.serve import Setting, Viewers, serve
from ajs.schedule import Slot
from ajs.store import log, plans, show, units
from ajs.store.create import create
from ajs.store.database import Store, Writing, connect
from ajs.store.define import apply_definitions
from ajs.store.folder import database

CHAIN = 200
LIMITS = (1, 8, 32)


class CountingStore(Store):
    """A store that counts its transactions that write."""

    writes = 0

    def write(self) -> Writing:
        self.writes += 1
        return super().write()


@contextmanager
def service(jobnet: Jobnet) -> Iterator[tuple[Service, CountingStore]]:
    """A new scheduler service in which this root jobnet is due."""
    with tempfile.TemporaryDirectory() as home:
        folder = str(Path(home, "state"))
        clock = SystemClock("UTC")
        now = clock.now()
        create(folder, name="bench", at=now, by_version="bench").close()
        with CountingStore(folder, connect(database(folder))) as store:
            with store.write() as tx:
                operation = log.begin(
                    tx, now, os_user="bench", verb="define", command=["bench"], reason=""
                )
                apply_definitions(tx, [], [RootDefinition("/bench", jobnet)], [], operation)
                root = units.find(tx, "/bench")[0]
                slot = Slot(now.wall, now.wall.date())
                run = Generation(method=Method.IMMEDIATE, slot=slot, original=slot)
                plan = RootPlan(
                    registration=Registration(method=Method.IMMEDIATE, registered=now.wall),
                    generations=(run,),
                )
                plans.save_plan(tx, root.id, None, plan, operation)
            settings = config.Service("bench", folder, "UTC", "24h")
            yield Service(settings, f"{home}/ajs.toml", store), store


def managed(jobnet: Jobnet, limit: int) -> tuple[float, float, int]:
    """Return the seconds that a manager needs for the jobnet, its cpu seconds, and how many commits it makes."""
    with service(jobnet) as (found, store):
        setting = Setting(
            service=found.name,
            home=found.home,
            folder=found.folder,
            store=store,
            clock=SystemClock("UTC"),
            mode=found.mode,
            keep_fates_days=found.keep_fates_days,
        )
        viewers = Viewers(begun=lambda: None, happened=lambda _: None, trouble=print)
        before = store.writes
        began, cpu = time.perf_counter(), time.process_time()
        serve(setting, viewers, until_idle=True, limit=limit)
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        with store.read() as tx:
            (ended,) = show.generations(tx)
            assert ended.status == "NORMAL", ended.status
        return seconds, cpu, store.writes - before


def floor(jobs: int, commits: int, at_once: int) -> float:
    """Return the seconds that bare processes and durable commits need, nothing else done."""
    with tempfile.TemporaryDirectory() as folder:
        db = sqlite3.connect(f"{folder}/floor.db", isolation_level=None)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER)")
        began = time.perf_counter()
        alive = committed = 0
        for number in range(jobs):
            while committed * jobs <= number * commits:
                db.execute("BEGIN IMMEDIATE")
                db.execute("INSERT INTO t (n) VALUES (?)", (committed,))
                db.execute("COMMIT")
                committed += 1
            if alive == at_once:
                os.wait()
                alive -= 1
            os.posix_spawn("/bin/sh", ["/bin/sh", "-c", ":"], {})
            alive += 1
        for _ in range(alive):
            os.wait()
        seconds = time.perf_counter() - began
        db.close()
        return seconds


def main() -> None:
    """Print the two tables."""
    jobs = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    fan = Jobnet(name="bench", units=tuple(Job(name=f"j{n}", command=":") for n in range(jobs)))
    print(f"fan of {jobs}")
    print("at once  floor jobs/s  manager jobs/s  ratio  commits  manager cpu ms/job")
    for limit in LIMITS:
        seconds, cpu, commits = managed(fan, limit)
        bare = floor(jobs, commits, limit)
        print(
            f"{limit:7}  {jobs / bare:12.0f}  {jobs / seconds:14.0f}  {seconds / bare:5.1f}"
            f"  {commits:7}  {1000 * cpu / jobs:18.1f}"
        )
    after = [(), *((f"j{n}",) for n in range(CHAIN - 1))]
    chain = Jobnet(
        name="bench",
        units=tuple(Job(name=f"j{n}", after=after[n], command=":") for n in range(CHAIN)),
    )
    seconds, cpu, commits = managed(chain, 8)
    bare = floor(CHAIN, commits, 1)
    print(f"chain of {CHAIN}")
    print("         floor ms/hop  manager ms/hop  ratio  commits  manager cpu ms/hop")
    print(
        f"         {1000 * bare / CHAIN:12.1f}  {1000 * seconds / CHAIN:14.1f}  {seconds / bare:5.1f}"
        f"  {commits:7}  {1000 * cpu / CHAIN:18.1f}"
    )


if __name__ == "__main__":
    main()
