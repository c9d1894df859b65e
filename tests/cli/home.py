"""A home folder for commands under test: real files, real state, a clock that moves on a second a command."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ajs.cli.boundary import run
from ajs.testing import FakeClock

MONDAY = datetime(2026, 8, 10, 12, 0)
"""When the clock of a home begins: Monday 10 August 2026, noon."""


class Home:
    """One home folder with its clock; ``ajs`` runs a command there as if it had been typed."""

    def __init__(
        self, folder: Path, capture: pytest.CaptureFixture[str], zone: str = "UTC"
    ) -> None:
        self.folder = folder
        self.capture = capture
        self.clock = FakeClock(MONDAY, zone)

    def ajs(self, line: str | Sequence[str]) -> str:
        """Return what a command prints, then its stderr behind ``!``, then its exit code unless it is 0.

        The line about the service that every changing command prints is left out.
        """
        words = line.split() if isinstance(line, str) else list(line)
        program, *arguments = words
        verb = program.removeprefix("ajs")
        if program == "ajs":
            verb, *arguments = arguments
            program = f"ajs {verb}"
        self.clock.advance(timedelta(seconds=1))
        here = os.getcwd()
        os.chdir(self.folder)
        try:
            code = run(verb, program, arguments, clock=lambda _: self.clock)
        finally:
            os.chdir(here)
        out, err = self.capture.readouterr()
        told = [text for text in err.splitlines() if not text.startswith("service ")]
        lines = [*out.splitlines(), *(f"! {text}" for text in told)]
        if code:
            lines.append(f"[{int(code)}]")
        return "\n".join(text.rstrip() for text in lines)

    def file(self, name: str, text: str) -> str:
        """Write a file below the home and return its name."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return name
