"""Posts in, deals out, a line of JSON each: what `python -m analysis deals` reads and writes. Pure."""

from __future__ import annotations

import html
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from analysis.commerce.deals import Amount, Reading, Told
from crawler.counts import twitter_time


class NotAPost(ValueError):
    """A line that is no post; says what was expected."""


def told(line: Mapping[str, Any], watched: frozenset[str] = frozenset()) -> tuple[str, Told]:
    """Id and text of a post of ours (key, caption), a tweet (id_str, text) or a bare {id, text, lang}."""
    tweet = line.get("retweeted_status") if isinstance(line.get("retweeted_status"), dict) else line
    assert isinstance(tweet, Mapping)
    extended = tweet.get("extended_tweet") if isinstance(tweet.get("extended_tweet"), dict) else {}
    assert isinstance(extended, Mapping)
    texts = (tweet.get("caption"), extended.get("full_text"), tweet.get("full_text"), tweet.get("text"))
    text = next((each for each in texts
                 if isinstance(each, str)), None)  # fmt: skip
    name = next(
        (each for each in (line.get("key"), line.get("id_str"), line.get("id")) if isinstance(each, (str, int))), None
    )
    if text is None or name is None:
        held = ", ".join(sorted(map(str, line))[:8])
        raise NotAPost(f"expected an id and a text (or key and caption); found {held or 'nothing'}")
    user = tweet.get("user")
    user = user if isinstance(user, dict) else {"screen_name": user}
    author = line.get("author") or user.get("screen_name")
    links = line.get("urls") or _links({**tweet, **extended})
    numbers = {str(each).lower() for each in (author, line.get("author_id"), user.get("id_str")) if each}
    return str(name), Told(
        html.unescape(text) if "text" in tweet else text,
        language if isinstance(language := line.get("language") or line.get("lang"), str) else None,
        author if isinstance(author, str) else None,
        tuple(each for each in links if isinstance(each, str)),
        _moment(line.get("created_at")),
        bool(numbers & watched),
    )  # fmt: skip


def _links(tweet: Mapping[str, Any]) -> list[str]:
    entities = tweet.get("entities")
    found = entities.get("urls") if isinstance(entities, dict) else None
    return [each.get("expanded_url") for each in found or () if isinstance(each, dict)]  # type: ignore[misc]


def _moment(shown: Any) -> datetime | None:
    if not isinstance(shown, str):
        return None
    try:
        moment = datetime.fromisoformat(shown) if shown[:4].isdigit() else twitter_time(shown)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def row(name: str, found: Reading) -> dict[str, Any]:
    return {
        "id": name,
        "amounts": [_amount(each) for each in found.amounts],
        "is_deal": found.is_deal,
        "product": found.product,
        "brand": found.brand,
        "retailer": found.retailer,
        "free_shipping": found.free_shipping,
        "coupon": found.coupon,
        "valid_until": found.valid_until.isoformat() if found.valid_until else None,
    }


def _amount(each: Amount) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "text": each.text, "value": f"{each.value.normalize():f}",
        "value_max": None if each.value_max is None else f"{each.value_max.normalize():f}",
        "currency": each.currency, "role": each.role,
    }  # fmt: skip
    return shown | ({"per": each.per} if each.per else {}) | ({"upto": True} if each.upto else {})
