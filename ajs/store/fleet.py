"""What the manager last knew of relays, agents and searches, for commands that say why a flexible job waits."""

from __future__ import annotations

import json

from ajs.agents import AgentIdentity
from ajs.fleet import Contact, Met, Way
from ajs.moment import Moment
from ajs.store.database import Reading, Writing

PUT = """
    INSERT INTO fleet (id, body, at_utc) VALUES (1, ?, ?)
    ON CONFLICT (id) DO UPDATE SET body = excluded.body, at_utc = excluded.at_utc
"""


def save(tx: Writing, met: Met, at: Moment) -> None:
    """Store what is known now."""
    body = {
        "agents": [[*contact.agent, contact.trouble] for contact in met.agents],
        "relays": dict(met.relays),
        "searches": [[*way, said] for way, said in met.searches.items()],
    }
    tx.run(PUT, json.dumps(body, ensure_ascii=False), at.stamp)


def load(tx: Reading) -> Met:
    """Return what was stored last; nobody met when no manager has looked yet."""
    row = tx.row("SELECT body FROM fleet")
    if row is None:
        return Met()
    body = json.loads(row[0])
    return Met(
        agents=tuple(Contact(AgentIdentity(*one[:-1]), one[-1]) for one in body["agents"]),
        relays=body["relays"],
        searches={Way(*one[:-1]): one[-1] for one in body["searches"]},
    )
