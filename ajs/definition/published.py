"""The JSON Schema of the definition language and its reference page, both made from the keys in the schema modules.

YAML is taken as other tools read it (YAML 1.2): ``5`` is a number, ``yes`` a text. Where the reader is more lenient
(``"5"`` in quotes for a number, ``Sat`` for ``sat``), the JSON Schema asks for the usual spelling.
"""

from __future__ import annotations

from ajs.definition.agent_schema import (
    AGENT_FIELDS,
    AGENT_GROUP_RECORD,
    AGENT_RECORD,
    AGENTS_FILE_RECORD,
    DESTINATION_RECORD,
    TRUST_RECORD,
)
from ajs.definition.calendar_schema import BASE_DAY_RECORD, CALENDAR_RECORD
from ajs.definition.kinds import Record, Shape
from ajs.definition.rule_schema import (
    DAYS_FROM_START_RECORD,
    NESTED_RULE_RECORD,
    REPEAT_RECORD,
    ROOT_RULE_RECORD,
)
from ajs.definition.start_day_schema import START_DAY_RECORD
from ajs.definition.unit_schema import (
    FILE_RECORD,
    FLEXIBLE_RECORD,
    GROUP_FILE_RECORD,
    GROUP_RECORD,
    JOB_RECORD,
    NESTED_RECORD,
    ROOT_RECORD,
)

RECORDS: tuple[Record, ...] = (
    GROUP_FILE_RECORD,
    FILE_RECORD,
    GROUP_RECORD,
    CALENDAR_RECORD,
    BASE_DAY_RECORD,
    ROOT_RECORD,
    NESTED_RECORD,
    JOB_RECORD,
    FLEXIBLE_RECORD,
    ROOT_RULE_RECORD,
    NESTED_RULE_RECORD,
    START_DAY_RECORD,
    DAYS_FROM_START_RECORD,
    REPEAT_RECORD,
    AGENTS_FILE_RECORD,
    AGENT_RECORD,
    AGENT_GROUP_RECORD,
    DESTINATION_RECORD,
    TRUST_RECORD,
)
"""Every mapping of the language, from the outside in."""

_UNIT: Shape = {
    "description": "A job or a nested jobnet; one with units or a schedule is a jobnet.",
    "if": {
        "anyOf": [
            {"required": ["type"], "properties": {"type": {"const": "jobnet"}}},
            {
                "not": {"required": ["type"]},
                "anyOf": [
                    {"required": ["units"]},
                    {
                        "required": ["schedule"],
                        "not": {"anyOf": [{"required": ["command"]}, {"required": ["script"]}]},
                    },
                ],
            },
        ]
    },
    "then": {"$ref": f"#/$defs/{NESTED_RECORD.name}"},
    "else": {
        "if": {"required": ["type"], "properties": {"type": {"const": "flexible"}}},
        "then": {"$ref": f"#/$defs/{FLEXIBLE_RECORD.name}"},
        "else": {"$ref": f"#/$defs/{JOB_RECORD.name}"},
    },
}
_FILE: Shape = {
    "if": {"type": "object", "required": ["groups"]},
    "then": {"$ref": f"#/$defs/{FILE_RECORD.name}"},
    "else": {
        "if": {
            "type": "object",
            "anyOf": [{"required": [f.key]} for f in AGENT_FIELDS],
            "not": {"anyOf": [{"required": [f.key]} for f in GROUP_RECORD.fields]},
        },
        "then": {"$ref": f"#/$defs/{AGENTS_FILE_RECORD.name}"},
        "else": {"$ref": f"#/$defs/{GROUP_FILE_RECORD.name}"},
    },
}


def json_schema() -> Shape:
    """Return the JSON Schema (draft 2020-12) of one definition file, for editors and other tools."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "ajs definitions",
        **_FILE,
        "$defs": {record.name: record.schema() for record in RECORDS} | {"unit": _UNIT},
    }


_HEAD = """# Definitions

A definition file is YAML text in UTF-8.
It describes one job group, or several under `groups`, or agents, or both.
`ajsdefine` reads any number of files together; the jobnets of a group may stand in several files, its comment and
calendar in one.
What a file does not say of a stored group stays as it is: its comment, its calendar, whether it is a planning group.

- Values need no quotes: `25:00`, `08:00`, `no` and `0755` mean what they look like. A text that contains `: ` or ` #`,
  or begins with one of `[ ] { } & * ! | > % @ ' " #`, is put in quotes.
- Unknown keys, keys given twice, anchors, aliases and tags are refused. All problems of all files are reported at once.
- A unit name has 1 to 30 bytes, no spaces and none of `" & ' * ? [ ] ^ { | } ~ ; , / : @`; it does not begin with `-`.
  A full path has at most 930 bytes.
- The name of an agent, agent group or destination has 1 to 255 bytes and none of these characters; it stands for one of
  them only. What such a name refers to stands in the same call of `ajsdefine` or is stored already.
- Lengths of time are written `90s`, `10 min`, `2h`, `1h 30min`. Weekdays are `mon` to `sun`.
  Days are `2026-12-31` or `2026/12/31`.
- Where a key takes a list, one entry may stand without brackets.
"""


def reference_markdown() -> str:
    """Return the reference page of the definition language."""
    return "\n".join([_HEAD, *(_section(record) for record in RECORDS)])


def _section(record: Record) -> str:
    """Return the part of the page about one mapping."""
    title = record.title.removeprefix("a ").removeprefix("an ")
    lines = [
        f"## {title[0].upper()}{title[1:]}",
        "",
        record.doc,
        "",
        "```yaml",
        record.example,
        "```",
        "",
        "| key | takes | default | meaning | example |",
        "|---|---|---|---|---|",
    ]
    for field in record.fields:
        default = "must be given" if field.required else field.default or "none"
        cells = (f"`{field.key}`", field.kind.words, default, field.doc, f"`{field.example}`")
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join([*lines, ""])
