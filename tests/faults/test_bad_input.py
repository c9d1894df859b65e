"""Relays, agents and keys that are not as they should be: it is said where, why and what to do, and nothing starts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from tests.bed.bed import Bed
from tests.dispatch.waiting import until
from tests.faults.kit import RELAYS, Department, agents_of, job, login_shell, says, started

Agents = dict[str, Any]


def nothing_else(_: Bed) -> None:
    """Nothing but the definitions is to be mended."""


class Case(NamedTuple):
    """What is wrong, with the definitions changed where it is in them; what is said of it; how it is mended."""

    spoil: Callable[[Bed, Agents], object]
    says: tuple[str, ...]
    mend: Callable[[Bed], object] = nothing_else


def for_relays(**fields: Callable[[Bed], Any]) -> Callable[[Bed, Agents], None]:
    """Give the relay agents these fields."""

    def spoil(bed: Bed, agents: Agents) -> None:
        for name in RELAYS:
            agents["agents"][name] |= {field: value(bed) for field, value in fields.items()}

    return spoil


def for_agents(**fields: Callable[[Bed], Any]) -> Callable[[Bed, Agents], None]:
    """Give the destination these fields."""

    def spoil(bed: Bed, agents: Agents) -> None:
        agents["destinations"]["LB1"] |= {field: value(bed) for field, value in fields.items()}

    return spoil


def other_key(bed: Bed) -> str:
    return str(bed.keys["other"].path)


def replaced(**how: str) -> Callable[[Bed, Agents], None]:
    """Another instance with another kind of certificate."""
    return lambda bed, _: bed.replace(bed.agent(1), **how)


def relays_have(*options: str) -> Callable[..., None]:
    def configure(bed: Bed, _: Agents | None = None) -> None:
        for relay in bed.relays:
            relay.configure(*options)

    return configure


def login_leaves(bed: Bed, _: Agents) -> None:
    login_shell(bed.agent(1), "exit 3")


CASES = {
    "the relays have other host keys": Case(
        for_relays(trust=lambda bed: {"host_keys": [bed.keys["other"].public]}),
        ("relay AGT1 198.18.", "is none of the pinned ones", "compare with ssh-keygen -l there"),
    ),
    "the relays do not take our key": Case(
        for_relays(key=other_key),
        ("relay AGT1 198.18.", "key of jobs", "authorized_keys"),
    ),
    "there is no key file": Case(
        for_relays(key=lambda bed: str(bed.folder / "none")),
        ("relay AGT1 198.18.", "cannot be read: no such file", "name a private key"),
    ),
    "the relays have no name": Case(
        for_relays(host=lambda _: "relay.invalid"),
        (
            "relay AGT1 relay.invalid:22",
            "the name relay.invalid has no address",
            "see the spelling",
        ),
    ),
    "nobody listens at the relays": Case(
        for_relays(port=lambda _: 9),
        ("relay AGT1 198.18.", "no connection: connection refused", "whether sshd runs there"),
    ),
    "the relays do not forward": Case(
        relays_have("AllowTcpForwarding no"),
        ("relay AGT1 198.18.", "it does not forward to 198.19.", "AllowTcpForwarding"),
        relays_have(),
    ),
    "the agent does not take our key": Case(
        for_agents(key=other_key),
        ("agent LB1 198.19.", "key of jobs", "authorized_keys"),
    ),
    "the agent's certificate has expired": Case(
        replaced(valid="20200101:20200201"),
        ("agent LB1 198.19.", "its certificate has expired", "sign its host key anew"),
        lambda bed: bed.replace(bed.agent(1)),
    ),
    "the agent's certificate is from another authority": Case(
        replaced(authority="other"),
        ("agent LB1 198.19.", "its certificate is from another CA", "sign its host key anew"),
        lambda bed: bed.replace(bed.agent(1)),
    ),
    "the agent has a pinned key that is another": Case(
        for_agents(trust=lambda bed: {"host_keys": [bed.keys["other"].public]}),
        ("agent LB1 198.19.", "is none of the pinned ones", "compare with ssh-keygen -l there"),
    ),
    "the agent's job folder cannot be written": Case(
        for_agents(job_folder=lambda _: "/root/jobs"),
        ("agent behind LB1", "the helper could not be put in place", "see the job folder"),
    ),
    "the agent's login files leave": Case(
        login_leaves,
        ("agent behind LB1", "the helper could not be put in place", "login files"),
        lambda bed: (bed.agent(1).home / ".bashrc").unlink(),
    ),
    "nobody is behind the load balancer": Case(
        lambda bed, _: bed.lb.maintain("agent1"),
        ("agent LB1 198.19.", "it closed the connection before the login", "load balancer"),
        lambda bed: bed.lb.ready("agent1"),
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_it_is_said_what_is_wrong_and_where(lone: Bed, department: Department, case: Case):
    agents = agents_of(lone)
    case.spoil(lone, agents)
    department.define(agents)
    department.net(work=job(says(wait=False)))
    department.manager()

    def look() -> str | None:
        why = department.why("net/work")
        return why if all(part in why for part in case.says) else None

    assert "Now queuing" in until(look, f"{case.says}: {department.place.folder}")
    assert started(lone) == {}
    assert department.statuses()["work"] == ("QUEUING", None)
    case.mend(lone)
    department.define(agents_of(lone))
    assert department.ended() == "NORMAL"
    assert started(lone) == {"work": 1}
    department.check()
