"""``ajskill``: kill jobs, and jobnets with everything below them."""

from __future__ import annotations

from typing import Any

import click

from ajs.cli.common import CONTEXT
from ajs.cli.ending import ended, ending_options
from ajs.cli.names import unit_names


@click.command(context_settings=CONTEXT)
@click.argument("units", nargs=-1, required=True, metavar="UNIT...", shell_complete=unit_names)
@ending_options
def command(units: tuple[str, ...], **given: Any) -> int:
    """Kill jobs, and jobnets with everything below them.

    All processes of a job get TERM; when its first one has ended, or after 10 seconds, what is left of them gets KILL.
    The job then shows Killed, whatever return code it left. Below a killed jobnet nothing starts any more, recovery
    units included. After a killed job its recovery units run, the units after it do not.

    Without -B or unit:@ID the run that goes on is meant. Over several units the command goes on where one is refused,
    and ends with exit code 16; --all-or-nothing kills nothing then. With -R, what does not run is passed over.

    \b
    ajskill /sales/daily-close/total                             one job
    ajskill --reason 'wrong file' /sales/daily-close:@A12        one run, with everything below it
    ajskill -R -T -E --dry-run /sales                            what would be killed below a job group
    """
    return ended(units, given, interrupts=False)
