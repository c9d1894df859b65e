"""What ``ajsshow`` reads: the generations asked for, and all that is said of them, as plain rows.

Nothing of the core is loaded for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from ajs.operations.targets import Name, by_registration_number
from ajs.statuses import Status, holds_next
from ajs.store import show as stored
from ajs.store import units
from ajs.store.before import runs_before
from ajs.store.numbers import execution_id
from ajs.store.show import (
    NOTHING_HELD,
    AttemptRow,
    GenerationRow,
    HeldUnits,
    OnAgent,
    RegistrationRow,
    UnitRunRow,
)
from ajs.store.units import Unit

if TYPE_CHECKING:
    from ajs.causes import Asked
    from ajs.operations.service import Service
    from ajs.store.database import Reading

ALL = 1 << 62
"""As many generations as there are."""


class Which(NamedTuple):
    """Which generations of each root jobnet: without anything said the one that counts now.

    ``newest`` so many of the latest starts; ``number`` the one with that registration number; ``since`` and ``until``
    (both included, either may be "") days of the calendar, or execution dates with ``by_exec_date``.
    """

    newest: int = 0
    number: str = ""
    since: str = ""
    until: str = ""
    by_exec_date: bool = False

    @property
    def searches(self) -> bool:
        """Whether units without such a generation are left out; job groups stay where something in them is shown."""
        return bool(self.number or self.since or self.until)


class Plan(NamedTuple):
    """What a generation's plan says of the units below its root, by relative path."""

    nested: dict[str, dict[str, Any]]
    holds: dict[str, bool]
    attributes: dict[str, dict[str, Any]]
    prohibited: frozenset[str]


class Rows:
    """What is stored of the units on a page, read within one consistent look."""

    def __init__(self, tx: Reading, service: Service, which: Which) -> None:
        self.tx = tx
        self.service = service
        self.which = which
        self.registered: dict[int, RegistrationRow] = {}
        self.generations: dict[int, list[GenerationRow]] = {}
        self.roots: dict[int, Unit] = {}
        self.by_id: dict[int, str] = {}
        self.runs: dict[tuple[int, str], UnitRunRow] = {}
        self.started: set[int] = set()
        self.holding: dict[str, HeldUnits] = {}
        self.held_after: dict[int, str] = {}
        self.plans: dict[int, Plan] = {}
        self.attempts: dict[tuple[int, str], AttemptRow] = {}
        self.agents: dict[tuple[int, str], OnAgent] = {}
        self.following: dict[int, GenerationRow] = {}
        self.prohibited: dict[int, list[str]] = {}
        self.beside: dict[int, tuple[int, int]] = {}
        self.orders: dict[tuple[int, str, str], Asked] = {}

    def plan(self, row: GenerationRow) -> Plan:
        """Return what a generation's plan says of the units below its root."""
        found = self.plans.get(row.id)
        if found is None:
            found = Plan(
                loaded(row.nested),
                loaded(row.holds),
                loaded(row.attributes or "{}"),
                frozenset(loaded(row.prohibited_units)),
            )
            self.plans[row.id] = found
        return found

    def shown(self, root: int) -> list[GenerationRow]:
        """Return the generations of a root jobnet that are shown, newest first.

        What ended before a registration was cancelled is shown only to who asks for it; what goes on always is.
        """
        rows = self.generations.get(root, [])
        asked = self.which != Which() or root in self.by_id
        if asked or root in self.registered:
            return rows
        return [row for row in rows if row.phase == "running"]

    def load(
        self, every: list[Unit], named: dict[int, Name], *, attempts: bool, following: bool
    ) -> None:
        """Read what there is to say of all these units; ``named`` are those that were asked for by name."""
        ids = {unit.root for unit in every if unit.root is not None}
        if not ids:
            return
        self.roots = units.by_id(self.tx, ids)
        self.registered = {row.root: row for row in stored.registrations(self.tx, ids)}
        for row in self._generations(every, named):
            self.generations.setdefault(row.root, []).append(row)
        for rows in self.generations.values():
            rows.reverse()
        every_row = [row for rows in self.generations.values() for row in rows]
        inside = {inner_path(unit, self.roots) for unit in every if unit.root is not None}
        one = next(iter(inside)) if len(inside) == 1 else None
        begun = [row.id for row in every_row if row.phase in ("running", "ended")]
        if begun:
            self.orders = stored.orders(self.tx, begun)
        if begun and inside != {""}:
            found = stored.on_agents(self.tx, begun, one)
            self.agents = {(a.generation, a.path): a for a in found}
        if inside != {""}:
            for run in stored.unit_runs(self.tx, begun, one):
                self.runs[run.generation, run.path] = run
                self.started.add(run.generation)
        waiting = {self.roots[row.root].definition for row in every_row if row.phase == "waiting"}
        waiting |= {row.definition for row in every_row if row.phase == "running"}
        self.holding = stored.held_by_definition(self.tx, filter(None, waiting))
        self._load_held_after(every_row)
        if attempts:
            rows_ = stored.attempts(self.tx, [row.id for row in every_row], one)
            self.attempts = {(row.generation, row.path): row for row in rows_}
        if following:
            for row in stored.generations(self.tx, ids, phase="waiting"):
                self.following.setdefault(row.root, row)
        if self.which == Which():
            self._load_prohibited(ids - self.by_id.keys())
            self.beside = stored.beside(self.tx, ids - self.by_id.keys())

    def _load_held_after(self, rows: list[GenerationRow]) -> None:
        """Note the run because of whose end a run that waits is held, or will be at its start."""
        asking = {
            row.id: hold_if
            for row in rows
            if row.phase == "waiting" and (hold_if := self.held(row).hold_if)
        }
        for number, (before, status) in (runs_before(self.tx, asking) if asking else {}).items():
            if holds_next(Status[status], asking[number]):
                self.held_after[number] = execution_id(before)

    def held(self, row: GenerationRow) -> HeldUnits:
        """Return what is held by the definition that counts for a generation."""
        definition = row.definition or self.roots[row.root].definition
        return self.holding.get(definition or "", NOTHING_HELD)

    def _load_prohibited(self, ids: set[int]) -> None:
        """Note the starts of the prohibited runs that are still to come."""
        found = stored.prohibited(self.tx, ids)
        if not found:
            return  # So a look at what has none does not pay for the clock.
        now = self.service.clock.now().wall.isoformat()
        for root, start in found:
            if start > now:
                self.prohibited.setdefault(root, []).append(start)

    def _generations(self, every: list[Unit], named: dict[int, Name]) -> Iterable[GenerationRow]:
        """Return the generations asked for, in order of start."""
        ids = {unit.root for unit in every if unit.root is not None}
        which = self.which
        self.by_id = {
            unit.root: named[unit.id].execution_id
            for unit in every
            if unit.root is not None and unit.id in named and named[unit.id].execution_id
        }
        if self.by_id:
            rest = [root for root in ids if root not in self.by_id]
            chosen = [stored.generation(self.tx, self.roots[r], i) for r, i in self.by_id.items()]
            return [*chosen, *stored.current(self.tx, rest)]
        if which.number:
            return [
                stored.generation(self.tx, self.roots[root], execution_id(number))
                for root in ids
                for number in (by_registration_number(self.tx, self.roots[root], which.number),)
            ]
        if which.newest:
            return stored.generations(self.tx, ids, newest=which.newest)
        if which.searches:
            return self._in_period(ids)
        return stored.current(self.tx, ids)

    def _in_period(self, ids: set[int]) -> list[GenerationRow]:
        from datetime import date, timedelta

        which = self.which
        # An execution date is at most two days from the start, whatever the base time and the length of the day.
        slack = timedelta(days=3 if which.by_exec_date else 0)
        since = (date.fromisoformat(which.since) - slack).isoformat() if which.since else None
        until = None
        if which.until:
            until = (date.fromisoformat(which.until) + slack + timedelta(days=1)).isoformat()
        rows = stored.generations(self.tx, ids, since=since, until=until)
        if not which.by_exec_date:
            return rows
        last = which.until or "9999"
        return [row for row in rows if which.since <= row.exec_date <= last]


def inner_path(unit: Unit, roots: dict[int, Unit]) -> str:
    """Return the unit's path relative to its root jobnet."""
    root = roots[unit.root] if unit.root is not None else unit
    return unit.path[len(root.path) + 1 :]


def loaded(text: str) -> Any:
    """Return what a stored JSON text says; most say nothing, which needs no reader."""
    if text == "{}":
        return {}
    if text == "[]":
        return []
    import json

    return json.loads(text)
