"""What is suspicious in definitions and calendars that are right."""

from ajs.lint.findings import Finding, Lint, OddHour, Severity
from ajs.lint.linter import Linter, in_odd_hours

__all__ = ["Finding", "Lint", "Linter", "OddHour", "Severity", "in_odd_hours"]
