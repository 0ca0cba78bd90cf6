"""The JSON that the pages request themselves: grids with cursor and token, details, comments, discover."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from demo.site.app import Answer, Asked, View, as_json, route
from demo.site.tiktok import structs
from demo.site.tiktok.pages import NO_ACCOUNT, SITE, sound_index, user_detail
from demo.site.tiktok.token import is_signed
from demo.world import names
from demo.world.curves import label, rounded
from demo.world.people import Creator, Post

SEARCH_CEILING = 120  # however much there is, the search shows no more
Found = list[tuple[Creator, Post]]


def signed(handler: Callable[..., Answer]) -> Callable[..., Answer]:
    """Without the page's token the platform answers 200 and nothing at all; so it does when a grid fails."""

    def check(view: View, asked: Asked, **arguments: str) -> Answer:
        if "grid_failed" in view.twists or not is_signed(view, asked):
            return Answer(kind="application/json; charset=utf-8")
        return handler(view, asked, **arguments)

    return check


@route(SITE, r"/api/post/item_list/?")
@signed
def posts(view: View, asked: Asked) -> Answer:
    """A creator's posts, newest first. The cursor is a moment in milliseconds; pinned ones stand before all others."""
    crowd = view.world.crowd
    creator = next((each for each in crowd.creators if each.sec_uid == asked.get("secUid")), None)
    if creator is None or view.at_h >= creator.removed_h:
        return as_json({"statusCode": NO_ACCOUNT, "status_code": NO_ACCOUNT, "statusMsg": "", "itemList": None})
    if creator.private or "private" in view.twists:
        return as_json({"statusCode": 0, "status_code": 0, "hasMore": False, "cursor": "0"})
    everything = crowd.posts(creator, view.at_h)
    pinned = list(everything[-1:]) if creator.index % 3 == 0 else []
    cursor, count = asked.whole("cursor", 0, 10**14), asked.whole("count", 35, 35)
    rest = [post for post in everything if post not in pinned and (not cursor or post.created_s * 1000 < cursor)]
    shown = ([] if cursor else pinned) + rest[:count]
    more = len(rest) > count
    if "endless" in view.twists and not more:
        shown, more = list(everything[:count]), True  # it begins again, and never says so
    made = [structs.item(view, creator, post) for post in shown]
    for one in made[: len(pinned) if not cursor else 0]:
        one["isPinnedItem"] = True
    last = shown[-1].created_s * 1000 if shown else 0
    return as_json(
        {"cursor": str(last), "extra": {"now": int(view.at.timestamp() * 1000)}, "hasMore": more, "itemList": made,
         "statusCode": 0, "status_code": 0, "status_msg": ""}
    )  # fmt: skip


def _offset(
    view: View, asked: Asked, found: Found, most: int, ceiling: int = 10**6
) -> tuple[list[dict[str, Any]], int, bool]:
    """Items, next cursor and whether there are more: lists whose cursor is how many came before."""
    at, count = asked.whole("cursor", asked.whole("offset", 0)), asked.whole("count", most, most)
    whole = found[:ceiling]
    part = whole[at : at + count]
    more = at + count < len(whole)
    if "endless" in view.twists and not more:
        part, more = whole[:count], True
    return [structs.item(view, *each) for each in part], at + len(part), more


def _grid(view: View, asked: Asked, found: Found, most: int = 30) -> Answer:
    items, cursor, more = _offset(view, asked, found, most)
    return as_json(
        {"cursor": str(cursor), "hasMore": more, "itemList": items, "statusCode": 0, "status_code": 0, "statusMsg": ""}
    )


@route(SITE, r"/api/challenge/item_list/?")
@signed
def tagged(view: View, asked: Asked) -> Answer:
    name = next((each.name for each in view.world.tags(0) if each.tag_id == asked.get("challengeID")), "")
    return _grid(view, asked, view.world.tagged(name, view.at_h))


@route(SITE, r"/api/music/item_list/?")
@signed
def with_sound(view: View, asked: Asked) -> Answer:
    index = sound_index(view, asked.get("musicID"))
    return _grid(view, asked, [] if index is None else view.world.with_sound(index, view.at_h))


@route(SITE, r"/api/(recommend|explore|preload)/item_list/?")
@signed
def recommended(view: View, asked: Asked) -> Answer:
    """Recommendations repeat themselves: every page ends with a post of the page before."""
    found = view.world.popular(view.at_h)
    at = asked.whole("cursor", 0)
    return _grid(view, asked, found if at == 0 else [*found[:at], found[max(0, at - 1)], *found[at:]], 16)


@route(SITE, r"/api/search/general/full/?")
@signed
def search_all(view: View, asked: Asked) -> Answer:
    items, cursor, more = _offset(view, asked, view.world.hits(asked.get("keyword"), view.at_h), 12, SEARCH_CEILING)
    for one in items:  # numbers, not text, in this list
        one["createTime"] = int(one["createTime"])
        one["stats"]["collectCount"] = int(one["stats"]["collectCount"])
    hits = [{"type": 1, "item": one, "common": {"doc_id_str": one["id"]}} for one in items]
    return as_json(
        {"status_code": 0, "data": hits, "cursor": cursor, "has_more": int(more), "ad_info": {}, "log_pb": {},
         "extra": {"now": int(view.at.timestamp() * 1000)}}
    )  # fmt: skip


@route(SITE, r"/api/search/item/full/?")
@signed
def search_videos(view: View, asked: Asked) -> Answer:
    items, cursor, more = _offset(view, asked, view.world.hits(asked.get("keyword"), view.at_h), 12, SEARCH_CEILING)
    return as_json({"status_code": 0, "item_list": items, "cursor": cursor, "has_more": int(more)})


@route(SITE, r"/api/user/detail/?")
def user(view: View, asked: Asked) -> Answer:
    return as_json(user_detail(view, asked.get("uniqueId")))


@route(SITE, r"/api/challenge/detail/?")
def challenge(view: View, asked: Asked) -> Answer:
    name = next((each for each in names.TAGS if each.casefold() == asked.get("challengeName").casefold()), None)
    if name is None:
        return as_json({"statusCode": 10205, "statusMsg": None})
    tag = view.world.tag(name, view.at_h)
    coarse, exact = structs.challenge_stats(view, tag)
    info: dict[str, Any] = {"challenge": structs.challenge(tag), "stats": coarse}
    if view.look.exact:
        info["statsV2"] = exact
    return as_json({"statusCode": 0, "statusMsg": None, "challengeInfo": info, "itemList": []})


@route(SITE, r"/api/comment/list/?")
@signed
def comments(view: View, asked: Asked) -> Answer:
    found = view.world.post(asked.get("aweme_id"), view.at_h)
    remarks = view.world.talkers.remarks(found[1], view.at_h) if found and not found[0].private else []
    at, count = asked.whole("cursor", 0), asked.whole("count", 20, 50)
    part = [structs.comment(found[1], each) for each in remarks[at : at + count]] if found else []
    return as_json(
        {"comments": part or None, "cursor": at + len(part), "has_more": int(at + count < len(remarks)),
         "total": len(remarks), "status_code": 0, "status_msg": ""}
    )  # fmt: skip


@route((*SITE, "t.tiktok.com"), r"/node/share/discover/?")
def discover(view: View, asked: Asked) -> Answer:
    """The lists of 2022: users, hashtags, sounds. Some of their numbers are text."""
    world, at_h = view.world, view.at_h
    creators = [each for each in world.crowd.creators if at_h < each.removed_h and not each.private]
    creators.sort(key=lambda each: -world.crowd.followers(each, at_h))
    tags = sorted(world.tags(at_h), key=lambda tag: -tag.views)[:10]
    tracks = sorted((world.track(index, at_h) for index in range(len(names.SOUNDS))), key=lambda track: -track.posts)
    users = [_card(each.user_id, 2, each.nickname, f"@{each.handle(at_h)}", f"/@{each.handle(at_h)}",
                   _user_info(view, each)) for each in creators]  # fmt: skip
    hashtags = [_card(tag.tag_id, 3, f"#{tag.name}", f"{label(tag.views)} views", f"/tag/{tag.name}",
                      {"views": str(rounded(tag.views))}) for tag in tags]  # fmt: skip
    sounds = [_card(track.sound_id, 1, track.title, track.author, f"/music/x-{track.sound_id}",
                    {"posts": rounded(track.posts)}) for track in tracks[:10]]  # fmt: skip
    state = {"region": "BR", "os": "windows", "appType": "t", "fullUrl": f"https://{asked.url}"}
    key = "card" if "renamed" in view.twists else "cardItem"
    body = [{"pageState": state, "exploreList": [{key: card} for card in each]} for each in (users, hashtags, sounds)]
    return as_json({"statusCode": 0, "body": body, "errMsg": None})


def _user_info(view: View, creator: Creator) -> dict[str, Any]:
    exact = structs.user_counts(view, creator)
    return {
        "userId": creator.user_id, "verified": creator.verified, "fans": rounded(exact["followerCount"]),
        "following": exact["followingCount"], "video": exact["videoCount"], "likes": str(rounded(exact["heart"])),
        "heart": str(rounded(exact["heart"])), "digg": exact["diggCount"],
    }  # fmt: skip


def _card(number: str, kind: int, title: str, subtitle: str, link: str, extra: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": number, "type": kind, "cover": "", "title": title, "subTitle": subtitle, "description": "", "link": link,
        "round": kind == 2, "playToken": "", "keyToken": "", "extraInfo": extra,
    }  # fmt: skip
