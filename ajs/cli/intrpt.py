"""``ajsintrpt``: interrupt root jobnets softly."""

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
    """Interrupt root jobnets: what runs may end, nothing new starts.

    Jobs that run come to their end, all other units are not executed, recovery units included, and the root jobnet then
    shows Interrupted, which counts as an abnormal end. To end the jobs too: ajskill, also after this command.

    Without -B or unit:@ID the run that goes on is meant. Over several units the command goes on where one is refused,
    and ends with exit code 16; --all-or-nothing interrupts nothing then. With -R, what does not run is passed over.

    \b
    ajsintrpt /sales/daily-close                                 the run that goes on
    ajsintrpt -R -T -E --reason 'power cut at 23:00' /sales      every run below a job group
    """
    return ended(units, given, interrupts=True)
