"""How clients are told of the cloud: ``agents.yaml`` for ajs, ``ssh_config`` and ``known_hosts`` for ssh."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence

from ajs.demo.cloud.layout import LOOPBACK, POOLS, RELAY_GROUP, RELAYS, USER, Host, Kind


def agents_text(key: str, ports: Mapping[str, int], host_keys: Mapping[str, str]) -> str:
    """Return ``agents.yaml``: ``key`` is the path of the user's private key, the rest goes by names of hosts."""
    lines = ["agents:"]
    for name in RELAYS:
        lines += [f"  {name}:", *_host(ports[name], key, [host_keys[name]])]
    members = ", ".join(f"{name}:{priority}" for name, priority in RELAYS.items())
    lines += ["agent_groups:", f"  {RELAY_GROUP}:", f"    members: [{members}]", "destinations:"]
    for pool in POOLS:
        lines += [
            f"  {pool.name}:",
            f"    comment: Load balancer of {pool.department}",
            *_host(ports[pool.name], key, [host_keys[agent] for agent in pool.agents]),
        ]
    return "\n".join(lines) + "\n"


def _host(port: int, key: str, trusted: Sequence[str]) -> list[str]:
    return [
        f"    host: {LOOPBACK}",
        f"    port: {port}",
        f"    user: {USER}",
        f"    key: {json.dumps(key, ensure_ascii=False)}",
        "    trust:",
        "      host_keys:",
        *(f"        - {line}" for line in trusted),
    ]


def known_hosts_text(ports: Mapping[str, int], host_keys: Mapping[str, str]) -> str:
    """Return ``known_hosts``: behind a load balancer any of its agents may answer."""
    keys = {name: [line] for name, line in host_keys.items()}
    keys |= {pool.name: [host_keys[agent] for agent in pool.agents] for pool in POOLS}
    return "".join(
        f"[{LOOPBACK}]:{ports[name]} {line}\n" for name, lines in keys.items() for line in lines
    )


def ssh_config_text(folder: str, hosts: Sequence[Host]) -> str:
    """Return ``ssh_config``: all hosts by name, what is behind the relays through the first one."""
    first, *_ = RELAYS
    lines = []
    for host in hosts:
        lines += [f"Host {host.name}", f"  HostName {LOOPBACK}", f"  Port {host.port}"]
        if host.kind is not Kind.RELAY:
            lines.append(f"  ProxyJump {first}")
    return "\n".join(
        [
            *lines,
            "Host *",
            f"  User {USER}",
            f'  IdentityFile "{os.path.join(folder, "user_key")}"',
            "  IdentitiesOnly yes",
            f'  UserKnownHostsFile "{os.path.join(folder, "known_hosts")}"',
            "  StrictHostKeyChecking yes",
            "  BatchMode yes\n",
        ]
    )
