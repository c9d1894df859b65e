"""The manager put together: lock, socket, spool, launcher, signals, loop; and taken apart again."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ajs.agents import AgentIdentity
from ajs.attempts import LOCAL, TAKES_SLOT, AttemptKey, Lost
from ajs.decide import Observed
from ajs.dispatch.fetched import Fetched
from ajs.dispatch.local import LocalDispatch
from ajs.dispatch.messages import Absent, JobSpec
from ajs.dispatch.spool import Spool
from ajs.errors import AjsError, StoreError
from ajs.lifecycle import LiveGeneration
from ajs.model import Job
from ajs.runner.beginning import Overdue
from ajs.runner.jobs import Scripts, Surroundings, job_payload, job_spec
from ajs.runner.local import LocalPlaces
from ajs.runner.loop import Loop, StopOrder, Waiter
from ajs.runner.manager import Happened, Manager, Missed
from ajs.runner.places import AllPlaces
from ajs.runner.remote.books import Payload
from ajs.runner.remote.desk import Desk
from ajs.runner.remote.places import RemotePlaces
from ajs.runner.remote.relays import Relays
from ajs.runner.tidying import remover
from ajs.schedule import DayMode
from ajs.store import folder as folders
from ajs.store import progress, runs, sources
from ajs.store.database import Store
from ajs.store.presence import FolderLock, WakeSocket, poke

FEWEST_JOBS = 5
"""How many jobs may run at once at least: AJS3's own default for an agent (execution.md 2.3)."""
JOBS_PER_CPU = 2
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """The scheduler service that a manager is for: its name, folders, state, clock and day, and what it keeps."""

    service: str
    home: str
    folder: str
    store: Store
    clock: Waiter
    mode: DayMode
    keep_fates_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewers:
    """Who is told what: that the manager has begun, what was committed, and what trouble is being waited out."""

    begun: Callable[[], None]
    happened: Callable[[Sequence[Happened | Missed]], None]
    trouble: Callable[[AjsError], None]


def default_limit() -> int:
    """Return how many jobs may run on this machine at once: two for each CPU that we may use, and never below 5."""
    return max(FEWEST_JOBS, JOBS_PER_CPU * len(os.sched_getaffinity(0)))


def serve(
    setting: Setting,
    viewers: Viewers,
    *,
    until_idle: bool,
    limit: int | None,
    overdue: Overdue = Overdue.START,
) -> int:
    """Be the manager until a signal says stop, or until idle; return how many jobs run on.

    Raises ManagerRunning when there is one already, StoreError when the spool is missing though jobs are in it.
    """
    with (
        FolderLock.take(setting.folder),
        WakeSocket.bind(setting.folder) as wake,
        _stop_order() as stop,
    ):
        gone = _prepare_spool(setting)
        dispatch = LocalDispatch(
            Path(setting.folder, folders.SPOOL), Path(setting.folder, folders.SOCKET)
        )
        local = LocalPlaces(dispatch, _spec_maker(setting), gone)
        places = AllPlaces(local, partial(_agents, setting))
        manager = Manager(
            setting.store,
            setting.clock,
            places,
            setting.mode,
            limit=default_limit() if limit is None else limit,
            show=viewers.happened,
            remove=remover(
                Spool(Path(setting.folder, folders.SPOOL)),
                Fetched(Path(setting.folder, folders.FETCHED)),
            ),
            keep_fates_days=setting.keep_fates_days,
        )
        try:
            viewers.begun()
            manager.begin(overdue)
            loop = Loop(manager, setting.clock, places, wake, stop, viewers.trouble)
            loop.run(until_idle=until_idle)
        finally:
            places.close()
            dispatch.close()
        return manager.memory.busy


def _surroundings(setting: Setting) -> Surroundings:
    return Surroundings(service=setting.service, home=setting.home, host=os.uname().nodename)


def _script(setting: Setting, sha256: str) -> bytes:
    with setting.store.read() as tx:
        return sources.script(tx, sha256)


def _spec_maker(
    setting: Setting,
) -> Callable[[str, AttemptKey, Job, LiveGeneration], JobSpec]:
    around = _surroundings(setting)
    scripts = Scripts(os.path.join(setting.folder, folders.SCRIPTS))

    def make(name: str, key: AttemptKey, job: Job, generation: LiveGeneration) -> JobSpec:
        script = scripts.path(job.script, partial(_script, setting)) if job.script else ""
        return job_spec(name, key, job, generation, around, script)

    return make


def _agents(setting: Setting) -> RemotePlaces:
    """Return the agents of flexible jobs; only now is loaded what speaks SSH."""
    from ajs.dispatch.ssh.dial import SshLinks

    desk = Desk(
        links=SshLinks(setting.clock),
        clock=setting.clock,
        relays=Relays(setting.clock),
        fetched=Fetched(Path(setting.folder, folders.FETCHED)),
        wake=partial(poke, setting.folder),
    )
    around = _surroundings(setting)

    def make(
        key: AttemptKey, job: Job, generation: LiveGeneration, agent: AgentIdentity
    ) -> Payload:
        script = _script(setting, job.script) if job.script else b""
        return job_payload(key, job, generation, around, agent, script)

    return RemotePlaces(desk, make)


def _prepare_spool(setting: Setting) -> tuple[Observed, ...]:
    """Make the spool if there is none yet; return what is lost with one that was replaced.

    A spool that is missing while jobs are on record as placed in it lies on a disk that is not mounted, or is lost.
    Only an operator knows; an empty folder in its place says that it is lost.
    """
    folder = Path(setting.folder, folders.SPOOL)
    spool = Spool(folder)
    with setting.store.read() as tx:
        attempts = runs.open_attempts(tx)
    inside = [k for k, a in attempts.items() if a.state in TAKES_SLOT and a.place == LOCAL]
    try:
        spool.epoch()
    except StoreError:
        if inside and not (folder.is_dir() and not any(folder.iterdir())):
            raise StoreError(
                f"the spool {folder} is missing, and {len(inside)} jobs are on record as running in it",
                hint="mount its disk; if it is lost for good, make an empty folder of that name",
                value=str(folder),
            ) from None
    else:
        return tuple(_lost_by_restore(setting, spool, inside))
    spool.create()
    return tuple(Observed(key, Lost("the spool with its record was lost")) for key in inside)


def _lost_by_restore(
    setting: Setting, spool: Spool, inside: Sequence[AttemptKey]
) -> Iterator[Observed]:
    """Yield the attempts of a restored state of which nothing is in the spool.

    They were placed before the backup was made, and have run since: their records are gone because their run was no
    longer kept. As new ones they would run a second time.
    """
    if not inside:
        return
    with setting.store.read() as tx:
        present = tx.service().incarnation
        names = progress.attempt_names(tx, inside)
    for key, name in names.items():
        if name.split("-")[1] != present and isinstance(spool.state(name), Absent):
            yield Observed(key, Lost("its record is gone since the state was restored"))


@contextmanager
def _stop_order() -> Iterator[StopOrder]:
    """Give the order to stop at the first SIGTERM, SIGINT or SIGHUP; in another thread than the main one never."""
    stop = StopOrder()
    before: Mapping[signal.Signals, object] = {}
    if threading.current_thread() is threading.main_thread():
        before = {n: signal.signal(n, lambda *_: stop.give()) for n in STOP_SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal.signal returned
        stop.close()
