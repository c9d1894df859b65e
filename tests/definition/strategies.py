"""Every definition that the reader can give, made by hypothesis."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import date

from hypothesis import strategies as st

from ajs.agents import Agent, AgentGroup, Agents, Destination, Member, Trust
from ajs.calendar import BaseDate, BaseWeekday, CalendarSettings, MonthClass
from ajs.definition.agent_scalars import parse_agent_name
from ajs.definition.scalars import CYCLE_LIMITS, MAX_TIMEOUT_S, NotThis, parse_name
from ajs.delays import Limit, Since
from ajs.model import (
    LOGS_TO_KEEP,
    Definitions,
    HoldIf,
    Job,
    JobGroup,
    Jobnet,
    Overlap,
    RootDefinition,
    Script,
    parent,
)
from ajs.rules import Cycle, CycleUnit, DaysFromStart, FromStart, Rule, StartTime, Substitute
from ajs.start_days import Counting, DayFromEnd, DayNumber, Nth, RegisteredDay, WeekdayOfMonth
from tests.definition.texts import SCRIPT, SHA, public_key


def is_name(text, parse=parse_name):
    try:
        return parse(text) == text
    except NotThis:
        return False


characters = st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from(
    "\n\t :#'\"\\-|>,[]{}&*!%@`?"
)
texts = st.text(characters, max_size=30)
filled = texts.filter(lambda text: text.strip() != "")
lines = filled.filter(lambda text: "\n" not in text)
names = st.sampled_from(
    ["a", "daily-close", "no", "22", "0755", "1.5", "~", "売上", "null", "=", "x-y_z", ".a", "<<"]
) | st.text(max_size=8).map(lambda text: unicodedata.normalize("NFC", text))
names = names.filter(is_name)

days = st.dates(date(1994, 1, 1), date(2099, 12, 31))
months = st.one_of(
    st.just((None, None)),
    st.tuples(st.none(), st.integers(1, 12)),
    st.tuples(st.integers(1994, 2099), st.integers(1, 12)),
)


@st.composite
def start_days(draw):
    year, month = draw(months)
    counting = draw(st.sampled_from(Counting))
    high = 31 if counting is Counting.ABSOLUTE else 35
    return draw(
        st.one_of(
            st.just(RegisteredDay()),
            st.builds(
                DayNumber,
                counting=st.just(counting),
                number=st.integers(1, high),
                year=st.just(year),
                month=st.just(month),
            ),
            st.builds(
                DayFromEnd,
                counting=st.just(counting),
                back=st.integers(0, high - 1),
                year=st.just(year),
                month=st.just(month),
            ),
            st.builds(
                WeekdayOfMonth,
                counting=st.sampled_from([Counting.ABSOLUTE, Counting.RELATIVE]),
                weekday=st.integers(0, 6),
                nth=st.sampled_from(Nth),
                year=st.just(year),
                month=st.just(month),
            ),
        )
    )


cycles = st.sampled_from(CycleUnit).flatmap(
    lambda unit: st.builds(Cycle, st.integers(1, CYCLE_LIMITS[unit]), st.just(unit))
)
moves = st.one_of(
    st.builds(
        DaysFromStart,
        st.sampled_from([FromStart.OPEN_BEFORE, FromStart.OPEN_AFTER]),
        st.integers(1, 31),
        st.integers(1, 31),
    ),
    st.builds(
        DaysFromStart,
        st.sampled_from([FromStart.PLAIN_BEFORE, FromStart.PLAIN_AFTER]),
        st.integers(1, 31),
    ),
)
starts = st.builds(StartTime, st.integers(0, 2879), st.booleans())


def is_rule(rule):
    """Weeks do not go with open and closed days, and closed days that are skipped never run."""
    counted = (
        getattr(rule.start_day, "counting", None)
        if not isinstance(rule.start_day, WeekdayOfMonth)
        else None
    )
    weekly = rule.cycle is not None and rule.cycle.unit is CycleUnit.WEEK
    return not (weekly and counted in {Counting.OPEN, Counting.CLOSED}) and not (
        counted is Counting.CLOSED and rule.substitute is Substitute.SKIP
    )


def limits(*, root: bool) -> st.SearchStrategy[Limit | None]:
    since = [Since.OWN] if root else [Since.ROOT, Since.UPPER, Since.OWN]
    relative = st.builds(Limit, st.integers(1, 2879), st.sampled_from(since))
    return st.none() | relative | st.builds(Limit, st.integers(0, 2879), st.just(Since.CLOCK))


@st.composite
def schedules(draw, upper=None):
    """Rules of a root, or of a nested jobnet that may link to the numbers ``upper``."""
    if upper == ():
        return draw(st.sampled_from([None, ()]))
    numbers = sorted(draw(st.sets(st.integers(1, 144), max_size=3)))
    rules = tuple(
        draw(
            st.builds(
                Rule,
                number=st.just(number),
                start_day=start_days(),
                start_time=starts,
                cycle=st.none() | cycles,
                substitute=st.sampled_from(Substitute),
                shift_days=st.integers(1, 31),
                days_from_start=st.none() | moves,
                start_delay=limits(root=upper is None),
                end_delay=limits(root=upper is None),
                link=st.just(1) if upper is None else st.sampled_from(upper),
            ).filter(is_rule)
        )
        for number in numbers
    )
    return (
        draw(st.none() | st.just(rules))
        if upper is not None
        else draw(st.just((Rule(),)) | st.just(rules))
    )


# Names of two kinds each, so that those that jobs refer to are always defined.
RELAYS, DESTINATIONS = ("AGT1", "RELAYS"), ("LB1", "lb2.example.com")


priorities = st.none() | st.integers(1, 5)
required_times = st.none() | st.integers(1, 2879)


@st.composite
def jobs(draw, name, after, recovery):
    script = draw(st.booleans())
    destination = draw(st.just("") | st.sampled_from(DESTINATIONS))
    warning = draw(st.none() | st.integers(0, 254))
    return Job(
        name=name,
        comment=draw(texts),
        after=after,
        recovery=recovery,
        hold=draw(st.booleans()),
        priority=draw(priorities),
        command=draw(st.just("") | filled) if script else draw(filled),
        script=SHA if script else "",
        work_dir=draw(st.just("") | lines),
        environment=tuple(
            sorted(
                draw(
                    st.dictionaries(
                        st.from_regex("[A-Za-z_][A-Za-z0-9_]{0,5}", fullmatch=True),
                        texts,
                        max_size=3,
                    )
                ).items()
            )
        ),
        timeout_s=draw(st.none() | st.integers(1, MAX_TIMEOUT_S)),
        warning_above=warning,
        abnormal_above=draw(st.integers(0 if warning is None else warning + 1, 2**31 - 1)),
        destination=destination,
        relay=draw(st.just("") | st.sampled_from(RELAYS)) if destination else "",
    )


def dates(beside):
    """What a jobnet says about its dates; it may exclude one of those before it, so that there is no circle."""
    jobnets = [unit.name for unit in beside if isinstance(unit, Jobnet)]
    return st.fixed_dictionaries(
        {},
        optional={
            "valid_until": days,
            "calendar_of": st.just("/"),
            "exclusive": st.sampled_from(jobnets) if jobnets else st.just(""),
        },
    )


@st.composite
def units(draw, upper, depth):
    """Units in an order that can be: each follows some of those before it."""
    found: list[Jobnet | Job] = []
    for name in draw(st.lists(names, max_size=3, unique=True)):
        before = draw(st.lists(st.sampled_from(found), unique=True, max_size=3)) if found else []
        recovery = bool(before) and (any(u.recovery for u in before) or draw(st.booleans()))
        after = tuple(u.name for u in before)
        if depth and draw(st.booleans()):
            rules = draw(schedules(upper))
            below = upper if rules is None else tuple(r.number for r in rules)
            found.append(
                Jobnet(
                    name=name,
                    comment=draw(texts),
                    after=after,
                    recovery=recovery,
                    hold=draw(st.booleans()),
                    priority=draw(priorities),
                    required_time=draw(required_times),
                    rules=rules,
                    units=draw(units(below, depth - 1)),
                    **draw(dates(found)),
                )
            )
        else:
            found.append(draw(jobs(name, after, recovery)))
    return tuple(draw(st.permutations(found)))


@st.composite
def jobnets(draw, name=None, beside=()):
    rules = draw(schedules())
    hold = draw(st.booleans() | st.sampled_from(HoldIf))
    return Jobnet(
        name=draw(names) if name is None else name,
        comment=draw(texts),
        hold=hold is True,
        priority=draw(priorities),
        required_time=draw(required_times),
        hold_if=hold if isinstance(hold, HoldIf) else None,
        overlap=draw(st.sampled_from(Overlap)),
        logs_to_keep=draw(st.just(LOGS_TO_KEEP) | st.integers(1, 999)),
        **draw(dates(beside)),
        rules=rules,
        units=draw(units(tuple(r.number for r in rules), depth=2)),
    )


weekdays = st.integers(0, 6)
calendars = st.builds(
    CalendarSettings,
    dates=st.dictionaries(days, st.booleans(), max_size=12).map(lambda d: tuple(sorted(d.items()))),
    month_weekdays=st.dictionaries(
        st.tuples(st.integers(1994, 2099), st.integers(1, 12), weekdays), st.booleans(), max_size=4
    ).map(lambda d: tuple(sorted((*key, is_open) for key, is_open in d.items()))),
    weekdays=st.dictionaries(weekdays, st.booleans()).map(lambda d: tuple(sorted(d.items()))),
    base_day=st.none()
    | st.builds(BaseDate, st.integers(1, 31))
    | st.builds(BaseWeekday, weekdays, st.integers(1, 5)),
    month=st.none() | st.sampled_from(MonthClass),
    base_time=st.none() | st.integers(0, 719),
)


agent_names = st.sampled_from(["AGT2", "no", "22", "0x1f", "~", "売上", "groups", "x" * 255]) | (
    st.text(max_size=8).map(lambda text: unicodedata.normalize("NFC", text))
)
agent_names = agent_names.filter(lambda name: is_name(name, parse_agent_name)).filter(
    lambda name: name not in {*RELAYS, *DESTINATIONS}
)
public_keys = st.builds(
    lambda kind, seed, comment: " ".join([public_key(kind, seed), *comment.split()]),
    st.sampled_from(["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"]),
    st.integers(0, 255),
    st.just("") | lines,
)
key_lists = st.lists(public_keys, min_size=1, max_size=3, unique=True).map(tuple)
exact_names = lines.filter(lambda text: not set(text) & set("*?!"))
principals = st.lists(exact_names, min_size=1, max_size=3, unique=True).map(tuple)
trusts = (
    st.builds(Trust, host_keys=key_lists)
    | st.builds(Trust, host_ca=key_lists, principals=principals)
    | st.builds(Trust, host_keys=key_lists, host_ca=key_lists, principals=principals)
)
hosts = st.sampled_from(
    ["relay1.example.com", "10.0.0.1", "::1", "fe80::1", "2001:db8::7", "a", "22", "no"]
)
ports = st.integers(1, 65_535)
HOST = {
    "comment": texts,
    "host": hosts,
    "port": st.just(22) | ports,
    "user": st.sampled_from(["ajs", "root", "22", "yes", "a.b-c_d", "売上", "DOM\\ajs"]),
    "key": st.sampled_from(["", "~/.ssh/ajs", "/etc/ajs/key", "~ajs/key #1", "/a: b"]),
    "trust": trusts,
    "limit": st.just(5) | st.integers(1, 1000),
}


@st.composite
def all_agents(draw):
    """Agents with every name that jobs may refer to."""
    names = draw(st.lists(agent_names, unique=True, max_size=4))
    cut = draw(st.integers(0, len(names)))
    agents = [draw(st.builds(Agent, name=st.just(name), **HOST)) for name in ("AGT1", *names[:cut])]
    members = draw(st.lists(st.sampled_from([one.name for one in agents]), unique=True, min_size=1))
    group = AgentGroup(
        name="RELAYS",
        comment=draw(texts),
        members=tuple(Member(name, draw(st.integers(1, 16))) for name in members),
    )
    destinations = [
        draw(
            st.builds(
                Destination,
                name=st.just(name),
                agent_port=st.none() | ports,
                job_folder=st.just("") | lines,
                **HOST,
            )
        )
        for name in (*DESTINATIONS, *names[cut:])
    ]
    by_name = lambda one: one.name
    return Agents(
        tuple(sorted(agents, key=by_name)), (group,), tuple(sorted(destinations, key=by_name))
    )


def is_flexible(jobnet):
    return any(isinstance(unit, Job) and unit.destination for _, unit in jobnet.walk())


def scripts_of(jobnet):
    return {u.script for _, u in jobnet.walk() if isinstance(u, Job) and u.script}


@st.composite
def definitions(draw):
    groups: list[JobGroup] = []
    roots: list[RootDefinition] = []
    earlier: set[str] = set()
    for path in draw(
        st.lists(st.sampled_from(["/", "/g", "/g/売上", "/h"]), unique=True, min_size=1, max_size=3)
    ):
        described = draw(st.booleans())
        # "/g" and "/h" are job groups, so no root jobnet of the service has these names.
        for name in draw(
            st.lists(names.filter(lambda n: n not in {"g", "h", "売上"}), unique=True, max_size=2)
        ):
            full = f"{path.rstrip('/')}/{name}"
            was = draw(st.none() | names)
            old = (
                f"{path.rstrip('/')}/{was}"
                if was and draw(st.booleans())
                else f"/old/{was}"
                if was
                else ""
            )
            old = "" if old == full or old in earlier else old
            earlier.add(old)
            beside = [r.jobnet for r in roots if parent(r.path) == path]
            roots.append(RootDefinition(full, draw(jobnets(name, beside)), old))
        if described or not any(r.path.rpartition("/")[0] == path.rstrip("/") for r in roots):
            # There is a group below "/g", and "/" is the scheduler service.
            planning = st.booleans() if path in {"/g/売上", "/h"} else st.just(False)
            # An entry that only adds jobnets does not describe its group.
            group = JobGroup(
                path=path, comment=draw(st.none() | texts), planning=draw(st.none() | planning)
            )
            may_be_none = st.none() if group != JobGroup(path=path) else st.nothing()
            groups.append(replace(group, calendar=draw(may_be_none | calendars)))
    used = set().union(*(scripts_of(root.jobnet) for root in roots))
    flexible = any(is_flexible(root.jobnet) for root in roots)
    return Definitions(
        tuple(sorted(groups, key=lambda g: g.path)),
        tuple(sorted(roots, key=lambda r: r.path)),
        tuple(Script(sha, SCRIPT) for sha in used),
        draw(all_agents() if flexible else st.just(Agents()) | all_agents()),
    )
