"""Registrations and the generations that wait: loading them, and storing what a change made of them.

A plan is stored by what differs from the plan that was loaded, and only while nobody changed it meanwhile: every row
has a version, and the registration's version counts every change of its root's plan. Loading and storing take a few
statements for any number of root jobnets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ajs.errors import PlanMoved
from ajs.plan import Generation, Phase, Registration, RootPlan
from ajs.store.database import Reading, Writing, id_list
from ajs.store.log import Images
from ajs.store.numbers import execution_id
from ajs.store.rows import (
    dump,
    generation_changes,
    generation_from,
    generation_values,
    registration_from,
    registration_values,
)

# Their generations that run: what has not had its turn inside them can still be changed.
RUNNING = """
    SELECT root, id, method, phase, start, exec_date, original_start, original_exec_date, ties,
           kept, added, nested, holds, prohibited_units, attributes, version
    FROM generation
    WHERE root IN (SELECT value FROM json_each(?)) AND phase = 'running'
    ORDER BY start, exec_date, id
"""

RUNNING_BY_ID = """
    SELECT root, id, method, phase, start, exec_date, original_start, original_exec_date, ties,
           kept, added, nested, holds, prohibited_units, attributes, version
    FROM generation WHERE id IN (SELECT value FROM json_each(?)) AND phase = 'running'
"""

# The registrations of some root jobnets.
REGISTRATIONS = """
    SELECT root, method, registered, catch_up, floor_start, floor_exec_date, done, count,
           skip_overdue, cancelled, frozen_path, frozen_definition, frozen_calendars, frozen_exclusive,
           version
    FROM registration WHERE root IN (SELECT value FROM json_each(?))
"""

# Their generations that can still be changed.
GENERATIONS = """
    SELECT root, id, method, phase, start, exec_date, original_start, original_exec_date, ties,
           kept, added, nested, holds, prohibited_units, attributes, version
    FROM generation
    WHERE root IN (SELECT value FROM json_each(?)) AND phase IN ('waiting', 'prohibited')
    ORDER BY start, exec_date, id
"""

# A new registration. Its version goes on from the one that the last registration of the same root had at its end.
REGISTER = """
    INSERT INTO registration (root, method, registered, catch_up, floor_start, floor_exec_date, done,
                              count, skip_overdue, cancelled, frozen_path, frozen_definition,
                              frozen_calendars, frozen_exclusive, registered_utc, registered_by, version)
    SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, at_utc, os_user,
           1 + coalesce((SELECT max(json_extract(before, '$.version')) FROM operation_row
                         WHERE tbl = 'registration' AND key = ?1), 0)
    FROM operation WHERE id = ?15
"""

CHANGE_REGISTRATION = """
    UPDATE registration
    SET method = ?, registered = ?, catch_up = ?, floor_start = ?, floor_exec_date = ?, done = ?,
        count = ?, skip_overdue = ?, cancelled = ?, frozen_path = ?, frozen_definition = ?,
        frozen_calendars = ?, frozen_exclusive = ?, version = version + 1
    WHERE root = ?
"""

# Registered anew: the instant goes with the moment that the plan counts from.
REGISTERED_ANEW = """
    UPDATE registration SET (registered_utc, registered_by) = (
        SELECT at_utc, os_user FROM operation WHERE id = ?) WHERE root = ?
"""

COUNT_UP = "UPDATE registration SET version = version + 1 WHERE root = ?"

UNREGISTER = "DELETE FROM registration WHERE root = ?"

VERSIONS = "SELECT root, version FROM registration WHERE root IN (SELECT value FROM json_each(?))"

# A generation that waits shows as waiting for its time; a prohibited one has nothing to wait for (execution.md 3.3).
ADD = """
    INSERT INTO generation (id, root, registered_for, serial, method, phase, start, exec_date,
                            original_start, original_exec_date, ties, kept, added, nested, holds,
                            prohibited_units, attributes, status, version)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
            iif(?6 = 'prohibited', 'NOPLAN', 'TIMEWAIT'), 1)
"""

# What a generation shows follows from its phase; "held at its start" is over when that start is another one.
SHOW = """
    UPDATE generation SET status = iif(phase = 'prohibited', 'NOPLAN', 'TIMEWAIT')
    WHERE id IN (SELECT value FROM json_each(?))
      AND status <> iif(phase = 'prohibited', 'NOPLAN', 'TIMEWAIT')
"""

# A run that was held at its start, and then let go of, has that on record and nothing else.
FORGET = "DELETE FROM event WHERE generation = ?"
REMOVE = "DELETE FROM generation WHERE id = ?"

# The next free generation number: numbers are never given out again.
NEXT = "SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'generation'"

SERIALS = """
    SELECT root, registered_for, last FROM serial
    WHERE (root, registered_for) IN (
        SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?))
"""

SERIAL = """
    INSERT INTO serial (root, registered_for, last) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET last = excluded.last
"""

PRESENT = """
    SELECT id, version, phase FROM generation WHERE id IN (SELECT value FROM json_each(?))
"""

LOOK_AGAIN = "nothing was changed; look at the plan again"
HAPPENED = {"running": "has started", "ended": "has ended", "gone": "has been removed"}


@dataclass(frozen=True, slots=True)
class PlanChange:
    """The plan of one root jobnet (by unit id) as it was loaded, and what it shall be; None is *not registered*.

    ``left`` are generations that are in ``before`` and no longer in ``after`` because they have started or were
    skipped: their rows stay (``runs.commit`` writes those). Others that are gone from ``after`` are removed.
    """

    root: int
    before: RootPlan | None
    after: RootPlan | None
    left: frozenset[int] = frozenset()


def load_plan(tx: Reading, root: int) -> RootPlan | None:
    """Return the plan of one root jobnet, with ids and versions; None when it is not registered."""
    return load_plans(tx, [root]).get(root)


def load_plans(tx: Reading, roots: Iterable[int]) -> dict[int, RootPlan]:
    """Return the plans of those root jobnets that are registered, by unit id, in the order given."""
    ids = list(roots)
    text = id_list(ids)
    registered = dict(tx.made(_registration, REGISTRATIONS, text))
    generations: dict[int, list[Generation]] = {}
    for root, generation in tx.made(_generation, GENERATIONS, text):
        generations.setdefault(root, []).append(generation)
    return {
        root: RootPlan(registration=registered[root], generations=tuple(generations.get(root, ())))
        for root in ids
        if root in registered
    }


def running(tx: Reading, roots: Iterable[int]) -> dict[int, list[Generation]]:
    """Return the generations of these root jobnets that run, by unit id; roots without one are left out."""
    found: dict[int, list[Generation]] = {}
    for root, generation in tx.made(_generation, RUNNING, id_list(roots)):
        found.setdefault(root, []).append(generation)
    return found


def running_by_id(tx: Reading, numbers: Iterable[int]) -> dict[int, Generation]:
    """Return those of these generations that run, by number."""
    found = tx.made(_generation, RUNNING_BY_ID, id_list(numbers))
    return {generation.id: generation for _, generation in found}


def _registration(root: int, *columns: object) -> tuple[int, Registration]:
    return root, registration_from(*columns)  # type: ignore[arg-type]  # as the query names them


def _generation(root: int, *columns: object) -> tuple[int, Generation]:
    return root, generation_from(*columns)  # type: ignore[arg-type]  # as the query names them


def save_plan(
    tx: Writing,
    root: int,
    before: RootPlan | None,
    after: RootPlan | None,
    operation: int | None,
    *,
    left: frozenset[int] = frozenset(),
) -> RootPlan | None:
    """Store one changed plan, see ``save_plans``, and return it as stored, with ids and versions."""
    return save_plans(tx, [PlanChange(root, before, after, left)], operation)[root]


def save_plans(
    tx: Writing, changes: Sequence[PlanChange], operation: int | None
) -> dict[int, RootPlan | None]:
    """Store changed plans of different root jobnets, and return them by unit id as stored, with ids and versions.

    Generations without an id are new: they get an id, and a serial number within their execution date. ``operation``
    takes the images of all rows touched; the manager's own changes have none, and cannot register a root jobnet. Raises
    PlanMoved, naming unit and run, when anything is no longer as ``before`` says; nothing was written then.
    """
    return _Saving(tx, operation).save(changes)


class _Saving:
    """What a set of changed plans means for the rows, collected and checked first, then written table by table."""

    def __init__(self, tx: Writing, operation: int | None) -> None:
        self.tx = tx
        self.operation = operation
        self.new: list[tuple[int, Generation]] = []
        self.changed: list[tuple[int, Generation, dict[str, object]]] = []
        self.removed: list[tuple[int, Generation]] = []

    def save(self, changes: Sequence[PlanChange]) -> dict[int, RootPlan | None]:
        differ = [change for change in changes if change.before != change.after]
        for change in differ:
            self._compare(change)
        self._check_registrations(differ)
        self._check_generations()
        self._write_registrations(differ)
        numbers = iter(self._write_generations())
        rows = self.tx.rows(VERSIONS, id_list(change.root for change in differ))
        versions: dict[int, int] = dict(rows)
        changed = {old.id for _, old, _ in self.changed}
        saved = {change.root: change.after for change in changes}
        for change in differ:
            if change.after is not None:
                version = versions[change.root]
                old = _by_id(change.before)
                registration = replace(change.after.registration, version=version)
                generations = tuple(
                    _as_stored(g, old.get(g.id), g.id in changed, numbers)
                    for g in change.after.generations
                )
                saved[change.root] = RootPlan(registration=registration, generations=generations)
        return saved

    def _compare(self, change: PlanChange) -> None:
        old = _by_id(change.before)
        kept = set()
        for generation in change.after.generations if change.after is not None else ():
            if generation.phase not in (Phase.WAITING, Phase.PROHIBITED):
                raise ValueError(f"a plan holds no {generation.phase.value} generation")
            if not generation.id:
                self.new.append((change.root, generation))
                continue
            kept.add(generation.id)
            before = old[generation.id]
            found = {} if before is generation else generation_changes(before, generation)
            if found:
                self.changed.append((change.root, before, found))
        gone = old.keys() - kept - change.left
        self.removed.extend((change.root, old[number]) for number in sorted(gone))

    # -- is everything still as it was read? Nobody else can write from here on. --

    def _check_registrations(self, changes: Sequence[PlanChange]) -> None:
        present: dict[int, int] = dict(
            self.tx.rows(VERSIONS, id_list(change.root for change in changes))
        )
        for change in changes:
            wanted = None if change.before is None else change.before.registration.version
            if present.get(change.root) == wanted:
                continue
            if wanted is None:
                happened = "has been registered meanwhile"
            elif change.root in present:
                happened = "has another plan than when it was read"
            else:
                happened = "is no longer registered"
            path = self._path(change.root)
            raise PlanMoved(f"{path} {happened}", hint=LOOK_AGAIN, unit=path)

    def _check_generations(self) -> None:
        touched = [(root, old) for root, old, _ in self.changed] + self.removed
        rows = self.tx.rows(PRESENT, id_list(g.id for _, g in touched))
        present = {number: (version, phase) for number, version, phase in rows}
        for root, generation in touched:
            version, phase = present.get(generation.id, (0, "gone"))
            if version == generation.version and phase not in HAPPENED:
                continue
            happened = HAPPENED.get(phase, "has been changed")
            path, name = self._path(root), execution_id(generation.id)
            raise PlanMoved(
                f"the run {path}:{name} {happened} since it was read",
                hint=LOOK_AGAIN,
                unit=path,
                value=name,
            )

    def _path(self, root: int) -> str:
        row = self.tx.row("SELECT path FROM unit WHERE id = ?", root)
        return str(row[0]) if row else f"unit {root}"

    # -- writing --

    def _write_registrations(self, changes: Sequence[PlanChange]) -> None:
        made: list[tuple[object, ...]] = []
        altered: list[tuple[object, ...]] = []
        counted: list[int] = []
        ended: list[int] = []
        new_roots: list[int] = []
        old_roots: list[int] = []
        anew: list[tuple[object, ...]] = []
        for change in changes:
            if change.after is None:
                ended.append(change.root)
                continue
            new = change.after.registration
            if change.before is None:
                made.append((change.root, *registration_values(new), self.operation))
                new_roots.append(change.root)
            elif _same(change.before.registration, new):
                counted.append(change.root)
            else:
                altered.append((*registration_values(new), change.root))
                old_roots.append(change.root)
                if new.registered != change.before.registration.registered:
                    anew.append((self.operation, change.root))
        if made and self.operation is None:
            raise ValueError("only an operation registers a jobnet: it says who and when")
        with Images(self.tx, self.operation, "registration", old_roots + ended) as images:
            self.tx.run_many(CHANGE_REGISTRATION, altered)
            self.tx.run_many(REGISTERED_ANEW, anew)
            self.tx.run_many(COUNT_UP, [(root,) for root in counted])
            self.tx.run_many(UNREGISTER, [(root,) for root in ended])
            self.tx.run_many(REGISTER, made)
            images.made.extend(new_roots)

    def _write_generations(self) -> list[int]:
        """Write the generations that differ and return the ids of the new ones, in order."""
        touched = [old.id for _, old, _ in self.changed] + [old.id for _, old in self.removed]
        with Images(self.tx, self.operation, "generation", touched) as images:
            self._change()
            self.tx.run_many(FORGET, [(g.id,) for _, g in self.removed])
            self.tx.run_many(REMOVE, [(g.id,) for _, g in self.removed])
            numbers = self._add()
            images.made.extend(numbers)
        return numbers

    def _change(self) -> None:
        """Update only the columns that differ: indexes and checks of the others need no look then."""
        alike: dict[tuple[str, ...], list[tuple[object, ...]]] = {}
        for _, old, found in self.changed:
            alike.setdefault(tuple(found), []).append((*found.values(), old.id))
        for columns, rows in alike.items():
            self.tx.run_many(_change(columns), rows)
        shown = [old.id for _, old, found in self.changed if "phase" in found or "start" in found]
        self.tx.run(SHOW, id_list(shown))

    def _add(self) -> list[int]:
        if not self.new:
            return []
        first = self.tx.rows(NEXT)[0][0]
        days = [(root, g.slot.exec_date.isoformat()) for root, g in self.new]
        last = {(root, day): n for root, day, n in self.tx.rows(SERIALS, dump(sorted(set(days))))}
        rows = []
        for number, (key, (_, generation)) in enumerate(zip(days, self.new, strict=True), first):
            last[key] = serial = last.get(key, 0) + 1
            rows.append((number, *key, serial, *generation_values(generation)))
        self.tx.run_many(ADD, rows)
        self.tx.run_many(SERIAL, [(*key, last[key]) for key in sorted(set(days))])
        return [row[0] for row in rows]


def _as_stored(
    after: Generation, before: Generation | None, changed: bool, numbers: Iterator[int]
) -> Generation:
    if before is None:
        return replace(after, id=next(numbers), version=1)
    return replace(after, version=before.version + 1) if changed else before


def _same(before: Registration, after: Registration) -> bool:
    return before is after or replace(after, version=before.version) == before


def _change(columns: Sequence[str]) -> str:
    """Return the statement that changes these columns of a generation."""
    assigned = "".join(f"{column} = ?, " for column in columns)
    # The names come from ``generation_changes``; nothing from outside gets into this text.
    return f"UPDATE generation SET {assigned}version = version + 1 WHERE id = ?"  # noqa: S608


def _by_id(plan: RootPlan | None) -> dict[int, Generation]:
    return {} if plan is None else {g.id: g for g in plan.generations}


def registered_roots(tx: Reading) -> list[int]:
    """Return the unit ids of all root jobnets that are registered, in order of path."""
    sql = "SELECT r.root FROM registration AS r JOIN unit ON unit.id = r.root ORDER BY path"
    return [row[0] for row in tx.rows(sql)]
