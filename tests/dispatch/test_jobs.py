"""A job on this machine: how it ends, what it sees, what it writes."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from ajs.dispatch.local import BASE_ENVIRONMENT, LocalDispatch
from ajs.dispatch.messages import (
    Absent,
    Exited,
    FailedToStart,
    JobSpec,
    Outcome,
    Signalled,
    Stream,
)
from ajs.errors import OutputNotFound
from tests.dispatch.conftest import Place, gone, own_signals
from tests.dispatch.waiting import until

NO_INTERPRETER = " (the file is there; the interpreter named in its first line is not)"
ENDS: list[tuple[str, Outcome]] = [
    ("true", Exited(0)),
    ("exit 1", Exited(1)),
    ("exit 255", Exited(255)),
    ("kill -9 $$", Signalled(9)),
    ("kill -15 $$", Signalled(15)),
    ("kill -1 $$", Signalled(1)),
    ("exec false", Exited(1)),
    ("trap '' TERM HUP INT; exit 3", Exited(3)),
]


@pytest.mark.parametrize(("script", "outcome"), ENDS, ids=[script for script, _ in ENDS])
def test_how_a_job_ends(place: Place, script: str, outcome: Outcome):
    result = place.result(place.shell(script))
    assert result.outcome == outcome
    assert (result.timed_out, result.killed, result.left) == (False, False, 0)
    assert result.started <= result.ended


def test_a_command_that_cannot_be_run_failed_to_start(place: Place):
    (place.folder / "plain.txt").write_text("no program")
    script = place.folder / "windows.sh"
    script.write_text("#!/bin/sh\r\nexit 0\n")
    script.chmod(0o755)
    for argv, reason in [
        (["no-such-command"], "cannot run 'no-such-command': no such file or directory"),
        (["./no-such"], "cannot run './no-such': no such file or directory"),
        (["./plain.txt"], "cannot run './plain.txt': permission denied"),
        (["/"], "cannot run '/': permission denied"),
        (["a\0b"], "cannot run 'a\\x00b': execve: embedded null character in path"),
        (
            ["./windows.sh"],
            "cannot run './windows.sh': no such file or directory" + NO_INTERPRETER,
        ),
    ]:
        assert place.result(place.start(*argv)).outcome == FailedToStart(reason)


@pytest.mark.parametrize("cwd", ["missing", "wake"], ids=["missing folder", "not a folder"])
def test_a_job_whose_folder_cannot_be_entered_failed_to_start(place: Place, cwd: str):
    folder = place.folder / cwd
    why = "no such file or directory" if cwd == "missing" else "not a directory"
    outcome = place.result(place.start("true", cwd=folder)).outcome
    assert outcome == FailedToStart(f"cannot enter the folder '{folder}': {why}")


def test_a_long_complaint_is_cut_and_still_a_result(place: Place):
    outcome = place.result(place.start("/" + "\u3042" * 2000)).outcome
    assert isinstance(outcome, FailedToStart)
    assert outcome.reason.startswith("cannot run '/")


def test_the_job_sees_the_environment_it_was_given(place: Place, monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_MANAGER", "x")
    given = {"JOB_A": "1 2", "QUOTES": "'\"$(id)\n", "TZ": "Asia/Tokyo", "KANJI": "\u65e5\u6b21"}
    attempt_id = place.start("env", "-0", environment=given)
    place.result(attempt_id)
    seen = dict(line.split("=", 1) for line in place.out(attempt_id).decode().split("\0")[:-1])
    base = {name: os.environ[name] for name in BASE_ENVIRONMENT if name in os.environ}
    assert seen == base | given


def test_a_command_is_found_on_the_path_of_the_job(place: Place):
    tool = place.folder / "bin" / "nightly"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\necho found\n")
    tool.chmod(0o755)
    attempt_id = place.start("nightly", environment={"PATH": str(tool.parent)})
    assert place.result(attempt_id).outcome == Exited(0)
    assert place.out(attempt_id) == b"found\n"


def test_words_reach_the_job_as_they_are(place: Place):
    folder = place.folder / "a b'\"$(x)"
    folder.mkdir()
    tool = folder / "my job's.sh"
    tool.write_text('#!/bin/sh\npwd\nprintf "%s|" "$@"\n')
    tool.chmod(0o755)
    words = ["", "two words", "it's", '"', "$HOME `id` ;&|", "new\nline", "\udce9t\udce9", "\u65e5"]
    attempt_id = place.start(str(tool), *words, cwd=folder)
    assert place.result(attempt_id).outcome == Exited(0)
    lines = [os.fsencode(folder) + b"\n", *(os.fsencode(word) + b"|" for word in words)]
    assert place.out(attempt_id) == b"".join(lines)


def test_the_job_starts_clean(place: Place):
    """No signal ignored or blocked, nothing to read, no file of ours open, its own session, its umask."""
    script = """
        grep -E '^Sig(Blk|Ign)' /proc/self/status; cat; umask
        ls /proc/$$/fd; ps -o sid= -p $$ | grep -qw $$ && echo leader
    """
    attempt_id = place.shell(script, umask=0o027)
    place.result(attempt_id)
    blocked, none, ignored, mask, *rest = place.out(attempt_id).decode().split()
    assert [blocked, none, ignored, own_signals(mask), *rest] == [
        *("SigBlk:", "0" * 16, "SigIgn:", 0),
        *("0027", "0", "1", "2", "leader"),
    ]


def test_the_two_outputs_are_apart_and_binary(place: Place):
    attempt_id = place.shell(r"printf 'a\000\377\r\n'; printf 'b\200' >&2")
    result = place.result(attempt_id)
    assert (result.out_size, result.err_size) == (5, 2)
    assert place.out(attempt_id) == b"a\0\xff\r\n"
    assert place.out(attempt_id, Stream.ERR) == b"b\x80"


def test_output_is_read_by_offset_while_the_job_runs(place: Place):
    attempt_id = place.shell("printf 12345; while [ ! -e go ]; do sleep 0.02; done; printf 678")
    read = place.dispatch.output
    place.running(attempt_id)
    until(lambda: read(attempt_id, Stream.OUT, 0, 10) == b"12345", "the first output")
    assert read(attempt_id, Stream.OUT, 3, 10) == b"45"
    assert read(attempt_id, Stream.OUT, 1, 2) == b"23"
    assert read(attempt_id, Stream.OUT, 5, 10) == b""
    (place.folder / "go").touch()
    place.result(attempt_id)
    assert read(attempt_id, Stream.OUT, 5, 10) == b"678"


def test_a_hundred_megabytes_of_output(place: Place):
    size = 100 * 1024 * 1024
    attempt_id = place.start("head", "-c", str(size), "/dev/zero")
    assert place.result(attempt_id).out_size == size
    assert place.dispatch.output(attempt_id, Stream.OUT, size - 3, 10) == b"\0\0\0"


def test_an_attempt_that_never_was_has_no_output(place: Place):
    with pytest.raises(OutputNotFound):
        place.out("never-was")


def test_the_end_of_a_job_wakes_the_manager(place: Place):
    attempt_id = place.start("true")

    def heard() -> bytes | None:
        try:
            return place.wake.recv(300)
        except BlockingIOError:
            return None

    assert until(heard, "the datagram") == attempt_id.encode()
    place.result(attempt_id)


def test_a_wake_socket_deep_down_is_reached(place: Place, monkeypatch):
    deep = place.folder / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wake:
        wake.bind("wake")
        wake.settimeout(60)
        dispatch = LocalDispatch(place.spool.folder, deep / "wake")
        dispatch.start(JobSpec(attempt_id="deep", argv=("true",), cwd=Path("/")))
        assert wake.recv(300) == b"deep"
        dispatch.close()


def test_nothing_listens_and_the_result_is_there(place: Place):
    (place.folder / "wake").unlink()
    assert place.result(place.start("true")).outcome == Exited(0)


def test_a_guard_leaves_no_process_behind(place: Place):
    attempt_id = place.shell("while [ ! -e go ]; do sleep 0.02; done")
    running = place.running(attempt_id)
    (place.folder / "go").touch()
    place.result(attempt_id)
    until(lambda: gone(running.guard_pid) and gone(running.job_pid), "guard and job gone")


def test_forgetting_removes_all_there_is(place: Place):
    attempt_id = place.shell("echo x")
    place.result(attempt_id)
    place.dispatch.forget(attempt_id)
    assert place.standing(attempt_id) == Absent()
    assert place.dispatch.attempts() == frozenset()
    assert [path.name for path in place.spool.folder.iterdir() if "x" in path.read_text()] == []
    place.dispatch.forget(attempt_id)


def test_a_request_larger_than_any_pipe(place: Place):
    words = ["x" * 100_000] * 15
    attempt_id = place.start("/bin/sh", "-c", 'echo "$#"', "sh", *words)
    assert place.result(attempt_id).outcome == Exited(0)
    assert place.out(attempt_id) == b"15\n"


BAD_SPECS = [
    ({"attempt_id": ""}, "not an attempt id"),
    ({"attempt_id": "../x"}, "not an attempt id"),
    ({"attempt_id": ".new"}, "not an attempt id"),
    ({"attempt_id": "a b"}, "not an attempt id"),
    ({"attempt_id": "x" * 201}, "not an attempt id"),
    ({"argv": ()}, "no command"),
    ({"timeout_s": 0}, "timeout of 0"),
    ({"kill_after_s": -1}, "killed after -1"),
]


@pytest.mark.parametrize(("wrong", "complaint"), BAD_SPECS)
def test_what_no_guard_could_run_is_refused(wrong: dict[str, object], complaint: str):
    right = {"attempt_id": "a", "argv": ("true",), "cwd": Path("/")}
    with pytest.raises(ValueError, match=complaint):
        JobSpec(**(right | wrong))  # type: ignore[arg-type]
