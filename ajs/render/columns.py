"""Aligned columns for terminals: wide characters take two places, and nothing stored can play with the terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

Paint = Callable[[str, str], str]
"""Gives a text the look of a style; the styles are ``bad``, ``warning``, ``good``, ``running``, ``held``, ``dim``."""

GAP = "  "


class Cell(NamedTuple):
    """The text of one place in a table, with the style in which a terminal shows it."""

    text: str
    style: str = ""


def unpainted(style: str, text: str) -> str:  # noqa: ARG001  the look of a file or a pipe: none
    """Return the text as it is."""
    return text


def width(text: str) -> int:
    """Return how many places of a terminal a text takes.

    >>> width("daily"), width("日次締め")
    (5, 8)
    """
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(
        0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text
    )


def shown(text: str) -> str:
    r"""Return a text with everything that a terminal would obey written out.

    >>> shown("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def aligned(
    titles: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    *,
    right: frozenset[int] = frozenset(),
    paint: Paint = unpainted,
) -> list[str]:
    """Return rows as lines of aligned columns below their titles; a column in which nothing stands is left out.

    ``right`` are the columns whose texts end at the same place. Without titles there is no first line for them.
    """
    count = max((len(row) for row in rows), default=len(titles))
    used = [n for n in range(count) if any(row[n].text for row in rows)]
    cells = [[(shown(row[n].text), row[n].style) for n in used] for row in rows]
    if titles:
        cells.insert(0, [(titles[n], "dim") for n in used])
    widths = [max((width(row[at][0]) for row in cells), default=0) for at in range(len(used))]
    lines = []
    for row in cells:
        line, waiting = "", ""
        for at, (text, style) in enumerate(row):
            pad = " " * (widths[at] - width(text))
            painted = paint(style, text) if style else text
            if right and used[at] in right:
                line, waiting = f"{line}{waiting}{pad}{painted}", GAP
            else:
                line, waiting = f"{line}{waiting}{painted}", pad + GAP
        lines.append(line.rstrip())
    return lines


def block(pairs: Sequence[tuple[str, str]], *, indent: str = "") -> list[str]:
    """Return labels with their values as aligned lines; pairs without a value are left out."""
    said = [(label, value) for label, value in pairs if value]
    most = max((width(label) for label, _ in said), default=0)
    return [
        f"{indent}{label}{' ' * (most - width(label))}{GAP}{shown(value)}" for label, value in said
    ]


def drawn(titles: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """Return rows as a drawn table as wide as the terminal."""
    from io import StringIO

    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    used = [n for n in range(len(titles)) if any(row[n].text for row in rows)]
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for n in used:
        table.add_column(titles[n], overflow="fold", no_wrap=titles[n] != "NOTES")
    for row in rows:
        table.add_row(*(Text(shown(row[n].text)) for n in used))
    console = Console(file=StringIO(), no_color=True, force_terminal=False, highlight=False)
    with console.capture() as captured:
        console.print(table)
    return "\n".join(line.rstrip() for line in captured.get().splitlines()).strip("\n")
