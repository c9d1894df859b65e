"""``ajsshow --schedule``: the coming runs as aligned text, as a drawn table and as JSON."""

from __future__ import annotations

import json
from typing import Any

from ajs.operations.coming import Coming, LowerRun, Run
from ajs.operations.show import KINDS, Mark
from ajs.render.columns import Cell, Paint, drawn, fitted, unpainted
from ajs.render.show import note, style
from ajs.render.times import near
from ajs.statuses import Status
from ajs.store.units import JOB, JOBNET

TITLES = ("UNIT", "EXEC ID", "EXEC DATE", "START", "STATUS", "NOTES")
DUMMY = "dummy"
FOLLOWS = "with upper"
NO_RUN = "does not run"
NAMED = 5
"""How many root jobnets that are not registered the text names before it only counts them."""


def as_text(found: Coming, *, title: bool = True, paint: Paint = unpainted, most: int = 0) -> str:
    """Return the runs by start, each with its nested jobnets indented below it.

    ``most`` is how many places a line may take, 0 any number.
    """
    titles = TITLES if title else ()
    lines = fitted(titles, _rows(found), most, paint=paint) if found.runs else []
    if not found.runs:
        lines.append(f"no runs until {found.until:%Y-%m-%d}")
    return "\n".join([*lines, *_unregistered(found)])


def as_table(found: Coming) -> str:
    """Return the runs as a drawn table."""
    return "\n".join([drawn(TITLES, _rows(found)), *_unregistered(found)])


def _unregistered(found: Coming) -> list[str]:
    lost = found.unregistered
    if len(lost) > NAMED:
        return [f"{len(lost)} root jobnets are not registered: ajsshow -R -T -L lists them"]
    return [f"{path} is not registered" for path in lost]


def _rows(found: Coming) -> list[tuple[Cell, ...]]:
    rows = []
    for run in found.runs:
        rows.append(_run(run))
        rows += [_lower(lower, run.exec_date.isoformat()) for lower in run.lower]
    return rows


def _run(run: Run) -> tuple[Cell, ...]:
    day = run.exec_date.isoformat()
    status = run.status if run.status is not Status.TIMEWAIT else None
    return (
        Cell(run.root),
        Cell(run.execution_id or DUMMY, "" if run.execution_id else "dim"),
        Cell(f"{day} {run.exec_date:%a}"),
        Cell(near(run.start.isoformat(), day)),
        Cell(status.text if status else "", style(status.name) if status else ""),
        Cell(_notes(run.marks, run.start.isoformat(), day)),
    )


def _lower(lower: LowerRun, day: str) -> tuple[Cell, ...]:
    start = lower.start.isoformat() if lower.start is not None else ""
    depth = 1 + lower.path.count("/")
    when = near(start, day) if start else "" if lower.job else FOLLOWS
    return (
        Cell("  " * depth + lower.path.rpartition("/")[2]),
        Cell(""),
        Cell(""),
        Cell(when if lower.scheduled else NO_RUN, "" if lower.scheduled else "dim"),
        Cell(""),
        Cell(_notes(lower.marks, start, day)),
    )


def _notes(marks: tuple[Mark, ...], start: str, day: str) -> str:
    return ", ".join(
        # The day of the present start is said where it is another one than that of the start before.
        f"{near(mark.value, day) or 'with upper'} -> {near(start, mark.value or day)}"
        if mark.what == "moved"
        else note(mark, day)
        for mark in marks
    )


def as_json(found: Coming) -> str:
    """Return the runs for machines; ``schemas`` has the JSON Schema."""
    return json.dumps(
        {
            "format": 1,
            "service": found.service,
            "since": found.since.isoformat(),
            "until": found.until.isoformat(),
            "runs": [_run_json(run) for run in found.runs],
            "unregistered": list(found.unregistered),
        },
        ensure_ascii=False,
        indent=2,
    )


def _run_json(run: Run) -> dict[str, Any]:
    return {
        "unit": run.root,
        "comment": run.comment,
        "dummy": not run.execution_id,
        "execution_id": run.execution_id or None,
        "status": run.status.name if run.status else None,
        "status_text": run.status.text if run.status else None,
        "execution_date": run.exec_date.isoformat(),
        "original_execution_date": run.original_exec_date.isoformat(),
        "start": run.start.isoformat(),
        "original_start": run.original.isoformat(),
        "marks": _marks_json(run.marks),
        "lower": [
            {
                "unit": f"{run.root}/{lower.path}",
                "kind": KINDS[JOB if lower.job else JOBNET],
                "scheduled": lower.scheduled,
                "start": lower.start.isoformat() if lower.start else None,
                "original_start": lower.original.isoformat() if lower.original else None,
                "marks": _marks_json(lower.marks),
            }
            for lower in run.lower
        ],
    }


def _marks_json(marks: tuple[Mark, ...]) -> list[dict[str, Any]]:
    return [
        {"mark": mark.what, "value": mark.value or None, "text": note(mark, "")} for mark in marks
    ]
