"""What a terminal gets: the look of statuses, lines that fit; files and pipes get plain text."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import click

STYLES: dict[str, dict[str, object]] = {
    "bad": {"fg": "red", "bold": True},
    "warning": {"fg": "yellow"},
    "good": {"fg": "green"},
    "running": {"fg": "cyan", "bold": True},
    "held": {"fg": "magenta", "bold": True},
    "dim": {"dim": True},
}


def places() -> int:
    """Return how many places a line of the terminal has, 0 where stdout is none and lines may be of any length."""
    if not (sys.stdout and sys.stdout.isatty()):
        return 0
    said = os.environ.get("COLUMNS", "")
    return int(said) if said.isdecimal() else os.get_terminal_size(sys.stdout.fileno()).columns


def painter() -> Callable[[str, str], str]:
    """Return what paints a text in a style, or leaves it as it is: not a terminal, or NO_COLOR says so."""
    if (
        os.environ.get("NO_COLOR")
        or os.environ.get("TERM") == "dumb"
        or not (sys.stdout and sys.stdout.isatty())
    ):
        return lambda _style, text: text
    return lambda style, text: click.style(text, **STYLES[style])  # type: ignore[arg-type]  # as click names them
