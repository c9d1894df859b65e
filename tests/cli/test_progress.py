"""The bar of long commands: on a terminal only, only after a while, gone at the end."""

from __future__ import annotations

import sys

import pytest

from ajs.cli import progress
from ajs.operations.progress import counted, unwatched
from tests.cli.terminal import on_terminal

CODE = """
import sys
from ajs.cli import main, progress
progress.AFTER_S, progress.EVERY_S = {after}, 0.0
sys.argv[0] = sys.argv.pop(1)
code = main()
with open("loaded", "w") as file:
    file.write("rich" if "rich" in sys.modules else "")
sys.exit(code)
"""
AT_ONCE, NEVER = -1.0, 1e9
BAR = "━"
COMMANDS = [
    ("ajsdefine --dry-run later.yaml", "reading"),
    ("ajsentry -R -T /g/never /g/weekly -n --dry-run", "registering"),
    ("ajsplan -h /g/daily --dry-run", "changing"),
    ("ajsdelete -R -T -L /g --dry-run", "deleting"),
]


def shown(home, line: str, after: float, **given) -> str:
    return on_terminal(CODE.format(after=after), line.split(), home.folder, **given)


@pytest.fixture
def ready(home):
    """A home with a registered jobnet, and a definition file that differs."""
    home.ajs("ajsentry /g/daily")
    home.file("later.yaml", (home.folder / "g.yaml").read_text().replace("22:00", "23:00"))
    return home


@pytest.mark.parametrize(("line", "what"), COMMANDS, ids=[what for _, what in COMMANDS])
def test_a_long_command_shows_how_far_it_has_come_and_takes_it_away(ready, line, what):
    screen = shown(ready, line, AT_ONCE)
    assert BAR in screen
    assert what in screen
    # Nothing of the bar comes after its line was cleared and the cursor shown again.
    rest = screen.rpartition("\x1b[2K")[2]
    assert "\x1b[?25h" in screen
    assert BAR not in rest
    assert "dry run" in rest


# What is different, and so there is no bar.
NONE = [
    ("a short command", {"after": NEVER}),
    ("stdout is no terminal", {"after": AT_ONCE, "out": False}),
    ("a dumb terminal", {"after": AT_ONCE, "TERM": "dumb"}),
]


@pytest.mark.parametrize(("why", "given"), NONE, ids=[why for why, _ in NONE])
def test_no_bar_and_nothing_loaded_for_one(ready, why, given):
    screen = shown(ready, COMMANDS[0][0], **given)
    assert BAR not in screen
    assert "\x1b[" not in screen
    assert (ready.folder / "loaded").read_text() == ""


def test_a_stderr_that_is_a_file_gets_no_bar(monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(progress, "AFTER_S", AT_ONCE)
    with progress.bar() as report:
        assert report is unwatched


def test_every_piece_is_told_when_it_is_done():
    told: list[tuple[str, int, int]] = []
    pieces = [len(told) for _ in counted(lambda *one: told.append(one), "reading", ["a", "b"])]
    assert pieces == [0, 1]
    assert told == [("reading", 1, 2), ("reading", 2, 2)]
