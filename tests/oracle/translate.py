"""AJS3 unit definition parameters as definition files of ours: ``sd=1,*03`` becomes ``start_day: {open: 3}``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from tests.oracle.story import Units

WEEKDAYS = {
    "su": "sun", "mo": "mon", "tu": "tue", "we": "wed", "th": "thu", "fr": "fri", "sa": "sat",
}  # fmt: skip
COUNTING = {"": "absolute", "+": "relative", "*": "open", "@": "closed"}
CYCLES = {"y": "year", "m": "month", "w": "week", "d": "day"}
SUBSTITUTES = {"be": "before", "af": "after", "ca": "skip", "no": "run"}
RETURN_CODES = {"normally": 0, "warning": 1, "abnormally": 2}
OVERLAPS = {("sch", "n"): "skip", ("sch", "y"): "skip", ("mlt", "n"): "multi", ("mlt", "y"): "concurrent"}  # fmt: skip
HOLDS = {"n": "no", "y": "yes", "w": "if warning", "a": "if abnormal"}
LOGS_TO_KEEP = 99
"""How many logs are kept where a story does not say."""
START_DAY = re.compile(
    r"(?:(?:(?P<year>\d{4})/)?(?P<month>\d\d?)/)?(?P<counting>[+*@]?)"
    r"(?:(?P<number>\d+)|b(?:-(?P<back>\d+))?|(?P<weekday>su|mo|tu|we|th|fr|sa)(?::(?P<nth>[1-5b]))?)"
)


class Unknown(Exception):
    """A parameter that has no meaning here: the story cannot be told."""


def start_day(text: str) -> object:
    """What ``sd`` says behind the rule number."""
    if text == "en":
        return "registered"
    found = START_DAY.fullmatch(text)
    if found is None or (found["weekday"] and found["counting"] in ("*", "@")):
        raise Unknown(f"sd={text}")
    counting = COUNTING[found["counting"]]
    if found["weekday"]:
        day: dict[str, object] = {"weekday": WEEKDAYS[found["weekday"]]}
        if found["nth"]:
            day["nth"] = "last" if found["nth"] == "b" else int(found["nth"])
        if found["counting"]:
            day["counting"] = counting
    elif found["number"]:
        day = {counting: int(found["number"])}
    else:
        day = {counting: f"last-{int(found['back'])}" if int(found["back"] or 0) else "last"}
    for part in ("year", "month"):
        if found[part]:
            day[part] = int(found[part])
    return day


def cycle(text: str) -> object:
    """What ``cy`` says: ``(1,m)``."""
    found = re.fullmatch(r"\((\d+),([ymwd])\)", text)
    if found is None:
        raise Unknown(f"cy={text}")
    return f"{found[1]} {CYCLES[found[2]]}"


def days_from_start(text: str) -> object:
    """What ``cftd`` says: ``be,2,10``."""
    kind, *numbers = text.split(",")
    if kind == "no":
        return None
    days = int(numbers[0]) if numbers else 1
    if kind in ("be", "db"):
        days = -days
    found: dict[str, object] = {"open" if kind in ("be", "af") else "plain": days}
    if len(numbers) > 1:
        found["within"] = int(numbers[1])
    return found


def delay(text: str) -> object:
    """What ``sy`` and ``ey`` say: ``10:30``, ``M90``."""
    words = {"M": "root", "U": "upper", "C": "own"}
    return f"{words[text[0]]} + {text[1:]} min" if text[0] in words else text


RULE_KEYS: dict[str, tuple[str, Any]] = {
    "sd": ("start_day", start_day),
    "st": ("start_time", str),
    "cy": ("cycle", cycle),
    "sh": ("substitute", SUBSTITUTES.__getitem__),
    "shd": ("shift_days", int),
    "cftd": ("days_from_start", days_from_start),
    "ln": ("link", int),
    "sy": ("start_delay", delay),
    "ey": ("end_delay", delay),
    "wc": ("condition_count", str),
    "wt": ("condition_time", str),
}
"""Each parameter of a rule with our key and what turns its text into our value."""
UNUSED = {("wc", "no"), ("wt", "no")}
"""What says that nothing is asked for."""


def schedule(unit: Mapping[str, Any], *, root: bool) -> object:
    """The key ``schedule`` of a jobnet, None to leave it out."""
    given: dict[str, dict[str, str]] = {}
    for key in RULE_KEYS:
        for item in unit.get(key, ()):
            number, _, value = item.partition(",")
            given.setdefault(number, {})[key] = value
    if given.get("0", {}).get("sd") == "ud":
        return "undefined"
    if not given and (root or unit.get("de") != "n"):
        return None
    rules = []
    for number, parameters in given.items() or [("1", {})]:
        rule: dict[str, object] = {"rule": int(number)}
        for key, value in parameters.items():
            if (key, value) not in UNUSED and (said := RULE_KEYS[key][1](value)) is not None:
                rule[RULE_KEYS[key][0]] = said
        rules.append(rule)
    return rules


def calendar(said: Mapping[str, Any]) -> dict[str, object]:
    """A group's calendar."""
    found: dict[str, object] = {}
    for key in ("closed", "open"):
        if said.get(key):
            found[key] = [_day(text) for text in said[key]]
    if "base_day" in said:
        weekday, _, nth = str(said["base_day"]).partition(":")
        found["base_day"] = {"weekday": WEEKDAYS[weekday], "nth": int(nth)} if nth else int(weekday)
    if "month" in said:
        found["month"] = said["month"]
    if "base_time" in said:
        found["base_time"] = said["base_time"]
    return found


def _day(text: str) -> str:
    *before, last = str(text).split("/")
    if last in WEEKDAYS:
        return " ".join((*(["-".join(before)] if before else []), WEEKDAYS[last]))
    return "-".join((*before, last))


def jobnet(units: Units, path: str) -> dict[str, object]:
    """A root or nested jobnet with all that is in it."""
    unit = units.by_path[path]
    root = units.types[path] == "root"
    found: dict[str, object] = {}
    rules = schedule(unit, root=root)
    if rules is not None:
        found["schedule"] = rules
    if "ed" in unit:
        found["valid_until"] = unit["ed"].replace("/", "-")
    if "jc" in unit:
        found["calendar_of"] = unit["jc"]
    if "ejn" in unit:
        found["exclusive"] = unit["ejn"]
    if unit.get("ha", "n") != "n":
        found["hold"] = HOLDS[unit["ha"]]
    if root:
        overlap = OVERLAPS[unit.get("ms", "sch"), unit.get("mp", "n")]
        if overlap != "skip":
            found["overlap"] = overlap
        found["logs_to_keep"] = unit.get("rg", LOGS_TO_KEEP)
    inside = {p.rpartition("/")[2]: _inside(units, p) for p in units.inside(path)}
    for before, after in unit.get("relations", ()):
        _after(inside[after]).append(before)
    found["units"] = inside or {"nothing": {"command": "true"}}
    return found


def _inside(units: Units, path: str) -> dict[str, Any]:
    if units.types[path] == "jobnet":
        return jobnet(units, path)
    found: dict[str, Any] = {"command": "true", "warning_above": 0, "abnormal_above": 1}
    if units.by_path[path].get("ha", "n") != "n":
        found["hold"] = HOLDS[units.by_path[path]["ha"]]
    return found


def _after(unit: dict[str, Any]) -> list[str]:
    found: list[str] = unit.setdefault("after", [])
    return found


def groups(units: Units, calendars: Mapping[str, Any], base_time: str = "") -> str:
    """The definition file with these root jobnets and calendars; ``base_time`` is the scheduler service's."""
    said = {group: calendar(text) for group, text in calendars.items()}
    if base_time and base_time != "0:00":
        said["/"] = {"base_time": base_time} | said.get("/", {})
    found: dict[str, dict[str, Any]] = {}
    for path, kind in units.types.items():
        if kind == "planning_group":
            found.setdefault(path, {"group": path})["planning"] = "yes"
    for group, settings in said.items():
        found.setdefault(group, {"group": group})["calendar"] = settings
    for root in units.roots:
        group = root.rpartition("/")[0] or "/"
        jobnets = found.setdefault(group, {"group": group}).setdefault("jobnets", {})
        jobnets[root.rpartition("/")[2]] = jobnet(units, root)
    return yaml.safe_dump({"groups": list(found.values())}, sort_keys=False)
