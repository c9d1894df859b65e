"""The cloud in words: what runs where, and what can be done with it."""

from __future__ import annotations

import os
from collections.abc import Sequence

from ajs.demo.cloud.cloud import Cloud
from ajs.demo.cloud.layout import RELAYS
from ajs.demo.cloud.records import Record
from ajs.render.columns import Cell, aligned

TITLES = ("NAME", "KIND", "ADDRESS", "PROCESS", "FOLDER")


RECORD_TITLES = ("AGENT", "ATTEMPT", "BEGAN", "ENDED", "FETCHED")


def recorded(found: Sequence[Record]) -> list[str]:
    """Return a line for each attempt that an agent has on record."""
    yes = {True: "yes", False: "no"}
    rows = [
        [Cell(text) for text in (r.agent, r.attempt, yes[r.began], yes[r.ended], yes[r.closed])]
        for r in found
    ]
    return aligned(RECORD_TITLES, rows) if rows else ["no agent has any attempt on record"]


def described(cloud: Cloud) -> list[str]:
    """Return the lines that a person needs who wants to play with it."""
    rows = [
        [
            Cell(text)
            for text in (
                host.name,
                host.kind.value,
                host.address,
                str(cloud.pid(host.name) or ""),
                os.path.relpath(host.folder),
            )
        ]
        for host in cloud.hosts.values()
    ]
    first, *_ = RELAYS
    return [
        *aligned(TITLES, rows, right=frozenset({3})),
        "",
        f"ajs is told of it by {os.path.relpath(cloud.agents_file)}; each host has its log in its folder.",
        f"ssh -F {os.path.relpath(cloud.ssh_config)} LB1 'pwd; env' goes through {first} to an agent of LB1.",
        f"kill -9 {cloud.pid(first)} ends {first}; what runs on the agents goes on.",
        "Ctrl-C switches all of it off.",
    ]
