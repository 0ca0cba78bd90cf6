"""A TikTok account and its counters, from a profile page or beside one of its posts: makes one Profile."""

from __future__ import annotations

from crawler.counts import json_count, unwrapped
from crawler.fields import Fields, flag, identifier, text
from crawler.items import Profile
from crawler.pages.base import Page
from crawler.pages.tiktok.state import count, handle

COUNTERS = {
    "followers": "followerCount", "following": "followingCount", "likes": "heart", "videos": "videoCount",
}  # fmt: skip
Numbers = dict[str, int | None]


def numbers_of(page: Page, stats: Fields, exact: Fields | None) -> Numbers:
    """The four counters and their rounding; likes mended where one of their two copies wrapped at 32 bits."""
    numbers: Numbers = {}
    for ours, theirs in COUNTERS.items():
        numbers[ours], numbers[f"{ours}_precision"] = count(theirs, stats, exact)
    second, step = count("heartCount", stats, exact)
    if second is None:
        return numbers
    if numbers["likes"] is None:
        # Alone, a whole number may have wrapped unseen (mobile pages); 2020's text had not.
        if isinstance(stats.raw.get("heartCount"), str):
            numbers["likes"], numbers["likes_precision"] = second, step
        return numbers
    true, repaired = unwrapped(numbers["likes"], second)
    if true == second != numbers["likes"]:
        numbers["likes"], numbers["likes_precision"] = second, step
    page.reading.repaired += repaired
    return numbers


def add_account(page: Page, user: Fields, numbers: Numbers) -> Profile | None:
    """Raises MissingField without a handle."""
    username = user.need("uniqueId", handle)
    link, business = user.part("bioLink"), user.part("commerceUserInfo")
    return page.add(
        Profile,
        url=f"https://www.tiktok.com/@{username}",
        username=username,
        user_id=user.may("id", identifier),
        sec_uid=user.may("secUid", text),
        nickname=user.may("nickname", text),
        bio=user.may("signature", text),
        bio_link=link.may("link", text) if link else None,
        avatar_url=user.may("avatarLarger", text),
        verified=user.may("verified", flag),
        private=user.may("privateAccount", flag),
        region=user.may("region", text),
        category=business.may("category", text) if business else None,
        **numbers,
    )


def add_author(page: Page, post: Fields) -> None:
    """The author of a post, where the post shows their followers. Silent otherwise: the post is what was asked for."""
    author = post.part("author") if isinstance(post.raw.get("author"), dict) else None
    stats = post.part("authorStats")
    if author is None or stats is None or not author.may("uniqueId", handle):
        return
    if stats.may("followerCount", json_count) is not None:
        add_account(page, author, numbers_of(page, stats, post.part("authorStatsV2")))
