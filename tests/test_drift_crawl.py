"""Drift end to end: a shop renames a field; the first crawl says so, a repair is proposed, a person decides."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pymongo.database import Database
from starlette.testclient import TestClient

from analysis.web.app import create_app
from crawler import rounds
from crawler.condition import judge
from crawler.storage import condition
from crawler.storage.drift import Drift
from crawler.storage.retention import Room
from tests.shell import JSON, Answer, Shell, Site, facts
from tests.web import world


class Shop:
    """Eight products whose prices a test changes; `renamed` takes their price to another name."""

    def __init__(self) -> None:
        self.renamed = False
        self.cents = 10

    def __call__(self, path: str) -> Answer:
        if path == "/robots.txt":
            return 200, {}, b"User-agent: *\nDisallow: /admin\n"
        numbers = range(1, 9) if parse_qs(urlsplit(path).query)["page"] == ["1"] else range(0)
        return 200, JSON, json.dumps({"products": [self.product(n) for n in numbers]}).encode()

    def product(self, n: int) -> dict[str, Any]:
        price = {"amount" if self.renamed else "price": f"{n}.{self.cents}"}
        variant = {"id": n * 10, "title": "S", "available": True, **price, "compare_at_price": None}
        return {"id": n, "title": f"Sock {n}", "handle": f"sock-{n}", "vendor": "Socks", "variants": [variant]}


def crawl(shell: Shell, host: str, shop: Shop, runs: int, **environ: str) -> str:
    """What the last of some crawls said."""
    said = ""
    for _ in range(runs):
        shop.cents += 1
        said = shell.crawl(host, **environ).stderr
    return said


def test_a_renamed_field_is_told_at_once_and_mended_when_a_person_says_so(
    shell: Shell, serve: Callable[[Site], str], database: Database[Any], tmp_path: Path
) -> None:
    shop = Shop()
    host = serve(shop)
    assert "too little history" in crawl(shell, host, shop, 1)
    assert "drift: shopify" not in crawl(shell, host, shop, 3)
    shop.renamed = True
    said = crawl(shell, host, shop, 1)
    assert "drift: shopify.catalogue" in said
    assert "scrapy drift --propose" in said
    told_of(database, tmp_path)
    file = tmp_path / "repairs.toml"
    stranger = shell("drift", "nobody")
    assert (stranger.returncode, "no crawl of such a spider" in stranger.stderr) == (2, True)
    assert "no such folder" in shell("drift", "--propose", "-o", str(tmp_path / "none" / "repairs.toml")).stderr
    proposed = shell("drift", "--propose", "-o", str(file))
    assert proposed.returncode == 0, proposed.stderr
    assert 'from = "/products/*/variants/*/amount"' in file.read_text()
    before = facts(database)
    tried = shell("replay", "--diff", "--json", "--with", str(file))
    rows = [json.loads(line) for line in tried.stdout.splitlines()]
    prices = [(row["key"], row["would_be"]) for row in rows if row["field"] == "price" and row["stored"] is None]
    assert len(prices) == 8 and ("127.0.0.1:product:3:30", "3.15") in prices
    [shown] = database["fetches"].find({"url": {"$regex": "page=1$"}}).sort("at", -1).limit(1)
    assert {row["capture"] for row in rows} == {shown["capture"]}
    assert "nothing was written" in tried.stderr
    assert facts(database) == before
    assert shell("replay", "--diff", "--with", str(file), "--confirm").returncode == 2  # what every crawl takes, first
    done = shell("replay", "--diff", "--confirm", TIDEMARK_REPAIRS=str(file))
    assert done.returncode == 0, done.stderr
    newest = database["offers"].find_one({"_id": "127.0.0.1:product:3:30"})
    assert newest is not None and str(newest["price"]) == "3.15"
    assert newest["parser"] == "shopify.catalogue@2.1"
    assert "drift:" not in crawl(shell, host, shop, 1, TIDEMARK_REPAIRS=str(file))
    assert [each.state for each in Drift(database).breaks()] == ["over"]


def told_of(database: Database[Any], tmp_path: Path) -> None:
    """An open change of shape is in notices, health and dashboard, with what to do."""
    [one] = Drift(database).breaks("open")
    [notice] = rounds.broken(Drift(database), datetime.now(UTC))
    assert f"scrapy drift --accept {one.since_run}" in notice.body
    assert "shopify.catalogue" in notice.body
    now = condition.read(database, one.since - timedelta(days=1), datetime.now(UTC))
    checks = judge(now, Room([], None), 0)
    assert [each.state for each in checks if each.name == "shape"] == ["warn"]
    with TestClient(create_app(world.site_of(database, tmp_path), per_s=0)) as web:
        page = web.get("/health").text
        assert one.since_run in page
        assert "scrapy drift --propose" in page
