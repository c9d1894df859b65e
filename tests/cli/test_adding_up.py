"""Fixed registrations that add up: what was prohibited stays so, and what was missed counts alike for all of them."""

from __future__ import annotations

import pytest

from ajs.registering import MOST_RUNS


def waiting(home) -> list[str]:
    shown = home.ajs("ajsshow --schedule --days 6 /g/daily").splitlines()
    return [
        " ".join(line.split()[2:3])
        for line in shown
        if line.startswith("/g/daily ") and "@" in line and "prohibited" not in line
    ]


SAID = (
    "is prohibited, and stays so: ajs undo takes the prohibition back, or ajsleave -B 20260811001"
)


@pytest.mark.parametrize("again", ["-b 10 -e 12", "-d 11 -t 22:00", "-p one.txt"])
def test_a_registration_does_not_revive_a_prohibited_run(home, again):
    home.file("one.txt", "/g/daily 202608112200\n")
    home.ajs("ajsentry -b 10 -e 12 /g/daily")
    home.ajs("ajsplan -p /g/daily:@A2")
    assert waiting(home) == ["2026-08-10", "2026-08-12"]
    said = home.ajs(f"ajsentry {again} /g/daily")
    assert f"/g/daily:@A2 on 2026-08-11 22:00 {SAID}" in said
    assert waiting(home) == ["2026-08-10", "2026-08-12"]


def test_a_number_of_runs_is_filled_up_behind_a_prohibited_one(home):
    home.ajs("ajsentry -g 2 /g/daily")
    home.ajs("ajsplan -p /g/daily:@A2")
    assert SAID in home.ajs("ajsentry -g 2 /g/daily")
    assert waiting(home) == ["2026-08-10", "2026-08-12"]


@pytest.mark.parametrize("way", ["ajs undo 3", "ajsleave -B 20260811001 /g/daily"])
def test_it_comes_back_as_the_note_says(home, way):
    home.ajs("ajsentry -b 10 -e 12 /g/daily")
    home.ajs("ajsplan -p /g/daily:@A2")
    home.ajs(way)
    home.ajs("ajsentry -b 10 -e 12 /g/daily")
    assert waiting(home) == ["2026-08-10", "2026-08-11", "2026-08-12"]


def test_taking_back_a_planned_prohibition_takes_no_other_run_away(home):
    home.ajs("ajsentry -n -h /g/daily")
    home.ajs("ajsentry /g/daily")
    before = waiting(home)
    home.ajs("ajsplan -p /g/daily:@A2")
    home.ajs("ajsplan -u /g/daily:@A2")
    assert waiting(home) == before


@pytest.mark.parametrize(("first", "then"), [("", "-o "), ("-o ", "")])
def test_what_becomes_of_missed_starts_is_said_alike_for_all(home, first, then):
    home.ajs(f"ajsentry {first}-b 10 -e 11 /g/daily")
    said = home.ajs(f"ajsentry {then}-b 12 -e 12 /g/daily")
    assert f"registered {'with' if first else 'without'} -o" in said
    assert waiting(home) == ["2026-08-10", "2026-08-11"]
    assert "registered for fixed" in home.ajs(f"ajsentry {first}-b 12 -e 12 /g/daily")


def test_a_later_registration_does_not_let_an_earlier_missed_run_start(home):
    home.ajs("ajsentry -o -b 10 -e 10 /g/daily")
    home.clock.jump_to_wall(home.clock.now().wall.replace(day=11, hour=9))
    home.ajs("ajsentry -o -b 12 -e 12 /g/daily")
    home.run("2026-08-11T10:00:00")
    assert "Skipped so not exe." in home.ajs("ajsshow -g a /g/daily")


def test_a_file_has_a_most_of_runs_and_tells_each_once(home):
    lines = [f"/g/daily 20260811{n // 60 % 48:02}{n % 60:02}" for n in range(2)]
    home.file("twice.txt", "\n".join([*lines, lines[0]]))
    assert "2 runs" in home.ajs("ajsentry -p twice.txt /g/daily")
    many = [
        f"/g/never 2026{month:02}{day:02}{n // 60:02}{n % 60:02}"
        for month in (9, 10)
        for day in (11, 12, 13)
        for n in range(2880)
    ]
    home.file("many.txt", "\n".join(many))
    assert f"more than {MOST_RUNS} runs" in home.ajs("ajsentry -p many.txt /g/never")
