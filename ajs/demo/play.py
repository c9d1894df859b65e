"""The steps of ``ajs demo``: every command is printed, run as if it had been typed, and its output shown."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files

Run = Callable[[str, str, list[str]], int]
"""Runs one command: verb, the program's name, its arguments; returns its exit code."""


@dataclass(frozen=True, slots=True)
class Step:
    """One command of the demo, with what a reader should know before it."""

    say: str
    command: str


STEPS = (
    Step(
        "Two departments, two scheduler services: each has its own units, plan and manager.",
        "ajs init sales general-affairs --time-zone Asia/Tokyo",
    ),
    Step(
        "Jobnets are YAML files. Banks are closed on Japan's public and bank holidays (jobnets/japan.yaml).",
        "ajsdefine -F sales jobnets/japan.yaml jobnets/sales",
    ),
    Step("", "ajsdefine -F general-affairs jobnets/japan.yaml jobnets/general-affairs"),
    Step(
        "Registered for planned execution, they run by their rules and calendar from now on.",
        "ajsentry -F sales -f /sales/daily-close",
    ),
    Step("", "ajsentry -F general-affairs -f -R -T /general-affairs"),
    Step(
        "The coming two weeks: the next run is real, later ones are dummies that follow the rules.",
        "ajsshow -F sales --schedule --days 14 /sales/daily-close",
    ),
    Step("", "ajsshow -F general-affairs --schedule --days 14 -R /general-affairs"),
    Step(
        "The treasurer wants tonight's totals now. First look what that means, with everything below it ...",
        "ajsplan -F sales --run-now --move --pass-on --dry-run /sales/daily-close",
    ),
    Step(
        "... then do it. The rule stays as it is; only this run moves.",
        "ajsplan -F sales --run-now --move --pass-on --reason 'totals for the treasurer' /sales/daily-close",
    ),
    Step(
        "General affairs runs its week early too, and keeps the planned run (no --move).",
        "ajsplan -F general-affairs --run-now /general-affairs/weekly-hours",
    ),
    Step(
        "The managers run until nothing is left to do now; under systemd they run for good.",
        "ajsstart -F sales --until-idle",
    ),
    Step("", "ajsstart -F general-affairs --until-idle"),
    Step(
        "What became of it: the bank refused a negative amount, so the recovery unit told the treasurer.",
        "ajsshow -F sales -R /sales/daily-close:@A1",
    ),
    Step("", "ajs output -F sales /sales/daily-close/report/print"),
    Step("", "ajs output -F sales /sales/daily-close/bank"),
    Step("", "ajs why -F sales /sales/daily-close/bank:@A1"),
    Step(
        "Hold the next run, see who did what and why, and take the hold back.",
        "ajsplan -F sales --hold --reason 'auditors in the house' /sales/daily-close",
    ),
    Step("", "ajs history -F sales"),
    Step("", "ajs undo -F sales 4"),
    Step("", "ajsshow -F sales --schedule --days 14 /sales/daily-close"),
)


def copy_jobnets(folder: str) -> None:
    """Copy the example jobnets into ``folder``."""
    with as_file(files("ajs.demo") / "jobnets") as source:
        shutil.copytree(source, os.path.join(folder, "jobnets"))


def fresh_folder(parent: str) -> str:
    """Make a folder that was not there and return its name: ajs-demo, ajs-demo-2, ..."""
    number = 1
    while True:
        name = "ajs-demo" if number == 1 else f"ajs-demo-{number}"
        try:
            os.mkdir(os.path.join(parent, name))
        except FileExistsError:
            number += 1
            continue
        return name


def play(run: Run, say: Callable[[str], None]) -> int:
    """Make a fresh folder below the current one, play the main job in it, and return 0, or the first bad exit code.

    First on this machine, then on agents of a cloud that is switched off at the end.
    """
    from ajs.demo.in_cloud import play_in_cloud

    name = fresh_folder(os.getcwd())
    say(f"$ mkdir {name} && cd {name}")
    os.chdir(name)
    say("$ ajs demo --copy-jobnets .")
    copy_jobnets(".")
    code = play_steps(STEPS, run, say) or play_in_cloud(run, say)
    if code:
        say(f"\nthe demo stops here: exit code {code}")
        return code
    say(f"\n# Everything is left in {name}: look into work/ and jobnets/, change something, go on.")
    return 0


def play_steps(steps: Sequence[Step], run: Run, say: Callable[[str], None]) -> int:
    """Print and run steps, and return 0, or the first bad exit code."""
    for step in steps:
        announce(step, say)
        code = carry_out(step, run)
        if code:
            return code
    return 0


def announce(step: Step, say: Callable[[str], None]) -> None:
    """Print what a step is for, and its command."""
    if step.say:
        say(f"\n# {step.say}")
    say(f"$ {step.command}")


def carry_out(step: Step, run: Run) -> int:
    """Run the command of a step and return its exit code."""
    program, *arguments = shlex.split(step.command)
    verb = arguments.pop(0) if program == "ajs" else program.removeprefix("ajs")
    return run(verb, program if program != "ajs" else f"ajs {verb}", arguments)
