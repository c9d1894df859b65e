"""``ajsdefine``: load definitions."""

from __future__ import annotations

from typing import Any

import click

from ajs.cli.common import (
    CONTEXT,
    dry_run_option,
    format_option,
    opened,
    reason_option,
    service_options,
    this_command,
)
from ajs.cli.progress import bar
from ajs.cli.values import typed_date
from ajs.errors import ExitCode, UsageError


@click.command(context_settings=CONTEXT)
@click.argument("paths", nargs=-1, metavar="PATH...")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of definition files.")
@dry_run_option
@click.option(
    "--until",
    metavar="[[Y/]M/]D",
    help="Compare planned runs up to this day; default four weeks on. The next run always is.",
)
@reason_option
@format_option
@service_options
def command(paths: tuple[str, ...], **given: Any) -> int:
    """Load jobnets, jobs, calendars and agents from YAML files, or from all of a folder.

    All problems of all files are reported at once; then nothing is stored. Units that no file names stay as they are.
    Planned runs follow the new rules at once; the command says which ones appear, vanish or move.

    \b
    ajsdefine jobnets/              load a folder
    ajsdefine --dry-run jobnets/    what loading it would change, for a pull request
    ajsdefine --dry-run --until 2027-03-31 holidays.yaml
    ajsdefine --schema > ajs.json   the schema, for editors
    """
    if given["schema"]:
        import json

        from ajs.definition.published import json_schema

        click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
        return ExitCode.DONE
    if not paths:
        raise UsageError("no file or folder was named", hint="ajsdefine jobnets/")
    from ajs.operations.define import define
    from ajs.render.define import as_json, as_text

    dry_run = given["dry_run"]
    with opened(given["home"], given["service"], changing=True) as service, bar() as progress:
        until = given["until"] and typed_date("--until", given["until"], service.today)
        done = define(
            service,
            paths,
            command=this_command(),
            reason=given["reason"],
            dry_run=dry_run,
            until=until,
            progress=progress,
        )
    click.echo(
        as_json(done)
        if given["form"] == "json"
        else as_text(done, service=service.name, dry_run=dry_run)
    )
    return ExitCode.DONE
