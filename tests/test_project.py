"""The project's own files keep their word: settings, lock, sizes, and nothing of one machine in them."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import bootstrap

ROOT = Path(__file__).resolve().parent.parent
FILE_LINES = 400
FUNCTION_LINES = 60
LONGER_WITH_REASON = {
    "crawler/items.py": "the one definition of every field, with a line under each",
}
# Written in pieces, so that this file does not find itself.
OF_ONE_MACHINE = re.compile(r"(?<![\w.$}\])])/" + r"(?:work|root)/\w")
REGISTRY = re.compile(
    "pythonhosted|registry[.]npm" + "js|(?:extra-)?index-" + "url[ =]|find-" + "links[ =]|/" + "simple/"
)


def tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode:
        pytest.skip("not a git checkout: cannot tell the project's files from others")
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def python_files() -> list[str]:
    return [name for name in tracked() if name.endswith(".py")]


def settings_read() -> set[str]:
    """Names in the calls given("NAME") of crawler/config.py."""
    tree = ast.parse((ROOT / "crawler/config.py").read_text())
    return {
        str(node.args[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "given"
        if isinstance(node.args[0], ast.Constant)
    }


def locked() -> dict[str, tuple[str, str]]:
    """Name -> (version, the whole entry) of requirements.lock."""
    entries = re.split(r"^(?=\w)", (ROOT / "requirements.lock").read_text(), flags=re.M)[1:]
    heads = [re.match(r"([\w.-]+)==([^\s;]+)", entry) for entry in entries]
    assert all(heads), [entry[:60] for entry, head in zip(entries, heads, strict=True) if not head]
    return {canonicalize_name(head[1]): (head[2], entry) for head, entry in zip(heads, entries, strict=True) if head}


def test_every_setting_is_described_and_every_description_is_a_setting() -> None:
    described = re.findall(r"^#?([A-Z][A-Z0-9_]*)=", (ROOT / ".env.example").read_text(), flags=re.M)
    assert sorted(described) == sorted(settings_read())


def test_each_setting_says_its_default() -> None:
    blocks = (ROOT / ".env.example").read_text().split("\n\n")[1:]
    silent = [block.splitlines()[-1] for block in blocks if "# Default: " not in block]
    assert silent == []


def test_the_environment_is_read_in_config_only() -> None:
    readers = [
        name
        for name in python_files()
        if name.startswith(("crawler/", "spiders/", "pipelines/", "analysis/")) and name != "crawler/config.py"
        if re.search(r"\bos\.(environ|getenv)\b|from os import .*(environ|getenv)", (ROOT / name).read_text())
    ]
    assert readers == []


def test_the_lock_holds_versions_and_hashes_and_no_addresses() -> None:
    text = (ROOT / "requirements.lock").read_text()
    assert "://" not in text
    assert not re.findall(r"^-.*", text, flags=re.M)
    bare = [name for name, (_, entry) in locked().items() if "--hash=sha256:" not in entry]
    assert bare == []


def test_every_dependency_is_locked_in_a_version_that_fits() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    pins = locked()
    unmet = [
        each
        for each in map(Requirement, wanted)
        if canonicalize_name(each.name) not in pins
        or not each.specifier.contains(pins[canonicalize_name(each.name)][0], prereleases=True)
    ]
    assert unmet == []


def test_nothing_names_one_machine_or_its_registry() -> None:
    found = []
    for name in tracked():
        if name.startswith("tests/pages/"):  # what other people's servers sent
            continue
        text = (ROOT / name).read_bytes().decode("utf-8", "replace")
        found += [f"{name}: {match[0]}" for match in OF_ONE_MACHINE.finditer(text)]
        if name not in ("Makefile", "tests/test_project.py"):  # the former tells uv to write no address
            found += [f"{name}: {match[0]}" for match in REGISTRY.finditer(text)]
    assert found == []


def test_files_stay_short() -> None:
    lines = {name: len((ROOT / name).read_text().splitlines()) for name in python_files()}
    long = {name: n for name, n in lines.items() if n > FILE_LINES and name not in LONGER_WITH_REASON}
    assert long == {}


def test_functions_stay_short() -> None:
    long = [
        f"{name}:{node.lineno} {node.name}"
        for name in python_files()
        for node in ast.walk(ast.parse((ROOT / name).read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if (node.end_lineno or node.lineno) - node.lineno + 1 > FUNCTION_LINES
    ]
    assert long == []


@pytest.mark.parametrize(
    ("status", "words", "advice"),
    [
        (
            127,
            "error while loading shared libraries: libcurl.so.4: cannot open shared object file",
            "libcurl4 libssl3",
        ),
        (1, "/lib/libc.so.6: version `GLIBC_2.34' not found", "Debian 12"),
        (None, "No such file or directory", "Debian 12"),
        (-4, "", "AVX"),
        (3, "", "status 3"),
    ],
)
def test_a_database_that_cannot_start_says_what_to_do(status: int | None, words: str, advice: str) -> None:
    assert advice in bootstrap.server_problem(status, words)


def test_an_unstamped_or_foreign_environment_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stamp = tmp_path / "stamp"
    monkeypatch.setattr(bootstrap, "STAMP", str(stamp))
    assert not bootstrap.is_done("lock")
    stamp.write_text("lock\n3.11.0 of another machine")
    assert not bootstrap.is_done("lock")
    stamp.write_text("half")
    assert not bootstrap.is_done("lock")
