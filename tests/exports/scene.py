"""A small database in three moments: first, then newer, then late. Made by us."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from crawler.items import Board, BoardEntry, Comment, Item, Offer, Post, Product, Profile

READ = datetime(2026, 3, 1, 12, tzinfo=UTC)


def base(at: datetime = READ, capture: str | None = None) -> dict[str, Any]:
    return {"platform": "tiktok", "url": "https://www.tiktok.com/", "observed_at": at, "parser": "tiktok.test@1",
            "capture": capture or f"c{at:%m%d%H}"}  # fmt: skip


def post(number: int, at: datetime = READ, **other: Any) -> Post:
    said: dict[str, Any] = {
        "author": "Ana",
        "caption": "Olá, ação!",
        "hashtags": ("um", "dois"),
        "views": 100,
        "likes": 7,
    }
    return Post(**base(at), post_id=str(number), created_at=READ - timedelta(days=3), **{**said, **other})


def board(at: datetime, *topics: str) -> list[Item]:
    head = {**base(at), "board": "x:trends:br", "at": at}
    rows = [BoardEntry(**head, position=n, topic=t, topic_key=t.lower()) for n, t in enumerate(topics, 1)]
    return [Board(**head, size=len(topics), got=len(topics)), *rows]


def offer(price: str, at: datetime = READ) -> Offer:
    return Offer(**base(at), product="shop.example:product:1", variant_id="9", price=Decimal(price), currency="BRL")


FIRST = [
    post(7545069539610545430, mentions=("bia",)), Profile(**base(), username="Ana", followers=5),
    *board(READ, "Carnaval", "Chuva"), offer("19.90"),
    Product(**base(), host="shop.example", product_id="1", title="Café", tags=("a", "b")),
    Comment(**base(), comment_id="5", post="tiktok:post:7545069539610545430", text="\x00nul"),
]  # fmt: skip
NEXT_DAY = READ + timedelta(days=1)
NEWER = [post(7545069539610545430, NEXT_DAY, views=250, hashtags=("três",)), *board(NEXT_DAY, "Sol"),
         offer("17.90", NEXT_DAY)]  # fmt: skip
LATE = [post(7545069539610545430, READ - timedelta(days=2), views=10, hashtags=("velho",)), post(8),
        *board(READ - timedelta(days=2), "Frio")]  # fmt: skip
