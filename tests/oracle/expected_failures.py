"""Stories that cannot pass yet, by id, each with what is missing.

Strict: a story that passes though it stands here breaks its test until it is taken off.
"""

from __future__ import annotations

import pytest

LATER: dict[str, str] = {}
"""Stories of temporary changes other than time, hold and prohibition."""


def marks(story: str) -> tuple[pytest.MarkDecorator, ...]:
    """The mark of a story that is expected to fail."""
    why = LATER.get(story)
    return (pytest.mark.xfail(reason=why, strict=True, raises=AssertionError),) if why else ()
