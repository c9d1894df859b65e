"""Bad text | message | line:column, for everything that the reader refuses."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ajs.definition import tree
from ajs.definition.writer import to_yaml
from tests.definition import strategies
from tests.definition.texts import at, problems

# What is wrong stands in one line of an otherwise right file.
IN_A_JOB = "group: /g\njobnets:\n  r:\n    units:\n      j: {%s}\n"
IN_A_RULE = "group: /g\njobnets:\n  r:\n    units: {}\n    schedule:\n      - {%s}\n"
IN_A_CALENDAR = "group: /g\ncalendar:\n  {%s}\n"
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
    ("command: x, hold: maybe", "hold 'maybe' is not yes or no", "5:29"),
    ("command: x, script: y", "unit 'j' has command and script together", "5:20"),
    ("command: x, script: y", "script 'y' cannot be read: no such file or directory", "5:31"),
    ("hold: yes", "unit 'j' has neither command nor script", "5:10"),
    ("script: nope.sh", "script 'nope.sh' cannot be read: no such file or directory", "5:19"),
    ("command: x, parameters: y", "parameters belong to a script, and there is none", "5:35"),
    (
        "type: flexible, destination: LB",
        "unit 'j' is a flexible job, and this version runs jobs on this machine only",
        "5:17",
    ),
    ("command: x, destination: LB", "a job has no key 'destination'", "5:23"),
    ("command: x, schedule: []", "a job has no key 'schedule'", "5:23"),
    ("command: x, type: jobnet", "a nested jobnet needs the key 'units'", "5:10"),
    ("command: x, type: jobnet", "a nested jobnet has no key 'command'", "5:11"),
    ("type: job, units: {}", "unit 'j' has neither command nor script", "5:10"),
    ("type: job, units: {}", "a job has no key 'units'", "5:22"),
    ("type: jub, command: x", "type 'jub' is not job or jobnet", "5:17"),
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

FILES = (
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
    ("groups: [{comment: x}]\n", "a job group needs the key 'group'", "1:10"),
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
        "group: /g\njobnets: {r: {type: flexible}}\n",
        "jobnet 'r' is a flexible job, and this version runs jobs on this machine only",
        "2:21",
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


BREAKERS = (
    st.sampled_from("\n\t :-#'\"[]{},&*!|>%@`?x5\\\x00\x85\u2028\ufeff~<=.") | st.characters()
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
a.yaml:10:23 /sales/close/collect: unit 'collect' is a flexible job, and this version runs jobs on this machine only
    remove type, destination and relay to run it here
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
    write 'key: value' with the keys group, comment, calendar, jobnets
c.yaml:1:8 /sales/close: '/sales/close' is a root jobnet, so '/sales/close' cannot be a job group
    the jobnet stands at a.yaml:5:3; rename one of them
c.yaml:3:3 /sales/close: jobnet name 'a:b' contains the character ':'
    a unit name has no spaces and none of " & ' * ? [ ] ^ { | } ~ ; , / : @
"""


def rows(template, table):
    return [
        pytest.param(template % row[0], *row[1:], id=f"{row[0][:60]} {row[2]}") for row in table
    ]


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        *rows(IN_A_JOB, JOB),
        *rows(IN_A_RULE, RULE),
        *rows(IN_A_CALENDAR, CALENDAR),
        *rows(IN_UNITS, UNITS),
    ],
)
def test_each_mistake_is_named_where_it_stands(text, message, place):
    assert (message, place) in [(p.message, at(p)) for p in problems(text)]


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
        (IN_A_CALENDAR, CALENDAR, "/g"),
    ],
    ids=["job", "rule", "calendar"],
)
def test_each_complaint_names_its_unit_begins_in_lower_case_and_says_what_to_do(
    template, table, unit
):
    for row in table:
        for problem in problems(template % row[0]):
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
"""
    found = problems(sales, "- a\n", branch)
    lines = [f"{p.place} {p.unit or '-'}: {p.message}\n    {p.hint}\n" for p in found]
    assert "".join(lines) == SEVERAL


def test_the_value_that_is_wrong_is_kept_apart_for_machines():
    (found,) = problems(IN_A_RULE % "start_time: '48:00'")
    assert (found.value, found.unit) == ("48:00", "/g/r")


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
