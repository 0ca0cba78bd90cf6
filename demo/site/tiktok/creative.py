"""The Creative Center's lists: popular hashtags, sounds and creators of a country, as its own requests get them."""

from __future__ import annotations

from typing import Any

from demo.site.app import Answer, Asked, View, as_json, route
from demo.site.tiktok.structs import sound, user
from demo.world import names
from demo.world.curves import rounded

HOSTS = ("ads.tiktok.com",)
LIST = r"/creative_radar_api/v1/popular_trend"


@route(HOSTS, r"/robots\.txt")
def robots(view: View, asked: Asked) -> Answer:
    return Answer(kind="text/plain", body=b"User-agent: *\nDisallow: /i18n/\n")


@route(HOSTS, rf"{LIST}/hashtag/list")
def hashtags(view: View, asked: Asked) -> Answer:
    """By the views of the last days; one row in the middle is bought."""
    before_h = view.at_h - 24 * asked.whole("period", 7, 120)
    gained = [
        (view.world.tag(name, view.at_h).views - view.world.tag(name, before_h).views, name) for name in names.TAGS
    ]
    rows = []
    for rank, (views, name) in enumerate(sorted(gained, reverse=True), start=1):
        tag = view.world.tag(name, view.at_h)
        rows.append(
            {
                "hashtag_id": tag.tag_id, "hashtag_name": name, "rank": rank, "is_promoted": rank == 7,
                "country_info": {"id": asked.get("country_code"), "value": asked.get("country_code")},
                "publish_cnt": views // 5200, "video_views": views, "rank_diff_type": 1, "trend": [],
            }
        )  # fmt: skip
    return _list(view, asked, "list", rows)


@route(HOSTS, rf"{LIST}/sound/rank_list")
def sounds(view: View, asked: Asked) -> Answer:
    tracks = sorted((-view.world.track(n, view.at_h).posts, n) for n in range(len(names.SOUNDS)))
    rows = [
        {
            "song_id": sound(view, n)["id"], "title": names.SOUNDS[n], "author": sound(view, n)["authorName"],
            "rank": rank, "promoted": False, "country_code": asked.get("country_code"),
        }
        for rank, (_, n) in enumerate(tracks, start=1)
    ]  # fmt: skip
    return _list(view, asked, "sound_list", rows)


@route(HOSTS, rf"{LIST}/creator/list")
def creators(view: View, asked: Asked) -> Answer:
    crowd, at_h = view.world.crowd, view.at_h
    known = sorted(
        (-crowd.followers(each, at_h), each.index)
        for each in crowd.creators
        if at_h < each.removed_h and each.region == (asked.get("creator_country") or each.region)
    )
    rows = [
        {
            "tcm_id": crowd.creators[n].user_id, "user_id": crowd.creators[n].user_id,
            "nick_name": user(view, crowd.creators[n])["nickname"], "follower_cnt": rounded(-minus),
            "country_code": crowd.creators[n].region, "liked_cnt": rounded(crowd.likes(crowd.creators[n], at_h)),
        }
        for minus, n in known
    ]  # fmt: skip
    return _list(view, asked, "creators", rows)


def _list(view: View, asked: Asked, key: str, rows: list[dict[str, Any]]) -> Answer:
    if "unsigned" in view.twists:
        return as_json({"code": 40101, "msg": "no permission", "request_id": "simulated", "data": None})
    size, number = max(1, asked.whole("limit", 20, 50)), max(1, asked.whole("page", 1))
    part = rows[(number - 1) * size : number * size]
    pages = {"page": number, "size": size, "total": len(rows), "has_more": number * size < len(rows)}
    name = "goods" if "renamed" in view.twists else key
    return as_json({"code": 0, "msg": "OK", "request_id": "simulated", "data": {name: part, "pagination": pages}})
