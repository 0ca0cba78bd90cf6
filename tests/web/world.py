"""A small database for the web tests: real pages through the real store and archive, and hostile text in every kind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.database import Database

from analysis.web.site import Site
from crawler.archive import Archive, Capture
from crawler.items import (
    Amount,
    Comment,
    Deal,
    Hashtag,
    Item,
    Offer,
    Post,
    Product,
    Profile,
    Refused,
    Review,
    Sound,
    Vantage,
)
from crawler.reading import page_of
from crawler.storage.alerts import Alerts
from crawler.storage.creators import Creators
from crawler.storage.reads import Reader
from crawler.storage.store import Store
from crawler.storage.web_reads import Lists, Pages
from crawler.storage.web_views import Views

START = datetime(2026, 3, 1, tzinfo=UTC)
HOURS = 30
BOARD = "x:trends:br"
URL = "https://api.x.com/2/trends/by/woeid/23424768?max_trends=50"
NASTY = (
    "<script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "=cmd|' /C calc'!A0",
    "javascript:document.title='owned'",
    "</script><svg onload=document.title='owned'>",
    "{{7*7}}{% raw %}${7*7}",
    "$where: sleep(1000)",
    "../../etc/passwd\x00",
    "\u202egnp.exe \u200b\x1b[31m",
    "' or 1=1 --",
)


def topics(hour: int) -> list[tuple[str, int | None]]:
    """Twelve topics; 'Maré Alta' climbs, one has no number, the last ones are hostile."""
    rising = ("Maré Alta", 5_000 + 4_000 * hour)
    rest = [(f"Topic {n}", 90_000 - 7_000 * n) for n in range(8)]
    rows: list[tuple[str, int | None]] = sorted([rising, *rest], key=lambda row: -row[1])
    return [*rows, ("Sem Número", None), (NASTY[0], 800), (NASTY[2], 700), (NASTY[4], 600)]


def captures() -> Iterator[Capture]:
    for hour in range(HOURS):
        if hour in (11, 12, 13, 14, 15):  # a pause: nobody looked
            continue
        rows = [{"trend_name": name, **({} if n is None else {"tweet_count": n})} for name, n in topics(hour)]
        yield Capture(
            URL, START + timedelta(hours=hour), 200, {"content-type": "application/json"},
            json.dumps({"data": rows}).encode(), "api", Vantage(session="api"), "br", "x_trends",
        )  # fmt: skip


def others() -> Iterator[Item]:
    """One hostile text in every field that holds text, and numbers enough for the charts."""
    for n in range(40):
        text = NASTY[n % len(NASTY)]
        common: dict[str, Any] = {
            "platform": "tiktok", "url": "https://www.tiktok.com/@a", "observed_at": START + timedelta(hours=n),
            "capture": f"{n:032x}", "parser": "tiktok.profile@2",
        }  # fmt: skip
        yield Profile(
            username=f"maker{n}", nickname=text, bio=text, verified=n % 3 == 0, followers=1000 * (n + 1), likes=9 * n,
            category=text, region="BR" if n % 2 else None, **common,
        )  # fmt: skip
        yield Post(
            post_id=str(n), author=f"maker{n % 12}", created_at=START + timedelta(hours=n),
            caption=f"{text} #sea{n % 4}", hashtags=(f"sea{n % 4}", text.lower()), duration_s=5.0 + 4 * n,
            views=1000 * (n % 10 + 1), likes=80 + n,
            comments=n, shares=n % 7, saves=n % 5, category=("Music", text)[n % 2], location="BR", media="video",
            language="en", views_precision=100, **common,
        )  # fmt: skip
        yield Comment(comment_id=str(n), post="tiktok:post:1", text=text, created_at=START, **common)
    shop: dict[str, Any] = {
        "platform": "shopify", "url": "https://s.example/p", "observed_at": START, "capture": "c" * 32,
        "parser": "shopify.catalogue@1",
    }  # fmt: skip
    for n, text in enumerate(NASTY):
        yield Product(host="s.example", product_id=str(n), title=text, brand=text, rating=4.0, rating_count=n, **shop)
        for day in range(3):
            dated = {**shop, "observed_at": START + timedelta(days=day), "capture": f"{n:016x}{day:016x}"}
            price = Decimal("10.5") + n - day
            yield Offer(
                product=f"s.example:product:{n}", title=text, price=price, currency="EUR", available=True, **dated
            )
        yield Review(product="s.example:product:0", review_id=str(n), rating=4.0, text=text, title=text, **shop)
        yield Deal(post=f"tiktok:post:{n}", product=text, brand=text, retailer=text, coupon=text,
                   amounts=(Amount(text=text, value=Decimal(9), currency="USD", role="price"),), **shop)  # fmt: skip
        yield Hashtag(name=text, description=text, views=n, **shop)
        yield Sound(sound_id=str(n), title=text, posts=n, **shop)


def filled(database: Database[dict[str, Any]], folder: Path) -> Site:
    store = Store(database)
    store.prepare()
    items: list[Item] = []
    rows = []
    with Archive(folder / "archive" / database.name) as archive:
        for capture in captures():
            archive.write(capture)
            page = page_of(capture)
            assert page is not None
            items += [each for each in page.items() if isinstance(each, Item)]
            rows.append({"_id": capture.id, "capture": capture.id, "at": capture.fetched_at, "outcome": "ok",
                         "spider": "x_trends", "target": "br", "run": "run1", "lane": "api", "status": 200,
                         "url": capture.url, "parser": page.parser, "bytes": 900, "ms": 12})  # fmt: skip
    rows += [{**rows[0], "_id": f"wall{n}", "capture": f"wall{n}", "outcome": "blocked", "target": NASTY[n % 10]}
             for n in range(4)]  # fmt: skip
    store.save([*items, *others()])
    store.fetches(rows, START)
    store.run({"_id": "run1", "spider": "x_trends", "started_at": START, "finished_at": START, "verdict": "poor",
               "reasons": [NASTY[0]], "items": {}, "outcomes": {"ok": 25, "blocked": 4}})  # fmt: skip
    store.quarantine([Refused(kind="post", reason="views_int", data=NASTY[1], url="https://x", observed_at=START,
                              capture="q", parser="tiktok.post@1")], "run1", START)  # fmt: skip
    store.close()
    Alerts(database).tell([
        {"_id": f"rule@{n}", "rule": "r", "board": BOARD, "at": START + timedelta(hours=n), "topic": NASTY[n % 10],
         "topic_key": "x", "probability": 0.3 + n / 50, "until": START + timedelta(hours=n + 3),
         "evidence": {"position": 12}, "promise": "unproven here"} for n in range(24)])  # fmt: skip
    Alerts(database).tell([
        {"_id": "burst@1", "rule": "b", "detector": "burst", "kind": "profile", "counter": "followers", "at": START,
         "entity": "tiktok:profile:burst", "topic": "tiktok:profile:burst", "probability": None, "until": START,
         "evidence": {"inflow_per_hour": 9.0, "usual_per_hour": 1.0}, "promise": "unproven here"}])  # fmt: skip
    Alerts(database).settle({"burst@1": (True, START)})
    Alerts(database).settle({f"rule@{n}": (n % 3 == 0, START) for n in range(20)})
    return site_of(database, folder)


def site_of(database: Database[dict[str, Any]], folder: Path, simulated: bool = False) -> Site:
    server = database.client.address
    assert server is not None
    return Site(
        database.name, simulated, Lists(database), lambda: Pages(AsyncMongoClient(*server)[database.name]),
        Views(database), Reader(database), Alerts(database), Creators(database),
        folder / "archive" / database.name, folder / "models", clock=lambda: START + timedelta(hours=HOURS),
    )  # fmt: skip
