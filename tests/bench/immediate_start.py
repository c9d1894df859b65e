"""How long after ``ajsentry -n`` its first job starts, with a manager that has nothing else to do.

    python -m tests.bench.immediate_start

From the moment in the operation log to the start that the job's guard recorded; and the same for bare ``posix_spawn``.
"""

from __future__ import annotations

import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

ROUNDS = 15
AJS = "import sys; from ajs.cli import main; sys.argv = ['ajs', *sys.argv[1:]]; sys.exit(main())"
JOBNET = "group: /g\njobnets:\n  one: {units: {job: {command: 'true'}}}\n"
STARTS = """
    SELECT o.at_utc, a.started_utc FROM attempt AS a
    JOIN operation_row AS r ON r.tbl = 'generation' AND r.key = a.generation AND r.before IS NULL
    JOIN operation AS o ON o.id = r.operation
"""


def ajs(folder: Path, *arguments: str) -> None:
    """Run a command in a folder."""
    words = [sys.executable, "-c", AJS, *arguments]
    subprocess.run(words, cwd=folder, check=True, capture_output=True)


def spawned() -> float:
    """Start ``true`` and return the seconds until the call came back."""
    before = time.perf_counter()
    pid = os.posix_spawn("/bin/true", ["true"], {})
    after = time.perf_counter()
    os.waitpid(pid, 0)
    return after - before


def main() -> None:
    """Print both medians."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "g.yaml").write_text(JOBNET)
        ajs(folder, "init", "s", "--time-zone", "UTC")
        ajs(folder, "define", "g.yaml")
        words = [sys.executable, "-c", AJS, "start", "--quiet"]
        manager = subprocess.Popen(words, cwd=folder, stderr=subprocess.DEVNULL)
        while not (folder / "state" / "s" / "ajs.sock").exists():
            time.sleep(0.05)
        try:
            for _ in range(ROUNDS):
                ajs(folder, "entry", "-n", "-w", "/g/one")
        finally:
            ajs(folder, "stop")
            manager.wait()
        db = sqlite3.connect(folder / "state" / "s" / "ajs.db")
        times = [
            (datetime.fromisoformat(to) - datetime.fromisoformat(at)).total_seconds()
            for at, to in db.execute(STARTS)
        ]
        db.close()
    bare = statistics.median(spawned() for _ in range(ROUNDS))
    print(
        f"from registered to started: median {statistics.median(times) * 1000:.0f} ms of {len(times)}, "
        f"most {max(times) * 1000:.0f} ms; posix_spawn {bare * 1000:.1f} ms"
    )


if __name__ == "__main__":
    main()
