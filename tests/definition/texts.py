"""What the tests of the definition language share: texts in, definitions or complaints out."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Callable

from ajs.agents import Agent, AgentGroup, Agents, Destination, Member, Trust
from ajs.definition import tree
from ajs.definition.agent_scalars import KEY_FIELDS
from ajs.definition.problems import Problems
from ajs.definition.reader import read
from ajs.definition.tree import Alias, Items, Node, Table, Word
from ajs.errors import DefinitionError, Problem
from ajs.model import Definitions, StoredUnits

SCRIPT = b"#!/bin/sh\necho done\n"
SHA = hashlib.sha256(SCRIPT).hexdigest()


def one_script(file: str, path: str) -> bytes:
    """The folder of every test holds one script, run.sh."""
    del file
    if path in {"run.sh", f"sha256:{SHA}"}:
        return SCRIPT
    raise FileNotFoundError(2, "No such file or directory")


def public_key(kind: str = "ssh-ed25519", seed: int = 0) -> str:
    """A public key in OpenSSH's form, without a private one to it."""
    parts = [kind.encode(), *(bytes([seed + n & 255] * 32) for n in range(KEY_FIELDS[kind] - 1))]
    blob = b"".join(len(part).to_bytes(4) + part for part in parts)
    return f"{kind} {b64encode(blob).decode()}"


TRUST = Trust(host_keys=(public_key(),))
STORED = Agents(
    tuple(Agent(name=name, host="h", user="u", trust=TRUST) for name in ("AGT1", "AGT2")),
    (AgentGroup(name="RELAYS", members=(Member("AGT1"),)),),
    (Destination(name="LB1", host="h", user="u", trust=TRUST),),
)
"""What the examples of the manual refer to."""
UNITS = StoredUnits(groups={"/head-office": False}, roots={"/g/month-close": ""})
"""The units that are stored besides."""


def reads(
    text: str,
    scripts: Callable[[str, str], bytes] = one_script,
    stored: Agents = Agents(),
) -> Definitions:
    return read([("a.yaml", text.encode())], scripts, stored, units=UNITS)


def problems(
    *texts: str | bytes, scripts=one_script, stored: Agents = Agents(), units: StoredUnits = UNITS
) -> tuple[Problem, ...]:
    """The problems of a.yaml, b.yaml, ...; none when all is well."""
    files = [
        (f"{letter}.yaml", text.encode() if isinstance(text, str) else text)
        for letter, text in zip("abcdef", texts, strict=False)
    ]
    try:
        read(files, scripts, stored, units=units)
    except DefinitionError as error:
        return error.problems
    return ()


def at(problem: Problem) -> str:
    return f"{problem.place.line}:{problem.place.column}"


def core(text: str) -> object:
    """A YAML text as other tools see it: the core schema of YAML 1.2, keys as texts."""
    found = Problems()
    node = tree.parse("a.yaml", text.encode(), found)
    found.raise_any(["a.yaml"])
    assert node is not None
    return _typed(node)


def _typed(node: Node) -> object:
    match node:
        case Table():
            return {_key(key): _typed(value) for key, value in node.entries}
        case Items():
            return [_typed(item) for item in node.items]
        case Word(plain=False):
            return node.text
        case Word():
            return _plain(node.text)
        case Alias():
            raise AssertionError(node)


def _key(node: Node) -> str:
    assert isinstance(node, Word)
    return node.text


def _plain(text: str) -> object:
    if text in {"", "~", "null", "Null", "NULL"}:
        return None
    if text.lower() in {"true", "false"} and text in {text.lower(), text.title(), text.upper()}:
        return text.lower() == "true"
    if re.fullmatch("[-+]?[0-9]+", text):
        return int(text)
    if re.fullmatch(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", text):
        return float(text)
    return text
