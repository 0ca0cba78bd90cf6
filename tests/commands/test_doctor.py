"""What is wrong, and the command that mends it."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
import tomllib
from collections import namedtuple
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path

import pytest

from crawler import config, health
from crawler.storage.connect import Facts

ROOT = Path(__file__).resolve().parents[2]
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
URI = "mongodb://127.0.0.1:27017"


def scrapy(*arguments, **environ):
    """Exit status, output and errors of the real program."""
    ours = ("MONGODB_", "TIDEMARK_", "BROWSER_PATH", "ARCHIVE_URL", "DYNO")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    done = subprocess.run(
        [sys.executable, "-m", "scrapy", *arguments],
        cwd=ROOT,
        env=clean | environ,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def program(path, script="exit 0"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_a_check_is_one_line_with_its_mend_at_the_end():
    assert health.Check("disk", "warn", "0.5 GB free", "free some space").line() == (
        "warn  disk      0.5 GB free  -> free some space"
    )
    assert health.Check("python", "ok", "3.11.7").line() == "ok    python    3.11.7"


@pytest.mark.parametrize(("version", "state"), [((3, 10, 9), "fail"), ((3, 11, 0), "ok"), ((3, 14, 1), "ok")])
def test_python_older_than_3_11_fails(version, state):
    assert health.python(version).state == state


def test_packages_that_cannot_be_imported_are_named():
    def load(name):
        if name == "pyarrow":
            raise OSError("libarrow.so: no such file")

    check = health.packages(load)
    assert (check.state, check.mend) == ("fail", "make setup")
    assert "pyarrow (OSError)" in check.found


def test_every_dependency_of_the_project_is_checked():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = {re.match(r"[\w.-]+", line)[0].lower() for line in project["dependencies"]}
    brought = metadata.packages_distributions()
    checked = {name.lower() for module in health.MODULES for name in brought[module]}
    assert checked == {name for name in named if not name.startswith("fiftyone")}


@pytest.mark.parametrize(
    ("environ", "states", "says"),
    [
        ({}, ["ok"], "database tidemark"),
        ({"MONGODB_URI": "postgres://maria:Tr0ub4dor@h"}, ["fail"], "MONGODB_URI: expected mongodb://"),
        ({"DYNO": "web.1"}, ["fail"], "MONGODB_URI: not set on a dyno"),
        ({"DYNO": "web.1", "MONGODB_URI": URI}, ["warn"], "ARCHIVE_URL: not set on a dyno"),
    ],
)
def test_settings_that_cannot_work_fail_and_those_that_will_hurt_warn(environ, states, says):
    checks, settings = health.read_settings(environ)
    assert [check.state for check in checks] == states
    assert says in checks[0].found
    assert (settings is None) == (states == ["fail"])
    assert "Tr0ub4dor" not in checks[0].line()


@pytest.mark.parametrize(
    ("free", "state"),
    [(99_999_999, "fail"), (100_000_000, "warn"), (999_999_999, "warn"), (1_000_000_000, "ok")],
)
def test_a_disk_warns_under_a_gigabyte_and_fails_under_a_tenth(free, state):
    assert health.disk(Path("/data"), free).state == state


def test_free_space_is_known_before_the_directory_is_made(tmp_path):
    assert health.free_bytes(tmp_path / "not" / "yet") > 0


@pytest.mark.parametrize(
    ("apart_s", "state"),
    [(0, "ok"), (5, "ok"), (-5.1, "warn"), (300, "warn"), (301, "fail"), (-7200, "fail")],
)
def test_a_clock_warns_above_five_seconds_and_fails_above_five_minutes(apart_s, state):
    check = health.clock(NOON + timedelta(seconds=apart_s), NOON)
    assert check.state == state
    assert ("behind" if apart_s <= 0 else "ahead") in check.found


@pytest.mark.parametrize(
    ("version", "majority", "state"),
    [((4, 2, 24), True, "fail"), ((4, 4, 0), True, "ok"), ((8, 0, 4), True, "ok"), ((8, 0, 4), False, "fail")],
)
def test_an_old_server_fails_and_so_does_one_that_can_lose_writes(version, majority, state):
    assert health.server(Facts(version, NOON, majority), URI).state == state


def test_a_database_that_answers_is_ok_and_so_is_the_clock_beside_it(mongo_uri, tmp_path):
    settings = config.load({"MONGODB_URI": mongo_uri, "TIDEMARK_DATA": str(tmp_path)})
    checks = health.database(settings, lambda: datetime.now(UTC))
    assert [(check.name, check.state) for check in checks] == [("database", "ok"), ("clock", "ok")]
    assert "?" not in checks[0].line(), "options are not shown"


def test_a_database_that_is_away_says_what_to_try_and_hides_the_password(tmp_path):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        uri = f"mongodb://maria:Tr0ub4dor@127.0.0.1:{holder.getsockname()[1]}/?appName=blue"
        settings = config.load({"MONGODB_URI": uri, "TIDEMARK_DATA": str(tmp_path)})
        (check,) = health.database(settings, lambda: NOON, timeout_s=0.2)
    assert check.state == "fail"
    assert "connection refused" in check.found
    assert check.mend == "Does the server run, and may this machine reach it? See .env.example."
    assert not [secret for secret in ("maria", "Tr0ub4dor", "blue") if secret in check.line()]


def test_an_archive_that_can_be_written_is_ok_and_left_as_it_was(tmp_path):
    settings = config.load({"TIDEMARK_DATA": str(tmp_path)})
    assert health.archive(settings).state == "ok"
    assert list(settings.archive_dir.iterdir()) == []


def test_an_archive_that_cannot_be_written_fails(tmp_path):
    (tmp_path / "file").write_text("")
    check = health.archive(config.load({"TIDEMARK_DATA": str(tmp_path / "file")}))
    assert check.state == "fail"
    assert "cannot be written" in check.found


def test_what_waits_in_the_spool_is_said(tmp_path):
    settings = config.load({"TIDEMARK_DATA": str(tmp_path)})
    assert health.spool(settings).state == "ok"
    waiting = settings.spool_dir / "tidemark" / "20260301T000000-1-0001.jsonl"
    waiting.parent.mkdir(parents=True)
    waiting.write_bytes(b"x" * 300_000)
    check = health.spool(settings)
    assert (check.state, "0.3 MB wait in" in check.found) == ("warn", True)


# ---- the browser

Machine = namedtuple("Machine", "own which")


def machine(own=None, **on_path):
    """A machine with these programs on its PATH; '_' in a name stands for '-'."""
    paths = {name.replace("_", "-"): str(path) for name, path in on_path.items()}
    return Machine(lambda: own, paths.get)


def test_browser_path_comes_first_then_playwrights_own_then_the_system(tmp_path):
    system = machine(None, chromium="/usr/bin/chromium", google_chrome="/usr/bin/google-chrome")
    both = machine(Path("/own/chrome"), chromium="/usr/bin/chromium")
    assert health.find_browser("/my/browser", *both) == Path("/my/browser")
    assert health.find_browser(None, *both) == Path("/own/chrome")
    assert health.find_browser(None, *system) == Path("/usr/bin/chromium")
    assert health.find_browser(None, *machine()) is None


def test_the_headless_shell_is_preferred_among_system_browsers():
    system = machine(None, chromium="/usr/bin/chromium", chromium_headless_shell="/usr/bin/chromium-headless-shell")
    assert health.find_browser(None, *system) == Path("/usr/bin/chromium-headless-shell")


def test_ubuntus_snap_is_passed_over():
    stub = machine(None, chromium_browser="/usr/bin/chromium-browser", chromium="/snap/bin/chromium")
    assert health.find_browser(None, *stub) is None
    edge = machine(None, chromium="/snap/bin/chromium", microsoft_edge="/usr/bin/microsoft-edge")
    assert health.find_browser(None, *edge) == Path("/usr/bin/microsoft-edge")


@pytest.mark.parametrize(
    "shell", ["chrome-linux/headless_shell", "chrome-headless-shell-linux64/chrome-headless-shell"]
)
def test_playwrights_headless_shell_is_found_without_a_full_chromium(tmp_path, shell):
    full = tmp_path / "chromium-1234" / "chrome-linux64" / "chrome"
    assert health.headless_shell(full) is None
    program(tmp_path / "chromium_headless_shell-1111" / shell)  # of an older Playwright
    assert health.headless_shell(full) is None
    wanted = program(tmp_path / "chromium_headless_shell-1234" / shell)
    (wanted.parent / "headless_lib_data.pak").write_text("")
    assert health.headless_shell(full) == wanted


def test_a_missing_browser_warns_because_plain_pages_need_none():
    check = health.browser(None, lambda given: None)
    assert check.state == "warn"
    assert "playwright install" in check.mend


def test_a_browser_path_that_leads_nowhere_fails(tmp_path):
    check = health.browser(str(tmp_path / "none"))
    assert check.state == "fail"
    assert "BROWSER_PATH" in check.found


@pytest.mark.skipif(sys.platform == "win32", reason="shell scripts stand for browsers")
def test_a_browser_is_tried_and_its_last_words_are_told(tmp_path):
    good = program(tmp_path / "good")
    bad = program(tmp_path / "bad", "echo 'libnss3.so: cannot open shared object file' >&2; exit 127")
    assert health.browser(str(good)) == health.Check("browser", "ok", str(good))
    check = health.browser(str(bad))
    assert check.state == "warn"
    assert "libnss3.so" in check.found


# ---- the programs


def test_doctor_exits_0_when_nothing_fails_and_1_when_something_does(mongo_uri, tmp_path):
    browser = program(tmp_path / "browser")
    good = {"MONGODB_URI": mongo_uri, "TIDEMARK_DATA": str(tmp_path), "BROWSER_PATH": str(browser)}
    status, shown, errors = scrapy("doctor", **good)
    assert (status, errors) == (0, "")
    assert [line.split()[1] for line in shown.splitlines()] == [
        *("python", "packages", "settings", "disk", "archive", "spool", "database", "clock", "browser"),
    ]
    status, shown, _ = scrapy("doctor", **good | {"BROWSER_PATH": str(tmp_path / "none")})
    assert status == 1
    assert [line for line in shown.splitlines() if line.startswith("fail  browser")]


def test_db_starts_shows_and_stops_the_local_server():
    with tempfile.TemporaryDirectory(prefix="tidemark-test-", ignore_cleanup_errors=True) as folder:
        here = {"TIDEMARK_DATA": folder}
        assert scrapy("db", "status", **here)[0] == 1
        status, shown, errors = scrapy("db", "start", **here)
        assert (status, errors) == (0, "")
        assert re.match(r"running: MongoDB \d+\.\d+\.\d+, process \d+, ", shown)
        assert scrapy("db", "status", **here)[0] == 0
        assert scrapy("db", "stop", **here) == (0, "stopped\n", "")
        assert scrapy("db", "stop", **here)[1].startswith("no local server was running")


def test_db_without_an_order_is_a_usage_error(tmp_path):
    assert scrapy("db", TIDEMARK_DATA=str(tmp_path))[0] == 2


def test_db_says_that_crawls_use_the_server_of_mongodb_uri_without_its_password(tmp_path):
    uri = "mongodb://maria:Tr0ub4dor@db.example.org/?appName=blue"
    status, shown, errors = scrapy("db", "status", MONGODB_URI=uri, TIDEMARK_DATA=str(tmp_path))
    assert status == 1
    assert "mongodb://db.example.org" in shown
    assert not [secret for secret in ("maria", "Tr0ub4dor", "blue") if secret in shown + errors]
