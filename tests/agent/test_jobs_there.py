"""A job on an agent: how it ends, what it sees, what it writes, that it runs once."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from ajs.dispatch.guard import system
from ajs.dispatch.launching import Word, launch_script
from ajs.dispatch.messages import (
    Claimed,
    Ended,
    Exited,
    FailedToStart,
    Outcome,
    Running,
    Signalled,
    Stream,
)
from ajs.dispatch.protocol import (
    Ack,
    Data,
    Expired,
    Fetch,
    List,
    Listed,
    Other,
    Start,
    Tomb,
    build,
)
from tests.agent.conftest import NONCE, Place
from tests.dispatch.conftest import own_signals
from tests.dispatch.waiting import until

# -- how a job ends --

TOLD_BY_ALL: list[tuple[str, Outcome]] = [
    ("true", Exited(0)),
    ("exit 1", Exited(1)),
    ("exit 255", Exited(255)),
    ("exit 137", Exited(137)),
    ("kill -9 $$", Signalled(9)),
    ("kill -1 $$", Signalled(1)),
    ("kill -15 $$", Signalled(15)),
    ("kill -2 $$", Signalled(2)),
]


def test_how_jobs_end(place: Place):
    names = [place.run(script) for script, _ in TOLD_BY_ALL]
    results = [place.result(name) for name in names]
    assert [r.outcome for r in results] == [outcome for _, outcome in TOLD_BY_ALL]
    assert {(r.timed_out, r.killed, r.left, r.escaped) for r in results} == {(False, False, 0, 0)}
    assert all(r.started <= r.ended for r in results)


def test_exit_143_is_no_signal_where_the_shell_can_tell(place: Place):
    outcome = place.result(place.run("exit 143")).outcome
    assert outcome == (Signalled(15) if "bash" in place.shell else Exited(143))


def test_a_job_sees_its_surroundings_and_nothing_of_ours(place: Place):
    name = place.run("umask; grep Sig /proc/self/status; env; read line || echo nothing to read")
    place.result(name)
    said = dict(
        line.replace(":\t", "=").split("=", 1)
        for line in place.output(name).decode().splitlines()
        if "=" in line or ":\t" in line
    )
    assert own_signals(said["SigIgn"]) == 0
    assert own_signals(said["SigBlk"]) == 0
    assert said["AJS_ATTEMPT"] == name
    assert "SSH_CONNECTION" not in said
    assert place.output(name).endswith(b"nothing to read\n")
    assert place.output(name, Stream.ERR) == b""


def test_a_job_has_a_session_of_its_own(place: Place):
    name = place.run("exec sleep 100")
    running = place.state(name)
    job, guard = system.read_process(running.job_pid), system.read_process(running.guard_pid)
    assert (job.session, job.group) == (job.pid, job.pid)
    assert guard.session == guard.pid


def test_nothing_secret_is_in_the_process_list_or_readable(place: Place):
    name = place.run("export KEY=s3cret-value; sleep 100", file=b"s3cret-file")
    lines = [Path("/proc", str(pid), "cmdline").read_bytes() for pid in place.processes()]
    assert len(lines) >= 2
    assert not [line for line in lines if b"s3cret" in line]
    loose = [p for p in place.root.rglob("*") if p.stat().st_mode & 0o77]
    assert loose == []
    assert (place.folder(name) / "file").stat().st_mode & 0o777 == 0o700


def test_a_job_file_is_run_and_taken_away(place: Place):
    text = b"#!/bin/sh\necho \"$1\" '\xe3\x82\xb8' $#\n" + b"# filling\n" * 100_000
    launch = launch_script([Word.JOB_FILE, "a 'b'\n\"c\" $HOME"]).decode()
    name = place.run(launch, file=text)
    assert place.result(name).outcome == Exited(0)
    assert place.output(name) == b"a 'b'\n\"c\" $HOME \xe3\x82\xb8 1\n"
    kept = {"claim", "err", "out", "result"}
    until(lambda: {p.name for p in place.folder(name).iterdir()} == kept, "only what is needed")


def test_what_the_manager_builds_becomes_the_job(place: Place, tmp_path: Path):
    folder = tmp_path / "a 'folder' だ"
    folder.mkdir()
    launch = launch_script(
        ["sh", "-c", 'pwd; umask; printf "%s|" "$@" "$GREETING"', "-", "", "a\nb", "$(id)", "'"],
        cwd=str(folder),
        environment={"GREETING": "it's\n「今日は」 $HOME"},
        umask=0o027,
    )
    name = place.run(launch.decode())
    assert place.result(name).outcome == Exited(0)
    expected = f"{folder}\n0027\n|a\nb|$(id)|'|it's\n「今日は」 $HOME|"
    assert place.output(name).decode() == expected


@pytest.mark.parametrize(
    ("command", "cwd", "reason"),
    [
        (["true"], "/no/such だ", "cannot enter the folder '/no/such だ'"),
        (["no-such-command"], "", "cannot run 'no-such-command'"),
        (["/no/such"], "", "cannot run '/no/such'"),
        (["/etc/passwd"], "", "cannot run '/etc/passwd'"),
    ],
)
def test_what_cannot_begin_failed_to_start(place: Place, command, cwd, reason):
    name = place.run(launch_script(command, cwd=cwd).decode())
    assert place.result(name).outcome == FailedToStart(reason)


def test_output_comes_in_pieces(place: Place):
    size = 100 << 20
    name = place.run(f"head -c {size} /dev/zero; echo end; echo problem >&2")
    assert place.result(name).out_size == size + 4
    assert place.result(name).err_size == 8
    for offset, most, content in [
        (0, 3, b"\0\0\0"),
        (size - 1, 100, b"\0end\n"),
        (size + 1, 2, b"nd"),
        (size + 4, 10, b""),
        (size + 999, 10, b""),
        (0, 0, b""),
    ]:
        data = place.ask(Fetch(name, Stream.OUT, offset, most))
        assert data == Data(name, Stream.OUT, offset, content, size + 4)
    whole = place.ask(Fetch(name, Stream.OUT, 0, 1 << 30))
    assert isinstance(whole, Data)
    assert len(whole.content) == size + 4


def test_events_tell_of_every_end_and_stay_small(place: Place):
    events = place.root / "events"
    first = place.run("true")
    until(lambda: events.read_text() == f"ended {first}\n", "the event")
    events.write_text("ended x\n" * 9000)
    second = place.run("true")
    until((place.root / "events.old").exists, "the turn")
    assert (place.root / "events.old").read_text().endswith(f"x\nended {second}\n")
    assert not events.exists()


# -- once --


def all_at_once(place: Place, start: Start, many: int) -> list[object]:
    """Send the start many times at once; whoever is held up goes on when all are."""
    answers: list[object] = []
    threads = [
        threading.Thread(target=lambda: answers.append(place.stands(start))) for _ in range(many)
    ]
    for thread in threads:
        thread.start()
    if "tools" in place.environment["PATH"]:
        until(lambda: place.held(many), "all of them held up")
        (place.root.parent / "tools" / "go").touch()
    for thread in threads:
        thread.join()
    return answers


def test_many_starts_at_once_run_once(place: Place, tmp_path: Path):
    start = place.job(f"echo run >> '{tmp_path}/runs'; sleep 1")
    answers = all_at_once(place, start, 24)
    assert place.result(start.attempt_id).outcome == Exited(0)
    assert {type(answer) for answer in answers} <= {Claimed, Running, Ended}
    assert len(answers) == 24
    assert (tmp_path / "runs").read_text() == "run\n"


def test_starts_that_all_found_nothing_run_once(place: Place, tmp_path: Path):
    """All have looked before the first one takes the lock."""
    start = place.job(f"echo run >> '{tmp_path}/runs'; sleep 1")
    with place.held_up("mkdir"):
        answers = all_at_once(place, start, 24)
    assert place.result(start.attempt_id).outcome == Exited(0)
    assert {type(answer) for answer in answers} <= {Claimed, Running, Ended}
    assert (tmp_path / "runs").read_text() == "run\n"


def test_a_start_held_up_until_all_is_over_finds_the_tomb(place: Place, tmp_path: Path):
    start = place.job(f"echo run >> '{tmp_path}/runs'")
    usual = place.environment
    answers: list[object] = []
    with place.held_up("mkdir") as go:
        late = threading.Thread(target=lambda: answers.append(place.stands(start)))
        late.start()
        until(lambda: place.held(1), "the late one held up")
        place.environment = usual
        assert isinstance(place.stands(start), Running | Ended)
        place.result(start.attempt_id)
        assert place.stands(Ack(start.attempt_id)) == Tomb()
        go.touch()
        late.join()
    assert answers == [Tomb()]
    assert not place.folder(start.attempt_id).exists()
    assert (tmp_path / "runs").read_text() == "run\n"


def test_a_start_cut_anywhere_starts_nothing(place: Place, tmp_path: Path):
    start = place.job(f"touch '{tmp_path}/ran'", name="c", file=b"file")
    request = build([start])
    for length in range(len(request)):
        said = place.send(request[:length])
        assert b"running" not in said
        assert list((place.root / "jobs").iterdir()) == [], f"cut after {length} bytes"
        assert list((place.root / "new").iterdir()) == [], f"cut after {length} bytes"
    assert not (tmp_path / "ran").exists()
    place.send(request)
    assert place.result("c").outcome == Exited(0)
    assert (tmp_path / "ran").exists()


def test_half_a_payload_is_no_request(place: Place):
    first = place.job("sleep 100", name="other")
    place.ask(first)
    lying = build([place.job("exit 3", name="lying")]).replace(
        b"exit 3", b"kill x\nkill other\nlist\n"
    )
    assert place.send(lying + b"kill other\n").endswith(
        b" mismatch lying\n" + b"%s end 1\n" % NONCE.encode()
    )
    assert isinstance(place.state("other"), Running)


def test_a_late_start_is_expired(place: Place):
    late = place.job("true", not_after=place.agent.uptime_s - 1)
    assert place.stands(late) == Expired()
    assert not place.folder(late.attempt_id).exists()


def test_a_start_for_another_agent_does_nothing(place: Place):
    assert place.stands(place.job("true", epoch="another")) == Other(epoch_differs=True)
    assert place.stands(place.job("true", boot_id="another")) == Other(epoch_differs=False)
    assert list((place.root / "jobs").iterdir()) == []


def test_a_tomb_outlives_the_last_start(place: Place):
    uptime = place.agent.uptime_s
    names = {"early": uptime + 3600, "soon": uptime + 1}
    for name, not_after in names.items():
        place.run("true", name=name, not_after=not_after)
        place.result(name)
        assert place.stands(Ack(name)) == Tomb()
    tombs = place.root / "tombs"
    (tombs / "long-ago").write_text(f"{place.agent.boot_id} {max(0, uptime - 62)}\n")
    (tombs / "before-the-boot").write_text(f"another {uptime + 3600}\n")
    (tombs / "without-claim").write_text(f"{place.agent.boot_id} -\n")
    (tombs / "cut-off").write_text("")
    (place.root / "jobs" / "long-ago").mkdir()
    listed = place.ask(List())
    assert listed == Listed({})
    assert {p.name for p in tombs.iterdir()} == {"early", "soon", "without-claim", "cut-off"}
    assert place.stands(place.job("true", name="soon", not_after=uptime - 1)) == Tomb()
    assert place.stands(place.job("true", name="long-ago", not_after=uptime - 62)) == Expired()
