"""Boards that others make of it: getdaytrends, trends24, Google's trending searches, YouTube's most popular."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.utils import format_datetime
from html import escape
from typing import Any
from urllib.parse import quote

from demo.site.app import Answer, Asked, View, as_json, page, route
from demo.site.x import iso, query
from demo.world.curves import label
from demo.world.topics import HIDDEN_BELOW, PLACES, Place, Row
from demo.world.videos import CATEGORIES, Video

DAYTRENDS = ("getdaytrends.com", "www.getdaytrends.com")
TRENDS24 = ("trends24.in", "www.trends24.in")
GOOGLE = ("trends.google.com",)
YOUTUBE = ("www.googleapis.com", "youtube.googleapis.com")
YOUTUBE_KEY = "simulated-key"


@route((*DAYTRENDS, *TRENDS24, *GOOGLE, *YOUTUBE, "api.x.com"), r"/robots\.txt")
def robots(view: View, asked: Asked) -> Answer:
    return Answer(kind="text/plain", body=b"User-agent: *\nDisallow: /admin/\n")


def _place(slug: str) -> Place | None:
    return next((place for place in PLACES.values() if place.slug == slug), None)


@route(DAYTRENDS, r"/(?:(?P<slug>[a-z-]+)/)?(?:(?P<day>\d{4}-\d\d-\d\d)/(?P<hour>\d{1,2})/)?")
def getdaytrends(view: View, asked: Asked, slug: str | None, day: str | None, hour: str | None) -> Answer:
    """Fifty rows in two tables, the second folded; now, or as it stood in an hour of the past."""
    place, at = _place(slug or ""), view.at
    if day and hour:
        at = datetime.fromisoformat(f"{day}T00:00:00+00:00") + timedelta(hours=int(hour))
    if place is None or at > view.at:
        return page("<!doctype html><title>404</title>", 404)
    at = at.replace(minute=0, second=0, microsecond=0)
    rows = view.world.board(place.code, at)
    js = f"new Date({at.year}, {at.month - 1}, {at.day}, {at.hour})"  # months from 0, as JavaScript counts
    lines = [_day_row(view, row) for row in rows]
    tables = "".join(
        f'<table class="table ranking trends"{more}><tbody>{"".join(part)}</tbody></table>'
        for more, part in (("", lines[:25]), (' id="moreTrends"', lines[25:]))
    )
    most = max(rows, key=lambda row: row.exact)
    side = (  # another ranking of the same page, which is no board of now
        '<table class="table ranking"><tbody><tr><th class="pos">1</th><td class="main">'
        f'<a href="#">{escape(most.topic)}</a><div class="desc"><span>12 hours</span></div></td></tr></tbody></table>'
    )
    return page(
        f'<!DOCTYPE html><html lang="en"><head><title>{place.name} • Now • Twitter Trending Hashtags and Topics</title>'
        f'<meta name="generator" content="simulated"><link rel="canonical" href="https://getdaytrends.com/{place.slug}">'
        f"</head><body><script>const earliestDate = new Date(2024, 4, 15, 0); var currentDate = {js};</script>"
        f'<h1>{place.name}</h1>{tables}<div id="longest"><h2>Longest trending</h2>{side}</div></body></html>'
    )


def _day_row(view: View, row: Row) -> str:
    main = "topic" if "renamed" in view.twists else "main"
    volume = f"{label(row.exact)} tweets" if row.volume is not None else f"Under {HIDDEN_BELOW // 1000}K tweets"
    return (
        f'<tr><th scope="row" class="pos">{row.position}</th><td class="{main}">'
        f'<a class="string" href="/trend/{quote(row.topic, safe="")}/">{escape(row.topic)}</a>'
        f'<div class="desc"><span class="small text-muted">{volume}</span></div></td></tr>'
    )


@route(TRENDS24, r"/(?:(?P<slug>[a-z-]+)/)?")
def trends24(view: View, asked: Asked, slug: str | None) -> Answer:
    """The last 24 hours, a list an hour, the newest first."""
    place = _place(slug or "")
    if place is None:
        return page("<!doctype html><title>404</title>", 404)
    lists, box = [], "hour-box" if "renamed" in view.twists else "list-container"
    for back in range(24):
        at = view.at.replace(minute=0, second=0, microsecond=0) - timedelta(hours=back)
        rows = "".join(map(_trends24_row, view.world.board(place.code, at)))
        stamp = at.strftime("%a %b %d %Y %H:%M:%S GMT+0000 (Coordinated Universal Time)")
        lists.append(
            f'<div class="{box}"><h3 class="title" data-timestamp="{at.timestamp()}">{stamp}</h3>'
            f'<ol class="trend-card__list">{rows}</ol></div>'
        )
    return page(
        f'<!doctype html><html lang="en"><head><title>{place.name} Twitter Trends</title>'
        f'<meta name="generator" content="simulated"><link rel="canonical" href="https://trends24.in/{place.slug}/">'
        f'</head><body><div id="timeline-container">{"".join(lists)}</div></body></html>'
    )


def _trends24_row(row: Row) -> str:
    count = "" if row.volume is None else label(row.volume)
    return (
        f'<li><span class="trend-name"><a class="trend-link" href="https://twitter.com/search?q={query(row.topic)}">'
        f'{escape(row.topic)}</a><span class="tweet-count" data-count="{row.volume or ""}">{count}</span></span></li>'
    )


@route(GOOGLE, r"/trending/rss")
def google(view: View, asked: Asked) -> Answer:
    place = PLACES.get(asked.get("geo", "US").lower())
    if place is None or place.code == "world":
        return page("<!doctype html><title>400</title>", 400)
    items, name = [], "ht:query" if "renamed" in view.twists else "title"
    for row in view.world.searched(place.code, view.at):
        began = view.world.moment(row.since_h)
        title = escape(row.topic)
        items.append(
            f"<item><{name}>{title}</{name}><ht:approx_traffic>{row.traffic}+</ht:approx_traffic><description></description>"
            f"<link>https://trends.google.com/trending/rss?geo={place.code.upper()}</link>"
            f"<pubDate>{format_datetime(began)}</pubDate><ht:picture>https://cdn.example/p.jpg</ht:picture>"
            f"<ht:picture_source>Harbour News</ht:picture_source><ht:news_item><ht:news_item_title>All about {title}"
            "</ht:news_item_title><ht:news_item_snippet></ht:news_item_snippet>"
            f"<ht:news_item_url>https://news.example/{quote(row.topic, safe='')}</ht:news_item_url>"
            "<ht:news_item_source>Harbour News</ht:news_item_source></ht:news_item></item>"
        )
    body = (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
        '<rss xmlns:atom="http://www.w3.org/2005/Atom" xmlns:ht="https://trends.google.com/trending/rss" version="2.0">'
        "<channel><title>Daily Search Trends</title><description>simulated</description>"
        f"<link>https://trends.google.com/trending/rss?geo={place.code.upper()}</link>{''.join(items)}</channel></rss>"
    )
    return Answer(kind="text/xml; charset=utf-8", body=body.encode())


@route(YOUTUBE, r"/youtube/v3/videos")
def most_popular(view: View, asked: Asked) -> Answer:
    """Counters are text; those of a video with its comments off lack the counter."""
    key = asked.get("key") or asked.headers.get("x-goog-api-key")
    if not key:
        return _youtube_error(403, "forbidden", "The request is missing a valid API key.")
    if key != YOUTUBE_KEY:
        return _youtube_error(400, "keyInvalid", "API key not valid. Please pass a valid API key.")
    if "quota" in view.twists:
        return _youtube_error(
            403, "quotaExceeded", "The request cannot be completed because you have exceeded your quota."
        )
    place = PLACES.get(asked.get("regionCode", "US").lower())
    if asked.get("chart") != "mostPopular" or place is None or place.code == "world":
        return _youtube_error(400, "invalidRegionCode", "The regionCode parameter is not valid.")
    chart = view.world.screen.chart(place.code, view.at_h)
    most, token = max(1, asked.whole("maxResults", 5, 50)), asked.get("pageToken")
    at = int(token.removeprefix("C")) if token.removeprefix("C").isdecimal() else 0
    body: dict[str, Any] = {
        "kind": "youtube#videoListResponse", "etag": f"simulated-{int(view.at.timestamp())}-{at}",
        "items": [_video(view, each) for each in chart[at : at + most]],
        "pageInfo": {"totalResults": len(chart), "resultsPerPage": most},
    }  # fmt: skip
    if at + most < len(chart):
        body["nextPageToken"] = f"C{at + most}"
    if at:
        body["prevPageToken"] = f"C{max(0, at - most)}"
    return as_json(body)


def _video(view: View, each: Video) -> dict[str, Any]:
    counts = each.counts(view.at_h)
    published = iso(view.world.moment(each.published_h))
    statistics = {"viewCount": str(counts["views"]), "likeCount": str(counts["likes"]), "favoriteCount": "0"}
    if counts["comments"] is not None:
        statistics["commentCount"] = str(counts["comments"])
    if "renamed" in view.twists:
        names = {"viewCount": "plays", "likeCount": "thumbsUp", "commentCount": "remarks"}
        statistics = {names.get(key, key): value for key, value in statistics.items()}
    snippet: dict[str, Any] = {
        "publishedAt": published, "channelId": each.channel_id, "title": each.title, "description": "simulated",
        "thumbnails": {"default": {"url": f"https://cdn.example/vi/{each.video_id}/default.jpg"}},
        "channelTitle": each.channel, "categoryId": each.category, "liveBroadcastContent": "none",
        "localized": {"title": each.title, "description": "simulated"},
    }  # fmt: skip
    if each.tags:
        snippet["tags"] = list(each.tags)
    return {
        "kind": "youtube#video", "etag": "simulated", "id": each.video_id, "snippet": snippet,
        "contentDetails": {"duration": f"PT{each.minutes}M7S"}, "statistics": statistics,
    }  # fmt: skip


@route(YOUTUBE, r"/youtube/v3/videoCategories")
def categories(view: View, asked: Asked) -> Answer:
    items = [
        {"kind": "youtube#videoCategory", "id": number, "snippet": {"title": title, "assignable": True}}
        for number, title in CATEGORIES.items()
    ]
    return as_json({"kind": "youtube#videoCategoryListResponse", "items": items})


def _youtube_error(status: int, reason: str, message: str) -> Answer:
    errors = [{"message": message, "domain": "youtube.quota", "reason": reason}]
    return as_json({"error": {"code": status, "message": message, "errors": errors}}, status)
