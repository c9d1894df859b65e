"""The keys of agents, agent groups and destinations."""

from __future__ import annotations

from typing import Any

from ajs.agents import (
    LIMIT,
    NAME_BYTES,
    PRIORITIES,
    SSH_PORT,
    Member,
    Trust,
)
from ajs.definition.agent_scalars import (
    KEY_FIELDS,
    parse_agent_name,
    parse_host,
    parse_key_file,
    parse_member,
    parse_principal,
    parse_public_key,
    parse_user,
)
from ajs.definition.kinds import (
    Described,
    Field,
    Later,
    OneOrMore,
    Pairs,
    Placed,
    Record,
    Scalar,
    Shape,
    Spot,
    Values,
    whole,
)
from ajs.definition.scalars import parse_line
from ajs.definition.text_schema import COMMENT, LINE_SHAPE, NAME_CLASS, TEXT_SHAPE
from ajs.definition.tree import Node

NamedNodes = tuple[tuple[Placed[str], Node], ...]
MAX_LIMIT = 1000

_NAME_LIMITS: Shape = {"maxLength": NAME_BYTES, "pattern": f"^{NAME_CLASS}$"}
AGENT_NAME = Scalar(
    f"a name of 1 to {NAME_BYTES} bytes", parse_agent_name, {"type": "string", **_NAME_LIMITS}
)
AGENT_NAME_VALUE = Scalar(AGENT_NAME.words, parse_agent_name, TEXT_SHAPE | _NAME_LIMITS)
_PORT = whole(1, 65_535)

HOST = Field(
    key="host",
    kind=Scalar(
        "a host name or an IP address",
        parse_host,
        {**TEXT_SHAPE, "pattern": "^[A-Za-z0-9:]([A-Za-z0-9._:%-]*[A-Za-z0-9])?$"},
    ),
    doc="The name or address under which the manager, or the relay, reaches it.",
    example="relay1.example.com",
    required=True,
)
PORT = Field(
    key="port",
    kind=_PORT,
    doc="The port of its SSH server.",
    default=str(SSH_PORT),
    example="2222",
)
USER = Field(
    key="user",
    kind=Scalar(
        "the name of a user", parse_user, {**TEXT_SHAPE, "pattern": r"^[^\s:/@-][^\s:/@]*$"}
    ),
    doc="The user to log in as; the jobs on an agent run as this user.",
    example="ajs",
    required=True,
)
KEY = Field(
    key="key",
    kind=Scalar(
        "the path of a private key",
        parse_key_file,
        {"type": "string", "pattern": "^[/~]", "not": {"pattern": "\\.pub$|\n"}},
    ),
    doc=(
        "The file of the private key to log in with, on the manager's machine. ~ is the home folder of the manager's "
        "user. Never the key itself."
    ),
    default="the keys of the manager's ssh-agent",
    example="~/.ssh/ajs",
)
LIMIT_FIELD = Field(
    key="limit",
    kind=whole(1, MAX_LIMIT),
    doc="How many jobs it takes at once; further ones wait.",
    default=str(LIMIT),
    example="20",
)

_PUBLIC_KEY = Scalar(
    "a public key such as ssh-ed25519 AAAA...",
    parse_public_key,
    {"type": "string", "pattern": f"^ *({'|'.join(KEY_FIELDS)}) +[A-Za-z0-9+/]+=*( [^\n]*)?$"},
)
EXAMPLE_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g"
HOST_KEYS: Field[tuple[Placed[str], ...]] = Field(
    key="host_keys",
    kind=OneOrMore(_PUBLIC_KEY, least=1),
    doc="Public keys of its SSH server, as in /etc/ssh/ssh_host_*_key.pub there; it must have one of them.",
    default="none",
    example=f"[{EXAMPLE_KEY}]",
)
HOST_CA: Field[tuple[Placed[str], ...]] = Field(
    key="host_ca",
    kind=OneOrMore(_PUBLIC_KEY, least=1),
    doc=(
        "Public keys of authorities that sign host keys: its SSH server must show a certificate from one of them. For "
        "machines that come and go."
    ),
    default="none",
    example=f"[{EXAMPLE_KEY}]",
)
PRINCIPALS: Field[tuple[Placed[str], ...]] = Field(
    key="principals",
    kind=OneOrMore(
        Scalar(
            "the name that a certificate was made for",
            parse_principal,
            {**TEXT_SHAPE, "pattern": r"^[^\n*?!]*[^\s*?!][^\n*?!]*$"},
        ),
        least=1,
    ),
    doc="The names that certificates are made for; one of them must stand in the certificate. Needed with host_ca.",
    default="none",
    example="[sales-agents]",
)
TRUST_RECORD = Record(
    name="trust",
    title="trust",
    doc="How a host proves that it is the right one; without proof no connection is made.",
    fields=(HOST_KEYS, HOST_CA, PRINCIPALS),
    example=f"{{host_keys: {EXAMPLE_KEY}}}",
    hints={
        "host_key": "write host_keys",
        "known_hosts": "write host_keys, with the keys without the names of hosts",
    },
    limits={
        "anyOf": [{"required": ["host_keys"]}, {"required": ["host_ca"]}],
        "dependentRequired": {"host_ca": ["principals"], "principals": ["host_ca"]},
    },
)


def _texts(values: Values, field: Field[tuple[Placed[str], ...]], spot: Spot) -> tuple[str, ...]:
    """Return the words of a list; note those that come twice."""
    found: dict[str, None] = {}
    for placed in values.get(field, ()):
        if placed.value in found:
            spot.refuse(
                placed.place, f"{field.key} names the same twice", hint="remove one of them"
            )
        found[placed.value] = None
    return tuple(found)


def _trust(values: Values, spot: Spot) -> Trust:
    """Return how a host proves itself; note when it does not say, or says half."""
    if not values.given(HOST_KEYS) and not values.given(HOST_CA) and not values.meant:
        spot.refuse(
            values.place,
            "trust has neither host_keys nor host_ca, so no host could prove to be the right one",
            hint="add host_keys with the lines of /etc/ssh/ssh_host_*_key.pub there",
        )
    for field, needed in ((HOST_CA, PRINCIPALS), (PRINCIPALS, HOST_CA)):
        if values.given(field) and not values.given(needed) and needed.key not in values.meant:
            spot.refuse(
                values.at(field),
                f"trust has {field.key} without {needed.key}",
                hint=f"add {needed.key}: {needed.example}, or remove {field.key}",
            )
    return Trust(
        host_keys=_texts(values, HOST_KEYS, spot),
        host_ca=_texts(values, HOST_CA, spot),
        principals=_texts(values, PRINCIPALS, spot),
    )


TRUST = Field(
    key="trust",
    kind=Described(TRUST_RECORD, _trust),
    doc="How it proves that it is the right one.",
    example=f"{{host_keys: {EXAMPLE_KEY}}}",
    required=True,
)

_SECRETS = dict.fromkeys(
    ("password", "passphrase", "private_key", "secret"),
    "no secret stands in a definition; write key: with the path of a private key's file",
)
_HINTS = _SECRETS | {
    "hostname": "write host",
    "address": "write host",
    "key_file": "write key",
    "identity_file": "write key",
    "host_keys": "put it under trust",
    "host_ca": "put it under trust",
    "principals": "put it under trust",
}
AGENT_RECORD = Record(
    name="agent",
    title="an agent",
    doc="A relay agent or execution agent: a host that is reached over SSH.",
    fields=(COMMENT, HOST, PORT, USER, KEY, TRUST, LIMIT_FIELD),
    example=f"{{host: relay1.example.com, user: ajs, key: ~/.ssh/ajs, trust: {{host_keys: {EXAMPLE_KEY}}}}}",
    hints=_HINTS
    | {
        "agent_port": "only destinations have it",
        "job_folder": "only destinations have it",
        "members": "only agent groups have members; put it under agent_groups",
    },
)

MEMBERS: Field[tuple[Placed[Member], ...]] = Field(
    key="members",
    kind=OneOrMore(
        Scalar(
            "an agent, or an agent with its priority such as AGT1:8",
            parse_member,
            {**TEXT_SHAPE, "pattern": f"^{NAME_CLASS}(:(0*[1-9]|0*1[0-6]))?$"},
        ),
        least=1,
    ),
    doc=(
        f"The agents, each with a priority from {PRIORITIES[0]} to {PRIORITIES[1]} after a colon. Those of higher "
        f"priority are tried first; {PRIORITIES[1]} when not given."
    ),
    example="[AGT1, AGT2:8]",
    required=True,
)
AGENT_GROUP_RECORD = Record(
    name="agentGroup",
    title="an agent group",
    doc="Several agents under one name, of which one is chosen: to spread the load, and to go on when one is down.",
    fields=(COMMENT, MEMBERS),
    example="{members: [AGT1, AGT2:8]}",
    hints=_SECRETS | {"agents": "write members", "host": "only agents have it; name the agents"},
)

AGENT_PORT: Field[int] = Field(
    key="agent_port",
    kind=_PORT,
    doc="The port at which an agent is reached at its own address, past the load balancer.",
    default="the port that the agent reports",
    example="2222",
)
DESTINATION_HOST = Field(
    key=HOST.key,
    kind=HOST.kind,
    doc="The name or address of the load balancer, or of the one agent.",
    example="lb1.example.com",
    required=True,
)
DESTINATION_LIMIT = Field(
    key=LIMIT_FIELD.key,
    kind=LIMIT_FIELD.kind,
    doc="How many jobs each of its agents takes at once; further ones wait.",
    default=LIMIT_FIELD.default,
    example=LIMIT_FIELD.example,
)
JOB_FOLDER = Field(
    key="job_folder",
    kind=Scalar("a path", parse_line, LINE_SHAPE),
    doc="The folder on the agents for what belongs to jobs: scripts, output, results.",
    default="the usual place there",
    example="/var/lib/ajs",
)
DESTINATION_RECORD = Record(
    name="destination",
    title="a destination",
    doc="Where flexible jobs run: a load balancer with destination agents behind it, or one agent.",
    fields=(
        COMMENT,
        DESTINATION_HOST,
        PORT,
        AGENT_PORT,
        USER,
        KEY,
        TRUST,
        DESTINATION_LIMIT,
        JOB_FOLDER,
    ),
    example=(
        "{host: lb1.example.com, user: ajs, key: ~/.ssh/ajs, "
        f"trust: {{host_ca: {EXAMPLE_KEY}, principals: sales-agents}}}}"
    ),
    hints=_HINTS | {"relay": "the relay stands with the job that goes through it"},
)

AGENTS: Field[NamedNodes] = Field(
    key="agents",
    kind=Pairs(AGENT_NAME, Later("agent", "an agent"), "agent"),
    doc="Relay agents and execution agents, by name.",
    default="none",
    example=f"{{AGT1: {AGENT_RECORD.example}}}",
)
AGENT_GROUPS: Field[NamedNodes] = Field(
    key="agent_groups",
    kind=Pairs(AGENT_NAME, Later("agentGroup", "an agent group"), "agent group"),
    doc="Agent groups, by name.",
    default="none",
    example="{RELAYS: {members: [AGT1, AGT2:8]}}",
)
DESTINATIONS: Field[NamedNodes] = Field(
    key="destinations",
    kind=Pairs(AGENT_NAME, Later("destination", "a destination"), "destination"),
    doc="Destinations of flexible jobs, by name.",
    default="none",
    example=f"{{LB1: {DESTINATION_RECORD.example}}}",
)
AGENT_FIELDS: tuple[Field[Any], ...] = (AGENTS, AGENT_GROUPS, DESTINATIONS)
AGENTS_FILE_RECORD = Record(
    name="agentsFile",
    title="a file of agents",
    doc="A file that only defines agents, agent groups or destinations; they belong to the scheduler service.",
    fields=AGENT_FIELDS,
    example=f"{{agents: {AGENTS.example}}}",
    hints={"comment": "each agent has its own"},
    limits={"minProperties": 1},
)
