"""Agents, agent groups and destinations: putting them in, taking them out, and whether all that is named exists."""

from __future__ import annotations

from typing import NamedTuple

from ajs.agents import (
    Agent,
    AgentDefinition,
    AgentGroup,
    AgentKind,
    Agents,
    Destination,
    kind_of,
)
from ajs.definition.stored_agents import agent_from_json, agent_to_json
from ajs.errors import WrongKind
from ajs.store.database import Reading, Writing
from ajs.store.log import Images

STORED = "SELECT id, name, kind, body FROM agent_definition ORDER BY name"
NEXT = "SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'agent_definition'"
ADD = "INSERT INTO agent_definition (id, name, kind, body, version) VALUES (?, ?, ?, ?, 1)"
CHANGE = "UPDATE agent_definition SET body = ?, version = version + 1 WHERE id = ?"

# What is named by the definition of a root jobnet that is there, or by one that a generation runs with, and is not
# stored: who names it, the key, and the name. The names of units and variables are never keys in the JSON form, so
# every such key is a job's; most definitions have none, and are not taken apart.
MISSING = """
    WITH used (user, what, name) AS (
        SELECT u.path, j.key, j.value
        FROM (SELECT path, definition FROM unit WHERE kind = 'root' AND deleted IS NULL
              UNION SELECT u.path, g.definition FROM generation AS g JOIN unit AS u ON u.id = g.root
              WHERE g.phase = 'running') AS u
        JOIN definition AS d ON d.hash = u.definition, json_tree(d.body) AS j
        WHERE instr(d.body, '"destination":') > 0 AND j.key IN ('destination', 'relay')
        UNION ALL
        SELECT a.name, 'members', json_extract(m.value, '$[0]')
        FROM agent_definition AS a, json_each(a.body, '$.members') AS m
        WHERE a.kind = 'agent_group')
    SELECT user, what, name FROM used AS s
    WHERE NOT EXISTS (
        SELECT 1 FROM agent_definition AS a
        WHERE a.name = s.name AND CASE s.what
            WHEN 'destination' THEN a.kind = 'destination'
            WHEN 'relay' THEN a.kind IN ('agent', 'agent_group')
            ELSE a.kind = 'agent' END)
    ORDER BY user, what, name LIMIT 1
"""


class Named(NamedTuple):
    """An agent, agent group or destination by its kind and name."""

    kind: AgentKind
    name: str


class DefinedAgents(NamedTuple):
    """What was added and changed, in order of kind and name, and how many stayed as they are."""

    added: tuple[Named, ...]
    changed: tuple[Named, ...]
    unchanged: int


class MissingName(NamedTuple):
    """A name that nothing fitting has: which root jobnet or agent group names it, with which key, and the name."""

    user: str
    key: str
    name: str


def load(tx: Reading) -> Agents:
    """Return all agents, agent groups and destinations of the service."""
    found = tx.made(_stored, STORED)
    return Agents(
        tuple(one for one in found if isinstance(one, Agent)),
        tuple(one for one in found if isinstance(one, AgentGroup)),
        tuple(one for one in found if isinstance(one, Destination)),
    )


def _stored(number: int, name: str, kind: str, body: str) -> AgentDefinition:
    del number
    return agent_from_json(name, AgentKind(kind), body)


def put(tx: Writing, agents: Agents, operation: int) -> DefinedAgents:
    """Store what is given and differs, as part of an operation; what is not given stays.

    Raises WrongKind when a name is stored as something else.
    """
    stored = {name: (number, kind, body) for number, name, kind, body in tx.rows(STORED)}
    added: list[Named] = []
    changed: list[Named] = []
    new: list[tuple[int, str, str, str]] = []
    altered: list[tuple[str, int]] = []
    next_id: int = tx.rows(NEXT)[0][0]
    for one in agents:
        named, body = Named(kind_of(one), one.name), agent_to_json(one)
        old = stored.get(one.name)
        if old is None:
            new.append((next_id + len(new), one.name, named.kind.value, body))
            added.append(named)
            continue
        number, kind, was = old
        if kind != named.kind.value:
            raise WrongKind(
                f"{one.name} is stored as {AgentKind(kind).one} and cannot become {named.kind.one}",
                hint="give the new one another name",
                unit=one.name,
            )
        if body != was:
            altered.append((body, number))
            changed.append(named)
    with Images(tx, operation, "agent_definition", [number for _, number in altered]) as images:
        tx.run_many(CHANGE, altered)
        tx.run_many(ADD, new)
        images.made.extend(row[0] for row in new)
    given = sum(1 for _ in agents)
    return DefinedAgents(tuple(added), tuple(changed), given - len(added) - len(changed))


def missing(tx: Reading) -> MissingName | None:
    """Return a name that a job or an agent group uses and that nothing fitting has; None when all is well."""
    row = tx.row(MISSING)
    return None if row is None else MissingName(*row)
