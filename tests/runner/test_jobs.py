"""What a job is run as, and what it sees of the world."""

from __future__ import annotations

import re
import subprocess
from datetime import date
from pathlib import Path

import pytest

from ajs.attempts import AttemptKey
from ajs.dispatch.local import BASE_ENVIRONMENT
from ajs.errors import StoreError
from ajs.lifecycle import LiveGeneration, Status, UnitRun
from ajs.model import Job, Jobnet
from ajs.runner.jobs import Scripts, Surroundings, environment, job_spec

AROUND = Surroundings(service="sales", home="/srv/jobs", host="keiri")
KEY = AttemptKey(12, "report/print", 1)


def generation(**before: UnitRun) -> LiveGeneration:
    units = {f"report/{name}": run for name, run in before.items()}
    return LiveGeneration(
        id=12,
        root_path="/sales/daily-close",
        execution_id="@A12",
        exec_date=date(2026, 11, 24),
        definition_hash="h",
        definition=Jobnet(name="daily-close"),
        units=units,
        version=1,
    )


def test_what_every_job_is_given():
    assert environment(KEY, Job(name="print"), generation(), AROUND) == {
        "AJSENV": "YES",
        "AJSEXECID": "@A12",
        "AJSEXDATE": "2026-11-24",
        "AJSNETNAME": "/sales/daily-close/report",
        "AJSJOBNAME": "/sales/daily-close/report/print",
        "AJSHOST": "keiri",
        "AJS_AJSCONF": "sales",
    }


def test_the_manual_names_every_variable():
    page = (Path(__file__).parents[2] / "docs/reference/job-variables.md").read_text("utf-8")
    before = UnitRun(path="report/sum", status=Status.NORMAL, return_code=0)
    given = environment(KEY, Job(name="print", after=("sum",)), generation(sum=before), AROUND)
    assert re.findall(r"^\| `(\w+)`", page, re.MULTILINE) == list(given)
    (inherited,) = re.findall(r"^(`HOME`.*)\.$", page, re.MULTILINE)
    assert tuple(name.strip("`") for name in inherited.split(", ")) == BASE_ENVIRONMENT


def test_its_own_variables_win():
    job = Job(name="print", environment=(("AJSHOST", "mine"), ("SHOP", "umeda")))
    found = environment(KEY, job, generation(), AROUND)
    assert (found["AJSHOST"], found["SHOP"]) == ("mine", "umeda")


# predecessors: status and return code | AJSPRE_ST | AJSPRE_RC
PREDECESSORS = """
NORMAL 0               | n | 0
NORMAL 1, NORMAL 2     | n | 3
WARNING 4, NORMAL 0    | w | 4
NORMAL 0, WARNING 4    | w | 4
ABNORMAL 8, WARNING 4  | a | 12
KILL -1                | a | -1
BYPASS -               | n | 0
"""


@pytest.mark.parametrize("line", PREDECESSORS.strip().splitlines())
def test_how_the_units_before_it_ended(line):
    ended, status, code = (part.strip() for part in line.split("|"))
    before = {}
    for number, word in enumerate(ended.split(", ")):
        name, _, returned = word.partition(" ")
        run = UnitRun(
            path=f"report/u{number}",
            status=Status[name],
            return_code=None if returned == "-" else int(returned),
        )
        before[f"u{number}"] = run
    job = Job(name="print", after=tuple(before))
    found = environment(KEY, job, generation(**before), AROUND)
    assert (found["AJSPRE_ST"], found["AJSPRE_RC"]) == (status, code)


# work_dir | the folder that the job runs in
FOLDERS = {"": "/srv/jobs", "monthly": "/srv/jobs/monthly", "/data": "/data"}


@pytest.mark.parametrize(("given", "expected"), FOLDERS.items())
def test_where_a_job_runs(given, expected):
    job = Job(name="print", command="true", work_dir=given)
    found = job_spec("n", KEY, job, generation(), AROUND, "")
    assert str(found.cwd) == expected


def test_parameters_of_a_script_are_taken_apart_by_the_shell(tmp_path):
    content = b'#!/bin/sh\nprintf "%s\\n" "$@"\n'
    scripts = Scripts(str(tmp_path / "scripts"))
    path = scripts.path("ab" * 32, lambda _: content)
    job = Job(name="print", command="'two words' $SHOP \"a;b\"", script="ab" * 32)
    found = job_spec("n", KEY, job, generation(), AROUND, path)
    environ = {"SHOP": "umeda", "PATH": "/bin:/usr/bin"}
    done = subprocess.run(found.argv, env=environ, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["two words", "umeda", "a;b"]


def test_a_script_is_written_once_and_found_again(tmp_path):
    asked = []

    def content(sha256: str) -> bytes:
        asked.append(sha256)
        return b"#!/bin/sh\n"

    for _ in range(2):
        scripts = Scripts(str(tmp_path / "scripts"))
        for _ in range(2):
            scripts.path("ab" * 32, content)
    path = tmp_path / "scripts" / ("ab" * 32)
    assert asked == ["ab" * 32]
    assert path.stat().st_mode & 0o777 == 0o550
    assert [file.name for file in path.parent.iterdir()] == ["ab" * 32]


def test_a_script_that_cannot_be_written_is_a_complaint_with_its_path(tmp_path):
    (tmp_path / "scripts").write_text("a file in the way")
    scripts = Scripts(str(tmp_path / "scripts"))
    with pytest.raises(StoreError) as refused:
        scripts.path("ab" * 32, lambda _: b"")
    assert str(tmp_path / "scripts") in refused.value.message
