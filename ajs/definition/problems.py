"""Collects every complaint about a set of definition texts, so that all are reported at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from ajs.errors import DefinitionError, Place, Problem

SHOWN = 60
"""Characters of a value that a message repeats."""
COMPARISONS = 20_000
"""Names compared for suggestions in all; a file of nothing but typing errors must not take minutes."""


def shown(text: str) -> str:
    """Return a value as messages show it: in quotes, on one line, cut when long.

    >>> shown("25:00")
    "'25:00'"
    """
    return repr(text if len(text) <= SHOWN else text[: SHOWN - 3] + "...")


def listed(words: Iterable[object], last_joint: str = "and") -> str:
    """Return words as a list in a sentence.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    *most, last = (str(word) for word in words)
    return f"{', '.join(most)} {last_joint} {last}" if most else last


def meant(word: str) -> str:
    """Return the hint that names the word which was probably meant, or nothing."""
    return f"did you mean {shown(word)}?" if word else ""


class Problems:
    """The complaints found so far."""

    def __init__(self) -> None:
        """Begin with none."""
        self._found: dict[Problem, None] = {}
        self._comparisons = COMPARISONS

    def add(
        self, place: Place, message: str, *, hint: str = "", unit: str = "", value: str = ""
    ) -> None:
        """Note one complaint; the same one at the same place is noted once."""
        self._found.setdefault(Problem(place, message, hint=hint, unit=unit, value=value))

    def nearest(self, word: str, known: Collection[str], but: str = "") -> str:
        """Return the known word that was probably meant, other than ``but``, or nothing."""
        if len(word) > SHOWN or len(known) > self._comparisons:
            return ""
        import difflib

        self._comparisons -= len(known)
        near = difflib.get_close_matches(word, [k for k in known if k != but], n=1, cutoff=0.6)
        return near[0] if near else ""

    def raise_any(self, files: Sequence[str]) -> None:
        """Raise all complaints in the order of the files and their lines; do nothing when there are none.

        Raises ``DefinitionError``.
        """
        if not self._found:
            return
        order = {file: number for number, file in reversed(list(enumerate(files)))}
        raise DefinitionError(
            tuple(
                sorted(
                    self._found, key=lambda p: (order[p.place.file], p.place.line, p.place.column)
                )
            )
        )
