"""Requests of other years and apps: what public pages and their scripts asked for in 2020, and single details today."""

from __future__ import annotations

from typing import Any

from demo.site.app import Answer, Asked, View, as_json, redirect, route
from demo.site.tiktok import structs
from demo.site.tiktok.eras import user_data, video_data
from demo.site.tiktok.pages import NO_ACCOUNT, NO_POST, SITE, sound_index, user_detail, video_detail
from demo.world import names
from demo.world.curves import rounded

NOBODY = {"secUid": "", "userId": "", "uniqueId": "", "nickName": "", "isSecret": False}
"""Whoever shared the link: nobody, for an anonymous visitor."""


def _body(view: View, asked: Asked, status: int, **parts: Any) -> Answer:
    state = {"region": "BR", "os": "mac", "baseURL": asked.host, "fullUrl": f"https://{asked.url}"}
    body = {"pageState": state, **parts, "shareUser": NOBODY, "statusCode": status}
    return as_json({"statusCode": status, "body": body, "errMsg": None})


@route(SITE, r"/node/share/user/@?(?P<handle>[\w.]+)/?")
def shared_user(view: View, asked: Asked, handle: str) -> Answer:
    info = user_detail(view, handle)["userInfo"]
    if not info:
        return _body(view, asked, NO_ACCOUNT)
    return _body(view, asked, 0, userData=user_data(info["user"], info["stats"]))


@route(SITE, r"/node/share/tag/(?P<name>[^/]+)/?")
def shared_tag(view: View, asked: Asked, name: str) -> Answer:
    """Posts are a number and views are text, as they were."""
    known = next((each for each in names.TAGS if each.casefold() == name.casefold()), None)
    if known is None or "missing" in view.twists:
        return _body(view, asked, 10205)
    tag = view.world.tag(known, view.at_h)
    data = {
        "challengeId": tag.tag_id, "challengeName": tag.name, "text": tag.description, "covers": [],
        "posts": structs.shown(view, tag.posts), "views": str(structs.shown(view, tag.views)), "isCommerce": False,
    }  # fmt: skip
    return _body(view, asked, 0, challengeData=data)


@route(SITE, r"/node/share/video/@?(?P<handle>[\w.]*)/(?P<post_id>\d+)/?")
def shared_video(view: View, asked: Asked, handle: str, post_id: str) -> Answer:
    item = video_detail(view, post_id).get("itemInfo", {}).get("itemStruct")
    return _body(view, asked, 0, videoData=video_data(item)) if item else _body(view, asked, NO_POST)


@route(SITE, r"/node/share/music/(?P<slug>[^/]*?)-?(?P<sound_id>\d{5,})/?")
def shared_sound(view: View, asked: Asked, slug: str, sound_id: str) -> Answer:
    index = sound_index(view, sound_id)
    if index is None or "missing" in view.twists:
        return _body(view, asked, 10218)
    track = view.world.track(index, view.at_h)
    data = {
        "musicId": track.sound_id, "musicName": track.title, "authorName": track.author, "original": track.original,
        "posts": rounded(track.posts),
    }  # fmt: skip
    return _body(view, asked, 0, musicData=data)


@route(SITE, r"/api/music/detail/?")
def sound_detail(view: View, asked: Asked) -> Answer:
    index = sound_index(view, asked.get("musicId"))
    if index is None:
        return as_json({"statusCode": 10218, "statusMsg": ""})
    info = {"music": structs.sound(view, index), "stats": structs.sound_stats(view, view.world.track(index, view.at_h))}
    return as_json({"statusCode": 0, "statusMsg": "", "musicInfo": info})


@route(SITE, r"/api/item/detail/?")
def item_detail(view: View, asked: Asked) -> Answer:
    return as_json(video_detail(view, asked.get("itemId")))


@route(SITE, r"/share/video/(?P<post_id>\d+)/?")
@route(SITE, r"/v/(?P<post_id>\d+)(?:\.html)?/?")
def shared_link(view: View, asked: Asked, post_id: str) -> Answer:
    return redirect(f"https://www.tiktok.com/@/video/{post_id}", 301)
