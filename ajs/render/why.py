"""The chain of reasons behind a run, or behind a day without one, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

from ajs.causes import ENDED_WORDS
from ajs.operations.show import KINDS
from ajs.operations.waits import Stand
from ajs.operations.why import Changed, TakenBack, Why, WhyRun, prohibits
from ajs.reasons import Because, Reason
from ajs.render.history import change_words, changes_json, operation_json, typed
from ajs.render.show import status_text
from ajs.render.show_long import cause_text, registered_at, registered_how
from ajs.render.times import minute
from ajs.schedule import Slot
from ajs.store.log import Operation
from ajs.store.numbers import execution_id
from ajs.store.show import FateRow

SHOWN = 30
"""How many waiting units the text names before it only counts."""

PASSED = {
    "moved_past": "the rules give a run, but an earlier run was moved past it",
    "went_by": "its time went by while the run before it waits: it will be missed when that one starts",
    "none_waits": "its time went by, and no run waits whose start would have made it more than a dummy",
    "not_registered": "the rules give a run, but it is not among those that were registered",
    "had_its_turn": "the rules give a run, but it has had its turn: it ran, at its time or at another one",
}

_STARTS = (Because.NESTED_RUNS, Because.FOLLOWS)
"""How the chain of a nested jobnet ends when it runs."""


def as_text(found: Why) -> str:
    """Return a headline, and below it the chain: registration, rules, fates, and each run with what happened to it."""
    lines = [*_headlines(found), ""]
    if found.deleted is None:
        lines += _section("Registration", _registration(found))
    for day, reasons in found.rules:
        texts = [reason.text for reason in reasons]
        if found.unit == found.root:
            lines += _section(f"Rules for {_day(day)}", texts)
            continue
        if not found.runs and found.registration is not None:
            texts.append(f"{found.unit} runs only within a run of its root jobnet")
        lines += _section(f"Rules of the root jobnet {found.root} for {_day(day)}", texts)
    for slot, nested in found.if_registered:
        title = f"{found.unit} in the run of {_clock(slot)}, were it registered"
        lines += _section(title, [reason.text for reason in nested])
    if found.passed:
        which = f"the run of {_several(found.gone)}: " if found.gone else ""
        lines += _section("Plan", [f"{which}{PASSED[found.passed]}"])
    if found.mover is not None:
        lines += _section(_run_title(found.mover), list(_run(found, found.mover)))
    for run in found.runs:
        lines += _section(_run_title(run), list(_run(found, run)))
    fates = [_fate(fate) for fate in found.fates]
    row = found.registration
    if row is not None:
        again = f"until {row.registered_by} registered it again at {minute(row.registered)}"
        fates += [f"{_fate(fate)}, {again}" for fate in found.lapsed]
    lines += _section("What became of it", fates)
    return "\n".join(lines)


def _section(title: str, lines: list[str]) -> list[str]:
    return [title, *(f"  {line}" for line in lines)] if lines else []


def _several(slots: Sequence[Slot]) -> str:
    first, last = slots[0].start, slots[-1].start
    text = f"{first:%Y-%m-%d %H:%M}"
    return (
        text if len(slots) == 1 else f"{text}, and so of {len(slots) - 1} more up to {last:%H:%M}"
    )


def _fate(fate: FateRow) -> str:
    if fate.status is not None and fate.generation is not None:
        when = f" at {minute(fate.ended)}" if fate.ended else ""
        return (
            f"the run of {minute(fate.start)}: {execution_id(fate.generation)} "
            f"{ENDED_WORDS[fate.status]}{when}; its details are no longer kept ({fate.why})"
        )
    why = fate.why if fate.why.startswith(fate.fate) else f"{fate.fate}, {fate.why}"
    by = f" (operation {fate.operation})" if fate.operation is not None else ""
    return f"the run of {minute(fate.start)}: {why}{by}"


# -- headline --


def _headlines(found: Why) -> Iterator[str]:
    day = _day(found.day)
    if found.deleted is not None:
        yield f"{found.unit}: deleted by {_who(found.deleted)} (operation {found.deleted.id})"
    elif found.registration is None and any(_goes_on(run) for run in found.runs):
        yield f"{found.unit} is not registered for execution any more; its run goes on"
    elif found.registration is None:
        runs = any(
            reason.because is Because.RUNS
            for one, reasons in found.rules
            for reason in reasons
            if one == found.day
        )
        whose = "it" if found.unit == found.root else "its root jobnet"
        would = "would run" if runs else "would not run"
        yield (
            f"{found.unit} is not registered for execution; registered now, {whose} {would} on {day}"
        )
        return
    if not found.runs:
        yield f"{found.unit} does not run on {day}"
    for run in found.runs:
        yield f"{found.unit}: {_in_short(found, run)}"


def _goes_on(run: WhyRun) -> bool:
    return run.generation is not None and run.generation.phase == "running"


def _in_short(found: Why, run: WhyRun) -> str:
    where = _clock(run.slot)
    if run.generation is None:
        name = "coming run"
        if run.start is None and run.nested and run.nested[-1].because not in _STARTS:
            return f"does not run in the {name} of the root on {where}"
        return (
            f"{name} on {where}" if found.unit == found.root else f"{name} of the root on {where}"
        )
    name = run.generation.execution_id
    if run.status is None and found.unit != found.root:
        by = _prohibition(found, run)
        if by is not None:
            why = f"prohibited by {by.os_user} (operation {by.id})"
            return f"does not run: {why}, in the run of the root {name} of {where}"
        if run.start is None and run.nested and run.nested[-1].because not in _STARTS:
            return f"does not run in the run of the root {name} of {where}"
    status = status_text(run.status.name) if run.status is not None else "not started"
    root = "" if found.unit == found.root else "of the root "
    return f"{status}, in the run {root}{name} of {where}"


def _prohibition(found: Why, run: WhyRun) -> Operation | None:
    """Return the operation that prohibits the unit, or one above it, in this run, or None."""
    back = {(one.unit, one.made.id) for one in run.taken_back}
    made = (
        changed.operation
        for changed in run.changes
        for change in changed.changes
        if change.what == "prohibition"
        and prohibits(change)
        and f"{found.unit}/".startswith(f"{change.unit}/")
        and (change.unit, changed.operation.id) not in back
        and changed.operation.undone_by is None
    )
    return next(made, None)


# -- the parts of the chain --


def _registration(found: Why) -> list[str]:
    row = found.registration
    if row is None:
        return ["none: ajsentry registers it"]
    lines = [f"{registered_how(row)}, by {row.registered_by} at {minute(row.registered)}"]
    if not found.rules and row.method == "immediate":
        lines.append("immediate registration uses no rules and no calendar")
    elif not found.rules and found.deleted is None:
        lines += _without_rules(found)
    elif row.method == "fixed":
        lines.append(
            "its rules and calendars are those of the registration: later ones do not count"
        )
    return lines


def _without_rules(found: Why) -> list[str]:
    """Say how the runs of a registration without rules were made, all of those that can be where there is none."""
    rows = [run.generation for run in found.runs if run.generation is not None]
    kinds = {
        "an immediate run": [row for row in rows if row.method == "immediate"],
        "a run registered for a date and time": [
            row for row in rows if row.method == "fixed" and row.added
        ],
        "a run registered from a schedule information file": [
            row for row in rows if row.method == "fixed" and not row.added
        ],
    }
    said = [f"{kind} uses no rules and no calendar" for kind, of in kinds.items() if of]
    return said or [
        (
            "its runs are registered for a date and time, or from a schedule information file: "
            "they use no rules and no calendar"
        )
    ]


def _run_title(run: WhyRun) -> str:
    if run.generation is None:
        return f"Coming run of {_clock(run.slot)}, a dummy until the runs before it have started"
    return f"Run {run.generation.execution_id} of {_clock(run.slot)}"


def _run(found: Why, run: WhyRun) -> Iterator[str]:
    for reason in run.nested:
        yield reason.text
    for changed in run.changes:
        yield from _changed(changed, found.unit, run.taken_back)
    for one in run.taken_back:
        yield _taken_back(one, found.unit)
    stays_out = run.status is None and _prohibition(found, run) is not None
    if found.unit != found.root and run.start is not None and not stays_out:
        yield f"so its start time in this run is {run.start:%Y-%m-%d %H:%M}"
    if run.clock_change:
        yield f"{run.start or run.slot.start:%Y-%m-%d %H:%M}: {run.clock_change}"
    for delay in run.delays:
        yield f"{minute(delay.at)}: {delay.cause.text}"
    for stand in run.chain:
        yield _stand(found, stand)
    waiting = [stand for stand in run.waiting if stand.path not in {s.path for s in run.chain}]
    for stand in waiting[:SHOWN]:
        yield _stand(found, stand)
    if len(waiting) > SHOWN:
        yield f"... and {len(waiting) - SHOWN} more units that wait"


def _changed(changed: Changed, unit: str, taken_back: Sequence[TakenBack]) -> Iterator[str]:
    """Yield an operation and what it changed, without prohibitions that were taken back."""
    operation = changed.operation
    over = {(one.unit, by.id) for one in taken_back for by in (one.made, one.back)}
    shown = [
        change
        for change in changed.changes
        if prohibits(change) is None or (change.unit, operation.id) not in over
    ]
    if not shown:
        return
    reason = f": {operation.reason}" if operation.reason else ""
    undone = f", undone by {operation.undone_by}" if operation.undone_by is not None else ""
    yield (
        f"operation {operation.id} by {operation.os_user} at {minute(operation.at_wall)}{reason} "
        f"({typed(operation.command) or operation.verb}{undone})"
    )
    for change in shown:
        whose = "" if change.unit == unit else f"{change.unit}: "
        yield f"  {whose}{change_words(change)}"


def _taken_back(one: TakenBack, unit: str) -> str:
    whose = "" if one.unit == unit else f"{one.unit}: "
    return (
        f"{whose}prohibited by {_who(one.made)}, taken back by {_who(one.back)} "
        f"(operations {one.made.id}, {one.back.id})"
    )


def _who(operation: Operation) -> str:
    reason = f" ({operation.reason})" if operation.reason else ""
    return f"{operation.os_user} at {minute(operation.at_wall)}{reason}"


def _stand(found: Why, stand: Stand) -> str:
    name = f"{found.root}/{stand.path}" if stand.path else found.root
    text = f"{name}: {status_text(stand.status)}"
    if stand.at:
        text += f" since {minute(stand.at)}"
    if stand.cause is not None:
        text += f", {cause_text(stand.cause)}"
    if stand.where:
        text += f", on {stand.where}"
    if stand.pending or (stand.ordered and not found.manager_runs):
        text += "; " + (
            "the manager is about to act on it"
            if found.manager_runs
            else "no manager runs to act on it: ajsstart"
        )
    return text


def _clock(slot: Slot) -> str:
    text = f"{slot.start:%Y-%m-%d %H:%M}"
    return (
        text if slot.start.date() == slot.exec_date else f"{text}, execution date {slot.exec_date}"
    )


def _day(day: date) -> str:
    return f"{day:%Y-%m-%d} ({day:%a})"


# -- for machines --


def as_json(service: str, found: Why) -> str:
    """Return the chain for machines; ``schemas`` has the JSON Schema."""
    row = found.registration
    return json.dumps(
        {
            "format": 1,
            "service": service,
            "unit": found.unit,
            "kind": KINDS[found.kind],
            "root": found.root,
            "deleted": None if found.deleted is None else operation_json(found.deleted),
            "execution_date": found.day.isoformat(),
            "registration": None
            if row is None
            else {"method": row.method, "at": registered_at(row), "by": row.registered_by},
            "rules": [
                {"day": day.isoformat(), "reasons": [_reason_json(reason) for reason in reasons]}
                for day, reasons in found.rules
            ],
            "if_registered": [
                {
                    "start": slot.start.isoformat(),
                    "execution_date": slot.exec_date.isoformat(),
                    "nested": [_reason_json(reason) for reason in nested],
                }
                for slot, nested in found.if_registered
            ],
            "passed": found.passed or None,
            "gone": [slot.start.isoformat() for slot in found.gone],
            "moved_past_by": None if found.mover is None else _run_json(found.mover),
            "runs": [_run_json(run) for run in found.runs],
            "fates": [_fate_json(fate) for fate in found.fates],
            "lapsed_fates": [_fate_json(fate) for fate in found.lapsed],
            "manager_runs": found.manager_runs,
        },
        ensure_ascii=False,
        indent=2,
    )


def _fate_json(fate: FateRow) -> dict[str, Any]:
    return {
        "fate": fate.fate,
        "start": fate.start,
        "why": fate.why,
        "operation": fate.operation,
        "execution_id": None if fate.generation is None else execution_id(fate.generation),
        "registration_number": fate.registration_number or None,
        "status": fate.status,
        "status_text": None if fate.status is None else status_text(fate.status),
        "started": fate.started or None,
        "ended": fate.ended or None,
    }


def _reason_json(reason: Reason) -> dict[str, Any]:
    facts = {
        name: fact.isoformat() if isinstance(fact, date | datetime) else fact
        for name, fact in reason.facts
    }
    return {"code": reason.because.name, "facts": facts, "text": reason.text}


def _run_json(run: WhyRun) -> dict[str, Any]:
    row = run.generation
    return {
        "dummy": row is None,
        "execution_id": None if row is None else row.execution_id,
        "registration_number": None if row is None else row.registration_number,
        "execution_date": run.slot.exec_date.isoformat(),
        "original_execution_date": run.original.exec_date.isoformat(),
        "start": run.slot.start.isoformat(),
        "original_start": run.original.start.isoformat(),
        "unit_start": None if run.start is None else run.start.isoformat(),
        "clock_change": run.clock_change,
        "status": None if run.status is None else run.status.name,
        "status_text": None if run.status is None else run.status.text,
        "nested": [_reason_json(reason) for reason in run.nested],
        "changes": [
            {
                "operation": operation_json(changed.operation),
                "changes": changes_json(changed.changes),
            }
            for changed in run.changes
        ],
        "taken_back": [
            {
                "unit": one.unit,
                "prohibited": operation_json(one.made),
                "taken_back": operation_json(one.back),
            }
            for one in run.taken_back
        ],
        "chain": [_stand_json(stand) for stand in run.chain],
        "waiting": [_stand_json(stand) for stand in run.waiting],
        "delays": [
            {"at": one.at, "cause": one.cause.why.name, "text": one.cause.text}
            for one in run.delays
        ],
    }


def _stand_json(stand: Stand) -> dict[str, Any]:
    cause = stand.cause
    return {
        "path": stand.path,
        "status": stand.status,
        "status_text": status_text(stand.status),
        "since": stand.at or None,
        "where": stand.where or None,
        "cause": None if cause is None else cause.why.name,
        "cause_unit": None if cause is None else cause.unit or None,
        "cause_value": None if cause is None else cause.value or None,
        "text": None if cause is None else cause_text(cause),
        "pending": stand.pending,
    }
