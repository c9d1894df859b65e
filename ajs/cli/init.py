"""``ajs init``: set up scheduler services."""

from __future__ import annotations

import os

import click

from ajs.cli.common import CONTEXT
from ajs.errors import ExitCode


@click.command(context_settings=CONTEXT)
@click.argument("names", nargs=-1, required=True, metavar="SERVICE...")
@click.option(
    "--home",
    "folder",
    default=".",
    show_default=True,
    metavar="FOLDER",
    help="Where ajs.toml goes.",
)
@click.option("--time-zone", default="", metavar="ZONE", help="IANA name; default: this machine's.")
@click.option(
    "--schedule",
    type=click.Choice(["24h", "48h"]),
    default="24h",
    show_default=True,
    help="How long the day of a root jobnet is.",
)
def command(names: tuple[str, ...], folder: str, time_zone: str, schedule: str) -> int:
    """Set up scheduler services: an ajs.toml, and a state folder for each service.

    A service is one tree of units with one manager. Departments that shall not see each other's jobs get one each.

    \b
    ajs init sales                                      one service, here
    ajs init sales general-affairs --time-zone Asia/Tokyo
    """
    from importlib.metadata import version

    from ajs.operations.setup import init

    done = init(folder, names, time_zone=time_zone, schedule=schedule, version=version("ajs"))
    click.echo(f"wrote {os.path.relpath(done.file)}")
    for service in done.services:
        click.echo(
            f"service {service.name}: {os.path.relpath(service.folder)}, "
            f"{service.time_zone}, {service.schedule} schedule"
        )
    return ExitCode.DONE
