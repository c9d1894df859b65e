"""The canonical text and the stored form: both read back to equal values, and equal values give equal texts."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ajs.agents import kind_of
from ajs.calendar import CalendarSettings
from ajs.definition import tree
from ajs.definition.stored import (
    calendar_from_json,
    group_to_json,
    is_planning,
    jobnet_from_json,
    jobnet_to_json,
)
from ajs.definition.stored_agents import agent_from_json, agent_to_json
from ajs.definition.writer import to_yaml
from ajs.model import Definitions, Job, JobGroup, Jobnet, RootDefinition
from ajs.rules import Rule
from tests.definition import strategies
from tests.definition.test_reading import START_DAYS, rule
from tests.definition.texts import public_key, reads


@given(strategies.definitions())
def test_what_is_printed_reads_back_to_equal_values_and_is_printed_the_same(definitions):
    text = to_yaml(definitions)
    assert reads(text) == definitions
    assert to_yaml(reads(text)) == text


@given(strategies.definitions())
def test_the_parser_without_libyaml_reads_the_same(definitions):
    import yaml

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tree, "LOADER", yaml.SafeLoader)
        assert reads(to_yaml(definitions)) == definitions


@given(strategies.jobnets())
def test_a_stored_jobnet_reads_back_to_an_equal_one(jobnet):
    text = jobnet_to_json(jobnet)
    assert jobnet_from_json(text) == jobnet
    assert jobnet_to_json(jobnet_from_json(text)) == text


@given(strategies.calendars, st.booleans())
def test_a_stored_group_reads_back_to_an_equal_one(calendar, planning):
    text = group_to_json(JobGroup(path="/g", calendar=calendar, planning=planning))
    assert is_planning(text) is planning
    assert (CalendarSettings() if text is None else calendar_from_json(text)) == calendar
    assert (text is None) == (calendar == CalendarSettings() and not planning)


@given(strategies.all_agents())
def test_stored_agents_read_back_to_equal_ones(agents):
    for one in agents:
        text = agent_to_json(one)
        assert agent_from_json(one.name, kind_of(one), text) == one
        assert agent_to_json(agent_from_json(one.name, kind_of(one), text)) == text


SPELLINGS = {
    "registered": "",
    "5": "5",
    "{absolute: 13, month: 8}": "08-13",
    "2026/08/13": "2026-08-13",
    "{absolute: last}": "last",
    "last-30": "last-30",
    "{absolute: last, month: 2, year: 2028}": "{absolute: last, month: 2, year: 2028}",
    "{open: last}": "{open: last}",
    "{open: 1, month: 4}": "{open: 1, month: 4}",
    "{weekday: fri}": "fri",
    "{weekday: su, nth: last}": "{weekday: sun, nth: last}",
}


@pytest.mark.parametrize(("text", "canonical"), SPELLINGS.items(), ids=SPELLINGS)
def test_a_start_day_has_one_spelling(text, canonical):
    assert spelled(rule(f"start_day: {text}")) == canonical


def test_different_start_days_have_different_spellings():
    by_day = {day: spelled(Rule(start_day=day)) for _, day in START_DAYS}
    assert len(set(by_day.values())) == len(by_day)


def spelled(a_rule):
    jobnet = Jobnet(name="r", rules=(replace(a_rule, shift_days=9),))
    text = to_yaml(Definitions((), (RootDefinition("/g/r", jobnet),)))
    (line,) = [line.strip() for line in text.splitlines() if "shift_days" in line]
    return (
        line.removeprefix("- {rule: 1")
        .removesuffix(", shift_days: 9}")
        .removeprefix(", start_day: ")
    )


CANONICAL = """\
group: /sales
comment: "Sales: the shops"
calendar:
  base_time: 08:00
  base_day: {weekday: mon, nth: 2}
  closed: [sat, sun]
  open: [2026-08 sat, 2026-12-26]
jobnets:
  daily-close:
    comment: Totals the day's sales
    was: day-close
    schedule:
      - {rule: 1, start_time: 22:00, cycle: 1 day}
      - {rule: 2, start_day: {open: last}, start_time: 27:30, days_from_start: {open: -1, within: 10}}
    units:
      collect:
        command: |
          set -e
          ./collect.sh "a: b"
        environment:
          LANG: C.UTF-8
          MODE: "0755"
        timeout: 2h
      total:
        after: collect
        command: python total.py --day "$AJSEXDATE"
        warning_above: 3
        abnormal_above: 7
      report:
        after: [collect, total]
        schedule:
          - {rule: 1, start_time: +01:00, link: 2}
        units:
          "22":
            command: ./print.sh
      apology:
        after: total
        recovery: yes
        command: 'mail "it''s late": sales'
  never:
    hold: yes
    schedule: undefined
    units: {}
  weekly:
    hold: if warning
    schedule:
      - {rule: 1, start_time: 08:00, cycle: 1 week}
    valid_until: 2027-03-31
    calendar_of: /
    exclusive: daily-close
    overlap: concurrent
    logs_to_keep: 999
    units:
      first:
        valid_until: 2026-12-31
        calendar_of: /sales
        exclusive: second
        units: {}
      second:
        units: {}
"""


def test_the_canonical_text():
    assert to_yaml(reads(CANONICAL)) == CANONICAL


AGENTS = f"""\
group: /sales
jobnets:
  close:
    units:
      collect:
        type: flexible
        after: wait
        destination: LB1
        relay: RELAYS
        command: ./collect.sh
      wait:
        type: flexible
        destination: LB1
        command: ./wait.sh
agents:
  AGT1:
    comment: In the DMZ
    host: relay1.example.com
    port: 2222
    user: ajs
    key: "~/.ssh/ajs"
    trust:
      host_keys:
        - {public_key()}
        - {public_key("ssh-rsa")}
    limit: 20
  AGT2:
    host: "::1"
    user: ajs
    trust:
      host_keys:
        - {public_key()}
agent_groups:
  RELAYS:
    members: [AGT1, "AGT2:8"]
destinations:
  LB1:
    host: lb1.example.com
    agent_port: 2200
    user: ajs
    trust:
      host_ca:
        - {public_key()} ca@example.com
      principals: [sales]
    job_folder: /var/lib/ajs
"""


def test_the_canonical_text_of_agents():
    assert to_yaml(reads(AGENTS)) == AGENTS
    only = AGENTS[AGENTS.index("agents:") :]
    assert to_yaml(reads(only)) == only


def test_a_stored_group_keeps_what_is_not_given():
    calendar = CalendarSettings(base_time=60)
    both = group_to_json(JobGroup(path="/g", calendar=calendar, planning=True))
    assert group_to_json(JobGroup(path="/g"), both) == both
    assert group_to_json(JobGroup(path="/g", planning=False), both) == '{"base_time":60}'
    assert (
        group_to_json(JobGroup(path="/g", calendar=CalendarSettings()), both) == '{"planning":true}'
    )


def test_the_canonical_text_of_a_planning_group():
    text = "group: /g\nplanning: yes\njobnets:\n  r:\n    units: {}\n"
    assert to_yaml(reads(text)) == text
    assert to_yaml(reads("group: /g\nplanning: yes\n")) == "group: /g\nplanning: yes\n"


def test_several_groups_are_printed_as_a_list_and_none_as_nothing():
    text = "groups:\n  - group: /a\n    calendar: {}\n    jobnets:\n      r:\n        units: {}\n  - group: /b\n"
    assert to_yaml(reads(text)) == text
    assert to_yaml(Definitions((), ())) == ""


def test_the_stored_form_leaves_defaults_out_so_that_hashes_last():
    jobnet = Jobnet(name="r", rules=(Rule(),), units=(Job(name="売上", command="x"),))
    expected = '{"name":"r","rules":[{"number":1}],"units":[{"command":"x","name":"売上"}]}'
    assert jobnet_to_json(jobnet) == expected
    assert json.loads(expected)["units"][0]["name"] == "売上"


@pytest.mark.parametrize(
    "one_differs",
    [
        {"name": "s"},
        {"comment": "x"},
        {"hold": True},
        {"rules": ()},
        {"rules": None},
        {"rules": (Rule(number=2),)},
        {"units": (Job(name="a", command="y"),)},
        {"units": (Jobnet(name="a"),)},
    ],
    ids=str,
)
def test_different_jobnets_have_different_texts(one_differs):
    jobnet = Jobnet(name="r", rules=(Rule(),), units=(Job(name="a", command="x"),))
    assert jobnet_to_json(replace(jobnet, **one_differs)) != jobnet_to_json(jobnet)


def test_the_stored_form_is_read_without_yaml_and_without_the_language():
    code = (
        "import sys; import ajs.definition.stored, ajs.definition.stored_agents; "
        "print(sorted(m for m in sys.modules if m.partition('.')[0] == 'yaml' or m.startswith('ajs.definition.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "['ajs.definition.stored', 'ajs.definition.stored_agents']\n"
