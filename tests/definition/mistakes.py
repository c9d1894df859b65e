"""Bad text | message | line:column, for everything that the reader refuses."""

from __future__ import annotations

from tests.definition.texts import public_key

KEY = public_key()

# What is wrong stands in one line of an otherwise right file.
IN_A_JOB = "group: /g\njobnets:\n  r:\n    units:\n      j: {%s}\n"
IN_A_RULE = "group: /g\njobnets:\n  r:\n    units: {}\n    schedule:\n      - {%s}\n"
IN_A_CALENDAR = "group: /g\ncalendar:\n  {%s}\n"
IN_A_FLEXIBLE_JOB = IN_A_JOB % "type: flexible, %s"
IN_AN_AGENT = "agents:\n  A: {%s}\n"
IN_TRUST = "agents:\n  A: {host: h, user: u, trust: {%s}}\n"
IN_A_DESTINATION = "destinations:\n  D: {%s}\n"
IN_A_ROOT = "group: /g\njobnets:\n  r:\n    {%s, units: {}}\n"
IN_A_NESTED = (
    "group: /g\njobnets:\n  r:\n    units:\n      n: {units: {}, %s}\n      j: {command: x}\n"
)
IN_UNITS = "group: /g\njobnets:\n  r:\n    units:\n      {%s}\n"

JOB = (
    (
        'command: x, work_dir: "a\\nb"',
        "work_dir 'a\\nb' has more than one line",
        "5:33",
    ),
    ("command: x, environment: {A: }", "variable 'A' has no value", "5:40"),
    (
        "command: " + "x" * 65_537,
        f"command '{'x' * 57}...' is longer than 65,536 bytes",
        "5:20",
    ),
    ("command: x, timeout: 90", "timeout '90' is not a length of time from 1s to 31d", "5:32"),
    ("command: x, timeout: 1.5h", "timeout '1.5h' is not a length of time from 1s to 31d", "5:32"),
    (
        "command: x, timeout: 2 fortnights",
        "timeout '2 fortnights' is not a length of time from 1s to 31d",
        "5:32",
    ),
    ("command: x, timeout: 0s", "timeout '0s' is not a length of time from 1s to 31d", "5:32"),
    ("command: x, timeout: 32d", "timeout '32d' is not a length of time from 1s to 31d", "5:32"),
    ("command: x, warning_above: 3", "warning_above 3 is not below abnormal_above 0", "5:38"),
    (
        "command: x, warning_above: 7, abnormal_above: 7",
        "warning_above 7 is not below abnormal_above 7",
        "5:38",
    ),
    (
        "command: x, warning_above: -1",
        "warning_above '-1' is not a whole number from 0 to 2147483647",
        "5:38",
    ),
    ("command: x, priority: 6", "priority '6' is not a whole number from 1 to 5", "5:33"),
    ("command: x, hold: maybe", "hold 'maybe' is not yes or no", "5:29"),
    ("command: x, script: y", "unit 'j' has command and script together", "5:20"),
    ("command: x, script: y", "script 'y' cannot be read: no such file or directory", "5:31"),
    ("hold: yes", "unit 'j' has neither command nor script", "5:10"),
    ("script: nope.sh", "script 'nope.sh' cannot be read: no such file or directory", "5:19"),
    ("command: x, parameters: y", "parameters belong to a script, and there is none", "5:35"),
    ("command: x, destination: LB", "a job has no key 'destination'", "5:23"),
    ("command: x, relay: AGT1", "a job has no key 'relay'", "5:23"),
    ("command: x, type: job, relay: AGT1", "a job has no key 'relay'", "5:34"),
    ("command: x, host: a", "a job has no key 'host'", "5:23"),
    ("command: x, schedule: []", "a job has no key 'schedule'", "5:23"),
    ("command: x, type: jobnet", "a nested jobnet needs the key 'units'", "5:10"),
    ("command: x, type: jobnet", "a nested jobnet has no key 'command'", "5:11"),
    ("type: job, units: {}", "unit 'j' has neither command nor script", "5:10"),
    ("type: job, units: {}", "a job has no key 'units'", "5:22"),
    ("type: jub, command: x", "type 'jub' is not job, flexible or jobnet", "5:17"),
    ("type: jub, units: {}", "type 'jub' is not job, flexible or jobnet", "5:17"),
    ("command: x, units: {}", "a nested jobnet has no key 'command'", "5:11"),
    (
        "command: x, environment: {1A: b}",
        "variable name '1A' is not the name of an environment variable",
        "5:37",
    ),
    ("command: x, environment: {A: b, A: c}", "variable 'A' is defined twice", "5:43"),
    (
        "command: x, environment: [a]",
        "environment must be a mapping of variable names, each with a text, not a list",
        "5:36",
    ),
    ("command: [a, b]", "command must be a command line, not a list", "5:20"),
    ("command: ''", "command '' is empty", "5:20"),
    ('command: "a\\0b"', "command 'a\\x00b' contains the control character '\\x00'", "5:20"),
    ("command: x, after: j", "'j' is after itself", "5:30"),
    ("command: x, after: k", "after names 'k', and there is no such unit in this jobnet", "5:30"),
    (
        "command: x, recovery: yes",
        "recovery unit 'j' follows no unit, so it would never run",
        "5:7",
    ),
    ("command: x, work_dir: ", "work_dir has no value", "5:33"),
    ("command: {a: b}", "command must be a command line, not a mapping", "5:20"),
    ("comand: x", "a job has no key 'comand'", "5:11"),
    ("command: x, was: y", "a job has no key 'was'", "5:23"),
    ("command: x, script: ", "unit 'j' has command and script together", "5:20"),
    ("command: x, script: ", "script has no value", "5:31"),
)
RULE = (
    ("rule: 0", "rule '0' is not a whole number from 1 to 144", "6:16"),
    ("rule: 145", "rule '145' is not a whole number from 1 to 144", "6:16"),
    ("rule: a", "rule 'a' is not a whole number from 1 to 144", "6:16"),
    (
        "start_time: 48:00",
        "start_time '48:00' is not a time from 00:00 to 47:59, or +00:00 to +47:59",
        "6:22",
    ),
    (
        "start_time: 22.00",
        "start_time '22.00' is not a time from 00:00 to 47:59, or +00:00 to +47:59",
        "6:22",
    ),
    (
        "start_time: 8:5",
        "start_time '8:5' is not a time from 00:00 to 47:59, or +00:00 to +47:59",
        "6:22",
    ),
    (
        "start_time: -01:00",
        "start_time '-01:00' is not a time from 00:00 to 47:59, or +00:00 to +47:59",
        "6:22",
    ),
    (
        "start_day: 32",
        "start_day '32' is not a start day: registered, 5, last, last-1, 08-13, 2026-08-13 or fri",
        "6:21",
    ),
    (
        "start_day: 13-08",
        "start_day '13-08' is not a start day: registered, 5, last, last-1, 08-13, 2026-08-13 or fri",
        "6:21",
    ),
    (
        "start_day: 2026-13-01",
        "start_day '2026-13-01' is not a start day: registered, 5, last, last-1, 08-13, 2026-08-13 or fri",
        "6:21",
    ),
    ("start_day: 2027-02-30", "start_day '2027-02-30' is a day that does not exist", "6:21"),
    ("start_day: 2026-02-29", "start_day '2026-02-29' is a day that does not exist", "6:21"),
    ("start_day: 1993-12-31", "start_day '1993-12-31' lies outside the years 1994 to 2099", "6:21"),
    (
        "start_day: {absolute: 1, month: 1, year: 2100}",
        "year '2100' is not a whole number from 1994 to 2099",
        "6:51",
    ),
    ("start_day: 2100-01-01", "start_day '2100-01-01' lies outside the years 1994 to 2099", "6:21"),
    (
        "start_day: someday",
        "start_day 'someday' is not a start day: registered, 5, last, last-1, 08-13, 2026-08-13 or fri",
        "6:21",
    ),
    (
        "start_day: {open: 36}",
        "open '36' is not a day number from 1 to 35, or last, or last-1 to last-34",
        "6:28",
    ),
    (
        "start_day: {relative: 36}",
        "relative '36' is not a day number from 1 to 35, or last, or last-1 to last-34",
        "6:32",
    ),
    (
        "start_day: {closed: 0}",
        "closed '0' is not a day number from 1 to 35, or last, or last-1 to last-34",
        "6:30",
    ),
    (
        "start_day: {absolute: last-31}",
        "absolute 'last-31' is not a day number from 1 to 31, or last, or last-1 to last-30",
        "6:32",
    ),
    ("cycle: 13 months", "cycle '13 months' is not a cycle of 1 to 12 months", "6:17"),
    ("cycle: 10 years", "cycle '10 years' is not a cycle of 1 to 9 years", "6:17"),
    ("shift_days: 0", "shift_days '0' is not a whole number from 1 to 31", "6:22"),
    (
        "start_day: {open: last-35}",
        "open 'last-35' is not a day number from 1 to 35, or last, or last-1 to last-34",
        "6:28",
    ),
    (
        "start_day: {open: {last: 2}}",
        "open must be a day number from 1 to 35, or last, or last-1 to last-34, not a mapping",
        "6:28",
    ),
    ("start_day: {open: 1, closed: 1}", "start_day has open and closed together", "6:21"),
    ("start_day: {month: 8}", "start_day does not say which day", "6:21"),
    ("start_day: {open: 1, year: 2026}", "start_day has year without month", "6:37"),
    ("start_day: {open: 1, nth: 2}", "start_day has nth without weekday", "6:36"),
    ("start_day: {weekday: fri, nth: 6}", "nth '6' is not 1, 2, 3, 4, 5 or last", "6:41"),
    ("start_day: {weekday: fry}", "weekday 'fry' is not a weekday such as fri", "6:31"),
    ("start_day: {day: 5}", "a start day has no key 'day'", "6:22"),
    ("start_day: [1]", "start_day must be a mapping, not a list", "6:21"),
    ("cycle: 32 days", "cycle '32 days' is not a cycle of 1 to 31 days", "6:17"),
    ("cycle: 6 weeks", "cycle '6 weeks' is not a cycle of 1 to 5 weeks", "6:17"),
    ("cycle: day", "cycle 'day' is not a cycle such as 1 day, 2 weeks, 1 month or 1 year", "6:17"),
    ("cycle: 0 days", "cycle '0 days' is not a cycle of 1 to 31 days", "6:17"),
    (
        "cycle: 1 fortnight",
        "cycle '1 fortnight' is not a cycle such as 1 day, 2 weeks, 1 month or 1 year",
        "6:17",
    ),
    (
        "start_day: {open: 1}, cycle: 1 week",
        "a cycle of weeks does not go with a start day that counts open days",
        "6:39",
    ),
    (
        "start_day: {closed: 1}, substitute: skip",
        "substitute skip with a closed start day never runs",
        "6:46",
    ),
    ("substitute: cancel", "substitute 'cancel' is not before, after, skip or run", "6:22"),
    ("shift_days: 32", "shift_days '32' is not a whole number from 1 to 31", "6:22"),
    (
        "days_from_start: {open: 0}",
        "open '0' is not a number of days from 1 to 31, or -1 to -31",
        "6:34",
    ),
    (
        "days_from_start: {open: 32}",
        "open '32' is not a number of days from 1 to 31, or -1 to -31",
        "6:34",
    ),
    ("days_from_start: {}", "days_from_start has neither open nor plain", "6:27"),
    ("days_from_start: {open: 1, plain: 1}", "days_from_start has open and plain together", "6:27"),
    (
        "days_from_start: {plain: 1, within: 5}",
        "days_from_start has within, but plain days are not searched for",
        "6:46",
    ),
    ("days_from_start: 2", "days_from_start must be a mapping, not '2'", "6:27"),
    ("link: 1", "a schedule rule of a root jobnet has no key 'link'", "6:10"),
    (
        "start_time: 08:00, repeat: {every: 9 min, until: 18:00}",
        "every '9 min' is not a length of time from 10 to 120 min",
        "6:45",
    ),
    (
        "start_time: 08:00, repeat: {every: 121 min, until: 18:00}",
        "every '121 min' is not a length of time from 10 to 120 min",
        "6:45",
    ),
    (
        "start_time: 08:00, repeat: {every: 10min 30s, until: 18:00}",
        "every '10min 30s' is not a length of time from 10 to 120 min",
        "6:45",
    ),
    (
        "start_time: 08:00, repeat: {every: 1h, until: 48:00}",
        "until '48:00' is not a time from 00:00 to 47:59, or +00:00 to +47:59",
        "6:56",
    ),
    (
        "start_time: 08:00, repeat: {every: 1h, until: 08:00}",
        "until 08:00 does not lie after start_time 08:00",
        "6:56",
    ),
    (
        "repeat: {every: 1h, until: 18:00}",
        "until 18:00 is not counted like start_time +00:00",
        "6:37",
    ),
    (
        "start_time: 08:00, repeat: {every: 1h, until: +18:00}",
        "until +18:00 is not counted like start_time 08:00",
        "6:56",
    ),
    ("repeat: {every: 1h}", "a repetition needs the key 'until'", "6:18"),
    (
        "start_time: 0:00, repeat: {every: 10 min, until: 24:00}",
        "schedule has 145 rules",
        "6:9",
    ),
    ("start_dya: 5", "a schedule rule of a root jobnet has no key 'start_dya'", "6:10"),
)
CALENDAR = (
    ("closed: [2026-13-01]", "closed '2026-13-01' is a day that does not exist", "3:13"),
    ("base_time: 12:00", "base_time '12:00' is not a time from 00:00 to 11:59", "3:15"),
    ("base_time: 8", "base_time '8' is not a time from 00:00 to 11:59", "3:15"),
    ("base_day: 32", "base_day '32' is not a whole number from 1 to 31", "3:14"),
    ("base_day: {weekday: mon}", "a base day needs the key 'nth'", "3:14"),
    ("base_day: {weekday: mon, nth: 6}", "nth '6' is not a whole number from 1 to 5", "3:34"),
    ("month: last", "month 'last' is not this or next", "3:11"),
    (
        "closed: [1993-12-31]",
        "closed '1993-12-31' lies outside the years 1994 to 2099",
        "3:13",
    ),
    ("closed: [satur]", "closed 'satur' is not a day", "3:13"),
    ("closed: [2026-02-30]", "closed '2026-02-30' is a day that does not exist", "3:13"),
    ("closed: [2026-12]", "closed '2026-12' is not a day", "3:13"),
    ("closed: [2100-01-01]", "closed '2100-01-01' lies outside the years 1994 to 2099", "3:13"),
    ("closed: [2026-13 sat]", "closed '2026-13 sat' is not a day", "3:13"),
    ("closed: [sat, saturday]", "closed names 'sat' twice", "3:18"),
    ("closed: [sat], open: [sat]", "'sat' is both open and closed", "3:26"),
    ("closed: [2026-12-31], open: [2026/12/31]", "'2026-12-31' is both open and closed", "3:33"),
    ("open: 2026-08 sat, closed: [2026-08 sat]", "'2026-08 sat' is both open and closed", "3:10"),
    ("closed: {sat: yes}", "closed must be a day, not a mapping", "3:12"),
)
UNITS = (
    (
        "a: {command: x, after: b}, b: {command: x, after: c}, c: {command: x, after: a}",
        "these units wait for one another in a circle: a after b after c after a",
        "5:31",
    ),
    ("a: {command: x, after: [b, b]}, b: {command: x}", "after names 'b' twice", "5:35"),
    (
        "a: {command: x, after: totel}, total: {command: x}",
        "after names 'totel', and there is no such unit in this jobnet",
        "5:31",
    ),
    (
        "a: {command: x}, b: {command: x, after: a, recovery: yes}, c: {command: x, after: b}",
        "'c' follows the recovery unit 'b' and is none itself",
        "5:90",
    ),
    ("a: {command: x}, a: {command: y}", "unit 'a' is defined twice", "5:25"),
    ("a/b: {command: x}", "unit name 'a/b' contains the character '/'", "5:8"),
    ("a b: {command: x}", "unit name 'a b' contains a space", "5:8"),
    ("-a: {command: x}", "unit name '-a' cannot be the name of a unit", "5:8"),
    (".CONDITION: {command: x}", "unit name '.CONDITION' cannot be the name of a unit", "5:8"),
    ("'': {command: x}", "unit name '' is empty", "5:8"),
    (
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx: {command: x}",
        "unit name 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' is 31 bytes long",
        "5:8",
    ),
    (
        "経経経経経経経経経経経: {command: x}",
        "unit name '経経経経経経経経経経経' is 33 bytes long",
        "5:8",
    ),
    ("a: ", "unit 'a' has no value", "5:11"),
    ("a: []", "unit 'a' must be a mapping, not a list", "5:11"),
)

# Several schedules of one root "r" and what is nested in it.
SCHEDULES = (
    ("schedule: undefind, units: {}", "schedule 'undefind' is not the word undefined", "4:16"),
    ("schedule: [], units: {}", "schedule is an empty list", "4:16"),
    ("schedule: , units: {}", "schedule has no value", "4:16"),
    ("schedule: [{rule: 2}, {rule: 2}], units: {}", "schedule rule 2 is given twice", "4:35"),
    ("schedule: [" + "{}," * 145 + "], units: {}", "schedule has 145 rules", "4:449"),
    (
        "schedule: [{rule: 2}, {rule: 5}], units: {n: {schedule: [{link: 3}], units: {}}}",
        "schedule rule 1 follows rule 3 of the jobnet above, which it does not have",
        "4:70",
    ),
    (
        "schedule: [{rule: 2}, {rule: 5}], units: {n: {schedule: [{}], units: {}}}",
        "schedule rule 1 follows rule 1 of the jobnet above, which it does not have",
        "4:63",
    ),
    (
        "units: {n: {schedule: [{link: 2}], units: {}}}",
        "schedule rule 1 follows rule 2 of the jobnet above, which it does not have",
        "4:36",
    ),
    (
        "schedule: undefined, units: {n: {schedule: [{}], units: {}}}",
        "schedule rule 1 follows rule 1 of the jobnet above, which it does not have",
        "4:50",
    ),
    (
        "schedule: [{rule: 2}], units: {n: {units: {m: {schedule: [{}], units: {}}}}}",
        "schedule rule 1 follows rule 1 of the jobnet above, which it does not have",
        "4:64",
    ),
)

# What a root jobnet says of its runs besides its rules.
JOBNET = (
    (
        "valid_until: 2027-02-29",
        "valid_until '2027-02-29' is a day that does not exist",
        "4:19",
    ),
    ("valid_until: 31", "valid_until '31' is not a day such as 2027-03-31", "4:19"),
    (
        "valid_until: 2100-01-01",
        "valid_until '2100-01-01' lies outside the years 1994 to 2099",
        "4:19",
    ),
    (
        "valid_until: 1993-12-31",
        "valid_until '1993-12-31' lies outside the years 1994 to 2099",
        "4:19",
    ),
    (
        "calendar_of: head-office",
        "calendar_of 'head-office' is not the full path of a job group, such as /sales or /sales/tokyo",
        "4:19",
    ),
    (
        "calendar_of: /head-offic",
        "calendar_of names '/head-offic', and there is no such job group",
        "4:19",
    ),
    ("exclusive: r", "a jobnet cannot exclude itself", "4:17"),
    (
        "exclusive: month-clos",
        "exclusive names 'month-clos', and there is no such jobnet beside this one",
        "4:17",
    ),
    ("exclusive: a/b", "exclusive 'a/b' contains the character '/'", "4:17"),
    ("overlap: wait", "overlap 'wait' is not skip, multi or concurrent", "4:15"),
    (
        "required_time: 48h",
        "required_time '48h' is not a length of time from 1 to 2,879 min",
        "4:21",
    ),
    (
        "required_time: 90s",
        "required_time '90s' is not a length of time from 1 to 2,879 min",
        "4:21",
    ),
    (
        "schedule: {start_delay: root + 5 min}",
        "start_delay 'root + 5 min' is not a time from 00:00 to 47:59, or own + 90 min (from 1 to 2,879 min)",
        "4:30",
    ),
    (
        "schedule: {end_delay: own + 2880 min}",
        "end_delay 'own + 2880 min' is not a time from 00:00 to 47:59, or own + 90 min (from 1 to 2,879 min)",
        "4:28",
    ),
    (
        "schedule: {end_delay: '48:00'}",
        "end_delay '48:00' is not a time from 00:00 to 47:59, or own + 90 min (from 1 to 2,879 min)",
        "4:28",
    ),
    ("priority: 0", "priority '0' is not a whole number from 1 to 5", "4:16"),
    ("logs_to_keep: 0", "logs_to_keep '0' is not a whole number from 1 to 999", "4:20"),
    ("logs_to_keep: 1000", "logs_to_keep '1000' is not a whole number from 1 to 999", "4:20"),
    ("hold: if normal", "hold 'if normal' is not yes, no, if abnormal or if warning", "4:12"),
    ("planning: yes", "a root jobnet has no key 'planning'", "4:6"),
)
NESTED = (
    ("valid_until: never", "valid_until 'never' is not a day such as 2027-03-31", "5:35"),
    (
        "calendar_of: /nowhere",
        "calendar_of names '/nowhere', and there is no such job group",
        "5:35",
    ),
    ("exclusive: n", "a jobnet cannot exclude itself", "5:33"),
    ("exclusive: j", "exclusive names 'j', which is a job", "5:33"),
    (
        "exclusive: m",
        "exclusive names 'm', and there is no such jobnet beside this one",
        "5:33",
    ),
    ("overlap: multi", "a nested jobnet has no key 'overlap'", "5:22"),
    ("logs_to_keep: 3", "a nested jobnet has no key 'logs_to_keep'", "5:22"),
    ("hold: if abnormal", "hold 'if abnormal' is not yes or no", "5:28"),
)

A_C = " c: {exclusive: a, units: {}}}\n"
FILES = (
    (
        "group: /g\nplanning: maybe\n",
        "planning 'maybe' is not yes or no",
        "2:11",
    ),
    ("group: /\nplanning: yes\n", "the scheduler service / cannot be a planning group", "1:8"),
    (
        "groups:\n  - {group: /g, planning: yes}\n  - {group: /g/a/b}\n",
        "job group '/g/a' stands in the planning group '/g'",
        "2:13",
    ),
    (
        "groups:\n  - {group: /g, planning: yes}\n  - {group: /g/a}\n",
        "job group '/g/a' stands in the planning group '/g'",
        "3:13",
    ),
    ("group: /g\noverlap: skip\n", "a job group has no key 'overlap'", "2:1"),
    (
        "group: /g\njobnets: {a: {exclusive: b, units: {}}, b: {exclusive: c, units: {}},\n" + A_C,
        "these jobnets exclude one another in a circle: a, b, c, a",
        "2:26",
    ),
    (
        "group: /g\njobnets: {r: {units: {a: {exclusive: b, units: {}}, b: {exclusive: a, units: {}}}}}\n",
        "these jobnets exclude one another in a circle: a, b, a",
        "2:38",
    ),
    ("", "the file defines nothing", "1:1"),
    ("# only a comment\n", "the file defines nothing", "1:1"),
    ("---\n", "the file defines nothing", "1:1"),
    ("group: /a\n---\ngroup: /b\n", "a second YAML document begins here", "2:1"),
    ("- a\n", "the file must be a mapping, not a list", "1:1"),
    ("hello\n", "the file must be a mapping, not 'hello'", "1:1"),
    (b"group: /caf\xe9\n", "byte 0xe9 is not UTF-8 text", "1:12"),
    ("group: /g\ncomment: 売上\n".encode("shift_jis"), "byte 0x94 is not UTF-8 text", "2:10"),
    ("group: /g\n".encode("utf-16-le"), "the character '\\x00' cannot stand in a text file", "1:2"),
    ("group: /g\n".encode("utf-16"), "byte 0xff is not UTF-8 text", "1:1"),
    (b"group: /g\ncomment: a\0b\n", "the character '\\x00' cannot stand in a text file", "2:11"),
    ("group: /g\njobnets:\n\tr: {}\n", "a tab stands where only spaces indent", "3:1"),
    ("group: /g\njobnets:\n  r:\n\tunits: {}\n", "a tab stands where only spaces indent", "4:1"),
    ("group: /g\ncomment: &a x\n", "the anchor '&a' is refused in definitions", "2:10"),
    ("group: /g\ncomment: *a\n", "the alias '*a' is refused in definitions", "2:10"),
    ("group: /g\ncalendar: {closed: [*a]}\n", "the alias '*a' is refused in definitions", "2:21"),
    ("group: /g\n*a : x\n", "the alias '*a' is refused in definitions", "2:1"),
    ("group: /g\ncalendar: &c {}\n", "the anchor '&c' is refused in definitions", "2:11"),
    (
        "group: /g\ncalendar: {closed: &c [sat]}\n",
        "the anchor '&c' is refused in definitions",
        "2:20",
    ),
    ("group: /g\njobnets: *a\n", "the alias '*a' is refused in definitions", "2:10"),
    ("group: /g\njobnets: {r: {<<: {}, units: {}}}\n", "a root jobnet has no key '<<'", "2:15"),
    ("group: /g\ncomment: !!str x\n", "the tag '!!str' is refused in definitions", "2:10"),
    ("group: !local /g\n", "the tag '!local' is refused in definitions", "1:8"),
    ("group: " + "[" * 100, "the text is nested more than 70 levels deep", "1:77"),
    ("group: /g\ngroup: /h\n", "the key 'group' is given twice", "2:1"),
    ("group: /g\ncalender: {}\n", "a job group has no key 'calender'", "2:1"),
    ("group: /g\ncomment:\n", "comment has no value", "2:9"),
    ("group: /g\njobnets:\n", "jobnets has no value", "2:9"),
    ("group: /g\n? [a]\n: b\n", "a key of a job group must be a word, not a list", "2:3"),
    ("jobnets: {}\n", "a job group needs the key 'group'", "1:1"),
    (
        "group: sales\n",
        "group 'sales' is not the full path of a job group, such as /sales or /sales/tokyo",
        "1:8",
    ),
    ("group: /a//b\n", "group '/a//b' is empty", "1:8"),
    ("group: /a b\n", "group '/a b' contains a space", "1:8"),
    (
        "group: /" + "/".join(["x" * 30] * 31) + "\n",
        f"group '/{'x' * 30}/{'x' * 25}...' is longer than 930 bytes",
        "1:8",
    ),
    ("groups: []\n", "groups is an empty list", "1:9"),
    ("groups: [{comment: x}]\n", "a job group under groups needs the key 'group'", "1:10"),
    ("groups: [{group: /a}]\ncomment: y\n", "a file of several groups has no key 'comment'", "2:1"),
    ("group: /g\njobnets: {r: {}}\n", "a root jobnet needs the key 'units'", "2:14"),
    (
        "group: /g\njobnets: {r: {units: {}, after: x}}\n",
        "a root jobnet has no key 'after'",
        "2:26",
    ),
    (
        "group: /g\njobnets: {r: {command: x, units: {}}}\n",
        "a root jobnet has no key 'command'",
        "2:15",
    ),
    (
        "group: /g\njobnets: {r: {type: flexible, units: {}}}\n",
        "type 'flexible' is not jobnet",
        "2:21",
    ),
    (
        "group: /g\njobnets: {r: {destination: LB1, units: {}}}\n",
        "a root jobnet has no key 'destination'",
        "2:15",
    ),
    (
        "group: /g\njobnets: {r: {was: r, units: {}}}\n",
        "was '/g/r' is the name that the jobnet has now",
        "2:20",
    ),
    (
        "group: /g\njobnets: {r: {was: o, units: {}}, s: {was: /g/o, units: {}}}\n",
        "'/g/o' was renamed to '/g/r' already",
        "2:44",
    ),
    ("group: /g\njobnets: {r: *a}\n", "the alias '*a' is refused in definitions", "2:14"),
    (
        "group: /g\njobnets: {r: {units: {a: *a}}}\n",
        "the alias '*a' is refused in definitions",
        "2:26",
    ),
    (
        "group: /g\njobnets: {r: {units: {a: {command: x, after: *a}}}}\n",
        "the alias '*a' is refused in definitions",
        "2:46",
    ),
    (
        "group: sales\njobnets: {r: {units: {}}}\n",
        "group 'sales' is not the full path of a job group, such as /sales or /sales/tokyo",
        "1:8",
    ),
)

FLEXIBLE_JOB = (
    ("command: x", "a flexible job needs the key 'destination'", "5:10"),
    ("destination: LB1", "unit 'j' has neither command nor script", "5:10"),
    (
        "command: x, destination: LB2",
        "destination names 'LB2', and there is no such destination",
        "5:52",
    ),
    (
        "command: x, destination: AGT1",
        "destination names 'AGT1', which is an agent and no destination",
        "5:52",
    ),
    (
        "command: x, destination: RELAYS",
        "destination names 'RELAYS', which is an agent group and no destination",
        "5:52",
    ),
    (
        "command: x, destination: LB1, relay: AGT",
        "relay names 'AGT', and there is no such agent or agent group",
        "5:64",
    ),
    (
        "command: x, destination: LB1, relay: LB1",
        "relay names 'LB1', which is a destination and no agent or agent group",
        "5:64",
    ),
    ("command: x, destination: ", "destination has no value", "5:52"),
    (
        "command: x, destination: [LB1]",
        "destination must be a name of 1 to 255 bytes, not a list",
        "5:52",
    ),
    ("command: x, destination: a b", "destination 'a b' contains a space", "5:52"),
    ("command: x, destination: LB1, relais: AGT1", "a flexible job has no key 'relais'", "5:57"),
    ("command: x, destination: LB1, units: {}", "a flexible job has no key 'units'", "5:57"),
    ("command: x, destination: LB1, agent: AGT1", "a flexible job has no key 'agent'", "5:57"),
)
_HOST = f"host: h, user: u, trust: {{host_keys: {KEY}}}"
AGENT = (
    ("user: u, trust: {}", "an agent needs the key 'host'", "2:6"),
    (f"host: h, trust: {{host_keys: {KEY}}}", "an agent needs the key 'user'", "2:6"),
    ("host: h, user: u", "an agent needs the key 'trust'", "2:6"),
    ("host: h, user: u, trust: ", "trust has no value", "2:32"),
    ("host: h, user: u, trust: yes", "trust must be a mapping, not 'yes'", "2:32"),
    ("host: null", "host 'null' is not a host name or an IP address", "2:13"),
    ("host: a b", "host 'a b' is not a host name or an IP address", "2:13"),
    ("host: ajs@h", "host 'ajs@h' is not a host name or an IP address", "2:13"),
    ("host: h:22", "host 'h:22' is not a host name or an IP address", "2:13"),
    ("host: -h", "host '-h' is not a host name or an IP address", "2:13"),
    ("host: '1::2::3'", "host '1::2::3' is not a host name or an IP address", "2:13"),
    (f"host: {'h' * 254}", f"host '{'h' * 57}...' is not a host name or an IP address", "2:13"),
    ("host: h, port: 0", "port '0' is not a whole number from 1 to 65535", "2:22"),
    ("host: h, port: 65536", "port '65536' is not a whole number from 1 to 65535", "2:22"),
    ("host: h, port: ssh", "port 'ssh' is not a whole number from 1 to 65535", "2:22"),
    ("host: h, user: a b", "user 'a b' is not the name of a user", "2:22"),
    ("host: h, user: -oProxyCommand", "user '-oProxyCommand' is not the name of a user", "2:22"),
    ("host: h, user: a@h", "user 'a@h' is not the name of a user", "2:22"),
    (
        f"{_HOST}, limit: 0",
        "limit '0' is not a whole number from 1 to 1000",
        f"2:{16 + len(_HOST)}",
    ),
    (
        f"{_HOST}, limit: 1001",
        "limit '1001' is not a whole number from 1 to 1000",
        f"2:{16 + len(_HOST)}",
    ),
    ("key: id_ed25519", "key 'id_ed25519' is not a full path", "2:12"),
    ("key: ~/.ssh/ajs.pub", "key '~/.ssh/ajs.pub' is the file of a public key", "2:12"),
    (f"key: {KEY}", f"key '{KEY[:57]}...' is a public key", "2:12"),
    (
        'key: "-----BEGIN OPENSSH PRIVATE KEY-----\\nb3BlbnNz"',
        "key holds a private key, which does not belong into a definition",
        "2:12",
    ),
    ("password: secret", "an agent has no key 'password'", "2:7"),
    ("hots: h", "an agent has no key 'hots'", "2:7"),
    (f"host_keys: {KEY}", "an agent has no key 'host_keys'", "2:7"),
    ("members: [A]", "an agent has no key 'members'", "2:7"),
    (f"{_HOST}, agent_port: 22", "an agent has no key 'agent_port'", f"2:{9 + len(_HOST)}"),
)
TRUST = (
    (
        "",
        "trust has neither host_keys nor host_ca, so no host could prove to be the right one",
        "2:32",
    ),
    ("host_keys: []", "host_keys is an empty list", "2:44"),
    (f"host_ca: {KEY}", "trust has host_ca without principals", "2:42"),
    (f"host_ca: {KEY}, principals: '*'", "principals '*' is a pattern", f"2:{56 + len(KEY)}"),
    ("principals: a", "trust has principals without host_ca", "2:45"),
    (f"host_keys: [{KEY}, {KEY}]", "host_keys names the same twice", f"2:{47 + len(KEY)}"),
    ("host_keys: ssh-ed25519", "host_keys 'ssh-ed25519' is not a whole ssh-ed25519 key", "2:44"),
    (
        "host_keys: ssh-ed25519 !!",
        "host_keys 'ssh-ed25519 !!' is not a whole ssh-ed25519 key",
        "2:44",
    ),
    (
        f"host_keys: {KEY[:-4]}",
        f"host_keys '{KEY[:57]}...' is not a whole ssh-ed25519 key",
        "2:44",
    ),
    (
        f"host_keys: {KEY.replace('ssh-ed25519', 'ssh-rsa')}",
        f"host_keys '{KEY.replace('ssh-ed25519', 'ssh-rsa')[:57]}...' is not a whole ssh-rsa key",
        "2:44",
    ),
    (
        f"host_keys: h {KEY}",
        f"host_keys 'h {KEY[:55]}...' does not begin with the type of a public key",
        "2:44",
    ),
    (
        "host_keys: ssh-dss AAAA",
        "host_keys 'ssh-dss AAAA' does not begin with the type of a public key",
        "2:44",
    ),
    (
        "host_keys: ssh-ed25519-cert-v01@openssh.com AAAA",
        "host_keys 'ssh-ed25519-cert-v01@openssh.com AAAA' is a certificate",
        "2:44",
    ),
    (
        "host_keys: ['-----BEGIN RSA PRIVATE KEY----- MIIE']",
        "host_keys holds a private key, which does not belong into a definition",
        "2:45",
    ),
    (
        "host_keys: b3BlbnNzaC1rZXktdjEAAAAABG5vbmU=",
        "host_keys holds a private key, which does not belong into a definition",
        "2:44",
    ),
    (
        "host_keys: PuTTY-User-Key-File-3",
        "host_keys holds a private key, which does not belong into a definition",
        "2:44",
    ),
    (f"host_key: {KEY}", "trust has no key 'host_key'", "2:33"),
)
DESTINATION = (
    ("user: u, trust: {}", "a destination needs the key 'host'", "2:6"),
    ("agent_port: 0", "agent_port '0' is not a whole number from 1 to 65535", "2:19"),
    ("job_folder: ", "job_folder has no value", "2:19"),
    ("relay: AGT1", "a destination has no key 'relay'", "2:7"),
    ("passphrase: x", "a destination has no key 'passphrase'", "2:7"),
)
AGENTS_FILES = (
    ("agents:\n", "agents has no value", "1:8"),
    (
        "agents: [A]\n",
        "agents must be a mapping of agent names, each with an agent, not a list",
        "1:9",
    ),
    ("agents: {A: x}\n", "agent 'A' must be a mapping, not 'x'", "1:13"),
    ("agents: {a b: {}}\n", "agent name 'a b' contains a space", "1:10"),
    ("agents: {'a:1': {}}\n", "agent name 'a:1' contains the character ':'", "1:10"),
    ("agents: {'': {}}\n", "agent name '' is empty", "1:10"),
    ("agents: {-a: {}}\n", "agent name '-a' begins with '-'", "1:10"),
    (f"agents: {{{'経' * 86}: {{}}}}\n", f"agent name '{'経' * 57}...' is 258 bytes long", "1:10"),
    (
        f"agents: {{A: {{{_HOST}}}, A: {{{_HOST}}}}}\n",
        "agent 'A' is defined twice",
        f"1:{17 + len(_HOST)}",
    ),
    (
        f"agents: {{A: {{{_HOST}}}}}\ndestinations: {{A: {{{_HOST}}}}}\n",
        "'A' is an agent and a destination",
        "2:16",
    ),
    (
        f"agents: {{A: {{{_HOST}}}}}\nagent_groups: {{A: {{members: A}}}}\n",
        "'A' is an agent and an agent group",
        "2:16",
    ),
    ("agents: {}\nagent: {}\n", "a file of agents has no key 'agent'", "2:1"),
    ("agents: {}\ncomment: x\n", "a job group needs the key 'group'", "1:1"),
    (
        "groups: [{group: /g, agents: {}}]\n",
        "a job group under groups has no key 'agents'",
        "1:22",
    ),
    ("agent_groups: {R: {}}\n", "an agent group needs the key 'members'", "1:19"),
    ("agent_groups: {R: {members: []}}\n", "members is an empty list", "1:29"),
    (
        "agent_groups: {R: {members: [AGT3]}}\n",
        "members names 'AGT3', and there is no such agent",
        "1:30",
    ),
    (
        "agent_groups: {R: {members: [RELAYS]}}\n",
        "members names 'RELAYS', which is an agent group and no agent",
        "1:30",
    ),
    ("agent_groups: {R: {members: [AGT1, AGT1:8]}}\n", "members names 'AGT1' twice", "1:36"),
    (
        "agent_groups: {R: {members: [AGT1:17]}}\n",
        "members 'AGT1:17' has no priority from 1 to 16 after the colon",
        "1:30",
    ),
    (
        "agent_groups: {R: {members: ['AGT1:']}}\n",
        "members 'AGT1:' has no priority from 1 to 16 after the colon",
        "1:30",
    ),
    (
        "agent_groups: {R: {members: [AGT1:high]}}\n",
        "members 'AGT1:high' has no priority from 1 to 16 after the colon",
        "1:30",
    ),
    ("agent_groups: {R: {host: h, members: AGT1}}\n", "an agent group has no key 'host'", "1:20"),
    (
        f"agents: {{RELAYS: {{{_HOST}}}}}\n",
        "'RELAYS' is stored as an agent group and cannot become an agent",
        "1:10",
    ),
)

# YAML itself; the two parsers word their complaints differently, so the message is a part and the hint counts.
BROKEN = (
    (
        "group: /g\ncalendar: {closed: [sat\n",
        "expected ',' or ']'",
        "close the bracket; it began in line 2",
    ),
    ('group: /g\ncomment: "abc\n', "unexpected end of stream", "close the quote that begins here"),
    ("group: /g\ncomment: a: b\n", "mapping values are not allowed", "put quotes round a text"),
    ("group: /g\n comment: x\n", "mapping values are not allowed", "check the indentation"),
    ("group: /g\ncomment\njobnets: {}\n", "could not find expected ':'", "a key needs ': '"),
    ("group: /g\ncomment: @x\n", "cannot start any token", "quotes round a text that begins"),
    ("group: /g\ncomment: %x\n", "cannot start any token", "quotes round a text that begins"),
    ('group: /g\ncomment: "\\q"\n', "unknown escape", "single quotes"),
    ("group: /g\ncomment: 'a' b\n", "expected", "put quotes round a text with special characters"),
    ("group: /g\ncomment: !x!y z\n", "undefined tag handle", "put quotes"),
)
