"""The X API, as documented: trends of both versions and the recent search, with keys, limits and their errors."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any
from urllib.parse import quote_plus
from weakref import WeakKeyDictionary

from demo.site.app import Answer, Asked, Headers, View, as_json, route
from demo.world import World
from demo.world.chance import share
from demo.world.talkers import RECENT_H, Tweet
from demo.world.topics import PLACES, Place, Row

API = ("api.x.com", "api.twitter.com")
TOKEN = "simulated-token"
"""The one bearer token that may do everything; `no-access` is a token without access to the endpoint."""
NO_ACCESS = "no-access"
WINDOW_S = 900
LIMITS = {"trends": 75, "search": 60}  # by window of 15 minutes; the documented limit of trends by WOEID is 75
COUNTED_FROM = 1000  # version 2 shows smaller counts than version 1 ever did
MANY = "many"
"""A token that begins so has ten thousand times the limit, for tests that ask a lot."""

_used: WeakKeyDictionary[World, Counter[tuple[str, str, int]]] = WeakKeyDictionary()


def keyed(endpoint: str) -> Callable[[Callable[..., Answer]], Callable[..., Answer]]:
    """Check the bearer token and count its requests in the present window of simulated time."""

    def wrap(handler: Callable[..., Answer]) -> Callable[..., Answer]:
        @wraps(handler)
        def check(view: View, asked: Asked, **arguments: str) -> Answer:
            scheme, _, token = asked.headers.get("authorization", "").partition(" ")
            v1 = asked.path.startswith("/1.1/")
            if scheme.lower() != "bearer" or not token or not token.startswith((TOKEN, NO_ACCESS, MANY)):
                return _refusal(401, v1, 32, "Could not authenticate you", "Unauthorized")
            if token == NO_ACCESS:
                return _refusal(403, v1, 453, "You currently have access to a subset of endpoints", "Client Forbidden")
            window = int(view.at.timestamp()) // WINDOW_S
            limit = LIMITS[endpoint] * (10_000 if token.startswith(MANY) else 1)
            used = _used.setdefault(view.world, Counter())
            used[endpoint, token, window] += 1
            left = limit - used[endpoint, token, window]
            headers = (
                ("x-rate-limit-limit", str(limit)), ("x-rate-limit-remaining", str(max(0, left))),
                ("x-rate-limit-reset", str((window + 1) * WINDOW_S)),
            )  # fmt: skip
            if left < 0:
                return _refusal(429, v1, 88, "Rate limit exceeded", "Too Many Requests", headers)
            found = handler(view, asked, **arguments)
            return Answer(found.status, found.kind, found.body, (*found.headers, *headers))

        return check

    return wrap


def _refusal(status: int, v1: bool, code: int, message: str, title: str, headers: Headers = ()) -> Answer:
    if v1:
        return as_json({"errors": [{"code": code, "message": message}]}, status, headers)
    detail = {"title": title, "type": "about:blank", "status": status, "detail": title}
    return as_json(detail, status, headers, "application/problem+json")


def place_of(woeid: str) -> Place | None:
    return next((place for place in PLACES.values() if str(place.woeid) == woeid), None)


@route(API, r"/1\.1/trends/place\.json")
@keyed("trends")
def trends_place(view: View, asked: Asked) -> Answer:
    place = place_of(asked.get("id"))
    if place is None:
        return _refusal(404, True, 34, "Sorry, that page does not exist", "")
    rows = [
        {
            "name": row.topic, "url": f"http://twitter.com/search?q={query(row.topic)}",
            "promoted_content": "simulated-advertiser" if row.promoted else None, "query": query(row.topic),
            "tweet_volume": row.volume,
        }
        for row in view.world.board(place.code, view.at)
    ]  # fmt: skip
    if "renamed" in view.twists:
        rows = [
            {
                ("trend_name" if key == "name" else key): value
                for key, value in row.items()
                if key not in ("query", "url")
            }
            for row in rows
        ]
    made = view.at - timedelta(seconds=int(view.at.timestamp()) % 300)
    return as_json(
        [{"trends": rows, "as_of": iso(view.at), "created_at": iso(made),
          "locations": [{"name": place.name, "woeid": place.woeid}]}]
    )  # fmt: skip


@route(API, r"/1\.1/trends/available\.json")
@keyed("trends")
def available(view: View, asked: Asked) -> Answer:
    codes = {place.code: None if place.code == "world" else place.code.upper() for place in PLACES.values()}
    return as_json([{"name": p.name, "woeid": p.woeid, "countryCode": codes[p.code]} for p in PLACES.values()])


@route(API, r"/2/trends/by/woeid/(?P<woeid>\d+)")
@keyed("trends")
def trends_by_woeid(view: View, asked: Asked, woeid: str) -> Answer:
    """Version 2 has no place, no moment and nothing bought; a count it does not have is simply not there."""
    place = place_of(woeid)
    if place is None:
        return _refusal(400, False, 0, "", "Invalid Request")
    rows: list[dict[str, Any]] = []
    earned = [row for row in view.world.board(place.code, view.at) if not row.promoted]
    for row in earned[: asked.whole("max_trends", 20, 50)]:
        count = counted(row)
        rows.append({"trend_name": row.topic, **({} if count is None else {"tweet_count": count})})
    if "renamed" in view.twists:
        rows = [{("topic" if key == "trend_name" else key): value for key, value in row.items()} for row in rows]
    return as_json({"data": rows})


def counted(row: Row) -> int | None:
    """What version 2 says of a topic's volume."""
    return row.exact if row.exact >= COUNTED_FROM else None


@route(API, r"/2/tweets/search/recent")
@keyed("search")
def search_recent(view: View, asked: Asked) -> Answer:
    """Newest first, seven days back. next_token names the last one shown."""
    if not asked.get("query"):
        return _refusal(400, False, 0, "", "Invalid Request")
    most = max(10, asked.whole("max_results", 10, 100))
    after = asked.get("next_token")
    since_h = _hour(view, asked.get("start_time"), view.at_h - RECENT_H)
    until_h = min(view.at_h, _hour(view, asked.get("end_time"), view.at_h))
    if since_h < view.at_h - RECENT_H or since_h > until_h:  # older than it keeps, or the wrong way round
        return _refusal(400, False, 0, "", "Invalid Request")
    terms, language = _terms(asked.get("query"))
    found: list[Tweet] = []
    waiting = bool(after)
    for each in view.world.talkers.tweets(terms, until_h, since_h):
        if language and each.language != language:
            continue
        if waiting:
            waiting = each.tweet_id != after.removeprefix("b26v89c19zqg8o3f")
            continue
        found.append(each)
        if len(found) > most:
            break
    shown = found[:most]
    meta: dict[str, Any] = {"result_count": len(shown)}
    if shown:
        meta |= {"newest_id": shown[0].tweet_id, "oldest_id": shown[-1].tweet_id}
    if len(found) > most:
        meta["next_token"] = f"b26v89c19zqg8o3f{shown[-1].tweet_id}"
    body: dict[str, Any] = {"data": [_tweet(view, each) for each in shown]} if shown else {}
    if shown and asked.get("expansions") == "author_id":
        body["includes"] = {"users": [_writer(number) for number in dict.fromkeys(each.author_id for each in shown)]}
    return as_json({**body, "meta": meta})


def _terms(query: str) -> tuple[str, str]:
    """'"Maré Alta" lang:pt -is:retweet' -> ('"Maré Alta"', 'pt')."""
    language = re.search(r"(?:^|\s)lang:(\w+)", query)
    return re.sub(r"(?:^|\s)-?\w+:\w+", "", query).strip(), language[1] if language else ""


def _writer(number: str) -> dict[str, Any]:
    """An account that nobody has: its name is its number."""
    followers = int(10 ** (1 + 4 * share("writer", number)))
    counts = {"followers_count": followers, "following_count": 80, "tweet_count": 900, "listed_count": 0}
    return {"id": number, "username": f"writer{number[-7:]}", "name": "Somebody", "public_metrics": counts}


def _tweet(view: View, each: Tweet) -> dict[str, Any]:
    created = datetime.fromtimestamp(each.created_ms / 1000, view.at.tzinfo)
    tags = [
        {"start": found.start(), "end": found.end(), "tag": found[1]} for found in re.finditer(r"#(\w+)", each.text)
    ]
    number = "post_id" if "renamed" in view.twists else "id"
    return {
        **({"entities": {"hashtags": tags}} if tags else {}),
        number: each.tweet_id, "text": each.text, "author_id": each.author_id, "lang": each.language,
        "created_at": created.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "edit_history_tweet_ids": [each.tweet_id], "public_metrics": each.counts(view.at_h),
    }  # fmt: skip


def _hour(view: View, given: str, otherwise: float) -> float:
    try:
        return view.world.hour(datetime.fromisoformat(given.replace("Z", "+00:00")))
    except (ValueError, TypeError):
        return otherwise


def query(topic: str) -> str:
    """As the API writes it: of several words, in quotes and encoded."""
    return quote_plus(f'"{topic}"' if " " in topic else topic)


def iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
