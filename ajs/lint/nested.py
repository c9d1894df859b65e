"""The rules of nested jobnets that never take part in a run of their root."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from ajs.lint.findings import YEARS, Finding, Lint, found
from ajs.reasons import Because, Reason
from ajs.rules import (
    Occurrence,
    Rule,
)


@dataclass(slots=True)
class Case:
    """A rule of a nested jobnet that has not taken part in any run so far, and how near it came."""

    unit: str
    rule: Rule
    exclusive: str
    days: Iterator[Occurrence] | None
    """What it falls on; None: not known here, so every day is tried."""
    day: date | None = None
    linked: bool = False
    met: bool = False
    taken: int = 0
    first_taken: date | None = None
    """On how many days its exclusive jobnet kept it from running, and on which first."""
    outside: tuple[datetime, date] | None = None

    def falls_on(self, day: date) -> bool:
        """Whether the rule falls on a day; days are asked for in order."""
        if self.days is None:
            return True
        while self.day is None or self.day < day:
            following = next(self.days, None)
            if following is None:
                self.days = iter(())
                self.day = date.max
            elif following.runs_on is not None:
                self.day = following.runs_on
        return self.day == day

    def runs(
        self,
        day: date,
        window: tuple[datetime, datetime],
        reasons: Sequence[Reason],
        *,
        excluded: bool,
    ) -> bool:
        """Note how near the rule came in a run of the root, and return whether it takes part in it.

        ``excluded``: the jobnet's exclusive jobnet is scheduled in that run.
        """
        self.met = True
        codes = {reason.because for reason in reasons}
        if Because.LINKED not in codes:
            return False
        self.linked = True
        for reason in reasons:
            start = dict(reason.facts).get("start")
            if reason.because is Because.NESTED_START and isinstance(start, datetime):
                if window[0] <= start < window[1]:
                    if not excluded:
                        return True
                    self.taken += 1
                    self.first_taken = self.first_taken or day
                    return False
                self.outside = self.outside or (start, day)
        return False

    def finding(self) -> Finding:
        """Return why the rule never runs."""
        number = self.rule.number
        if self.first_taken is not None:
            return found(
                Lint.RULE_NEVER_RUNS,
                self.unit,
                number,
                years=YEARS,
                hits=self.taken,
                first=self.first_taken,
                why=f"its exclusive jobnet {self.exclusive} runs on each of them",
            )
        if self.outside is not None:
            start, day = self.outside
            return found(Lint.NESTED_OUTSIDE, self.unit, number, years=YEARS, start=start, day=day)
        if self.met and not self.linked:
            return found(Lint.LINK_DEAD, self.unit, number, years=YEARS, link=self.rule.link)
        return found(Lint.NESTED_OFF_DAYS, self.unit, number, years=YEARS)


def of_rule(reasons: Sequence[Reason], number: int) -> list[Reason]:
    """Return the part of a nested jobnet's chain of reasons that one of its rules gave."""
    found: list[Reason] = []
    inside = False
    for reason in reasons:
        if reason.because in {Because.LINKED, Because.NOT_LINKED}:
            inside = dict(reason.facts)["rule"] == number
        if inside:
            found.append(reason)
    return found
