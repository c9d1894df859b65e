"""The words between manager and agent: what is built is read back, and what was never said is never read."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ajs import attempts
from ajs.dispatch import launching
from ajs.dispatch.answers import parse, parse_event, parse_install
from ajs.dispatch.launching import Word, launch_script
from ajs.dispatch.messages import (
    Absent,
    Claimed,
    Ended,
    Exited,
    FailedToStart,
    JobResult,
    Lost,
    NotTaken,
    Outcome,
    Remains,
    Running,
    Signalled,
    Stream,
)
from ajs.dispatch.protocol import (
    QUOTED_BYTES,
    Ack,
    Agent,
    Damaged,
    Data,
    Expired,
    Fetch,
    Heard,
    Hello,
    Introduction,
    Kill,
    KillOrdered,
    List,
    Listed,
    Misunderstood,
    Other,
    Problem,
    Request,
    Stands,
    Start,
    State,
    Tomb,
    Unanswered,
    Unheard,
    build,
    observed,
)
from tests.agent.conftest import DIGEST, HELPER, NONCE

BEGIN = "begin 1 e-1 b-1 77"
AT = datetime(2026, 8, 11, 13, 0, 5, tzinfo=UTC)
T = str(int(AT.timestamp()))
START = Start(attempt_id="a", epoch="e-1", boot_id="b-1", not_after=99, launch=b"true\n")


def said(*lines: str, before: str = "\n") -> bytes:
    return (before + "".join(f"{NONCE} {line}\n" for line in lines)).encode()


def hear(request: Request, *lines: str, end: str = "end 1") -> object:
    heard = parse(said(BEGIN, *lines, end), NONCE, [request])
    return heard.answers[0] if isinstance(heard, Heard) else heard


# -- requests --


def test_requests_are_lines_and_payloads():
    start = Start(
        attempt_id="6f1c-1-7",
        epoch="e-1",
        boot_id="b-1",
        not_after=900,
        launch=b"echo 1\n",
        file=b"\0\n",
        timeout_s=0.2,
        kill_after_s=1.5,
    )
    requests: list[Request] = [
        Hello(),
        List(),
        State("a"),
        start,
        Fetch("a", Stream.ERR, 5, 9),
        Kill("a"),
        Ack("a"),
    ]
    sizes = f"7 {sha256(start.launch).hexdigest()} 2 {sha256(start.file).hexdigest()}"
    assert (
        build(requests)
        == (
            f"hello\nlist\nstate a\nstart 6f1c-1-7 e-1 b-1 900 1 2 {sizes}\necho 1\n\0\n"
            "fetch a err 5 9\nkill a\nack a\n"
        ).encode()
    )
    assert build([START]).startswith(b"start a e-1 b-1 99 0 10 5 ")
    assert build([START]).endswith(b" 0 -\ntrue\n")


@pytest.mark.parametrize(
    "more",
    [
        {"attempt_id": "a b"},
        {"attempt_id": "-rf"},
        {"attempt_id": ""},
        {"attempt_id": "../a"},
        {"epoch": "e 1"},
        {"boot_id": ""},
        {"not_after": -1},
        {"timeout_s": 0},
        {"kill_after_s": -1},
        {"launch": b""},
        {"file": bytes(64 << 20)},
    ],
)
def test_what_cannot_be_said_is_refused(more):
    usual = {"attempt_id": "a", "epoch": "e", "boot_id": "b", "not_after": 9, "launch": b"x"}
    with pytest.raises(ValueError, match=r"."):
        Start(**(usual | more))


def test_a_name_that_is_no_name_never_becomes_a_line():
    for name in ("a\nkill b", "", "a b", ".x"):
        with pytest.raises(ValueError, match="not an attempt id"):
            build([State(name)])


# -- answers --

RESULT = JobResult(
    outcome=Exited(3),
    timed_out=False,
    killed=True,
    started=AT,
    ended=AT,
    out_size=10,
    err_size=20,
    left=0,
    escaped=1,
)
ENDED = f"ended a exited 3 0 1 {T} {T} 10 20 0 1"
STANDINGS = [
    ("absent a", Absent(), attempts.Absent),
    ("tomb a", Tomb(), attempts.Acked),
    ("claimed a 5 open", Claimed(), attempts.Claimed),
    ("claimed a 5 barred", Lost(remains=Remains.NEVER_RAN, job_pid=None), attempts.FailedToStart),
    (f"running a 8 9 {T}", Running(guard_pid=8, job_pid=9, started=AT), attempts.Running),
    (ENDED, Ended(RESULT), attempts.Ended),
    ("lost a runner there 9", Lost(remains=Remains.THERE, job_pid=9), attempts.Lost),
    ("lost a runner gone 9", Lost(remains=Remains.GONE, job_pid=9), attempts.Lost),
    (
        "lost a boot gone -",
        Lost(remains=Remains.GONE, job_pid=None, restarted=True),
        attempts.Lost,
    ),
    ("expired a", Expired(), attempts.FailedToStart),
    ("refused a only 3 kB are free", NotTaken("only 3 kB are free"), attempts.FailedToStart),
    ("other a epoch", Other(epoch_differs=True), type(None)),
    ("other a boot", Other(epoch_differs=False), type(None)),
]


WHY_LOST = [
    ("lost a boot gone 9", "the agent was restarted"),
    (
        "lost a runner gone 9",
        "the runner of the job on the agent is gone; no process of its session is left",
    ),
]


@pytest.mark.parametrize(("line", "why"), WHY_LOST)
def test_why_an_attempt_is_lost(line, why):
    stands = hear(START, line)
    assert isinstance(stands, Stands)
    assert observed(stands) == attempts.Lost(why)


@pytest.mark.parametrize(("line", "standing", "kind"), STANDINGS)
def test_how_an_attempt_stands(line, standing, kind):
    stands = hear(START, line)
    assert isinstance(stands, Stands)
    assert (stands.attempt_id, stands.standing) == ("a", standing)
    assert stands.age_s == (5 if "claimed" in line else None)
    assert type(observed(stands)) is kind


@pytest.mark.parametrize(
    ("words", "outcome"),
    [
        ("exited 255 {}", Exited(255)),
        ("signalled 15 {}", Signalled(15)),
        ("failed 0 {} no such folder 'だ'", FailedToStart("no such folder 'だ'")),
    ],
)
def test_how_a_job_ended(words, outcome):
    stands = hear(State("a"), "ended a " + words.format(f"1 0 {T} {T} 0 0 0 0"))
    assert isinstance(stands, Stands)
    assert isinstance(stands.standing, Ended)
    assert stands.standing.result.outcome == outcome


def test_the_other_answers():
    assert hear(Hello(), f"hello 192.0.2.7 22 25 {T} 9000 web-1 -") == Introduction(
        address="192.0.2.7",
        port=22,
        init_ticks=25,
        clock=AT,
        free_kb=9000,
        hostname="web-1",
        missing=(),
    )
    unknown = hear(Hello(), f"hello - - - {T} - - setsid,tr")
    assert isinstance(unknown, Introduction)
    assert (unknown.address, unknown.port, unknown.missing) == (None, None, ("setsid", "tr"))
    listed = hear(List(), "claimed a 0 open", f"running b 8 9 {T}", ENDED, "listed 3")
    assert isinstance(listed, Listed)
    assert {name: type(s.standing) for name, s in listed.standings.items()} == {
        "a": Ended,  # the later line
        "b": Running,
    }
    assert hear(List(), "listed 0") == Listed({})
    assert hear(START, "mismatch a") == Damaged("a")
    assert hear(Kill("a"), "survivors a 2", "absent a") == KillOrdered(Stands("a", Absent()), 2)
    assert hear(Ack("a"), "acked a") == Stands("a", Tomb())
    assert hear(State("a"), "bad 1") == Misunderstood()
    fetched = hear(Fetch("a", Stream.OUT, 2, 9), f"data a out 2 5 7\n{NONCE}"[: -len(NONCE)] + "x")
    assert isinstance(fetched, Unheard)


def test_raw_bytes_may_look_like_anything():
    content = said("end 1")
    answer = (
        said(BEGIN, f"data a out 2 {len(content)} 99") + content + b"\n" + said("end 1", before="")
    )
    heard = parse(answer, NONCE, [Fetch("a", Stream.OUT, 2, 999)])
    assert heard == Heard(
        Agent(epoch="e-1", boot_id="b-1", uptime_s=77),
        (Data("a", Stream.OUT, 2, content, 99),),
    )


def test_requests_after_a_stop_are_unanswered():
    heard = parse(said(BEGIN, "mismatch a", "end 1"), NONCE, [START, State("b")])
    assert isinstance(heard, Heard)
    assert heard.answers == (Damaged("a"), Unanswered())


WHOLE = said(BEGIN, f"running a 8 9 {T}", "end 1")


@pytest.mark.parametrize("length", range(len(WHOLE)))
def test_half_an_answer_is_none(length):
    heard = parse(WHOLE[:length], NONCE, [State("a")])
    assert isinstance(heard, Unheard)
    assert heard.problem in {Problem.CUT, Problem.NO_BEGINNING}


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (b"", Problem.NO_BEGINNING),
        (b"sh: 0: cannot open it\n", Problem.NO_BEGINNING),
        (b"x" * 999, Problem.NO_BEGINNING),
        (said(BEGIN, "absent a", "end 1", before="no newline "), Problem.NO_BEGINNING),
        (said("failed /root/.ajs cannot be used"), Problem.BROKEN),
        (said("begin 2 e b 7", "end 1"), Problem.OTHER_PROTOCOL),
        (said("begin 1 e b", "end 1"), Problem.NONSENSE),
        (said("begin 1 e b -7", "end 1"), Problem.NONSENSE),
        (said(BEGIN, "absent a") + b"noise\n" + said("end 1", before=""), Problem.FOREIGN),
        (WHOLE + b"logout\n", Problem.FOREIGN),
        (said(BEGIN, "absent b", "end 1"), Problem.NONSENSE),
        (said(BEGIN, "absent a x", "end 1"), Problem.NONSENSE),
        (said(BEGIN, "absent  a", "end 1"), Problem.NONSENSE),
        (said(BEGIN, "Absent a", "end 1"), Problem.NONSENSE),
        (said(BEGIN, "acked a", "end 1"), Problem.NONSENSE),
        (said(BEGIN, "expired a", "end 1"), Problem.NONSENSE),
        (said(BEGIN, "refused a why", "end 1"), Problem.NONSENSE),
        (said(BEGIN, "claimed a 5", "end 1"), Problem.NONSENSE),
        (said(BEGIN, "claimed a -1 open", "end 1"), Problem.NONSENSE),
        (said(BEGIN, "running a 8 9 99999999999999", "end 1"), Problem.NONSENSE),
        (said(BEGIN, "running a \uff18 9 1", "end 1"), Problem.NONSENSE),
        (said(BEGIN, ENDED + " why", "end 1"), Problem.NONSENSE),
        (said(BEGIN, ENDED.replace("exited 3", "exited 256"), "end 1"), Problem.NONSENSE),
        (said(BEGIN, ENDED.replace("exited 3", "signalled 0"), "end 1"), Problem.NONSENSE),
        (said(BEGIN, ENDED.replace("exited 3", "failed 0"), "end 1"), Problem.NONSENSE),
        (said(BEGIN, ENDED[:20], "end 1"), Problem.NONSENSE),
        (said(BEGIN, "lost a moon gone 9", "end 1"), Problem.NONSENSE),
        (said(BEGIN, "absent a", "absent a", "end 2"), Problem.NONSENSE),
        (said(BEGIN, "absent a", "end 2"), Problem.NONSENSE),
        (said(BEGIN, "absent a", "end"), Problem.NONSENSE),
    ],
)
def test_what_is_no_answer_is_unheard(answer, problem):
    unheard = parse(answer, NONCE, [State("a")])
    assert isinstance(unheard, Unheard), unheard
    assert unheard.problem is problem
    assert len(unheard.said) <= QUOTED_BYTES
    assert problem.value in str(unheard)


def test_answers_to_other_questions_are_unheard():
    data = f"data a out 2 1 7\nx\n{NONCE} end 1"
    for request in (Fetch("b", Stream.OUT, 2, 9), Fetch("a", Stream.ERR, 2, 9)):
        assert isinstance(hear(request, data), Unheard)
    assert isinstance(hear(Fetch("a", Stream.OUT, 2, 0), data), Unheard)
    assert isinstance(hear(Fetch("a", Stream.OUT, 3, 9), data), Unheard)
    assert isinstance(hear(List(), "absent a", "listed 2"), Unheard)
    assert isinstance(hear(Kill("a"), "survivors b 1", "absent a"), Unheard)
    assert isinstance(hear(Hello(), "hello x 22 1 1 1 host"), Unheard)


# -- properties --

NAMES = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,30}", fullmatch=True)
NUMBERS = st.integers(0, 10**10)
INSTANTS = st.integers(0, 10**10).map(lambda s: datetime.fromtimestamp(s, UTC))
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(str.strip)
RESULTS = st.builds(
    JobResult,
    outcome=st.one_of(
        st.builds(Exited, st.integers(0, 255)),
        st.builds(Signalled, st.integers(1, 64)),
        st.builds(FailedToStart, TEXTS),
    ),
    timed_out=st.booleans(),
    killed=st.booleans(),
    started=INSTANTS,
    ended=INSTANTS,
    out_size=NUMBERS,
    err_size=NUMBERS,
    left=st.integers(0, 99),
    escaped=st.integers(0, 99),
)
KEPT = st.one_of(
    st.just(Claimed()),
    st.builds(Running, guard_pid=NUMBERS, job_pid=NUMBERS, started=INSTANTS),
    st.builds(Ended, RESULTS),
    st.builds(
        Lost, remains=st.sampled_from([Remains.GONE, Remains.THERE]), job_pid=st.none() | NUMBERS
    ),
)


def stamp(moment: datetime) -> int:
    return int(moment.timestamp())


def how(outcome: Outcome) -> tuple[str, str]:
    match outcome:
        case Exited(code):
            return f"exited {code}", ""
        case Signalled(number):
            return f"signalled {number}", ""
        case FailedToStart(reason):
            return "failed 0", f" {reason}"


def spoken(name: str, standing: object) -> str:
    """How a helper says this."""
    match standing:
        case Claimed():
            return f"claimed {name} 0 open"
        case Running(guard_pid=guard, job_pid=job, started=started):
            return f"running {name} {guard} {job} {stamp(started)}"
        case Lost(remains=remains, job_pid=job, restarted=restarted):
            why = "boot" if restarted else "runner"
            return f"lost {name} {why} {remains.name.lower()} {'-' if job is None else job}"
        case Ended(r):
            word, why = how(r.outcome)
            times = f"{r.timed_out:d} {r.killed:d} {stamp(r.started)} {stamp(r.ended)}"
            return (
                f"ended {name} {word} {times} {r.out_size} {r.err_size} {r.left} {r.escaped}{why}"
            )
        case _:
            raise AssertionError(standing)


@given(standings=st.dictionaries(NAMES, KEPT), noise=st.binary())
def test_a_list_is_read_as_it_was_said(standings, noise):
    lines = [spoken(name, standing) for name, standing in standings.items()]
    answer = noise + said(BEGIN, *lines, f"listed {len(lines)}", "end 1")
    if f"\n{NONCE} ".encode() in b"\n" + noise:
        return
    heard = parse(answer, NONCE, [List()])
    assert isinstance(heard, Heard)
    listed = heard.answers[0]
    assert isinstance(listed, Listed)
    assert {n: s.standing for n, s in listed.standings.items()} == standings


REQUESTS = st.one_of(
    st.just(Hello()),
    st.just(List()),
    st.builds(State, NAMES),
    st.builds(Kill, NAMES),
    st.builds(Ack, NAMES),
    st.builds(Fetch, NAMES, st.sampled_from(Stream), NUMBERS, NUMBERS),
    st.just(START),
)


@given(answer=st.binary(), requests=st.lists(REQUESTS, max_size=4))
def test_arbitrary_bytes_say_nothing(answer, requests):
    assert isinstance(parse(answer, NONCE, requests), Unheard)
    assert parse_install(answer, NONCE) is not None


@given(data=st.data(), requests=st.lists(REQUESTS, min_size=1, max_size=3))
def test_what_begins_like_an_answer_and_goes_on_wildly_never_raises(data, requests):
    words = ["absent", "ended", "running", "listed", "end", "data", "a", "0", "1", "-", "hello", T]
    line = st.lists(st.sampled_from(words), max_size=12).map(" ".join)
    answer = said(BEGIN, *data.draw(st.lists(line, max_size=5))) + data.draw(st.binary(max_size=9))
    heard = parse(answer, NONCE, requests)
    if isinstance(heard, Heard):
        assert len(heard.answers) == len(requests)
        for request, answered in zip(requests, heard.answers, strict=True):
            if isinstance(answered, Stands):
                assert answered.attempt_id == getattr(request, "attempt_id", None)


@given(st.binary())
def test_events_are_whole_lines(line):
    assert parse_event(line) is None or line.startswith(b"ended ")
    assert parse_event(b"ended a-1\n") == "a-1"
    assert parse_event(b"ended a-1") is None


WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@given(
    arguments=st.lists(WORDS, max_size=4),
    environment=st.dictionaries(st.from_regex(r"TRY_[A-Za-z0-9_]{0,8}", fullmatch=True), WORDS),
)
def test_arguments_and_environment_arrive_as_they_are(arguments, environment):
    names = sorted(environment)
    show = "\0".join(['printf "%s\\0" "$@"', *(f'printf "%s\\0" "${n}"' for n in names)])
    script = launch_script(
        ["sh", "-c", show.replace("\0", "; "), "-", *arguments], environment=environment
    )
    done = subprocess.run(["sh"], input=script, capture_output=True, check=True)
    wanted = [*(arguments or [""]), *(environment[n] for n in names)]
    assert done.stdout == "".join(f"{text}\0" for text in wanted).encode()


# -- command lines --


def test_command_lines():
    folder = "'/srv/job root'"
    assert launching.call_command("/srv/job root", DIGEST, NONCE) == (
        f"exec /bin/sh {folder}/bin/{DIGEST}.sh {folder} {NONCE}"
    )
    assert launching.call_command("~/.ajs", DIGEST, NONCE, "busybox sh") == (
        f'exec busybox sh "$HOME"/.ajs/bin/{DIGEST}.sh "$HOME"/.ajs {NONCE} \'busybox sh\''
    )
    assert launching.follow_command("~/.ajs") == 'exec tail -n 0 -F "$HOME"/.ajs/events'
    install = launching.install_command("~/.ajs", DIGEST, NONCE)
    assert "!" not in install
    assert install.count("'") == 2
    assert "\n" not in install
    assert len(install) < 2000


@pytest.mark.parametrize(
    ("root", "helper", "nonce"),
    [
        ("ajs", DIGEST, NONCE),
        ("/a\nb", DIGEST, NONCE),
        ("~root/x", DIGEST, NONCE),
        ("/a", "$(id)", NONCE),
        ("/a", DIGEST, "a b c d e"),
        ("/a", DIGEST, ""),
    ],
)
def test_what_could_break_a_command_line_is_refused(root, helper, nonce):
    for command in (launching.call_command, launching.install_command):
        with pytest.raises(ValueError, match=r"."):
            command(root, helper, nonce)


@pytest.mark.parametrize(
    "wrong",
    [
        {"command": []},
        {"command": [""]},
        {"command": ["-x"]},
        {"command": ["a\0"]},
        {"umask": 0o1000},
        {"environment": {"A-B": ""}},
        {"environment": {"1A": ""}},
        {"environment": {"A=B": ""}},
        {"environment": {"A\n": ""}},
        {"environment": {"AJS_ATTEMPT": ""}},
        {"environment": {"UID": "0"}},
        {"environment": {"A": "\0"}},
    ],
)
def test_what_a_launch_script_cannot_hold_is_refused(wrong):
    with pytest.raises(ValueError, match=r"."):
        launch_script(**({"command": ["true"]} | wrong))


def test_a_job_file_is_named_by_the_agent():
    assert launch_script(["/bin/bash", Word.JOB_FILE, "x"]).endswith(
        b'\nexec /bin/bash "$AJS_FILE" x\n'
    )


# -- putting the helper in place --


def install(root, text: bytes, nonce: str = NONCE) -> Unheard | None:
    command = launching.install_command(str(root), DIGEST, nonce)
    done = subprocess.run(["sh", "-c", command], input=text, capture_output=True, check=True)
    return parse_install(b"Welcome" + done.stdout, nonce)


def test_the_helper_is_put_in_place_whole_or_not_at_all(tmp_path):
    root = tmp_path / "job root"
    for part in (b"", HELPER[:-1], HELPER + b"\n"):
        unheard = install(root, part)
        assert unheard is not None
        assert unheard.said == b"install damaged"
        assert list((root / "bin").iterdir()) == []
    assert install(root, HELPER) is None
    assert install(root, HELPER, "another0nonce") is None
    assert [p.name for p in (root / "bin").iterdir()] == [f"{DIGEST}.sh"]
    assert (root / "bin" / f"{DIGEST}.sh").read_bytes() == HELPER
    assert root.stat().st_mode & 0o777 == 0o700


def test_a_root_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    unheard = install(tmp_path / "file", HELPER)
    assert unheard is not None
    assert (unheard.problem, unheard.said) == (Problem.BROKEN, b"install unwritable")
