"""Waiting for what another process does: by looking again and again, with an end."""

from __future__ import annotations

import select
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
LOOK_EVERY_S = 0.005
LOOKS = 12_000  # a minute at least, on a machine that is busy with other things


def until(look: Callable[[], T | None], what: str) -> T:
    """Return the first answer that is neither None nor False; an AssertionError names what never came."""
    for _ in range(LOOKS):
        answer = look()
        if answer is not None and answer is not False:
            return answer
        select.select([], [], [], LOOK_EVERY_S)
    raise AssertionError(f"never seen: {what}")
