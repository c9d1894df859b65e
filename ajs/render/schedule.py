"""The runs of a period as a table in lines, as a drawn table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ajs.operations.schedule import RootSchedule, Run, Schedule
from ajs.operations.times import odd_hour
from ajs.plan import Method
from ajs.render.columns import Cell, Paint, drawn, fitted, unpainted
from ajs.render.times import near
from ajs.rules import Occurrence

TITLES = ("UNIT", "EXEC DATE", "START", "RULE", "NOTES")
FOLLOWS = "with upper"
NO_RUN = "does not run"
NAMED = 5
"""How many root jobnets that are not registered the text names before it only counts them."""


def as_text(
    found: Schedule,
    *,
    title: bool = True,
    lower: bool = True,
    paint: Paint = unpainted,
    most: int = 0,
) -> str:
    """Return the runs by start, each with its nested jobnets below it unless ``lower`` is off, then what limits them.

    ``most`` is how many places a line may take, 0 any number.
    """
    rows = _rows(found, lower=lower)
    lines = fitted(TITLES if title else (), rows, most, paint=paint) if rows else []
    return "\n".join([*lines, *remarks(found)])


def as_table(found: Schedule, *, lower: bool = True) -> str:
    """Return the runs as a drawn table."""
    rows = _rows(found, lower=lower)
    return "\n".join([*([drawn(TITLES, rows)] if rows else []), *remarks(found)])


def remarks(found: Schedule) -> list[str]:
    """Return what a reader must know of the runs: from when on they count, and where there is none."""
    lines = []
    if not any(root.runs for root in found.roots):
        lines.append(f"no runs by the rules from {found.first} to {found.last}")
    free = [root.unit.path for root in found.roots if root.method is None]
    at = f"as if registered now, {found.at.wall:%Y-%m-%d %H:%M}"
    if len(free) > NAMED:
        lines.append(f"{len(free)} root jobnets are not registered: their runs count {at}")
    else:
        lines += [f"{path} is not registered: its runs count {at}" for path in free]
    lines += [
        f"{root.unit.path} is registered for immediate execution, without rules: its runs count {at}"
        for root in found.roots
        if root.method is Method.IMMEDIATE
    ]
    return lines


def _rows(found: Schedule, *, lower: bool) -> list[tuple[Cell, ...]]:
    runs = [(root, run) for root in found.roots for run in root.runs]
    runs.sort(key=lambda pair: (pair[1].slot.start, pair[1].slot.exec_date, pair[0].unit.path))
    rows: list[tuple[Cell, ...]] = []
    for root, run in runs:
        rows.append(_row(root, run, found.time_zone))
        rows += _lower(run, found.time_zone) if lower else ()
    return rows


def _row(root: RootSchedule, run: Run, zone: str) -> tuple[Cell, ...]:
    day = run.slot.exec_date.isoformat()
    notes = [*map(moved_text, run.occurrences), odd_hour(run.slot.start, zone)]
    return (
        Cell(root.unit.path),
        Cell(f"{day} {run.slot.exec_date:%a}"),
        Cell(near(run.slot.start.isoformat(), day)),
        Cell(", ".join(str(one.rule.number) for one in run.occurrences)),
        Cell(", ".join(dict.fromkeys(filter(None, notes)))),
    )


def _lower(run: Run, zone: str) -> Iterator[tuple[Cell, ...]]:
    day = run.slot.exec_date.isoformat()
    for one in run.nested:
        if one.start is None:
            when = Cell(NO_RUN, "dim")
        else:
            when = Cell(FOLLOWS if one.follows else near(one.start.isoformat(), day))
        indent = "  " * (1 + one.path.count("/"))
        note = "" if one.start is None or one.follows else odd_hour(one.start, zone)
        yield (Cell(indent + one.path.rpartition("/")[2]), Cell(""), when, Cell(""), Cell(note))


def moved_text(one: Occurrence) -> str:
    """Return what moved a rule's date, "" for nothing."""
    said = []
    if one.substituted != one.day:
        said.append(f"instead of {one.day:%a %Y-%m-%d}, a closed day")
    moved = one.rule.days_from_start
    if moved is not None and one.substituted is not None:
        kind, way = moved.kind.value.split()
        days = f"{moved.days} {kind} {'day' if moved.days == 1 else 'days'}"
        said.append(f"{days} {way} {one.substituted:%a %Y-%m-%d}")
    return ", ".join(said)


# -- for machines --


def as_json(found: Schedule) -> str:
    """Return the runs for machines; ``schemas`` has the JSON Schema."""
    return json.dumps(
        {
            "format": 1,
            "service": found.service,
            "time_zone": found.time_zone,
            "begin": found.first.isoformat(),
            "end": found.last.isoformat(),
            "roots": [
                {
                    "unit": root.unit.path,
                    "comment": root.unit.comment,
                    "registration_method": None if root.method is None else root.method.value,
                    "counted_from": root.since.isoformat(timespec="seconds"),
                    "runs": [_run_json(run, found.time_zone) for run in root.runs],
                }
                for root in found.roots
            ],
            "notes": [note for root in found.roots for note in root.notes],
        },
        ensure_ascii=False,
        indent=2,
    )


def _run_json(run: Run, zone: str) -> dict[str, Any]:
    starts = {"": run.slot.start} | {one.path: one.start for one in run.nested if one.start}
    return {
        "execution_date": run.slot.exec_date.isoformat(),
        "start": run.slot.start.isoformat(),
        "rules": [one.rule.number for one in run.occurrences],
        "substituted": run.substituted,
        "occurrences": [
            {
                "rule": one.rule.number,
                "day": one.day.isoformat(),
                "substituted": None if one.substituted is None else one.substituted.isoformat(),
                "runs_on": None if one.runs_on is None else one.runs_on.isoformat(),
            }
            for one in run.occurrences
        ],
        "nested": {
            one.path: None if one.start is None else one.start.isoformat() for one in run.nested
        },
        "with_upper": [one.path for one in run.nested if one.follows],
        "clock_changes": {
            path: note for path, start in starts.items() if (note := odd_hour(start, zone))
        },
    }
