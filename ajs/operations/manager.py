"""``ajsstart`` and ``ajsstop``, and waiting for runs to end."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ajs.errors import GenerationNotFound, NoManager, Refused, TimedOut
from ajs.lifecycle import Status
from ajs.operations.service import Service
from ajs.store import presence, progress
from ajs.store.numbers import execution_id
from ajs.store.presence import Owner

if TYPE_CHECKING:
    from ajs.clock import SystemClock
    from ajs.runner.serve import Viewers

LOOK_S = 0.05
"""How often somebody who waits for the end of runs looks whether they have ended, in seconds."""
LOOKS_A_CHECK = 20
"""After how many looks at the runs the manager is looked at: nothing ends without one."""


@dataclass(frozen=True, slots=True)
class ManagerStatus:
    """Whether a manager runs for a scheduler service, and which process it is."""

    running: bool
    pid: int = 0
    host: str = ""


def run_manager(
    service: Service, viewers: Viewers, *, until_idle: bool = False, overdue: str = "start"
) -> int:
    """Be the manager of the service until SIGTERM or SIGINT, or until idle; return how many jobs run on.

    ``overdue`` says what becomes of starts that were missed: ``start``, ``skip`` or ``nothing_today``.

    Raises ManagerRunning, naming it, when there is one already.
    """
    from ajs.runner.beginning import Overdue
    from ajs.runner.serve import Setting, serve

    setting = Setting(
        service=service.name,
        home=service.home,
        folder=service.folder,
        store=service.store,
        clock=system_clock(service),
        mode=service.mode,
        keep_fates_days=service.keep_fates_days,
    )
    return serve(
        setting,
        viewers,
        until_idle=until_idle,
        limit=service.jobs_at_once,
        overdue=Overdue(overdue),
    )


def manager_status(service: Service) -> ManagerStatus:
    """Return whether a manager runs for the service, and which process it is."""
    owner = presence.manager(service.folder)
    return (
        ManagerStatus(running=False)
        if owner is None
        else ManagerStatus(True, owner.pid, owner.host)
    )


def stop_manager(service: Service, *, wait: bool = True, timeout_s: float = 60.0) -> int:
    """Ask the manager to stop, and wait until it has ended; return its process id. Its jobs run on.

    Raises NoManager when none runs, Refused when it is not ours to stop, TimedOut when it has not ended in time.
    """
    import signal

    owner = presence.manager(service.folder)
    if owner is None:
        raise _no_manager(service, "so there is none to stop")
    if owner.host != os.uname().nodename:
        raise _not_ours(owner, f"it runs on {owner.host}", f"run ajsstop on {owner.host}")
    try:
        process = os.pidfd_open(owner.pid)
    except ProcessLookupError:
        raise _no_manager(service, "so there is none to stop") from None
    try:
        # Looked at again with the process pinned, so that the number cannot have gone to another one meanwhile.
        if presence.manager(service.folder) != owner:
            raise _no_manager(service, "it has just ended")
        signal.pidfd_send_signal(process, signal.SIGTERM)
        if wait and process not in system_clock(service).wait((process,), at_most_s=timeout_s):
            raise TimedOut(
                f"the manager, process {owner.pid}, has not ended within {timeout_s:.0f} seconds",
                hint="it finishes what it is storing; run the command again to wait on",
                value=str(owner.pid),
            )
    except PermissionError:
        raise _not_ours(
            owner, "it belongs to another user", "stop it as the user that it runs as"
        ) from None
    finally:
        os.close(process)
    return owner.pid


def wait_for(
    service: Service, generations: Iterable[int], timeout_s: float | None = None
) -> dict[int, Status]:
    """Return how these generations ended, by number, once all have; a prohibited one counts as ended.

    Raises TimedOut when they have not within the time given, NoManager when the manager goes away before, and
    GenerationNotFound when one is taken out of the plan meanwhile.
    """
    wanted = list(generations)
    clock = system_clock(service)
    looks = 0
    version = None
    left_s = timeout_s
    while True:
        runs = looks % LOOKS_A_CHECK or presence.manager(service.folder) is not None
        if (present := service.store.data_version()) != version or not runs:
            version = present
            with service.store.read() as tx:
                found = progress.progress(tx, wanted)
            gone = [number for number in wanted if number not in found]
            if gone:
                raise GenerationNotFound(
                    f"the run {execution_id(gone[0])} was taken out of the plan",
                    hint="ajs history says by whom",
                    value=execution_id(gone[0]),
                )
            if all(one.ended for one in found.values()):
                return {number: found[number].status for number in wanted}
        if not runs:
            raise _no_manager(service, "so the runs waited for will not end")
        if left_s is not None:
            if left_s <= 0:
                raise TimedOut(
                    f"the runs have not ended within {timeout_s} seconds",
                    hint="they go on; ajsshow shows them, ajskill ends them",
                )
            left_s -= LOOK_S
        looks += 1
        clock.sleep(LOOK_S)


def system_clock(service: Service) -> SystemClock:
    """Return the machine's clock: who waits for other processes waits in real time."""
    from ajs.clock import SystemClock

    clock = service.clock
    return clock if isinstance(clock, SystemClock) else SystemClock(service.time_zone)


def _no_manager(service: Service, so: str) -> NoManager:
    return NoManager(
        f"no manager runs for the scheduler service {service.name}, {so}",
        hint=f"start one: ajsstart -F {service.name}",
        value=service.name,
    )


def _not_ours(owner: Owner, why: str, hint: str) -> Refused:
    return Refused(
        f"the manager, process {owner.pid}, cannot be stopped from here: {why}",
        hint=hint,
        value=str(owner.pid),
    )
