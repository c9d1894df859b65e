"""What ``ajskill`` and ``ajsintrpt`` did or would do, as words and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence

from ajs.operations.kill import Ended, Hit

NAMED = 5
"""How many jobs the text names before it only counts."""


def as_text(ended: Ended, *, interrupts: bool, dry_run: bool) -> str:
    """Return one line for each unit that is ended, and where it is recorded."""
    lines = [_interrupted(hit) if interrupts else _killed(hit) for hit in ended.hits]
    if dry_run:
        lines.append("dry run, nothing was changed")
    elif ended.operation:
        lines.append(f"recorded as operation {ended.operation}; it cannot be taken back")
    return "\n".join(lines)


def _killed(hit: Hit) -> str:
    name = f"{hit.unit}:{hit.execution_id}"
    if hit.already:
        return f"{name} is being killed already, by {hit.already}"
    if hit.is_job:
        return f"{name} will be killed"
    jobs = _jobs(hit) if hit.jobs else "no job runs in it"
    return f"{name} will be killed: {jobs}; {_waiting(hit)}"


def _interrupted(hit: Hit) -> str:
    name = f"{hit.unit}:{hit.execution_id}"
    if hit.already:
        return f"{name} is interrupted already, by {hit.already}"
    jobs = f"{_jobs(hit)} may end" if hit.jobs else "no job runs in it"
    return f"{name} is interrupted: {jobs}; {_waiting(hit)}"


def _jobs(hit: Hit) -> str:
    names = ", ".join(job.removeprefix(f"{hit.unit}/") for job in hit.jobs[:NAMED])
    if len(hit.jobs) == 1:
        return f"job {names}"
    more = ", ..." if len(hit.jobs) > NAMED else ""
    return f"{len(hit.jobs)} jobs ({names}{more})"


def _waiting(hit: Hit) -> str:
    if not hit.waiting:
        return "nothing waits in it"
    return f"{hit.waiting} unit{'s' if hit.waiting != 1 else ''} in it will not start"


def as_json(ended: Ended, service: str, notes: Sequence[str] = ()) -> str:
    """Return the whole result for machines, ``notes`` being the warnings; ``schemas`` has the JSON Schema."""
    return json.dumps(
        {
            "format": 1,
            "service": service,
            "operation": ended.operation or None,
            "units": [
                {
                    "unit": hit.unit,
                    "execution_id": hit.execution_id,
                    "jobs": list(hit.jobs),
                    "waiting": hit.waiting,
                    "already": hit.already or None,
                }
                for hit in ended.hits
            ],
            "refused": [
                {"unit": path, "code": error.code, "message": error.message}
                for path, error in ended.refused
            ],
            "notes": list(notes),
        },
        ensure_ascii=False,
        indent=2,
    )
