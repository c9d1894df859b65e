"""The manual is true: generated pages are current, commands on hand-written pages work and print what is shown."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import jsonschema
import pytest

from ajs import config
from ajs.cli import VERBS
from ajs.errors import ExitCode
from ajs.render.indicators import INDICATORS, SIGN_MEANINGS, SIGNS
from ajs.render.schemas import SCHEMAS
from ajs.statuses import Status
from tests.pages import (
    EXAMPLE_LINE,
    EXIT_TEXTS,
    EXITS,
    FACTS,
    MEANINGS,
    PAGES,
    SERVICE_MEANINGS,
    TOP_MEANINGS,
    command,
    error_classes,
    examples,
    program,
    sentence,
)
from tests.played import commands, is_played, masked, played
from tests.worked import EXAMPLE, with_tables

TOP = Path(__file__).resolve().parent.parent
DOCS = TOP / "docs"
PAGES_WRITTEN = sorted([*DOCS.rglob("*.md"), *TOP.glob("*.md")])
FENCE = re.compile(r"```(?P<kind>\w*)\n(?P<text>.*?)```", re.DOTALL)
LINK = re.compile(r"\[[^\]]+\]\((?!https?:)([^)#\s]*)(#[^)\s]+)?\)")
HOW = "run `make docs`, look at what changed, and commit it"

# The words of the domain, one word for each thing.
WORDS = """
    unit; job group; planning group; root jobnet; nested jobnet; job; flexible job; relay agent; destination agent;
    execution agent; agent group; scheduler service; calendar; open day; closed day; base day; base time;
    schedule rule; processing cycle; substitute; shift days; days from start; execution date; start time;
    registration; planned registration; fixed registration; immediate registration; generation; dummy schedule;
    temporary change; hold; prohibit; pass on (to lower jobnets); execution ID; execution registration number; status
"""


def name_of(page: Path) -> str:
    return str(page.relative_to(TOP))


# -- what is made from the code --


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_current(name):
    assert (DOCS / "reference" / name).read_text("utf-8") == PAGES[name](), HOW


def test_worked_tables_are_current():
    page = (DOCS / "explanation" / "schedules.md").read_text("utf-8")
    assert len(EXAMPLE.findall(page)) == page.count("<!-- runs:") > 5
    assert with_tables(page) == page, HOW


@pytest.mark.parametrize(
    "page", [p for p in PAGES_WRITTEN if is_played(p.read_text("utf-8"))], ids=name_of
)
def test_commands_print_what_the_page_shows(page, tmp_path):
    text = page.read_text("utf-8")
    assert masked(played(text, tmp_path)) == masked(text), HOW


@pytest.mark.parametrize(
    ("number", "schema"),
    [
        (0, "show"),
        (1, "show-long"),
        (2, "show-schedule"),
        (3, "schedule"),
        (4, "calendar"),
        (6, "history"),
    ],
)
def test_the_json_that_the_manual_shows_keeps_its_schema(number, schema):
    page = (DOCS / "reference" / "json.md").read_text("utf-8")
    blocks = [f["text"] for f in FENCE.finditer(page) if f["kind"] == "console"]
    found = json.loads(blocks[number][blocks[number].index("{") :])
    jsonschema.Draft202012Validator(SCHEMAS[schema]).validate(found)


@pytest.mark.parametrize(("number", "schema"), [(0, "entry"), (1, "kill")])
def test_the_json_that_is_written_by_hand_keeps_its_schema_too(number, schema):
    page = (DOCS / "reference" / "json.md").read_text("utf-8")
    blocks = [f["text"] for f in FENCE.finditer(page) if f["kind"] == "json"]
    jsonschema.Draft202012Validator(SCHEMAS[schema]).validate(json.loads(blocks[number]))


# -- commands --


@pytest.mark.parametrize("verb", VERBS)
def test_a_command_explains_itself(verb):
    found = command(verb)
    assert examples(verb), "the help text has no example"
    first = (found.help or "").splitlines()[0]
    assert first.endswith("."), "the first line is not a sentence"
    options = [p for p in found.params if isinstance(p, click.Option)]
    assert [p.opts for p in options if not re.search(r"\w{2}", p.help or "")] == []


def shown() -> Iterator[tuple[str, str]]:
    """Yield where a command is shown, and the command."""
    for verb in VERBS:
        yield from ((f"{program(verb)} --help", e) for e in examples(verb) if e.startswith("ajs"))
    for page in PAGES_WRITTEN:
        for fence in FENCE.finditer(page.read_text("utf-8")):
            if fence["kind"] == "console":
                lines = list(commands(fence["text"]))
            elif fence["kind"] == "sh":
                lines = fence["text"].splitlines()
            else:
                continue
            for line in lines:
                if re.match(r"(sudo )?ajs", line):
                    yield name_of(page), line.removeprefix("sudo ")


@pytest.mark.parametrize(("where", "line"), list(dict.fromkeys(shown())))
def test_a_command_that_is_shown_can_be_typed(where, line):
    words = shlex.split(line.replace("\\\n", " "), comments=True)
    end = next((n for n, word in enumerate(words) if word in {">", "|", "&"}), len(words))
    name, *arguments = words[:end]
    verb = name.removeprefix("ajs") or (arguments.pop(0) if arguments else "")
    if verb == "":
        return  # `ajs` alone
    assert verb in VERBS, f"{where} shows {line}"
    try:
        command(verb).make_context(program(verb), arguments)
    except click.UsageError as error:
        pytest.fail(f"{where} shows {line}: {error.format_message()}")


# -- errors, exit codes, statuses --


def test_error_codes_are_unique_and_begin_with_the_exit_code():
    codes = [c.code for c in error_classes()]
    assert len(codes) == len(set(codes)) > 20
    for error in error_classes():
        assert re.fullmatch(r"AJS\d{4}", error.code)
        assert int(error.code[3:5]) == error.exit_code


def test_every_error_says_when():
    assert [c.__name__ for c in error_classes() if not sentence(c).endswith(".")] == []


def test_every_exit_code_has_a_meaning_and_an_error_or_an_outcome():
    assert set(EXIT_TEXTS) == set(ExitCode)
    assert set(EXITS) == set(VERBS)
    outcomes = {
        ExitCode.DONE,
        ExitCode.ENDED_WARNING,
        ExitCode.ENDED_ABNORMAL,
        ExitCode.ENDED_UNKNOWN,
    }
    assert {c.exit_code for c in error_classes()} == set(ExitCode) - outcomes


def test_every_status_has_a_meaning():
    assert set(MEANINGS) == set(Status)


# -- format indicators --


@pytest.mark.parametrize("indicator", INDICATORS, ids=lambda i: f"{i.one} {i.two}")
def test_every_indicator_has_a_meaning_of_its_own_and_an_example(indicator):
    assert [i.meaning for i in INDICATORS].count(indicator.meaning) == 1
    assert indicator.value(EXAMPLE_LINE, FACTS)


def test_every_key_of_ajs_toml_has_a_meaning():
    assert tuple(TOP_MEANINGS) == config.TOP_KEYS
    assert tuple(SERVICE_MEANINGS) == config.SERVICE_KEYS


def test_every_sign_has_a_meaning():
    assert SIGN_MEANINGS.keys() == SIGNS.keys()


# -- words, links, map --


def test_the_glossary_has_every_word_of_the_domain():
    rows = re.findall(r"^\| ([^|]+) \|", (DOCS / "glossary.md").read_text("utf-8"), re.MULTILINE)
    listed = {part.strip() for row in rows for part in (row, *row.split(", "))}
    wanted = {" ".join(word.split()) for word in WORDS.split(";")}
    assert wanted - listed == set()
    assert len(rows) == len(set(rows))


def anchors(page: Path) -> set[str]:
    """Return the anchors that a page's headings have."""
    heads = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {"#" + re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES_WRITTEN, ids=name_of)
def test_links_lead_somewhere(page):
    for target, anchor in LINK.findall(FENCE.sub("", page.read_text("utf-8"))):
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), f"{target} is not there"
        if anchor:
            assert anchor in anchors(file), f"{target}{anchor} is not there"


def test_the_map_names_every_page():
    text = (DOCS / "README.md").read_text("utf-8")
    linked = {(DOCS / target).resolve() for target, _ in LINK.findall(text)}
    pages = {p for p in DOCS.rglob("*") if p.is_file()} - {DOCS / "README.md"}
    lost = [name_of(p) for p in pages if not linked & {p, *p.parents} - set(DOCS.parents) - {DOCS}]
    assert sorted(lost) == []


def test_the_architecture_names_every_module():
    text = (DOCS / "explanation" / "architecture.md").read_text("utf-8")
    named = set(re.findall(r"^\| `ajs/(\w+)", text, re.MULTILINE))
    there = {
        p.stem for p in (TOP / "ajs").iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()
    }
    assert named == there - {"__init__"}
