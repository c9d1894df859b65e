"""A temporary change is a value; applying it gives a new plan or a refusal.

A change acts on one unit of one generation that has not started. Only that generation changes; rules and other
generations stay (seed 4.5.3). One file per kind: ``move`` (another start time, by clock or by so much), ``run_now``,
``prohibit``, ``cancel`` (back to the original), ``hold``,
``attributes`` (priority, delay monitoring). ``preview`` says what a change did, for people and machines.
"""

from __future__ import annotations

from ajs.changes.attributes import SetDelays, SetPriority
from ajs.changes.base import Applied, Ground
from ajs.changes.cancel import Cancel
from ajs.changes.hold import Hold
from ajs.changes.move import MoveBy, MoveTo
from ajs.changes.prohibit import Prohibit
from ajs.changes.run_now import RunNow
from ajs.plan import Generation, RootPlan

Change = MoveTo | MoveBy | RunNow | Prohibit | Cancel | Hold | SetDelays | SetPriority


def apply(
    plan: RootPlan, generation: Generation, unit: str, change: Change, ground: Ground
) -> Applied:
    """Return the plan with the change made to ``unit`` (relative path, ``""`` the root) of ``generation``.

    Raises a subclass of ``Refused`` when the change cannot be made; nothing has changed then.
    """
    return change.apply(plan, generation, unit, ground)


__all__ = [
    "Applied",
    "Cancel",
    "Change",
    "Ground",
    "Hold",
    "MoveBy",
    "MoveTo",
    "Prohibit",
    "RunNow",
    "SetDelays",
    "SetPriority",
    "apply",
]
