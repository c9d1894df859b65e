"""The second half of ``ajs demo``: flexible jobs of both departments on cloud agents; a relay agent is shot."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ajs.clock import SystemClock
from ajs.demo.cloud.cloud import FOLDER, Cloud
from ajs.demo.cloud.records import records
from ajs.demo.cloud.show import described
from ajs.demo.play import Run, Step, announce, carry_out, play_steps
from ajs.errors import ExitCode

SHOT = "AGT1"
PATIENCE_S = 60.0
LOOK_S = 0.1

CLOUD = Step(
    "The same departments in the cloud. Four agents behind two load balancers, reached through relay agents only.",
    "ajs demo cloud &",
)
DEFINED = (
    Step(
        "agents.yaml says where they are and how they prove who they are; then come the jobnets that use them.",
        "ajsdefine -F sales cloud/agents.yaml jobnets/cloud/sales.yaml",
    ),
    Step("", "ajsdefine -F general-affairs cloud/agents.yaml jobnets/cloud/general-affairs.yaml"),
    Step("", "ajsentry -F sales -n /sales/cloud/forecast"),
    Step("", "ajsentry -F general-affairs -n /general-affairs/cloud/payroll"),
)
MANAGERS = (
    Step(
        "Two managers, two departments, the same relay agents.",
        "ajsstart -F sales --until-idle --quiet &",
    ),
    Step("", "ajsstart -F general-affairs --until-idle --quiet &"),
)
RUNNING = (
    Step(
        "The agents' own records say that the forecast has begun. On which agent, and through which relay agent?",
        "ajsshow -F sales -R /sales/cloud/forecast",
    ),
    Step("What it has written so far:", "ajs output -F sales /sales/cloud/forecast/simulate"),
)
KILL = "Now the relay agent dies, while the forecast runs."
AFTERWARDS = (
    Step(
        "The job did not notice, and did not start again: its result came through the other relay agent.",
        "ajsshow -F sales -R /sales/cloud/forecast",
    ),
    Step("", "ajs output -F sales /sales/cloud/forecast/simulate"),
    Step("", "ajsshow -F general-affairs -R /general-affairs/cloud/payroll"),
    Step(
        "What the agents themselves have on record: every attempt began once.",
        "ajs demo records",
    ),
)


def play_in_cloud(run: Run, say: Callable[[str], None]) -> int:
    """Start a cloud below the current folder, play in it, switch it off, and return 0 or the first bad exit code."""
    announce(CLOUD, say)
    with Cloud.start(".") as cloud:
        say("\n".join(described(cloud)))
        code = play_steps(DEFINED, run, say)
        if code:
            return code
        managers = [_Background(step, run) for step in MANAGERS]
        # Both commands first: what they print comes when it comes.
        for manager in managers:
            announce(manager.step, say)
        for manager in managers:
            manager.start()
        _wait_until(_forecast_runs, managers)
        code = play_steps(RUNNING, run, say)
        announce(Step(KILL, f"kill -9 {cloud.pid(SHOT)}"), say)
        cloud.kill(SHOT)
        say("$ wait")
        for manager in managers:
            code = manager.result() or code
        return code or play_steps(AFTERWARDS, run, say)


class _Background(threading.Thread):
    """A command that runs beside the others."""

    def __init__(self, step: Step, run: Run) -> None:
        super().__init__(name=step.command)
        self.step = step
        self._run = run
        self._code: int = ExitCode.DONE

    def run(self) -> None:
        """Run it."""
        self._code = carry_out(Step("", self.step.command.removesuffix(" &")), self._run)

    def result(self) -> int:
        """Wait for its end and return its exit code."""
        self.join()
        return self._code


def _forecast_runs() -> bool:
    """Whether the sales department's agents have jobs on record that have begun and not ended, one of them for long."""
    mine = [record for record in records(FOLDER) if record.agent.startswith("LB1/")]
    return any(r.closed for r in mine) and any(r.began and not r.ended for r in mine)


def _wait_until(is_so: Callable[[], bool], managers: list[_Background]) -> None:
    """Wait until something is so, or until nobody is left who could make it so."""
    clock = SystemClock("UTC")
    end_s = clock.elapsed_s() + PATIENCE_S
    while not is_so() and clock.elapsed_s() < end_s and managers[0].is_alive():
        clock.sleep(LOOK_S)
