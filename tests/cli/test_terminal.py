"""What ``ajsshow`` prints on a terminal fits into its lines; what goes into a pipe is never cut or wrapped."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ajs.render.columns import width
from tests.cli.terminal import on_terminal

CODE = "import sys; from ajs.cli import main; sys.argv[0] = sys.argv.pop(1); sys.exit(main())"
LONG = """\
group: /regional-headquarters/accounts-department
jobnets:
  month-end-close-of-all-shops:
    schedule: [{start_day: registered, start_time: 22:00, cycle: 1 day}]
    units:
      collect-takings-of-every-shop: {command: 'true'}
      b: {after: collect-takings-of-every-shop, command: 'true', hold: true}
"""
TOP = "/regional-headquarters"
ROOT = f"{TOP}/accounts-department/month-end-close-of-all-shops"


@pytest.fixture
def long(home):
    home.file("long.yaml", LONG)
    home.ajs("ajsdefine long.yaml")
    home.ajs(f"ajsentry {ROOT}")
    home.ajs(f"ajsplan -t 23:30 -h {ROOT}")
    return home


def test_a_page_on_a_terminal(long):
    screen = on_terminal(CODE, ["ajsshow", "-R", TOP], long.folder, NO_COLOR="1")
    assert screen.splitlines() == [
        "UNIT                     EXEC ID  EXEC DATE   STATUS                 START",
        "/regional-headquarters/",
        "  accounts-department/",
        "    month-end-close-of-all-shops",
        "                         @A1      2026-08-10  Wait for start time    23:30",
        "        changed from 22:00, held",
        "      collect-takings-of-every-shop",
        "                                              Wait for prev. to end",
        "      b                                       Wait for prev. to end",
        "          hold by definition",
    ]


@pytest.mark.parametrize("columns", [60, 80, 132])
def test_what_a_change_does_fits_a_terminal(long, columns):
    line = ["ajsplan", "-p", "--dry-run", ROOT]
    screen = on_terminal(CODE, line, long.folder, columns=columns)
    told = screen.partition("service s")[2].splitlines()[1:]
    wide = [text for text in told if width(text) > max(columns, len(ROOT))]
    assert [text for text in wide if not text.startswith("next run of")] == []
    assert {"@A1", "prohibited", "appears", "(becomes", "--if-plan"} <= set(screen.split())


@pytest.mark.parametrize("columns", [60, 80, 132])
@pytest.mark.parametrize("line", [f"ajsshow -R {TOP}", f"ajsshow -RT {TOP}", f"ajsshow {ROOT}"])
def test_no_line_is_wider_than_the_terminal(long, line, columns):
    screen = on_terminal(CODE, line.split(), long.folder, columns=columns, NO_COLOR="1")
    assert [text for text in screen.splitlines() if width(text) > max(columns, len(ROOT))] == []
    words = set(screen.split())
    assert {"@A1", "23:30", "held"} <= words


def test_a_pipe_gets_whole_lines(long):
    words = [sys.executable, "-c", CODE, "ajsshow", "-RT", TOP]
    piped = subprocess.run(words, cwd=long.folder, capture_output=True, text=True, check=True)
    assert piped.stdout.splitlines()[1] == (
        f"{ROOT}  @A1      2026-08-10  Wait for start time  23:30  changed from 22:00, held"
    )
