"""How much a cold ``ajsshow /one/jobnet`` costs beside the least that any such command can cost.

Among 10,000 stored and registered jobnets, one process shows one of them. The floor is a process of the same Python
that imports click and sqlite3 and asks the same database one question. Pairs alternate; medians are compared, of the
time that passed and of the processor's time.

    python -m tests.bench.cold_show [JOBNETS [PAIRS]]
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from ajs import config
from ajs.model import Job, Jobnet, RootDefinition
from ajs.moment import Moment
from ajs.plan import Generation, Method, Registration, RootPlan
from ajs.rules import Rule
from ajs.schedule import Slot, Tie
from ajs.store import log, plans
from ajs.store.create import create
from ajs.store.define import apply_definitions
from ajs.store.plans import PlanChange

JOBNETS = 10_000
PAIRS = 60
AIM = 1.3
UNIT = "/group050/net050"
NOW = Moment(datetime(2026, 8, 11, 10, 0), datetime(2026, 8, 11, 1, 0, tzinfo=UTC))

SHOW = "import sys; sys.argv = ['ajsshow', '{unit}']; from ajs.cli import main; sys.exit(main())"
FLOOR = (
    "import click, sqlite3; db = sqlite3.connect('{file}');"
    " click.echo(db.execute('SELECT status, start FROM generation AS g JOIN unit AS u ON u.id = g.root"
    " WHERE path = ?', ('{unit}',)).fetchone())"
)


def main() -> int:
    """Build the state, measure, print."""
    jobnets = int(sys.argv[1]) if len(sys.argv) > 1 else JOBNETS
    pairs = int(sys.argv[2]) if len(sys.argv) > 2 else PAIRS
    with tempfile.TemporaryDirectory() as folder:
        settings = config.Service("main", f"{folder}/state", "Asia/Tokyo", "24h")
        _build(settings, jobnets)
        config.add_service(f"{folder}/ajs.toml", settings)
        show = SHOW.format(unit=UNIT)
        floor = FLOOR.format(unit=UNIT, file=f"{settings.folder}/ajs.db")
        for code in (show, floor):
            _cost(code, folder)
        costs = [(_cost(show, folder), _cost(floor, folder)) for _ in range(pairs)]
    print(f"ajsshow {UNIT} among {jobnets} jobnets, {pairs} pairs, medians")
    for at, name in enumerate(("time passed", "processor")):
        ours = statistics.median(pair[0][at] for pair in costs)
        least = statistics.median(pair[1][at] for pair in costs)
        print(
            f"  {name:<12} {ours * 1000:6.1f} ms  floor {least * 1000:6.1f} ms"
            f"  ratio {ours / least:.2f} (aim {AIM})"
        )
    return 0


def _build(settings: config.Service, count: int) -> None:
    jobs = tuple(Job(name=name, command="true") for name in ("collect", "total", "report"))
    names = [f"/group{n // 100:03}/net{n % 100:03}" for n in range(count)]
    roots = [
        RootDefinition(path, Jobnet(name=path.rpartition("/")[2], rules=(Rule(),), units=jobs))
        for path in names
    ]
    slot = Slot(datetime(2026, 8, 11, 22, 0), NOW.wall.date())
    plan = RootPlan(
        registration=Registration(method=Method.PLANNED, registered=NOW.wall),
        generations=(
            Generation(
                method=Method.PLANNED, slot=slot, original=slot, ties=(Tie(1, slot.exec_date),)
            ),
        ),
    )
    with (
        create(settings.folder, name="main", at=NOW, by_version="0") as store,
        store.write() as tx,
    ):
        operation = log.begin(tx, NOW, os_user="bench", verb="define", command=["bench"])
        apply_definitions(tx, (), roots, (), operation)
        ids = [row[0] for row in tx.rows("SELECT id FROM unit WHERE kind = 'root' ORDER BY path")]
        plans.save_plans(tx, [PlanChange(number, None, plan) for number in ids], operation)


def _cost(code: str, home: str) -> tuple[float, float]:
    """Run one process and return the seconds that passed, and those of the processor."""
    # An installed package is compiled; here both sides get their compiled modules from a place of their own.
    environment = {**os.environ, "AJS_HOME": home, "PYTHONPYCACHEPREFIX": f"{home}/compiled"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.DEVNULL,
        env=environment,
        cwd=Path(__file__).resolve().parents[2],
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    passed = time.perf_counter() - began
    if process.returncode:
        raise SystemExit(f"the process ended with {process.returncode}")
    return passed, usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    sys.exit(main())
