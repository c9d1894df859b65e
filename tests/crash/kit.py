"""A scheduler service in a folder, its commands and its manager as the real processes that they are."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path
from typing import IO

from ajs.operations.service import Service, open_service
from ajs.operations.setup import init
from ajs.store import show

PROGRAM = "import sys; from ajs.cli import main; sys.argv[0] = sys.argv.pop(1); sys.exit(main())"
PATIENCE_S = 120
"""How long a process may take before the test gives up on it; nothing is measured."""


class Place:
    """One home folder with the scheduler service ``main``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state" / "main"
        init(str(folder), ["main"], time_zone="UTC", schedule="24h", version="0.1.0")

    def open(self) -> Service:
        return open_service(home=str(self.folder), name="main")

    # -- processes --

    def start(
        self, program: str, *arguments: str, to: int | IO[str] = subprocess.PIPE
    ) -> subprocess.Popen[str]:
        """Begin a command, ``ajsstart`` or ``ajs output``; both its outputs go to a file where one is given."""
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *program.split(), *arguments],
            cwd=self.folder,
            env={
                **os.environ,
                "AJS_HOME": str(self.folder),
                "PYTHONPATH": os.pathsep.join(sys.path),
                "PYTHONUNBUFFERED": "1",
            },
            stdout=to,
            stderr=to,
            text=True,
        )

    def run(self, program: str, *arguments: str, code: int = 0) -> tuple[str, str]:
        """Run a command to its end; it must end with this exit code. Return its two outputs."""
        process = self.start(program, *arguments)
        out, err = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == code, (out, err)
        return out, err

    def manager(self, *arguments: str) -> subprocess.Popen[str]:
        """Begin a manager and wait until it says that it runs."""
        process = self.start("ajsstart", *arguments)
        assert process.stderr is not None
        for line in process.stderr:
            if "runs, process" in line:
                return process
        raise AssertionError("the manager has not begun")

    # -- definitions and what came of them --

    def define(self, text: str) -> None:
        (self.folder / "units.yaml").write_text(text)
        self.run("ajsdefine", "units.yaml")

    def units(self, root: str) -> dict[str, tuple[str, int | None]]:
        """Status and return code of every unit in the newest run of a root jobnet, by relative path."""
        with self.open() as service, service.store.read() as tx:
            newest = max(g.id for g in show.generations(tx) if g.path == root)
            return {r.path: (r.status, r.return_code) for r in show.unit_runs(tx, [newest])}

    def ran(self) -> list[str]:
        """The lines that jobs left in the file ``ran``, sorted."""
        file = self.folder / "ran"
        return sorted(file.read_text().splitlines()) if file.exists() else []


def read_until(process: subprocess.Popen[str], word: str) -> str:
    """Return what a process prints up to the first line with this word in it."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if word in line:
            return said
    raise AssertionError(f"{word!r} was never said: {said}")


def pause(seconds: float) -> None:
    """Do nothing for about so long."""
    select.select([], [], [], seconds)
