"""``ajs demo`` plays the main job with real processes, on any day and hour; the README shows what it prints."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import re
from datetime import datetime
from pathlib import Path

import pytest

from ajs.cli.boundary import run
from tests.shifted import ShiftedClock

README = Path(__file__).parent.parent / "README.md"
SALES = ["collect", "total", "report/print", "report/archive", "bank", "tell-treasurer"]
BEFORE = [
    ("collect", "total"),
    ("total", "report/print"),
    ("report/print", "report/archive"),
    ("total", "bank"),
    ("bank", "tell-treasurer"),
]
"""Which job's turn comes after which one's."""
MOMENTS = {
    "in the morning": "2026-11-24T09:00:00",
    "a holiday": "2026-11-23T12:00:00",
    "just before midnight": "2026-11-25T23:59:57",
    "just before the base time": "2026-11-26T07:59:58",
    "31 December": "2026-12-31T23:59:57",
    "while the last day's night run is next": "2026-11-30T22:30:00",
    "a leap day": "2028-02-29T10:00:00",
}


class Played:
    """One demo that was played in a folder of its own."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str], moment: str) -> None:
        self.folder = folder / "ajs-demo"
        wall = datetime.fromisoformat(moment)
        clocks: dict[str, ShiftedClock] = {}

        def clock(zone: str) -> ShiftedClock:
            return clocks.setdefault(zone, ShiftedClock(zone, wall))

        self.clock = clock
        seen = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
        with contextlib.redirect_stdout(seen), contextlib.redirect_stderr(seen):
            self.code = run("demo", "ajs demo", [], clock=clock)
        seen.seek(0)
        self.out = seen.read()
        self.capture = capture

    def json(self, *arguments: str):
        code = run("show", "ajsshow", ["--format", "json", *arguments], clock=self.clock)
        assert code == 0
        return json.loads(self.capture.readouterr().out)

    @property
    def journal(self) -> list[str]:
        return (self.folder / "work" / "journal.txt").read_text().splitlines()


@pytest.fixture
def play(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AJS_HOME", raising=False)
    return lambda moment: Played(tmp_path, capsys, moment)


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS.keys())
def test_the_demo_plays_and_accounts_for_itself(play, moment):
    """What ajsshow says of every job is what the jobs themselves wrote down, once each and in order."""
    demo = play(moment)
    assert demo.code == 0, demo.out
    found = demo.json("-F", "sales", "-R", "/sales/daily-close:@A1")
    units = {u["unit"].removeprefix("/sales/daily-close").lstrip("/"): u for u in found["units"]}
    written = [line.split(" ") for line in demo.journal]
    ran = [
        path.removeprefix("/sales/daily-close/")
        for run_id, path in written
        if path.startswith("/sales/") and run_id == "@A1"
    ]
    assert sorted(ran) == sorted(SALES)
    assert all(ran.index(first) < ran.index(later) for first, later in BEFORE)
    assert {path: units[path]["status"] for path in SALES} == {
        "collect": "NORMAL",
        "total": "WARNING",
        "report/print": "NORMAL",
        "report/archive": "NORMAL",
        "bank": "ABNORMAL",
        "tell-treasurer": "NORMAL",
    }
    assert {path: units[path]["return_code"] for path in ("total", "bank")} == {
        "total": 1,
        "bank": 8,
    }
    assert units[""]["status"] == "ABNORMAL"
    assert (demo.folder / "work" / "outbox.txt").read_text().count("To: treasurer") == 1


def test_a_relay_agent_dies_and_every_job_in_the_cloud_runs_once(play):
    """What ajsshow says, what the jobs wrote, and what the agents have on record agree."""
    demo = play(MOMENTS["in the morning"])
    assert demo.code == 0, demo.out
    before, _, after = demo.out.partition("$ kill -9 ")
    (running,) = (
        line for line in before.splitlines() if re.match(r" +simulate +Now running", line)
    )
    assert running.endswith("via AGT1"), "it ran when the relay agent was shot"
    (ended,) = (line for line in after.splitlines() if line.startswith("  simulate"))
    assert "Ended normally" in ended
    assert ended.endswith("via AGT2"), "its result came through the other one"
    assert ended.split(" via ")[0].split()[-1] == running.split(" via ")[0].split()[-1]
    assert after.count("@A3 /sales/cloud/forecast/simulate on ") == 1
    assert after.count(" expected\n") == 3, "all of its output is here"
    recorded = [line.split() for line in after.partition("$ ajs demo records\n")[2].splitlines()]
    kept = [words for words in recorded if words and words[0].startswith("LB")]
    assert sorted(words[0][:3] for words in kept) == ["LB1"] * 2 + ["LB2"] * 3
    assert all(words[2:] == ["yes", "yes", "yes"] for words in kept)
    assert len({words[1] for words in kept}) == len(kept)
    for service, root in (("sales", "/sales/cloud"), ("general-affairs", "/general-affairs/cloud")):
        units = demo.json("-F", service, "-R", root)["units"]
        agents = [u["agent"]["destination"] for u in units if u["agent"]]
        assert agents == (["LB1"] * 2 if service == "sales" else ["LB2"] * 3)
        assert {u["status"] for u in units if u["status"]} == {"NORMAL"}


def test_the_other_department_ran_once_and_kept_its_run(play):
    demo = play(MOMENTS["in the morning"])
    ran = [line for line in demo.journal if " /general-affairs/" in line]
    assert len(ran) == 2
    found = demo.json("-F", "general-affairs", "-g", "a", "/general-affairs/weekly-hours")
    starts = {u["status"]: u["planned_start"] for u in found["units"]}
    assert starts["TIMEWAIT"] == "2026-11-27T17:30:00"
    assert "NORMAL" in starts


def plain(text: str) -> list[str]:
    """Lines without what differs from run to run: times, process numbers, plan tokens, users, widths of columns."""
    text = re.sub(r"(\d\d-\d\d )?\b\d\d:\d\d(:\d\d)?\b", "TIME", text)
    text = re.sub(r"process \d+", "process N", text)
    text = re.sub(r"127\.0\.0\.1:\d+( +\d+)?", "ADDRESS", text)
    text = re.sub(r"kill -9 \d+", "kill -9 PROCESS", text)
    text = re.sub(r"\b[0-9a-f]{32}-[0-9a-f]{12}-", "ATTEMPT-", text)
    text = re.sub(r"--if-plan \S+", "--if-plan TOKEN", text)
    text = re.sub(r"(TIME +)\S+( +ajs)", r"\1USER\2", text)
    text = re.sub(r"\bby \S+ at\b", "by USER at", text)
    lines = [re.sub(r" +", " ", line).rstrip() for line in text.splitlines()]
    # What runs at the same time may end in either order.
    together = itertools.groupby(lines, key=lambda line: bool(re.match(r"\S+ /\S+:@", line)))
    return [line for same, found in together for line in (sorted(found) if same else found)]


def test_the_readme_shows_what_the_demo_prints(play):
    """Each piece between lines of dots stands in the demo's output, in order and to the letter."""
    (block,) = re.findall(r"```console\n(\$ make demo\n.*?)```", README.read_text(), re.DOTALL)
    out = plain(play(MOMENTS["in the morning"]).out)
    at = 0
    for piece in block.removeprefix("$ make demo\n").split("\n...\n"):
        lines = plain(piece)
        places = [
            n for n in range(at, len(out) - len(lines) + 1) if out[n : n + len(lines)] == lines
        ]
        assert places, "\n".join(lines)
        at = places[0] + len(lines)


def test_a_second_demo_takes_a_fresh_folder(play, tmp_path):
    (tmp_path / "ajs-demo").mkdir()
    demo = play(MOMENTS["in the morning"])
    assert demo.code == 0
    assert not list((tmp_path / "ajs-demo").iterdir())
    assert (tmp_path / "ajs-demo-2" / "ajs.toml").exists()


def test_only_the_jobnets(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("demo", "ajs demo", ["--copy-jobnets", "."]) == 0
    assert (tmp_path / "jobnets" / "sales" / "sales.yaml").exists()
