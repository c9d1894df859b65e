"""Temporary attributes of the units of one generation, and what counts when some are set (rule book 2.3, 7.8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from ajs.delays import Limit
from ajs.model import Jobnet

LEAST_PRIORITY, MOST_PRIORITY = 1, 5
"""Priorities, the lowest and the highest."""
USUAL_PRIORITY = 1
"""The priority of a root jobnet whose definition gives none (rule book 2.3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """What is temporarily set for one unit in one generation; None is as defined."""

    priority: int | None = None
    start_delay: Limit | None = None
    end_delay: Limit | None = None
    required_time: Limit | None = None

    @property
    def texts(self) -> dict[str, str]:
        """What is set, as texts by name; "" for what is as defined."""
        limits = {name: getattr(self, name) for name in LIMITS}
        said = {name: "" if limit is None else limit.text for name, limit in limits.items()}
        return {"priority": "" if self.priority is None else str(self.priority)} | said

    def over(self, other: Attributes) -> Attributes:
        """Return these attributes, and those of the other where these say nothing."""
        return Attributes(
            **{
                f.name: getattr(other if getattr(self, f.name) is None else self, f.name)
                for f in fields(self)
            }
        )


NOTHING_SET = Attributes()
LIMITS = ("start_delay", "end_delay", "required_time")
"""The attributes that are limits."""
AS_DEFINED = "as defined"

Temporary = Mapping[str, Attributes]
"""Attributes by relative path of the unit, ``""`` the root; what says nothing is left out."""


def with_set(temporary: Temporary, path: str, attributes: Attributes) -> Temporary:
    """Return the attributes with those of one unit put in place of what was set for it."""
    found = {**temporary, path: attributes}
    if attributes == NOTHING_SET:
        del found[path]
    return found


def together(first: Temporary, second: Temporary) -> Temporary:
    """Return what both set; where both say something, the second counts."""
    found = dict(first)
    for path, attributes in second.items():
        found[path] = attributes.over(found.get(path, NOTHING_SET))
    return found


def priorities(root: Jobnet, temporary: Temporary) -> dict[str, int]:
    """Return the priority of every unit: its own, temporary before defined, else that of its upper jobnet."""

    def own(path: str, defined: int | None) -> int | None:
        set_now = temporary.get(path, NOTHING_SET).priority
        return defined if set_now is None else set_now

    found = {"": own("", root.priority) or USUAL_PRIORITY}
    for path, unit in root.walk():
        found[path] = own(path, unit.priority) or found[path.rpartition("/")[0]]
    return found
