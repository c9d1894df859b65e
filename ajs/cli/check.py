"""``ajs check``: is everything in order?"""

from __future__ import annotations

import click

from ajs.cli.common import CONTEXT, service_options
from ajs.errors import ExitCode


@click.command(context_settings=CONTEXT)
@service_options
def command(home: str | None, service: str | None) -> int:
    """Check configuration, state and installation; say what to mend.

    Looks at ajs.toml, at the database of the service, whether its manager runs, whether another product's commands hide
    ours on PATH, at the private keys for agents, and which coming starts the change of clocks affects. Exit code 0:
    nothing to mend.

    \b
    ajs check -F sales
    """
    from ajs.operations.check import check

    findings = check(home, service)
    for finding in findings:
        click.echo(f"{'ok  ' if finding.fine else 'mend'}  {finding.text}")
        if finding.hint:
            click.echo(f"      {finding.hint}")
    return ExitCode.DONE if all(f.fine for f in findings) else ExitCode.STATE
