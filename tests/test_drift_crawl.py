"""Drift end to end: a shop renames a field; the first crawl says so, a repair is proposed, a person decides."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pymongo.database import Database

from crawler.storage.drift import Drift
from tests.shell import JSON, Answer, Shell, Site


class Shop:
    """Eight products whose prices a test changes; `renamed` takes their price to another name."""

    def __init__(self) -> None:
        self.renamed = False
        self.cents = 0

    def __call__(self, path: str) -> Answer:
        if path == "/robots.txt":
            return 200, {}, b"User-agent: *\nDisallow: /admin\n"
        numbers = range(1, 9) if parse_qs(urlsplit(path).query)["page"] == ["1"] else range(0)
        return 200, JSON, json.dumps({"products": [self.product(n) for n in numbers]}).encode()

    def product(self, n: int) -> dict[str, Any]:
        price = {"amount" if self.renamed else "price": f"{n}.{self.cents + 10}"}
        variant = {"id": n * 10, "title": "S", "available": True, **price, "compare_at_price": None}
        return {"id": n, "title": f"Sock {n}", "handle": f"sock-{n}", "vendor": "Socks", "variants": [variant]}


@pytest.fixture
def shop() -> Shop:
    return Shop()


def crawl(shell: Shell, host: str, shop: Shop, runs: int) -> str:
    """What the last of some crawls said."""
    said = ""
    for _ in range(runs):
        shop.cents += 1
        said = shell.crawl(host).stderr
    return said


def test_a_renamed_field_is_told_repaired_and_the_history_mended_when_a_person_says_so(
    shell: Shell, serve: Callable[[Site], str], shop: Shop, database: Database[Any], tmp_path: Path
) -> None:
    host = serve(shop)
    assert "too little history" in crawl(shell, host, shop, 1)
    assert "drift" not in crawl(shell, host, shop, 4)
    shop.renamed = True
    said = crawl(shell, host, shop, 1)
    assert "drift: shopify.catalogue" in said, said
    assert "scrapy drift --propose" in said
    [broken] = Drift(database).breaks("open")
    print(broken)
    assert shell("drift").returncode == 1
    file = tmp_path / "repairs.toml"
    proposed = shell("drift", "--propose", "-o", str(file))
    assert "/products/*/variants/*/amount" in proposed.stdout, proposed.stdout + proposed.stderr
    stored = database["observations"].count_documents({"kind": "offer"})
    diff = shell("replay", "--diff", "--with", str(file))
    print(diff.stdout, diff.stderr)
    assert "nothing was written" in diff.stdout
    assert database["observations"].count_documents({"kind": "offer"}) == stored
