"""The bed does what it says: who reaches whom, and what each operation does to connections, hosts and disks."""

from __future__ import annotations

import errno
import os
import socket

import pytest

from tests.bed.bed import Bed
from tests.bed.client import fails, reached, ssh, talking
from tests.bed.host import FILLER, HOME, RECORDS
from tests.dispatch.waiting import until

BOOT_ID = "/proc/sys/kernel/random/boot_id"


def pids(bed: Bed, number: int) -> int:
    """How many processes there are on an agent."""
    return len(bed.agent(number).run("pgrep", ".").stdout.split())


# -- who reaches whom --


def test_a_command_reaches_both_agents_through_relay_and_balancer(bed):
    assert sorted(reached(bed, times=2)) == ["agent1", "agent2"]
    assert sorted(reached(bed, times=2, relay=2)) == ["agent1", "agent2"]


def test_an_agent_knows_its_own_address(bed):
    client, _, own, port = ssh(bed, "echo $SSH_CONNECTION").split()
    assert client == bed.lb.addresses["in"]
    assert own in {agent.addresses["in"] for agent in bed.agents}
    assert port == "22"


def test_an_agent_is_reached_by_its_own_address(bed):
    for agent in bed.agents:
        assert ssh(bed, "cat /proc/sys/kernel/hostname", to=agent) == agent.name


def test_we_have_no_route_behind_the_relays(bed):
    for host in (bed.lb, *bed.agents, *bed.relays):
        with pytest.raises(OSError) as caught:
            socket.create_connection((host.addresses["in"], 22), timeout=30)
        assert caught.value.errno in {errno.ENETUNREACH, errno.EHOSTUNREACH}


def test_agents_have_nothing_in_common(bed):
    first, second = bed.agents
    ssh(bed, "touch /tmp/mine ~/mine; echo ran > /run/bed/records/starts", to=first)
    assert ssh(bed, f"cd /tmp; echo * ~/* {RECORDS}/*", to=second) == f"* {HOME}/* {RECORDS}/*"
    assert ssh(bed, f"cat {BOOT_ID}", to=first) == first.boot_id != second.boot_id
    assert (first.home / "mine").exists()
    assert first.records() == ["ran"]
    assert pids(bed, 2) < 5


def test_a_key_that_is_not_the_users_is_refused(bed):
    bed.agent(1).write("authorized_keys", "")
    assert "Permission denied" in fails(bed, to=bed.agent(1))


# -- relays --


def test_a_killed_relay_cuts_its_connections_and_the_other_one_serves(bed):
    with talking(bed) as one, talking(bed, relay=2) as other:
        bed.relay(1).kill()
        assert one.ended() == 255
        other.goes_on()
    assert "Connection refused" in fails(bed, relay=1)
    assert reached(bed, times=1, relay=2)
    bed.relay(1).start()
    assert reached(bed, times=1, relay=1)


def test_killed_sessions_end_and_the_host_lives_on(bed):
    with talking(bed) as one:
        bed.relay(1).kill_sessions()
        assert one.ended() == 255
    agent = bed.agent(1)
    with talking(bed, to=agent, first="sleep 1000 > /dev/null 2>&1 & ") as one:
        agent.kill_sessions()
        assert one.ended() == 255
    # What runs there does not end with the connection, unless it writes to it.
    assert len(agent.run("pgrep", "-f", "sleep 1000").stdout.split()) == 1


def test_a_relay_forwards_only_where_it_is_told_to(bed):
    bed.relay(1).configure(f"PermitOpen {bed.lb.addresses['in']}:22")
    assert reached(bed, times=1)
    assert "administratively prohibited" in fails(bed, to=bed.agent(1))
    bed.relay(1).configure()
    assert ssh(bed, "echo there", to=bed.agent(1)) == "there"


# -- losing packets --


def test_lost_packets_hang_a_connection_and_it_goes_on_afterwards(bed):
    agent = bed.agent(1)
    with talking(bed, to=agent) as one:
        agent.drop()
        until(lambda: agent.dropped() > 3, "packets dropped")
        assert one.client.poll() is None
        agent.undrop()
        one.goes_on()


def test_a_relay_can_lose_the_packets_of_one_side(bed):
    relay = bed.relay(1)
    with talking(bed) as one:
        relay.drop("in")
        until(lambda: relay.dropped() > 3, "packets dropped")
        socket.create_connection((relay.addresses["out"], 22), timeout=30).close()
        relay.undrop("in")
        one.goes_on()


def test_the_balancer_notices_an_agent_that_answers_nothing(bed):
    bed.agent(1).drop()
    bed.lb.wait_for("agent1", "DOWN")
    assert reached(bed, times=2) == ["agent2", "agent2"]
    bed.agent(1).undrop()
    bed.lb.wait_for("agent1", "UP")


def test_a_pulled_cable_hangs_a_connection_and_it_goes_on_afterwards(bed):
    relay = bed.relay(1)
    with talking(bed) as one:
        relay.link_down()
        with pytest.raises(OSError):
            socket.create_connection((relay.addresses["out"], 22), timeout=0.2)
        assert one.client.poll() is None
        relay.link_up()
        one.goes_on()
        assert reached(bed, times=1)


# -- agents --


def test_a_killed_agent_cuts_its_connections_and_the_balancer_uses_the_others(bed):
    with talking(bed, to=bed.agent(1)) as one:
        bed.agent(1).kill()
        assert one.ended() == 255
    bed.lb.wait_for("agent1", "DOWN")
    assert reached(bed, times=2) == ["agent2", "agent2"]


def test_a_reboot_ends_processes_and_keeps_the_disk(bed):
    agent = bed.agent(1)
    ssh(bed, "echo kept > ~/file; touch /tmp/gone; sleep 1000 > /dev/null 2>&1 &", to=agent)
    boot_id, host_key = agent.boot_id, agent.host_key
    assert "sleep" in agent.run("ps", "-e").stdout.replace("sleep infinity", "")
    bed.reboot(agent)
    assert agent.boot_id != boot_id
    assert ssh(bed, f"cat {BOOT_ID} ~/file; ls /tmp", to=agent).split() == [agent.boot_id, "kept"]
    assert agent.run("pgrep", "-f", "sleep 1000", check=False).stdout == ""
    assert agent.host_key == host_key


def test_a_reboot_may_come_with_a_new_disk_and_records_stay(bed):
    agent = bed.agent(1)
    ssh(bed, f"touch ~/file; echo first >> {RECORDS}/starts", to=agent)
    bed.reboot(agent, wipe=True)
    ssh(bed, f"test ! -e ~/file; echo second >> {RECORDS}/starts", to=agent)
    assert agent.records() == ["first", "second"]


def test_an_instance_in_the_place_of_another_is_known_by_the_same_ca(bed):
    agent = bed.agent(1)
    ssh(bed, "touch ~/file", to=agent)
    instance, host_key, boot_id = agent.instance, agent.host_key, agent.boot_id
    bed.replace(agent)
    assert agent.instance != instance
    assert agent.host_key != host_key
    assert agent.boot_id != boot_id
    assert ssh(bed, "ls ~", to=agent) == ""


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"authority": "another"}, "Host key verification failed"),
        ({"principal": "other-pool"}, "name is not a listed principal"),
        ({"valid": "20250101:20250201"}, "Certificate invalid: expired"),
        ({"valid": "20990101:20990201"}, "Certificate invalid: not yet valid"),
    ],
)
def test_an_instance_that_is_not_to_be_trusted_is_refused(bed, change, says):
    bed.replace(bed.agent(1), **change)
    assert says in fails(bed, to=bed.agent(1))


def test_a_full_disk_takes_nothing(bed):
    agent = bed.agent(1)
    agent.fill_disk()
    write = "dd if=/dev/zero of=file bs=4k count=1 2>&1"
    assert "No space left" in run_as_job(agent, write)
    agent.clear_disk()
    assert "No space left" not in run_as_job(agent, write)
    agent.fill_disk(leave_kb=8)
    assert "No space left" not in run_as_job(agent, f"{write}; {write.replace('file', 'more')}")
    assert (agent.home / FILLER).exists()


def run_as_job(agent, command: str) -> str:
    return agent.run("sh", "-c", f"cd {HOME}; {command}", user=True, check=False).stdout


def test_an_agents_date_may_be_ahead(bed):
    agent, right = bed.agents
    ahead = lambda: int(ssh(bed, "date +%s", to=agent)) - int(ssh(bed, "date +%s", to=right))
    agent.set_clock(3600)
    assert -60 < ahead() - 3600 < 60
    bed.reboot(agent)
    assert -60 < ahead() - 3600 < 60
    agent.set_clock(0)
    assert -60 < ahead() < 60


# -- the load balancer --


def test_a_drained_agent_keeps_its_connections_and_gets_no_new_ones(bed):
    bed.lb.drain("agent2")
    with talking(bed) as one:
        bed.lb.ready("agent2")
        bed.lb.drain("agent1")
        assert reached(bed, times=2) == ["agent2", "agent2"]
        one.goes_on()
        bed.lb.shut_sessions("agent1")
        assert one.ended() == 255
    bed.lb.ready("agent1")
    assert sorted(reached(bed, times=2)) == ["agent1", "agent2"]


def test_an_agent_in_maintenance_gets_no_connections(bed):
    bed.lb.maintain("agent1")
    assert reached(bed, times=2) == ["agent2", "agent2"]


def test_a_killed_balancer_cuts_its_connections_and_own_addresses_are_reached(bed):
    agent = bed.agent(1)
    with talking(bed) as one, talking(bed, to=agent) as other:
        bed.lb.kill()
        assert one.ended() == 255
        other.goes_on()
    fails(bed)
    bed.lb.start()
    assert sorted(reached(bed, times=2)) == ["agent1", "agent2"]


def test_a_silent_connection_is_cut_when_the_balancer_is_told_so(bed):
    bed.lb.kill()
    bed.lb.idle = "500ms"
    bed.lb.start()
    with talking(bed) as one:
        one.goes_on()
        bed.agent(1).run("pkill", "-STOP", "-u", "jobs", "-x", "sh", check=False)
        bed.agent(2).run("pkill", "-STOP", "-u", "jobs", "-x", "sh", check=False)
        assert one.ended() == 255


def test_agents_come_and_go(bed):
    more = bed.add_agent()
    assert more.name == "agent3"
    assert sorted(reached(bed, times=3)) == ["agent1", "agent2", "agent3"]
    bed.remove_agent(bed.agent(1))
    assert sorted(reached(bed, times=2)) == ["agent2", "agent3"]
    assert [agent.name for agent in bed.agents] == ["agent2", "agent3"]


def test_nothing_is_started_twice(bed):
    with pytest.raises(AssertionError, match="agent1 is on"):
        bed.agent(1).start()
    bed.agent(1).kill()
    bed.agent(1).kill()
    with pytest.raises(AssertionError, match="agent1 is off"):
        bed.agent(1).run("true")
    assert os.path.isdir(bed.agent(1).home)
