"""A post as the analysis of texts reads it: what it says by modality, who said it, when, with what echo. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias, get_args

Modality: TypeAlias = Literal["caption", "hashtag", "description", "speech", "screen", "visual", "sound"]
MODALITIES: tuple[str, ...] = get_args(Modality)

# What platforms call a sound that was recorded with the post, by the language of the app.
_ORIGINAL = re.compile(
    r"^(?:original sound|som original|sonido original|son original|suono originale|originalton|originalljud"
    r"|original lyd|alkuperäinen ääni|origineel geluid"
    r"|orijinal ses|oryginalny dźwięk|оригинальный звук|оригінальний звук|suara asli|bunyi asal|nhạc nền|âm thanh gốc"
    r"|เสียงต้นฉบับ|オリジナル楽曲|オリジナル音源|오리지널 사운드|原声|原聲|الصوت الأصلي|मूल ध्वनि)",
    re.I,
)


@dataclass(frozen=True, slots=True)
class PostText:
    """One post; everything but its key may be unknown."""

    key: str
    parts: Mapping[str, str] = field(default_factory=dict)
    """Modality: text. A modality that was not read is absent."""
    author: str | None = None
    at: datetime | None = None
    stated_language: str | None = None
    hashtags: tuple[str, ...] = ()
    """Without '#', as the platform lists them; those in the caption need not be repeated."""
    mentions: tuple[str, ...] = ()
    sound_id: str | None = None
    sound_title: str | None = None
    """None also for a sound recorded with the post: it names nothing."""
    engagement: int | None = None
    """Likes, comments, shares and saves together; None where none of them is shown."""
    views: int | None = None

    @property
    def caption(self) -> str:
        return self.parts.get("caption", "")

    @property
    def said(self) -> str:
        """All that was read of it, whatever the modality."""
        return " . ".join(self.parts.values())


def is_original(title: str | None) -> bool:
    """A sound recorded with a post, by its title."""
    return title is None or not title.strip() or _ORIGINAL.match(title.strip()) is not None


def from_row(row: Mapping[str, Any]) -> PostText:
    """From a stored post: keys as the fields of `crawler.items.Post`, missing ones None."""
    shown = [row.get(name) for name in ("likes", "comments", "shares", "saves")]
    known = [int(each) for each in shown if each is not None]
    title = row.get("sound_title")
    original = is_original(title)
    return PostText(
        key=row["key"],
        parts={"caption": row["caption"]} if row.get("caption") else {},
        author=row.get("author"),
        at=row.get("created_at") or row.get("observed_at"),
        stated_language=row.get("language"),
        hashtags=tuple(row.get("hashtags") or ()),
        mentions=tuple(row.get("mentions") or ()),
        sound_id=None if original else row.get("sound_id"),
        sound_title=None if original else title,
        engagement=sum(known) if known else None,
        views=row.get("views"),
    )


def once_each(posts: Iterable[PostText]) -> list[PostText]:
    """Each post once by its key, with the greatest echo seen; in order of first appearance."""
    best: dict[str, PostText] = {}
    for post in posts:
        known = best.get(post.key)
        if known is None or (post.engagement or 0, post.views or 0) > (known.engagement or 0, known.views or 0):
            best[post.key] = post
    return list(best.values())
