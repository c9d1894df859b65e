"""Lints that several units have in common, as one line."""

from __future__ import annotations

from ajs.errors import Place
from ajs.lint import Lint
from ajs.lint.findings import YEARS, found
from ajs.operations.lint import Linted
from ajs.render.check import lint_lines


def test_equal_findings_keep_their_places():
    lints = [
        Linted(found(Lint.RULE_NO_DAY, f"/g/{name}", 1, years=YEARS), Place("g.yaml", line, 9))
        for name, line in (("a", 4), ("b", 8))
    ]
    first, _ = lint_lines(lints, every=False)
    assert first.startswith("warn  /g/a (g.yaml:4:9), /g/b (g.yaml:8:9): rule 1 falls on no day")
