"""The state of a profile or a post as older pages held it, made from today's."""

from __future__ import annotations

from typing import Any

from demo.site.app import Answer
from demo.site.tiktok.html import script, whole

PER_PAGE = 30


def profile(era: str, detail: dict[str, Any], items: list[dict[str, Any]], body: str) -> Answer:
    """*detail*: today's webapp.user-detail; *items*: the first posts, which older pages carried themselves."""
    info = detail["userInfo"]
    user, stats = info.get("user", {}), {k: v for k, v in info.get("stats", {}).items() if k != "friendCount"}
    if era == "sigi":
        state = _sigi(detail, user, stats, items)
        # That era's pages held today's tag, too, without the data.
        return whole("TikTok", script("SIGI_STATE", state) + script("__UNIVERSAL_DATA_FOR_REHYDRATION__", {}) + body)
    props: dict[str, Any] = {"statusCode": detail["statusCode"]}
    if era == "next" and user:
        props |= {
            "userInfo": {"user": user, "stats": stats}, "items": items, "videoListHasMore": len(items) == PER_PAGE,
            "videoListMaxCursor": _cursor(items[-1:]), "videoListMinCursor": _cursor(items[:1]),
        }  # fmt: skip
    elif user:
        props["userData"] = user_data(user, stats)
    return whole("TikTok", script("__NEXT_DATA__", {"props": {"pageProps": props}}) + body)


def post(era: str, detail: dict[str, Any]) -> Answer:
    """*detail*: today's webapp.video-detail."""
    item = detail.get("itemInfo", {}).get("itemStruct")
    if era == "sigi":
        module = {item["id"]: flat(item)} if item else {}
        state: dict[str, Any] = {"ItemModule": module, "VideoPage": {"statusCode": detail["statusCode"]}}
        return whole("TikTok", script("SIGI_STATE", state))
    props: dict[str, Any] = {"statusCode": detail["statusCode"]}
    if item and era == "next":
        # In those months every video called itself so.
        props["itemInfo"] = {"itemStruct": {**_without_v2(item), "video": {**item["video"], "id": "awesome"}}}
    elif item:
        props["videoData"] = video_data(item)
    return whole("TikTok", script("__NEXT_DATA__", {"props": {"pageProps": props}}))


def flat(item: dict[str, Any]) -> dict[str, Any]:
    """The post of the SIGI era: the author is a bare handle, with ids beside it."""
    author = item["author"]
    made = _without_v2(item)
    made |= {
        "author": author["uniqueId"], "authorId": author["id"], "authorSecId": author["secUid"],
        "nickname": author["nickname"],
    }  # fmt: skip
    # Zeros that mean unknown.
    made["challenges"] = [{**tag, "stats": {"videoCount": 0, "viewCount": 0}} for tag in item["challenges"]]
    return made


def _without_v2(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name not in ("statsV2", "authorStatsV2")}


def _sigi(
    detail: dict[str, Any], user: dict[str, Any], stats: dict[str, Any], items: list[dict[str, Any]]
) -> dict[str, Any]:
    handle = user.get("uniqueId", "")
    return {
        "UserModule": {"users": {handle: user} if user else {}, "stats": {handle: stats} if user else {}},
        "UserPage": {"uniqueId": handle, "statusCode": detail["statusCode"]},
        "ItemList": {"user-post": {"list": [each["id"] for each in items], "hasMore": len(items) == PER_PAGE}},
        "ItemModule": {each["id"]: flat(each) for each in items},
    }


def user_data(user: dict[str, Any], stats: dict[str, Any]) -> dict[str, Any]:
    """The account of early 2020: fans, hearts as text."""
    fans = "followerCount" if "followerCount" in stats else "fansTotal"
    return {
        "secUid": user["secUid"], "userId": user["id"], "isSecret": user["secret"], "uniqueId": user["uniqueId"],
        "nickName": user["nickname"], "signature": user["signature"], "following": stats["followingCount"],
        fans.replace("followerCount", "fans"): stats[fans], "heart": str(stats["heart"]), "video": stats["videoCount"],
        "verified": user["verified"], "digg": stats["diggCount"],
    }  # fmt: skip


def video_data(item: dict[str, Any]) -> dict[str, Any]:
    author, stats = item["author"], item["stats"]
    plays = "playCount" if "playCount" in stats else "plays"
    return {
        "itemInfos": {
            "id": item["id"], "text": item["desc"], "createTime": item["createTime"], "authorId": author["id"],
            "musicId": item["music"]["id"], "diggCount": stats["diggCount"], "shareCount": stats["shareCount"],
            plays: stats[plays], "commentCount": stats["commentCount"],
        },
        "authorInfos": {
            "secUid": author["secUid"], "userId": author["id"], "uniqueId": author["uniqueId"],
            "nickName": author["nickname"], "verified": author["verified"],
        },
        "musicInfos": {"musicId": item["music"]["id"], "musicName": item["music"]["title"]},
        "authorStats": {**item["authorStats"], "heartCount": str(item["authorStats"]["heart"])},
        "challengeInfoList": [{"challengeId": tag["id"], "challengeName": tag["title"]} for tag in item["challenges"]],
        "textExtra": item["textExtra"],
    }  # fmt: skip


def _cursor(items: list[dict[str, Any]]) -> str:
    return f"{items[0]['createTime']}000" if items else "0"
