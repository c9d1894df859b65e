"""What the tests of the store share: a moment, small definitions, plans, and other processes."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from ajs.agents import Agent, AgentGroup, Agents, Destination, Member, Trust
from ajs.model import Job, JobGroup, Jobnet, RootDefinition, Script
from ajs.moment import Moment
from ajs.plan import Generation, Method, Registration, RootPlan
from ajs.schedule import Slot, Tie
from ajs.store import log, plans, units
from ajs.store.create import create
from ajs.store.database import APPLICATION_ID, Store, Writing
from ajs.store.define import Defined, apply_definitions
from ajs.store.folder import database

DAY = date(2026, 8, 11)


def at(wall: str = "2026-08-11T12:00:00") -> Moment:
    """A moment in Tokyo."""
    local = datetime.fromisoformat(wall)
    return Moment(local, (local - timedelta(hours=9)).replace(tzinfo=UTC))


def slot(start: str, day: str = "") -> Slot:
    return Slot(datetime.fromisoformat(start), date.fromisoformat(day or start[:10]))


def new_store(folder: Path | str) -> Store:
    return create(str(folder), name="main", at=at(), by_version="0.1.0")


def begin(tx: Writing, verb: str = "plan", undoes: int | None = None) -> int:
    return log.begin(
        tx, at(), os_user="hanako", verb=verb, command=["ajs", verb], reason="", undoes=undoes
    )


def jobnet(name: str, *jobs: str, comment: str = "") -> Jobnet:
    """A jobnet with jobs; ``"inner/job"`` puts the job into a nested jobnet ``inner``."""
    inner: dict[str, list[str]] = {}
    for job in jobs:
        upper, _, lower = job.partition("/")
        inner.setdefault(upper, []).extend([lower] if lower else [])
    members = tuple(
        jobnet(upper, *lower) if lower else Job(name=upper, command="true")
        for upper, lower in inner.items()
    )
    return Jobnet(name=name, comment=comment, units=members)


def root(path: str, *jobs: str, was: str = "", comment: str = "") -> RootDefinition:
    return RootDefinition(path, jobnet(path.rpartition("/")[2], *jobs, comment=comment), was)


def define(
    store: Store,
    *roots: RootDefinition,
    groups: tuple[JobGroup, ...] = (),
    scripts: tuple[Script, ...] = (),
    agents: Agents = Agents(),
) -> tuple[int, Defined]:
    """Load definitions as one operation; its number and what it changed."""
    with store.write() as tx:
        operation = begin(tx, "define")
        return operation, apply_definitions(tx, groups, roots, scripts, operation, agents)


HOST: dict[str, Any] = {"host": "h", "user": "u", "trust": Trust(host_keys=("ssh-ed25519 AAAA",))}


def agent(name: str, **fields: Any) -> Agent:
    return Agent(name=name, **HOST | fields)


def destination(name: str, **fields: Any) -> Destination:
    return Destination(name=name, **HOST | fields)


def agent_group(name: str, *members: str) -> AgentGroup:
    return AgentGroup(name=name, members=tuple(Member(member) for member in members))


def agents(*given: Agent | AgentGroup | Destination) -> Agents:
    """All these, each kind in the order given."""
    return Agents(
        tuple(one for one in given if isinstance(one, Agent)),
        tuple(one for one in given if isinstance(one, AgentGroup)),
        tuple(one for one in given if isinstance(one, Destination)),
    )


def flexible(path: str, destination: str, relay: str = "") -> RootDefinition:
    """A root jobnet with one flexible job, and a local one whose variables look like names of agents."""
    units = (
        Job(name="far", command="true", destination=destination, relay=relay),
        Job(name="destination", command="true", environment=(("destination", "x"), ("relay", "y"))),
    )
    return RootDefinition(path, Jobnet(name=path.rpartition("/")[2], units=units))


def version_1(folder: Path) -> None:
    """Make the database of a service folder as version 1 of the schema left it."""
    file = Path(database(str(folder)))
    for old in file.parent.glob(f"{file.name}*"):
        old.unlink()
    db = sqlite3.connect(file)
    db.execute("PRAGMA page_size = 4096")
    db.executescript((Path(__file__).parent / "version_1.sql").read_text())
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute("PRAGMA user_version = 1")
    db.execute("PRAGMA journal_mode = WAL")
    db.close()


def unit_id(store: Store, path: str) -> int:
    with store.read() as tx:
        found = units.by_path(tx, path)
    assert found is not None, path
    return found.id


def generation(start: str, rule: int = 1, **fields) -> Generation:
    lies = slot(start)
    return Generation(
        method=fields.pop("method", Method.PLANNED),
        slot=lies,
        original=fields.pop("original", lies),
        ties=fields.pop("ties", (Tie(rule, lies.exec_date),)),
        **fields,
    )


def plan(*starts: str, method: Method = Method.PLANNED) -> RootPlan:
    return RootPlan(
        registration=Registration(method=method, registered=at().wall),
        generations=tuple(generation(start, method=method) for start in starts),
    )


def register(store, path: str, *starts: str, method: Method = Method.PLANNED):
    """Register a stored root jobnet with waiting generations, and return the plan as stored."""
    number = unit_id(store, path)
    with store.write() as tx:
        return plans.save_plan(tx, number, None, plan(*starts, method=method), begin(tx, "entry"))


def save(tx, root, before, after, operation):
    """Store one plan inside a change, and return it as stored."""
    return plans.save_plan(tx, root, before, after, operation)


def load(store, path):
    """The plan of a stored root jobnet, None when it is not registered."""
    number = unit_id(store, path)
    with store.read() as tx:
        return plans.load_plan(tx, number)


def rows(store: Store, table: str) -> list[tuple]:
    """Everything in a table, in a fixed order."""
    with store.read() as tx:
        return sorted(tx.rows(f"SELECT * FROM {table}"), key=repr)


def state(store: Store) -> dict[str, list[tuple]]:
    """The tables that an undo restores, without their versions."""
    found = {}
    with store.read() as tx:
        for table, columns in log.COLUMNS.items():
            listed = ", ".join(column for column in columns if column != "version")
            found[table] = sorted(tx.rows(f"SELECT {listed} FROM {table}"), key=repr)
    return found


# -- other processes --


def start_python(code: str, *args: object, wrapper: tuple[str, ...] = (), **options):
    """Start Python on this code, with ``folder`` and the like as its arguments."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(
        [*wrapper, sys.executable, "-c", code, *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        **options,
    )


def run_python(code: str, *args: object, wrapper: tuple[str, ...] = ()) -> str:
    """Run Python on this code and return what it printed; it must end well."""
    process = start_python(code, *args, wrapper=wrapper)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out


def unprivileged() -> tuple[str, ...] | None:
    """What makes a command obey file modes: nothing for a plain user; None when root cannot be held to them."""
    if os.geteuid() != 0:
        return ()
    if shutil.which("setpriv") is None:
        return None
    rights = "-dac_override,-dac_read_search,-fowner"
    return ("setpriv", f"--bounding-set={rights}", f"--inh-caps={rights}")
