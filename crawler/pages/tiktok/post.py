"""One TikTok post from its item struct, in all eras: reads JSON, makes one Post."""

from __future__ import annotations

from typing import Any

from crawler.counts import CountError, epoch, parse_count, tiktok_time
from crawler.fields import Fields, flag, identifier, text, text_at
from crawler.items import Post, Subtitle
from crawler.outcomes import MissingField
from crawler.pages.base import Page
from crawler.pages.tiktok.state import count

COUNTERS = {
    "views": "playCount",
    "likes": "diggCount",
    "comments": "commentCount",
    "shares": "shareCount",
    "saves": "collectCount",
    "reposts": "repostCount",
}


def add_post(page: Page, item: Fields, *, pinned: bool | None = None) -> Post | None:
    """Read one item struct into page. Raises MissingField without id or author."""
    post_id = item.need("id", identifier)
    author, author_id = _author(item)
    stats, exact = item.part("stats"), item.part("statsV2")
    numbers: dict[str, int | None] = {}
    for ours, theirs in COUNTERS.items():
        numbers[ours], numbers[f"{ours}_precision"] = count(theirs, stats, exact)
    followers, step = count("followerCount", item.part("authorStats"), item.part("authorStatsV2"))
    hashtags, mentions = _tags(item)
    sound = item.part("music")
    video = item.part("video")
    photo = item.may("imagePost", _is_object) is not None
    media = "photo" if photo else "video"
    return page.add(
        Post,
        url=f"https://www.tiktok.com/@{author}/{media}/{post_id}",
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
        cover_url=video.may("cover", text) if video else None,
        subtitles=_subtitles(video) if video else None,
        location=item.may("locationCreated", text),
        author_followers=followers,
        author_followers_precision=step,
        is_ad=item.may("isAd", flag),
        pinned=pinned,
        **numbers,
    )


def _author(item: Fields) -> tuple[str, str | None]:
    """Handle and id: an object, or in the SIGI era a bare handle with authorId beside it."""
    person = item.may("author", lambda value: value)
    if isinstance(person, str):
        return person, item.may("authorId", identifier)
    author = item.part("author")
    if author is None:
        raise MissingField(f"{item.where}.author: expected a handle or an object, found none")
    return author.need("uniqueId", text), author.may("id", identifier)


def _tags(item: Fields) -> tuple[tuple[str, ...], tuple[str, ...]]:
    tags = [text_at(each, "title") for each in item.rows("challenges")]
    mentions = []
    for extra in item.rows("textExtra"):
        tags.append(text_at(extra, "hashtagName"))
        mentions.append(text_at(extra, "userUniqueId"))
    return tuple(dict.fromkeys(tag.lower() for tag in tags if tag)), tuple(dict.fromkeys(filter(None, mentions)))


def _seconds(video: Fields) -> float | None:
    return video.may("duration", float)


def _subtitles(video: Fields) -> tuple[Subtitle, ...] | None:
    found = tuple(
        Subtitle(url=url, language=text_at(each, "LanguageCodeName"), format=text_at(each, "Format"))
        for each in video.rows("subtitleInfos")
        if (url := text_at(each, "Url"))
    )
    return found or None


def _is_object(value: Any) -> Any:
    if not isinstance(value, dict):
        raise TypeError("expected an object")
    return value


def shown(label: str | None) -> tuple[int | None, int | None]:
    """A counter as the page prints it ('21.9M', '4M'): TikTok shows one decimal and drops '.0'."""
    if not label:
        return None, None
    try:
        number = parse_count(label, decimals=1)
    except CountError:
        return None, None
    return number.value, number.precision if number.precision > 1 else None
