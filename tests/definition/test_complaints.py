"""Everything that the reader refuses is named where it stands, all of it at once, whatever the text."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ajs.definition import tree
from ajs.definition.writer import to_yaml
from tests.definition import strategies
from tests.definition.mistakes import (
    AGENT,
    AGENTS_FILES,
    BROKEN,
    CALENDAR,
    DESTINATION,
    FILES,
    FLEXIBLE_JOB,
    IN_A_CALENDAR,
    IN_A_DESTINATION,
    IN_A_FLEXIBLE_JOB,
    IN_A_JOB,
    IN_A_NESTED,
    IN_A_ROOT,
    IN_A_RULE,
    IN_AN_AGENT,
    IN_TRUST,
    IN_UNITS,
    JOB,
    JOBNET,
    NESTED,
    RULE,
    SCHEDULES,
    TRUST,
    UNITS,
)
from tests.definition.texts import STORED, at, problems, public_key

BREAKERS = (
    st.sampled_from("\n\t :-#'\"[]{},&*!|>%@`?x5\\\x00\x85\u2028\ufeff~<=.")
    | st.characters(codec="utf-8")  # what a file can hold: no half of a surrogate pair
)
LOADERS = {"libyaml": "CSafeLoader", "python": "SafeLoader"}

SEVERAL = """\
a.yaml:2:1 /sales: a job group has no key 'calender'
    did you mean 'calendar'?
a.yaml:3:23 /sales: base_time '12:30' is not a time from 00:00 to 11:59
    for example base_time: 08:00
a.yaml:3:44 /sales: closed '2026-02-30' is a day that does not exist
    the last day of that month is 2026-02-28
a.yaml:3:64 /sales: 'sat' is both open and closed
    the first stands in line 3; remove one of them
a.yaml:7:37 /sales/close: open '40' is not a day number from 1 to 35, or last, or last-1 to last-34
    for example open: last-2
a.yaml:7:54 /sales/close: start_time '22.00' is not a time from 00:00 to 47:59, or +00:00 to +47:59
    write hours and minutes, such as 08:00
a.yaml:8:16 /sales/close: schedule rule 1 is given twice
    the first stands in line 7; give each its own number, or none
a.yaml:8:19 /sales/close: a schedule rule of a root jobnet has no key 'substitue'
    did you mean 'substitute'?
a.yaml:10:46 /sales/close/collect: destination names 'LB1', and there is no such destination
    did you mean 'LB'?
a.yaml:11:22 /sales/close/total: after names 'colect', and there is no such unit in this jobnet
    did you mean 'collect'?
a.yaml:11:71 /sales/close/total: warning_above 7 is not below abnormal_above 0
    abnormal_above is 0 when not given; add one above 7
a.yaml:11:83 /sales/close/total: timeout '90' is not a length of time from 1s to 31d
    write a number with its unit: d, h, min or s, such as 90s or 10 min
a.yaml:12:31 /sales/close/report: 'report' follows the recovery unit 'apology' and is none itself
    add recovery: yes to it, or take it out of after
a.yaml:12:31 /sales/close/report: these units wait for one another in a circle: report after apology after report
    remove one of these names from after
a.yaml:12:57 /sales/close/report/print: a job has no key 'comand'
    did you mean 'command'?
a.yaml:13:55 /sales/close/apology: script 'sorry.sh' cannot be read: no such file or directory
    a script is looked for beside the definition file
b.yaml:1:1 -: the file must be a mapping, not a list
    write 'key: value' with the keys group, comment, planning, calendar, jobnets, agents, agent_groups, destinations
c.yaml:1:8 /sales/close: '/sales/close' is a root jobnet, so '/sales/close' cannot be a job group
    the jobnet stands at a.yaml:5:3; rename one of them
c.yaml:3:3 /sales/close: jobnet name 'a:b' contains the character ':'
    a unit name has no spaces and none of " & ' * ? [ ] ^ { | } ~ ; , / : @
c.yaml:5:7 LB: a destination needs the key 'host'
    add host: lb1.example.com
c.yaml:5:7 LB: a destination needs the key 'trust'
    add trust: {host_keys: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g}
"""


def rows(template, table):
    return [
        pytest.param(template % row[0], *row[1:], id=f"{row[0][:30]} {row[1][:50]} {row[2]}")
        for row in table
    ]


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        *rows(IN_A_JOB, JOB),
        *rows(IN_A_RULE, RULE),
        *rows(IN_A_ROOT, JOBNET),
        *rows(IN_A_NESTED, NESTED),
        *rows(IN_A_CALENDAR, CALENDAR),
        *rows(IN_UNITS, UNITS),
        *rows(IN_A_FLEXIBLE_JOB, FLEXIBLE_JOB),
        *rows(IN_AN_AGENT, AGENT),
        *rows(IN_TRUST, TRUST),
        *rows(IN_A_DESTINATION, DESTINATION),
        *rows("%s", AGENTS_FILES),
    ],
)
def test_each_mistake_is_named_where_it_stands(text, message, place):
    assert (message, place) in [(p.message, at(p)) for p in problems(text, stored=STORED)]


@pytest.mark.parametrize(("part", "message", "place"), SCHEDULES, ids=range(len(SCHEDULES)))
def test_each_mistake_in_a_schedule_is_named_where_it_stands(part, message, place):
    found = problems(f"group: /g\njobnets:\n  r:\n    {{{part}}}\n")
    assert [(p.message, at(p)) for p in found] == [(message, place)]


@pytest.mark.parametrize("loader", ["libyaml", "python"])
@pytest.mark.parametrize(("text", "message", "place"), FILES, ids=range(len(FILES)))
def test_each_mistake_of_a_file_is_named_where_it_stands(text, message, place, loader, monkeypatch):
    use(loader, monkeypatch)
    found = problems(text)
    assert [(p.message, at(p)) for p in found] == [(message, place)]


@pytest.mark.parametrize("loader", ["libyaml", "python"])
@pytest.mark.parametrize(("text", "message", "hint"), BROKEN, ids=range(len(BROKEN)))
def test_broken_yaml_is_one_problem_that_says_what_to_do(text, message, hint, loader, monkeypatch):
    use(loader, monkeypatch)
    (found,) = problems(text)
    assert found.message.startswith("not valid YAML: ")
    assert message in found.message
    assert hint in found.hint
    assert found.place.line in {2, 3}


def use(loader, monkeypatch):
    if loader == "libyaml" and not yaml.__with_libyaml__:
        pytest.skip("this PyYAML was built without libyaml")
    monkeypatch.setattr(tree, "LOADER", getattr(yaml, LOADERS[loader]))


@pytest.mark.parametrize(
    ("template", "table", "unit"),
    [
        (IN_A_JOB, JOB, "/g/r/j"),
        (IN_A_RULE, RULE, "/g/r"),
        (IN_A_ROOT, JOBNET, "/g/r"),
        (IN_A_NESTED, NESTED, "/g/r/n"),
        (IN_A_CALENDAR, CALENDAR, "/g"),
        (IN_A_FLEXIBLE_JOB, FLEXIBLE_JOB, "/g/r/j"),
        (IN_AN_AGENT, AGENT, "A"),
        (IN_TRUST, TRUST, "A"),
        (IN_A_DESTINATION, DESTINATION, "D"),
    ],
    ids=[
        "job",
        "rule",
        "root",
        "nested",
        "calendar",
        "flexible job",
        "agent",
        "trust",
        "destination",
    ],
)
def test_each_complaint_names_its_unit_begins_in_lower_case_and_says_what_to_do(
    template, table, unit
):
    for row in table:
        for problem in problems(template % row[0], stored=STORED):
            assert problem.unit == unit
            assert problem.message[0] == "'" or problem.message[0].islower()
            assert problem.hint


def test_all_problems_of_all_files_come_together_in_the_order_of_the_lines():
    sales = """\
group: /sales
calender: {closed: [sat]}
calendar: {base_time: 12:30, closed: [sat, 2026-02-30], open: [sat]}
jobnets:
  close:
    schedule:
      - {rule: 1, start_day: {open: 40}, start_time: 22.00, cycle: 1 week}
      - {rule: 1, substitue: skip}
    units:
      collect: {type: flexible, destination: LB1, command: ./collect.sh}
      total: {after: colect, command: python total.py, warning_above: 7, timeout: 90}
      report: {after: [total, apology], units: {print: {comand: ./print.sh}}}
      apology: {after: report, recovery: yes, script: sorry.sh}
"""
    branch = """\
group: /sales/close
jobnets:
  a:b: {units: {}}
destinations:
  LB: {user: ajs}
"""
    found = problems(sales, "- a\n", branch)
    lines = [f"{p.place} {p.unit or '-'}: {p.message}\n    {p.hint}\n" for p in found]
    assert "".join(lines) == SEVERAL


def test_the_value_that_is_wrong_is_kept_apart_for_machines():
    (found,) = problems(IN_A_RULE % "start_time: '48:00'")
    assert (found.value, found.unit) == ("48:00", "/g/r")


SECRETS = (
    'key: "-----BEGIN OPENSSH PRIVATE KEY-----\\nc2VjcmV0\\n-----END OPENSSH PRIVATE KEY-----"',
    "key: '-----BEGIN EC PRIVATE KEY----- c2VjcmV0'",
    "trust: {host_keys: [b3BlbnNzaC1rZXktdjEAAAAAc2VjcmV0]}",
    "trust: {host_ca: 'PuTTY-User-Key-File-3: ssh-ed25519 c2VjcmV0'}",
    "password: c2VjcmV0",
    "passphrase: c2VjcmV0",
)


@pytest.mark.parametrize("text", SECRETS)
def test_no_complaint_repeats_a_secret(text):
    found = problems(IN_AN_AGENT % f"host: h, user: u, {text}")
    assert found
    assert "c2VjcmV0" not in str(found)


def test_a_file_that_cannot_be_read_makes_no_names_missing():
    job = IN_A_FLEXIBLE_JOB % "destination: LB9, command: x"
    (found,) = problems("destinations: {LB9: [\n", job)
    assert found.message.startswith("not valid YAML")
    assert [at(p) for p in problems("destinations: {LB9: {}}\n", job)] == ["1:21"] * 3


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (IN_A_FLEXIBLE_JOB % "command: x, destination: LB", "did you mean 'LB1'?"),
        (
            IN_A_FLEXIBLE_JOB % "command: x, destination: LB1, relay: RELAIS",
            "did you mean 'RELAYS'?",
        ),
        ("agent_groups: {R: {members: [AGT2b]}}\n", "did you mean 'AGT2'?"),
        (
            IN_A_FLEXIBLE_JOB % "command: x, destination: zz",
            "define it under destinations:, in any file given to ajsdefine",
        ),
        (
            IN_A_FLEXIBLE_JOB % "command: x, destination: LB1, relay: zz",
            "define it under agents: or agent_groups:, in any file given to ajsdefine",
        ),
        (
            IN_A_JOB % "command: x, destination: LB1",
            "only flexible jobs have it; add type: flexible",
        ),
        (
            IN_TRUST % f"host_keys: 'h {public_key()}'",
            "leave out what stands before the type, such as host names",
        ),
    ],
    ids=range(7),
)
def test_what_to_do_about_names_and_keys(text, hint):
    (found,) = problems(text, stored=STORED)
    assert found.hint == hint


def test_long_values_are_cut_in_messages():
    (found,) = problems(IN_A_RULE % f"start_time: {'9' * 500}")
    assert found.message.startswith(f"start_time '{'9' * 57}...' is not a time")


@pytest.mark.parametrize(
    ("first", "second", "message", "place"),
    [
        (
            "group: /g\njobnets: {r: {units: {}}}\n",
            "group: /g\njobnets: {r: {units: {}}}\n",
            "jobnet '/g/r' is defined twice",
            "b.yaml:2:11",
        ),
        (
            "group: /g\ncomment: a\n",
            "group: /g\ncalendar: {}\n",
            "job group '/g' is described twice",
            "b.yaml:1:8",
        ),
        (
            "group: /g/r/lower\n",
            "group: /g\njobnets: {r: {units: {}}}\n",
            "'/g/r' is a root jobnet, so '/g/r/lower' cannot be a job group",
            "a.yaml:1:8",
        ),
        (
            "group: /g\njobnets: {r: {units: {}}}\n",
            "group: /g/r\n",
            "'/g/r' is a root jobnet, so '/g/r' cannot be a job group",
            "b.yaml:1:8",
        ),
    ],
    ids=["same jobnet", "two descriptions", "group inside a jobnet", "group and jobnet"],
)
def test_files_that_contradict_one_another(first, second, message, place):
    assert [(p.message, str(p.place)) for p in problems(first, second)] == [(message, place)]


def test_the_path_of_a_unit_has_at_most_930_bytes():
    group = "/" + "/".join(["x" * 30] * 29)  # 899 bytes
    right, wrong = "y" * 30, "経" * 10
    text = f"group: {group}\njobnets: {{{right}: {{units: {{}}}}}}\n"
    assert problems(text) == ()
    (found,) = problems(text.replace("units: {}", f"units: {{{wrong}: {{command: x}}}}"))
    assert found.message == f"the full path of unit '{wrong}' is 961 bytes long"


def circle(*names):
    return ", ".join(
        f"{name}: {{command: x, after: {before}}}"
        for name, before in zip(names, names[1:] + names[:1], strict=True)
    )


@pytest.mark.parametrize(
    ("units", "circles"),
    [
        (circle("a", "b"), ["a after b after a"]),
        (circle("a", "b", "c", "d"), ["a after b after c after d after a"]),
        (circle("a", "b") + ", " + circle("c", "d"), ["a after b after a", "c after d after c"]),
        (
            "a: {command: x, after: [b, d]}, b: {command: x, after: c}, c: {command: x, after: b}, "
            + circle("d", "a").partition(", a:")[0],
            ["b after c after b", "a after d after a"],
        ),
        (
            circle(*(f"n{i}" for i in range(100))),
            [" after ".join(f"n{i}" for i in range(38)) + " after 62 more after n0"],
        ),
        (
            "a: {command: x, after: b}, b: {command: x, after: c}, c: {command: x, after: [a, b]}",
            ["a after b after c after a"],
        ),
        ("a: {command: x}, b: {command: x, after: a}, c: {command: x, after: [a, b]}", []),
    ],
    ids=[
        "two",
        "four",
        "two circles",
        "a circle before another",
        "a hundred",
        "one in another",
        "none",
    ],
)
def test_circles_are_named_whole(units, circles):
    intro = "these units wait for one another in a circle: "
    assert sorted(p.message for p in problems(IN_UNITS % units)) == sorted(
        intro + names for names in circles
    )


# -- what a file can do to the reader: nothing --


def test_nesting_has_a_limit_and_a_usual_depth_is_far_below_it():
    def nested(levels):
        above = "".join(f"n{i}: {{units: {{" for i in range(levels))
        return problems(IN_UNITS % (above + "j: {command: x}" + "}}" * levels))

    assert nested(30) == ()
    assert [p.message for p in nested(40)] == ["the text is nested more than 70 levels deep"]


def test_a_file_has_a_largest_size(monkeypatch):
    monkeypatch.setattr(tree, "MAX_BYTES", 1024 * 1024)
    (found,) = problems("group: /g\n" + "#" * 1024 * 1024)
    assert found.message == "the file is larger than 1 MiB"


def test_a_file_has_a_largest_number_of_words(monkeypatch):
    monkeypatch.setattr(tree, "MAX_NODES", 1000)
    (found,) = problems("group: /g\ncalendar: {closed: [" + "sat," * 1000 + "]}\n")
    assert found.message == "the file has more than 1,000 words, lists and tables"


@pytest.mark.parametrize("loader", ["libyaml", "python"])
@given(data=st.data())
def test_no_text_makes_the_reader_fail_in_another_way(loader, data):
    """Definitions with a few characters taken out, put in or doubled are read, or refused with places."""
    text = to_yaml(data.draw(strategies.definitions()))
    for _ in range(data.draw(st.integers(0, 4))):
        cut = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(cut, min(cut + 5, len(text))))
        text = text[:cut] + data.draw(st.text(BREAKERS, max_size=3)) + text[end:]
    with pytest.MonkeyPatch.context() as patch:
        use(loader, patch)
        found = problems(text)
    assert all(p.place.line and p.place.column and p.hint for p in found)


@given(st.binary() | st.text().map(str.encode))
def test_no_bytes_make_the_reader_fail_in_another_way(content):
    assert all(p.place.line and p.hint for p in problems(content))


def test_suggestions_stop_when_everything_is_wrong(monkeypatch):
    monkeypatch.setattr("ajs.definition.problems.COMPARISONS", 3)
    units = "total: {command: x}, " + ", ".join(
        f"{name}: {{command: x, after: totel}}" for name in "ab"
    )
    hints = [p.hint for p in problems(IN_UNITS % units)]
    assert hints == [
        "did you mean 'total'?",
        "after names units that stand beside this one, without a path",
    ]
