"""The pages of the video platform: profile, post, hashtag, sound, search, discover, login, short links."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any
from urllib.parse import quote

from demo.site.app import Answer, Asked, View, page, redirect, route
from demo.site.tiktok import eras, structs
from demo.site.tiktok.html import FAILED, cards, grid, header, script, universal, whole
from demo.world import names
from demo.world.curves import label
from demo.world.people import Creator, Post

SITE = ("www.tiktok.com", "m.tiktok.com", "tiktok.com")
SHORT = ("vm.tiktok.com", "vt.tiktok.com")
NO_ACCOUNT, PRIVATE, NO_POST, PRIVATE_POST = 10221, 10222, 10204, 10216
POST = r"/@(?P<handle>[\w.]*)/(?P<kind>video|photo)/(?P<post_id>\d+)/?"


@route((*SITE, *SHORT), r"/robots\.txt")
def robots(view: View, asked: Asked) -> Answer:
    return Answer(kind="text/plain", body=b"User-agent: *\nDisallow: /inbox\nDisallow: /link\nAllow: /\n")


@route(SITE, r"/@(?P<handle>[\w.]+)/?")
def profile(view: View, asked: Asked, handle: str) -> Answer:
    detail = user_detail(view, handle)
    creator = view.world.crowd.find(handle, view.at_h)
    if creator is None or not detail["userInfo"]:
        return _state_or_era(view, "TikTok - Make Your Day", "", detail, [])
    listed = () if detail["userInfo"]["user"]["privateAccount"] else first_posts(view, creator)
    title = f"{creator.nickname} (@{handle}) | TikTok"
    if view.look.rendered:
        body = header(view, creator) + (
            FAILED if "grid_failed" in view.twists else cards(view, [(creator, p) for p in listed], "user-post-item")
        )
    else:
        body = grid("/api/post/item_list/", "user-post-item", aid=1988, count=35, secUid=creator.sec_uid)
    return _state_or_era(view, title, body, detail, listed, f"https://www.tiktok.com/@{handle}", creator)


def _state_or_era(
    view: View, title: str, body: str, detail: dict[str, Any], listed: Sequence[Post], canonical: str = "",
    creator: Creator | None = None,
) -> Answer:  # fmt: skip
    if view.look.era == "universal":
        return universal(view, title, body, canonical, {"webapp.user-detail": detail})
    items = [structs.item(view, creator, each) for each in listed] if creator else []
    return eras.profile(view.look.era, detail, items, body if view.look.rendered else "")


def user_detail(view: View, handle: str) -> dict[str, Any]:
    """webapp.user-detail, also what the detail request gives."""
    creator = None if "missing" in view.twists else view.world.crowd.find(handle, view.at_h)
    if creator is None:
        return {"userInfo": {}, "shareMeta": {"title": "", "desc": ""}, "statusCode": NO_ACCOUNT, "statusMsg": ""}
    coarse, exact = structs.stats(view, creator)
    info: dict[str, Any] = {"user": structs.user(view, creator), "stats": coarse, "itemList": []}
    if view.look.exact:
        info["statsV2"] = exact
    likes, followers = label(coarse["heart"]).lower(), label(coarse.get("followerCount", 0)).lower()
    meta = {"title": f"{creator.nickname} on TikTok", "desc": f"@{handle} {followers} Followers, {likes} Likes"}
    status = PRIVATE if "private" in view.twists else 0
    failed = "grid_failed" in view.twists
    return {"userInfo": info, "shareMeta": meta, "statusCode": status, "statusMsg": "", "needFix": failed}


def first_posts(view: View, creator: Creator) -> tuple[Post, ...]:
    return view.world.crowd.posts(creator, view.at_h)[: eras.PER_PAGE]


@route(SITE, POST)
def post(view: View, asked: Asked, handle: str, kind: str, post_id: str) -> Answer:
    detail = video_detail(view, post_id)
    item = detail.get("itemInfo", {}).get("itemStruct")
    canonical = f"https://www.tiktok.com/@{item['author']['uniqueId']}/{kind}/{post_id}" if item else ""
    if "Mobile" in asked.headers.get("user-agent", "") or asked.host == "m.tiktok.com":
        return reflow(view, detail, canonical)
    if view.look.era != "universal":
        return eras.post(view.look.era, detail)
    # An anonymous visitor's good page may be titled like a wall.
    title = "Log in | TikTok" if int(post_id[-1:]) % 2 else "TikTok"
    return universal(view, title, "", canonical, {"webapp.video-detail": detail})


def video_detail(view: View, post_id: str) -> dict[str, Any]:
    found = None if "missing" in view.twists else view.world.post(post_id, view.at_h)
    if found is None:
        return {"statusCode": NO_POST, "statusMsg": "item doesn't exist"}
    creator, one = found
    if creator.private or "private" in view.twists:
        return {"statusCode": PRIVATE_POST, "statusMsg": "author is private"}
    item = structs.item(view, creator, one)
    meta = {"title": f"{creator.nickname} on TikTok", "desc": one.caption}
    return {"itemInfo": {"itemStruct": item}, "shareMeta": meta, "statusCode": 0, "statusMsg": ""}


def reflow(view: View, detail: dict[str, Any], canonical: str) -> Answer:
    """The page for phones and shared links; who shared it stands there, too, and is not the author."""
    sharer = structs.user(view, view.world.crowd.creators[8])
    state: dict[str, Any] = {**detail, "statusMessage": detail["statusMsg"], "extra_info": {"subcode": 0}}
    if item := detail.get("itemInfo", {}).get("itemStruct"):
        slim = {name: value for name, value in item.items() if name not in ("statsV2", "authorStatsV2")}
        slim["stats"] = {**item["stats"], "collectCount": int(item["stats"]["collectCount"])}
        slim["createTime"] = int(item["createTime"])
        slim["authorStats"] = {name: value for name, value in item["authorStats"].items() if name != "heart"}
        state["itemInfo"] = {"itemStruct": slim}
    version = "photo-original" if item and "imagePost" in item else "video-original"
    shared = {
        "webapp.reflow.video.detail": state, "webapp.reflow.global.shareUser": {"shareUser": sharer},
        "webapp.sharing.ssrVersion": version,
    }  # fmt: skip
    return universal(view, "TikTok", "", canonical, shared)


@route(SITE, r"/tag/(?P<name>[^/]+)/?")
def tag(view: View, asked: Asked, name: str) -> Answer:
    known = next((each for each in names.TAGS if each.casefold() == name.casefold()), None)
    if known is None or "missing" in view.twists:
        detail = {"statusCode": 10205, "statusMsg": ""}
        return universal(view, "TikTok", "", state={"webapp.challenge-detail": detail} if view.look.tag_state else {})
    found = view.world.tag(known, view.at_h)
    coarse, exact = structs.challenge_stats(view, found)
    info: dict[str, Any] = {"challenge": structs.challenge(found), "stats": coarse}
    if view.look.exact:
        info["statsV2"] = exact
    parts = {"webapp.challenge-detail": {"challengeInfo": info, "statusCode": 0}} if view.look.tag_state else {}
    body = ""
    if view.look.rendered or not view.look.tag_state:
        body = (
            f'<h1 data-e2e="challenge-title">#{escape(known)}</h1><h2 data-e2e="challenge-vvcount" title="posts ">'
            f"{label(structs.shown(view, found.posts))} videos</h2>"
            f'<div data-e2e="challenge-desc"><span>{escape(found.description)}</span></div>'
        )
    if view.look.rendered:
        listed = view.world.tagged(known, view.at_h)[: eras.PER_PAGE]
        body += FAILED if "grid_failed" in view.twists else cards(view, listed, "challenge-item")
    else:
        body += grid("/api/challenge/item_list/", "challenge-item", aid=1988, challengeID=found.tag_id, count=30)
    return universal(view, f"#{known} | TikTok", body, f"https://www.tiktok.com/tag/{known}", parts)


@route(SITE, r"/music/(?P<slug>.*?)-?(?P<sound_id>\d{5,})/?")
def music(view: View, asked: Asked, slug: str, sound_id: str) -> Answer:
    index = sound_index(view, sound_id)
    if index is None or "missing" in view.twists:
        return universal(view, "TikTok", "", state={"webapp.music-detail": {"statusCode": 10218, "statusMsg": ""}})
    track = view.world.track(index, view.at_h)
    info = {"music": structs.sound(view, index), "stats": structs.sound_stats(view, track)}
    body = grid("/api/music/item_list/", "music-item", aid=1988, musicID=sound_id, count=30)
    canonical = f"https://www.tiktok.com/music/{quote(track.title.replace(' ', '-'))}-{sound_id}"
    detail = {"musicInfo": info, "statusCode": 0, "statusMsg": ""}
    return universal(view, f"{track.title} | TikTok", body, canonical, {"webapp.music-detail": detail})


def sound_index(view: View, sound_id: str) -> int | None:
    ids = [view.world.track(index, 0).sound_id for index in range(len(names.SOUNDS))]
    return ids.index(sound_id) if sound_id in ids else None


@route(SITE, r"/search(/video)?/?")
def search(view: View, asked: Asked) -> Answer:
    query = asked.get("q")
    path = "/api/search/item/full/" if "/video" in asked.path else "/api/search/general/full/"
    body = grid(path, "search_top-item", aid=1988, keyword=query, count=12)
    return universal(view, f"{query} - TikTok Search", body)


@route(SITE, r"/(explore|discover|foryou)?/?")
def explore(view: View, asked: Asked) -> Answer:
    path = "/api/explore/item_list/" if "explore" in asked.path else "/api/recommend/item_list/"
    return universal(view, "TikTok - Make Your Day", grid(path, "explore-item", aid=1988, count=16))


@route(SITE, r"/login/?")
def login(view: View, asked: Asked) -> Answer:
    return whole("Log in | TikTok", script("login-config", {}) + "<h1>Log in to TikTok</h1><form></form>")


@route(SITE, r"/t/(?P<code>[0-9a-z]+)/?")
@route(SHORT, r"/(?P<code>[0-9a-z]+)/?")
def short(view: View, asked: Asked, code: str) -> Answer:
    """A shared link: the number of the post in base 36."""
    found = view.world.post(str(int(code, 36)), view.at_h) if len(code) < 14 else None
    if found is None:
        return redirect("https://www.tiktok.com/")
    creator, one = found
    kind = "photo" if one.photo else "video"
    return redirect(f"https://www.tiktok.com/@{creator.handle(view.at_h)}/{kind}/{one.post_id}?_r=1&_t={code}", 301)


@route(SITE, r"/manifest\.json|/favicon\.ico")
def nothing(view: View, asked: Asked) -> Answer:
    return page("", 404)
