"""The cloud in words: what runs where, and what can be done with it."""

from __future__ import annotations

import os

from ajs.demo.cloud.cloud import Cloud
from ajs.demo.cloud.layout import RELAYS
from ajs.render.columns import Cell, aligned

TITLES = ("NAME", "KIND", "ADDRESS", "PROCESS", "FOLDER")


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
