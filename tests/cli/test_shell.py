"""What a shell asks: completion of every command, and a reader that goes away."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from ajs.cli import SCRIPTS, VERBS

CODE = "import sys; from ajs.cli import main; sys.argv[0] = sys.argv.pop(1); sys.exit(main())"


def shell(program: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", CODE, program, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("program", "words", "found"),
    [
        ("ajsshow", "ajsshow --for", "--format"),
        ("ajsplan", "ajsplan --pro", "--prohibit"),
        ("ajs", "ajs hist", "history"),
        ("ajs", "ajs undo --dry", "--dry-run"),
    ],
)
def test_completion(program, words, found):
    count = str(len(words.split()) - 1)
    variable = f"_{program.upper()}_COMPLETE"
    asked = {variable: "bash_complete", "COMP_WORDS": words, "COMP_CWORD": count}
    done = shell(program, **asked)
    assert done.stdout.split() == [f"plain,{found}"]


@pytest.mark.parametrize(
    ("program", "words", "found"),
    [
        ("ajsshow", "ajsshow /", ["/g", "/g/"]),
        (
            "ajsshow",
            "ajsshow /g/",
            ["/g/daily", "/g/daily/", "/g/never", "/g/never/", "/g/weekly", "/g/weekly/"],
        ),
        ("ajsplan", "ajsplan -p /g/daily/f", ["/g/daily/first"]),
        ("ajs", "ajs why -F s /g/n", ["/g/never", "/g/never/"]),
        ("ajs", "ajs output /g/none", []),
        ("ajsshow", "ajsshow -F nobody /", []),
        ("ajsshow", "ajsshow --home nowhere /", []),
        ("ajsentry", "ajsentry -F ", ["other", "s"]),
        ("ajsstart", "ajsstart -F o", ["other"]),
        ("ajsstart", "ajsstart --home nowhere -F o", []),
    ],
)
def test_names_are_completed(home, program, words, found):
    home.ajs("ajs init other --time-zone UTC")
    asked = {
        f"_{program.upper()}_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
        "AJS_HOME": str(home.folder),
    }
    done = shell(program, **asked)
    assert sorted(done.stdout.split()) == sorted(f"plain,{name}" for name in found)
    assert done.stderr == ""


@pytest.mark.parametrize("kind", ["bash", "zsh", "fish"])
def test_every_command_gets_its_completion(kind):
    done = shell("ajs", "completion", kind)
    assert done.returncode == 0, done.stderr
    names = ["_AJS_COMPLETE", *(f"_AJS{verb.upper()}_COMPLETE" for verb in SCRIPTS)]
    assert all(name in done.stdout for name in names)


def test_a_folder_that_was_removed(tmp_path):
    folder = tmp_path / "gone"
    folder.mkdir()
    words = f"cd {folder} && rmdir {folder} && exec {sys.executable} -c '{CODE}' ajsshow"
    done = subprocess.run(["sh", "-c", words], capture_output=True, text=True, check=False)
    assert done.returncode == 24
    assert done.stderr.startswith("ajsshow: AJS2401: the current folder no longer exists\n  hint: ")


def test_without_a_stdout(home):
    words = f"exec {sys.executable} -c '{CODE}' ajsshow --home {home.folder} >&-"
    done = subprocess.run(["sh", "-c", words], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("arguments", [[], ["show", "--help"], ["define", "--schema"]])
def test_a_reader_that_goes_away_is_no_error(arguments):
    first, second = os.pipe()
    os.close(first)
    words = [sys.executable, "-u", "-c", CODE, "ajs", *arguments]
    done = subprocess.run(words, stdout=second, stderr=subprocess.PIPE, text=True, check=False)
    os.close(second)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("verb", VERBS)
def test_an_argument_that_is_not_utf_8(verb, home):
    said = home.ajs(["ajs", verb, "--home", str(home.folder), "/g/\udce9"])
    assert said.startswith(f"! ajs {verb}: AJS0402: argument 3, '/g/\\xe9', is not UTF-8\n! ")
    assert said.endswith("[4]")


def test_an_argument_that_is_not_utf_8_in_json(home):
    said = home.ajs(["ajsshow", "--format", "json", "\udcff"])
    assert r"argument 3, '\\xff', is not UTF-8" in said


def test_a_setting_that_is_not_utf_8(home, monkeypatch):
    monkeypatch.setenv("AJSPATH", "/\udcff")
    assert "AJS0402: AJSPATH, '/\\xff', is not UTF-8" in home.ajs("ajsshow daily")


def test_a_definition_file_whose_name_is_not_utf_8(home):
    home.file("more/\udcff.yaml", "group: /h\n")
    said = home.ajs("ajsdefine more")
    assert "AJS0402: the name of the file more/\\xff.yaml is not UTF-8" in said


@pytest.mark.parametrize("number", [2**63, 10**30])
def test_numbers_greater_than_any_stored(home, number):
    for line in (f"ajs undo {number}", f"ajs history {number}"):
        assert f"AJS0803: the operation log has no entry {number}" in home.ajs(line)
    assert home.ajs(f"ajs history -n {number}") == home.ajs("ajs history")
    refused = home.ajs(f"ajsshow -B 20261124{number} /g/daily")
    assert f"AJS0402: -B '20261124{number}' is not an execution registration number" in refused


FULL = [
    ("ajs", ">", 24, "ajs: AJS2405: the answer could not be written: no space left on device"),
    ("ajs --version", ">", 24, "ajs: AJS2405: the answer could not be written: "),
    ("ajs show --help", ">", 24, "ajs show: AJS2405: the answer could not be written: "),
    ("ajs show --home {home}", ">", 24, "ajs show: AJS2405: the answer could not be written: "),
    (
        "ajs entry --home {home} -n /g/never",
        ">",
        24,
        "  hint: what the command did is done: `ajs hi",
    ),
    ("ajs entry --home {home} -n /g/daily", "2>", 24, ""),
    ("ajs show --home {home} /nosuch", "2>", 8, ""),
    ("ajs show --nosuch", "2>", 2, ""),
    ("ajs nosuch", "2>", 24, ""),
]


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(("line", "stream", "code", "said"), FULL)
def test_an_answer_that_cannot_be_written(home, monkeypatch, line, stream, code, said, unbuffered):
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    line = line.format(home=home.folder)
    words = f"exec {sys.executable} -c '{CODE}' {line} {stream}/dev/full"
    done = subprocess.run(["sh", "-c", words], capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_what_was_done_stays_when_the_answer_cannot_be_written(home):
    words = f"exec {sys.executable} -c '{CODE}' ajs entry --home {home.folder} /g/daily >/dev/full"
    subprocess.run(["sh", "-c", words], capture_output=True, check=False)
    assert "ajs entry --home" in home.ajs("ajs history")


SPECIAL = [
    ("ajsdefine pipe", "AJS0402: pipe cannot be read: not a regular file"),
    ("ajsdefine /dev/zero", "AJS0402: /dev/zero cannot be read: not a regular file"),
    ("ajsdefine folder", "AJS0402: folder/x.yaml cannot be read: not a regular file"),
    ("ajsdefine s.yaml", "s.yaml:5:25: /g/s/j: script '/dev/zero' cannot be read: not a regular"),
    ("ajsdefine t.yaml", "t.yaml:5:25: /g/s/j: script 'pipe' cannot be read: not a regular file"),
    ("ajsshow --home piped", "cannot read {}/piped/ajs.toml: not a regular file"),
    ("ajsshow --home large", "cannot read {}/large/ajs.toml: larger than 1,048,576 bytes"),
    ("ajsdefine large.yaml", "AJS0402: large.yaml cannot be read: larger than 67,108,864 bytes"),
    ("ajsdefine u.yaml", "u.yaml:5:25: /g/s/j: script 'large.yaml' cannot be read: larger than 67"),
]


@pytest.mark.parametrize(("line", "said"), SPECIAL)
def test_files_that_never_end_or_wait_are_not_read(home, line, said):
    for name in ("folder", "piped"):
        (home.folder / name).mkdir()
    for name in ("pipe", "folder/x.yaml", "piped/ajs.toml"):
        os.mkfifo(home.folder / name)
    for name, script in (("s", "/dev/zero"), ("t", "pipe"), ("u", "large.yaml")):
        text = "group: /g\njobnets:\n  s:\n    schedule: undefined\n    units: {j: {script: %s}}\n"
        home.file(f"{name}.yaml", text % script)
    for name, size in (("large/ajs.toml", 1 << 20), ("large.yaml", 64 << 20)):
        os.truncate(home.folder / home.file(name, ""), size + 1)
    assert said.format(home.folder) in home.ajs(line)


ARABIC = str.maketrans({str(digit): chr(0x660 + digit) for digit in range(10)})


@pytest.mark.parametrize(
    ("line", "option", "value", "what"),
    [
        ("ajsplan -t {} /g/daily", "-t", "22:30", "time"),
        ("ajsplan -d {} /g/daily", "-d", "2026/08/11", "date"),
        ("ajsshow -b {} /g/daily", "-b", "2026/08/11", "date"),
        ("ajsshow -b {} /g/daily", "-b", "2026/08", "date"),
    ],
)
def test_digits_are_those_from_0_to_9(home, line, option, value, what):
    value = value.translate(ARABIC)
    assert f"AJS0402: {option} {value!r} is not a {what}" in home.ajs(line.format(value))


@pytest.mark.parametrize("verb", ["ajsshow", "ajsplan -h"])
def test_an_empty_execution_id(home, verb):
    assert "AJS0402: '/g/daily:@': @ is not an execution ID" in home.ajs(f"{verb} /g/daily:@")


def test_a_former_name_that_is_not_there_is_noted(home):
    home.file(
        "new.yaml", "group: /g\njobnets:\n  new: {was: nosuch, schedule: undefined, units: {}}\n"
    )
    noted = "note     /g/new: was: names /g/nosuch, which is not there; nothing was renamed"
    assert noted in home.ajs("ajsdefine --dry-run new.yaml")
    found = json.loads(home.ajs("ajsdefine --dry-run --format json new.yaml"))
    assert found["not_renamed"] == [{"old": "/g/nosuch", "new": "/g/new"}]
    assert noted in home.ajs("ajsdefine new.yaml")
    assert "note" not in home.ajs("ajsdefine new.yaml")
