"""``ajs why`` for nested jobnets on days without a run of their root, and before anything is registered."""

from __future__ import annotations

import json

import jsonschema

from ajs.render.schemas import SCHEMAS


def test_on_a_day_without_a_run_of_the_root_the_reasons_are_said_to_be_the_root_s(home):
    home.ajs("ajsentry /g/daily")
    out = home.ajs("ajs why /g/daily/report 2026-08-15")
    assert "/g/daily/report does not run on 2026-08-15 (Sat)" in out
    assert "Rules of the root jobnet /g/daily for 2026-08-15 (Sat)" in out
    assert "/g/daily/report runs only within a run of its root jobnet" in out
    assert "Rules for 2026-08-15 (Sat)" in home.ajs("ajs why /g/daily 2026-08-15")


def test_before_the_registration_the_nested_jobnet_has_its_chain_too(home):
    out = home.ajs("ajs why /g/daily/report/print 2026-08-11")
    assert "/g/daily/report/print in the run of 2026-08-11 22:00, were it registered" in out
    assert "2026-08-11 23:00" in out.partition("were it registered")[2]
    found = json.loads(home.ajs("ajs why --format json /g/daily/report 2026-08-11"))
    jsonschema.validate(found, SCHEMAS["why"])
    (run,) = found["if_registered"]
    assert (run["start"], run["nested"][-1]["code"]) == ("2026-08-11T22:00:00", "NESTED_RUNS")


def test_the_root_itself_and_days_without_a_run_have_no_such_chain(home):
    assert "were it registered" not in home.ajs("ajs why /g/daily 2026-08-11")
    assert "were it registered" not in home.ajs("ajs why /g/daily/report 2026-08-15")
