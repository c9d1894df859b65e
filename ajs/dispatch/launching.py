"""What is typed at a destination agent: the command lines that call the helper, and the script that becomes the job.

Everything a user has written goes into the payload, shell-quoted; a command line holds folders, hashes and nonces only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import Enum
from hashlib import sha256
from shlex import quote

from ajs.dispatch.protocol import NONCE

DEFAULT_ROOT = "~/.ajs"
DEFAULT_SHELL = "/bin/sh"
ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# The helper's own, and what bash, which may be the agent's /bin/sh, lets nobody set.
TAKEN_NAMES = frozenset(
    {"AJS_ATTEMPT", "AJS_FILE", "AJS_REFUSAL", "BASHOPTS", "EUID", "PPID", "SHELLOPTS", "UID"}
)
MOST_UMASK = 0o777

# One line, and neither ' nor !: it must pass through whatever login shell is there.
INSTALL = (
    'umask 077; n="$1/bin/.$3.$2" w=unwritable; '
    'if mkdir -p "$1/bin" && chmod 700 "$1" && cat > "$n"; then w=damaged; '
    'for t in sha256sum "sha256 -q" "shasum -a 256" "openssl dgst -sha256 -r"; do '
    'command -v "${t%% *}" > /dev/null && break; done; s=$($t < "$n"); '
    'if [ "${s%% *}" = "$3" ]; then w=unwritable; mv -f "$n" "$1/bin/$3.sh" && w=installed; fi; fi; '
    'rm -f "$n"; printf "\\n%s install %s\\n%s end 1\\n" "$2" "$w" "$2"'
)


class Word(Enum):
    """A word of a command that only the agent knows."""

    JOB_FILE = '"$AJS_FILE"'
    """The path of the job file that was sent along."""


def digest(helper: bytes) -> str:
    """Return the name under which this version of the helper lies on an agent."""
    return sha256(helper).hexdigest()


def call_command(root: str, helper: str, nonce: str, shell: str = DEFAULT_SHELL) -> str:
    """Return the command line that calls the helper of this digest, requests on its stdin.

    ``root`` is absolute or begins with ``~/``; ``shell`` may be several words. ValueError for what is neither.
    """
    folder = _root(root)
    words = [shell, f"{folder}/bin/{_digest(helper)}.sh", folder, _nonce(nonce)]
    if shell != DEFAULT_SHELL:
        words.append(quote(shell))
    return "exec " + " ".join(words)


def install_command(root: str, helper: str, nonce: str) -> str:
    """Return the command line that puts the helper of this digest in place, its text on stdin.

    Harmless when it is there, when it is done twice at once, and when the text comes only in part.
    """
    return (
        f"exec /bin/sh -c '{INSTALL}' ajs-install {_root(root)} {_nonce(nonce)} {_digest(helper)}"
    )


def follow_command(root: str) -> str:
    """Return the command line that prints a line for every end of a job from now on (``answers.parse_event``)."""
    return f"exec tail -n 0 -F {_root(root)}/events"


def _root(root: str) -> str:
    if re.search(r"[\0\n]", root) or not root.startswith(("/", "~/")):
        raise ValueError(f"the job root {root!r} is neither absolute nor below ~/")
    if root.startswith("~/"):
        return f'"$HOME"/{quote(root[2:])}'
    return quote(root)


def _nonce(nonce: str) -> str:
    if not NONCE.fullmatch(nonce):
        raise ValueError(f"{nonce!r} is not a nonce")
    return nonce


def _digest(helper: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{64}", helper):
        raise ValueError(f"{helper!r} is not a SHA-256")
    return helper


def launch_script(
    command: Sequence[str | Word],
    *,
    cwd: str = "",
    environment: Mapping[str, str] | None = None,
    umask: int = 0o022,
) -> bytes:
    """Return the script that becomes the job: it sets up and then turns into the command.

    ``cwd`` is absolute, or empty for the account's login folder; ``environment`` comes on top of what a login gives.
    What keeps the command from beginning (no such folder, no such command) becomes *FailedToStart* with its reason.
    Raises ValueError for what a shell cannot express: an empty command or one that begins with ``-``, a name that is
    no name, the helper's own names, NUL.
    """
    if not command or command[0] == "" or str(command[0]).startswith("-"):
        raise ValueError(f"{tuple(command)!r} is not a command")
    if cwd and not cwd.startswith("/"):
        raise ValueError(f"the working folder {cwd!r} is not absolute")
    if not 0 <= umask <= MOST_UMASK:
        raise ValueError(f"{umask:o} is not a umask")
    lines = [f"umask {umask:04o}", 'refuse() { printf "%s\\n" "$1" > "$AJS_REFUSAL"; exit 127; }']
    if cwd:
        lines.append(
            f"cd -- {_quoted(cwd)} || refuse {_quoted(f'cannot enter the folder {cwd!r}')}"
        )
    lines += [f"export {_name(k)}={_quoted(v)}" for k, v in (environment or {}).items()]
    if (program := command[0]) is not Word.JOB_FILE:
        name = str(program)
        found = f"[ -x {_quoted(name)} ]" if "/" in name else f"command -v {_quoted(name)}"
        lines.append(f"{found} > /dev/null || refuse {_quoted(f'cannot run {name!r}')}")
    words = " ".join(w.value if isinstance(w, Word) else _quoted(w) for w in command)
    lines += ["unset AJS_REFUSAL", f"exec {words}"]
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape")


def _name(name: str) -> str:
    if not ENVIRONMENT_NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot be the name of an environment variable")
    if name in TAKEN_NAMES:
        raise ValueError(f"the environment variable {name} cannot be set for a job on an agent")
    return name


def _quoted(text: str) -> str:
    if "\0" in text:
        raise ValueError(f"{text!r} holds a NUL, which no command can be given")
    return quote(text)
