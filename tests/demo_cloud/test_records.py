"""Reading what agents have on record; the files are as agent.sh keeps them."""

from __future__ import annotations

from pathlib import Path

from ajs.demo.cloud.records import Record, records


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_what_the_agents_have_on_record(tmp_path):
    write(tmp_path / "LB1/agent-1/.ajs", {
        "epoch": "e1\n",
        "events.old": "ended a1\n",
        "events": "ended a2\nended",
        "jobs/a2/result": "a2 exited 0\n",
        "jobs/a3/pid": "a3 1 2 boot 3 4 5\n",
        "jobs/a4/claim": "1 boot 2 10\n",
        "tombs/a1": "boot 7\n",
        "tombs/a5": "boot 7\n",
    })  # fmt: skip
    # Several services may have folders of their own there; what has no epoch is none.
    write(tmp_path / "LB2/agent-2/.ajs/sales", {"epoch": "e2\n", "jobs/a6/pid": "a6\n"})
    write(tmp_path / "LB2/agent-2/.ajs/new", {"jobs/a7/pid": "a7\n"})
    assert records(str(tmp_path)) == (
        Record("LB1/agent-1", "a1", began=True, ended=True, closed=True),
        Record("LB1/agent-1", "a2", began=True, ended=True, closed=False),
        Record("LB1/agent-1", "a3", began=True, ended=False, closed=False),
        Record("LB1/agent-1", "a4", began=False, ended=False, closed=False),
        Record("LB1/agent-1", "a5", began=False, ended=False, closed=True),
        Record("LB2/agent-2", "a6", began=True, ended=False, closed=False),
    )


def test_nothing_on_record(tmp_path):
    assert records(str(tmp_path)) == ()
