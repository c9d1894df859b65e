"""Statuses and events, and what follows from them, as tables."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

import pytest

from ajs.causes import Cause, Why
from ajs.errors import IllegalEvent
from ajs.lifecycle import (
    ABENDED,
    ENDED,
    ENDED_WELL,
    RUNNING,
    TABLE,
    WAITING,
    Event,
    Kind,
    LiveGeneration,
    Status,
    UnitRun,
    changed,
    fire,
    settle,
)
from ajs.model import Job, Jobnet
from ajs.moment import Moment
from tests.driver import ASKED

NOW = Moment(datetime(2026, 8, 11, 22, 0), datetime(2026, 8, 11, 13, 0, tzinfo=UTC))

# -- what each status allows; written by status, while the code has it by event --

JOBS = """
NOPLAN    | PLAN TERMWAIT, BYPASS BYPASS, NOT_EXECUTE UNEXEC
TERMWAIT  | UNPLAN NOPLAN, HOLD HOLDING, READY EXECWAIT, BYPASS BYPASS, NOT_EXECUTE UNEXEC
TIMEWAIT  | BYPASS BYPASS, NOT_EXECUTE UNEXEC
HOLDING   | READY EXECWAIT, BYPASS BYPASS, NOT_EXECUTE UNEXEC
EXECWAIT  | QUEUE QUEUING, JOB_STARTED RUNNING, FAIL FAIL, KILL KILL, LOSE UNKNOWN, NOT_EXECUTE UNEXEC
QUEUING   | JOB_STARTED RUNNING, FAIL FAIL, KILL KILL, LOSE UNKNOWN, NOT_EXECUTE UNEXEC
RUNNING   | END_NORMAL NORMAL, END_WARNING WARNING, END_ABNORMAL ABNORMAL, KILL KILL, LOSE UNKNOWN
"""

JOBNETS = """
NOPLAN    | PLAN TERMWAIT, BYPASS BYPASS, NOT_EXECUTE UNEXEC
TERMWAIT  | UNPLAN NOPLAN, AWAIT_TIME TIMEWAIT, HOLD HOLDING, START RUNNING, BYPASS BYPASS, NOT_EXECUTE UNEXEC
TERMWAIT  | SKIP EXECDEFFER
TIMEWAIT  | HOLD HOLDING, START RUNNING, BYPASS BYPASS, NOT_EXECUTE UNEXEC, SKIP EXECDEFFER
HOLDING   | AWAIT_TIME TIMEWAIT, START RUNNING, BYPASS BYPASS, NOT_EXECUTE UNEXEC, SKIP EXECDEFFER
TIMEWAIT  | AWAIT_PREVIOUS TERMWAIT
HOLDING   | AWAIT_PREVIOUS TERMWAIT
RUNNING   | WARN WACONT, ABEND ABCONT
WACONT    | ABEND ABCONT
RUNNING   | END_NORMAL NORMAL, END_WARNING WARNING, END_ABNORMAL ABNORMAL, KILL KILL, INTERRUPT INTERRUPT
WACONT    | END_NORMAL NORMAL, END_WARNING WARNING, END_ABNORMAL ABNORMAL, KILL KILL, INTERRUPT INTERRUPT
ABCONT    | END_NORMAL NORMAL, END_WARNING WARNING, END_ABNORMAL ABNORMAL, KILL KILL, INTERRUPT INTERRUPT
"""


def allowed(table: str) -> dict[tuple[Status, Event], Status]:
    found = {}
    for line in table.strip().splitlines():
        status, _, events = line.partition("|")
        for pair in events.split(","):
            event, after = pair.split()
            found[Status[status.strip()], Event[event]] = Status[after]
    return found


@pytest.mark.parametrize(("kind", "table"), [(Kind.JOB, JOBS), (Kind.JOBNET, JOBNETS)])
def test_every_event_in_every_status(kind, table):
    expected = allowed(table)
    for status in Status:
        for event in Event:
            if (status, event) in expected:
                assert fire(kind, status, event) is expected[status, event]
                continue
            with pytest.raises(IllegalEvent) as refused:
                fire(kind, status, event, "total")
            assert "total" in refused.value.message
            assert status.text in refused.value.message
            assert event.value in refused.value.message


def test_an_illegal_event_names_the_unit_the_status_and_the_event():
    with pytest.raises(IllegalEvent) as refused:
        fire(Kind.JOBNET, Status.NORMAL, Event.START, "report")
    assert refused.value.message == (
        "jobnet report in status 'Ended normally' cannot take the event 'starts'"
    )


def test_no_event_stands_twice_for_one_kind_of_unit():
    rows = [(kind, event) for event, kinds, _, _ in TABLE for kind in kinds]
    assert len(rows) == len(set(rows))


def test_nothing_leaves_an_ended_status():
    assert not any(old & ENDED for _, _, old, _ in TABLE)


def test_every_status_is_of_one_class():
    assert {*WAITING, *RUNNING, *ENDED} == set(Status)
    assert len(WAITING) + len(RUNNING) + len(ENDED) == len(Status)
    assert all(s.waiting + s.running + s.ended == 1 for s in Status)


def test_which_endings_let_which_units_go():
    assert {s.name for s in ENDED_WELL} == {"NORMAL", "WARNING", "BYPASS"}
    assert {s.name for s in ABENDED} == {"ABNORMAL", "INTERRUPT", "KILL", "FAIL"}


def test_the_return_code_of_a_killed_job_is_not_its_own():
    job = UnitRun(path="a", status=Status.RUNNING, return_code=3)
    killed = changed(job, Kind.JOB, Event.KILL, Cause(Why.SIGNAL, value="9"), NOW.utc).run
    assert (killed.return_code, killed.code_set_by_ajs) == (-1, True)
    ended = changed(job, Kind.JOB, Event.END_NORMAL, Cause(Why.RETURN_CODE), NOW.utc).run
    assert (ended.return_code, ended.code_set_by_ajs) == (3, False)


# -- what follows: each table is one generation at 22:00, before and after --

FOLLOWS = """
# The root has started: what has no predecessor goes, the rest waits
unit      | after   | is              | was      | becomes   | because or waits because
a         |         | job             | TERMWAIT | EXECWAIT  | its upper jobnet runs
b         | a       | job             | TERMWAIT | TERMWAIT  | predecessor a has not ended
.         |         |                 | RUNNING  | RUNNING   |

# A unit goes when all predecessors ended well; the one that ended last is named
unit      | after   | is              | was      | becomes   | because or waits because
a         |         | job             | NORMAL   | NORMAL    |
b         |         | job             | WARNING  | WARNING   |
c         |         | jobnet          | BYPASS   | BYPASS    |
d         | a b c   | job             | TERMWAIT | EXECWAIT  | predecessor c was bypassed
.         |         |                 | RUNNING  | WACONT    | unit b ended with warning

# Not before all predecessors have ended, even if one failed
unit      | after   | is              | was      | becomes   | because or waits because
a         |         | job             | ABNORMAL | ABNORMAL  |
b         |         | job             | RUNNING  | RUNNING   |
c         | a b     | job             | TERMWAIT | TERMWAIT  | predecessor b has not ended
.         |         |                 | RUNNING  | ABCONT    | unit a ended abnormally

# A failure leaves out everything behind it, to the end, and the jobnet is abnormal
unit      | after   | is              | was      | becomes   | because or waits because
a         |         | job             | ABNORMAL | ABNORMAL  |
b         | a       | job             | TERMWAIT | UNEXEC    | predecessor a ended abnormally
c         | b       | jobnet          | TERMWAIT | UNEXEC    | predecessor b was not executed
c/d       |         | job             | TERMWAIT | UNEXEC    | its upper jobnet c was not executed
.         |         |                 | RUNNING  | ABNORMAL  | unit a ended abnormally

# An unknown end status lets nobody go
unit      | after   | is              | was      | becomes   | because or waits because
a         |         | job             | UNKNOWN  | UNKNOWN   |
b         | a       | job             | TERMWAIT | UNEXEC    | predecessor a has an unknown end status
c         | a       | recovery job    | TERMWAIT | UNEXEC    | predecessor a has an unknown end status
.         |         |                 | RUNNING  | ABNORMAL  | unit a has an unknown end status

# A recovery unit goes when its predecessor was killed
unit      | after   | is              | was      | becomes   | because or waits because
a         |         | job             | KILL     | KILL      |
b         | a       | recovery job    | TERMWAIT | EXECWAIT  | predecessor a was killed
.         |         |                 | RUNNING  | ABCONT    | unit a was killed

# A recovery unit needs all predecessors to have failed
unit      | after   | is              | was      | becomes   | because or waits because
a         |         | job             | ABNORMAL | ABNORMAL  |
b         |         | job             | NORMAL   | NORMAL    |
c         | a b     | recovery job    | TERMWAIT | BYPASS    | there is nothing to recover: predecessor b ended normally
.         |         |                 | RUNNING  | ABNORMAL  | unit a ended abnormally

# Nothing failed: the recovery unit and the one after it are bypassed, the jobnet is well
unit      | after   | is              | was      | becomes   | because or waits because
a         |         | job             | NORMAL   | NORMAL    |
b         | a       | recovery jobnet | TERMWAIT | BYPASS    | there is nothing to recover: predecessor a ended normally
b/c       |         | job             | TERMWAIT | BYPASS    | its upper jobnet b was bypassed
d         | b       | recovery job    | TERMWAIT | BYPASS    | there is nothing to recover: predecessor b was bypassed
.         |         |                 | RUNNING  | NORMAL    | all its units have ended

# A recovery unit after a recovery unit goes when that one ran and ended well
unit      | after   | is              | was      | becomes   | because or waits because
a         |         | job             | FAIL     | FAIL      |
b         | a       | recovery job    | NORMAL   | NORMAL    |
c         | b       | recovery job    | TERMWAIT | EXECWAIT  | predecessor b ended normally
.         |         |                 | ABCONT   | ABCONT    |

# ... and not when that one failed
unit      | after   | is              | was      | becomes   | because or waits because
a         |         | job             | FAIL     | FAIL      |
b         | a       | recovery job    | ABNORMAL | ABNORMAL  |
c         | b       | recovery job    | TERMWAIT | UNEXEC    | predecessor b ended abnormally
.         |         |                 | ABCONT   | ABNORMAL  | unit a failed to start

# A recovery unit after one that was not executed is not executed
unit      | after   | is              | was      | becomes   | because or waits because
a         |         | job             | UNEXEC   | UNEXEC    |
b         | a       | recovery job    | TERMWAIT | UNEXEC    | predecessor a was not executed
.         |         |                 | ABCONT   | ABNORMAL  | unit a was not executed

# A recovery unit with nothing before it never runs
unit | after | is           | was      | becomes | because or waits because
a    |       | recovery job | TERMWAIT | BYPASS  | a recovery unit without predecessors has nothing to recover
.         |         |                 | RUNNING  | NORMAL    | all its units have ended

# A recovery unit's success does not rescue the jobnet, nor does its warning show
unit      | after   | is              | was      | becomes   | because or waits because
n         |         | jobnet          | RUNNING  | ABNORMAL  | unit n/a ended abnormally
n/a       |         | job             | ABNORMAL | ABNORMAL  |
n/b       | a       | recovery job    | WARNING  | WARNING   |
.         |         |                 | RUNNING  | ABNORMAL  | unit n ended abnormally

# ... and it is the failed unit that is named, also when the recovery unit failed and is defined first
unit      | after   | is              | was      | becomes   | because or waits because
b         | a       | recovery job    | KILL     | KILL      |
a         |         | job             | ABNORMAL | ABNORMAL  |
.         |         |                 | ABCONT   | ABNORMAL  | unit a ended abnormally

# A prohibited unit is bypassed when its turn comes, and those after it go
unit      | after   | is              | was      | becomes   | because or waits because
a         |         | job, prohibited | NOPLAN   | BYPASS    | its execution is prohibited
b         | a       | job             | TERMWAIT | EXECWAIT  | predecessor a was bypassed
.         |         |                 | RUNNING  | RUNNING   |

# Before its turn it shows that it is not planned
unit      | after   | is              | was      | becomes   | because or waits because
a         |         | job             | RUNNING  | RUNNING   |
b         | a       | job, prohibited | TERMWAIT | NOPLAN    | its execution is prohibited
c         | a       | jobnet, unscheduled | TERMWAIT | NOPLAN | it has no schedule in this generation
c/d       |         | job             | TERMWAIT | NOPLAN    | its upper jobnet c is not scheduled to execute
.         |         |                 | RUNNING  | RUNNING   |

# A prohibition taken back before the turn comes
unit      | after   | is              | was      | becomes   | because or waits because
a         |         | job             | RUNNING  | RUNNING   |
b         | a       | jobnet          | NOPLAN   | TERMWAIT  | it is scheduled to execute again
b/c       |         | job             | NOPLAN   | TERMWAIT  | it is scheduled to execute again
.         |         |                 | RUNNING  | RUNNING   |

# A prohibited unit behind a failure never has its turn
unit      | after   | is              | was      | becomes   | because or waits because
a         |         | job             | ABNORMAL | ABNORMAL  |
b         | a       | job, prohibited | NOPLAN   | UNEXEC    | predecessor a ended abnormally
.         |         |                 | ABCONT   | ABNORMAL  | unit a ended abnormally

# Everything below a bypassed jobnet is bypassed, at every depth
unit      | after   | is              | was      | becomes   | because or waits because
n         |         | jobnet, unscheduled | NOPLAN | BYPASS  | it has no schedule in this generation
n/m       |         | jobnet          | NOPLAN   | BYPASS    | its upper jobnet n was bypassed
n/m/a     |         | job             | NOPLAN   | BYPASS    | its upper jobnet n/m was bypassed
.         |         |                 | RUNNING  | NORMAL    | all its units have ended

# A nested jobnet with a later start of its own waits for it, after its predecessors
unit      | after   | is              | was      | becomes   | because or waits because
a         |         | job             | NORMAL   | NORMAL    |
n         | a       | jobnet at 23:00 | TERMWAIT | TIMEWAIT  | its start time is 2026-08-11 23:00:00
n/b       |         | job             | TERMWAIT | TERMWAIT  | its upper jobnet n has not started
.         |         |                 | RUNNING  | RUNNING   |

# ... waits for its predecessors first, although its time has come
unit      | after   | is              | was      | becomes   | because or waits because
a         |         | job             | RUNNING  | RUNNING   |
n         | a       | jobnet at 21:00 | TERMWAIT | TERMWAIT  | predecessor a has not ended
n/b       |         | job             | TERMWAIT | TERMWAIT  | its upper jobnet n has not started
.         |         |                 | RUNNING  | RUNNING   |

# ... starts at once when its time is past
unit      | after   | is              | was      | becomes   | because or waits because
a         |         | job             | NORMAL   | NORMAL    |
n         | a       | jobnet at 21:00 | TERMWAIT | RUNNING   | predecessor a ended normally
n/b       |         | job             | TERMWAIT | EXECWAIT  | its upper jobnet runs
.         |         |                 | RUNNING  | RUNNING   |

# ... and on the very minute
unit      | after   | is              | was      | becomes   | because or waits because
n         |         | jobnet at 22:00 | TIMEWAIT | RUNNING   | its start time 2026-08-11 22:00:00 has come
n/b       |         | job             | TERMWAIT | EXECWAIT  | its upper jobnet runs
.         |         |                 | RUNNING  | RUNNING   |

# A held unit stops when its turn comes, not before
unit      | after   | is              | was      | becomes   | because or waits because
a         |         | job, held       | TERMWAIT | HOLDING   | it is held
b         | a       | job, held       | TERMWAIT | TERMWAIT  | predecessor a has not ended
.         |         |                 | RUNNING  | RUNNING   |

# A held jobnet with a time waits for the time first
unit      | after   | is                    | was      | becomes  | because or waits because
m         |         | jobnet, held at 23:00 | TERMWAIT | TIMEWAIT | its start time is 2026-08-11 23:00:00
n         |         | jobnet, held at 21:00 | TIMEWAIT | HOLDING  | it is held
.         |         |                       | RUNNING  | RUNNING  |

# Released: it goes
unit      | after   | is              | was      | becomes   | because or waits because
a         |         | job             | HOLDING  | EXECWAIT  | it was released from hold
n         |         | jobnet          | HOLDING  | NORMAL    | it has no units
.         |         |                 | RUNNING  | RUNNING   |

# A hold whose turn never comes holds nothing up
unit      | after   | is              | was      | becomes   | because or waits because
a         |         | job             | KILL     | KILL      |
b         | a       | job, held       | TERMWAIT | UNEXEC    | predecessor a was killed
.         |         |                 | RUNNING  | ABNORMAL  | unit a was killed

# A prohibition wins over a hold
unit      | after   | is                    | was      | becomes   | because or waits because
a         |         | job, held, prohibited | HOLDING  | BYPASS    | its execution is prohibited
.         |         |                       | RUNNING  | NORMAL    | all its units have ended

# An empty jobnet ends normally at once, and so the root
unit      | after   | is              | was      | becomes   | because or waits because
n         |         | jobnet          | TERMWAIT | NORMAL    | it has no units
.         |         |                 | RUNNING  | NORMAL    | all its units have ended

# The worst below decides; a warning in one nested jobnet, a failure in another
unit      | after   | is              | was      | becomes   | because or waits because
m         |         | jobnet          | RUNNING  | WARNING   | unit m/a ended with warning
m/a       |         | job             | WARNING  | WARNING   |
n         |         | jobnet          | RUNNING  | ABCONT    | unit n/a ended abnormally
n/a       |         | job             | ABNORMAL | ABNORMAL  |
n/b       |         | job             | RUNNING  | RUNNING   |
.         |         |                 | RUNNING  | ABCONT    | unit n has a failure below it

# A warning in a nested jobnet that still runs shows at the root
unit      | after   | is              | was      | becomes   | because or waits because
n         |         | jobnet          | RUNNING  | WACONT    | unit n/a ended with warning
n/a       |         | job             | WARNING  | WARNING   |
n/b       |         | job             | RUNNING  | RUNNING   |
.         |         |                 | RUNNING  | WACONT    | unit n has a warning below it

# Below a killed jobnet nothing starts, recovery neither; it ends when what ran in it has ended
unit      | after   | is              | was      | becomes   | because or waits because
n         |         | jobnet, killed  | RUNNING  | ABCONT    | unit n/a was killed
n/a       |         | job, killed     | KILL     | KILL      |
n/b       | a       | job             | TERMWAIT | UNEXEC    | its upper jobnet n was killed by hanako: rain
n/c       | a       | recovery job    | TERMWAIT | UNEXEC    | its upper jobnet n was killed by hanako: rain
n/d       |         | job, killed     | RUNNING  | RUNNING   |
n/m       | a       | jobnet          | TERMWAIT | UNEXEC    | its upper jobnet n was killed by hanako: rain
n/m/x     |         | job             | TERMWAIT | UNEXEC    | its upper jobnet n/m was not executed
o         | n       | job             | TERMWAIT | TERMWAIT  | predecessor n has not ended
.         |         |                 | RUNNING  | ABCONT    | unit n has a failure below it

# A killed nested jobnet lets recovery units go, as a killed job does, and no others
unit      | after   | is              | was      | becomes   | because or waits because
n         |         | jobnet, killed  | RUNNING  | KILL      | killed by hanako: rain
n/a       |         | job, killed     | KILL     | KILL      |
o         | n       | job             | TERMWAIT | UNEXEC    | predecessor n was killed
p         | n       | recovery job    | TERMWAIT | EXECWAIT  | predecessor n was killed
.         |         |                 | RUNNING  | ABCONT    | unit n was killed

# A jobnet was killed, also when its jobs were faster than the kill: who waits for it must not go
unit      | after   | is              | was      | becomes   | because or waits because
n         |         | jobnet, killed  | RUNNING  | KILL      | killed by hanako: rain
n/a       |         | job, killed     | NORMAL   | NORMAL    |
o         | n       | job             | TERMWAIT | UNEXEC    | predecessor n was killed
.         |         |                 | RUNNING  | ABNORMAL  | unit n was killed

# What is held, or waits for its time, in a killed root jobnet does not start
unit      | after   | is              | was      | becomes   | because or waits because
a         |         | job, held       | HOLDING  | UNEXEC    | its upper jobnet at the root was killed by hanako: rain
m         |         | jobnet at 23:00 | TIMEWAIT | UNEXEC    | its upper jobnet at the root was killed by hanako: rain
.         |         | killed          | RUNNING  | KILL      | killed by hanako: rain
"""


@dataclass(frozen=True)
class Row:
    path: str
    after: tuple[str, ...]
    words: str
    was: Status
    becomes: Status
    because: str


def tables() -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    rows: list[Row] = []
    for line in FOLLOWS.strip().splitlines():
        if line.startswith("# "):
            rows = found.setdefault(f"{len(found) + 1} {line[2:]}", [])
        elif line and not line.startswith("unit "):
            path, after, words, was, becomes, because = (cell.strip() for cell in line.split("|"))
            path = "" if path == "." else path
            row = Row(path, tuple(after.split()), words, Status[was], Status[becomes], because)
            rows.append(row)
    return found


def unit_of(row: Row, rows: list[Row]) -> Jobnet | Job:
    recovery = row.words.startswith("recovery")
    name = row.path.rpartition("/")[2] or "root"
    if "jobnet" not in row.words and row.path:
        return Job(name=name, after=row.after, recovery=recovery)
    lower = tuple(
        unit_of(r, rows) for r in rows if r.path and r.path.rpartition("/")[0] == row.path
    )
    return Jobnet(name=name, after=row.after, recovery=recovery, units=lower)


def run_of(row: Row) -> UnitRun:
    _, _, at = row.words.partition(" at ")
    hours = int(at[:2]) if at else 0
    return UnitRun(
        path=row.path,
        status=row.was,
        planned=datetime(2026, 8, 11, hours, 0) if at else None,
        scheduled="unscheduled" not in row.words,
        prohibited="prohibited" in row.words,
        held="held" in row.words,
        kill_asked=ASKED if "killed" in row.words else None,
    )


def generation_of(rows: list[Row]) -> LiveGeneration:
    root = unit_of(next(r for r in rows if not r.path), rows)
    assert isinstance(root, Jobnet)
    return LiveGeneration(
        id=1,
        root_path="/sales/daily-close",
        execution_id="@A1",
        exec_date=date(2026, 8, 11),
        definition_hash="",
        definition=root,
        units={r.path: run_of(r) for r in rows},
        version=1,
    )


@pytest.mark.parametrize("title", tables())
def test_what_follows(title):
    rows = tables()[title]
    settled = settle(generation_of(rows), NOW)
    last = {c.run.path: c.cause.text for c in settled.changes}
    waits = {path: cause.text for path, cause in settled.waits.items()}
    found = {
        path: (run.status.name, last.get(path) or waits.get(path, ""))
        for path, run in settled.generation.units.items()
    }
    assert found == {r.path: (r.becomes.name, r.because) for r in rows}


@pytest.mark.parametrize("title", tables())
def test_nothing_follows_twice(title):
    settled = settle(generation_of(tables()[title]), NOW)
    assert settle(settled.generation, NOW).changes == ()


def test_an_interrupted_root_starts_nothing_new_and_ends_interrupted():
    rows = tables()[next(iter(tables()))]
    nested = Row("n", (), "jobnet", Status.RUNNING, Status.RUNNING, "")
    below = Row("n/x", (), "job", Status.TERMWAIT, Status.UNEXEC, "")
    before = generation_of([*rows, nested, below])
    running = replace(before.units["a"], status=Status.RUNNING)
    before = replace(before, interrupted=ASKED, units={**before.units, "a": running})
    settled = settle(before, NOW).generation
    assert {p: r.status.name for p, r in settled.units.items()} == {
        "": "ABCONT",
        "a": "RUNNING",
        "b": "UNEXEC",
        "n": "ABNORMAL",
        "n/x": "UNEXEC",
    }
    ended = replace(running, status=Status.NORMAL)
    settled = settle(replace(settled, units={**settled.units, "a": ended}), NOW).generation
    assert settled.units[""].status is Status.INTERRUPT


def test_a_kill_outdoes_an_interruption():
    rows = [Row("", (), "killed", Status.RUNNING, Status.KILL, "")]
    settled = settle(replace(generation_of(rows), interrupted=ASKED), NOW)
    assert [c.cause.why for c in settled.changes] == [Why.KILLED]


def test_a_killed_jobnet_has_no_return_code():
    rows = [Row("", (), "killed", Status.RUNNING, Status.KILL, "")]
    assert settle(generation_of(rows), NOW).generation.units[""].return_code is None


def test_the_jobnet_sees_its_units_settled_and_changes_once():
    rows = tables()[
        "4 A failure leaves out everything behind it, to the end, and the jobnet is abnormal"
    ]
    changes = settle(generation_of(rows), NOW).changes
    assert [(c.run.path, c.run.status.name) for c in changes] == [
        ("b", "UNEXEC"),
        ("c", "UNEXEC"),
        ("c/d", "UNEXEC"),
        ("", "ABNORMAL"),
    ]


def test_a_long_chain_settles_in_one_go():
    """A thousand units behind a failure, defined in the order that is worst for looking at them in turn."""
    count = 1000
    units = tuple(
        Job(name=f"j{n}", after=(f"j{n - 1}",) if n else ()) for n in reversed(range(count))
    )
    runs = {u.name: UnitRun(path=u.name, status=Status.TERMWAIT) for u in units}
    runs["j0"] = UnitRun(path="j0", status=Status.ABNORMAL)
    runs[""] = UnitRun(path="", status=Status.RUNNING)
    generation = replace(
        generation_of(next(iter(tables().values()))),
        definition=Jobnet(name="root", units=units),
        units=runs,
    )
    assert len(settle(generation, NOW).changes) == count


def test_every_reason_reads_without_holes():
    for why in Why:
        text = Cause(why, "total", "ABNORMAL", "7").text
        assert "{" not in text
        assert "  " not in text
