"""Branch coverage of the modules that work out dates and plans, by their own tests: ``make coverage-core``.

    python -m tests.core_coverage

Fails when a line or branch of them is left out. One kind of branch is no way through the program: a ``match`` that no
``case`` fits, where the type checker has seen to it that one does (``exhaustive-match``).
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

MODULES = (
    "choices",
    "calendar",
    "start_days",
    "rules",
    "reasons",
    "nested",
    "schedule",
    "timetables",
    "plan",
    "registering",
    "replanning",
    "starting",
)
"""What is covered, each in full."""
TESTS = (
    "tests/test_calendar.py",
    "tests/test_rules.py",
    "tests/test_schedule.py",
    "tests/test_schedule_properties.py",
    "tests/test_naive_dates.py",
    "tests/test_exclusive.py",
    "tests/test_searches_end.py",
    "tests/test_plan.py",
    "tests/test_registering.py",
    "tests/test_starting.py",
    "tests/test_timetables.py",
    "tests/changes",
    "tests/oracle",
)


def main() -> None:
    """Run the tests under coverage and print what they leave out."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "coverage.json")
        ran = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-n", "2"),
                *("--cov", "--cov-branch", f"--cov-report=json:{report}", *TESTS),
            ],
            env=os.environ | {"COVERAGE_FILE": str(Path(folder, "data"))},
            check=False,
        )
        if ran.returncode:
            sys.exit(ran.returncode)
        files = json.loads(report.read_text())["files"]
    left_out = [line for name in MODULES for line in missing(Path("ajs", f"{name}.py"), files)]
    print("\n".join(left_out) or f"every line and branch of {', '.join(MODULES)} is covered")
    sys.exit(bool(left_out))


def missing(path: Path, files: dict) -> Iterator[str]:
    """Yield the lines and branches of a file that no test went through."""
    found = files[str(path)]
    last_cases = dict(cases_without_else(ast.parse(path.read_text())))
    for line in found["missing_lines"]:
        yield f"{path}:{line}: never runs"
    for source, target in found["missing_branches"]:
        if target == last_cases.get(source, target):
            yield f"{path}:{source}: never goes on {f'to {target}' if target > 0 else 'to its end'}"


def cases_without_else(tree: ast.Module) -> Iterator[tuple[int, int]]:
    """Yield the line of the last case of every match, and the line it goes on to when it fits."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Match):
            last = node.cases[-1]
            yield last.pattern.lineno, last.body[0].lineno


if __name__ == "__main__":
    main()
