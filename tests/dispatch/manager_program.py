"""A manager of its own process, to be killed at any moment: ``manager_program.py FOLDER JOBS [TURNS]``.

It knows what a real one knows from its database: which attempts there are (they are written down before anything is
sent), and whose results are stored (one file per attempt). It stores a result, forgets the attempt in the spool, and
goes on; after a restart it looks what is left to do.

It says a line after every turn. With TURNS it takes so many and then only waits to be killed, so that who kills it is
never too late, however slow the machine is.
"""

from __future__ import annotations

import select
import signal
import socket
import sys
from pathlib import Path

from ajs.dispatch.local import LocalDispatch
from ajs.dispatch.messages import Absent, Ended, JobSpec, Lost

AT_ONCE = 8
SCRIPT = 'echo "$1" >> ran; sleep 0.05; echo "$1" >> ended'


def main() -> None:
    folder, jobs = Path(sys.argv[1]), int(sys.argv[2])
    turns = int(sys.argv[3]) if len(sys.argv) > 3 else None
    address = folder / "wake"
    address.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wake:
        wake.bind(str(address))
        wake.setblocking(False)
        dispatch = LocalDispatch(folder / "spool", address)
        stored = folder / "stored"
        while todo := [f"job-{n}" for n in range(jobs) if not (stored / f"job-{n}").exists()]:
            for attempt_id, standing in dispatch.states(todo[:AT_ONCE]).items():
                match standing:
                    case Absent():
                        argv = ("/bin/sh", "-c", SCRIPT, "sh", attempt_id)
                        dispatch.start(JobSpec(attempt_id=attempt_id, argv=argv, cwd=folder))
                    case Ended() | Lost():
                        (stored / f".{attempt_id}").write_text(repr(standing))
                        (stored / f".{attempt_id}").rename(stored / attempt_id)
                        dispatch.forget(attempt_id)
                    case _:
                        pass
            answers = dispatch.fileno()
            listening = [wake.fileno()] if answers is None else [wake.fileno(), answers]
            select.select(listening, [], [], 0.05)
            while select.select([wake], [], [], 0)[0]:
                wake.recv(300)
            sys.stdout.write("\n")
            sys.stdout.flush()
            if turns is not None:
                turns -= 1
                if not turns:
                    signal.pause()
        for attempt_id in dispatch.attempts():
            dispatch.forget(attempt_id)
        dispatch.close()


if __name__ == "__main__":
    main()
