"""Agents, agent groups and destinations ↔ the compact form in which the database keeps them, as ``stored`` does.

The name and the kind of each are columns of their own and not part of the text.
"""

from __future__ import annotations

import json
from typing import Any

from ajs.agents import (
    Agent,
    AgentDefinition,
    AgentGroup,
    AgentKind,
    Destination,
    Member,
    Trust,
)

Stored = dict[str, Any]

_TRUST = Trust()
_AGENT = Agent(name="", host="", user="", trust=_TRUST)
_DESTINATION = Destination(name="", host="", user="", trust=_TRUST)

_HOST_KEYS = ("comment", "host", "port", "user", "key", "limit")
_TRUST_KEYS = ("host_keys", "host_ca", "principals")


def agent_to_json(definition: AgentDefinition) -> str:
    """Return the canonical text of an agent, agent group or destination, without its name."""
    found: Stored
    match definition:
        case Agent():
            found = _changed(definition, _AGENT, _HOST_KEYS) | _trust(definition.trust)
        case Destination():
            keys = (*_HOST_KEYS, "agent_port", "job_folder")
            found = _changed(definition, _DESTINATION, keys) | _trust(definition.trust)
        case AgentGroup():
            found = {"members": [[member.agent, member.priority] for member in definition.members]}
            if definition.comment:
                found["comment"] = definition.comment
    return json.dumps(found, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def agent_from_json(name: str, kind: AgentKind, text: str) -> AgentDefinition:
    """Return what ``agent_to_json`` wrote, under its name."""
    found = json.loads(text)
    match kind:
        case AgentKind.AGENT:
            return Agent(name=name, **_with_trust(found))
        case AgentKind.DESTINATION:
            return Destination(name=name, **_with_trust(found))
        case AgentKind.AGENT_GROUP:
            members = tuple(Member(agent, priority) for agent, priority in found["members"])
            return AgentGroup(name=name, comment=found.get("comment", ""), members=members)


def _changed(thing: object, default: object, keys: tuple[str, ...]) -> Stored:
    """Return the plain attributes that differ from their default."""
    return {key: value for key in keys if (value := getattr(thing, key)) != getattr(default, key)}


def _trust(trust: Trust) -> Stored:
    """Return how a host proves itself, beside its other keys."""
    return {key: list(value) for key in _TRUST_KEYS if (value := getattr(trust, key))}


def _with_trust(found: Stored) -> Stored:
    """Return stored keys with those of the trust put together."""
    trust = Trust(**{key: tuple(found.pop(key, ())) for key in _TRUST_KEYS})
    return found | {"trust": trust}
