"""Pages whose commands are played: run as they are written, in a fresh folder, at a known time.

Such a page has a comment `<!-- played from 2026-11-24 09:00 -->`; commands that its reader need not see stand in the
comment too, one a line. A comment `<!-- file: jobnets/hello.yaml -->` before a block makes it a file. In a block of the
kind `console` lines with `$ ` are commands, and the lines after each are what it prints.
"""

from __future__ import annotations

import io
import os
import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import chdir, redirect_stderr, redirect_stdout
from datetime import datetime, timedelta
from pathlib import Path
from unittest.mock import patch

from ajs.cli.boundary import run
from ajs.clock import SystemClock
from ajs.dispatch import record
from ajs.moment import Moment, utc_from_text
from ajs.operations.service import Service

HOME = "/home/you/work"
"""What pages show in place of the folder in which they were played."""
ZONE = "Asia/Tokyo"

PLAYED = re.compile(r"<!-- played from (\d{4}-\d\d-\d\d \d\d:\d\d)\n?(.*?)-->", re.DOTALL)
PIECE = re.compile(
    r"<!-- file: (?P<name>\S+) -->\n```\w*\n(?P<text>.*?)```\n|```console\n(?P<console>.*?)```\n",
    re.DOTALL,
)
MASKS = (
    (r"process \d+", "process 4711"),
    (r"(\d\d:\d\d):\d\d", r"\1:00"),
    (r"\.\d{3}(Z|[+-]\d\d:\d\d)", r".000\1"),
    (r"\b[0-9a-f]{64}\b", "0123456789abcdef" * 4),
)
"""What differs from one playing to the next, and what stands for it."""


class ShiftedClock(SystemClock):
    """The machine's clock, so much later or earlier."""

    def __init__(self, zone: str, shift: timedelta) -> None:
        super().__init__(zone)
        self._shift = shift

    def now(self) -> Moment:
        """Return the shifted moment."""
        real = super().now()
        return Moment(real.wall + self._shift, real.utc + self._shift)

    def wait(
        self, fds: Sequence[int], until: datetime | None = None, at_most_s: float | None = None
    ) -> tuple[int, ...]:
        """Wait until the shifted clock shows a time."""
        real = None if until is None else until - self._shift
        return super().wait(fds, real, at_most_s)


def is_played(page: str) -> bool:
    """Return whether a page's commands can be played."""
    return PLAYED.search(page) is not None


def played(page: str, folder: Path) -> str:
    """Return the page with what its commands print now, run in this folder."""
    found = PLAYED.search(page)
    if found is None:
        return page
    at = datetime.fromisoformat(found[1])
    shift = at - SystemClock(ZONE).now().wall

    def clock(zone: str) -> ShiftedClock:
        return ShiftedClock(zone, shift)

    def piece(match: re.Match[str]) -> str:
        if match["name"]:
            file = folder / match["name"]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(match["text"], "utf-8")
            return match[0]
        lines = _console(match["console"], folder, clock)
        return "```console\n" + "".join(f"{line}\n" for line in lines) + "```\n"

    def shifted(text: str) -> datetime:
        return utc_from_text(text) + shift

    with (
        chdir(folder),
        # Guards are programs of their own: they write down the real time.
        patch.object(record, "utc_from_text", shifted),
        patch.object(Service, "user", "you"),
        patch.dict(os.environ),
    ):
        for name in ("AJS_HOME", "AJSCONF", "AJSPATH"):
            os.environ.pop(name, None)
        for line in found[2].splitlines():
            if line.strip():
                code, said = _call(line, clock)
                assert code == 0, said
        return PIECE.sub(piece, page)


def commands(text: str) -> Iterator[str]:
    """Yield the commands of a console block; one that ends in a backslash goes on in the next line."""
    waiting = ""
    for line in text.splitlines():
        if waiting or line.startswith("$ "):
            waiting += line.removeprefix("$ ")
            if not waiting.endswith("\\"):
                yield waiting
                waiting = ""
            else:
                waiting += "\n"


def masked(page: str) -> str:
    """Return a page without what differs from one playing to the next."""
    for pattern, text in MASKS:
        page = re.sub(pattern, text, page)
    return page


def _console(text: str, folder: Path, clock: Callable[[str], ShiftedClock]) -> Iterator[str]:
    for line in commands(text):
        code, said = _call(line, clock)
        yield f"$ {line}"
        found = masked(said.replace(str(folder), HOME))
        yield from (row.rstrip() for row in found.splitlines())
        if code:
            yield f"[exit code {code}]"


def _call(line: str, clock: Callable[[str], ShiftedClock]) -> tuple[int, str]:
    """Run one command and return its exit code and what it printed, stdout and stderr in their order."""
    program, *arguments = shlex.split(line.replace("\\\n", " "))
    verb = arguments.pop(0) if program == "ajs" else program.removeprefix("ajs")
    said = io.BytesIO()
    with io.TextIOWrapper(said, "utf-8", write_through=True) as screen:
        with redirect_stdout(screen), redirect_stderr(screen):
            name = f"ajs {verb}" if program == "ajs" else program
            code = run(verb, name, arguments, clock=clock)
        return code, said.getvalue().decode()
