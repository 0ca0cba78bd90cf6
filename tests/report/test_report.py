"""What the report promises: one file that needs nothing else, honest findings, harmless text."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from analysis.cli import main
from analysis.report.findings import findings
from analysis.report.write import plain
from analysis.web.filters import Filters
from analysis.web.site import Site
from analysis.web.words import Words
from crawler import config
from crawler.health import find_browser
from crawler.storage import connect
from crawler.storage.store import Store
from tests.web.world import BOARD, NASTY

Run = Callable[..., int]
SINCE = ("--since", "2026-03-01")


@pytest.fixture(scope="module")
def run(mongo_uri: str, site: Site, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The command as a user types it, over the filled database."""

    def command(*arguments: str, database: str | None = None) -> int:
        return main(
            ["report", "--database", database or site.database, *arguments],
            lambda _: connect.connect(config.load({"MONGODB_URI": mongo_uri})),
        )

    return command


def test_the_report_is_one_file_that_needs_nothing_else_and_runs_nothing(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "r.html"
    assert run(*SINCE, "-o", str(path), "--lang", "pt") == 0
    page = path.read_text("utf-8")
    assert '<html lang="pt"' in page and "<script" not in page
    assert set(re.findall(r'(?:src|href)="(?!#)([a-z]+):', page)) <= {"data"}
    assert page.count("data:image/svg+xml") > 8
    assert "default-src 'none'" in page
    assert "findings" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == [path]


def test_findings_carry_number_and_n_and_differences_without_support_stay_unsaid(site: Site) -> None:
    told = findings(site, Words("en"), Filters(since="2026-03-01"))
    texts = [each.text for each in told.said]
    assert any(
        re.search(r"Maré Alta leads x:trends:br, on the list for at least .* \(n 25 snapshots", each) for each in texts
    )
    assert "38 % (21 % to 59 %) of the alerts came true, n 21." in texts
    # Forty posts of twelve creators in five lengths show no difference; nothing is said of it, and that is counted.
    assert told.unsaid >= 1
    assert not any("higher rate" in each or "lower rate" in each for each in texts)


def test_the_digest_is_markdown_in_which_no_text_of_a_page_means_anything(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*SINCE, "--only-digest", "--board", BOARD, "--top", "13") == 0
    page = capsys.readouterr().out
    assert page.startswith("# Tidemark") and "| 1 | Maré Alta |" in page
    assert "<script>" not in page and "\\<script\\>" in page
    for each in NASTY:
        shown = plain(each)
        assert "\x1b" not in shown and "\n" not in shown and not re.search(r"(?<!\\)[<\[|`*_]", shown)


def test_a_pdf_comes_out_of_the_browser(run: Run, tmp_path: Path) -> None:
    if find_browser(None) is None:
        pytest.skip("no Chromium here; see: scrapy doctor")
    assert run(*SINCE, "-o", str(tmp_path / "r.html"), "--pdf", str(tmp_path / "r.pdf")) == 0
    assert (tmp_path / "r.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--since", "soon"], "is no moment"),
        (["--since", "0d"], "is no moment"),
        (["-o", "/nowhere/r.html"], "no folder"),
        (["-o", "r.docx"], "cannot write this kind of file"),
        (["--known-at", "2026-03-01"], "leave out --known-at"),
        (["--since", "2026-03-05", "--until", "2026-03-02"], "--since must lie before --until"),
        (["--board", "x:trends:zz"], "no such board"),
    ],
)
def test_what_cannot_be_done_is_said_plainly(
    run: Run, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    try:
        status = run(*arguments)
    except SystemExit as end:
        status = int(end.code or 0)
    assert status == 2
    assert said in capsys.readouterr().err


def test_an_empty_database_makes_an_honest_report(
    run: Run, database: Database[Any], client: MongoClient[dict[str, Any]], tmp_path: Path
) -> None:
    store = Store(database)
    store.prepare()
    store.close()
    assert run("-o", str(tmp_path / "r.html"), database=database.name) == 0
    assert "No finding is supported" in (tmp_path / "r.html").read_text("utf-8")
