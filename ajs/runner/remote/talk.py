"""One conversation with the helper on an agent over a link, the helper being put in place first where it is missing."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from ajs.dispatch.answers import parse, parse_install
from ajs.dispatch.launching import DEFAULT_ROOT, call_command, install_command
from ajs.dispatch.link import Link
from ajs.dispatch.link_errors import LinkError
from ajs.dispatch.protocol import Heard, Hello, Introduction, Problem, Request, Unheard, build

CALL_S = 15.0
"""How long an answer may take, besides what sending and fetching needs."""
BYTES_A_SECOND = 256 << 10
"""The slowest way that large requests and answers are still waited for."""
NOT_FOUND = (126, 127)
"""What a shell says when there is no such script, dash and busybox 2 or 127 as well."""


class Unclear(LinkError):
    """The agent answered what nobody can understand; nothing was learnt."""

    kind = "unclear"


def unforeseen(hop: str, error: Exception) -> Unclear:
    """Return what to say of an error that is one of ours."""
    cause = f"an error in ajs: {type(error).__name__}: {error}"
    return Unclear(hop, cause, "please report it; it is tried again")


def root_of(job_folder: str) -> str:
    """Return the job root on an agent; "" stands for the usual place."""
    return job_folder or DEFAULT_ROOT


def converse(
    link: Link, root: str, helper: bytes, digest: str, requests: Sequence[Request], hop: str
) -> Heard:
    """Return the answers to the requests; raises LinkError when there are none."""
    heard = _ask(link, root, digest, requests)
    if isinstance(heard, Unheard) and heard.problem is Problem.NO_BEGINNING:
        _install(link, root, helper, digest, hop)
        heard = _ask(link, root, digest, requests)
    if isinstance(heard, Unheard):
        raise Unclear(hop, _cause(heard), _cure(heard))
    return heard


def introduced(
    link: Link, root: str, helper: bytes, digest: str, hop: str
) -> tuple[Heard, Introduction]:
    """Return who is at the other end; raises LinkError when it does not say, or cannot work."""
    heard = converse(link, root, helper, digest, (Hello(),), hop)
    said = heard.answers[0]
    if not isinstance(said, Introduction):
        raise Unclear(hop, "the helper did not introduce itself", "see the agent's /bin/sh")
    if said.missing:
        tools = ", ".join(said.missing)
        raise Unclear(hop, f"the agent lacks {tools}", "install what is missing there")
    return heard, said


def _ask(link: Link, root: str, digest: str, requests: Sequence[Request]) -> Heard | Unheard:
    nonce = secrets.token_hex(8)
    sent = build(requests)
    wanted = sum(getattr(request, "most", 0) for request in requests)
    deadline_s = CALL_S + (len(sent) + wanted) / BYTES_A_SECOND
    reply = link.call(call_command(root, digest, nonce), sent, deadline_s=deadline_s)
    heard = parse(reply.out, nonce, requests)
    if isinstance(heard, Unheard) and not heard.said:
        return Unheard(heard.problem, (reply.out or reply.err)[:200])
    return heard


def _install(link: Link, root: str, helper: bytes, digest: str, hop: str) -> None:
    nonce = secrets.token_hex(8)
    command = install_command(root, digest, nonce)
    reply = link.call(command, helper, deadline_s=CALL_S + len(helper) / BYTES_A_SECOND)
    problem = parse_install(reply.out, nonce)
    if problem is not None:
        said = problem if problem.said else Unheard(problem.problem, (reply.out or reply.err)[:200])
        raise Unclear(hop, f"the helper could not be put in place: {_cause(said)}", _cure(said))


def _cause(unheard: Unheard) -> str:
    return str(unheard)


def _cure(unheard: Unheard) -> str:
    if unheard.problem is Problem.NO_BEGINNING:
        return "see what the login files of the account there print or do, and that it may write its job folder"
    return "see the job folder and the login files of the account there"
