"""Who writes a comment or a review is nobody's target: a keyed hash, or nothing, also in the quarantine."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crawler import pages
from crawler.items import Comment, Item, Refused, Review
from crawler.pages import Page

CASES = Path(__file__).parent / "pages"
OF_PEOPLE = ("tiktok.comments", "tiktok.shop_product", "tiktok.zeeschuimer")
AT = datetime(2026, 3, 1, tzinfo=UTC)


def read(case: Path, hash_key: str | None) -> Page:
    meta = json.loads((case / "meta.json").read_text())
    cls = pages.load_all()[case.parent.name]
    return cls(meta["url"], (case / "body").read_bytes(), AT, meta.get("headers"), hash_key=hash_key)


def cases() -> list[Path]:
    return sorted(path.parent for name in OF_PEOPLE for path in (CASES / name).rglob("meta.json"))


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case.parent.name}/{case.name}")
@pytest.mark.parametrize("hash_key", [None, "k" * 32])
def test_no_name_number_or_address_of_a_writer_leaves_the_page(case, hash_key):
    page = read(case, hash_key)
    told = " ".join(
        item.model_dump_json() for item in page.items() if isinstance(item, Comment | Review | Refused)
    ) + json.dumps([page.result.odd, page.result.problem, page.result.unread])  # fmt: skip
    for secret in ("Reader Example", "reader.example", "Other Example", "7000000000000000031", "7131536035046786094"):
        assert secret not in told


def test_a_hash_says_the_same_person_and_needs_the_key():
    def of(key: str | None, case: str = "api_list") -> set[str | None]:
        page = read(CASES / "tiktok.comments" / case, key)
        return {item.author_hash for item in page.items() if isinstance(item, Comment)}

    assert of(None) == {None}
    assert len(of("k" * 32)) == 1, "three comments of one writer"
    assert of("k" * 32) == of("k" * 32)
    assert of("k" * 32) != of("other" * 8)
    assert of("k" * 32) == of("k" * 32, "table"), "the table printed the same number"


def test_the_same_number_on_another_platform_is_another_person():
    class Elsewhere(Page):
        platform = "elsewhere"

    class Here(Page):
        platform = "here"

    one, two = (cls("https://a.example", b"", AT, hash_key="k" * 32).person("id:1") for cls in (Elsewhere, Here))
    assert one != two
    assert all(isinstance(each, str) and len(each) == 32 for each in (one, two))


def test_authors_of_posts_are_public_accounts():
    page = read(CASES / "tiktok.zeeschuimer" / "search", None)
    assert any(isinstance(item, Item) and item.key == "tiktok:profile:tide.example" for item in page.items())
