"""What reading commands print for machines is what their published schemas say, and their errors are JSON too."""

from __future__ import annotations

import json

import jsonschema
import pytest

from ajs.render.schemas import SCHEMAS

STORY = (
    "ajsentry /g/daily /g/weekly",
    "ajsplan -t 22:30 --reason late /g/daily",
    "ajsplan -h /g/daily/report",
    "ajsplan -p /g/daily/first",
    "ajsplan -p /g/weekly",
    "ajsplan -t 21:00 /g/daily",
)


@pytest.fixture
def lived(home):
    """A home in which runs were changed, held, prohibited, ran and failed."""
    for line in STORY:
        home.ajs(line)
    home.run("2026-08-10T21:05")
    home.ajs("ajsplan -r /g/daily/report:@A1")
    home.run("2026-08-11T23:30 report/print=1m:7 first=30m")
    return home


def printed(home, line: str) -> dict:
    out = home.ajs(line)
    assert "!" not in out, out
    return json.loads(out)


ASKED = [
    ("show", "ajsshow --format json"),
    ("show", "ajsshow -R -g a --format json /"),
    ("show", "ajsshow -RG --format json /"),
    ("show-long", "ajsshow -l -g a --format json /g/daily /g/daily/report/print /g/never /g"),
    ("show-schedule", "ajsshow -p --format json /g"),
    ("history", "ajs history --format json"),
    ("history-entry", "ajs history 2 --format json"),
    ("history-entry", "ajs history 6 --format json"),
    ("why", "ajs why --format json /g/daily"),
    ("why", "ajs why --format json /g/daily/report/print:@A1"),
    ("why", "ajs why --format json /g/daily 2026/08/15"),
    ("why", "ajs why --format json /g/weekly 2026/08/14"),
    ("why", "ajs why --format json /g/never"),
    ("why", "ajs why --format json /g/daily:@A1"),
    ("undo", "ajs undo 6 --dry-run --format json"),
    ("undo", "ajs undo 6 --format json"),
]


@pytest.mark.parametrize(("name", "line"), ASKED, ids=[line for _, line in ASKED])
def test_output_fits_its_schema(lived, name, line):
    jsonschema.validate(printed(lived, line), SCHEMAS[name])


@pytest.mark.parametrize("name", SCHEMAS)
def test_schema_is_one(name):
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])


def test_every_schema_is_asked_for():
    assert {name for name, _ in ASKED} == SCHEMAS.keys()


def test_statuses_are_constants_with_the_text_beside_them(lived):
    units = printed(lived, "ajsshow --format json -B 20260810001 /g/daily/report/print")["units"]
    assert [(u["status"], u["status_text"], u["return_code"]) for u in units] == [
        ("ABNORMAL", "Ended abnormally", 7)
    ]


def test_real_times_bear_their_offset_and_planned_ones_do_not(lived):
    (unit,) = printed(lived, "ajsshow --format json /g/daily:@A1")["units"]
    assert unit["planned_start"] == "2026-08-10T21:00:00"
    assert unit["original_start"] == "2026-08-10T22:00:00"
    assert unit["started"] == "2026-08-10T21:00:00.000+00:00"


def test_an_error_is_json_too(home):
    out = home.ajs("ajs why --format json /g/dialy")
    first, code = out.splitlines()
    error = json.loads(first.removeprefix("! "))["error"]
    assert (error["code"], error["exit_code"], error["value"], code) == (
        "AJS0801",
        8,
        "/g/dialy",
        "[8]",
    )
