"""Users, posts, hashtags and sounds as the video platform's JSON states them today. Older eras are made from these."""

from __future__ import annotations

from typing import Any

from demo.site.app import View
from demo.world import names
from demo.world.curves import rounded
from demo.world.people import Creator, Post
from demo.world.talkers import Remark
from demo.world.world import Tag, Track

CDN = "https://p16.cdn.example"
WRAP = 2**32
FALLEN = 0.6
"""What the twist `falling` leaves of a counter."""


def shown(view: View, exact: int) -> int:
    """What the world counts, or less of it where counters are made to fall."""
    return int(exact * FALLEN) if "falling" in view.twists else exact


def user(view: View, creator: Creator) -> dict[str, Any]:
    handle = creator.handle(view.at_h)
    made: dict[str, Any] = {
        "id": creator.user_id, "shortId": "", "uniqueId": handle, "nickname": creator.nickname,
        "avatarLarger": f"{CDN}/avatar/{creator.user_id}.jpeg?x-expires=1&x-signature=simulated",
        "signature": creator.bio, "createTime": 1_600_000_000 + creator.index, "verified": creator.verified,
        "secUid": creator.sec_uid, "ftc": False, "relation": 0, "openFavorite": False,
        "commerceUserInfo": {"commerceUser": creator.category is not None},
        "privateAccount": creator.private or "private" in view.twists,
        "secret": creator.private or "private" in view.twists, "roomId": "", "language": creator.language,
        "profileTab": {"showMusicTab": False, "showQuestionTab": False, "showPlayListTab": False},
    }  # fmt: skip
    if creator.category:
        made["commerceUserInfo"]["category"] = creator.category
    if creator.bio_link:
        made["bioLink"] = {"link": creator.bio_link, "risk": 0}
    return made


def user_counts(view: View, creator: Creator) -> dict[str, int]:
    """Exact counters of an account under the names of the site. heartCount wraps at 32 bits."""
    crowd, at_h = view.world.crowd, view.at_h
    likes = shown(view, crowd.likes(creator, at_h))
    return {
        "followerCount": shown(view, crowd.followers(creator, at_h)), "followingCount": 3 + creator.index * 17,
        "heart": likes, "heartCount": likes % WRAP, "videoCount": len(crowd.posts(creator, at_h)),
        "diggCount": creator.index * 101, "friendCount": creator.index,
    }  # fmt: skip


def stats(view: View, creator: Creator) -> tuple[dict[str, int], dict[str, str]]:
    """stats (rounded) and statsV2 (exact, as strings)."""
    exact = user_counts(view, creator)
    coarse = {name: rounded(number) for name, number in exact.items()}
    if "renamed" in view.twists:
        coarse = {("fansTotal" if name == "followerCount" else name): number for name, number in coarse.items()}
        exact = {("fansTotal" if name == "followerCount" else name): number for name, number in exact.items()}
    return coarse, {name: str(number) for name, number in exact.items()}


def sound(view: View, index: int) -> dict[str, Any]:
    track = view.world.track(index, view.at_h)
    return {
        "id": track.sound_id, "title": track.title, "playUrl": "", "coverLarge": f"{CDN}/sound/{track.sound_id}.jpeg",
        "authorName": track.author, "original": track.original, "private": False, "duration": track.duration_s,
        "album": "",
    }  # fmt: skip


def sound_stats(view: View, track: Track) -> dict[str, int]:
    return {"uses" if "renamed" in view.twists else "videoCount": rounded(track.posts)}


def challenge(tag: Tag) -> dict[str, Any]:
    return {
        "id": tag.tag_id, "title": tag.name, "desc": tag.description, "profileLarger": "", "coverLarger": "",
        "isCommerce": False,
    }  # fmt: skip


def challenge_stats(view: View, tag: Tag) -> tuple[dict[str, int], dict[str, str]]:
    posts, views = ("videoTotal", "playTotal") if "renamed" in view.twists else ("videoCount", "viewCount")
    exact = {posts: shown(view, tag.posts), views: shown(view, tag.views)}
    return {name: rounded(number) for name, number in exact.items()}, {k: str(v) for k, v in exact.items()}


def item(view: View, creator: Creator, post: Post) -> dict[str, Any]:
    """One post: the item struct of pages and lists."""
    at_h, track = view.at_h, view.world.track(post.sound, view.at_h)
    counts = {name: rounded(shown(view, number)) for name, number in post.counts(at_h).items()}
    stats_v1: dict[str, Any] = {
        "diggCount": counts["likes"], "shareCount": counts["shares"], "commentCount": counts["comments"],
        "playCount": counts["views"], "collectCount": str(counts["saves"]),
    }  # fmt: skip
    if "renamed" in view.twists:
        stats_v1["plays"] = stats_v1.pop("playCount")
    coarse, _ = stats(view, creator)
    tags = [view.world.tag(name, at_h) for name in post.tags]
    made: dict[str, Any] = {
        "id": post.post_id, "desc": post.caption, "createTime": str(post.created_s), "scheduleTime": 0,
        "video": _video(post), "author": user(view, creator), "music": sound(view, post.sound),
        "challenges": [challenge(tag) for tag in tags], "stats": stats_v1,
        "statsV2": {**{name: str(number) for name, number in stats_v1.items()}, "repostCount": str(counts["reposts"])},
        "textExtra": _marks(view, post, tags), "originalItem": False, "officalItem": False, "secret": False,
        "forFriend": False, "itemCommentStatus": 0, "takeDown": 0, "authorStats": coarse,
        "authorStatsV2": {name: str(number) for name, number in coarse.items()}, "privateItem": False,
        "duetEnabled": True, "stickersOnItem": [], "isAd": post.ad, "shareEnabled": True, "indexEnabled": True,
        "diversificationLabels": [], "locationCreated": creator.region, "contents": [{"desc": post.caption}],
        "textLanguage": creator.language, "textTranslatable": True, "CategoryType": 100 + track.duration_s,
    }  # fmt: skip
    if post.photo:
        made["imagePost"] = {
            "images": [
                {"imageURL": {"urlList": [f"{CDN}/photo/{post.post_id}-{n}.jpeg"]}, "imageWidth": 1080}
                for n in range(2 + post.duration_s % 5)
            ],
            "cover": {"imageURL": {"urlList": [f"{CDN}/photo/{post.post_id}-0.jpeg"]}}, "title": "",
        }  # fmt: skip
    return made


def _video(post: Post) -> dict[str, Any]:
    if post.photo:
        return {"id": "", "duration": 0, "height": 0, "width": 0, "cover": "", "playAddr": ""}
    found = {
        "id": post.post_id, "height": 1024, "width": 576, "duration": post.duration_s, "ratio": "540p",
        "cover": f"{CDN}/cover/{post.post_id}.jpeg?x-signature=simulated", "playAddr": "", "format": "mp4",
    }  # fmt: skip
    if post.duration_s % 3 == 0:
        subtitle = {
            "LanguageCodeName": "eng-US",
            "Url": f"{CDN}/text/{post.post_id}",
            "Format": "webvtt",
            "Source": "ASR",
        }
        found["subtitleInfos"] = [subtitle]
    return found


def _marks(view: View, post: Post, tags: list[Tag]) -> list[dict[str, Any]]:
    """textExtra: where hashtags and mentions stand in the caption."""
    found = []
    for name, tag_id in [(tag.name, tag.tag_id) for tag in tags]:
        at = post.caption.find(f"#{name}")
        found.append(
            {"awemeId": "", "start": at, "end": at + len(name) + 1, "hashtagId": tag_id, "hashtagName": name, "type": 1}
        )
    for handle in post.mentions:
        at = post.caption.find(f"@{handle}")
        other = view.world.crowd.creators[names.HANDLES.index(handle)]
        found.append(
            {"awemeId": "", "start": at, "end": at + len(handle) + 1, "hashtagName": "", "type": 0,
             "userId": other.user_id, "userUniqueId": handle, "secUid": other.sec_uid}
        )  # fmt: skip
    return found


def comment(post: Post, remark: Remark) -> dict[str, Any]:
    return {
        "cid": remark.comment_id, "aweme_id": post.post_id, "text": remark.text, "create_time": remark.created_s,
        "digg_count": remark.likes, "reply_comment_total": remark.replies, "comment_language": remark.language,
        "reply_id": "0", "status": 1, "author_pin": False, "image_list": None,
        "user": {"uid": remark.author, "unique_id": f"reader{remark.author[:9]}", "nickname": "Somebody"},
    }  # fmt: skip
