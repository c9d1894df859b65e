"""How far a long operation has come, told to whoever asked for it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import TypeVar

T = TypeVar("T")

Progress = Callable[[str, int, int], None]
"""Gets what is being done, in a word, and how much of how much of it is done. It is called for every piece of work."""


def unwatched(_what: str, _done: int, _total: int) -> None:
    """Tell nobody."""


def counted(progress: Progress, what: str, pieces: Collection[T]) -> Iterator[T]:
    """Yield pieces of work, telling after each that it is done.

    >>> list(counted(print, "reading", ["a", "b"]))
    reading 1 2
    reading 2 2
    ['a', 'b']
    """
    total = len(pieces)
    for done, piece in enumerate(pieces, 1):
        yield piece
        progress(what, done, total)
