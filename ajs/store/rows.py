"""Plans and runs ↔ the columns in which they are stored. Instants have milliseconds, wall-clock times seconds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from ajs.attempts import Attempt, AttemptState, Result
from ajs.attributes import LIMITS, Attributes, Temporary
from ajs.causes import Asked, Cause, Why
from ajs.delays import NOT_WATCHED, Delay, Delays, Watch, limit_from
from ajs.lifecycle import Status, UnitRun
from ajs.moment import utc_from_text, utc_text, wall_text
from ajs.plan import Frozen, Generation, Kept, Method, NestedPlan, Phase, Registration
from ajs.schedule import Slot, Tie

SECOND = timedelta(seconds=1)


dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""Returns the stored spelling of a JSON value."""


# -- small parts --


def _slot(start: str, exec_date: str) -> Slot:
    return Slot(datetime.fromisoformat(start), date.fromisoformat(exec_date))


def _wall(at: datetime | None) -> str | None:
    return None if at is None else wall_text(at)


def _from_wall(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _utc(at: datetime | None) -> str | None:
    return None if at is None else utc_text(at)


def _from_utc(text: str | None) -> datetime | None:
    return None if text is None else utc_from_text(text)


def ties_text(ties: tuple[Tie, ...]) -> str:
    """Return the stored form of ties: ``[[rule, day], ...]``."""
    listed = ",".join([f'[{tie.rule},"{tie.day.isoformat()}"]' for tie in ties])
    return f"[{listed}]"


def _ties(found: list[Any]) -> tuple[Tie, ...]:
    return tuple(Tie(rule, date.fromisoformat(day)) for rule, day in found)


def ties_from(text: str) -> tuple[Tie, ...]:
    """Return the ties of a stored text."""
    return () if text == "[]" else _ties(json.loads(text))


# -- registration --


def registration_values(registration: Registration) -> tuple[object, ...]:
    """Return the stored columns of a registration, without version and who made it.

    method, registered, catch_up, floor_start, floor_exec_date, done, count, skip_overdue, cancelled, frozen_path,
    frozen_definition, frozen_calendars, frozen_exclusive.
    """
    floor, frozen = registration.floor, registration.frozen
    return (
        registration.method.value,
        wall_text(registration.registered),
        int(registration.catch_up),
        None if floor is None else wall_text(floor.start),
        None if floor is None else floor.exec_date.isoformat(),
        _in_order(registration.done),
        registration.count or None,
        int(registration.skip_overdue) or None,
        _in_order(registration.cancelled) if registration.cancelled else None,
        None if frozen is None else frozen.path,
        None if frozen is None else frozen.definition,
        None if frozen is None else frozen.calendars,
        None if frozen is None or not frozen.exclusive else dump(dict(frozen.exclusive)),
    )


def _in_order(ties: frozenset[Tie]) -> str:
    return ties_text(tuple(sorted(ties, key=lambda tie: (tie.day, tie.rule))))


def registration_from(
    method: str,
    registered: str,
    catch_up: int,
    floor_start: str | None,
    floor_exec_date: str | None,
    done: str,
    count: int | None,
    skip_overdue: int | None,
    cancelled: str | None,
    frozen_path: str | None,
    frozen_definition: str | None,
    frozen_calendars: str | None,
    frozen_exclusive: str | None,
    version: int,
) -> Registration:
    """Return the registration of stored columns."""
    floor = None
    if floor_start is not None and floor_exec_date is not None:
        floor = _slot(floor_start, floor_exec_date)
    frozen = None
    if frozen_path is not None and frozen_definition is not None and frozen_calendars is not None:
        exclusive = () if frozen_exclusive is None else json.loads(frozen_exclusive).items()
        frozen = Frozen(frozen_path, frozen_definition, frozen_calendars, tuple(exclusive))
    return Registration(
        method=Method(method),
        registered=datetime.fromisoformat(registered),
        floor=floor,
        done=frozenset(ties_from(done)),
        catch_up=bool(catch_up),
        count=count or 0,
        cancelled=frozenset(ties_from(cancelled or "[]")),
        skip_overdue=bool(skip_overdue),
        frozen=frozen,
        version=version,
    )


# -- generation --


def generation_values(generation: Generation) -> tuple[object, ...]:
    """Return the stored columns of a generation that a plan decides on.

    method, phase, start, exec_date, original_start, original_exec_date, ties, kept, added, nested, holds,
    prohibited_units, attributes.
    """
    slot, original = generation.slot, generation.original
    return (
        generation.method.value,
        generation.phase.value,
        wall_text(slot.start),
        slot.exec_date.isoformat(),
        wall_text(original.start),
        original.exec_date.isoformat(),
        ties_text(generation.ties) if generation.ties else "[]",
        None if generation.kept is None else _kept_text(generation.kept),
        int(generation.added),
        _nested_text(generation.nested) if generation.nested else "{}",
        dump(dict(sorted(generation.holds.items()))) if generation.holds else "{}",
        dump(sorted(generation.prohibited)) if generation.prohibited else "[]",
        _attributes_text(generation.attributes),
    )


def generation_changes(old: Generation, new: Generation) -> dict[str, object]:
    """Return the stored columns in which one generation differs from another, with the new values."""
    found: dict[str, object] = {}
    if new.method is not old.method:
        found["method"] = new.method.value
    if new.phase is not old.phase:
        found["phase"] = new.phase.value
    if new.slot != old.slot:
        found["start"] = wall_text(new.slot.start)
        found["exec_date"] = new.slot.exec_date.isoformat()
    if new.original != old.original:
        found["original_start"] = wall_text(new.original.start)
        found["original_exec_date"] = new.original.exec_date.isoformat()
    if new.ties != old.ties:
        found["ties"] = ties_text(new.ties)
    if new.kept != old.kept:
        found["kept"] = None if new.kept is None else _kept_text(new.kept)
    if new.added != old.added:
        found["added"] = int(new.added)
    if new.nested != old.nested:
        found["nested"] = _nested_text(new.nested)
    if new.holds != old.holds:
        found["holds"] = dump(dict(sorted(new.holds.items())))
    if new.prohibited != old.prohibited:
        found["prohibited_units"] = dump(sorted(new.prohibited))
    if new.attributes != old.attributes:
        found["attributes"] = _attributes_text(new.attributes)
    return found


def generation_from(
    number: int,
    method: str,
    phase: str,
    start: str,
    exec_date: str,
    original_start: str,
    original_exec_date: str,
    ties: str,
    kept: str | None,
    added: int,
    nested: str,
    holds: str,
    prohibited: str,
    attributes: str | None,
    version: int,
) -> Generation:
    """Return the generation of stored columns."""
    slot = _slot(start, exec_date)
    moved = start != original_start or exec_date != original_exec_date
    return Generation(
        id=number,
        method=Method(method),
        slot=slot,
        original=_slot(original_start, original_exec_date) if moved else slot,
        phase=Phase(phase),
        ties=ties_from(ties),
        kept=None if kept is None else _kept(json.loads(kept)),
        added=bool(added),
        nested={} if nested == "{}" else _nested(json.loads(nested)),
        holds={} if holds == "{}" else json.loads(holds),
        prohibited=frozenset() if prohibited == "[]" else frozenset(json.loads(prohibited)),
        attributes={} if attributes is None else _attributes(json.loads(attributes)),
        version=version,
    )


def _attributes_text(temporary: Temporary) -> str | None:
    """Return what is set for each unit, None when that is nothing."""
    if not temporary:
        return None
    return dump({path: _attributes_one(temporary[path]) for path in sorted(temporary)})


def _attributes_one(attributes: Attributes) -> dict[str, object]:
    found: dict[str, object] = {name: text for name, text in attributes.texts.items() if text}
    if attributes.priority is not None:
        found["priority"] = attributes.priority
    return found


def _attributes(found: Mapping[str, Mapping[str, Any]]) -> dict[str, Attributes]:
    return {
        path: Attributes(
            priority=one.get("priority"),
            **{name: limit_from(one.get(name, "")) for name in LIMITS},
        )
        for path, one in found.items()
    }


def _kept_text(kept: Kept) -> str:
    return dump(
        {
            "start": wall_text(kept.slot.start),
            "exec_date": kept.slot.exec_date.isoformat(),
            "original_start": wall_text(kept.original.start),
            "original_exec_date": kept.original.exec_date.isoformat(),
            "ties": [[tie.rule, tie.day.isoformat()] for tie in kept.ties],
        }
    )


def _kept(found: Mapping[str, Any]) -> Kept:
    return Kept(
        slot=_slot(found["start"], found["exec_date"]),
        original=_slot(found["original_start"], found["original_exec_date"]),
        ties=_ties(found["ties"]),
    )


def _nested_text(nested: Mapping[str, NestedPlan]) -> str:
    return dump({path: _nested_one(nested[path]) for path in sorted(nested)})


def _nested_one(plan: NestedPlan) -> dict[str, object]:
    """Return what differs from a nested plan that says nothing."""
    found: dict[str, object] = {}
    if plan.start is not None:
        found["start"] = wall_text(plan.start)
    if plan.original is not None:
        found["original"] = wall_text(plan.original)
    if plan.depends:
        found["depends"] = True
    if plan.by_hand:
        found["by_hand"] = True
    if plan.passed:
        found["passed"] = [[path, shift // SECOND] for path, shift in plan.passed]
    if plan.prohibited:
        found["prohibited"] = True
    if plan.rule != 1:
        found["rule"] = plan.rule
    return found


def _nested(found: Mapping[str, Mapping[str, Any]]) -> dict[str, NestedPlan]:
    return {
        path: NestedPlan(
            start=_from_wall(one.get("start")),
            original=_from_wall(one.get("original")),
            depends=one.get("depends", False),
            by_hand=one.get("by_hand", False),
            passed=tuple((upper, shift * SECOND) for upper, shift in one.get("passed", ())),
            prohibited=one.get("prohibited", False),
            rule=one.get("rule", 1),
        )
        for path, one in found.items()
    }


# -- units of a generation that runs --


def unit_run_values(run: UnitRun) -> tuple[object, ...]:
    """Return the stored columns of a unit's run.

    status, planned, scheduled, prohibited, held, priority, watch, kill_asked, attempt, return_code, started_utc,
    ended_utc.
    """
    return (
        run.status.name,
        _wall(run.planned),
        int(run.scheduled),
        int(run.prohibited),
        int(run.held),
        run.priority,
        _watch_text(run.watch),
        None if run.kill_asked is None else run.kill_asked.operation,
        run.attempt,
        run.return_code,
        _utc(run.started),
        _utc(run.ended),
    )


def unit_run_from(
    path: str,
    status: str,
    planned: str | None,
    scheduled: int,
    prohibited: int,
    held: int,
    priority: int,
    watch: str | None,
    kill_asked: int | None,
    attempt: int,
    return_code: int | None,
    started: str | None,
    ended: str | None,
    asked_by: str | None,
    asked_why: str | None,
) -> UnitRun:
    """Return the unit's run of stored columns and, where it is to be killed, of the operation that asked for it."""
    return UnitRun(
        path=path,
        status=Status[status],
        planned=_from_wall(planned),
        scheduled=bool(scheduled),
        prohibited=bool(prohibited),
        held=bool(held),
        priority=priority,
        watch=_watch(watch),
        kill_asked=asked_from(kill_asked, asked_by, asked_why),
        attempt=attempt,
        return_code=return_code,
        started=_from_utc(started),
        ended=_from_utc(ended),
    )


def _watch_text(watch: Watch) -> str | None:
    """Return the limits of a unit, None for one that is not monitored."""
    if watch == NOT_WATCHED:
        return None
    found = {"start": _wall(watch.start), "end": _wall(watch.end), "within": watch.within}
    return dump({key: value for key, value in found.items() if value is not None})


def _watch(text: str | None) -> Watch:
    if text is None:
        return NOT_WATCHED
    found = json.loads(text)
    return Watch(_from_wall(found.get("start")), _from_wall(found.get("end")), found.get("within"))


def delays_text(delays: Delays) -> str | None:
    """Return the stored form of detected delays, None for none: ``[["report", "start"], ...]``."""
    return dump(sorted([path, delay.value] for path, delay in delays)) if delays else None


def delays_from(text: str | None) -> Delays:
    """Return the delays of a stored text."""
    return frozenset((path, Delay(delay)) for path, delay in json.loads(text or "[]"))


def asked_from(operation: int | None, by: str | None, why: str | None) -> Asked | None:
    """Return the order of an operation, or None without one."""
    return None if operation is None else Asked(operation, by or "", why or "")


def cause_text(cause: Cause) -> str:
    """Return the stored form of a cause: the name of its reason, and what that needs besides."""
    found = {"why": cause.why.name, "unit": cause.unit, "value": cause.value, "limit": cause.limit}
    return dump({key: value for key, value in found.items() if value})


def cause_from(text: str) -> Cause:
    """Return the cause of a stored text."""
    found = json.loads(text)
    return Cause(Why[found.pop("why")], **found)


# -- attempts --


def attempt_values(attempt: Attempt) -> tuple[object, ...]:
    """Return the stored columns of an attempt.

    state, place, relay, placed_utc, started_utc, ended_utc, result, why, silent_since_utc, late.
    """
    return (
        attempt.state.name,
        attempt.place,
        attempt.relay,
        _utc(attempt.placed),
        _utc(attempt.started),
        _utc(attempt.ended),
        None if attempt.result is None else _result_text(attempt.result),
        attempt.why,
        _utc(attempt.silent_since),
        None if attempt.late is None else _result_text(attempt.late),
    )


def attempt_from(
    generation: int,
    path: str,
    number: int,
    state: str,
    place: str,
    relay: str,
    placed: str | None,
    started: str | None,
    ended: str | None,
    result: str | None,
    why: str,
    silent_since: str | None,
    late: str | None,
) -> Attempt:
    """Return the attempt of stored columns."""
    return Attempt(
        generation=generation,
        path=path,
        number=number,
        state=AttemptState[state],
        place=place,
        relay=relay,
        placed=_from_utc(placed),
        started=_from_utc(started),
        ended=_from_utc(ended),
        result=None if result is None else _result(json.loads(result)),
        why=why,
        silent_since=_from_utc(silent_since),
        late=None if late is None else _result(json.loads(late)),
    )


def _result_text(result: Result) -> str:
    return dump(
        {
            "return_code": result.return_code,
            "signal": result.signal,
            "timed_out": result.timed_out,
            "killed": result.killed,
            "started": _utc(result.started),
            "ended": _utc(result.ended),
            "out_bytes": result.out_bytes,
            "err_bytes": result.err_bytes,
            "left": result.left,
            "escaped": result.escaped,
        }
    )


def _result(found: Mapping[str, Any]) -> Result:
    return Result(
        return_code=found["return_code"],
        signal=found["signal"],
        timed_out=found["timed_out"],
        killed=found.get("killed", False),
        started=_from_utc(found["started"]),
        ended=_from_utc(found["ended"]),
        out_bytes=found["out_bytes"],
        err_bytes=found["err_bytes"],
        left=found.get("left", 0),
        escaped=found.get("escaped"),
    )
