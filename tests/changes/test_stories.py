"""Temporary changes as stories: every rule of the seed text and of the rule book's section 7 that roots and nested
jobnets under planned and immediate registration have.

8/10 is a Sunday, 8/11 a Monday, 8/15 a Friday. The format is told in ``world.py``.
"""

from __future__ import annotations

import pytest

from tests.changes.world import play

STORIES = {
    "only the chosen run changes, the normal schedule goes on": """
        R sd=2025/08/11 cy=1,d st=10:00
        10 12:00 ajsentry => 11 10:00 | 12 10:00, 13 10:00
        10 12:01 ajsplan -t 12:00 => 11 12:00 | 12 10:00, 13 10:00
        12 11:00 advance => ran 11 12:00, 12 10:00
    """,
    "pushed ahead and kept: it runs at both times, what was changed before goes with the early run": """
        R sd=2025/08/15 cy=1,w st=10:00
        J job
        10 12:00 ajsentry => 15 10:00
        10 12:01 ajsplan -h J => 15 10:00 held J
        10 12:02 ajsplan -d 2025/08/13 => 13 10:00 held J | 15 10:00, 22 10:00
        13 12:00 advance => 15 10:00 | 22 10:00
        16 12:00 advance => ran 13 10:00, 15 10:00
    """,
    "pushed ahead and moved: the original is not run": """
        R sd=2025/08/15 cy=1,w st=10:00
        10 12:00 ajsentry => 15 10:00
        10 12:01 ajsplan -d 13 --move => 13 10:00 | 22 10:00
        16 12:00 advance => ran 13 10:00
    """,
    "today and already past: it starts at once": """
        R sd=2025/08/15 st=10:00
        10 12:00 ajsentry => 15 10:00
        11 15:00 ajsplan -d 11 -t 10:00 -p => ran 11 15:00
    """,
    "pushed ahead and kept, then the rule is edited to before it: each of the two runs once": """
        R sd=2025/08/11 cy=1,d st=20:00
        10 12:00 ajsentry => 11 20:00
        10 12:01 ajsplan -t 19:00 => 11 19:00 | 11 20:00, 12 20:00
        10 12:02 define R sd=2025/08/11 cy=1,d st=19:30 => 11 19:00 | 11 19:30, 12 19:30
        10 12:03 define R sd=2025/08/11 cy=1,d st=18:30 => 11 18:30, 11 19:00 added | 12 18:30
        13 12:00 advance => ran 11 18:30, 11 19:00, 12 18:30
    """,
    "pushed ahead and kept, then its day is closed: each of the two runs once": """
        closed 2025/08/30
        R sd=2025/08/20 cy=1,m st=20:00 sh=be
        10 12:00 ajsentry => 20 20:00
        10 12:01 ajsplan -t 9:00 => 20 09:00 | 20 20:00
        10 12:02 define closed 2025/08/20 => 19 20:00, 20 09:00 added
        21 12:00 advance => ran 19 20:00, 20 09:00
    """,
    "an occurrence that ran does not come again when its rule is edited": """
        R sd=2025/08/11 cy=1,d st=20:00
        10 12:00 ajsentry => 11 20:00
        11 21:00 advance => 12 20:00
        11 21:01 define R sd=2025/08/11 cy=1,d st=22:00 => 12 22:00 | 13 22:00
        13 12:00 advance => ran 11 20:00, 12 22:00
    """,
    "an occurrence that ran does not come again when its day is opened": """
        closed 2025/08/15
        R sd=2025/08/15 cy=1,w st=10:00 sh=be
        10 12:00 ajsentry => 14 10:00
        14 11:00 advance => 22 10:00
        14 11:01 define closed 2025/08/30 => 22 10:00 | 29 10:00
        23 12:00 advance => ran 14 10:00, 22 10:00
    """,
    "a changed run stays where it was put when its rule is edited": """
        R sd=2025/08/11 cy=1,d st=10:00
        10 12:00 ajsentry => 11 10:00
        10 12:01 ajsplan -c 10 => 11 10:10 | 12 10:00
        10 12:02 define R sd=2025/08/11 cy=1,d st=14:00 => 11 10:10 | 12 14:00
        10 12:03 ajsplan -u => 11 14:00 | 12 14:00
    """,
    "a day before today is over": """
        R sd=2025/08/15 st=10:00
        B sd=2025/08/15 st=10:00
        10 12:00 ajsentry => 15 10:00 B=15 10:00
        11 15:00 ajsplan -d 10 -t 23:59 -p => refused lies before today
        11 15:00 ajsplan -b -5 -p => refused lies before today
        11 15:00 ajsplan -d 14 B => refused outside the 48 hours
        11 15:01 ajsplan -d 11 -t 0:00 -p => ran 11 15:01
    """,
    "today begins at the base time": """
        base_time 8:00
        R sd=2025/08/15 st=10:00
        10 12:00 ajsentry => 15 10:00
        11 01:00 ajsplan -d 10 -t 7:59 -p => refused lies before today, which began at 2025-08-10 08:00
        11 01:00 ajsplan -d 10 -t 8:00 -p => ran 11 01:00 (10)
    """,
    "a nested start before today is over too": """
        mode 48h
        R sd=2025/08/11 st=30:00
        B sd=2025/08/11 st=31:00
        10 12:00 ajsentry => 12 06:00 (11) B=12 07:00
        12 01:00 ajsplan -d 11 -t 23:00 B => refused lies before today
    """,
    "a time alone keeps the execution date, one before the base time is the next clock day's": """
        base_time 8:00
        R sd=2025/08/12 st=22:00
        10 12:00 ajsentry => 12 22:00
        10 12:01 ajsplan -t 25:00 => 13 01:00 (12)
        10 12:02 ajsplan -t 23:00 -p => 12 23:00
        10 12:03 ajsplan -t 2:00 => 13 02:00 (12)
        10 12:04 ajsplan -d 14 => 15 02:00 (14)
    """,
    "a nested jobnet keeps the root's execution date too": """
        R sd=2025/08/12 st=22:00
        B sd=2025/08/12 st=25:00
        10 12:00 ajsentry => 12 22:00 B=13 01:00
        10 12:01 ajsplan -t 23:00 B => 12 22:00 B=12 23:00
        10 12:02 ajsplan -t 26:00 B => 12 22:00 B=13 02:00
        10 12:03 ajsplan -d 13 B => 12 22:00 B=13 02:00
        10 12:04 ajsplan -d 12 -t 1:00 B => 12 22:00 B=12 01:00
    """,
    "a jobnet without a schedule cannot be changed": """
        R sd=2025/08/11 cy=1,d st=10:00
        B sd=2025/08/fr:1 cy=1,w st=11:00
        10 12:00 ajsentry => 11 10:00 B=-
        10 12:01 ajsplan -t 12:00 B => refused has no execution schedule
    """,
    "cancelled: back at the original time, and the dummy that it had passed comes back": """
        R sd=2025/08/11 cy=3,d st=10:00
        10 12:00 ajsentry => 11 10:00 | 14 10:00, 17 10:00
        10 12:01 ajsplan -d 15 => 15 10:00 | 17 10:00, 20 10:00
        10 12:02 ajsplan -u => 11 10:00 | 14 10:00, 17 10:00
        10 12:03 ajsplan -u => refused no temporary change of its start
    """,
    "a dummy that a run was moved past is not executed": """
        R sd=2025/08/11 cy=3,d st=10:00
        10 12:00 ajsentry => 11 10:00
        10 12:01 ajsplan -d 15 => 15 10:00 | 17 10:00
        18 12:00 advance => ran 15 10:00, 17 10:00
    """,
    "moved to just before a dummy: the dummies stay": """
        R sd=2025/08/11 cy=3,d st=10:00
        10 12:00 ajsentry => 11 10:00
        10 12:01 ajsplan -d 13 => 13 10:00 | 14 10:00, 17 10:00
    """,
    "several runs added in a row: only the last one lives, the original stays": """
        R sd=2025/08/15 cy=1,w st=10:00
        10 12:00 ajsentry => 15 10:00
        10 12:01 ajsplan -d 13 => 13 10:00 | 15 10:00
        10 12:02 ajsplan -d 12 => 12 10:00 | 15 10:00, 22 10:00
        23 12:00 advance => ran 12 10:00, 15 10:00, 22 10:00
    """,
    "a run with a kept original is not moved to or behind it (R16)": """
        R sd=2025/08/15 cy=1,w st=10:00
        10 12:00 ajsentry => 15 10:00
        10 12:01 ajsplan -d 13 => 13 10:00 | 15 10:00
        10 12:02 ajsplan -d 15 => refused the original run that an earlier change kept
        10 12:03 ajsplan -d 15 -t 9:59 => 15 09:59 | 15 10:00
        10 12:04 ajsplan -c 1 => refused is not before
        10 12:05 ajsplan -u => 15 10:00 | 22 10:00
    """,
    "postponed, then also between: what is kept is where it lies now (R31)": """
        R sd=2025/08/15 cy=1,w st=10:00
        10 12:00 ajsentry => 15 10:00
        10 12:01 ajsplan -d 20 => 20 10:00 | 22 10:00
        10 12:02 ajsplan -d 18 => 18 10:00 | 20 10:00, 22 10:00
        21 12:00 advance => ran 18 10:00, 20 10:00
    """,
    "earlier is measured from the present time (R16)": """
        R sd=2025/08/15 cy=1,w st=10:00
        10 12:00 ajsentry => 15 10:00
        10 12:01 ajsplan -d 12 -p => 12 10:00 | 22 10:00
        10 12:02 ajsplan -d 13 => 13 10:00 | 22 10:00
    """,
    "the same moment with another execution date is not earlier (R34)": """
        mode 48h
        R sd=2025/08/11 cy=3,d st=36:00
        10 12:00 ajsentry => 12 12:00 (11) | 15 12:00 (14)
        10 12:01 ajsplan -d 12 -t 12:00 => 12 12:00 | 15 12:00 (14)
    """,
    "passed on: the lower jobnets move by the same amount, otherwise they stay": """
        R sd=2025/08/11 cy=1,d st=10:00
        B sd=2025/08/11 cy=1,d st=11:00
        C follows
        10 12:00 ajsentry => 11 10:00 B=11 11:00 C=upper
        10 12:01 ajsplan -c 120 -i => 11 12:00 B=11 13:00 C=upper
        10 12:02 ajsplan -c 60 => 11 13:00 B=11 13:00 C=upper
    """,
    "cancelling takes back what was passed on, but not what was changed since (R16)": """
        R sd=2025/08/11 cy=1,d st=10:00
        B sd=2025/08/11 cy=1,d st=11:00
        C sd=2025/08/11 cy=1,d st=13:00
        10 12:00 ajsentry => 11 10:00 B=11 11:00 C=11 13:00
        10 12:01 ajsplan -t 12:00 -i => 11 12:00 B=11 13:00 C=11 15:00
        10 12:02 ajsplan -t 16:00 C => 11 12:00 B=11 13:00 C=11 16:00
        10 12:03 ajsplan -u => 11 10:00 B=11 11:00 C=11 16:00
        10 12:04 ajsplan -u C => 11 10:00 B=11 11:00 C=11 13:00
    """,
    "passed on there and back again is no change: the rules decide again": """
        R sd=2025/08/11 cy=1,w st=10:00
        C sd=2025/08/11 cy=1,w st=12:00
        10 12:00 ajsentry => 11 10:00 C=11 12:00
        10 12:01 ajsplan -c 120 -i => 11 12:00 C=11 14:00
        10 12:02 ajsplan -c -120 -i -p => 11 10:00 C=11 12:00
        10 12:03 ajsplan -d 13 => 13 10:00 C=-
    """,
    "changed by hand before it was passed on: cancelling leaves the change by hand": """
        R sd=2025/08/11 cy=1,d st=10:00
        B sd=2025/08/11 cy=1,d st=11:00
        10 12:00 ajsentry => 11 10:00 B=11 11:00
        10 12:01 ajsplan -t 12:30 B => 11 10:00 B=11 12:30
        10 12:02 ajsplan -t 12:00 -i => 11 12:00 B=11 14:30
        10 12:03 ajsplan -u => 11 10:00 B=11 12:30
    """,
    "passed on out of the 48 hours is refused": """
        R sd=2025/08/11 cy=3,d st=10:00
        B sd=2025/08/11 cy=3,d st=47:00
        10 12:00 ajsentry => 11 10:00 B=12 23:00
        10 12:01 ajsplan -c 60 -i => refused outside the 48 hours
        10 12:02 ajsplan -c 59 -i => 11 10:59 B=12 23:59
    """,
    "another date without passing on: rules decide, what was changed by hand follows": """
        R sd=2025/08/11 cy=1,w st=10:00
        A sd=2025/08/11 cy=1,w st=11:00
        B sd=2025/08/11 cy=1,d st=11:00
        C sd=2025/08/11 cy=1,w st=12:00
        10 12:00 ajsentry => 11 10:00 A=11 11:00 B=11 11:00 C=11 12:00
        10 12:01 ajsplan -t 12:30 C => 11 10:00 A=11 11:00 B=11 11:00 C=11 12:30
        10 12:02 ajsplan -d 13 => 13 10:00 A=- B=13 11:00 C=13 12:30
        10 12:03 ajsplan -u => 11 10:00 A=11 11:00 B=11 11:00 C=11 12:30
    """,
    "a nested change that was cancelled no longer counts as fixed by hand (R37)": """
        R sd=2025/08/11 cy=1,w st=10:00
        C sd=2025/08/11 cy=1,w st=12:00
        10 12:00 ajsentry => 11 10:00 C=11 12:00
        10 12:01 ajsplan -t 12:30 C => 11 10:00 C=11 12:30
        10 12:02 ajsplan -u C => 11 10:00 C=11 12:00
        10 12:03 ajsplan -d 13 => 13 10:00 C=-
    """,
    "immediate and held: moved to another date, all nested jobnets follow": """
        R sd=2025/08/11 cy=1,w st=10:00
        B sd=2025/08/11 cy=1,d st=11:00
        11 10:00 ajsentry -n -h => 11 10:00 held R B=upper
        11 10:05 ajsplan -d 13 -t 9:00 => 13 09:00 held R B=upper
    """,
    "immediate and held, pushed ahead: a run is added; cancelled it lies at the same time": """
        R sd=2025/08/11 cy=1,w st=10:00
        J job
        11 10:00 ajsentry -n -h => 11 10:00 held R
        11 10:01 ajsplan -d 20 => 20 10:00 held R
        11 10:02 ajsplan -h J => 20 10:00 held R held J
        11 10:03 ajsplan -d 15 => 15 10:00 added held R, 20 10:00 held R held J
        11 10:04 ajsplan -u => 20 10:00 held R held J, 20 10:00 added held R
    """,
    "a nested jobnet is simply moved, inside the 48 hours of the root's date": """
        R sd=2025/08/11 cy=3,d st=10:00
        B sd=2025/08/11 cy=3,d st=12:00
        10 12:00 ajsentry => 11 10:00 B=11 12:00
        10 12:01 ajsplan -t 11:00 B => 11 10:00 B=11 11:00
        10 12:02 ajsplan -d 12 -t 1:00 B => 11 10:00 B=12 01:00
        10 12:03 ajsplan -d 12 -t 23:59 B => 11 10:00 B=12 23:59
        10 12:04 ajsplan -d 13 -t 0:00 B => refused outside the 48 hours
        10 12:05 ajsplan -d 10 -t 23:59 B => refused outside the 48 hours
    """,
    "48 hours: 36:00 on the 11th is execution date 11, 12:00 on the 12th is execution date 12": """
        mode 48h
        R sd=2025/08/11 st=10:00
        B sd=2025/08/11 st=20:00
        10 12:00 ajsentry => 11 10:00 B=11 20:00
        10 12:01 ajsplan -d 11 -t 36:00 => 12 12:00 (11) B=11 20:00
        10 12:02 ajsplan -u => 11 10:00 B=11 20:00
        10 12:03 ajsplan -d 12 -t 12:00 => 12 12:00 B=-
    """,
    "48 hours, relative: from 24:00 on it is the next day": """
        mode 48h
        R sd=2025/08/12 st=22:00
        10 12:00 ajsentry => 12 22:00
        10 12:01 ajsplan -c 60 => 12 23:00
        10 12:02 ajsplan -c 660 => 13 10:00
    """,
    "48 hours: the time alone keeps the execution date": """
        mode 48h
        R sd=2025/08/11 cy=3,d st=33:00
        10 12:00 ajsentry => 12 09:00 (11)
        10 12:01 ajsplan -t 36:00 => 12 12:00 (11)
        10 12:02 ajsplan -t 8:00 => 11 08:00 | 12 09:00 (11)
    """,
    "base time 8:00: a typed 7:00 of the 12th belongs to the 11th (R7, R30)": """
        base_time 8:00
        R sd=2025/08/11 cy=1,d st=10:00
        B sd=2025/08/11 cy=1,d st=12:00
        10 12:00 ajsentry => 11 10:00 B=11 12:00
        10 12:01 ajsplan -d 12 -t 7:00 => 12 07:00 (11) B=11 12:00 | 12 10:00
        10 12:02 ajsplan -d 12 -t 8:00 => 12 08:00 B=12 12:00 | 12 10:00
    """,
    "run now and keep the next one, and run now instead of it": """
        R sd=2025/08/12 cy=1,d st=10:00
        11 12:00 ajsentry => 12 10:00
        11 15:00 ajsplan -q => ran 11 15:00
        11 15:01 advance => 12 10:00 | 13 10:00
        11 16:00 ajsplan -q -p => ran 11 15:00, 11 16:00
        11 16:01 advance => 13 10:00 | 14 10:00
    """,
    "run now for a nested jobnet below one without a schedule is refused": """
        R sd=2025/08/11 cy=1,d st=10:00
        B sd=2025/08/fr:1 cy=1,w st=10:00
        B/C sd=2025/08/fr:1 cy=1,w st=10:30
        10 12:00 ajsentry => 11 10:00 B=- B/C=-
        11 09:00 ajsplan -q B/C => refused has no execution schedule
        11 09:01 ajsplan -q B => 11 10:00 B=11 09:01 B/C=-
        11 09:02 ajsplan -u B => 11 10:00 B=- B/C=-
    """,
    "prohibited: the following run is next and gets everything but the time (R16)": """
        R sd=2025/08/11 cy=1,d st=10:00
        J job
        10 12:00 ajsentry => 11 10:00
        10 12:01 ajsplan -t 12:00 -h => 11 12:00 held R
        10 12:02 ajsplan -h J => 11 12:00 held R held J
        10 12:03 ajsplan -p => 12 10:00 held R held J | 13 10:00
        10 12:04 ajsplan -r => 12 10:00 held J
        12 11:00 advance => 13 10:00 | 14 10:00
        12 11:01 advance => ran 12 10:00
    """,
    "prohibitions are taken back in turn, the last one first": """
        R sd=2025/08/11 cy=1,d st=10:00
        10 12:00 ajsentry => 11 10:00
        10 12:01 ajsplan -p => 12 10:00 | 13 10:00
        10 12:02 ajsplan -p => 13 10:00 | 14 10:00
        10 12:03 ajsplan -u => 12 10:00 | 13 10:00
        10 12:04 ajsplan -u => 11 10:00 | 12 10:00
        10 12:05 ajsplan -u => refused no temporary change
    """,
    "a hold set on the run that took a prohibited one's place is not lost with the prohibition": """
        R sd=2025/08/11 cy=1,d st=10:00
        10 12:00 ajsentry => 11 10:00
        10 12:01 ajsplan -p => 12 10:00
        10 12:02 ajsplan -h => 12 10:00 held R
        10 12:03 ajsplan -u => 11 10:00 held R
    """,
    "a prohibited run does not come back through a run pushed ahead (R1)": """
        R sd=2025/08/11 cy=3,d st=10:00
        10 12:00 ajsentry => 11 10:00
        10 12:01 ajsplan -p => 14 10:00 | 17 10:00
        10 12:02 ajsplan -d 11 -t 8:00 => 11 08:00 | 14 10:00, 17 10:00
        15 00:00 advance => ran 11 08:00, 14 10:00
    """,
    "prohibiting a run moved past dummies brings them back; one that kept its original gives way to it (R32)": """
        R sd=2025/08/11 cy=3,d st=10:00
        10 12:00 ajsentry => 11 10:00
        10 12:01 ajsplan -d 15 => 15 10:00 | 17 10:00
        10 12:02 ajsplan -p => 14 10:00 | 17 10:00
        10 12:03 ajsplan -d 12 => 12 10:00 | 14 10:00
        10 12:04 ajsplan -p => 14 10:00 | 17 10:00
    """,
    "nested rules are evaluated anew for the run that takes the place": """
        closed sa su
        R sd=2025/08/14 cy=1,d st=9:00
        B sd=2025/08/fr:1 cy=1,w st=10:00
        10 12:00 ajsentry => 14 09:00 B=-
        10 12:01 ajsplan -p => 15 09:00 B=15 10:00 | 18 09:00
    """,
    "prohibiting a nested jobnet or a job holds for this run only": """
        R sd=2025/08/11 cy=1,d st=10:00
        B follows
        J job
        10 12:00 ajsentry => 11 10:00 B=upper
        10 12:01 ajsplan -p B => 11 10:00 B=-
        10 12:02 ajsplan -p B => refused has no execution schedule
        10 12:03 ajsplan -p J => 11 10:00 B=- prohibited J
        10 12:04 ajsplan -u J => 11 10:00 B=-
        11 11:00 advance => 12 10:00 B=upper
    """,
    "jobs have no time of their own": """
        R sd=2025/08/11 st=10:00
        J job
        10 12:00 ajsentry => 11 10:00
        10 12:01 ajsplan -t 12:00 J => refused exists for jobnets only
        10 12:02 ajsplan -q J => refused exists for jobnets only
    """,
    "a dependent nested jobnet has its own time only while it is changed by hand (R39)": """
        R sd=2025/08/11 cy=1,d st=10:00
        A follows
        10 12:00 ajsentry => 11 10:00 A=upper
        10 12:01 ajsplan -t 12:00 A => 11 10:00 A=11 12:00
        10 12:02 ajsplan -u A => 11 10:00 A=upper
    """,
    "planned with today's time past: -s starts the last one at once, -f waits for the next (6.5)": """
        R sd=2025/08/11 cy=1,d st=8:00; n=2 sd=2025/08/11 cy=1,d st=10:00
        11 12:00 ajsentry => ran 11 12:00
        11 12:01 advance => 12 08:00 | 12 10:00
    """,
    "planned from now on": """
        R sd=2025/08/11 cy=1,d st=8:00; n=2 sd=2025/08/11 cy=1,d st=14:00
        11 12:00 ajsentry -f => 11 14:00 | 12 08:00
    """,
    "a held run that is released late: what passed meanwhile is missed, not run (6.10)": """
        R sd=2025/08/11 cy=1,d st=8:00; n=2 sd=2025/08/11 cy=1,d st=9:00; n=3 sd=2025/08/11 cy=1,d st=14:00
        10 12:00 ajsentry -h => 11 08:00 held R
        11 13:00 ajsplan -r => ran 11 13:00
        11 13:01 advance => 11 14:00 | 12 08:00
    """,
    "48 hours, two runs at one moment: the second is not lost (R26)": """
        mode 48h
        R sd=2025/08/12 st=1:00; n=2 sd=2025/08/11 st=25:00; n=3 sd=2025/08/15 st=10:00
        10 12:00 ajsentry => 12 01:00 (11) | 12 01:00, 15 10:00
        13 00:00 advance => ran 12 01:00 (11), 12 01:00
    """,
    "48 hours: 25:00 of the day before is still to come when it is registered after midnight (R10)": """
        mode 48h
        R sd=2025/08/10 st=25:00
        11 0:30 ajsentry => 11 01:00 (10)
    """,
    "a new rule time moves an unchanged run; a changed run keeps its change (design: ties)": """
        R sd=2025/08/11 cy=1,d st=10:00
        10 12:00 ajsentry => 11 10:00
        10 12:01 define R sd=2025/08/11 cy=1,d st=11:00 => 11 11:00 | 12 11:00
        10 12:02 ajsplan -t 15:00 => 11 15:00 | 12 11:00
        10 12:03 define R sd=2025/08/11 cy=1,d st=9:00 => 11 15:00 | 12 09:00
        10 12:04 ajsplan -u => 11 09:00 | 12 09:00
    """,
    "a prohibition and a hold survive a new calendar (R4)": """
        closed sa su
        R sd=2025/08/11 cy=1,d st=10:00
        10 12:00 ajsentry => 11 10:00
        10 12:01 ajsplan -p => 12 10:00
        10 12:02 ajsplan -h => 12 10:00 held R
        10 12:03 define closed 2025/08/13 => 12 10:00 held R | 14 10:00
        10 12:04 define closed 2025/08/12 2025/08/13 => 14 10:00 held R | 15 10:00
    """,
    "a run moved early does not run again when its rule's time is edited": """
        R sd=2025/08/15 cy=1,w st=10:00
        10 12:00 ajsentry => 15 10:00
        10 12:01 ajsplan -d 13 -p => 13 10:00 | 22 10:00
        14 12:00 define R sd=2025/08/15 cy=1,w st=11:00 => 22 11:00 | 29 11:00
        16 12:00 advance => ran 13 10:00
    """,
    "a change whose run the rules no longer plan is gone with it": """
        R sd=2025/08/11 cy=1,d st=10:00
        10 12:00 ajsentry => 11 10:00
        10 12:01 ajsplan -t 15:00 => 11 15:00
        10 12:02 define R sd=2025/08/12 cy=1,d st=10:00 => 12 10:00 | 13 10:00
    """,
    "a base time set before the run starts it at once, one set after it lets it run twice (1.12)": """
        R sd=2025/08/01 cy=1,d st=+0:00
        4 12:00 ajsentry -f => 05 00:00
        5 03:00 define base_time 9:00 => 05 09:00 | 06 09:00
        5 12:00 advance => ran 05 00:00, 05 09:00
    """,
}


@pytest.mark.parametrize("name", STORIES)
def test_story(name):
    for step, expected, seen in play(STORIES[name]):
        assert seen == expected, step
