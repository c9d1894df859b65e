"""The generated pages of the manual, as text: `make docs` writes them, `tests/test_docs.py` compares them."""

from __future__ import annotations

import importlib
import inspect
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, get_type_hints

import click

from ajs import attempts, config, errors, lifecycle
from ajs.attempts import AttemptState
from ajs.cli import SCRIPTS, VERBS
from ajs.definition.published import json_schema, reference_markdown
from ajs.errors import AjsError, ExitCode
from ajs.lifecycle import Kind
from ajs.operations.show import Line, Mark, Page
from ajs.render.indicators import INDICATORS, SIGN_MEANINGS, SIGNS, Facts
from ajs.render.schemas import SCHEMAS
from ajs.runner.serve import FEWEST_JOBS
from ajs.statuses import (
    ABENDED,
    ENDED_WELL,
    HANDED_OVER,
    UNREGISTERED,
    UNREGISTERED_TEXT,
    Status,
)
from ajs.store.show import AttemptRow, GenerationRow, RegistrationRow
from ajs.store.units import JOB

MADE = "<!-- Made from the code by `make docs`; change the code, not this page. -->\n"

EXIT_TEXTS: Mapping[ExitCode, str] = {
    ExitCode.DONE: "Everything that was asked for was done.",
    ExitCode.USAGE: "The options do not go together, or one is missing.",
    ExitCode.BAD_VALUE: "A definition or a value is wrong. Nothing was changed.",
    ExitCode.NOTHING_FOUND: "What was named is not there. Nothing was changed.",
    ExitCode.REFUSED: "Understood and refused as things stand. Nothing was changed.",
    ExitCode.PARTLY: "Some targets were done, others refused; each refused one has its line on stderr.",
    ExitCode.BUSY: "Somebody else holds what is needed, or what was waited for did not happen in time.",
    ExitCode.STATE: "The configuration or the state of the scheduler service cannot be used.",
    ExitCode.NO_MANAGER: "No manager runs, and the command needs one.",
    ExitCode.ENDED_WARNING: "`ajsentry -w --fail-on warning`: a run ended with warning.",
    ExitCode.ENDED_ABNORMAL: "`ajsentry -w --fail-on ...`: a run ended abnormally or did not come to its end.",
    ExitCode.ENDED_UNKNOWN: "`ajsentry -w --fail-on ...`: nobody can know how a run ended.",
}

ALWAYS = (ExitCode.DONE, ExitCode.USAGE, ExitCode.BUSY, ExitCode.STATE)
"""What any command can end with that works on a scheduler service."""
_VALUE, _FOUND, _REFUSED = ExitCode.BAD_VALUE, ExitCode.NOTHING_FOUND, ExitCode.REFUSED
_ENDED = (ExitCode.ENDED_WARNING, ExitCode.ENDED_ABNORMAL, ExitCode.ENDED_UNKNOWN)
EXITS: Mapping[str, tuple[ExitCode, ...]] = {
    "init": (),
    "define": (_VALUE, _REFUSED),
    "entry": (_VALUE, _FOUND, _REFUSED, ExitCode.NO_MANAGER, *_ENDED),
    "plan": (_VALUE, _FOUND, _REFUSED, ExitCode.PARTLY),
    "show": (_VALUE, _FOUND),
    "schedule": (_VALUE, _FOUND),
    "delete": (_VALUE, _FOUND, _REFUSED),
    "leave": (_VALUE, _FOUND, _REFUSED),
    "kill": (_VALUE, _FOUND, _REFUSED, ExitCode.PARTLY),
    "intrpt": (_VALUE, _FOUND, _REFUSED, ExitCode.PARTLY),
    "start": (),
    "stop": (_VALUE, _REFUSED, ExitCode.NO_MANAGER),
    "output": (_VALUE, _FOUND),
    "why": (_VALUE, _FOUND, _REFUSED),
    "history": (_VALUE, _FOUND),
    "undo": (_FOUND, _REFUSED),
    "calendar": (_VALUE, _FOUND, _REFUSED),
    "check": (),
    "backup": (_VALUE,),
    "restore": (_REFUSED,),
    "upgrade": (),
    "completion": (),
    "demo": (),
}
"""What each command can end with besides."""

MEANINGS: Mapping[Status, str] = {
    Status.NOPLAN: "It does not run in this generation: it has no schedule here, or it was prohibited.",
    Status.TIMEWAIT: "It waits for its own start time.",
    Status.TERMWAIT: "It waits for the units before it, or for its upper jobnet to start.",
    Status.HOLDING: "Its turn has come, and it waits for an operator to release it.",
    Status.EXECWAIT: "The job's turn has come; it is being handed over.",
    Status.QUEUING: "The job waits for a free place, since the limit of jobs at once is reached.",
    Status.RUNNING: "It runs.",
    Status.WACONT: "The jobnet runs, and something below it has ended with warning.",
    Status.ABCONT: "The jobnet runs, and something below it has failed.",
    Status.NORMAL: "It ended well.",
    Status.WARNING: "It ended with a return code above its warning threshold, or something below it did.",
    Status.ABNORMAL: "It ended with a return code above its threshold, or something below it failed.",
    Status.UNEXEC: "It was not executed, because of how a unit before it or its upper jobnet ended.",
    Status.BYPASS: "It was passed over: not scheduled, prohibited, or a recovery unit with nothing to recover.",
    Status.EXECDEFFER: "The run was skipped, because the run before it was still going at its start time.",
    Status.INTERRUPT: "An operator interrupted the root jobnet: what ran came to its end, nothing new started.",
    Status.KILL: "It was ended by force: a job by an operator, its timeout, or a signal; a jobnet by an operator.",
    Status.FAIL: "It could not be started: there is proof that its command never ran.",
    Status.UNKNOWN: "It may have run, and there is proof that nobody will ever know how it ended.",
}

OBSERVATIONS: Mapping[str, str] = {
    "Absent": "no record of it there",
    "Claimed": "taken, not started",
    "Running": "it runs",
    "Ended": "it has ended",
    "Lost": "proof that its end will never be known",
    "FailedToStart": "proof that it was not started",
    "NoAnswer": "no answer in time",
    "Stored": "its output is safe here",
    "Acked": "the place has thrown its record away",
}


# -- commands --


def command(verb: str) -> click.Command:
    """Return the click command of a verb."""
    found: click.Command = importlib.import_module(f"ajs.cli.{verb}").command
    return found


def program(verb: str) -> str:
    """Return how people call a verb."""
    return f"ajs{verb}" if verb in SCRIPTS else f"ajs {verb}"


def paragraphs(text: str) -> Iterator[tuple[bool, str]]:
    """Yield the paragraphs of a help text, each with whether it is to stay as it is."""
    for part in inspect.cleandoc(text).split("\n\n"):
        verbatim = part.startswith("\b\n")
        yield verbatim, part.removeprefix("\b\n") if verbatim else part


def examples(verb: str) -> list[str]:
    """Return the example lines of a command's help, without what explains them."""
    found = []
    for verbatim, part in paragraphs(command(verb).help or ""):
        if verbatim:
            found += [re.split(r"\s{2,}", line.strip())[0] for line in part.splitlines()]
    return [line for line in found if line]


def commands_page() -> str:
    """Return the page about every command."""
    lines = [
        MADE,
        "# Commands",
        "",
        "Every command is `ajs VERB`; those with an AJS3 name are installed under it too.",
        "`ajs` alone lists them all, `--help` explains each one, and options may follow names.",
        "Dates are written `2026/08/13` or `2026-08-13`; the year, or year and month, may be left out.",
        "Times are written `h` or `h:mm` with hours 0 to 47.",
        "A target is `[service:]/group/jobnet/unit[:@A12]`; a name without a leading `/` is below `AJSPATH`.",
        "What the exit codes mean stands in [exit-codes.md](exit-codes.md), the errors in [errors.md](errors.md).",
        "",
        "| command | what it is for |",
        "|---|---|",
    ]
    lines += [
        f"| [{program(v)}](#{program(v).replace(' ', '-')}) | {t} |" for v, t in VERBS.items()
    ]
    for verb in VERBS:
        lines += ["", *_command_section(verb)]
    return "\n".join(lines) + "\n"


def _command_section(verb: str) -> Iterator[str]:
    found = command(verb)
    name = program(verb)
    context = click.Context(found, info_name=name)
    usage = " ".join([name, *found.collect_usage_pieces(context)])
    also = f" (also `ajs {verb}`)" if verb in SCRIPTS else ""
    yield f"## {name}"
    yield ""
    yield f"`{usage}`{also}"
    for verbatim, part in paragraphs(found.help or ""):
        yield ""
        yield from ["```text", part, "```"] if verbatim else [_sentences(part)]
    codes = sorted({*ALWAYS, *EXITS[verb]})
    yield ""
    yield f"Exit codes: {', '.join(str(int(code)) for code in codes)}."
    options = [p for p in found.get_params(context) if isinstance(p, click.Option) and not p.hidden]
    yield ""
    yield "| option | meaning |"
    yield "|---|---|"
    for option in options:
        record = option.get_help_record(context)
        if record is not None:
            yield f"| {_option_words(record[0])} | {_cell(record[1])} |"


def _option_words(text: str) -> str:
    return f"`{_cell(text)}`"


def _sentences(part: str) -> str:
    """Return a paragraph with one sentence per line."""
    flat = " ".join(part.split())
    return re.sub(r"(?<=[a-z0-9)\]][.;:?]) (?=[A-Z])", "\n", flat)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("[[", "\\[[")


# -- errors and exit codes --


def error_classes() -> list[type[AjsError]]:
    """Return every error that has a code of its own, in the order of the codes."""
    found = [
        c
        for _, c in inspect.getmembers(errors, inspect.isclass)
        if issubclass(c, AjsError) and "code" in vars(c)
    ]
    return sorted(found, key=lambda c: c.code)


def sentence(documented: object) -> str:
    """Return the first paragraph of a docstring on one line."""
    return " ".join((inspect.getdoc(documented) or "").split("\n\n")[0].split())


def errors_page() -> str:
    """Return the page about every error."""
    lines = [
        MADE,
        "# Errors",
        "",
        "Every error has a code that does not depend on language and never changes its meaning.",
        "Its first two digits are the exit code of the command.",
        "On stderr an error is one line, `ajsplan: AJS1203: what is wrong`, and a hint that says what to do.",
        "With `--format json` it is one JSON object on stderr, described in [json.md](json.md).",
    ]
    by_exit: dict[ExitCode, list[type[AjsError]]] = {}
    for error in error_classes():
        by_exit.setdefault(error.exit_code, []).append(error)
    for code, classes in by_exit.items():
        lines += ["", f"## Exit code {int(code)}", "", EXIT_TEXTS[code], ""]
        lines += ["| code | name | when |", "|---|---|---|"]
        lines += [f"| `{c.code}` | {c.__name__} | {_cell(sentence(c))} |" for c in classes]
    return "\n".join(lines) + "\n"


def exit_codes_page() -> str:
    """Return the page about the exit codes."""
    lines = [
        MADE,
        "# Exit codes",
        "",
        "They mean the same for every command.",
        "A code from 2 to 12 says that nothing was changed.",
        "",
        "| code | name | meaning | errors |",
        "|---|---|---|---|",
    ]
    for code in ExitCode:
        named = [f"[{c.code}](errors.md)" for c in error_classes() if c.exit_code is code]
        lines.append(f"| {int(code)} | {code.name} | {EXIT_TEXTS[code]} | {', '.join(named)} |")
    lines += [
        "",
        "A command that is ended with Ctrl-C ends with 130, as shells expect.",
        "`ajsentry -w` without `--fail-on` ends with 0 however the runs ended: the command did what it was asked.",
    ]
    return "\n".join(lines) + "\n"


# -- statuses --


def statuses_page() -> str:
    """Return the page about statuses and what changes them."""
    lines = [
        MADE,
        "# Statuses",
        "",
        "The names are AJS3's; machine output shows the constant, with the name beside it.",
        f"A unit that is not registered for execution shows `{UNREGISTERED}`, {UNREGISTERED_TEXT}.",
        "",
        "| status | constant | units | stage | meaning |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {s.text} | `{s.name}` | {_units(s)} | {_stage(s)} | {MEANINGS[s]} |" for s in Status
    ]
    lines += [
        "",
        "Units after a unit go on when it "
        + _list(s.text for s in Status if s in ENDED_WELL)
        + "; recovery units when it "
        + _list(s.text for s in Status if s in ABENDED)
        + ".",
        "An unknown end lets neither go: somebody has to look first.",
    ]
    for kind, title in ((Kind.JOBNET, "Jobnets"), (Kind.JOB, "Jobs")):
        lines += ["", f"## {title}", "", *_diagram(kind), "", *_events(kind)]
    lines += ["", *_attempts()]
    return "\n".join(lines) + "\n"


def _list(texts: Iterable[str]) -> str:
    *first, last = [f"*{t}*" for t in texts]
    return f"{', '.join(first)} or {last}"


def _stage(status: Status) -> str:
    if status in HANDED_OVER:
        return "handed over"
    return "ended" if status.ended else "running" if status.running else "waiting"


def _units(status: Status) -> str:
    kinds = {k for _, ks, old, new in lifecycle.TABLE for k in ks if status is new or status in old}
    return ", ".join(k.value for k in (Kind.JOBNET, Kind.JOB) if k in kinds)


def _moves(kind: Kind) -> Iterator[tuple[lifecycle.Event, list[Status], Status]]:
    for event, kinds, old, new in lifecycle.TABLE:
        if kind in kinds:
            yield event, [s for s in Status if s in old], new


def _diagram(kind: Kind) -> Iterator[str]:
    """Yield a drawing of the transitions of one kind of unit; ways that all waiting ones share are drawn once."""
    yield "```mermaid"
    yield "stateDiagram-v2"
    seen = {s for _, old, new in _moves(kind) for s in (*old, new)}
    for status in Status:
        if status in seen:
            yield f'    state "{status.text}" as {status.name}'
    yield "    [*] --> TERMWAIT"
    if kind is Kind.JOBNET:
        yield "    [*] --> TIMEWAIT"
    for event, old, new in _moves(kind):
        for before in old:
            yield f"    {before.name} --> {new.name}: {event.value}"
    yield "```"


def _events(kind: Kind) -> Iterator[str]:
    yield "| what happens | from | to |"
    yield "|---|---|---|"
    for event, old, new in _moves(kind):
        yield f"| {event.value} | {', '.join(s.text for s in old)} | {new.text} |"


def _attempts() -> Iterator[str]:
    yield "## Attempts"
    yield ""
    yield "An attempt is one start of one job; a rerun is a new attempt."
    yield "Its state is what we have been told so far by the place that runs it."
    yield "A row is the state that an attempt is in, a column what its place says, a cell the state that follows."
    yield "`-` is an answer that nobody can have asked for: it is refused as an error of ours."
    yield ""
    columns = list(attempts.TABLE[AttemptState.PLACED])
    yield "| state | " + " | ".join(OBSERVATIONS[c.__name__] for c in columns) + " |"
    yield "|---" * (len(columns) + 1) + "|"
    for state in AttemptState:
        row = [attempts.TABLE[state][c] for c in columns]
        yield f"| {state.name}: {state.value} | {_cells(row)} |"
    row = [attempts.SILENT_AFTER_START[c] for c in columns]
    yield f"| UNKNOWN, after the job was seen running | {_cells(row)} |"
    yield ""
    yield "A start is sent only in state PLACED and only to that one place, which starts an attempt once however often"
    yield "it is told to; an attempt that was seen running never comes back to PLACED."


def _cells(row: Iterable[AttemptState | None]) -> str:
    return " | ".join("-" if s is None else s.name for s in row)


# -- format indicators --

_RUN: Mapping[str, object] = {
    "root": 1,
    "path": "/sales/daily-close",
    "registered_for": "2026-11-24",
    "serial": 1,
    "method": "planned",
    "phase": "ended",
    "status": "NORMAL",
    "start": "2026-11-24T22:30:00",
    "exec_date": "2026-11-24",
    "original_start": "2026-11-24T22:00:00",
    "original_exec_date": "2026-11-24",
}
_EMPTY: Mapping[type, object] = {int: 0, str: ""}


def _row(kind: Any, **given: object) -> Any:
    """Return a stored row with these values; the others are empty."""
    types = get_type_hints(kind)
    return kind(**{name: given.get(name, _EMPTY.get(types[name])) for name in kind._fields})


EXAMPLE_LINE = Line(
    unit="/sales/daily-close/total",
    name="total",
    kind=JOB,
    depth=1,
    comment="",
    registration=_row(
        RegistrationRow, path=_RUN["path"], method="planned", registered="2026-11-24T09:00:00"
    ),
    generation=_row(GenerationRow, id=1, **_RUN),
    status="NORMAL",
    planned="2026-11-24T22:30:00",
    original="2026-11-24T22:00:00",
    started="2026-11-24T22:30:01.250+09:00",
    ended="2026-11-24T22:47:31.500+09:00",
    return_code=0,
    marks=(Mark("moved", "2026-11-24T22:00:00"), Mark("held")),
    attempt=_row(AttemptRow, id=7, incarnation="8c41a0f2b6d3", place="local"),
    following=_row(
        GenerationRow,
        id=2,
        **{**_RUN, "start": "2026-11-25T23:00:00", "original_start": "2026-11-25T22:00:00"},
    ),
)
"""A unit in a run of which every indicator has something to show."""
FACTS = Facts(
    Page("sales", (EXAMPLE_LINE,), "/srv/ajs/sales/spool/5e4d-"), lambda: "2026-11-25T08:15:00"
)


def indicators_page() -> str:
    """Return the page about the format indicators of ajsshow."""
    lines = [
        MADE,
        "# Format indicators",
        "",
        "`ajsshow -f FORMAT` prints one line for each unit and run; `-i` does so with each value in single quotes.",
        "A format is text with indicators, such as `-f '%J %C %R'`; what is no indicator is printed as it is.",
        "`-t FORMAT` puts a title line above them, which may hold `%x` and `%X`.",
        "`ajsshow --indicators` lists them too.",
        "",
        "Times are wall-clock times in the time zone of the scheduler service.",
        "What is not there is printed as nothing: the end of a job that runs, the next start where none is planned.",
        "",
        "| `-f` | `-i` | meaning | example |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {_sign(i.one)} | {_sign(i.two)} | {i.meaning.replace('*', '&ast;')} | `{i.value(EXAMPLE_LINE, FACTS)}` |"
        for i in INDICATORS
    ]
    lines += [f"| {_sign(s)} | {_sign(s)} | {SIGN_MEANINGS[s]} | |" for s in SIGNS]
    return "\n".join(lines) + "\n"


def _sign(letters: str) -> str:
    return f"`%{letters}`" if letters else ""


# -- ajs.toml --

TOP_MEANINGS: Mapping[str, str] = {
    "default_service": "The scheduler service that commands work on without `-F` and `AJSCONF`; one alone needs none.",
    "services": "A table for each one, `[services.NAME]`; a name has 1 to 30 bytes without `/`, `:` and blanks.",
}
SERVICE_MEANINGS: Mapping[str, tuple[str, str]] = {
    "folder": (
        "must be given",
        "Where its state lies: a folder of its own on a disk of this machine, relative to that of `ajs.toml`.",
    ),
    "time_zone": (
        "must be given",
        "IANA name of the zone in which its times are, such as `Asia/Tokyo`.",
    ),
    "schedule": (
        f"`{config.DEFAULT_SCHEDULE}`",
        f"How long the day of a root jobnet is: {' or '.join(f'`{s}`' for s in config.SCHEDULES)}.",
    ),
    "jobs_at_once": (
        f"twice as many as CPUs, at least {FEWEST_JOBS}",
        (
            "How many of its jobs run on this machine at once; others wait as *Now queuing*. "
            "`ajsstart` reads it when it begins. Flexible jobs do not count: their agents have limits of their own."
        ),
    ),
    "keep_fates_days": (
        f"{config.KEEP_FATES_DAYS}",
        (
            "How many days after its planned start one line on every planned run is kept, that it ran or why not, "
            "also when the [details of the run](../explanation/overlapping-runs.md) have gone. "
            "`ajsstart` reads it when it begins."
        ),
    ),
}


def configuration_page() -> str:
    """Return the page about ajs.toml."""
    lines = [
        MADE,
        "# ajs.toml",
        "",
        "Which scheduler services there are, and what holds for each; `ajs init` writes it, all commands read it.",
        "It is looked for in the folder that `--home` names, else in the one that `AJS_HOME` names;",
        f"without them in the current folder and those above it, at last as `{config.SYSTEM_WIDE}`.",
        "It must belong to the user or to root, and not be writable by everybody.",
        "A key that is not known is refused.",
        "",
        "```toml",
        'default_service = "sales"',
        "",
        "[services.sales]",
        'folder = "/var/lib/ajs/sales"',
        'time_zone = "Asia/Tokyo"',
        'schedule = "24h"',
        "jobs_at_once = 8",
        "keep_fates_days = 400",
        "```",
        "",
        "| key | meaning |",
        "|---|---|",
        *(f"| `{key}` | {TOP_MEANINGS[key]} |" for key in config.TOP_KEYS),
        "",
        "Below `[services.NAME]`:",
        "",
        "| key | when it is left out | meaning |",
        "|---|---|---|",
        *(f"| `{key}` | {' | '.join(SERVICE_MEANINGS[key])} |" for key in config.SERVICE_KEYS),
        "",
        "`time_zone` and `schedule` give the times of all plans their meaning.",
        "So they are recorded in the state.",
        "While a jobnet is registered for execution, changing commands and the manager refuse others (`AJS2401`).",
        "Put them back, or cancel the registrations first: `ajsleave -R -T -E /`.",
        "Looking is not refused, nor is ending what runs.",
    ]
    return "\n".join(lines) + "\n"


# -- all of them --


def as_file(schema: object) -> str:
    """Return a JSON Schema as a file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


PAGES: Mapping[str, Callable[[], str]] = {
    "commands.md": commands_page,
    "errors.md": errors_page,
    "exit-codes.md": exit_codes_page,
    "statuses.md": statuses_page,
    "indicators.md": indicators_page,
    "ajs-toml.md": configuration_page,
    "definitions.md": lambda: MADE + "\n" + reference_markdown(),
    "definitions.schema.json": lambda: as_file(json_schema()),
    **{f"schemas/{name}.json": partial(as_file, schema) for name, schema in SCHEMAS.items()},
}
"""The files of docs/reference, each with what makes it."""
