"""A bar on the terminal while a command works long; none for a short one, for a file or a pipe."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ajs.clock import steady
from ajs.operations.progress import Progress, unwatched

if TYPE_CHECKING:
    from rich.progress import Progress as Drawn
    from rich.progress import TaskID

AFTER_S = 1.0
"""How long a command works before a bar is shown, in seconds."""
EVERY_S = 0.1
"""How often the bar is drawn anew at most, in seconds."""


@contextmanager
def bar() -> Iterator[Progress]:
    """Give the callback that an operation reports to; what it shows is gone again at the end of the block."""
    if not _wanted():
        yield unwatched
        return
    watching = _Bar()
    try:
        yield watching.report
    finally:
        watching.close()


def _wanted() -> bool:
    streams = (sys.stdout, sys.stderr)
    terminals = all(stream is not None and stream.isatty() for stream in streams)
    return terminals and os.environ.get("TERM") != "dumb"


class _Bar:
    """The bar, drawn only from the first report on that comes late enough."""

    def __init__(self) -> None:
        self._next = steady() + AFTER_S
        self._drawn: tuple[Drawn, TaskID] | None = None

    def report(self, what: str, done: int, total: int) -> None:
        """Draw how far the work has come, unless it was just drawn."""
        now = steady()
        if now < self._next:
            return
        self._next = now + EVERY_S
        if self._drawn is None:
            self._drawn = _begun()
        drawn, task = self._drawn
        drawn.update(task, description=what, completed=done, total=total, refresh=True)

    def close(self) -> None:
        """Take the bar away."""
        if self._drawn is not None:
            self._drawn[0].stop()


def _begun() -> tuple[Drawn, TaskID]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Drawn

    drawn = Drawn(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=Console(stderr=True),
        auto_refresh=False,  # a thread of its own would slow the work
        transient=True,
    )
    drawn.start()
    return drawn, drawn.add_task("", total=None)
