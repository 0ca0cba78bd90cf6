"""One TikTok post from its item struct, in all eras: reads JSON, makes one Post."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from crawler.counts import CountError, epoch, parse_count, tiktok_time
from crawler.fields import Fields, dig, flag, identifier, text, text_at
from crawler.items import Post
from crawler.outcomes import MissingField
from crawler.pages.base import Page
from crawler.pages.tiktok.state import count, handle

COUNTERS = {
    "views": "playCount",
    "likes": "diggCount",
    "comments": "commentCount",
    "shares": "shareCount",
    "saves": "collectCount",
    "reposts": "repostCount",
}


def add_post(page: Page, item: Fields, *, whole: bool = True) -> Post | None:
    """Read one item struct into page. Raises MissingField without id or counters.

    whole: plays must be there, and an author, if only as null; rows that somebody reduced may lack them.
    """
    post_id = item.need("id", number)
    author, author_id = _author(item, whole)
    counters = _counters(item, whole)
    followers, step = count("followerCount", item.part("authorStats"), item.part("authorStatsV2"))
    hashtags, mentions = _tags(item)
    sound = item.part("music")
    video = item.part("video")
    photo = item.may("imagePost", _is_object) is not None
    media = "photo" if photo else "video"
    return page.add(
        Post,
        url=f"https://www.tiktok.com/@{author or ''}/{media}/{post_id}",
        post_id=post_id,
        media=media,
        author=author,
        author_id=author_id,
        created_at=item.may("createTime", epoch) or tiktok_time(post_id),
        caption=item.may("desc", text),
        language=item.may("textLanguage", text),
        hashtags=hashtags,
        mentions=mentions,
        sound_id=sound.may("id", identifier) if sound else None,
        sound_title=sound.may("title", text) if sound else None,
        duration_s=_seconds(video) if video and not photo else None,
        cover_url=_cover(item, video),
        subtitles=_subtitles(video) if video else None,
        location=item.may("locationCreated", text),
        category=item.may("diversificationLabels", _first),
        author_followers=followers,
        author_followers_precision=step,
        is_ad=item.may("isAd", flag),
        pinned=item.may("isPinnedItem", flag),
        **counters,
    )


def number(value: Any) -> str:
    """A post's id: digits, as text. Once 'awesome' stood beside it, and floats have lost their last digits."""
    found = identifier(value)
    if not (found.isascii() and found.isdigit() and len(found) <= 20):
        raise ValueError(f"expected digits, found {found[:20]!r}")
    return found


def _counters(item: Fields, whole: bool) -> dict[str, int | None]:
    """Every post of TikTok's own shows its plays; without them the counters have other names now."""
    stats, exact = item.part("stats"), item.part("statsV2")
    numbers: dict[str, int | None] = {}
    for ours, theirs in COUNTERS.items():
        numbers[ours], numbers[f"{ours}_precision"] = count(theirs, stats, exact)
    if numbers["views"] is None and (whole or all(value is None for value in numbers.values())):
        shown = ", ".join(sorted(stats.raw)[:12]) if stats else "no stats"
        raise MissingField(f"{item.where}.stats.playCount: expected a count, found none; keys: {shown}")
    return numbers


def _author(item: Fields, whole: bool) -> tuple[str | None, str | None]:
    """Handle and id: an object, in the SIGI era a bare handle with authorId beside it; null when it is withheld."""
    person = item.may("author", lambda value: value)
    if isinstance(person, str):
        return item.need("author", handle), item.may("authorId", identifier)
    author = item.part("author")
    if author is not None:
        return author.need("uniqueId", handle), author.may("id", identifier)
    if whole and "author" not in item.raw:
        raise MissingField(f"{item.where}.author: expected a handle or an object, found none")
    return None, item.may("authorId", identifier)


def _tags(item: Fields) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
    """Hashtags and mentions; None where the item says nothing of either, which is not "none"."""
    extras = item.rows("textExtra")
    if not extras:  # the caption by paragraph, since 2023; reduced rows hold nothing else
        extras = [extra for each in item.rows("contents") for extra in _objects(each.get("textExtra"))]
    tags = [text_at(each, "title") for each in item.rows("challenges")]
    mentions = []
    for extra in extras:
        tags.append(text_at(extra, "hashtagName"))
        mentions.append(text_at(extra, "userUniqueId"))
    if not tags and all(item.raw.get(name) is None for name in ("textExtra", "challenges", "contents")):
        return None, None
    return tuple(dict.fromkeys(tag.lower() for tag in tags if tag)), tuple(dict.fromkeys(filter(None, mentions)))


def _seconds(video: Fields) -> float | None:
    return video.may("duration", float)


def _subtitles(video: Fields) -> tuple[dict[str, str | None], ...] | None:
    """As plain rows: the post's own validation makes them, all at once."""
    rows = video.rows("subtitleInfos")
    if not rows:
        return None
    found = tuple(
        {"url": url, "language": text_at(each, "LanguageCodeName"), "format": text_at(each, "Format")}
        for each in rows
        if (url := text_at(each, "Url"))
    )
    return found or None


def _cover(item: Fields, video: Fields | None) -> str | None:
    """The still of the video; of a photo post the first picture."""
    still = video.may("cover", text) if video else None
    pictures = item.raw.get("imagePost")
    return still or _address(dig(pictures, "cover", "imageURL", "urlList", 0) or dig(
        pictures, "images", 0, "imageURL", "urlList", 0
    ))  # fmt: skip


def _address(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _objects(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _first(labels: Any) -> str | None:
    """The widest of the categories that the item states of itself."""
    return text(labels[0]) if isinstance(labels, list) and labels else None


def _is_object(value: Any) -> Any:
    if not isinstance(value, dict):
        raise TypeError("expected an object")
    return value


@lru_cache(maxsize=4096)  # rounded labels are few, and every card of every grid has one
def shown(label: str | None) -> tuple[int | None, int | None]:
    """A counter as the page prints it ('21.9M', '4M'): TikTok shows one decimal and drops '.0'."""
    if not label:
        return None, None
    try:
        number = parse_count(label, decimals=1)
    except CountError:
        return None, None
    return number.value, number.precision if number.precision > 1 else None
