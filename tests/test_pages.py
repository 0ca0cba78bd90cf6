"""Every saved page gives what a person has read in it. A missing expectation is written, and fails once."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from crawler import pages
from crawler.items import Item
from crawler.pages import Page

CASES = sorted(path.parent for path in (Path(__file__).parent / "pages").rglob("meta.json"))
SAME_FOR_ALL = {"capture", "observed_at", "vantage", "platform", "parser"}


def read(case: Path) -> dict[str, Any]:
    meta = json.loads((case / "meta.json").read_text())
    cls = pages.load_all()[case.parent.name]
    page = cls(
        meta["url"], (case / "body").read_bytes(), datetime.fromisoformat(meta["fetched_at"]),
        meta.get("headers"), at_precision=meta.get("at_precision"),
    )  # fmt: skip
    return told(page)


def told(page: Page) -> dict[str, Any]:
    result = page.result
    said = {
        "outcome": page.outcome, "parts": result.parts, "got": result.got, "repaired": result.repaired,
        "odd": result.odd, "problem": result.problem, "follows": [[f.url, f.lane] for f in page.next()],
        "items": [
            {k: v for k, v in item.model_dump(mode="json", exclude_none=True).items() if k not in SAME_FOR_ALL}
            if isinstance(item, Item) else {"refused": item.kind, "reason": item.reason}
            for item in page.items()
        ],
    }  # fmt: skip
    return {name: value for name, value in said.items() if value not in (None, 0, "", [], {})}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_a_saved_page_gives_what_a_person_read_in_it(case: Path) -> None:
    expected = case / "expected.json"
    found = read(case)
    if not expected.exists():
        expected.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
        pytest.fail(f"{expected}: written now; read it against the page, then run again")
    assert found == json.loads(expected.read_text())


def test_every_page_class_has_saved_pages() -> None:
    assert set(pages.load_all()) == {case.parent.name for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_only_an_ok_page_gives_items(case: Path) -> None:
    found = read(case)
    assert found["outcome"] == "ok" or all("refused" in item for item in found.get("items", ()))


@pytest.mark.parametrize("host", ["getdaytrends.com", "trends24.in", "archive.twitter-trending.com", "www.tiktok.com"])
def test_what_robots_may_do_is_no_page_of_the_site(host: str) -> None:
    assert pages.choose(f"https://{host}/robots.txt", b"User-agent: *\nAllow: /\n") is None
    assert pages.choose("https://www.tiktok.com/@robots.txt", b"") is not None
