"""The keys of job groups, jobnets and jobs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ajs.definition.agent_schema import AGENT_FIELDS, AGENT_NAME_VALUE, NamedNodes
from ajs.definition.calendar_schema import CALENDAR_KIND
from ajs.definition.jobnet_schema import (
    CALENDAR_OF,
    EXCLUSIVE,
    HOLD_IF,
    LOGS,
    NESTED_CALENDAR_OF,
    NESTED_EXCLUSIVE,
    OVERLAP,
    PRIORITY,
    REQUIRED_TIME,
    ROOT_HOLD,
    ROOT_PRIORITY,
    VALID_UNTIL,
)
from ajs.definition.kinds import (
    Field,
    Later,
    OneOrMore,
    Pairs,
    Placed,
    Record,
    Scalar,
    Shape,
    whole,
)
from ajs.definition.problems import listed
from ajs.definition.rule_schema import NESTED_SCHEDULE, ROOT_SCHEDULE
from ajs.definition.scalars import (
    NotThis,
    parse_duration,
    parse_filled,
    parse_flag,
    parse_name,
    parse_path,
    parse_variable,
)
from ajs.definition.text_schema import (
    COMMENT,
    FLAG,
    LINE,
    NAME,
    NAME_VALUE,
    PATH,
    TEXT,
    TEXT_SHAPE,
)
from ajs.definition.tree import Node

MAX_RETURN_CODE = 2_147_483_647
"""The largest threshold for return codes (execution.md 1.2)."""
MAX_COMMAND_BYTES = 65_536
"""The longest command: half of what Linux passes to a program as one argument."""
UNIT_TYPES = ("job", "flexible", "jobnet")
"""What ``type:`` of a unit inside a jobnet may say."""
STORED = "sha256:"
"""How a definition names a stored script by its content, where there is no file."""

_FILLED_SHAPE: Shape = {**TEXT_SHAPE, "pattern": r"\S"}
_COMMAND_SHAPE: Shape = {**_FILLED_SHAPE, "maxLength": MAX_COMMAND_BYTES}


def _parse_command(text: str) -> str:
    """Return a command line that a shell can be given."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_COMMAND_BYTES:
        raise NotThis(
            why=f"is longer than {MAX_COMMAND_BYTES:,} bytes",
            hint="put it into a file and write script: FILE",
        )
    return parse_filled(text)


def _parse_hold(text: str) -> bool:
    """Return whether a unit is held; what only a root jobnet can say gets its own hint."""
    if text.lower() in HOLD_IF:
        raise NotThis(hint="only a root jobnet can be held by how the run before it ended")
    return parse_flag(text)


def _parse_was(text: str) -> str:
    """Return an earlier name or full path of a unit."""
    return parse_path(text) if text.startswith("/") else parse_name(text)


def _type_kind(kind: str, kinds: tuple[str, ...] = UNIT_TYPES) -> Scalar[str]:
    """Return what the key ``type`` takes in a unit of one kind, where there may be others."""

    def parse(text: str) -> str:
        if text != kind:
            raise NotThis
        return text

    return Scalar(listed(kinds, "or"), parse, {"const": kind}, kinds)


AFTER = Field(
    key="after",
    kind=OneOrMore(NAME_VALUE),
    doc="The units of the same jobnet that must end before this one starts.",
    default="none; it starts with the jobnet",
    example="[collect, check]",
)
RECOVERY = Field(
    key="recovery",
    kind=FLAG,
    doc=(
        "A recovery unit runs only when the units before it ended abnormally. Only recovery units may follow it, and "
        "it does not turn the jobnet's end into a normal one."
    ),
    default="no",
    example="yes",
)
HOLD = Field(
    key="hold",
    kind=replace(FLAG, parse=_parse_hold),
    doc="Hold it at its start until an operator releases it.",
    default="no",
    example="yes",
)
JOB_TYPE = Field(
    key="type",
    kind=_type_kind("job"),
    doc="Says that this unit is a job.",
    example="job",
    default="told by the other keys",
)
FLEXIBLE_TYPE = Field(
    key="type",
    kind=_type_kind("flexible"),
    doc="Says that this unit is a flexible job.",
    example="flexible",
    required=True,
)
JOBNET_TYPE = Field(
    key="type",
    kind=_type_kind("jobnet"),
    doc="Says that this unit is a jobnet.",
    default="told by the other keys",
    example="jobnet",
)
ROOT_TYPE = replace(JOBNET_TYPE, kind=_type_kind("jobnet", ("jobnet",)))
COMMAND = Field(
    key="command",
    kind=Scalar("a command line", _parse_command, _COMMAND_SHAPE),
    doc="The command line, run by /bin/sh; it may have several lines.",
    example="python total.py",
)
SCRIPT = Field(
    key="script",
    kind=LINE,
    doc=(
        "A file of at most 64 MiB to run as a program, relative to the definition file. ajsdefine reads and "
        "stores it, so a later change of the file needs a new ajsdefine. sha256:... names a script that is "
        "stored already."
    ),
    example="scripts/total.py",
)
PARAMETERS = Field(
    key="parameters",
    kind=Scalar("an argument line", _parse_command, _COMMAND_SHAPE),
    doc="The arguments of the script, in the words of the shell.",
    default="none",
    example="--month 8",
)
WORK_DIR = Field(
    key="work_dir",
    kind=LINE,
    doc="The folder it runs in.",
    example="/srv/sales",
    default="the folder of ajs.toml",
)
ENVIRONMENT = Field(
    key="environment",
    kind=Pairs(
        Scalar(
            "the name of an environment variable",
            parse_variable,
            {"pattern": "^[A-Za-z_][A-Za-z0-9_]{0,255}$"},
        ),
        TEXT,
        "variable",
    ),
    doc="Environment variables, added to those of the manager.",
    default="none",
    example="{LANG: C.UTF-8}",
)
TIMEOUT = Field(
    key="timeout",
    kind=Scalar(
        "a length of time from 1s to 31d",
        parse_duration,
        {"type": "string", "pattern": "^([0-9]{1,7} ?[a-z]+ ?)+$"},
    ),
    doc="How long it may run before it is killed, in d, h, min and s.",
    default="no limit",
    example="2h",
)
WARNING_ABOVE = Field(
    key="warning_above",
    kind=whole(0, MAX_RETURN_CODE),
    doc="A return code above this number, and not above abnormal_above, ends the job with warning.",
    default="no warning",
    example="3",
)
ABNORMAL_ABOVE = Field(
    key="abnormal_above",
    kind=whole(0, MAX_RETURN_CODE),
    doc="A return code above this number ends the job abnormally.",
    default="0",
    example="7",
)
DESTINATION = Field(
    key="destination",
    kind=AGENT_NAME_VALUE,
    doc="Where it runs: the name of a destination.",
    example="LB1",
    required=True,
)
RELAY = Field(
    key="relay",
    kind=AGENT_NAME_VALUE,
    doc="The agent, or the agent group, through which the destination is reached.",
    default="none; the manager reaches the destination itself",
    example="RELAYS",
)
AGENT_WORK_DIR = replace(
    WORK_DIR,
    doc="The folder on the agent that it runs in; relative to the home folder of the user there.",
    default="the home folder of the user there",
)
AGENT_ENVIRONMENT = replace(
    ENVIRONMENT, doc="Environment variables, added to those that the user has on the agent."
)
_NO_AGENT = dict.fromkeys(
    ("agent", "host"), "a job that runs elsewhere has type: flexible and destination: NAME"
)
_JOBNETS_ONLY = dict.fromkeys(
    ("valid_until", "calendar_of", "exclusive", "required_time"),
    "only jobnets have a schedule; put the job into a nested jobnet",
)
_ROOTS_ONLY = dict.fromkeys(
    ("overlap", "logs_to_keep"), "only a root jobnet has it; it counts for all that is inside"
)
_GROUPS_ONLY = {"planning": "it belongs to the job group; put it beside group"}
_UPWARD = {
    "schedule": "only jobnets have a schedule; put the job into a nested jobnet",
    "units": "only jobnets have units; write type: jobnet",
    "was": "only a root jobnet keeps its history under a new name",
    **_JOBNETS_ONLY,
    **_ROOTS_ONLY,
    **_GROUPS_ONLY,
}
_JOB_LIMITS: Shape = {
    "oneOf": [{"required": ["command"]}, {"required": ["script"]}],
    "dependentRequired": {"parameters": ["script"]},
}
JOB_RECORD = Record(
    name="job",
    title="a job",
    doc="A job that runs on the manager's machine: one command or script.",
    fields=(
        JOB_TYPE,
        COMMENT,
        AFTER,
        RECOVERY,
        HOLD,
        PRIORITY,
        COMMAND,
        SCRIPT,
        PARAMETERS,
        WORK_DIR,
        ENVIRONMENT,
        TIMEOUT,
        WARNING_ABOVE,
        ABNORMAL_ABOVE,
    ),
    example="{after: collect, command: python total.py, timeout: 2h, warning_above: 3, abnormal_above: 7}",
    hints=_NO_AGENT
    | _UPWARD
    | dict.fromkeys(("destination", "relay"), "only flexible jobs have it; add type: flexible"),
    limits=_JOB_LIMITS,
)
FLEXIBLE_RECORD = Record(
    name="flexibleJob",
    title="a flexible job",
    doc="A job that runs on a destination agent: one command or script.",
    fields=(
        FLEXIBLE_TYPE,
        COMMENT,
        AFTER,
        RECOVERY,
        HOLD,
        PRIORITY,
        DESTINATION,
        RELAY,
        COMMAND,
        SCRIPT,
        PARAMETERS,
        AGENT_WORK_DIR,
        AGENT_ENVIRONMENT,
        TIMEOUT,
        WARNING_ABOVE,
        ABNORMAL_ABOVE,
    ),
    example="{type: flexible, destination: LB1, relay: RELAYS, command: ./collect.sh, timeout: 2h}",
    hints=_NO_AGENT | _UPWARD,
    limits=_JOB_LIMITS,
)

UNITS: Field[NamedNodes] = Field(
    key="units",
    kind=Pairs(NAME, Later("unit", "a job or a jobnet"), "unit"),
    doc="The jobs and nested jobnets inside, by name.",
    example="{total: {command: python total.py}}",
    required=True,
)
_JOB_KEYS = dict.fromkeys(
    (f.key for f in FLEXIBLE_RECORD.fields if f is not PRIORITY),
    "only jobs have it; put it into a job under units",
)
NESTED_RECORD = Record(
    name="nestedJobnet",
    title="a nested jobnet",
    doc="A nested jobnet: units of its own, and if need be schedule rules of its own.",
    fields=(
        JOBNET_TYPE,
        COMMENT,
        AFTER,
        RECOVERY,
        HOLD,
        PRIORITY,
        NESTED_SCHEDULE,
        VALID_UNTIL,
        NESTED_CALENDAR_OF,
        NESTED_EXCLUSIVE,
        REQUIRED_TIME,
        UNITS,
    ),
    example=(
        "{after: total, schedule: [{rule: 1, link: 1, start_time: +01:00}], units: {print: {command: ./print.sh}}}"
    ),
    hints=_JOB_KEYS
    | _NO_AGENT
    | _ROOTS_ONLY
    | _GROUPS_ONLY
    | {"was": "only a root jobnet keeps its history under a new name"},
)
WAS = Field(
    key="was",
    kind=Scalar("a unit name, or a full path", _parse_was, TEXT_SHAPE),
    doc="The name that this jobnet had before, or its full path in another group; its history moves along.",
    default="not renamed",
    example="day-close",
)
ROOT_RECORD = Record(
    name="rootJobnet",
    title="a root jobnet",
    doc="A root jobnet: what is registered for execution, by itself.",
    fields=(
        ROOT_TYPE,
        COMMENT,
        WAS,
        ROOT_HOLD,
        ROOT_PRIORITY,
        ROOT_SCHEDULE,
        VALID_UNTIL,
        CALENDAR_OF,
        EXCLUSIVE,
        REQUIRED_TIME,
        OVERLAP,
        LOGS,
        UNITS,
    ),
    example="{schedule: [{start_time: 22:00, cycle: 1 day}], units: {total: {command: python total.py}}}",
    hints=_JOB_KEYS
    | _NO_AGENT
    | _GROUPS_ONLY
    | {
        "after": "a root jobnet stands alone; only units inside a jobnet have an order",
        "recovery": "only units inside a jobnet can be recovery units",
    },
)

GROUP = Field(
    key="group",
    kind=PATH,
    doc="The full path of the job group; / is the scheduler service itself.",
    example="/sales",
    required=True,
)
GROUP_COMMENT = replace(
    COMMENT, doc='What it is for, in words; "" takes away what was said before.', default="as it is"
)
CALENDAR = Field(
    key="calendar",
    kind=CALENDAR_KIND,
    doc="The calendar of the group; {} sets nothing, and takes away what was set before.",
    default="as it is",
    example="{base_time: 08:00, closed: [sat, sun]}",
)
PLANNING = Field(
    key="planning",
    kind=FLAG,
    doc=(
        "A planning group: it holds root jobnets only, no job groups, and they are registered for fixed execution only."
    ),
    default="as it is; no for a new group",
    example="yes",
)
JOBNETS: Field[NamedNodes] = Field(
    key="jobnets",
    kind=Pairs(NAME, Later("rootJobnet", "a root jobnet"), "jobnet"),
    doc="The root jobnets of the group, by name.",
    default="none",
    example="{daily-close: {units: {total: {command: python total.py}}}}",
)
_GROUP_DOC = "Several files may add jobnets to one group, but only one of them gives its comment and calendar."
_GROUP_FIELDS: tuple[Field[Any], ...] = (GROUP, GROUP_COMMENT, PLANNING, CALENDAR, JOBNETS)
_GROUP_HINTS = {
    "units": "write jobnets",
    "groups": "a file has either group or groups",
    "name": "write group",
    **dict.fromkeys(
        ("valid_until", "calendar_of", "exclusive", *_ROOTS_ONLY),
        "it belongs to one jobnet; put it into that one under jobnets",
    ),
}
GROUP_FILE_RECORD = Record(
    name="group",
    title="a job group",
    doc=(
        "A file with one job group: where its jobnets stand and which calendar they follow. "
        f"{_GROUP_DOC} Agents may stand in the same file; they belong to the scheduler service."
    ),
    fields=(*_GROUP_FIELDS, *AGENT_FIELDS),
    example="{group: /sales, calendar: {closed: [sat, sun]}}",
    hints=_GROUP_HINTS,
)
GROUP_RECORD = Record(
    name="groupEntry",
    title="a job group under groups",
    doc=f"One of several job groups in a file. {_GROUP_DOC}",
    fields=_GROUP_FIELDS,
    example="{group: /sales, calendar: {closed: [sat, sun]}}",
    hints=_GROUP_HINTS
    | dict.fromkeys(
        (f.key for f in AGENT_FIELDS),
        "it belongs to the scheduler service; put it beside groups, at the beginning of a line",
    ),
)
GROUPS: Field[tuple[Placed[Node], ...]] = Field(
    key="groups",
    kind=OneOrMore(Later("groupEntry", "a job group"), least=1),
    doc="Several job groups in one file, each with the keys of a job group.",
    example="[{group: /sales}, {group: /sales/tokyo}]",
    required=True,
)
FILE_RECORD = Record(
    name="groups",
    title="a file of several groups",
    doc="A file with several job groups.",
    fields=(GROUPS, *AGENT_FIELDS),
    example="{groups: [{group: /sales}, {group: /sales/tokyo, comment: Tokyo branch}]}",
    hints=dict.fromkeys(
        (f.key for f in GROUP_RECORD.fields),
        "under groups each group has its own; begin its entry with '- group: /NAME'",
    ),
)
