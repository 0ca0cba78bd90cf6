"""Older and foreign layouts of a post, turned into today's item struct, so that one reader reads them all.

2020's first quarter split a post over itemInfos, authorInfos, musicInfos; widely used downloaders write
authorMeta and musicMeta; others flatten a row. Values pass through unread: post.py judges them.
"""

from __future__ import annotations

import re
from typing import Any

from crawler.fields import dig

_COUNTERS = ("playCount", "diggCount", "commentCount", "shareCount", "collectCount", "repostCount")
_ID_IN_URL = re.compile(r"/(?:video|photo)/(\d{5,20})")
Row = dict[str, Any]


def as_struct(row: Row) -> Row:
    """The item struct of a row in any layout we have met; an item struct comes back as it is."""
    if "itemInfos" in row:
        return _of_2020(row)
    if "itemStruct" in row:
        return _object(row["itemStruct"])
    if "authorMeta" in row or "webVideoUrl" in row:
        return _of_downloader(row)
    if "video_id" in row and "video_playcount" in row:
        return _of_pyktok(row)
    if "username" in row and "author" not in row:
        return _of_flat(row)
    if "text" in row and "desc" not in row:
        return {**row, "desc": row["text"], "stats": _counters(row)}
    return row


def _of_2020(row: Row) -> Row:
    info, author, music = (_object(row.get(name)) for name in ("itemInfos", "authorInfos", "musicInfos"))
    return {
        "id": info.get("id"),
        "desc": info.get("text"),
        "createTime": info.get("createTime"),
        "stats": _counters(info),
        "author": {**author, "id": author.get("userId"), "nickname": author.get("nickName")} if author else None,
        "authorId": info.get("authorId"),
        "authorStats": row.get("authorStats"),
        "music": {"id": music.get("musicId"), "title": music.get("musicName")} if music else None,
        "challenges": [{"title": each.get("challengeName")} for each in _objects(row.get("challengeInfoList"))],
        "textExtra": [
            {"hashtagName": each.get("HashtagName"), "userUniqueId": each.get("UserUniqueId")}
            for each in _objects(row.get("textExtra"))
        ],
        "video": {"duration": dig(info, "video", "videoMeta", "duration"), "cover": dig(info, "covers", 0)},
    }


def _of_downloader(row: Row) -> Row:
    """tiktok-scraper (2020-21) and Apify's clockworks actors."""
    author, music = _object(row.get("authorMeta")), _object(row.get("musicMeta"))
    linked = _ID_IN_URL.search(str(row.get("webVideoUrl") or ""))
    return {
        "id": row.get("id") or (linked[1] if linked else None),
        "desc": row.get("text"),
        "createTime": row.get("createTime"),
        "textLanguage": row.get("textLanguage"),
        "stats": _counters(row),
        "author": {
            "id": author.get("id"),
            "uniqueId": author.get("name"),
            "nickname": author.get("nickName"),
            "verified": author.get("verified"),
            "secUid": author.get("secUid"),
            "signature": author.get("signature"),
            "avatarLarger": author.get("avatar"),
            "privateAccount": author.get("privateAccount"),
        }
        if author
        else None,
        "authorStats": {
            "followerCount": author.get("fans"),
            "followingCount": author.get("following"),
            "heart": author.get("heart"),
            "videoCount": author.get("video"),
        }
        if "fans" in author
        else None,
        "music": {"id": music.get("musicId"), "title": music.get("musicName")} if music else None,
        "challenges": [{"title": each.get("name")} for each in _objects(row["hashtags"])]
        if "hashtags" in row
        else None,
        "textExtra": [
            {"userUniqueId": each.removeprefix("@")} for each in _list(row["mentions"]) if isinstance(each, str)
        ]
        if "mentions" in row
        else None,
        "video": {
            "duration": dig(row, "videoMeta", "duration"),
            "cover": dig(row, "covers", "default") or dig(row, "videoMeta", "coverUrl"),
        },
        "imagePost": {} if row.get("isSlideshow") is True else None,
        "isAd": row.get("isAd"),
        "isPinnedItem": row.get("isPinned"),
    }


def _of_flat(row: Row) -> Row:
    """A handle and a caption beside today's stats; region and category of such rows are what was asked for."""
    return {
        "id": row.get("id"),
        "desc": row.get("caption"),
        "createTime": row.get("createTime"),
        "author": {"uniqueId": row.get("username")} if row.get("username") else None,
        "stats": row.get("stats"),
        "music": row.get("music"),
    }


def _of_pyktok(row: Row) -> Row:
    """The table that pyktok writes; its author's name is a handle."""
    handle = row.get("author_username")
    return {
        "id": row.get("video_id"),
        "desc": row.get("video_description"),
        "createTime": row.get("video_timestamp"),
        "author": {"uniqueId": handle, "nickname": row.get("author_name")} if handle else None,
        "authorStats": {
            "followerCount": row.get("author_followercount"),
            "followingCount": row.get("author_followingcount"),
            "heart": row.get("author_heartcount"),
            "videoCount": row.get("author_videocount"),
        },
        "stats": {
            theirs: row[ours]
            for ours, theirs in (
                ("video_playcount", "playCount"), ("video_diggcount", "diggCount"), ("video_sharecount", "shareCount"),
                ("video_commentcount", "commentCount"),
            )
            if row.get(ours) not in (None, "")
        },
        "video": {"duration": row.get("video_duration")},
        "locationCreated": row.get("video_locationcreated"),
    }  # fmt: skip


def _counters(row: Row) -> Row:
    return {name: row[name] for name in _COUNTERS if row.get(name) not in (None, "")}


def _object(value: Any) -> Row:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _objects(value: Any) -> list[Row]:
    return [each for each in _list(value) if isinstance(each, dict)]
