"""Aligned columns for terminals: wide characters take two places, and nothing stored can play with the terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

Paint = Callable[[str, str], str]
"""Gives a text the look of a style; the styles are ``bad``, ``warning``, ``good``, ``running``, ``held``, ``dim``."""

GAP = "  "
LEAST = 20
"""How many places notes need beside the other columns; with fewer they stand below."""


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


def fitted(
    titles: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    most: int,
    *,
    right: frozenset[int] = frozenset(),
    paint: Paint = unpainted,
) -> list[str]:
    """Return rows as ``aligned`` does, in lines of ``most`` places where that can be; 0 is any number.

    The first column has names, the last one notes. A name that leaves no place for the other columns gets a line of its
    own above them. Notes go on in further lines, or stand below where there is hardly a place beside.
    """
    widths = [
        max(width(shown(text)) for text in (title, *(row[n].text for row in rows)))
        if any(row[n].text for row in rows)
        else 0
        for n, title in enumerate(titles or [""] * max(map(len, rows), default=0))
    ]
    if not most or not rows or sum(w + len(GAP) for w in widths if w) - len(GAP) <= most:
        return aligned(titles, rows, right=right, paint=paint)
    between = sum(w + len(GAP) for w in widths[1:-1] if w)
    short = [w for row in rows if (w := width(shown(row[0].text))) + between <= most]
    name = max((*short, len(titles[0]) if titles else 0, len(GAP)))
    notes_at = name + between + len(GAP)
    beside = most - notes_at >= LEAST
    table, above, below = [], [], []
    for row in rows:
        long = width(shown(row[0].text)) > name
        indent = len(row[0].text) - len(row[0].text.lstrip()) + 2 * len(GAP)
        notes = _wrapped(shown(row[-1].text), most - (notes_at if beside else indent))
        first = Cell(GAP) if long else row[0]
        last = row[-1]._replace(text=notes.pop(0) if beside and notes else "")
        table.append((first, *row[1:-1], last))
        above.append([_painted(row[0], paint)] if long else [])
        below.append([" " * (notes_at if beside else indent) + line for line in notes])
    lines = aligned(titles, table, right=right, paint=paint)
    found = lines[: len(lines) - len(rows)]
    for names, line, more in zip(above, lines[len(lines) - len(rows) :], below, strict=True):
        found += [*names, *([line] if line.strip() else []), *more]
    return found


def _painted(cell: Cell, paint: Paint) -> str:
    text = shown(cell.text)
    return paint(cell.style, text) if cell.style else text


def _wrapped(text: str, most: int) -> list[str]:
    """Return a text in lines of at most so many places, broken between words; a longer word stays whole."""
    lines: list[str] = []
    for word in text.split():
        if lines and width(lines[-1]) + 1 + width(word) <= most:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
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
