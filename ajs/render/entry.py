"""Registrations and their cancelling, as words and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence

from ajs.operations.entry import Entered, Entry
from ajs.operations.leave import Left, LeftRoot
from ajs.operations.outcome import Outcome
from ajs.plan import Generation, Method
from ajs.render.change import place, slot_json, undo
from ajs.render.times import second
from ajs.store.numbers import execution_id

REGISTERED = {
    Method.PLANNED: "registered for planned execution",
    Method.FIXED: "registered for fixed execution",
    Method.IMMEDIATE: "registered for immediate execution",
}


def entry_text(entry: Entry) -> str:
    """Return a line for each root jobnet: how it is registered, and its next run."""
    lines = [_entered(e) for e in entry.entered]
    if not entry.operation:
        lines.append("dry run, nothing was registered")
    return "\n".join(lines)


def _entered(entered: Entered) -> str:
    run = entered.generation
    name = entered.path if run is None or not run.id else f"{entered.path}:{execution_id(run.id)}"
    when = "" if run is None else f", next run {place(run.slot)}"
    if entered.made > 1 and run is not None and entered.last is not None:
        when = f", {entered.made} runs from {place(run.slot)} to {place(entered.last.slot)}"
    elif run is None:
        when = ", no new run"
    if entered.at_once:
        when += ", at once"
    held = ", held" if run is not None and run.holds.get("") else ""
    if entered.method is Method.IMMEDIATE:
        when = ""
    return f"{name} {REGISTERED[entered.method]}{when}{held}"


def outcome_text(outcomes: Sequence[Outcome]) -> str:
    """Return a line for each run that was waited for: its status, from when to when, and the job that ended worst."""
    return "\n".join(_outcome(one) for one in outcomes)


def _outcome(one: Outcome) -> str:
    text = f"{one.unit}:{one.execution_id} {one.status.text}"
    if one.ended and one.started:
        same_day = one.started[:10] == one.ended[:10]
        ended = second(one.ended)[11:] if same_day else second(one.ended)
        text += f", {second(one.started)} - {ended}"
    elif one.started:
        text += f", since {second(one.started)}"
    if one.worst is not None:
        text += f"; worst: {one.worst.path}, {one.worst.status.text}"
        if one.worst.return_code is not None:
            text += f", return code {one.worst.return_code}"
    return text


def entry_json(
    entry: Entry,
    service: str,
    notes: Sequence[str] = (),
    outcomes: Sequence[Outcome] | None = None,
) -> str:
    """Return the registrations for machines, with ``outcomes`` how the runs stand that were waited for.

    ``notes`` are what the text says as warnings.
    """
    return json.dumps(
        {
            "format": 1,
            "service": service,
            "operation": entry.operation or None,
            "registered": [
                {
                    "unit": e.path,
                    "method": e.method.value,
                    "next": None if e.generation is None else _run_json(e.generation),
                    "runs": e.made,
                }
                for e in entry.entered
            ],
            "runs": None if outcomes is None else [_outcome_json(one) for one in outcomes],
            "notes": list(notes),
        },
        ensure_ascii=False,
        indent=2,
    )


def _outcome_json(one: Outcome) -> dict[str, object]:
    worst = one.worst
    return {
        "unit": one.unit,
        "execution_id": one.execution_id,
        "status": one.status.name,
        "status_text": one.status.text,
        "started": one.started or None,
        "ended": one.ended or None,
        "worst": None
        if worst is None
        else {
            "unit": f"{one.unit}/{worst.path}",
            "status": worst.status.name,
            "status_text": worst.status.text,
            "return_code": worst.return_code,
        },
    }


def left_text(left: Left, *, service: str) -> str:
    """Return a line for each root jobnet: whether it is no longer registered, and what will not come or is gone."""
    lines = [_left(root) for root in left.roots]
    if not left.operation:
        lines.append("dry run, nothing was changed")
    elif not any(root.results for root in left.roots):
        # Results that are gone cannot be brought back.
        lines.append(undo(service, left.operation))
    return "\n".join(lines)


def _left(root: LeftRoot) -> str:
    parts = [f"{root.path} is no longer registered" if root.ended else root.path]
    if len(root.runs) == 1:
        parts.append(f"the run of {place(root.runs[0].slot)} will not come")
    elif root.runs:
        first, last = place(root.runs[0].slot), place(root.runs[-1].slot)
        parts.append(f"{len(root.runs)} runs from {first} to {last} will not come")
    if root.results:
        what = "result is" if root.results == 1 else "results are"
        parts.append(f"{root.results} {what} deleted")
    head, *rest = parts
    return f"{head}{'; ' if root.ended else ': '}{'; '.join(rest)}" if rest else head


def left_json(left: Left) -> str:
    """Return the cancelled registrations for machines."""
    return json.dumps(
        {
            "format": 1,
            "operation": left.operation or None,
            "cancelled": [
                {
                    "unit": root.path,
                    "runs": [_run_json(run) for run in root.runs],
                    "results": root.results,
                    "registered": not root.ended,
                }
                for root in left.roots
            ],
        },
        ensure_ascii=False,
        indent=2,
    )


def _run_json(run: Generation) -> dict[str, object]:
    return {
        "execution_id": execution_id(run.id) if run.id else None,
        "slot": slot_json(run.slot),
        "held": run.holds.get("", False),
    }
