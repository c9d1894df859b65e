"""What a manager says in the foreground: a line for everything worth seeing."""

from __future__ import annotations

from ajs.moment import wall_text
from ajs.operations.cold_start import Cold
from ajs.render.change import place
from ajs.runner.manager import Happened, Missed


def happened_line(seen: Happened | Missed) -> str:
    """Return when, which unit in which run, its status, and the cause; or which run was missed.

    ``2026-08-11 22:00:05 /sales/daily-close/total:@A12 Ended abnormally: return code 8 above abnormal threshold 7``
    """
    if isinstance(seen, Missed):
        at = wall_text(seen.at.wall).replace("T", " ")
        return f"{at} {seen.root}: the run of {place(seen.run.slot)} was missed: {seen.run.why}"
    unit = f"{seen.root}/{seen.path}" if seen.path else seen.root
    at = wall_text(seen.at.wall).replace("T", " ")
    return f"{at} {unit}:{seen.execution_id} {seen.status.text}: {seen.cause.text}"


def cold_text(cold: Cold) -> str:
    """Return what a cold start did away with."""
    said = (
        f"cold start: {_counted(cold.roots, 'registration')} cancelled, {_counted(cold.runs, 'coming run')} and "
        f"{_counted(cold.results, 'result')} gone; the operation log stays (operation {cold.operation})"
    )
    if cold.staying:
        stay = (
            "stays until its agent knows" if cold.staying == 1 else "stay until their agents know"
        )
        said += f"; {_counted(cold.staying, 'result')} {stay} that the manager has it"
    return said


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def stopped_line(service: str, running: int) -> str:
    """Return that the manager has ended, and what runs on without it."""
    if not running:
        return f"the manager of {service} has ended; no job runs"
    jobs = "1 job runs" if running == 1 else f"{running} jobs run"
    return (
        f"the manager of {service} has ended; {jobs} on, and the next manager takes in how they end"
    )
