"""Which units ``ajsshow`` shows, and in which order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ajs.operations.targets import Filters, Name, find_units
from ajs.store import units
from ajs.store.show import positions
from ajs.store.units import GROUP, Unit

if TYPE_CHECKING:
    from ajs.operations.service import Service
    from ajs.store.database import Reading


def named_units(tx: Reading, names: Sequence[Name], filters: Filters) -> list[tuple[Unit, Name]]:
    """Return the units that the names mean; of those that were deleted only what was named, with all below it."""
    every = find_units(tx, names, filters, deleted=True)
    gone = {n.path for unit, n in every if unit.deleted is not None and unit.path == n.path}
    found = [(unit, n) for unit, n in every if unit.deleted is None or n.path in gone]
    return found or find_units(tx, names, filters)


def is_whole(filters: Filters) -> bool:
    """Whether the tree is shown as it is, so that depth means something."""
    return filters == Filters(recursive=True)


def on_page(
    tx: Reading, found: list[Unit], names: Sequence[Name], filters: Filters, *, inside: bool
) -> list[tuple[Unit, int]]:
    """Return the units in the order of the page, each with its depth; -1 for the service ``/`` itself.

    ``inside`` puts what is directly in a job group below it.
    """
    if filters.recursive:
        return _in_tree(tx, found, names, whole=is_whole(filters))
    listed: dict[int, tuple[Unit, int]] = {}
    for unit in found:
        listed.setdefault(unit.id, (unit, -1 if unit.path == "/" else 0))
        if unit.kind == GROUP and inside and not filters.groups:
            for lower in units.children(tx, unit):
                listed.setdefault(lower.id, (lower, 0 if unit.path == "/" else 1))
    return list(listed.values())


def _in_tree(
    tx: Reading, found: list[Unit], names: Sequence[Name], *, whole: bool
) -> list[tuple[Unit, int]]:
    top = names[0].path if len(names) == 1 else "/"
    order = _TreeOrder(positions(tx, "/" if "*" in top or "?" in top else top))
    found = sorted(found, key=lambda unit: order.key(unit.path))
    depths: dict[int | None, int] = {}
    for unit in found:
        above = depths.get(unit.upper, -1) + 1 if whole else 0
        depths[unit.id] = -1 if whole and unit.path == "/" else above
    return [(unit, depths[unit.id]) for unit in found]


class _TreeOrder:
    """Sort keys that put every unit behind its upper one, in the order of the definitions."""

    def __init__(self, positions: dict[str, int]) -> None:
        self._positions = positions
        self._keys: dict[str, tuple[tuple[int, str], ...]] = {"": (), "/": ()}

    def key(self, path: str) -> tuple[tuple[int, str], ...]:
        found = self._keys.get(path)
        if found is None:
            upper, _, name = path.rpartition("/")
            found = (*self.key(upper), (self._positions.get(path, 0), name))
            self._keys[path] = found
        return found


def beginning(service: Service, text: str, most: int) -> Iterator[str]:
    """Yield the full names of units that begin so, on one level; what has units below it also with a slash."""
    with service.store.read() as tx:
        found = units.beginning(tx, text, most)
    for path, has_lower in found:
        yield path
        if has_lower:
            yield f"{path}/"
