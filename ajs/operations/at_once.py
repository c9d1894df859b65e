"""Whether a run that waits starts as soon as a manager looks."""

from __future__ import annotations

from ajs.model import Jobnet
from ajs.moment import Moment
from ajs.plan import Generation
from ajs.store import runs
from ajs.store.database import Reading


def starts_at_once(tx: Reading, jobnet: Jobnet, generation: Generation, now: Moment) -> bool:
    """Whether its start has passed and no hold is in its way, not even one for how the run before it ended."""
    if generation.slot.start > now.wall or generation.holds.get("", jobnet.hold):
        return False
    if jobnet.hold_if is None or "" in generation.holds:
        return True
    waiting = runs.waiting(tx, generation.id)
    return waiting is None or waiting.in_its_way() is None
