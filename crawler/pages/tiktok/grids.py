"""Grids of posts: a Board, its rows, and the name that the grid's own address gives it."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote

from crawler.counts import tiktok_time
from crawler.fields import Fields, address
from crawler.items import Board, BoardEntry, Post, stamp
from crawler.outcomes import Outcome, ShapeError
from crawler.pages.base import Follow, Page
from crawler.pages.tiktok.eras import as_struct
from crawler.pages.tiktok.people import add_author
from crawler.pages.tiktok.post import add_post, shown

LONGEST_NAME = 100  # of a query within a board's name; keys are indexed
TOPIC_LENGTH = 120  # a caption may hold thousands of characters; the post keeps them all
LONGEST_CARD = 20_000  # bytes; real ones have 4,000, and the last one must not read on into the rest of the page
_HREF = re.compile(rb'href="[^"]*/@([\w.]+)/(video|photo)/(\d+)')
_VIEWS = re.compile(rb'data-e2e="video-views"[^>]*>([^<]{1,32})<')
_ALT = re.compile(rb'<img[^>]*\balt="([^"]*)"')
_PINNED = b'data-e2e="video-card-badge"'


@dataclass(frozen=True, slots=True)
class Hit:
    """One row of a board, whatever it lists."""

    topic: str
    topic_key: str
    entity: str | None
    volume: int | None = None
    volume_precision: int | None = None
    promoted: bool | None = None


def hit_of(post: Post) -> Hit:
    said = " ".join((post.caption or "")[: TOPIC_LENGTH * 2].split())[:TOPIC_LENGTH]
    return Hit(
        topic=said or (f"@{post.author}" if post.author else post.post_id), topic_key=post.key, entity=post.key,
        volume=post.views, volume_precision=post.views_precision, promoted=post.is_ad,
    )  # fmt: skip


def add_board(
    page: Page, name: str, hits: Sequence[Hit | None], *, place: str | None = None, first: int = 1,
    asked: int | None = None, ceiling: int | None = None,
) -> None:  # fmt: skip
    """The board and its rows; None stands where a row could not be read, so that positions stay true."""
    board = f"{name}@{place}" if place else name
    at = len(page.reading.items)
    stem = f"{board}@{stamp(page.fetched_at)}#"  # natural_key would print the moment again for every row
    for position, hit in enumerate(hits, start=first):
        if hit is not None:
            page.add(
                BoardEntry, key=f"{stem}{position}", board=board, at=page.fetched_at, position=position,
                topic=hit.topic, topic_key=hit.topic_key, volume=hit.volume, volume_precision=hit.volume_precision,
                promoted=hit.promoted, entity=hit.entity,
            )  # fmt: skip
    size = sum(isinstance(item, BoardEntry) for item in page.reading.items[at:])
    page.add(
        Board, board=board, at=page.fetched_at, place=place, source="tiktok", size=size,
        asked=asked, got=len(hits), ceiling=ceiling,
    )  # fmt: skip
    page.reading.items.insert(at, page.reading.items.pop())


def read_posts(
    page: Page, rows: Iterable[Any], where: str, *, whole: bool = True, authors: bool = True
) -> list[Post | None]:
    """The post of every row in the order shown; a post shown twice is stored once, an unreadable one is None.

    whole: rows without any author are damaged, not reduced.  authors: accounts come from the rows, too.
    """
    seen: dict[Any, Post | None] = {}
    known: set[str] = set()
    posts: list[Post | None] = []
    for i, row in enumerate(rows):
        if not isinstance(row, dict):
            if row is not None:  # None: a card that is no post
                page.reading.odd.append(f"{where}[{i}]")
            posts.append(None)
            continue
        struct = as_struct(row)
        number = struct.get("id") if isinstance(struct.get("id"), str | int) else None
        if number is None or number not in seen:
            item = Fields(struct, f"{where}[{i}]", page.reading.odd)
            seen[number] = _one(page, item, lambda: add_post(page, item, whole=whole))  # noqa: B023 - called at once
            if authors and seen[number] is not None and (handle := seen[number].author) and handle not in known:  # type: ignore[union-attr]
                known.add(handle)
                add_author(page, item)
        posts.append(seen[number])
    return posts


def _one(page: Page, item: Fields, read: Callable[[], Post | None]) -> Post | None:
    try:
        return read()
    except ShapeError as error:
        page.odd_row("post", str(error), item)
        return None


def hits_of(posts: Iterable[Post | None]) -> list[Hit | None]:
    return [hit_of(post) if post is not None else None for post in posts]


def cards(page: Page, marker: bytes) -> list[Post | None]:
    """The posts of printed cards, of which each begins with *marker*: the last resort."""
    seen: dict[bytes, Post | None] = {}
    posts: list[Post | None] = []
    at = page.body.find(marker)
    badges = at >= 0 and page.body.find(_PINNED, at) >= 0
    while at >= 0:
        after = page.body.find(marker, at + len(marker))
        end = min(at + LONGEST_CARD, after if after >= 0 else len(page.body))
        link = _first(page.body, b'href="', _HREF, at, end)
        if link is None:
            page.reading.odd.append("card.href")
            posts.append(None)
        else:
            if link[3] not in seen:
                pinned = badges and page.body.find(_PINNED, at, end) >= 0
                seen[link[3]] = _card(page, link, at, end, pinned)
            posts.append(seen[link[3]])
        at = after
    return posts


def _first(body: bytes, opening: bytes, pattern: re.Pattern[bytes], at: int, end: int) -> re.Match[bytes] | None:
    """The first place between *at* and *end* where *pattern*, which begins with *opening*, matches.

    find is ten times as fast as a pattern's own search, and cards are long.
    """
    while (at := body.find(opening, at, end)) >= 0:
        if found := pattern.match(body, at, end):
            return found
        at += len(opening)
    return None


def _card(page: Page, link: re.Match[bytes], at: int, end: int, pinned: bool) -> Post | None:
    handle, media, post_id = (part.decode() for part in link.groups())
    views = _first(page.body, b'data-e2e="video-views"', _VIEWS, at, end)
    alt = _first(page.body, b"<img", _ALT, at, end)
    value, step = shown(views[1].decode("utf-8", "replace") if views else None)
    return page.add(
        Post,
        url=f"https://www.tiktok.com/@{handle}/{media}/{post_id}",
        post_id=post_id,
        media=media,
        author=handle,
        created_at=tiktok_time(post_id),
        caption=_caption(html.unescape(alt[1].decode("utf-8", "replace"))) if alt else None,
        pinned=pinned,
        views=value,
        views_precision=step,
    )


def _caption(alt: str) -> str | None:
    """The picture's text is '<caption> created by <name> with <sound>'; only English pages say so."""
    return alt.rpartition(" created by ")[0] or None


def folded(name: str) -> str:
    return " ".join(name.split()).lower()[:LONGEST_NAME]


def board_of_page(url: str) -> str | None:
    """The name of the grid that a page of the site shows, from the page's own address; None where it has none."""
    parts = address(url)
    path = unquote(parts.path)
    if not (parts.hostname or "").endswith("tiktok.com"):
        return None
    if found := re.fullmatch(r"/search(?:/(video|user|live|photo))?/?", path):
        query = parse_qs(parts.query).get("q")
        return f"tiktok:search{'_' + found[1] if found[1] else ''}:{folded(query[0])}" if query else None
    for pattern, name in (
        (r"/tag/([^/]+)/?", "hashtag"), (r"/music/(?:[^/]*-)?(\d+)/?", "sound"), (r"/@([\w.]+)/?", "creator"),
        (r"/@[^/]*/(?:video|photo)/(\d+)/?", "related"), (r"/discover/([^/]+)/?", "discover"),
    ):  # fmt: skip
        if found := re.fullmatch(pattern, path):
            return f"tiktok:{name}:{folded(found[1])}"
    return {"/": "tiktok:foryou", "/foryou": "tiktok:foryou", "/explore": "tiktok:explore"}.get(path or "/")


def posts_missing(page: Page, rendered: bool, why: str) -> None:
    """What became of a grid that gave nothing: rendered and empty is a failed one, else a browser may see it."""
    if rendered:
        page.reading.parts["posts"] = Outcome.BLOCKED
    else:
        page.reading.follows.append(Follow(page.url, page.name, "browser", why))
