"""What a shell asks: completion of every command, and a reader that goes away."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ajs.cli import SCRIPTS

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
