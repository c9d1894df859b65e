"""The rules of one jobnet together: their numbers, and the rules of the jobnet above that they follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ajs.definition.kinds import Placed, Spot
from ajs.definition.problems import listed
from ajs.definition.rule_schema import RuleDraft
from ajs.errors import Place
from ajs.rules import MAX_RULES, Rule

Drafts = Sequence[Placed[RuleDraft]]
Numbers = tuple[int, ...] | None
"""The numbers of a jobnet's rules; None when a number is wrong, so that nobody can say."""


def settle(
    drafts: Drafts | None, spot: Spot, *, nested: bool = False, upper: Numbers = None
) -> tuple[tuple[Rule, ...], Numbers]:
    """Return the rules of a jobnet in the order of their numbers, and these numbers.

    A rule without a number takes the smallest free one (rule book 2.1). In a nested jobnet a rule follows the rule
    of the jobnet above that ``link`` names, without it the one of the same number; ``upper`` are the numbers there
    are. The rules that a repetition makes take the smallest numbers that are then free, and follow the rule that their
    first one follows (2.5). The link of a root's rule means nothing and keeps its default.
    """
    if drafts is None:
        return (), None
    made = sum(len(draft.value.repeats) for draft in drafts)
    if len(drafts) + made > MAX_RULES:
        spot.refuse(
            _too_many(drafts),
            f"schedule has {len(drafts) + made} rules",
            hint=f"a jobnet has at most {MAX_RULES} rules"
            + (f"; {made} of these come from repeat" if made else ""),
            value=str(len(drafts) + made),
        )
        return (), None
    rules = []
    numbered = _numbered(drafts, spot)
    taken = {number for _, number in numbered}
    free = (n for n in range(1, MAX_RULES + 1) if n not in taken)
    for draft, number in numbered:
        link = draft.value.link.value if draft.value.link else number
        if nested and upper is not None and draft.value.numbered and link not in upper:
            _refuse_link(draft, spot, number, upper)
        rule = replace(draft.value.rule, number=number, link=link if nested else 1)
        rules.append(rule)
        rules += [replace(rule, number=next(free), start_time=at) for at in draft.value.repeats]
    rules.sort(key=lambda rule: rule.number)
    sure = all(draft.value.numbered for draft in drafts)
    return tuple(rules), tuple(rule.number for rule in rules) if sure else None


def _too_many(drafts: Drafts) -> Place:
    """Return the place of the rule with which there are too many, those that repetitions make included."""
    total = 0
    for draft in drafts:
        total += 1 + len(draft.value.repeats)
        if total > MAX_RULES:
            return draft.place
    raise AssertionError  # there are too many


def _numbered(drafts: Drafts, spot: Spot) -> list[tuple[Placed[RuleDraft], int]]:
    """Return each rule with its number; note numbers given twice and leave those rules out."""
    taken: dict[int, Place] = {}
    kept = []
    for draft in drafts:
        given = draft.value.number
        if given and given.value in taken:
            spot.refuse(
                given.place,
                f"schedule rule {given.value} is given twice",
                hint=f"the first stands in line {taken[given.value].line}; give each its own number, or none",
                value=str(given.value),
            )
            continue
        if given:
            taken[given.value] = given.place
        kept.append(draft)
    free = (n for n in range(1, MAX_RULES + 1) if n not in taken)
    return [(d, d.value.number.value if d.value.number else next(free)) for d in kept]


def _refuse_link(draft: Placed[RuleDraft], spot: Spot, number: int, upper: tuple[int, ...]) -> None:
    """Note a rule that follows a rule which the jobnet above does not have."""
    link = draft.value.link
    there = (
        f"the jobnet above has rule{'s' if len(upper) > 1 else ''} {listed(upper)}"
        if upper
        else "the jobnet above has no schedule rules"
    )
    wanted = link.value if link else number
    spot.refuse(
        link.place if link else draft.place,
        f"schedule rule {number} follows rule {wanted} of the jobnet above, which it does not have",
        hint=there + ("" if link or not upper else f"; add link: {upper[0]}"),
        value=str(wanted),
    )
