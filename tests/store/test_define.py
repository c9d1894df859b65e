"""Putting definitions in: what is added, changed, renamed, removed, and what keeps its identity."""

from __future__ import annotations

import pytest

from ajs.calendar import CalendarSettings
from ajs.errors import Refused, WrongKind
from ajs.model import Job, JobGroup, Jobnet, RootDefinition
from ajs.store import log, sources, units
from ajs.store.define import Defined, apply_definitions
from tests.store import kit


def paths(store) -> dict[str, int]:
    with store.read() as tx:
        return dict(tx.rows("SELECT path, id FROM unit"))


def versions(store) -> dict[str, int]:
    with store.read() as tx:
        return dict(tx.rows("SELECT path, version FROM unit"))


def defined(store, *roots, **options) -> Defined:
    return kit.define(store, *roots, **options)[1]


def test_the_first_time_everything_is_added(store):
    found = defined(store, kit.root("/sales/daily", "a", "in/b"), groups=(JobGroup(path="/x"),))
    assert found.added == ("/sales", "/x", "/sales/daily")
    assert found.units_added == ("/sales/daily/a", "/sales/daily/in", "/sales/daily/in/b")
    assert found == Defined(added=found.added, units_added=found.units_added)
    assert list(versions(store).values()) == [1] * 7


def test_the_same_again_changes_nothing(store):
    given = (kit.root("/sales/daily", "a"), kit.root("/b"))
    groups = (JobGroup(path="/sales", calendar=CalendarSettings(base_time=60)),)
    defined(store, *given, groups=groups)
    before = kit.state(store)
    operation, found = kit.define(store, *given, groups=groups)
    assert found == Defined(unchanged=3)
    assert kit.state(store) == before
    with store.read() as tx:
        assert log.images(tx, operation) == []


def test_what_is_absent_stays(store):
    defined(store, kit.root("/a"), kit.root("/b"), groups=(JobGroup(path="/g"),))
    before = paths(store)
    assert defined(store, kit.root("/b")) == Defined(unchanged=1)
    assert paths(store) == before


def test_inside_a_root_the_new_definition_decides_and_units_keep_their_ids(store):
    defined(store, kit.root("/r", "a", "b", "in/c"))
    before = paths(store)
    top = kit.unit_id(store, "/r")
    found = defined(store, kit.root("/r", "b", "in/d", "in/c"))
    assert found.changed == ("/r",)
    assert found.roots == (top,)
    assert found.units_added == ("/r/in/d",)
    assert found.units_removed == ("/r/a",)
    after = paths(store)
    assert {path: number for path, number in after.items() if path in before} == {
        path: number for path, number in before.items() if path != "/r/a"
    }
    with store.read() as tx:
        names = [unit.name for unit in units.children(tx, units.find(tx, "/r")[0])]
        inner = [unit.name for unit in units.children(tx, units.find(tx, "/r/in")[0])]
        key = units.find(tx, "/r")[0].definition
        assert sources.definition(tx, key or "") == kit.jobnet("r", "b", "in/d", "in/c")
    assert (names, inner) == (["b", "in"], ["d", "c"])


def test_a_removed_unit_s_id_is_not_given_again(store):
    defined(store, kit.root("/r", "a"))
    gone = paths(store)["/r/a"]
    defined(store, kit.root("/r"))
    defined(store, kit.root("/r", "a"))
    assert paths(store)["/r/a"] > gone


def test_a_change_that_no_unit_row_shows_is_a_change_of_the_root(store):
    defined(store, RootDefinition("/r", Jobnet(name="r", units=(Job(name="a", command="true"),))))
    found = defined(
        store, RootDefinition("/r", Jobnet(name="r", units=(Job(name="a", command="x"),)))
    )
    assert found.changed == ("/r",)
    assert versions(store) == {"/": 1, "/r": 2, "/r/a": 1}


def test_a_job_becomes_a_nested_jobnet(store):
    defined(store, kit.root("/r", "a"))
    before = paths(store)["/r/a"]
    defined(store, kit.root("/r", "a/b"))
    assert paths(store)["/r/a"] == before
    with store.read() as tx:
        assert units.find(tx, "/r/a")[0].kind == "jobnet"


def test_comments_and_calendars_of_groups(store):
    defined(store, kit.root("/g/r"))
    calendar = CalendarSettings(base_time=60)
    found = defined(store, groups=(JobGroup(path="/g", comment="ours", calendar=calendar),))
    assert (found.changed, found.calendars) == (("/g",), ("/g",))
    found = defined(store, groups=(JobGroup(path="/g", comment="theirs", calendar=calendar),))
    assert (found.changed, found.calendars) == (("/g",), ())
    found = defined(store, groups=(JobGroup(path="/", calendar=calendar),))
    assert (found.changed, found.calendars) == (("/",), ("/",))


CALENDAR = CalendarSettings(base_time=60)
# What is given of a group that has a comment and a calendar and is a planning group -> what it has then.
GIVEN = [
    (JobGroup(path="/g"), ("ours", CALENDAR, True)),
    (JobGroup(path="/g", comment="theirs"), ("theirs", CALENDAR, True)),
    (JobGroup(path="/g", comment=""), ("", CALENDAR, True)),
    (JobGroup(path="/g", planning=False), ("ours", CALENDAR, False)),
    (JobGroup(path="/g", calendar=CalendarSettings()), ("ours", CalendarSettings(), True)),
    (
        JobGroup(path="/g", calendar=CalendarSettings(base_time=0)),
        ("ours", CalendarSettings(base_time=0), True),
    ),
]


@pytest.mark.parametrize(("given", "then"), GIVEN)
def test_what_is_not_given_of_a_group_stays_as_it_is(store, given, then):
    before = ("ours", CALENDAR, True)
    group = JobGroup(path="/g", comment="ours", calendar=CALENDAR, planning=True)
    defined(store, kit.root("/g/r"), groups=(group,))
    found = defined(store, groups=(given,))
    assert found.changed == (("/g",) if then != before else ())
    assert found.calendars == (("/g",) if then[1:] != before[1:] else ())
    with store.read() as tx:
        comment = units.find(tx, "/g")[0].comment
        assert (comment, sources.calendars(tx)["/g"], "/g" in sources.planning_groups(tx)) == then


# -- renaming --


def test_a_renamed_root_keeps_its_id_and_its_units_theirs(store):
    defined(store, kit.root("/g/old", "a", "in/b"))
    before = paths(store)
    found = defined(store, kit.root("/g/new", "a", "in/b", was="/g/old"))
    assert found.renamed == (("/g/old", "/g/new"),)
    assert (found.added, found.units_added, found.units_removed) == ((), (), ())
    assert found.roots == (before["/g/old"],)
    assert paths(store) == {path.replace("old", "new"): n for path, n in before.items()}


def test_a_root_moves_to_another_group(store):
    defined(store, kit.root("/g/r", "a"))
    before = paths(store)["/g/r"]
    found = defined(store, kit.root("/h/i/r", "a", was="/g/r"))
    assert found.renamed == (("/g/r", "/h/i/r"),)
    assert found.changed == ()
    assert paths(store)["/h/i/r"] == before
    with store.read() as tx:
        upper = units.find(tx, "/h/i")[0]
        assert [unit.path for unit in units.children(tx, upper)] == ["/h/i/r"]


def test_a_renaming_that_has_happened_happens_no_more(store):
    defined(store, kit.root("/old", "a"))
    defined(store, kit.root("/new", "a", was="/old"))
    assert defined(store, kit.root("/new", "a", was="/old")) == Defined(unchanged=1)


def test_a_renaming_of_what_was_never_stored_adds(store):
    assert defined(store, kit.root("/new", was="/old")).added == ("/new",)


def test_a_chain_of_renamings_and_again(store):
    defined(store, kit.root("/a", "x"), kit.root("/b", "y"))
    before = paths(store)
    given = (kit.root("/b", "x", was="/a"), kit.root("/c", "y", was="/b"))
    found = defined(store, *given)
    assert sorted(found.renamed) == [("/a", "/b"), ("/b", "/c")]
    after = paths(store)
    assert (after["/b"], after["/c"]) == (before["/a"], before["/b"])
    assert (after["/b/x"], after["/c/y"]) == (before["/a/x"], before["/b/y"])
    assert defined(store, *given) == Defined(unchanged=2)
    assert paths(store) == after


def test_a_new_root_takes_the_old_name(store):
    defined(store, kit.root("/a", "x"))
    before = paths(store)["/a"]
    given = (kit.root("/a", "z"), kit.root("/b", "x", was="/a"))
    found = defined(store, *given)
    assert found.renamed == (("/a", "/b"),)
    assert found.added == ("/a",)
    assert paths(store)["/b"] == before
    assert paths(store)["/a"] > before
    assert defined(store, *given) == Defined(unchanged=2)


REFUSED = [
    # stored, given, error, said
    (["/a", "/b"], [("/b", "/a")], Refused, "/b was /a, but both are stored"),
    (["/a", "/b"], [("/a", "/b"), ("/b", "/a")], Refused, "in a circle"),
    (["/a", "/b", "/c"], [("/a", "/b"), ("/b", "/c"), ("/c", "/a")], Refused, "in a circle"),
    (["/a"], [("/b", "/a"), ("/c", "/a")], Refused, "/b and /c both say that they were /a"),
    (["/g/r"], [("/g", "")], WrongKind, "/g is stored as a job group"),
    (["/g/r"], [("/h", "/g")], WrongKind, "/g is stored as a job group"),
    (["/g"], [("/g/r", "")], WrongKind, "/g is stored as a root jobnet"),
    (["/g"], [("/g/h/r", "")], WrongKind, "/g is stored as a root jobnet"),
]


@pytest.mark.parametrize(("stored", "given", "kind", "said"), REFUSED)
def test_what_cannot_be_meant_is_refused_and_changes_nothing(store, stored, given, kind, said):
    defined(store, *[kit.root(path, "x") for path in stored])
    before = kit.state(store)
    with pytest.raises(kind) as caught:
        defined(store, *[kit.root(path, "x", was=was) for path, was in given])
    assert said in caught.value.message
    assert caught.value.hint
    assert kit.state(store) == before


def test_a_group_where_a_root_is(store):
    defined(store, kit.root("/a"))
    with pytest.raises(WrongKind, match="/a is stored as a root jobnet"):
        defined(store, groups=(JobGroup(path="/a"),))


def test_history_follows_a_renaming(store):
    defined(store, kit.root("/old", "a"))
    kit.register(store, "/old", "2026-08-11T22:00:00")
    defined(store, kit.root("/new", "a", was="/old"))
    plan = kit.load(store, "/new")
    assert plan is not None
    assert len(plan.generations) == 1
    with store.read() as tx:
        verbs = [e.verb for e in log.history(tx, units=[units.find(tx, "/new")[0].id])]
    assert verbs == ["define", "entry", "define"]


def test_undefined_groups_are_made_without_settings(store):
    with store.write() as tx:
        apply_definitions(tx, [], [kit.root("/a/b/c")], [], kit.begin(tx, "define"))
        assert sources.calendars(tx)["/a/b"] == CalendarSettings()
