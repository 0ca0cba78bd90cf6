"""A seeded world: topics that rise and fall, an account that grows, a store that holds a sale.

Pure: the same seed and start give the same pages. Nothing in it exists.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

TOPICS = (
    "Maré Alta", "#FestivalDoFarol", "Ilha das Baleias", "Sardinha Day", "#OndaVerde", "Navio Perdido", "Lua Azul",
    "Porto Novo x Barra", "Tempestade Rita", "#SalvemOsCorais", "Canção do Mar", "Regata 2026", "Polvo Gigante",
    "Cais Antigo", "#PescaZero", "Vento Sul", "Carla Coral", "Areia Branca", "Neblina", "Recife Vivo",
)  # fmt: skip
HIDDEN_BELOW = 10_000
SHOWN = 12
ACCOUNTS = (("tide.atlas", 783_400, 0.004), ("coral.cooks", 96_200, 0.021))
PRODUCTS = (("wave-socks", "Wave Socks", 1800), ("tide-mug", "Tide Mug", 2450), ("coral-lamp", "Coral Lamp", 8900))


@dataclass(frozen=True)
class SavedPage:
    name: str
    url: str
    observed_at: datetime
    body: str


def pages(start: datetime, days: int, seed: int) -> Iterator[SavedPage]:
    """Every page of the world: a board each 3 hours, accounts and store once a day."""
    random = Random(seed)
    waves = [_wave(random, days) for _ in TOPICS]
    for slot in range(days * 8):
        at = start + timedelta(hours=3 * slot)
        if slot == days * 4 + 1:
            continue  # a missed slot: a gap, nothing invented
        yield _board(at, slot * 3, waves)
        if slot % 8 == 4:
            day = slot // 8
            yield from (_profile(at, day, *account) for account in ACCOUNTS)
            yield _store(at, sale=day in (days // 2, days // 2 + 1))


def _wave(random: Random, days: int) -> tuple[float, float, float]:
    """Peak hour, width in hours and height of a topic's day in the sun."""
    return random.uniform(0, days * 24), random.uniform(4, 18), 10 ** random.uniform(4.1, 5.6)


def _volume(hour: float, wave: tuple[float, float, float]) -> int:
    peak, width, height = wave
    side = width if hour < peak else width * 2.2  # trends rise faster than they fall
    return int(height * math.exp(-(((hour - peak) / side) ** 2)))


def _board(at: datetime, hour: int, waves: list[tuple[float, float, float]]) -> SavedPage:
    volumes = sorted(((_volume(hour, wave), topic) for topic, wave in zip(TOPICS, waves, strict=True)), reverse=True)
    trends = [
        {"name": topic, "promoted_content": None, "query": topic, "tweet_volume": v if v >= HIDDEN_BELOW else None}
        for v, topic in volumes[:SHOWN]
        if v > 200
    ]
    body = [
        {"trends": trends, "as_of": f"{at:%Y-%m-%dT%H:%M:%SZ}", "locations": [{"name": "Brazil", "woeid": 23424768}]}
    ]
    return SavedPage(
        f"board-{at:%Y%m%dT%H}.json", "https://api.example/1.1/trends/place.json?id=23424768", at, json.dumps(body)
    )


def _profile(at: datetime, day: int, handle: str, followers: int, growth: float) -> SavedPage:
    exact = round(followers * (1 + growth) ** day)
    step = 100 if exact < 1_000_000 else 100_000
    stats = {
        "followerCount": exact // step * step,
        "followingCount": 12,
        "heartCount": exact * 5,
        "videoCount": 40 + day,
    }
    user = {"id": f"70000000{len(handle)}", "uniqueId": handle, "nickname": handle.title(), "verified": True}
    scope = {"webapp.user-detail": {"userInfo": {"user": user, "stats": stats, "itemList": []}, "statusCode": 0}}
    state = json.dumps({"__DEFAULT_SCOPE__": scope})
    body = (
        "<!doctype html><html><head><title>Simulated</title></head><body>"
        f'<script id="__UNIVERSAL_DATA_FOR_REHYDRATION__" type="application/json">{state}</script></body></html>'
    )
    return SavedPage(f"profile-{handle}-{at:%Y%m%d}.html", f"https://www.tiktok.com/@{handle}", at, body)


def _store(at: datetime, *, sale: bool) -> SavedPage:
    products = [
        {
            "id": 100 + i, "title": title, "handle": handle, "vendor": "Simulated Socks",
            "product_type": "Home", "tags": [],
            "variants": [
                {"id": 1000 + i, "title": "Default Title", "available": not (sale and i == 1),
                 "price": f"{(cents * 3 // 4 if sale else cents) / 100:.2f}",
                 "compare_at_price": f"{cents / 100:.2f}" if sale else None}
            ],
        }
        for i, (handle, title, cents) in enumerate(PRODUCTS)
    ]  # fmt: skip
    url = "https://shop.example/products.json?limit=250&page=1"
    return SavedPage(f"store-{at:%Y%m%d}.json", url, at, json.dumps({"products": products}))
