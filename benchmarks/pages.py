"""TikTok profile pages a second per core: our page object beside what a user would write instead.

usual    BeautifulSoup finds the script, json.loads reads it, a dict is picked out of it
parsel   the same with a CSS selector and json
limit    bytes.find of the tag and the decoder we use for whole states (orjson), nothing more

Ours gives validated items: the profile and, where the page holds them, its posts. The corpus is
the captured profiles in ../shared; without it the saved pages of the tests, which are small.
Run: python -m benchmarks pages
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from bs4 import BeautifulSoup
from parsel import Selector

from crawler.config import ROOT, load
from crawler.outcomes import Outcome
from crawler.pages.tiktok import ProfilePage

AT = datetime(2026, 3, 1, tzinfo=UTC)
TAGS = {
    "__UNIVERSAL_DATA_FOR_REHYDRATION__": "webapp.user-detail",
    "SIGI_STATE": "UserModule",
    "__NEXT_DATA__": "userInfo",
}


def corpus() -> list[bytes]:
    captured = sorted((load().shared_dir / "captures" / "tiktok" / "profile").rglob("*.html"))
    saved = sorted((ROOT / "tests" / "pages" / "tiktok.profile").glob("*/body"))
    bodies = [path.read_bytes() for path in captured or saved]
    return [body for body in bodies if ProfilePage("saved:", body, AT).outcome is Outcome.OK and b"<script" in body]


def ours(body: bytes) -> Any:
    return list(ProfilePage("saved:", body, AT, capture="c").items())


def picked(state: Any) -> Any:
    """What a script of twenty lines takes out: handle and four numbers."""
    if "__DEFAULT_SCOPE__" in state:
        info = state["__DEFAULT_SCOPE__"]["webapp.user-detail"]["userInfo"]
        user, stats = info["user"], info.get("statsV2") or info["stats"]
    elif "UserModule" in state:
        handle, user = next(iter(state["UserModule"]["users"].items()))
        stats = state["UserModule"]["stats"][handle]
    else:
        info = state["props"]["pageProps"]["userInfo"]
        user, stats = info["user"], info["stats"]
    return {"username": user["uniqueId"], "verified": user["verified"], **{k: int(stats[k]) for k in (
        "followerCount", "followingCount", "heartCount", "videoCount")}}  # fmt: skip


def usual(body: bytes) -> Any:
    page = BeautifulSoup(body, "html.parser")
    for tag, key in TAGS.items():
        script = page.find("script", id=tag)
        if script is not None and key in (script.string or ""):
            return picked(json.loads(script.string))
    raise AssertionError("no state")


def parsel_way(body: bytes) -> Any:
    page = Selector(text=body.decode("utf-8"))
    for tag, key in TAGS.items():
        text = page.css(f"script#{tag}::text").get()
        if text and key in text:
            return picked(json.loads(text))
    raise AssertionError("no state")


def limit(body: bytes) -> Any:
    for tag, key in TAGS.items():
        at = body.find(b'id="' + tag.encode())
        if at >= 0:
            start = body.find(b">", at) + 1
            end = body.find(b"</script", start)
            if body.find(key.encode(), start, end) >= 0:
                return orjson.loads(body[start:end])
    raise AssertionError("no state")


def rate(way: Callable[[bytes], Any], bodies: list[bytes], rounds: int) -> float:
    started = time.process_time()
    for _ in range(rounds):
        for body in bodies:
            way(body)
    return rounds * len(bodies) / (time.process_time() - started)


def run(rounds: int) -> dict[str, float]:
    """Median of five passes a way, the ways alternating; pages a second of CPU time on one core."""
    bodies = corpus()
    ways: dict[str, Callable[[bytes], Any]] = {"ours": ours, "usual": usual, "parsel": parsel_way, "limit": limit}
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(5):
        for name, way in ways.items():
            rates[name].append(rate(way, bodies, max(1, rounds // 10) if name in ("usual", "parsel") else rounds))
    median = {name: statistics.median(each) for name, each in rates.items()}
    size = sum(map(len, bodies)) / 1e6
    print(f"pages: {len(bodies)} profiles, {size:.1f} MB, from {source()}")
    for name in ways:
        print(f"  {name:8} {median[name]:8.0f} pages/s per core   ours / {name}: {median['ours'] / median[name]:6.2f}")
    return {f"ours / {name}": median["ours"] / median[name] for name in ways}


def source() -> str:
    captured: Path = load().shared_dir / "captures" / "tiktok" / "profile"
    return "captured pages" if captured.exists() else "the tests' saved pages"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks pages", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    run(parser.parse_args(arguments).rounds)
    return 0
