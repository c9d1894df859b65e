"""Links in the bed: which hop is to blame for what is wrong on the way, and what becomes of a link when hosts fail."""

from __future__ import annotations

import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from ajs.dispatch.link_errors import LinkError
from tests.bed.bed import Bed
from tests.bed.linked import LONG_S, SHORT_S, Linked
from tests.dispatch.waiting import until

HOST = "cat /proc/sys/kernel/hostname"
SILENT = "exec sleep 1000"


def name(link) -> str:
    """The host at the end of a link."""
    reply = link.call(HOST, deadline_s=LONG_S)
    assert reply.exit_status == 0
    return reply.out.decode().strip()


# -- opening --


def test_a_link_goes_to_the_agent_that_is_named_or_to_any(linked):
    first, second = linked.bed.agents
    assert name(linked.open(second)) == "agent2"
    assert {name(linked.open()), name(linked.open())} == {"agent1", "agent2"}
    link = linked.open(first, relay=2)
    assert link.far_side.key_id == first.instance
    assert link.far_side.address == f"{first.addresses['in']}:22"


def test_the_certificate_says_which_agent_the_balancer_chose(linked):
    for link in (linked.open(), linked.open()):
        host = next(agent for agent in linked.bed.agents if agent.name == name(link))
        assert link.far_side.key_id == host.instance
        assert link.far_side.address == f"{linked.bed.lb.addresses['in']}:22"


def relay_down(bed: Bed) -> None:
    bed.relay(1).kill()


def relay_silent(bed: Bed) -> None:
    bed.relay(1).drop()


def relay_unplugged(bed: Bed) -> None:
    bed.relay(1).link_down()


def agent_down(bed: Bed) -> None:
    bed.agent(1).kill()


def agent_silent(bed: Bed) -> None:
    bed.agent(1).drop()


def only_to_the_balancer(bed: Bed) -> None:
    bed.relay(1).configure(f"PermitOpen {bed.lb.addresses['in']}:22")


def half_open_login(bed: Bed) -> socket.socket:
    bed.relay(1).configure("MaxStartups 1")
    return socket.create_connection((bed.relay(1).addresses["out"], 22), timeout=LONG_S)


RELAY, AGENT = "relay relay1 ", "agent agent1 "
FAULTS: list[tuple[Callable[[Bed], socket.socket | None], str, str, str]] = [
    # what is wrong, the hop that is to blame, the kind of error, a part of its text
    (relay_down, RELAY, "unreachable", "connection refused"),
    (relay_silent, RELAY, "unreachable", "no answer within 2 s"),
    (relay_unplugged, RELAY, "unreachable", "no answer within 2 s"),
    (agent_down, AGENT, "unreachable", "the relay relay1 "),
    (agent_silent, AGENT, "deadline", "no answer within 2 s"),
    (only_to_the_balancer, RELAY, "refused_forwarding", "it does not forward to "),
    (half_open_login, RELAY, "too_busy", "closed the connection before the login"),
]


@pytest.mark.parametrize(
    ("fault", "hop", "kind", "says"), FAULTS, ids=[row[0].__name__ for row in FAULTS]
)
def test_what_is_wrong_on_the_way_is_named(linked, fault, hop, kind, says):
    held = fault(linked.bed)
    error = linked.refused(linked.bed.agent(1), deadline_s=SHORT_S)
    assert (error.kind, error.hop[: len(hop)]) == (kind, hop), error
    assert says in error.cause
    if held is not None:
        held.close()


@pytest.mark.parametrize("fault", [relay_silent, agent_silent, relay_unplugged])
def test_a_link_comes_about_once_the_fault_is_mended(linked, fault):
    fault(linked.bed)
    linked.refused(linked.bed.agent(1), deadline_s=SHORT_S)
    match fault.__name__:
        case "relay_silent":
            linked.bed.relay(1).undrop()
        case "agent_silent":
            linked.bed.agent(1).undrop()
        case _:
            linked.bed.relay(1).link_up()
    assert name(linked.open(linked.bed.agent(1))) == "agent1"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"authority": "another"}, "from another CA"),
        ({"principal": "other-pool"}, "is for other-pool, not for pool"),
        ({"valid": "20250101:20250201"}, "has expired"),
        ({"valid": "20990101:20990201"}, "not valid yet"),
    ],
)
def test_an_instance_that_is_not_to_be_trusted_is_told_nothing(linked, change, says):
    agent = linked.bed.agent(1)
    linked.bed.replace(agent, **change)
    error = linked.refused(agent)
    assert (error.kind, error.hop.startswith(AGENT)) == ("certificate", True), error
    assert says in error.cause
    assert "jobs" not in agent.log()


def test_a_new_instance_at_the_same_address_is_another_far_side(linked):
    agent = linked.bed.agent(1)
    before = linked.open(agent).far_side
    linked.bed.replace(agent)
    after = linked.open(agent).far_side
    assert (before.address, before.key_id) == (after.address, "i-agent1-1")
    assert after.key_id == "i-agent1-2"
    assert after.fingerprint != before.fingerprint


@pytest.mark.parametrize("options", ["MaxSessions 0", "ForceCommand /bin/false"])
def test_a_relay_that_runs_nothing_lets_links_through(linked, options):
    linked.bed.relay(1).configure(options)
    assert name(linked.open(linked.bed.agent(1))) == "agent1"


@pytest.mark.parametrize("busy", ["relay", "agents"])
def test_many_links_at_once_come_about_where_few_may_begin(linked, busy):
    bed = linked.bed
    for host in [bed.relay(1)] if busy == "relay" else bed.agents:
        host.configure("MaxStartups 2:50:4")
    with ThreadPoolExecutor(16) as pool:
        opened = list(pool.map(lambda _: linked.open(), range(16)))
    assert {name(link) for link in opened} == {"agent1", "agent2"}


# -- the load balancer --


def test_nobody_behind_the_balancer(linked):
    for agent in linked.bed.agents:
        agent.kill()
        linked.bed.lb.wait_for(agent.name, "DOWN")
    error = linked.refused(deadline_s=SHORT_S)
    assert (error.kind, error.hop.startswith("agent lb ")) == ("too_busy", True), error


def test_a_balancer_that_is_down_and_agents_by_their_own_addresses(linked):
    linked.bed.lb.kill()
    error = linked.refused(deadline_s=SHORT_S)
    assert (error.kind, error.hop.startswith("agent lb ")) == ("unreachable", True), error
    assert name(linked.open(linked.bed.agent(2))) == "agent2"


def test_a_link_to_a_drained_agent_lives_on(linked):
    link = linked.open()
    there = name(link)
    linked.bed.lb.drain(there)
    assert name(link) == there
    assert name(linked.open()) != there


def test_an_idle_link_is_not_kept_from_being_cut(linked):
    bed = linked.bed
    bed.lb.kill()
    bed.lb.idle = "500ms"
    bed.lb.start()
    told: list[LinkError] = []
    link = linked.open(on_death=told.append)
    until(lambda: told or None, "the death of the link")
    assert (told[0].kind, told[0].hop[:9]) == ("closed", "agent lb ")
    assert link.ended is not None


# -- a link that is in use --


def sessions_at_the_relay(bed: Bed) -> None:
    bed.relay(1).kill_sessions()


def sessions_at_the_agent(bed: Bed) -> None:
    bed.agent(1).kill_sessions()


CUTS: list[tuple[Callable[[Bed], None], str]] = [
    (relay_down, RELAY),
    (sessions_at_the_relay, RELAY),
    (agent_down, AGENT),
    (sessions_at_the_agent, AGENT),
]


@pytest.mark.parametrize(("cut", "hop"), CUTS, ids=[row[0].__name__ for row in CUTS])
def test_a_cut_ends_all_that_is_under_way(linked, cut, hop):
    told: list[LinkError] = []
    link = linked.open(linked.bed.agent(1), on_death=told.append)
    with ThreadPoolExecutor(2) as pool:
        call = pool.submit(link.call, SILENT, deadline_s=LONG_S)
        stream = pool.submit(lambda: list(link.stream(SILENT, deadline_s=LONG_S)))
        running = ("pgrep", "-c", "-f", "sleep 1000")
        agent = linked.bed.agent(1)
        until(lambda: agent.run(*running, check=False).stdout.strip() == "2", "two commands")
        cut(linked.bed)
        for under_way in (call, stream):
            error = under_way.exception(LONG_S)
            assert isinstance(error, LinkError)
            assert (error.kind, error.hop[: len(hop)]) == ("closed", hop), error
    until(lambda: told or None, "the death of the link")
    assert [(error.kind, error.hop[: len(hop)]) for error in told] == [("closed", hop)]
    with pytest.raises(LinkError, match="closed"):
        link.call("true", deadline_s=LONG_S)


def relay_loses_the_inner_side(bed: Bed) -> None:
    bed.relay(1).drop("in")


@pytest.mark.parametrize(
    "loss", [relay_silent, relay_unplugged, agent_silent, relay_loses_the_inner_side]
)
def test_a_silent_loss_is_noticed_by_the_deadline_of_a_call(linked, loss):
    told: list[LinkError] = []
    link = linked.open(linked.bed.agent(1), on_death=told.append)
    with ThreadPoolExecutor(1) as pool:
        stream = pool.submit(lambda: list(link.stream(SILENT, deadline_s=LONG_S)))
        assert name(link) == "agent1"
        loss(linked.bed)
        with pytest.raises(LinkError) as caught:
            link.call("true", deadline_s=1)
        assert caught.value.kind == "deadline"
        assert caught.value.hop.startswith(AGENT)
        error = stream.exception(LONG_S)
        assert isinstance(error, LinkError)
        assert error.kind == "deadline"
    until(lambda: told or None, "the death of the link")
    assert link.ended is not None


def test_a_short_loss_is_outlived(linked):
    agent = linked.bed.agent(1)
    link = linked.open(agent)
    with ThreadPoolExecutor(1) as pool:
        agent.drop()
        call = pool.submit(link.call, HOST, deadline_s=LONG_S)
        until(lambda: agent.dropped() > 1, "packets dropped")
        agent.undrop()
        assert call.result(LONG_S).out == b"agent1\n"
    assert link.ended is None


def test_sessions_that_the_balancer_shuts_end_the_link(linked):
    told: list[LinkError] = []
    there = name(linked.open(on_death=told.append))
    linked.bed.lb.shut_sessions(there)
    until(lambda: told or None, "the death of the link")
    assert (told[0].kind, told[0].hop[:9]) == ("closed", "agent lb ")


def test_one_links_death_is_not_anothers(linked):
    first, second = linked.bed.agents
    lost, kept = linked.open(first), linked.open(second)
    first.kill()
    until(lambda: lost.ended, "the death of the link")
    assert name(kept) == "agent2"


def test_a_command_that_was_cut_may_have_run(linked: Linked):
    agent = linked.bed.agent(1)
    link = linked.open(agent)
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(link.call, f"touch ran; {SILENT}", deadline_s=LONG_S)
        until((agent.home / "ran").exists, "the command begun")
        linked.bed.relay(1).kill()
        assert isinstance(call.exception(LONG_S), LinkError)
    assert agent.run("pgrep", "-f", SILENT.removeprefix("exec ")).stdout
