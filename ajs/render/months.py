"""Months drawn for a terminal: every day with marks that tell all without colour."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Sequence
from datetime import date
from typing import NamedTuple

from ajs.render.columns import GAP, Paint, unpainted, width

CLOSED = "-"
"""Stands behind the number of a closed day."""
WEEKDAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
WIDTH = 7 * 4
MOST = 80
"""How wide a drawing is where no terminal says how wide it may be."""


class Day(NamedTuple):
    """How a day looks: the character before its number, the one behind it, and a style."""

    before: str = " "
    behind: str = " "
    style: str = ""


def drawn_months(
    first: date,
    last: date,
    look: Callable[[date], Day],
    *,
    paint: Paint = unpainted,
    most: int = 0,
) -> list[str]:
    """Return the months of a period, as many beside one another as the width allows; other days stay empty."""
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    starts = [
        date(first.year + n // 12, n % 12 + 1, 1)
        for n in range(first.month - 1, first.month - 1 + count)
    ]
    months = [_month(start, (first, last), look, paint) for start in starts]
    beside = max(1, ((most or MOST) + len(GAP)) // (WIDTH + len(GAP)))
    lines: list[str] = []
    for at in range(0, len(months), beside):
        row = months[at : at + beside]
        height = max(len(month) for month in row)
        for n in range(height):
            cells = [month[n] if n < len(month) else (" " * WIDTH, WIDTH) for month in row]
            lines.append(GAP.join(text + " " * (WIDTH - size) for text, size in cells).rstrip())
        lines.append("")
    return lines[:-1]


def _month(
    start: date, period: tuple[date, date], look: Callable[[date], Day], paint: Paint
) -> list[tuple[str, int]]:
    """Return the lines of one month, each with how many places it takes."""
    name = f"{start:%B %Y}"
    lines = [
        (f"{name:^{WIDTH}}", WIDTH),
        (_painted(paint, "dim", "".join(f" {d} " for d in WEEKDAYS)), WIDTH),
    ]
    ahead, days = monthrange(start.year, start.month)
    cells = ["    "] * ahead
    for number in range(1, days + 1):
        day = start.replace(day=number)
        cells.append(_cell(day, look(day), paint) if period[0] <= day <= period[1] else "    ")
    cells += ["    "] * (-len(cells) % 7)
    weeks = ("".join(cells[at : at + 7]) for at in range(0, len(cells), 7))
    lines += [(week, WIDTH) for week in weeks if week.strip()]
    return lines


def _cell(day: date, looks: Day, paint: Paint) -> str:
    return _painted(paint, looks.style, f"{looks.before.strip()}{day.day}".rjust(3) + looks.behind)


def _painted(paint: Paint, style: str, text: str) -> str:
    return paint(style, text) if style else text


def legend(
    marks: Sequence[tuple[str, str]], *, paint: Paint = unpainted, most: int = 0
) -> list[str]:
    """Return what the marks mean, in as few lines as the width allows."""
    lines: list[str] = []
    for mark, meaning in marks:
        entry = f"{mark} {meaning}"
        if lines and width(lines[-1]) + 3 + width(entry) <= (most or MOST):
            lines[-1] += f"   {entry}"
        else:
            lines.append(entry)
    return [_painted(paint, "dim", line) for line in lines]
