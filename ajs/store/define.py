"""Putting definitions in: what was given is compared with what is stored, and only what differs is written.

A unit keeps its id for as long as it has its path, and through a renaming (``was``); its history hangs on that id. One
that was deleted and is defined again gets its own id back, and nothing else of what it had. No unit goes because it is
absent from what was given, but inside a root jobnet that was given the stored units become those of its new definition.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from ajs.agents import Agents
from ajs.definition.stored import group_to_json, jobnet_to_json
from ajs.errors import Refused, WrongKind
from ajs.model import Job, JobGroup, RootDefinition, Script, groups_above, parent
from ajs.store import agents as stored_agents
from ajs.store.agents import Named
from ajs.store.database import Writing
from ajs.store.log import Images
from ajs.store.rows import dump
from ajs.store.units import GROUP, JOB, JOBNET, ROOT

# Every group and root jobnet, and the units inside some root jobnets; deleted ones too.
STORED_TOP = """
    SELECT id, path, kind, upper, root, position, comment, body, definition, deleted FROM unit
    WHERE kind IN ('group', 'root')
"""
STORED_INSIDE = """
    SELECT id, path, kind, upper, root, position, comment, body, definition, deleted FROM unit
    WHERE root IN (SELECT value FROM json_each(?)) AND kind NOT IN ('group', 'root')
"""

NEXT = "SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'unit'"

ADD = """
    INSERT INTO unit (id, path, name, kind, upper, root, position, comment, body, definition, deleted,
                      version)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)
"""

# Paths are unique at every step, so what is renamed goes out of the way first.
PARK = "UPDATE unit SET path = '/' || char(1) || id WHERE id = ?"

CHANGE = """
    UPDATE unit
    SET path = ?, name = ?, kind = ?, upper = ?, root = ?, position = ?, comment = ?, body = ?,
        definition = ?, deleted = ?, version = version + 1
    WHERE id = ?
"""

# A root jobnet below a group that is registered otherwise than for fixed execution.
NOT_FIXED = """
    SELECT u.path, r.method FROM registration AS r JOIN unit AS u ON u.id = r.root
    WHERE r.method <> 'fixed' AND u.path >= ?1 || '/' AND u.path < ?1 || '0'
    ORDER BY u.path LIMIT 1
"""

NAMES = {GROUP: "a job group", ROOT: "a root jobnet"}

REMOVE = "DELETE FROM unit WHERE id = ?"

# A unit and all below it, and which of them are root jobnets that ran or were to run.
TREE = """
    SELECT id, path, kind, upper, root, position, comment, body, definition, deleted FROM unit
    WHERE path = ?1 OR (path >= ?1 || '/' AND path < ?1 || '0')
"""
USED = """
    SELECT value FROM json_each(?)
    WHERE EXISTS (SELECT 1 FROM generation WHERE root = value)
       OR EXISTS (SELECT 1 FROM serial WHERE root = value)
       OR EXISTS (SELECT 1 FROM fate WHERE root = value)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Defined:
    """What a set of definitions changed, by full path, in order.

    ``added``, ``changed`` and ``renamed`` (old, new) are job groups and root jobnets; a renamed one is also in
    ``changed`` when more than its name differs; ``not_renamed`` (old, new) are new ones whose old name is not there.
    ``units_added`` and ``units_removed`` are nested jobnets and jobs.
    ``roots`` are the ids of the stored root jobnets whose definition is another one now.
    """

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    not_renamed: tuple[tuple[str, str], ...] = ()
    unchanged: int = 0
    units_added: tuple[str, ...] = ()
    units_removed: tuple[str, ...] = ()
    roots: tuple[int, ...] = ()
    calendars: tuple[str, ...] = ()
    """Job groups whose calendar is another one now."""
    agents_added: tuple[Named, ...] = ()
    agents_changed: tuple[Named, ...] = ()

    @property
    def anything(self) -> bool:
        """Whether anything differs from what was stored."""
        return bool(
            self.added
            or self.changed
            or self.renamed
            or self.units_added
            or self.units_removed
            or self.agents_added
            or self.agents_changed
        )


class _Row(NamedTuple):
    """A unit as it is stored or shall be, without its version; ``id`` 0 is a new one."""

    id: int
    path: str
    kind: str
    upper: int | None
    root: int | None
    position: int
    comment: str
    body: str | None
    definition: str | None
    deleted: int | None = None


def definition_hash(body: str) -> str:
    """Return the hash that a definition's stored text is known by."""
    return hashlib.sha256(body.encode()).hexdigest()


def apply_definitions(
    tx: Writing,
    groups: Sequence[JobGroup],
    roots: Sequence[RootDefinition],
    scripts: Sequence[Script],
    operation: int,
    agents: Agents = Agents(),
) -> Defined:
    """Store definitions that were read and checked, and return what they changed.

    Groups above that were not given and do not exist are made, without settings. Raises WrongKind when a path or a name
    is stored as something else, Refused when a renaming cannot be meant, or when an agent that is named has gone since
    the definitions were checked.
    """
    found = stored_agents.put(tx, agents, operation)
    defined = _Defining(tx, operation).run(groups, roots, scripts)
    missing = stored_agents.missing(tx) if agents != Agents() or roots else None
    if missing is not None:
        raise Refused(
            f"{missing.user} names {missing.key} {missing.name}, which is not there",
            hint="run the command again to see where it is named",
            unit=missing.user,
            value=missing.name,
        )
    return replace(
        defined,
        unchanged=defined.unchanged + found.unchanged,
        agents_added=found.added,
        agents_changed=found.changed,
    )


class _Defining:
    """One load of definitions: stored rows by path, and the rows to write."""

    def __init__(self, tx: Writing, operation: int) -> None:
        self.tx = tx
        self.operation = operation
        rows = [_Row(*row) for row in tx.rows(STORED_TOP)]
        self.stored = {row.path: row for row in rows}
        self.was = {row.id: row for row in rows}
        self.next_id: int = tx.rows(NEXT)[0][0]
        self.renamed: list[tuple[str, str]] = []
        self.not_renamed: list[tuple[str, str]] = []
        self.written: list[_Row] = []
        self.removed: list[_Row] = []

    def run(
        self,
        groups: Sequence[JobGroup],
        roots: Sequence[RootDefinition],
        scripts: Sequence[Script],
    ) -> Defined:
        self._rename(roots)
        for group in self._with_missing(groups, roots):
            self._group(group)
        bodies = {root.path: jobnet_to_json(root.jobnet) for root in roots}
        hashes = {path: definition_hash(body) for path, body in bodies.items()}
        tops = [self._root(root, hashes[root.path]) for root in roots]
        inside = self._stored_inside([row for row in tops if row.id in self.was])
        for root, top in zip(roots, tops, strict=True):
            self._inside(root, top, inside.get(top.id, {}))
        self.tx.run_many(
            "INSERT INTO definition (hash, body) VALUES (?, ?) ON CONFLICT DO NOTHING",
            [(hashes[path], body) for path, body in bodies.items()],
        )
        self.tx.run_many(
            "INSERT INTO script (sha256, content) VALUES (?, ?) ON CONFLICT DO NOTHING",
            [(script.sha256, script.content) for script in scripts],
        )
        self._write()
        return self._outcome(len(groups) + len(roots))

    # -- renaming --

    def _rename(self, roots: Sequence[RootDefinition]) -> None:
        """Give stored root jobnets their new paths, ids kept.

        A renaming happens when the old path is stored and the new one is free, or becomes free by another renaming;
        after that it has happened, and the same files can be loaded again.
        """
        wanted = {
            root.path: root.was
            for root in roots
            if self._is_there(root.was) and root.was != root.path
        }
        _refuse_doubtful(wanted)
        self.not_renamed += [
            (root.was, root.path)
            for root in roots
            if root.was and not self._is_there(root.was) and not self._is_there(root.path)
        ]
        given = {root.path for root in roots}
        moves: dict[str, str] = {}
        while True:
            vacated = set(moves.values())
            free = [
                new
                for new in wanted
                if new not in moves and (new not in self.stored or new in vacated)
            ]
            if not free:
                break
            moves |= {new: wanted[new] for new in free}
        for new, old in wanted.items():
            if new not in moves and old not in given:
                raise Refused(
                    f"{new} was {old}, but both are stored, each with its own history",
                    hint="take the line `was:` out, or give the jobnet another new name",
                    unit=new,
                    value=old,
                )
        rows = {new: self.stored[old] for new, old in moves.items()}
        for old in moves.values():
            del self.stored[old]
        for new, row in rows.items():
            self._expect(row, ROOT, row.path)
            self.stored[new] = row
            self.renamed.append((row.path, new))

    # -- job groups and root jobnets --

    def _with_missing(
        self, groups: Sequence[JobGroup], roots: Sequence[RootDefinition]
    ) -> list[JobGroup]:
        """Return the groups with those above them that nobody has defined, upper before lower."""
        given = {group.path: group for group in groups}
        paths = [group.path for group in groups] + [root.path for root in roots]
        above = {upper for path in paths for upper in groups_above(path)}
        missing = {path for path in above - given.keys() if not self._is_there(path)}
        made = {path: JobGroup(path=path) for path in missing}
        for path in above - given.keys() - missing:
            self._expect(self.stored[path], GROUP, path)
        return sorted((given | made).values(), key=lambda group: group.path)

    def _group(self, group: JobGroup) -> None:
        old = self._old(group.path, GROUP)
        kept = old if old and old.deleted is None else None
        if group.planning:
            self._refuse_not_fixed(group.path)
        own = group_to_json(group, kept.body if kept else None)
        comment = group.comment
        if comment is None:
            comment = kept.comment if kept else ""
        upper = None if group.path == "/" else self.stored[parent(group.path)].id
        row = _Row(
            old.id if old else self._new_id(),
            *(group.path, GROUP, upper, None, 0, comment, own, None),
        )
        self._put(row, old)

    def _refuse_not_fixed(self, group: str) -> None:
        """Refuse to make a planning group of one in which a jobnet is registered otherwise (rule book 6.1)."""
        found = self.tx.row(NOT_FIXED, group)
        if found is not None:
            path, method = found
            raise Refused(
                f"{group} cannot be a planning group: {path}, which is in it, is registered for {method} execution",
                hint=f"cancel that registration first: ajsleave {path}",
                unit=path,
            )

    def _root(self, root: RootDefinition, key: str) -> _Row:
        old = self._old(root.path, ROOT)
        number = old.id if old else self._new_id()
        upper = self.stored[parent(root.path)].id
        row = _Row(
            *(number, root.path, ROOT, upper, number, 0, root.jobnet.comment, None, key),
        )
        self._put(row, old)
        return row

    def _put(self, row: _Row, old: _Row | None) -> None:
        self.stored[row.path] = row
        if row != old:
            self.written.append(row)

    def _new_id(self) -> int:
        self.next_id += 1
        return self.next_id - 1

    def _is_there(self, path: str) -> bool:
        row = self.stored.get(path)
        return row is not None and row.deleted is None

    def _old(self, path: str, kind: str) -> _Row | None:
        """Return the row that the unit with this path has already, there or deleted; raises WrongKind."""
        old = self.stored.get(path)
        if old is None or old.kind == kind:
            return old
        if old.deleted is None:
            self._expect(old, kind, path)
        self._forget(path, kind)
        return None

    def _forget(self, path: str, kind: str) -> None:
        """Remove the rows of a deleted unit whose name another kind of unit takes, unless anything ran in it."""
        rows = [_Row(*values) for values in self.tx.rows(TREE, path)]
        used = self.tx.rows(USED, dump([row.id for row in rows if row.kind == ROOT]))
        if used:
            raise WrongKind(
                f"{path} was {NAMES[self.stored[path].kind]} until it was deleted, and what ran in it is kept; "
                f"it cannot become {NAMES[kind]}",
                hint="give the new unit another name",
                unit=path,
            )
        self.was |= {row.id: row for row in rows}
        self.removed.extend(rows)
        for row in rows:
            self.stored.pop(row.path, None)

    def _expect(self, row: _Row, kind: str, path: str) -> None:
        if row.kind != kind:
            raise WrongKind(
                f"{path} is stored as {NAMES[row.kind]} and cannot become {NAMES[kind]}",
                hint="give the new unit another name",
                unit=path,
            )

    # -- what lies inside root jobnets --

    def _stored_inside(self, tops: Iterable[_Row]) -> dict[int, dict[str, _Row]]:
        """Return the units stored inside these root jobnets, by root id and path relative to the root."""
        old_paths = {row.id: self.was[row.id].path for row in tops}
        found: dict[int, dict[str, _Row]] = {}
        for values in self.tx.rows(STORED_INSIDE, dump(sorted(old_paths))):
            row = _Row(*values)
            self.was[row.id] = row
            assert row.root is not None  # noqa: S101  the query asks for it
            relative = row.path[len(old_paths[row.root]) + 1 :]
            found.setdefault(row.root, {})[relative] = row
        return found

    def _inside(self, root: RootDefinition, top: _Row, stored: dict[str, _Row]) -> None:
        ids = {"": top.id}
        counts: dict[str, int] = {}
        for relative, unit in root.jobnet.walk():
            above = relative.rpartition("/")[0]
            old = stored.pop(relative, None)
            number = ids[relative] = old.id if old else self._new_id()
            position = counts[above] = counts.get(above, -1) + 1
            kind = JOB if isinstance(unit, Job) else JOBNET
            path = f"{root.path}/{relative}"
            row = _Row(
                *(number, path, kind, ids[above], top.id, position, unit.comment, None, None),
            )
            if row != old:
                self.written.append(row)
        self.removed.extend(stored.values())

    # -- writing --

    def _write(self) -> None:
        changed = [row for row in self.written if row.id in self.was]
        new = [row for row in self.written if row.id not in self.was]
        moved = [(row.id,) for row in changed if row.path != self.was[row.id].path]
        touched = [row.id for row in (*changed, *self.removed)]
        with Images(self.tx, self.operation, "unit", touched) as images:
            self.tx.run_many(REMOVE, [(row.id,) for row in self.removed])
            self.tx.run_many(PARK, moved)
            self.tx.run_many(CHANGE, [(*_columns(row), row.id) for row in changed])
            self.tx.run_many(ADD, [(row.id, *_columns(row)) for row in new])
            images.made.extend(row.id for row in new)

    def _outcome(self, given: int) -> Defined:
        tops = [row for row in self.written if row.kind in (GROUP, ROOT)]
        added = [row.path for row in tops if self._is_new(row)]
        altered = [row for row in tops if not self._is_new(row) and self._more_than_moved(row)]
        touched = {row.path for row in tops}
        return Defined(
            added=tuple(added),
            changed=tuple(row.path for row in altered),
            renamed=tuple(self.renamed),
            not_renamed=tuple(self.not_renamed),
            unchanged=max(given - len(touched), 0),
            units_added=tuple(
                row.path
                for row in self.written
                if row.kind not in (GROUP, ROOT) and self._is_new(row)
            ),
            units_removed=tuple(sorted(row.path for row in self.removed if row.deleted is None)),
            roots=tuple(row.id for row in altered if row.definition != self.was[row.id].definition),
            calendars=tuple(row.path for row in altered if row.body != self.was[row.id].body),
        )

    def _is_new(self, row: _Row) -> bool:
        """Whether the unit was not there before; a deleted one was not."""
        old = self.was.get(row.id)
        return old is None or old.deleted is not None

    def _more_than_moved(self, row: _Row) -> bool:
        old = self.was[row.id]
        return row != old._replace(path=row.path, upper=row.upper)


def _columns(row: _Row) -> tuple[object, ...]:
    name = row.path.rpartition("/")[2] or "/"
    return (row.path, name, *row[2:])


def _refuse_doubtful(wanted: dict[str, str]) -> None:
    """Refuse two renamings from one name, and circles of them: a second load would turn those back."""
    origin: dict[str, str] = {}
    for new, old in wanted.items():
        if old in origin:
            raise Refused(
                f"{origin[old]} and {new} both say that they were {old}",
                hint="leave the line `was:` with the one that shall keep the history",
                unit=new,
                value=old,
            )
        origin[old] = new
    for start in wanted:
        seen = [start]
        while seen[-1] in wanted:
            seen.append(wanted[seen[-1]])
            if seen[-1] == start:
                raise Refused(
                    f"{' was '.join(seen)}: these renamings run in a circle",
                    hint="rename in two steps, over a name that no jobnet has",
                    unit=start,
                )
            if seen[-1] in seen[:-1]:
                break
