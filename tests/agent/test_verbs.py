"""Every verb in every situation, and what surrounds the helper: real processes under every shell."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from ajs.dispatch.answers import parse
from ajs.dispatch.guard import system
from ajs.dispatch.messages import (
    Absent,
    Claimed,
    Ended,
    Exited,
    Lost,
    NotTaken,
    Running,
    Stream,
)
from ajs.dispatch.protocol import (
    Ack,
    Data,
    Fetch,
    Heard,
    Hello,
    Introduction,
    Kill,
    KillOrdered,
    List,
    Listed,
    Problem,
    Stands,
    State,
    Tomb,
    Unheard,
    build,
)
from tests.agent.conftest import DIGEST, NONCE, Place, found, place_in
from tests.dispatch.waiting import until

# -- verbs and situations --


def prepare(place: Place, situation: str) -> str:
    """Bring an attempt into a situation, return its name."""
    name = place.new_name()
    if situation == "running":
        place.run("echo hello; exec sleep 100", name=name)
        place.text(name, "hello")
    elif situation in {"ended", "tomb"}:
        place.run("echo hello; exit 7", name=name)
        place.result(name)
        if situation == "tomb":
            place.ask(Ack(name))
    elif situation in {"claimed", "barred"}:
        # what a helper leaves that is killed right after it took the lock
        place.folder(name).mkdir()
        claim = f"{place.agent.uptime_s} {place.agent.boot_id} 99999999 1\n"
        (place.folder(name) / "claim").write_text(claim)
        if situation == "barred":
            place.ask(Kill(name))
    elif situation == "lost":
        place.run("exec sleep 100", name=name)
        standing = place.state(name)
        os.kill(standing.guard_pid, 9)
        until(lambda: isinstance(place.state(name), Lost), "lost")
    elif situation == "rebooted":
        place.run("exec sleep 100", name=name)
        record = place.folder(name) / "pid"
        record.write_text(record.read_text().replace(place.agent.boot_id, "another-boot"))
    return name


KINDS: dict[str, type] = {
    "absent": Absent,
    "running": Running,
    "ended": Ended,
    "tomb": Tomb,
    "claimed": Claimed,
    "barred": Lost,
    "lost": Lost,
    "rebooted": Lost,
}


@pytest.mark.parametrize("situation", KINDS)
def test_every_verb_in_every_situation(place: Place, situation: str):
    kind = KINDS[situation]
    name = prepare(place, situation)
    assert isinstance(place.state(name), kind)

    again = place.job("echo second", name=name)
    if situation != "absent":
        assert isinstance(place.stands(again), kind), (
            "a second start tells how the first one stands"
        )

    listed = place.ask(List())
    assert isinstance(listed, Listed)
    assert (name in listed.standings) == (situation not in {"absent", "tomb"})
    if name in listed.standings:
        assert listed.standings[name].standing == place.state(name)

    fetched = place.ask(Fetch(name, Stream.OUT, 0, 100))
    if situation in {"running", "ended"}:
        assert fetched == Data(name, Stream.OUT, 0, b"hello\n", 6)
    elif situation in {"absent", "tomb"}:
        assert isinstance(fetched, Stands)

    forgotten = place.stands(Ack(name))
    if situation in {"ended", "tomb", "barred", "rebooted"}:
        assert forgotten == Tomb()
        assert not place.folder(name).exists()
        assert place.stands(again) == Tomb()
    else:
        assert isinstance(forgotten, kind), "it may still run, so it is kept"
    if situation != "rebooted":  # there the job lives on, and only the test has killed the boot
        killed = place.ask(Kill(name))
        assert isinstance(killed, KillOrdered)
        assert isinstance(killed.stands.standing, Tomb if forgotten == Tomb() else kind | Lost)


def test_an_agent_introduces_itself(place: Place):
    said = place.ask(Hello())
    assert isinstance(said, Introduction)
    assert (said.address, said.port, said.missing) == ("192.0.2.7", 22, ())
    assert said.init_ticks == system.read_process(1).started
    assert said.hostname == os.uname().nodename
    assert said.free_kb is not None
    assert place.agent.boot_id == system.read_boot_id()
    assert place.agent.epoch == (place.root / "epoch").read_text().strip()


def test_what_is_missing_is_named(place: Place, tmp_path: Path):
    if "busybox" in place.shell:
        pytest.skip("busybox brings its tools along: none can be missing")
    place.environment["PATH"] = str(tmp_path / "bin")
    (tmp_path / "bin").mkdir()
    for tool in ("dash", "bash", "cat", "chmod", "date", "df", "grep", "head", "mkdir", "mv", "rm"):
        (tmp_path / "bin" / tool).symlink_to(f"/bin/{tool}")
    done = subprocess.run(
        ["/bin/sh", "-c", place.command],
        check=True,
        input=b"hello\n",
        capture_output=True,
        env=place.environment,
    )
    assert b" dd,ln,setsid,sleep,tail,tr,wc,sha256sum,dd-iflag-fullblock\n" in done.stdout


# -- surroundings --


def test_what_login_files_print_is_skipped(place: Place):
    noise = f"echo Welcome; printf 'half a line {NONCE} begin'; "
    said = place.send(build([State("x")]), before=noise)
    assert said.startswith(b"Welcome\nhalf a line")
    heard = parse(said, NONCE, [State("x")])
    assert isinstance(heard, Heard)
    assert heard.answers == (Stands("x", Absent()),)


@pytest.fixture
def small_disk(tmp_path: Path):
    folder = tmp_path / "disk"
    folder.mkdir()
    if (
        os.geteuid() != 0
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=3m", "none", str(folder)], check=False
        ).returncode
    ):
        pytest.skip("only root can mount a small disk: a full one is not tried")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk(shell: str, small_disk: Path):
    places = place_in(small_disk / "root", shell)
    place = next(places)
    # what fills up while a job runs does not keep its result out
    fill = place.run(f"echo much; cat /dev/zero > '{small_disk}/filling'; echo more; exit 6")
    assert place.result(fill).outcome == Exited(6)
    assert (small_disk / "filling").stat().st_size > 1 << 20
    # nothing starts there, and what comes after such a start is still heard
    refused, state = place.job("true", name="full", file=b"x" * 9999), State(fill)
    heard = place.call(refused, state)
    assert isinstance(heard, Heard)
    answers = [a.standing for a in heard.answers if isinstance(a, Stands)]
    assert isinstance(answers[0], NotTaken)
    assert isinstance(answers[1], Ended)
    assert not place.folder("full").exists()
    # a start that has been there is told apart from one that never was
    assert isinstance(place.stands(place.job("true", name=fill)), Ended)
    (small_disk / "filling").unlink()
    assert place.result(place.run("true", name="full")).outcome == Exited(0)
    for _ in places:
        pass


def test_payloads_of_dead_helpers_are_swept(place: Place):
    new = place.root / "new"
    uptime = place.agent.uptime_s
    for born in (0, uptime, uptime + 500):
        (new / f"{born}.N.1.1.launch").write_text("x")
    place.ask(Hello())
    left = {int(path.name.split(".")[0]) for path in new.iterdir()}
    assert left - {0} == {uptime}, "one of another boot is gone"
    assert uptime <= 3600 or 0 not in left, "one that is an hour old is gone"


PROCESSES = """
read -r stat < /proc/1/stat; set -- ${stat##*) }; ticks=${20}
i=0
while [ $i -lt COUNT ]; do
    mkdir "$ROOT/jobs/r$i" "$ROOT/jobs/e$i"
    echo "r$i 1 $ticks $BOOT 1 $ticks 1" > "$ROOT/jobs/r$i/pid"
    echo "e$i exited 0 0 0 1 1 0 0 0 0" > "$ROOT/jobs/e$i/result"
    i=$((i + 1))
done
sh -c 'echo before $$'
echo list | sh -c "$COMMAND" | tail -n 2
sh -c 'echo after $$'
"""


@pytest.mark.parametrize("shell_name", ["dash", "bash", "busybox sh"])
def test_a_list_takes_as_many_processes_for_many_as_for_one(shell_name: str, tmp_path: Path):
    found(shell_name)
    numbers = set()
    for count in (1, 125):
        root = tmp_path / str(count)
        place = Place(shell_name, root, dict(os.environ))
        place.install()
        # in a namespace of its own a process id counts the processes there were
        done = subprocess.run(
            [
                *["unshare", "--pid", "--fork", "--mount-proc", "sh", "-c"],
                PROCESSES.replace("COUNT", str(count)),
            ],
            check=False,
            capture_output=True,
            text=True,
            env=os.environ
            | {"ROOT": str(root), "BOOT": place.agent.boot_id, "COMMAND": place.command},
        )
        if "unshare: " in done.stderr:
            pytest.skip(f"processes cannot be counted here: {done.stderr.strip()}")
        assert f"{NONCE} listed {2 * count}\n" in done.stdout
        words = done.stdout.split()
        before, after = (int(words[words.index(w) + 1]) for w in ("before", "after"))
        numbers.add(after - before)
    assert len(numbers) == 1


def test_a_helper_of_another_digest_is_not_there(place: Place):
    done = subprocess.run(
        ["sh", "-c", place.command.replace(DIGEST, "0" * 64)],
        check=False,
        input=b"",
        capture_output=True,
    )
    unheard = parse(done.stdout, NONCE, [])
    assert isinstance(unheard, Unheard)
    assert unheard.problem is Problem.NO_BEGINNING
