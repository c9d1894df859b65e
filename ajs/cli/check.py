"""``ajs check``: is everything in order?"""

from __future__ import annotations

import click

from ajs.cli.common import CONTEXT, Call, service_options
from ajs.errors import ExitCode


@click.command(context_settings=CONTEXT)
@service_options
def command(home: str | None, service: str | None) -> int:
    """Check configuration, state and installation; say what to mend.

    Looks at ajs.toml, whether another product's commands hide ours on PATH, and for every scheduler service, or the one
    that -F names, at its database, whether its manager runs where there is something for it to do, which runs were
    missed in the last 7 days, the private keys for agents, and which coming starts the change of clocks affects. Exit
    code 0: nothing to mend anywhere; a service whose folder is closed to this user is not looked at.

    \b
    ajs check               all scheduler services of ajs.toml
    ajs check -F sales      one of them
    """
    from ajs.operations.check import check

    call = click.get_current_context().find_object(Call)
    parts = check(home, service, call.clock if call else None)
    for part in parts:
        if part.service:
            click.echo(f"service {part.service}")
        for finding in part.findings:
            click.echo(f"{'ok  ' if finding.fine else 'mend'}  {finding.text}")
            if finding.hint:
                click.echo(f"      {finding.hint}")
    fine = all(finding.fine for part in parts for finding in part.findings)
    return ExitCode.DONE if fine else ExitCode.STATE
