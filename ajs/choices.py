"""Where the rule book is unsure: one named constant for each choice, with what the other reading would be.

All but the last are the points of rule book section 10. ``[decide]`` means that nothing was found and this is our
choice; ``[memory]`` that it is general knowledge which no source confirmed. None is a setting, as no evidence asks for
one; turning one changes what stored definitions mean.
"""

from __future__ import annotations

from datetime import timedelta

EARLY_TIME_IS_NEXT_DAY: bool = True
"""An absolute time of a rule below the base time means the next clock day (4.4 [decide], R7). Otherwise: the same
clock day, which lies in the AJS day before."""

MISSING_DAY_IS_LAST: bool = True
"""An absolute day that a month lacks is its last day (3.3 [decide]). Otherwise: no run in that month."""

USUAL_SUBSTITUTE = "skip"
"""What a rule without a substitute does on a closed day (3.11 [decide], R3; a closed start day always runs).
Otherwise: ``run``."""

OPEN_DAYS_WITHIN = 10
"""How many plain days are searched for the open days from start when a rule does not say (3.12 [memory]).
Otherwise: any other number of 1 to 31."""

CYCLE_DAYS_FOLLOW_KIND: bool = True
"""A cycle of days counts open days from an open start day, likewise closed ones (3.7 [decide], R25). Otherwise: plain
days, of which closed ones are then substituted."""

OVERDUE = timedelta(minutes=1)
"""Starts that are this much older than the moment at which the run before them starts are missed: under planned
registration the times that went by while it waited (6.10 [decide]), and all but one of those that went by while the
manager was stopped (6.11 [decide]). Otherwise: each of them runs, one after the other."""

NESTED_LAST_MINUTE = timedelta(minutes=1)
"""How long before the end of the 48 hours a nested start is put that followed its root out of them (7.3 [decide], R20).
Otherwise: such a nested jobnet has no schedule."""

CHANGES_SURVIVE_EDITS: bool = True
"""Temporary changes outlive a new rule or calendar (7.9, R4). Otherwise, as in AJS3 [K-4751]: they are lost."""

NESTED_RELATIVE_TO_UPPER: bool = True
"""A nested relative start time counts from the upper jobnet's start (4.1 [memory]). Otherwise: from the base time of
the execution date."""

UNSET_IS_OPEN: bool = True
"""A day that no calendar sets is open (1.4 [memory]). Otherwise: closed."""
