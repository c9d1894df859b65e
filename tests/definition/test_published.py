"""The JSON Schema agrees with the reader, and the reference page says all that there is."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given

from ajs.definition.published import RECORDS, json_schema, reference_markdown
from ajs.definition.writer import to_yaml
from tests.definition import mistakes as bad
from tests.definition import strategies
from tests.definition.texts import STORED, core, one_script, problems, public_key, reads

VALIDATOR = jsonschema.Draft202012Validator(json_schema())

# Bad texts whose mistake a JSON Schema cannot see: it lies in what several units, days or files say together, in
# bytes, in the calendar of the year, or in how YAML is written.
NOT_STRUCTURE = (
    "warning_above 3 is not below",
    "warning_above 7 is not below",
    "cannot be read",
    "is not a length of time",
    "'own + 2880 min' is not",
    "is after itself",
    "no such unit in this jobnet",
    "is given twice",
    "is defined twice",
    "follows no unit",
    "follows the recovery unit",
    "follows rule",
    "names 'b' twice",
    "names 'sat' twice",
    "in a circle",
    "bytes long",
    "a cycle of weeks does not go",
    "substitute skip with a closed",
    "is both open and closed",
    "is a day that does not exist",
    "has 145 rules",
    "contains the control character",
    "is longer than 930 bytes",
    "is refused in definitions",
    "was renamed to",
    "is the name that the jobnet has now",
    "there is no such",
    "which is a destination",
    "which is an agent",
    "names 'AGT1' twice",
    "is stored as an agent group",
    "names the same twice",
    "is an agent and a",
    "is not a whole",
    "is not a host name",
    "there is no such",
    "cannot exclude itself",
    "exclude one another",
    "which is a job",
    "cannot be a planning group",
    "stands in the planning group",
    "does not lie after start_time",
    "is not counted like start_time",
)


def bad_texts():
    for template, table in (
        (bad.IN_A_JOB, bad.JOB),
        (bad.IN_A_RULE, bad.RULE),
        (bad.IN_A_ROOT, bad.JOBNET),
        (bad.IN_A_NESTED, bad.NESTED),
        (bad.IN_A_CALENDAR, bad.CALENDAR),
        (bad.IN_UNITS, bad.UNITS),
        ("group: /g\njobnets:\n  r:\n    {%s}\n", bad.SCHEDULES),
        (
            "%s",
            [row for row in bad.FILES if isinstance(row[0], str) and row[0].startswith("group")],
        ),
        (bad.IN_A_FLEXIBLE_JOB, bad.FLEXIBLE_JOB),
        (bad.IN_AN_AGENT, bad.AGENT),
        (bad.IN_TRUST, bad.TRUST),
        (bad.IN_A_DESTINATION, bad.DESTINATION),
        ("%s", bad.AGENTS_FILES),
    ):
        for row in table:
            yield template % row[0]


BAD = [
    text
    for text in dict.fromkeys(bad_texts())
    if "a second YAML" not in problems(text, stored=STORED)[0].message
    and "tab" not in problems(text, stored=STORED)[0].message
    and "nested more" not in problems(text, stored=STORED)[0].message
    and "*a" not in text
    and "? [a]" not in text
    and not all(
        any(part in p.message for part in NOT_STRUCTURE) for p in problems(text, stored=STORED)
    )
]


def test_it_is_a_json_schema():
    jsonschema.Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("text", BAD, ids=range(len(BAD)))
def test_what_the_reader_refuses_by_its_structure_the_schema_refuses(text):
    assert not VALIDATOR.is_valid(core(text)), text


@given(strategies.definitions())
def test_what_is_printed_the_schema_accepts(definitions):
    VALIDATOR.validate(core(to_yaml(definitions)))


def examples(root):
    for path in sorted(
        [*root.glob("jobnets/**/*.yaml"), *root.glob("docs/**/*.md"), root / "README.md"]
    ):
        if path.suffix == ".yaml":
            yield str(path.relative_to(root)), path.read_text()
        elif path.exists():
            for block in re.findall(
                r"^```yaml\n(.*?)^```", path.read_text(), re.DOTALL | re.MULTILINE
            ):
                if re.match(r"(#.*\n|\n)*(groups?|agents|agent_groups|destinations):", block):
                    yield f"{path.relative_to(root)}: {block[:30]!r}", block


WITH_LB2 = replace(
    STORED, destinations=(*STORED.destinations, replace(STORED.destinations[0], name="LB2"))
)
"""What the examples of the manual and of jobnets/cloud/ refer to."""

EXAMPLES = dict(examples(Path(__file__).resolve().parents[2]))


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_of_the_project_is_read_and_fits_the_schema(name):
    text = EXAMPLES[name]
    assert problems(text, scripts=lambda *_: b"", stored=WITH_LB2) == ()
    VALIDATOR.validate(core(text))


# Where an example of each mapping stands, so that it is read as part of a whole file.
AROUND = {
    "group": "%s",
    "groups": "%s",
    "groupEntry": "{groups: [%s]}",
    "calendar": "{group: /g, calendar: %s}",
    "baseDay": "{group: /g, calendar: {base_day: %s}}",
    "rootJobnet": "{group: /g, jobnets: {r: %s}}",
    "nestedJobnet": "{group: /g, jobnets: {r: {units: {total: {units: {}}, n: %s}}}}",
    "job": "{group: /g, jobnets: {r: {units: {collect: {units: {}}, check: {units: {}}, j: %s}}}}",
    "flexibleJob": "{group: /g, jobnets: {r: {units: {collect: {units: {}}, check: {units: {}}, j: %s}}}}",
    "rule": "{group: /g, jobnets: {r: {schedule: %s, units: {}}}}",
    "nestedRule": "{group: /g, jobnets: {r: {units: {n: {schedule: %s, units: {}}}}}}",
    "startDay": "{group: /g, jobnets: {r: {schedule: {start_day: %s}, units: {}}}}",
    "daysFromStart": "{group: /g, jobnets: {r: {schedule: {days_from_start: %s}, units: {}}}}",
    "repeat": "{group: /g, jobnets: {r: {schedule: {start_time: 08:00, repeat: %s}, units: {}}}}",
    "agentsFile": "%s",
    "agent": "{agents: {X: %s}}",
    "agentGroup": "{agent_groups: {X: %s}}",
    "destination": "{destinations: {X: %s}}",
    "trust": "{agents: {X: {host: h, user: u, trust: %s}}}",
}
# What a key needs beside it before its mapping is whole.
BESIDE = {
    "group": "group: /g",
    "groupEntry": "group: /g",
    "baseDay": "weekday: mon, nth: 2",
    "rootJobnet": "units: {}",
    "nestedJobnet": "units: {}, after: total",
    "job": "command: x, abnormal_above: 7, after: collect",
    "flexibleJob": "type: flexible, destination: LB1, command: x, abnormal_above: 7, after: collect",
    ("job", "script"): "after: collect",
    ("job", "parameters"): "script: run.sh",
    ("flexibleJob", "script"): "type: flexible, destination: LB1, after: collect",
    ("flexibleJob", "parameters"): "type: flexible, destination: LB1, script: run.sh",
    "agent": f"host: h, user: u, trust: {{host_keys: {public_key()}}}",
    "agentGroup": "members: AGT1",
    "destination": f"host: h, user: u, trust: {{host_keys: {public_key()}}}",
    ("trust", "host_ca"): "principals: a",
    ("trust", "principals"): f"host_ca: {public_key()}",
    ("startDay", "nth"): "weekday: fri",
    ("startDay", "counting"): "weekday: fri",
    ("startDay", "month"): "absolute: 5",
    ("startDay", "year"): "absolute: 5, month: 8",
    ("daysFromStart", "within"): "open: 1",
    ("rule", "repeat"): "start_time: 08:00",
    ("nestedRule", "repeat"): "start_time: 08:00",
    "repeat": "every: 30 min, until: 18:00",
}
FIELDS = [(record, field) for record in RECORDS for field in record.fields]


def whole(record, field):
    beside = BESIDE.get((record.name, field.key), BESIDE.get(record.name, ""))
    others = [part for part in beside.split(", ") if part and not part.startswith(f"{field.key}:")]
    inside = ", ".join([*others, f"{field.key}: {field.example}"])
    text = AROUND[record.name] % f"{{{inside}}}"
    return (
        text.replace("after: [collect, check]", "after: total")
        if record.name == "nestedJobnet"
        else text
    )


@pytest.mark.parametrize(("record", "field"), FIELDS, ids=[f"{r.name}-{f.key}" for r, f in FIELDS])
def test_the_example_of_every_key_is_right(record, field):
    text = whole(record, field)
    assert problems(text, scripts=lambda *_: b"", stored=STORED) == (), text
    VALIDATOR.validate(core(text))


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)
def test_the_example_of_every_mapping_is_right(record):
    text = AROUND[record.name] % record.example
    reads(text, one_script, STORED)
    VALIDATOR.validate(core(text))


def test_every_key_has_a_sentence_in_the_schema_and_in_the_reference():
    page = reference_markdown()
    for record, field in FIELDS:
        assert field.doc.endswith("."), (record.name, field.key)
        shape = json_schema()["$defs"][record.name]["properties"][field.key]
        assert shape["description"].startswith(field.doc)
        assert f"| `{field.key}` |" in page
        assert field.doc.replace("|", "\\|") in page


def test_every_reference_inside_the_schema_exists():
    defined = json_schema()["$defs"].keys()
    used = set(re.findall(r"'#/\$defs/(\w+)'", str(json_schema())))
    assert used == defined
