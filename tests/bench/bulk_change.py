"""Moving 1,000 and 10,000 root jobnets in one command, against one SQLite transaction that updates as many rows.

    python -m tests.bench.bulk_change

Both are whole processes, in turn, on the same disk; the ratio is the figure to keep.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 5
SIZES = (1_000, 10_000)
AJS = "import sys; from ajs.cli import main; sys.argv = ['ajs', *sys.argv[1:]]; sys.exit(main())"
FLOOR = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute('PRAGMA synchronous = FULL')
db.execute('BEGIN IMMEDIATE')
rows = [(f'{sys.argv[2]}-{n}', n) for n, in db.execute('SELECT id FROM run').fetchall()]
db.executemany('UPDATE run SET start = ? WHERE id = ?', rows)
db.execute('COMMIT')
"""


def definitions(count: int) -> str:
    """One group of so many root jobnets, each with a nested jobnet."""
    lines = ["group: /g", "calendar: {closed: [sat, sun]}", "jobnets:"]
    for number in range(count):
        lines += [
            f"  net{number:05}:",
            f"    schedule: [{{start_day: registered, start_time: {number % 24}:00, cycle: 1 day}}]",
            "    units: {report: {units: {print: {command: 'true'}}}}",
        ]
    return "\n".join(lines) + "\n"


def ajs(folder: Path, *arguments: str) -> float:
    """Run a command in a folder and return its seconds."""
    before = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", AJS, *arguments], cwd=folder, check=True, capture_output=True
    )
    return time.perf_counter() - before


def floor(database: Path, turn: int) -> float:
    """Update all rows in one durable transaction in a process of its own and return the seconds."""
    before = time.perf_counter()
    subprocess.run([sys.executable, "-c", FLOOR, str(database), str(turn)], check=True)
    return time.perf_counter() - before


def prepare(folder: Path, count: int) -> Path:
    """Make a service with so many registered root jobnets, and a bare table with as many rows."""
    import sqlite3

    (folder / "g.yaml").write_text(definitions(count))
    ajs(folder, "init", "s", "--time-zone", "UTC")
    ajs(folder, "define", "g.yaml")
    ajs(folder, "entry", "-f", "/g/*")
    database = folder / "floor.db"
    db = sqlite3.connect(database)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("CREATE TABLE run (id INTEGER PRIMARY KEY, start TEXT)")
    db.executemany("INSERT INTO run (start) VALUES (?)", [("",)] * count)
    db.commit()
    db.close()
    return database


def main() -> None:
    """Print the medians and the ratio for every size."""
    for count in SIZES:
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            database = prepare(folder, count)
            ours, bare = [], []
            for turn in range(ROUNDS):
                way = "1" if turn % 2 == 0 else "-1"
                ours.append(ajs(folder, "plan", "-c", way, "--move", "/g/*"))
                bare.append(floor(database, turn))
            ratio = statistics.median(a / b for a, b in zip(ours, bare, strict=True))
            print(
                f"ajsplan moving {count} roots: {statistics.median(ours):.2f} s, bare transaction in a process: "
                f"{statistics.median(bare):.3f} s, ratio {ratio:.1f}"
            )


if __name__ == "__main__":
    main()
