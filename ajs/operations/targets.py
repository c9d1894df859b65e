"""What a command's names mean: units by name or pattern, narrowed by filters, and one generation of each root.

A name is ``[service:]unit[:@execution-id]``; a relative one is below ``AJSPATH`` (commands.md section 2).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ajs.errors import BadValue, UnitNotFound, UsageError
from ajs.store import show
from ajs.store import units as stored
from ajs.store.database import Reading
from ajs.store.numbers import generation_number, registration_parts
from ajs.store.units import GROUP, JOB, JOBNET, ROOT, Unit


class Name(NamedTuple):
    """A target as it was typed, taken apart."""

    service: str
    path: str
    execution_id: str


class Filters(NamedTuple):
    """The filters of commands.md section 2; several narrow each other."""

    recursive: bool = False
    registered: bool = False
    unregistered: bool = False
    roots: bool = False
    jobnets: bool = False
    jobs: bool = False
    groups: bool = False


class Target(NamedTuple):
    """One unit that a command acts on.

    ``inner`` is its path below its root jobnet, ``""`` for the root itself; ``generation`` the number of the run that
    was asked for, or None for the command's own choice. ``named``: it was named itself, not found by a pattern or
    below a named unit.
    """

    unit: Unit
    root: Unit
    generation: int | None
    named: bool

    @property
    def inner(self) -> str:
        """The unit's path relative to its root jobnet."""
        return self.unit.path[len(self.root.path) + 1 :]


def parse(text: str, below: str = "") -> Name:
    """Return a typed target taken apart; ``below`` is put before a relative name (``AJSPATH``)."""
    rest, has_id, execution_id = text.partition(":@")
    service, colon, path = rest.rpartition(":")
    if has_id and generation_number(f"@{execution_id}") is None:
        raise BadValue(
            f"{text!r}: @{execution_id} is not an execution ID",
            hint="an execution ID looks like @A12; ajsshow prints them",
            value=text,
        )
    if not path:
        raise BadValue(
            f"{text!r} names no unit",
            hint="write the full name, such as /sales/daily-close",
            value=text,
        )
    if not path.startswith("/"):
        if not below:
            raise BadValue(
                f"{path!r} is not a full unit name",
                hint=f"write /{path}, or set AJSPATH to the group that it is in",
                value=path,
            )
        path = f"{below.rstrip('/')}/{path}"
    if len(path) > 1:
        path = path.rstrip("/")
    return Name(service if colon else "", path, f"@{execution_id}" if execution_id else "")


def one_service(names: Sequence[Name], option: str | None) -> str | None:
    """Return the service that the names and ``-F`` mean; the prefix of a name beats ``-F`` (commands.md section 2)."""
    said = {n.service for n in names if n.service}
    if len(said) > 1:
        raise UsageError(
            f"the names belong to several scheduler services: {', '.join(sorted(said))}",
            hint="run one command for each service",
        )
    return said.pop() if said else option


def find_units(
    tx: Reading, names: Sequence[Name], filters: Filters, *, deleted: bool = False
) -> list[tuple[Unit, Name]]:
    """Return the units that the names mean, each once, in the order named; raises UnitNotFound for none.

    With ``deleted`` units that were deleted count too.
    """
    if sum((filters.jobnets, filters.jobs, filters.groups)) > 1:
        raise UsageError("-N, -J and -G exclude each other", hint="give one of them")
    if filters.registered and filters.unregistered:
        raise UsageError("-E and -L exclude each other", hint="give one of them")
    registered = _registered(tx) if filters.registered or filters.unregistered else frozenset()
    found: dict[int, tuple[Unit, Name]] = {}
    for name in names:
        for unit in stored.find(tx, name.path, lower=filters.recursive, deleted=deleted):
            if unit.id not in found and _passes(unit, filters, registered):
                found[unit.id] = (unit, name)
    if not found:
        named = ", ".join(n.path for n in names)
        raise UnitNotFound(
            f"the filters leave no unit of {named}",
            hint="see what there is with ajsshow -R, without filters",
            unit=named,
        )
    return list(found.values())


def find_targets(
    tx: Reading,
    names: Sequence[Name],
    filters: Filters,
    registration_number: str = "",
    *,
    deleted: bool = False,
) -> list[Target]:
    """Return the jobnets and jobs that the names mean, with their roots; job groups stand for nothing themselves.

    With ``deleted`` units that were deleted count too.
    """
    units = find_units(tx, names, filters, deleted=deleted)
    roots = stored.by_id(tx, {u.root for u, _ in units if u.root is not None})
    targets = []
    for unit, name in units:
        if unit.root is None:
            continue
        root = roots[unit.root]
        generation = _generation(tx, root, name, registration_number)
        targets.append(Target(unit, root, generation, unit.path == name.path))
    if not targets:
        named = ", ".join(n.path for n in names)
        raise UnitNotFound(
            f"{named}: a job group itself is not run",
            hint="name a jobnet, or add -R (and -T for root jobnets) to mean what is inside",
            unit=named,
        )
    return targets


def _registered(tx: Reading) -> frozenset[int]:
    return frozenset(row[0] for row in tx.rows("SELECT root FROM registration"))


def _passes(unit: Unit, filters: Filters, registered: frozenset[int]) -> bool:
    kinds = {ROOT, JOBNET, JOB, GROUP}
    if filters.roots:
        kinds &= {ROOT}
    if filters.jobnets:
        kinds &= {ROOT, JOBNET}
    if filters.jobs:
        kinds &= {JOB}
    if filters.groups:
        kinds &= {GROUP}
    if unit.kind not in kinds:
        return False
    if filters.registered:
        return unit.root in registered
    return not (filters.unregistered and unit.root in registered)


def _generation(tx: Reading, root: Unit, name: Name, registration_number: str) -> int | None:
    if registration_number:
        return by_registration_number(tx, root, registration_number)
    return generation_number(name.execution_id) if name.execution_id else None


def by_registration_number(tx: Reading, root: Unit, text: str) -> int:
    """Return the number of the root's generation with this registration number; GenerationNotFound if none."""
    from ajs.errors import GenerationNotFound

    parts = registration_parts(text)
    if parts is None:
        raise BadValue(
            f"-B {text!r} is not an execution registration number",
            hint="it is the execution date and a number, such as 20260811001; ajsshow prints it",
            value=text,
        )
    row = tx.row(
        "SELECT id FROM generation WHERE root = ? AND registered_for = ? AND serial = ?",
        root.id,
        *parts,
    )
    if row is None:
        show.refuse_no_longer_kept(tx, root, None, parts)
        raise GenerationNotFound(
            f"{root.path} has no run with the registration number {text}",
            hint=f"ajsshow -g a {root.path} lists its runs",
            unit=root.path,
            value=text,
        )
    return int(row[0])
