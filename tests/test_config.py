"""ajs.toml: where it is found, whose it may be, what it may say, and which service a command works on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ajs.config import (
    SYSTEM_WIDE,
    Config,
    Service,
    add_service,
    check_name,
    check_zone,
    find,
    load,
)
from ajs.errors import ConfigurationError

GOOD = """
default_service = "main"

[services.main]
folder = "state/main"
time_zone = "Asia/Tokyo"

[services.sales]
folder = "/srv/ajs/sales"
time_zone = "Europe/Berlin"
schedule = "48h"
"""


def write(folder: Path, text: str = GOOD) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "ajs.toml"
    file.write_text(text, encoding="utf-8")
    file.chmod(0o644)
    return str(file)


def refused(function, *args, **kwargs) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        function(*args, **kwargs)
    assert caught.value.hint
    return caught.value


# -- finding --


def test_found_in_this_folder_or_above(tmp_path):
    file = write(tmp_path / "a")
    deep = tmp_path / "a" / "b" / "c"
    deep.mkdir(parents=True)
    for folder in (tmp_path / "a", tmp_path / "a" / "b", deep):
        assert find(None, {}, str(folder)) == file


def test_nearest_folder_wins_then_ajs_home_then_home(tmp_path):
    outer, inner = write(tmp_path), write(tmp_path / "inner")
    named, home = write(tmp_path / "named"), write(tmp_path / "home")
    here = str(tmp_path / "inner")
    assert find(None, {}, str(tmp_path)) == outer
    assert find(None, {}, here) == inner
    assert find(None, {"AJS_HOME": str(tmp_path / "named")}, here) == named
    assert find(str(tmp_path / "home"), {"AJS_HOME": str(tmp_path / "named")}, here) == home


def test_a_named_home_without_the_file_is_an_error_even_if_there_is_one_here(tmp_path):
    write(tmp_path)
    empty = str(tmp_path / "empty")
    assert "--home" in refused(find, empty, {}, str(tmp_path)).message
    assert "AJS_HOME" in refused(find, None, {"AJS_HOME": empty}, str(tmp_path)).message


def test_system_wide_comes_last_and_nothing_says_where_was_looked(tmp_path, monkeypatch):
    monkeypatch.setattr("ajs.config.SYSTEM_WIDE", str(tmp_path / "etc" / "ajs.toml"))
    here = tmp_path / "here"
    here.mkdir()
    error = refused(find, None, {}, str(here))
    assert str(here) in error.message
    assert "ajs init" in error.hint
    everywhere = write(tmp_path / "etc")
    assert find(None, {}, str(here)) == everywhere
    assert SYSTEM_WIDE == "/etc/ajs/ajs.toml"


# -- reading --


def test_services_with_absolute_folders_and_defaults(tmp_path):
    config = load(write(tmp_path))
    assert config.services == {
        "main": Service("main", str(tmp_path / "state" / "main"), "Asia/Tokyo", "24h"),
        "sales": Service("sales", "/srv/ajs/sales", "Europe/Berlin", "48h"),
    }
    assert config.default_service == "main"


def test_inline_tables_as_well(tmp_path):
    text = 'services.main = {folder = "state", time_zone = "UTC", schedule = "24h"}\n'
    assert load(write(tmp_path, text)).services["main"].time_zone == "UTC"


def test_how_many_jobs_at_once(tmp_path):
    text = 'services.main = {folder = "state", time_zone = "UTC", jobs_at_once = 3}\n'
    assert load(write(tmp_path, text)).services["main"].jobs_at_once == 3
    assert load(write(tmp_path)).services["main"].jobs_at_once is None


BAD = {
    "not TOML": ("services = [", "is not TOML"),
    "unknown top key": ("default = 'x'", "unknown key default"),
    "mistyped top key": ("default_servise = 'x'", "did you mean default_service?"),
    "unknown service key": (
        "services.m = {folder='f', time_zone='UTC', foldr='g'}",
        "services.m.foldr",
    ),
    "mistyped service key": (
        "services.m = {folder='f', timezone='UTC'}",
        "did you mean time_zone?",
    ),
    "services no table": ("services = 3", "services is not a table"),
    "service no table": ("services.m = 'x'", "services.m is not a table"),
    "no folder": ("services.m = {time_zone='UTC'}", "services.m has no folder"),
    "empty folder": ("services.m = {folder='', time_zone='UTC'}", "services.m has no folder"),
    "no time zone": ("services.m = {folder='f'}", "services.m has no time_zone"),
    "folder no text": ("services.m = {folder=3, time_zone='UTC'}", "services.m.folder is 3"),
    "unknown zone": ("services.m = {folder='f', time_zone='Asia/Tokio'}", "'Asia/Tokio'"),
    "near zone": ("services.m = {folder='f', time_zone='Asia/Tokio'}", "did you mean Asia/Tokyo?"),
    "zone is a path": ("services.m = {folder='f', time_zone='../../etc/passwd'}", "no time zone"),
    "zone is a folder": ("services.m = {folder='f', time_zone='Asia'}", "no time zone 'Asia'"),
    "schedule": ("services.m = {folder='f', time_zone='UTC', schedule='36h'}", "'36h'"),
    "name too long": (f"services.{'m' * 31} = {{folder='f', time_zone='UTC'}}", "31 bytes"),
    "name empty": ("services.'' = {folder='f', time_zone='UTC'}", "0 bytes"),
    "name with colon": ("services.'a:b' = {folder='f', time_zone='UTC'}", "':'"),
    "name with slash": ("services.'a/b' = {folder='f', time_zone='UTC'}", "'/'"),
    "name with blank": ("services.'a b' = {folder='f', time_zone='UTC'}", "' '"),
    "folders shared": (
        "services.a = {folder='f', time_zone='UTC'}\nservices.b = {folder='./f/', time_zone='UTC'}",
        "same folder",
    ),
    "no jobs": ("services.m = {folder='f', time_zone='UTC', jobs_at_once=0}", "jobs_at_once is 0"),
    "jobs no number": (
        "services.m = {folder='f', time_zone='UTC', jobs_at_once='8'}",
        "jobs_at_once is '8'",
    ),
    "jobs a yes": (
        "services.m = {folder='f', time_zone='UTC', jobs_at_once=true}",
        "jobs_at_once is True",
    ),
    "default no text": ("default_service = 1", "default_service is 1"),
}


@pytest.mark.parametrize(("text", "said"), BAD.values(), ids=BAD.keys())
def test_what_is_wrong_is_named(tmp_path, text, said):
    file = write(tmp_path, text)
    error = refused(load, file)
    assert file in error.message
    assert said in f"{error.message} {error.hint}"


def test_not_utf8(tmp_path):
    (tmp_path / "ajs.toml").write_bytes(b"default_service = '\xff'")
    assert "byte 20" in refused(load, str(tmp_path / "ajs.toml")).message


@pytest.mark.parametrize("name", ["x", "m" * 30, "営業部" * 3, "a-b_c.d"])
def test_names_that_a_service_may_have(name):
    check_name(name)


@pytest.mark.parametrize(
    "zone", ["UTC", "Asia/Tokyo", "America/Argentina/Buenos_Aires", "Etc/GMT+9"]
)
def test_zones_that_exist(zone):
    check_zone(zone)


# -- whose file it may be --


def test_writable_by_all_is_refused(tmp_path):
    file = write(tmp_path)
    Path(file).chmod(0o666)
    assert "written by everybody" in refused(load, file).message
    Path(file).chmod(0o664)
    load(file)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_stranger_s_file_is_refused_and_root_s_is_not(tmp_path):
    file = write(tmp_path)
    load(file)
    os.chown(file, 4711, 4711)
    error = refused(load, file)
    assert "4711" in error.message
    link = tmp_path / "link"
    link.mkdir()
    (link / "ajs.toml").symlink_to(file)
    assert "4711" in refused(load, str(link / "ajs.toml")).message


def test_a_folder_in_place_of_the_file(tmp_path):
    (tmp_path / "ajs.toml").mkdir()
    assert "cannot read" in refused(load, str(tmp_path / "ajs.toml")).message


# -- choosing a service --

TOKYO = Service("tokyo", "/t", "Asia/Tokyo", "24h")
OSAKA = Service("osaka", "/o", "Asia/Tokyo", "24h")
BOTH = {"tokyo": TOKYO, "osaka": OSAKA}

CHOICES = [
    # services, default_service, -F, AJSCONF, chosen
    (BOTH, "osaka", "tokyo", "osaka", "tokyo"),
    (BOTH, "tokyo", None, "osaka", "osaka"),
    (BOTH, "tokyo", None, "", "tokyo"),
    (BOTH, "tokyo", None, None, "tokyo"),
    ({"osaka": OSAKA}, "", None, None, "osaka"),
]


@pytest.mark.parametrize(("services", "default", "given", "variable", "chosen"), CHOICES)
def test_which_service(services, default, given, variable, chosen):
    environment = {} if variable is None else {"AJSCONF": variable}
    assert Config("f", services, default).service(given, environment).name == chosen


@pytest.mark.parametrize(
    ("default", "given", "variable", "said"),
    [
        ("", None, "", "no default_service"),
        ("kyoto", None, "", "default_service in f names the scheduler service 'kyoto'"),
        ("tokyo", "kyoto", "", "-F names the scheduler service 'kyoto'"),
        ("tokyo", None, "kyoto", "AJSCONF names the scheduler service 'kyoto'"),
        ("tokyo", "toky", "", "did you mean tokyo?"),
    ],
)
def test_no_such_service(default, given, variable, said):
    error = refused(Config("f", BOTH, default).service, given, {"AJSCONF": variable})
    assert said in f"{error.message} {error.hint}"


def test_no_service_at_all():
    assert "ajs init" in refused(Config("f", {}, "").service).hint


# -- writing --


def test_the_first_service_becomes_the_default_and_the_rest_of_the_file_stays(tmp_path):
    file = str(tmp_path / "ajs.toml")
    main = Service("main", str(tmp_path / "state" / "main"), "Asia/Tokyo", "24h")
    config = add_service(file, main)
    assert config == load(file)
    assert config.service() == main
    text = f"# ours\n{Path(file).read_text()}"
    Path(file).write_text(text)
    assert 'folder = "state/main"' in text
    sales = Service("sales", "/srv/sales", "UTC", "48h")
    config = add_service(file, sales)
    assert config == load(file)
    assert config.services == {"main": main, "sales": sales}
    assert config.default_service == "main"
    assert Path(file).read_text().startswith(text)


def test_a_service_is_added_to_a_file_with_inline_tables(tmp_path):
    file = write(tmp_path, 'services.main = {folder = "state", time_zone = "UTC"}\n')
    add_service(file, Service("sales", "/srv/sales", "UTC", "48h"))
    assert list(load(file).services) == ["main", "sales"]


def test_nothing_is_written_when_the_service_exists_or_is_wrong(tmp_path):
    file = write(tmp_path)
    before = Path(file).read_text()
    for service in (
        Service("main", "/x", "UTC", "24h"),
        Service("a/b", "/x", "UTC", "24h"),
        Service("new", "/x", "Asia/Tokio", "24h"),
        Service("new", "/srv/ajs/sales", "UTC", "24h"),
    ):
        refused(add_service, file, service)
        assert Path(file).read_text() == before
    assert [path.name for path in tmp_path.iterdir()] == ["ajs.toml"]


def test_the_written_file_is_accepted_whatever_the_umask(tmp_path):
    umask = os.umask(0)
    try:
        add_service(str(tmp_path / "ajs.toml"), Service("main", "/x", "UTC", "24h"))
    finally:
        os.umask(umask)
    load(str(tmp_path / "ajs.toml"))
    assert (tmp_path / "ajs.toml").stat().st_mode & 0o777 == 0o644


def test_a_folder_that_cannot_be_written(tmp_path):
    missing = str(tmp_path / "none" / "ajs.toml")
    assert "cannot write" in refused(add_service, missing, Service("m", "/x", "UTC", "24h")).message


# -- starting a command --


def test_reading_it_loads_nothing_heavy(tmp_path):
    file = write(tmp_path)
    code = (
        "import sys; from ajs.config import load; load(sys.argv[1]);"
        "print({'zoneinfo', 'pathlib', 'tomli_w', 'difflib', 'ajs.schedule'} & set(sys.modules))"
    )
    ran = subprocess.run(
        [sys.executable, "-S", "-c", code, file],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert ran.stdout == "set()\n"
