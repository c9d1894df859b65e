"""A job as it is handed to a machine: what is run, where, and what it sees of the world."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ajs.agents import AgentIdentity
from ajs.attempts import AttemptKey
from ajs.dispatch.launching import Word, launch_script
from ajs.dispatch.messages import JobSpec
from ajs.lifecycle import BAD, LiveGeneration, Status
from ajs.model import Job, parent
from ajs.runner.remote.books import Payload
from ajs.store.folder import FOLDER_MODE, sync, unusable

SHELL = "/bin/sh"
SCRIPT_MODE = 0o550


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all jobs of a scheduler service have in common.

    ``home`` is the folder of ajs.toml, where jobs run unless they say otherwise; ``host`` this machine's name.
    """

    service: str
    home: str
    host: str


def job_spec(
    name: str,
    key: AttemptKey,
    job: Job,
    generation: LiveGeneration,
    around: Surroundings,
    script: str,
) -> JobSpec:
    """Return the start of one attempt, ``name``; ``script`` is the path of the job's stored script, "" for none.

    A command is a line for the shell. A script is run as a program by the shell too, which takes its parameters apart:
    quotes and variables in them work as in a command line.
    """
    run: tuple[str, ...] = (job.command,)
    if script:
        run = (f'exec "$0" {job.command}', script)
    return JobSpec(
        attempt_id=name,
        argv=(SHELL, "-c", *run),
        cwd=Path(around.home, job.work_dir),
        environment=environment(key, job, generation, around),
        timeout_s=job.timeout_s,
    )


def job_payload(
    key: AttemptKey,
    job: Job,
    generation: LiveGeneration,
    around: Surroundings,
    agent: AgentIdentity,
    script: bytes,
) -> Payload:
    """Return what is sent to an agent for the start of a job; ``script`` is its stored script, b"" for none.

    The command is taken apart by the shell there as it would be here. Raises ValueError for what no shell can express.
    """
    run: tuple[str | Word, ...] = (job.command,)
    if job.script:
        run = (f'exec "$0" {job.command}', Word.JOB_FILE)
    launch = launch_script(
        (SHELL, "-c", *run),
        cwd=job.work_dir,
        environment=environment(key, job, generation, replace(around, host=agent.address)),
    )
    return Payload(launch=launch, file=script, timeout_s=job.timeout_s)


def environment(
    key: AttemptKey, job: Job, generation: LiveGeneration, around: Surroundings
) -> dict[str, str]:
    """Return the variables that a job is given beside the base ones (commands.md 9); its own win."""
    full = f"{generation.root_path}/{key.path}"
    given = {
        "AJSENV": "YES",
        "AJSEXECID": generation.execution_id,
        "AJSEXDATE": generation.exec_date.isoformat(),
        "AJSNETNAME": parent(full),
        "AJSJOBNAME": full,
        "AJSHOST": around.host,
        "AJS_AJSCONF": around.service,
    }
    return given | _predecessors(key, job, generation) | dict(job.environment)


def _predecessors(key: AttemptKey, job: Job, generation: LiveGeneration) -> dict[str, str]:
    """Return how the units before a job ended: the worst of n, w, a, and the OR of their return codes."""
    if not job.after:
        return {}
    upper = key.path.rpartition("/")[0]
    before = [generation.units[f"{upper}/{name}" if upper else name] for name in job.after]
    worst, code = "n", 0
    for run in before:
        code |= 0 if run.return_code is None else run.return_code
        if run.status in BAD:
            worst = "a"
        elif run.status is Status.WARNING and worst == "n":
            worst = "w"
    return {"AJSPRE_ST": worst, "AJSPRE_RC": str(code)}


class Scripts:
    """The scripts of jobs as files of the service folder, each written once under the SHA-256 of its content."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)
        self._there: set[str] = set()

    def path(self, sha256: str, content: Callable[[str], bytes]) -> str:
        """Return the path of a script, ``content`` being asked for it if there is no such file yet.

        The file appears whole or not at all. Raises StoreError when it cannot be written, and what ``content`` raises.
        """
        file = self._folder / sha256
        if sha256 not in self._there:
            try:
                if not file.exists():
                    self._write(file, content(sha256))
            except OSError as error:
                raise unusable(str(file), error) from error
            self._there.add(sha256)
        return str(file)

    def _write(self, file: Path, content: bytes) -> None:
        self._folder.mkdir(exist_ok=True)
        self._folder.chmod(FOLDER_MODE)
        part = self._folder / f"{file.name}.part"
        with part.open("wb") as opened:
            opened.write(content)
            opened.flush()
            os.fchmod(opened.fileno(), SCRIPT_MODE)
            os.fsync(opened.fileno())
        part.rename(file)
        sync(str(self._folder))
