"""The commands: one file each, found by name, loaded only when called.

``ajsshow`` and ``ajs show`` are the same command: the program's name, or the word after ``ajs``, chooses the file.
A command parses, calls one operation, renders, and exits.
"""

from __future__ import annotations

import gc
import os
import sys

VERBS: dict[str, str] = {
    "init": "Set up scheduler services in a folder.",
    "define": "Load jobnets, jobs and calendars from YAML.",
    "entry": "Register jobnets for execution.",
    "plan": "Change planned runs: move, add, hold, prohibit, undo.",
    "show": "Show status, results and schedule of units.",
    "schedule": "Show the runs of a period by rules and calendar.",
    "delete": "Delete root jobnets and job groups.",
    "leave": "Cancel the registration of jobnets.",
    "kill": "Kill jobs, and jobnets with everything below them.",
    "intrpt": "Interrupt jobnets: what runs may end, nothing new starts.",
    "start": "Run the manager of a scheduler service.",
    "stop": "Stop the manager.",
    "output": "Show what a job wrote to stdout and stderr.",
    "why": "Say why a unit runs, waits, or does not run.",
    "history": "List operations: who changed what, when and why.",
    "undo": "Take back an operation.",
    "calendar": "Show a calendar; print a country's holidays as YAML.",
    "check": "Check configuration, state and installation.",
    "backup": "Back up the state of a scheduler service.",
    "restore": "Restore a scheduler service from a backup.",
    "upgrade": "Bring the state to this version of ajs.",
    "completion": "Print the shell completion of all commands.",
    "demo": "Play the main job in a fresh folder.",
}
"""Every verb with the line that ``ajs`` alone shows; each is the module ``ajs.cli.VERB``."""

SCRIPTS = (
    *("define", "entry", "plan", "show", "schedule"),
    *("leave", "delete", "kill", "intrpt"),
    *("start", "stop"),
)
"""The verbs that are installed as a command of their own under their AJS3 name."""


def main() -> int:
    """Run the command that the program's name and arguments choose; return its exit code."""
    program = os.path.basename(sys.argv[0]).removesuffix(".exe")
    arguments = sys.argv[1:]
    verb = program.removeprefix("ajs")
    if program == "ajs" and "_AJS_COMPLETE" in os.environ:
        from ajs.cli.completion import OF_AJS, Verbs

        Verbs("ajs").main(args=arguments, prog_name="ajs", complete_var=OF_AJS)
    if verb not in VERBS:
        if arguments and arguments[0] in VERBS:
            verb, *arguments = arguments
            program = f"ajs {verb}"
        else:
            from ajs.cli.overview import overview

            return overview(arguments)
    if verb != "start":
        # A command lives too short for collecting cycles to pay: one that changes 10,000 runs takes a third less.
        gc.disable()
    from ajs.cli.boundary import run

    code = run(verb, program, arguments)
    # What is still alive is not worth looking through once more before the process ends.
    gc.freeze()
    return code
