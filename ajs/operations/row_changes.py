"""What an operation changed, told from the rows as they were before and after it, and what it asked to be killed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ajs.store import show as stored
from ajs.store.database import Reading
from ajs.store.log import Image
from ajs.store.numbers import execution_id

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChange:
    """One thing that an operation changed.

    ``what`` is a word for machines, see ``render.history.WORDS``; ``unit`` a full path, or the name of an agent,
    agent group or destination; ``run`` the execution ID of
    the run that it is about, or "". ``before`` and ``after`` are texts; times are wall-clock ISO text.
    """

    what: str
    unit: str
    run: str = ""
    before: str = ""
    after: str = ""


def changes_of(image: Image, root: str) -> tuple[RowChange, ...]:
    """Return what differs between the two sides of an image; ``root`` is the full path of what the row belongs to."""
    match image.table:
        case "generation":
            return tuple(_generation(image, root))
        case "registration":
            return tuple(_registration(image, root))
        case "agent_definition":
            return tuple(_agent(image))
        case _:
            return tuple(_unit(image))


def kills(tx: Reading, operation: int) -> tuple[RowChange, ...]:
    """Return what an operation asked to be killed: what went on at that moment in the units that it named."""
    return tuple(
        RowChange(what="killed", unit=_full(root, path), run=execution_id(number))
        for root, number, path in stored.killed_by(tx, operation)
    )


# -- generations --


def _generation(image: Image, root: str) -> Iterator[RowChange]:
    was, now, run = image.before, image.after, execution_id(image.key)
    if was is None or now is None:
        yield RowChange(
            what="run_removed" if now is None else "run_made",
            unit=root,
            run=run,
            before=_place(was) if was else "",
            after=_place(now) if now else "",
        )
        if now is not None:
            yield from _changed_units({}, now, root, run)
        return
    if was["phase"] != now["phase"]:
        yield RowChange(
            what="run_phase", unit=root, run=run, before=was["phase"], after=now["phase"]
        )
    if _place(was) != _place(now):
        yield RowChange(what="moved", unit=root, run=run, before=_place(was), after=_place(now))
    kept = [json.loads(side["kept"])["start"] if side["kept"] else "" for side in (was, now)]
    if kept[0] != kept[1]:
        yield RowChange(what="also", unit=root, run=run, before=kept[0], after=kept[1])
    if was["interrupted"] != now["interrupted"]:
        yield RowChange(
            what="interrupted",
            unit=root,
            run=run,
            before=_yes(was["interrupted"]),
            after=_yes(now["interrupted"]),
        )
    if was["status"] != now["status"] and was["phase"] == now["phase"]:
        yield RowChange(
            what="status", unit=root, run=run, before=was["status"], after=now["status"]
        )
    yield from _changed_units(was, now, root, run)


def _changed_units(was: Row, now: Row, root: str, run: str) -> Iterator[RowChange]:
    """Yield the changes of holds, attributes, prohibitions and nested starts."""
    old_holds, holds = _loaded(was, "holds", {}), _loaded(now, "holds", {})
    for path in sorted(old_holds.keys() | holds.keys()):
        sides = [_HOLD.get(side.get(path), "") for side in (old_holds, holds)]
        if sides[0] != sides[1]:
            unit = _full(root, path)
            yield RowChange(what="hold", unit=unit, run=run, before=sides[0], after=sides[1])
    yield from _changed_attributes(was, now, root, run)
    old, new = (set(_loaded(side, "prohibited_units", [])) for side in (was, now))
    old_nested, nested = _loaded(was, "nested", {}), _loaded(now, "nested", {})
    old |= {path for path, plan in old_nested.items() if plan.get("prohibited")}
    new |= {path for path, plan in nested.items() if plan.get("prohibited")}
    for path in sorted(old ^ new):
        yield RowChange(
            what="prohibition",
            unit=_full(root, path),
            run=run,
            before=_yes(path in old),
            after=_yes(path in new),
        )
    for path in sorted(old_nested.keys() & nested.keys()):
        starts = [side[path].get("start", "") for side in (old_nested, nested)]
        if starts[0] != starts[1]:
            yield RowChange(
                what="moved", unit=_full(root, path), run=run, before=starts[0], after=starts[1]
            )


def _changed_attributes(was: Row, now: Row, root: str, run: str) -> Iterator[RowChange]:
    """Yield what was temporarily set, attribute by attribute; images that older versions made have none."""
    old, new = (json.loads(side.get("attributes") or "{}") for side in (was, now))
    for path in sorted(old.keys() | new.keys()):
        sides = [side.get(path, {}) for side in (old, new)]
        for name in sorted(sides[0].keys() | sides[1].keys()):
            before, after = (str(side.get(name, "")) for side in sides)
            if before != after:
                yield RowChange(
                    what=name, unit=_full(root, path), run=run, before=before, after=after
                )


_HOLD = {True: "held", False: "released"}


def _place(row: Row) -> str:
    """Return start and, where it is another day, execution date of a stored run."""
    start: str = row["start"]
    return start if start[:10] == row["exec_date"] else f"{start} {row['exec_date']}"


def _loaded(row: Row, key: str, empty: Any) -> Any:
    return json.loads(row[key]) if key in row else empty


def _full(root: str, path: str) -> str:
    return f"{root}/{path}" if path else root


def _yes(said: Any) -> str:
    return "yes" if said else "no"


# -- registrations and units --


def _registration(image: Image, root: str) -> Iterator[RowChange]:
    was, now = image.before, image.after
    if was is None or now is None:
        yield RowChange(
            what="registration",
            unit=root,
            before=was["method"] if was else "",
            after=now["method"] if now else "",
        )
        return
    for key in ("method", "count", "floor_start", "catch_up", "done", "cancelled"):
        # Images that older versions made lack what came later.
        if was.get(key) != now.get(key):
            what = {
                "method": "registration",
                "count": "generations",
                "floor_start": "passed_by",
            }.get(key, "plan")
            sides = [str(side.get(key) or "") if what != "plan" else "" for side in (was, now)]
            yield RowChange(what=what, unit=root, before=sides[0], after=sides[1])


def _there(row: Row | None) -> Row | None:
    """Return the row of a unit, or None for one that was deleted."""
    return None if row is None or row.get("deleted") is not None else row


def _group(row: Row) -> Row:
    """Return a unit's row with a group's calendar as ``body`` and whether it is a planning group beside it."""
    body = json.loads(row["body"] or "{}")
    return {**row, "planning": body.pop("planning", False), "body": body}


UNIT_COLUMNS = {"comment": "comment", "body": "calendar", "position": "order"}


def _unit(image: Image) -> Iterator[RowChange]:
    was, now = (_there(side) for side in (image.before, image.after))
    if was is None or now is None:
        one = now or was
        if one is not None:
            what = "unit_removed" if now is None else "unit_added"
            yield RowChange(what=what, unit=one["path"])
        return
    if was["path"] != now["path"]:
        yield RowChange(what="renamed", unit=now["path"], before=was["path"], after=now["path"])
    if was["definition"] != now["definition"]:
        yield RowChange(
            what="definition",
            unit=now["path"],
            before=(was["definition"] or "")[:12],
            after=(now["definition"] or "")[:12],
        )
    was, now = _group(was), _group(now)
    if was["planning"] != now["planning"]:
        sides = [_yes(side["planning"]) for side in (was, now)]
        yield RowChange(what="planning_group", unit=now["path"], before=sides[0], after=sides[1])
    for column, what in UNIT_COLUMNS.items():
        if was[column] != now[column]:
            said = column == "comment"
            yield RowChange(
                what=what,
                unit=now["path"],
                before=was[column] if said else "",
                after=now[column] if said else "",
            )


# -- agents, agent groups, destinations --


def _agent(image: Image) -> Iterator[RowChange]:
    was, now = image.before, image.after
    if was is None or now is None:
        one = now or was
        if one is not None:
            what = "removed" if now is None else "added"
            yield RowChange(what=f"{one['kind']}_{what}", unit=one["name"])
        return
    old, new = (json.loads(side["body"]) for side in (was, now))
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) != new.get(key):
            sides = [_said(key, side.get(key, "")) for side in (old, new)]
            yield RowChange(what=key, unit=now["name"], before=sides[0], after=sides[1])


def _said(key: str, value: Any) -> str:
    """Return a stored value of an agent as a text; what is not stored has its default."""
    if key == "members":
        return ", ".join(f"{agent}:{priority}" for agent, priority in value)
    if isinstance(value, list):
        return ", ".join(value)
    return str(value)
