"""Stories of the oracle that ask for the runs of a period (``ajsschedule``), written out by hand.

Each row: story, service and calendar, rules, the moment that counts as the registration, period, runs. A run is its
start with its execution date, and the rule that gives it its attributes.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import takewhile

import pytest

from ajs.calendar import Calendar, MonthClass
from ajs.model import Jobnet
from ajs.schedule import DayMode, Timetable
from tests.notation import calendar, clock, day, rule, settings

PLAIN = calendar()
WEEKENDS = calendar("sa su")
YEAR_END = calendar("sa su 2027/12/29 2027/12/30 2027/12/31 2028/01/01 2028/01/02 2028/01/03")
AUGUST_SATURDAYS = Calendar.effective([("/g", settings("+2025/08/sa")), ("/", settings("sa su"))])
HOLIDAY_ABOVE = Calendar.effective(
    [("/g", settings("sa su +mo +tu +we +th +fr")), ("/", settings("2025/08/13"))]
)
BASE_EACH_NEAREST = Calendar.effective(
    [
        ("/g/h", settings(base_time="8:00")),
        ("/g", settings(base_day="21", month=MonthClass.THIS)),
        ("/", settings(base_day="10", month=MonthClass.THIS, base_time="6:00")),
    ]
)
H24, H48 = DayMode.H24, DayMode.H48

STORIES = [
    (
        "ov-time-01-24h-25oclock",
        (H24, PLAIN),
        "sd=2025/08/01 st=25:00",
        ("2025/07/31 00:00", "2025/07/31 2025/08/03"),
        "2025/08/02 01:00 = 2025/08/02 by 1",
    ),
    (
        "ov-time-03-24h-calendar-of-rule-day-closed",
        (H24, calendar("+2025/08/02 2025/08/01")),
        "sd=2025/08/01 st=25:00 sh=ca",
        ("2025/07/31 00:00", "2025/07/31 2025/08/03"),
        "",
    ),
    (
        "ov-time-07-48h-4759-edge",
        (H48, PLAIN),
        "sd=2025/08/01 st=47:59",
        ("2025/07/31 00:00", "2025/07/31 2025/08/03"),
        "2025/08/02 23:59 = 2025/08/01 by 1",
    ),
    (
        "base-09-base-day-26-this-month",
        (H24, calendar(base_day="26", month=MonthClass.THIS)),
        "n=1 sd=2025/08/+01; n=2 sd=2025/08/+b",
        ("2025/08/01 00:00", "2025/08/01 2025/10/31"),
        "2025/08/26 00:00 = 2025/08/26 by 1; 2025/09/25 00:00 = 2025/09/25 by 2",
    ),
    (
        "base-10-base-day-26-next-month",
        (H24, calendar(base_day="26", month=MonthClass.NEXT)),
        "n=1 sd=2025/09/+01; n=2 sd=2025/09/+b",
        ("2025/08/01 00:00", "2025/08/01 2025/10/31"),
        "2025/08/26 00:00 = 2025/08/26 by 1; 2025/09/25 00:00 = 2025/09/25 by 2",
    ),
    (
        "base-16-open-day-1",
        (H24, calendar("sa su", base_day="21")),
        "sd=2025/09/*01",
        ("2025/08/01 00:00", "2025/08/01 2025/10/31"),
        "2025/09/22 00:00 = 2025/09/22 by 1",
    ),
    (
        "multi-01-mon-9-fri-17",
        (H24, PLAIN),
        "n=1 sd=2025/08/mo:1 cy=1,w st=09:00; n=2 sd=2025/08/fr:1 cy=1,w st=17:00",
        ("2025/08/01 00:00", "2025/08/11 2025/08/24"),
        (
            "2025/08/11 09:00 = 2025/08/11 by 1; 2025/08/15 17:00 = 2025/08/15 by 2; "
            "2025/08/18 09:00 = 2025/08/18 by 1; 2025/08/22 17:00 = 2025/08/22 by 2"
        ),
    ),
    (
        "multi-04-tie-by-rule-number",
        (H24, PLAIN),
        "n=5 sd=2025/08/15 st=09:00; n=3 sd=2025/08/15 st=09:00",
        ("2025/08/01 00:00", "2025/08/01 2025/08/31"),
        "2025/08/15 09:00 = 2025/08/15 by 3",
    ),
    (
        "cftd-03-15th-monday",
        (H24, WEEKENDS),
        "sd=15 sh=be cftd=be,2,10 cy=1,m shd=2",
        ("2025/09/01 00:00", "2025/09/01 2025/09/30"),
        "2025/09/11 00:00 = 2025/09/11 by 1",
    ),
    (
        "cftd-12-crosses-month",
        (H24, WEEKENDS),
        "sd=2025/08/01 sh=af cftd=be,1,10",
        ("2025/07/01 00:00", "2025/07/01 2025/08/31"),
        "2025/07/31 00:00 = 2025/07/31 by 1",
    ),
    (
        "sub-06-friday-holiday-three-days-default-2",
        (H24, calendar("sa su 2025/02/14")),
        "sd=2025/02/14 sh=af shd=2",
        ("2025/02/01 00:00", "2025/02/01 2025/02/28"),
        "",
    ),
    (
        "sub-07-friday-holiday-shd-3",
        (H24, calendar("sa su 2025/02/14")),
        "sd=2025/02/14 sh=af shd=3",
        ("2025/02/01 00:00", "2025/02/01 2025/02/28"),
        "2025/02/17 00:00 = 2025/02/17 by 1",
    ),
    (
        "cyc-12-shift-does-not-move-the-cycle",
        (H24, WEEKENDS),
        "sd=2025/08/14 cy=2,d sh=af shd=2",
        ("2025/08/11 00:00", "2025/08/11 2025/08/20"),
        (
            "2025/08/14 00:00 = 2025/08/14 by 1; 2025/08/18 00:00 = 2025/08/18 by 1; "
            "2025/08/20 00:00 = 2025/08/20 by 1"
        ),
    ),
    (
        "reg-10-period-edges-with-base-time",
        (H24, calendar(base_time="9:00")),
        "sd=2025/08/10 cy=1,d st=+23:00",
        ("2025/08/09 12:00", "2025/08/11 2025/08/12"),
        "2025/08/12 08:00 = 2025/08/11 by 1; 2025/08/13 08:00 = 2025/08/12 by 1",
    ),
    (
        "r02-upper-date-beats-own-weekday",
        (H24, HOLIDAY_ABOVE),
        "sd=2025/08/11 cy=1,d sh=ca",
        ("2025/08/10 12:00", "2025/08/11 2025/08/15"),
        (
            "2025/08/11 00:00 = 2025/08/11 by 1; 2025/08/12 00:00 = 2025/08/12 by 1; "
            "2025/08/14 00:00 = 2025/08/14 by 1; 2025/08/15 00:00 = 2025/08/15 by 1"
        ),
    ),
    (
        "r02-weekday-in-one-month",
        (H24, AUGUST_SATURDAYS),
        "sd=2025/08/29 cy=1,d sh=ca",
        ("2025/08/28 12:00", "2025/08/29 2025/09/01"),
        (
            "2025/08/29 00:00 = 2025/08/29 by 1; 2025/08/30 00:00 = 2025/08/30 by 1; "
            "2025/09/01 00:00 = 2025/09/01 by 1"
        ),
    ),
    (
        "r02-base-settings-each-nearest",
        (H24, BASE_EACH_NEAREST),
        "sd=2025/08/+01 st=+0:00",
        ("2025/08/01 12:00", "2025/08/01 2025/09/30"),
        "2025/08/21 08:00 = 2025/08/21 by 1",
    ),
    (
        "r06-24h-base-8-same-moment-twice",
        (H24, calendar(base_time="8:00")),
        "n=1 sd=2025/08/01 st=31:00; n=2 sd=2025/08/01 st=7:00; n=3 sd=2025/08/01 st=33:00",
        ("2025/07/31 12:00", "2025/07/31 2025/08/04"),
        "2025/08/02 07:00 = 2025/08/01 by 1; 2025/08/02 09:00 = 2025/08/02 by 3",
    ),
    (
        "r07-48h-base-8-rule-times",
        (H48, calendar(base_time="8:00")),
        "n=1 sd=2025/08/01 st=7:00; n=2 sd=2025/08/03 st=33:00; n=3 sd=2025/08/05 st=8:00",
        ("2025/07/31 12:00", "2025/07/31 2025/08/08"),
        (
            "2025/08/02 07:00 = 2025/08/01 by 1; 2025/08/04 09:00 = 2025/08/03 by 2; "
            "2025/08/05 08:00 = 2025/08/05 by 3"
        ),
    ),
    (
        "r08-48h-two-execution-dates-two-runs",
        (H48, PLAIN),
        "n=1 sd=2025/08/02 st=1:00; n=2 sd=2025/08/01 st=25:00",
        ("2025/07/31 12:00", "2025/07/31 2025/08/04"),
        "2025/08/02 01:00 = 2025/08/01 by 2; 2025/08/02 01:00 = 2025/08/02 by 1",
    ),
    (
        "r10-final-start-decides-after",
        (H24, WEEKENDS),
        "sd=2025/08/02 cy=1,w st=10:00 sh=af",
        ("2025/08/10 12:00", "2025/08/10 2025/08/18"),
        "2025/08/11 10:00 = 2025/08/11 by 1; 2025/08/18 10:00 = 2025/08/18 by 1",
    ),
    (
        "r11-omitted-month-by-kind",
        (H24, calendar(base_day="26", month=MonthClass.THIS)),
        "n=1 sd=28; n=2 sd=+20; n=3 sd=+28",
        ("2025/09/10 12:00", "2025/09/10 2025/10/31"),
        (
            "2025/09/14 00:00 = 2025/09/14 by 2; 2025/09/22 00:00 = 2025/09/22 by 3; "
            "2025/09/28 00:00 = 2025/09/28 by 1"
        ),
    ),
    (
        "r12-weekday-without-number",
        (H24, PLAIN),
        "n=1 sd=2025/09/fr; n=2 sd=fr; n=3 sd=we cy=1,m",
        ("2025/08/11 12:00", "2025/08/11 2025/10/31"),
        (
            "2025/08/15 00:00 = 2025/08/15 by 2; 2025/09/03 00:00 = 2025/09/03 by 3; "
            "2025/09/05 00:00 = 2025/09/05 by 1; 2025/10/01 00:00 = 2025/10/01 by 3"
        ),
    ),
    (
        "r27-moved-start-counts-next-month-not-taken",
        (H24, WEEKENDS),
        "sd=09 st=10:00 sh=af",
        ("2025/08/10 12:00", "2025/08/10 2025/09/30"),
        "2025/08/11 10:00 = 2025/08/11 by 1",
    ),
    (
        "year-01-last-open-day-over-a-leap-year",
        (H24, YEAR_END),
        "sd=2027/08/*b cy=1,m st=18:00",
        ("2027/08/01 00:00", "2027/12/01 2028/02/29"),
        (
            "2027/12/28 18:00 = 2027/12/28 by 1; 2028/01/31 18:00 = 2028/01/31 by 1; "
            "2028/02/29 18:00 = 2028/02/29 by 1"
        ),
    ),
]


@pytest.mark.parametrize(
    ("service", "text", "asked", "expected"),
    [pytest.param(*story[1:], id=story[0]) for story in STORIES],
)
def test_the_runs_of_a_period(service, text, asked, expected):
    mode, seen = service
    registered, period = asked
    first, last = map(day, period.split())
    rules = tuple(rule(line) for line in text.split(";"))
    table = Timetable(Jobnet(name="R", rules=rules), seen, mode)
    end = datetime(last.year, last.month, last.day) + timedelta(days=4)
    starts = takewhile(lambda s: s.slot.start < end, table.starts(clock(registered), first))
    found = [
        f"{s.slot.start:%Y/%m/%d %H:%M} = {s.slot.exec_date:%Y/%m/%d} by {s.ties[0].rule}"
        for s in starts
        if s.slot.exec_date <= last
    ]
    assert found == [line for line in expected.split("; ") if line]
