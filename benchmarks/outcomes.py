"""What a response turned out to be: precision and recall of every outcome, and false numbers written.

captures     every captured page, feed and dump in ../shared that a page object reads; the truth is the folder that a
             person put it in: what lies in tiktok/blocked is a wall, everything else is a good page
living site  pages of demo/ in all eras, under every fault that shows in the response; the truth is the fault's own.
             Faults of the connection (dropped, slow, huge, redirects inward, robots.txt) are the lanes' business

A number is false when it is written from a page that is not ok, or lies further from the world's truth than its
rounding. Run: python -m benchmarks outcomes
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from crawler import pages
from crawler.archive import Capture
from crawler.config import load
from crawler.items import Item
from crawler.lanes.sources import Options, Skipped, read
from crawler.outcomes import of_status
from demo.site import KINDS, Fault, Look, Site
from demo.site.app import Asked, View
from demo.site.clock import Clock
from demo.site.tiktok.token import signed
from demo.world import World
from demo.world.shop import HOST
from demo.world.world import Truth

AT = datetime(2026, 3, 1, tzinfo=UTC)
LOOKS = (
    Look(), Look(exact=False, rendered=True), Look(tag_state=False), Look(rendered=True, tag_state=False),
    Look(era="sigi"), Look(era="next"), Look(era="node"),
)  # fmt: skip
OF_ANY_PAGE = (
    "rate_limited", "forbidden", "unauthorized", "captcha", "challenge", "shell", "static_shell", "empty",
    "login_wall", "consent", "consent_redirect", "geo", "not_found", "server_error", "truncated", "malformed",
)  # fmt: skip
DETAILS = ("profile", "post", "mobile post", "hashtag", "sound")
# Faults that the page itself plays, and on which pages.
OF_SOME_PAGES: dict[str, tuple[tuple[str, ...], str]] = {
    "missing": (DETAILS, "missing"),
    "private": (("profile", "post", "mobile post"), "private"),
    "renamed": (("profile", "post", "mobile post", "creator list", "hashtag list", "search list"), "shape_changed"),
    "falling": ((*DETAILS, "creator list", "hashtag list", "search list"), "ok"),
    "endless": (("creator list", "hashtag list", "search list"), "ok"),
}
COUNTERS = ("followers", "likes", "videos", "views", "comments", "shares", "saves", "reposts", "posts")


@dataclass
class Table:
    """Pairs of truth and what was said."""

    said: Counter[tuple[str, str]] = field(default_factory=Counter)
    unread: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    numbers: int = 0
    false: list[str] = field(default_factory=list)

    def tell(self, what: str, truth: str, outcome: str) -> None:
        self.said[truth, outcome] += 1
        if truth != outcome:
            self.wrong.append(f"{what}: {truth}, said {outcome}")

    def rates(self) -> Iterator[tuple[str, int, float | None, float | None]]:
        """Class, how many there truly are, precision, recall; None where nothing was said or there was nothing."""
        for name in sorted({each for pair in self.said for each in pair}):
            right = self.said[name, name]
            true = sum(n for (truth, _), n in self.said.items() if truth == name)
            told = sum(n for (_, outcome), n in self.said.items() if outcome == name)
            yield name, true, right / told if told else None, right / true if true else None


def captures(folder: Path) -> Table:
    table = Table()
    for part in sorted(path for path in folder.glob("*/*") if path.name != "MANIFEST.tsv"):
        truth = "blocked" if part.name == "blocked" else "ok"
        for each in read([part], Options(observed_at=AT, place="world")):
            if isinstance(each, Skipped):
                table.unread["not a page: " + each.reason.partition(";")[0][:40]] += 1
            else:
                _captured(table, each, truth)
    return table


def _captured(table: Table, given: Capture, truth: str) -> None:
    cls = pages.choose(given.url, given.body)
    if cls is None:
        table.unread["no page object knows it"] += 1
        return
    page = cls(given.url, given.body, given.fetched_at, given.headers, capture=given.id)
    table.tell(f"{given.url[:90]} ({cls.name})", truth, str(page.outcome))
    numbers = sum(1 for item in page.items() if isinstance(item, Item) for _ in counters(item))
    table.numbers += numbers
    if truth != "ok" and numbers:
        table.false.append(f"{given.url[:90]}: {numbers} numbers of a page that is {truth}")


def living_site(seed: int, looks: tuple[Look, ...] = LOOKS) -> Table:
    table = Table()
    world = World(seed)
    at = world.start + timedelta(hours=30)
    for look in looks:
        site = Site(world, Clock(at), look)
        for kind, page_name, asked, truth in requests(world, at, look):
            judge(table, site, kind, page_name, asked, "", truth)
            if truth != "ok":
                continue
            for fault in OF_ANY_PAGE:
                judge(table, site, kind, page_name, asked, fault, truth_of(fault, kind, look))
            for fault, (kinds, becomes) in OF_SOME_PAGES.items():
                if kind in kinds and plays(fault, kind, look):
                    judge(table, site, kind, page_name, asked, fault, becomes)
    return table


def truth_of(fault: str, kind: str, look: Look) -> str:
    """A page whose JSON is torn still prints its numbers where it is rendered, and they are good."""
    printed = (look.rendered and kind in ("profile", "hashtag")) or (not look.tag_state and kind == "hashtag")
    return "ok" if fault == "malformed" and printed else KINDS[fault].truth


def plays(fault: str, kind: str, look: Look) -> bool:
    """Whether a page of this make can show the fault at all."""
    if fault == "missing" and kind == "hashtag":
        return look.tag_state  # without state the page says nothing
    if fault in ("missing", "private", "renamed") and kind in ("profile", "post") and look.era != "universal":
        return fault != "renamed"  # older eras are made from other names
    return True


def requests(world: World, at: datetime, look: Look) -> Iterator[tuple[str, str, Asked, str]]:
    """Kind, page object, request and its truth at this moment."""
    crowd, at_h = world.crowd, world.hour(at)
    view = View(world, at, look)

    def get(path: str, query: str = "", agent: str = "Mozilla/5.0") -> Asked:
        return Asked("GET", "www.tiktok.com", path, query, {"user-agent": agent})

    def grid(path: str, query: str) -> Asked:
        return get(path, signed(view, path, query))

    for creator in crowd.creators[:5]:
        handle = creator.handle(at_h)
        gone = at_h >= creator.removed_h
        yield "profile", "tiktok.profile", get(f"/@{handle}"), "missing" if gone else "ok"
        posts = () if gone or creator.private else crowd.posts(creator, at_h)[:2]
        for post in posts:
            path = f"/@{handle}/{'photo' if post.photo else 'video'}/{post.post_id}"
            yield "post", "tiktok.post", get(path), "ok"
            yield "mobile post", "tiktok.post", get(path, agent="Mozilla/5.0 (iPhone) Mobile"), "ok"
        if posts:
            query = f"aid=1988&count=35&secUid={creator.sec_uid}&cursor=0"
            yield "creator list", "tiktok.list", grid("/api/post/item_list/", query), "ok"
    if look == LOOKS[0]:  # its writers take a second to make, and are the same in every look
        one = next(post for each in crowd.creators if not each.private for post in crowd.posts(each, at_h)[-1:])
        said = world.talkers.remarks(one, at_h)
        comments = grid("/api/comment/list/", f"aweme_id={one.post_id}&count=20&cursor=0")
        yield "comments", "tiktok.comments", comments, "ok" if said else "empty"
    yield "profile", "tiktok.profile", get("/@nobody.of.that.name"), "missing"
    yield "post", "tiktok.post", get("/@nobody/video/7000000000000000001"), "missing"
    for tag in world.tags(at_h)[:2]:
        yield "hashtag", "tiktok.hashtag", get(f"/tag/{tag.name}"), "ok"
        query = f"aid=1988&challengeID={tag.tag_id}&count=30&cursor=0"
        yield "hashtag list", "tiktok.list", grid("/api/challenge/item_list/", query), "ok"
        yield "search list", "tiktok.list", grid("/api/search/general/full/", f"keyword={tag.name}&offset=0"), "ok"
        detail = get("/api/challenge/detail/", f"challengeName={tag.name}")
        yield "hashtag detail", "tiktok.hashtag", detail, "ok"
    yield "search list", "tiktok.list", grid("/api/search/item/full/", "keyword=zzzzzz&offset=0"), "empty"
    yield "sound", "tiktok.sound", get(f"/music/sound-{world.track(0, at_h).sound_id}"), "ok"
    yield "discover", "tiktok.discover", get("/node/share/discover", "aid=1988"), "ok"
    yield "unsigned list", "tiktok.list", get("/api/recommend/item_list/", "count=16"), "blocked"
    yield "store", "shopify.catalogue", Asked("GET", HOST, "/products.json", "limit=250&page=1"), "ok"
    yield "feed", "tiktok.list", grid("/api/recommend/item_list/", "count=16&cursor=0"), "ok"


def judge(table: Table, site: Site, kind: str, page_name: str, asked: Asked, fault: str, truth: str) -> None:
    site.faults.clear()
    if fault:
        site.faults.put(Fault(fault, times=1))
    what = f"{site.look.era} {kind} {fault}".strip()
    status, url, body = fetched(site, asked)
    at = site.clock.now()
    decided = of_status(status)
    page = pages.load_all()[page_name](url, body, at, capture="c")
    outcome = decided or page.outcome
    table.tell(what, truth, str(outcome))
    items = [item for item in page.items() if isinstance(item, Item)] if decided is None else []
    for item in items:
        for name, value, step in counters(item):
            table.numbers += 1
            if truth != "ok":
                table.false.append(f"{what}: {item.key} {name}={value} of a page that is {truth}")
            elif fault != "falling" and not is_true(site.world, at, item, name, value, step):
                table.false.append(f"{what}: {item.key} {name}={value}")


def fetched(site: Site, asked: Asked, redirects: int = 3) -> tuple[int, str, bytes]:
    """Status, address and body, after redirects to addresses that are there."""
    given, _, _ = site.answer(asked, proxied=True)
    to = dict(given.headers).get("Location", "")
    if given.status in (301, 302) and redirects:
        parts = urlsplit(to)
        there = Asked("GET", parts.hostname or "", parts.path or "/", parts.query, asked.headers)
        return fetched(site, there, redirects - 1)
    body = given.body if isinstance(given.body, bytes) else b"".join(given.body)
    return given.status, f"https://{asked.url}", body


def counters(item: Item) -> Iterator[tuple[str, int, int]]:
    """The counters of an item and their rounding step."""
    for name in COUNTERS:
        value = getattr(item, name, None)
        if isinstance(value, int):
            yield name, value, getattr(item, f"{name}_precision", None) or 0


@cache
def truth_at(world: World, at: datetime) -> Truth:
    return world.truth(at)


def is_true(world: World, at: datetime, item: Item, name: str, value: int, step: int) -> bool:
    truth = truth_at(world, at)
    known: dict[str, dict[str, Any]] = {
        "profile": truth.profiles, "post": truth.posts, "hashtag": truth.hashtags, "sound": truth.sounds,
    }  # fmt: skip
    exact = known.get(item.kind, {}).get(item.key, {}).get(name)
    if exact is None:  # the world does not count it (following), or the item is a board
        return item.kind not in known or item.key in known[item.kind]
    return abs(value - exact) <= step


def say(name: str, table: Table, *, every: bool) -> None:
    pairs = sum(table.said.values())
    print(f"{name}: {pairs} responses, {len(table.wrong)} called wrongly; "
          f"{table.numbers:,} numbers written, {len(table.false)} of them false")  # fmt: skip
    for outcome, true, precision, recall in table.rates():
        shown = ["    -" if each is None else f"{each:5.3f}" for each in (precision, recall)]
        print(f"  {outcome:14} n={true:5}  precision {shown[0]}  recall {shown[1]}")
    for reason, n in table.unread.most_common(6):
        print(f"  not judged: {n:4} {reason}")
    for line in [*Counter(table.wrong).items()][: None if every else 12]:
        print(f"  wrong {line[1]}x {line[0]}")
    for text in table.false[: None if every else 12]:
        print(f"  false {text}")


def run(seed: int, *, every: bool = False) -> tuple[Table | None, Table]:
    folder = load().shared_dir / "captures"
    real = captures(folder) if folder.exists() else None
    if real is not None:
        say("captures", real, every=every)
    site = living_site(seed)
    say("living site", site, every=every)
    return real, site


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks outcomes", description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--every", action="store_true", help="name every response that was called wrongly")
    given = parser.parse_args(arguments)
    run(given.seed, every=given.every)
    return 0
