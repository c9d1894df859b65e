"""Fixed registration through commands: what ``ajs undo`` takes back, planning groups, and what a start leaves out."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from ajs.model import JobGroup
from ajs.operations.cold_start import cold_start
from ajs.operations.service import open_service
from ajs.render.manager import cold_text
from ajs.store import log, plans, units
from ajs.store.define import apply_definitions


def schedule(home, path: str = "/g/daily") -> list[str]:
    shown = home.ajs(f"ajsshow --schedule --days 6 {path}").splitlines()
    return [line for line in shown if line.startswith(path)]


def registered(home, path: str = "/g/daily"):
    with (
        open_service(home=str(home.folder), name=None, clock_of=lambda _: home.clock) as service,
        service.store.read() as tx,
    ):
        unit = units.by_path(tx, path)
        assert unit is not None
        return plans.load_plan(tx, unit.id)


@pytest.mark.parametrize(
    "lines",
    [
        ["ajsentry -b 11 -e 13 /g/daily"],
        ["ajsentry -g 3 -o /g/daily"],
        ["ajsentry -d 13 -t 25:30 -h /g/daily"],
        ["ajsentry -b 11 -e 13 /g/daily", "ajsentry -g 1 /g/daily"],
        ["ajsentry -b 11 -e 13 /g/daily", "ajsentry -n /g/daily"],
        ["ajsentry -b 11 -e 13 /g/daily", "ajsleave -v 12 -w 12 /g/daily"],
        ["ajsentry -g 2 /g/daily", "ajsleave -B 20260810001 /g/daily"],
        ["ajsentry -g 2 /g/daily", "ajsleave -B schedule /g/daily"],
    ],
)
def test_an_undo_brings_back_what_was(home, lines):
    for line in lines[:-1]:
        home.ajs(line)
    before = schedule(home)
    home.ajs(lines[-1])
    assert schedule(home) != before
    home.ajs(f"ajs undo {len(lines) + 1}")
    assert schedule(home) == before


def test_what_was_frozen_is_stored_and_counts_after_a_renaming_too(home):
    home.ajs("ajsentry -g 1 /g/daily")
    plan = registered(home)
    assert plan.registration.frozen.path == "/g/daily"
    before = schedule(home)
    text = (home.folder / "g.yaml").read_text()
    home.file("g.yaml", text.replace("22:00", "20:00").replace("[sat, sun]", "[mon, tue, wed]"))
    home.ajs("ajsdefine g.yaml")
    assert schedule(home) == before
    home.run("2026-08-10T23:30")
    assert schedule(home)[0].split()[1:] == ["@A2", "2026-08-11", "Tue", "22:00"]


def test_a_fixed_registration_keeps_its_exclusive_jobnets_as_they_were(home):
    text = (home.folder / "g.yaml").read_text()
    text = text.replace("  daily:\n", "  daily:\n    exclusive: weekly\n")
    text = text.replace("  weekly:\n", "  weekly:\n    exclusive: never\n")
    home.file("g.yaml", text)
    home.ajs("ajsdefine g.yaml")
    home.ajs("ajsentry -g 1 /g/daily")
    before = schedule(home)
    assert [line.split()[3] for line in before] == ["Mon", "Tue", "Wed", "Thu"]  # and no Friday
    home.file(
        "g.yaml",
        text.replace("start_day: fri", "start_day: wed").replace("undefined", "[{cycle: 1 day}]"),
    )
    home.ajs("ajsdefine g.yaml")
    assert schedule(home) == before


def test_the_schedule_of_a_fixed_jobnet_is_that_of_its_registration(home):
    home.ajs("ajsentry -g 1 /g/daily")
    asked = "ajsschedule -b 2026/08/10 -e 2026/08/14 /g/daily"
    before = home.ajs(asked)
    text = (home.folder / "g.yaml").read_text()
    home.file("g.yaml", text.replace("22:00", "20:00").replace("[sat, sun]", "[mon, tue, wed]"))
    home.ajs("ajsdefine g.yaml")
    assert home.ajs(asked) == before
    home.ajs("ajsleave /g/daily")
    assert home.ajs(asked) != before


def test_a_planning_group_takes_fixed_registration_only(home):
    with (
        open_service(home=str(home.folder), name=None, clock_of=lambda _: home.clock) as service,
        service.store.write() as tx,
    ):
        operation = log.begin(
            tx, service.clock.now(), os_user="hanako", verb="define", command=["ajsdefine"]
        )
        apply_definitions(tx, [JobGroup(path="/g", planning=True)], [], [], operation)
    for line in ("ajsentry /g/daily", "ajsentry -n /g/daily"):
        assert "the planning group /g" in home.ajs(line)
    assert "/g  planning group no -> yes" in home.ajs("ajs history 2")
    assert "registered for fixed" in home.ajs("ajsentry -g 1 /g/daily")


def test_one_run_of_several_missed_planned_ones_starts_and_the_others_are_missed(home):
    home.ajs("ajsentry /g/daily")
    home.clock.jump_to_wall(home.clock.now().wall.replace(day=13, hour=9))
    home.run("2026-08-13T10:30:00")
    assert "the run of 2026-08-12 22:00: missed" in home.ajs("ajs why /g/daily 2026-08-12")
    assert schedule(home)[0].split()[1:3] == ["@A2", "2026-08-13"]


def test_started_without_what_was_missed_none_of_it_starts(home):
    home.ajs("ajsentry /g/daily")
    home.ajs("ajsentry -n /g/never")
    home.clock.jump_to_wall(home.clock.now().wall.replace(day=13, hour=9))
    home.run("2026-08-13T10:30:00 overdue=skip")
    assert "@A1" in home.ajs("ajsshow -g a /g/daily")
    assert "Skipped so not exe." in home.ajs("ajsshow -g a /g/daily")
    assert "Ended normally" in home.ajs("ajsshow -g a /g/never")
    assert [line.split()[2] for line in schedule(home)][:2] == ["2026-08-13", "2026-08-14"]


def test_a_held_start_is_not_missed(home):
    home.ajs("ajsentry -h /g/daily")
    home.run("2026-08-10T22:30:00")
    home.run("2026-08-11T09:00:00 overdue=skip")
    assert "Being held" in home.ajs("ajsshow -g a /g/daily")


@pytest.mark.parametrize("registering", ["ajsentry -h", "ajsentry -h -g 1"])
def test_a_held_start_stays_when_nothing_of_today_starts(home, registering):
    home.ajs(f"{registering} /g/daily")
    home.run("2026-08-10T22:30:00")
    home.run("2026-08-10T23:00:00 overdue=nothing_today")
    assert "Being held" in home.ajs("ajsshow -g a /g/daily")


def test_today_of_a_fixed_registration_is_the_one_it_was_computed_with(home):
    # With a base time of 8:00 it is still the 10th at 5:00 of the 11th; the run at 22:00 is one of tomorrow.
    text = (home.folder / "g.yaml").read_text()
    early = text.replace("[sat, sun]}", "[sat, sun], base_time: '8:00'}")
    home.ajs(["ajsdefine", home.file("g.yaml", early)])
    home.ajs("ajsentry -b 11 -e 11 /g/daily")
    home.ajs(["ajsdefine", home.file("g.yaml", text)])
    home.clock.jump_to_wall(home.clock.now().wall.replace(day=11, hour=5))
    home.run("2026-08-11T23:30:00 overdue=nothing_today")
    assert "Ended normally" in home.ajs("ajsshow -g a /g/daily")


def test_a_deleted_result_cannot_be_brought_back(home):
    home.ajs("ajsentry -n /g/never")
    home.run("2026-08-10T13:00:00")
    assert home.ajs("ajsleave -B result /g/never") == "/g/never: 1 result is deleted"
    assert home.ajs("ajs history 3").endswith("\n\n1 result was deleted")
    assert "the results that it deleted are gone" in home.ajs("ajs undo 3")
    assert "nothing to cancel" in home.ajs("ajsleave -B result /g/never")


def left_over(home) -> list[str]:
    """The numbers of the attempts whose output has still to be removed."""
    with sqlite3.connect(home.folder / "state/s/ajs.db") as db:
        return [name.rpartition("-")[2] for (name,) in db.execute("SELECT attempt FROM leftover")]


def with_results(home) -> None:
    """Two runs of /g/never have ended; of the second one its place does not know yet that its result is stored."""
    for until in ("13:00", "14:00"):
        home.ajs("ajsentry -n /g/never")
        home.run(f"2026-08-10T{until}:00")
    with sqlite3.connect(home.folder / "state/s/ajs.db") as db:
        db.execute("UPDATE attempt SET state = 'STORED', place = 'local' WHERE generation = 2")


def test_output_of_deleted_results_is_left_over_and_one_line_stays_of_each(home):
    with_results(home)
    assert home.ajs("ajsleave --dry-run -B result /g/never").startswith("/g/never: 1 result")
    assert left_over(home) == []
    assert home.ajs("ajsleave -B result /g/never") == "/g/never: 1 result is deleted"
    assert left_over(home) == ["1"]
    assert "no longer kept (results deleted by hanako)" in home.ajs("ajs why /g/never:@A1")
    assert "Ended normally" in home.ajs("ajsshow /g/never:@A2")
    home.run("2026-08-10T14:01:00")
    assert left_over(home) == []


def test_a_cold_start_deletes_the_same_way(home):
    with_results(home)
    with open_service(home=str(home.folder), name=None, clock_of=lambda _: home.clock) as service:
        cold = cold_start(service, command=["ajsstart", "-c"])
    assert (cold.results, cold.staying) == (1, 1)
    assert "1 result stays until its agent knows that the manager has it" in cold_text(cold)
    assert left_over(home) == ["1"]
    deleted = "no longer kept (results deleted by a cold start of hanako)"
    assert deleted in home.ajs("ajs why /g/never:@A1")
    assert "Ended normally" in home.ajs("ajsshow /g/never:@A2")


def ajs(home, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a process of its own, with the system's clock."""
    environment = {**os.environ, "AJS_HOME": str(home.folder)}
    return subprocess.run(
        [Path(sys.executable).with_name("ajs"), *words],
        cwd=home.folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_cold_start_of_a_real_manager_cancels_all_and_says_what(home):
    assert ajs(home, "entry", "-n", "/g/never").returncode == 0
    assert ajs(home, "start", "--until-idle", "--quiet").returncode == 0
    assert ajs(home, "entry", "-g", "2", "/g/daily").returncode == 0
    cold = ajs(home, "start", "-c", "--until-idle", "--reason", "moved here")
    assert cold.returncode == 0
    said = "cold start: 2 registrations cancelled, 2 coming runs and 1 result gone"
    assert said in cold.stderr
    assert schedule(home) == ["/g/daily is not registered"]
    assert "moved here" in home.ajs("ajs history")
    assert "are gone" in home.ajs("ajs undo 4")


@pytest.mark.parametrize(
    "lines",
    [
        ["ajsentry -g 1 /g/daily", "ajsentry -d 2026/08/11 -t 22:00 /g/daily"],
        ["ajsentry -d 2026/08/11 -t 22:00 /g/daily", "ajsentry -g 1 /g/daily"],
        ["ajsentry -g 1 /g/daily", "ajsentry -p told /g/daily"],
    ],
)
def test_a_run_registered_at_the_time_of_a_dummy_is_that_run(home, lines):
    home.file("told", "/g/daily 202608112200 -\n")
    for line in lines:
        assert "registered for fixed" in home.ajs(line)
    comes = [" ".join(line.split()[1:5]) for line in schedule(home)]
    number = comes[1].split()[0]
    assert comes[1:3] == [f"{number} 2026-08-11 Tue 22:00", "dummy 2026-08-12 Wed 22:00"]
    home.run("2026-08-10T22:30")
    assert [line.split()[2] for line in schedule(home)].count("2026-08-11") == 1
    # Prohibited, it does not come after all as the dummy that it stands for.
    home.ajs(f"ajsplan -p /g/daily:{number}")
    assert "dummy 2026-08-11" not in " ".join(" ".join(schedule(home)).split())


@pytest.mark.parametrize(
    "lines",
    [
        ["ajsentry -b 10 -e 12 /g/daily", "ajsleave -v 10 -w 10 /g/daily"],
        ["ajsentry /g/daily", "ajsplan -d 12 -t 10:00 --move /g/daily"],
        ["ajsentry /g/daily", "ajsleave /g/daily"],
        ["ajsentry /g/daily", "ajsplan -p /g/daily"],
    ],
)
def test_an_undo_brings_no_run_of_an_earlier_day_back(home, lines):
    for line in lines:
        home.ajs(line)
    home.run("2026-08-10T22:30")
    assert "/g/daily:@A1 starts at once" in home.ajs("ajs undo 3 --dry-run")
    home.run("2026-08-11T12:00")
    before = schedule(home)
    assert "would start at once: 2026-08-10 22:00 lies before today" in home.ajs("ajs undo 3")
    assert schedule(home) == before


def test_nothing_is_moved_out_of_the_years_that_can_be_planned(home):
    home.ajs("ajsentry -d 2099/12/31 -t 22:00 /g/daily")
    for line in ("-d 2099/12/31 -t 47:59", "-c 120", "-b 1"):
        assert "AJS0403" in home.ajs(f"ajsplan {line} /g/daily")
    assert "23:59" in home.ajs("ajsplan -t 23:59 /g/daily")


def test_why_says_how_a_run_without_rules_came_to_be(home):
    home.file("told", "/g/weekly 202608112200 -\n")
    home.ajs("ajsentry -p told /g/weekly")
    assert "from a schedule information file uses" in home.ajs("ajs why /g/weekly 2026-08-11")
    assert "or from a schedule information file: they" in home.ajs("ajs why /g/weekly 2026-08-12")
    home.ajs("ajsentry -n /g/weekly")
    assert "an immediate run uses no rules" in home.ajs("ajs why /g/weekly 2026-08-10")
    home.ajs("ajsentry -d 12 -t 10:00 /g/weekly")
    assert "for a date and time uses no rules" in home.ajs("ajs why /g/weekly 2026-08-12")


def test_why_tells_of_a_dummy_that_no_run_makes_real(home):
    home.ajs("ajsentry -g 1 /g/daily")
    home.ajs("ajsplan -p /g/daily")
    assert "ajs undo takes the ajsplan -p back" in home.ajs("ajsplan -u /g/daily")
    home.run("2026-08-12T12:00")
    found = home.ajs("ajs why /g/daily 2026-08-11")
    assert "no run waits whose start would have made it more than a dummy" in found


def test_a_prohibited_nested_jobnet_does_not_run(home):
    home.ajs("ajsentry /g/daily")
    home.ajs("ajsplan -p /g/daily/report")
    found = home.ajs("ajs why /g/daily/report")
    assert found.startswith("/g/daily/report: does not run: prohibited by hanako (operation 3), in")
    assert "so its start time" not in found
    home.ajs("ajs undo 3")
    assert "not started, in the run of the root @A1" in home.ajs("ajs why /g/daily/report")


def test_why_tells_of_each_run_of_a_day_that_goes_by_behind_one_that_waits(home):
    rules = ", ".join(
        f"{{start_day: registered, start_time: '{hour}:00', cycle: 1 day}}" for hour in range(8, 13)
    )
    home.file(
        "h.yaml",
        f"group: /h\njobnets: {{x: {{overlap: multi, schedule: [{rules}], units: {{a: {{command: 'true'}}}}}}}}\n",
    )
    home.ajs("ajsdefine h.yaml")
    home.run("2026-08-10T21:00")
    home.ajs("ajsentry -f /h/x")
    home.run("2026-08-11T12:30 a=900m")
    found = home.ajs("ajs why /h/x 2026-08-11")
    assert "the run of 2026-08-11 10:00, and so of 2 more up to 12:00: its time went by" in found
