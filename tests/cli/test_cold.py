"""A cold command pays for what it uses: a text ``ajsshow`` loads nothing of the core, and no reader of YAML or JSON."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

LIGHT = """
from ajs.cli import main
code = main()
print(*sys.modules, file=sys.stderr)
sys.exit(code)
"""
HEAVY = (
    *("ajs.plan", "ajs.schedule", "ajs.rules", "ajs.calendar", "ajs.lifecycle", "ajs.definition", "ajs.decide"),
    *("rich", "yaml", "zoneinfo", "asyncio", "socket", "dataclasses", "json", "paramiko", "cryptography"),
)  # fmt: skip


@pytest.mark.parametrize("line", ["ajsshow /g/daily", "ajsshow -f %J%C /g/daily"])
def test_a_cold_ajsshow_loads_nothing_heavy(home, line):
    home.ajs("ajsentry /g/daily")
    program, *arguments = line.split()
    code = f"import sys; sys.argv = {[program, *arguments]!r}{LIGHT}"
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "AJS_HOME": str(home.folder), "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Wait for start time" in ran.stdout
    loaded = set(ran.stderr.split())
    assert loaded.isdisjoint(HEAVY), loaded.intersection(HEAVY)
