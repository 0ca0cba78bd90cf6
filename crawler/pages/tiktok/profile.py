"""TikTok profile page: the account and, where the page holds them, its posts."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from parsel import Selector

from crawler.counts import json_count
from crawler.fields import Fields, dig, flag, identifier, load_json, text
from crawler.items import Profile
from crawler.outcomes import MissingField, Outcome
from crawler.pages.base import Follow
from crawler.pages.tiktok.common import TikTokPage
from crawler.pages.tiktok.grids import add_board, cards, hits_of, read_posts
from crawler.pages.tiktok.people import add_account, numbers_of
from crawler.pages.tiktok.post import shown
from crawler.pages.tiktok.state import NEXT, PERSISTED, SIGI, UNIVERSAL, count, handle, part, posts_of, script

CARD = b'data-e2e="user-post-item"'
_HANDLE_IN_URL = re.compile(r"/@([\w.]+)")


class ProfilePage(TikTokPage):
    name: ClassVar[str] = "tiktok.profile"
    version: ClassVar[int] = 2
    urls: ClassVar[tuple[str, ...]] = (
        r"^https?://(www|m)\.tiktok\.com/@[\w.]+/?(\?|$)",
        r"tiktok\.com/api/user/detail/",
        r"tiktok\.com/node/share/user/",
        r"api\.tikapi\.io/public/check",
    )

    @classmethod
    def knows(cls, url: str, body: bytes) -> bool:
        if url.startswith("http") and "tiktok.com" not in url:
            return False
        head = body[:4000].lstrip()
        if head[:1] in (b"{", b"["):
            return b'"userInfo"' in head or b'"userData"' in body or re.match(rb'\[\s*\{\s*"user":', head) is not None
        return b'"webapp.user-detail"' in body or b'"UserModule"' in body or b'"userInfo":{"user"' in body

    def read(self) -> None:
        if self.is_json:
            self._read_api()
        elif not (self._read_universal() or self._read_sigi() or self._read_next() or self._read_dom()):
            self.no_data("no state holds a user, nor does the page")

    def _read_universal(self) -> bool:
        detail = part(self.body, UNIVERSAL, "webapp.user-detail")
        if detail is None:
            return False
        if self.allowed(detail, "webapp.user-detail"):
            info = Fields(dig(detail, "userInfo"), "webapp.user-detail.userInfo", self.reading.odd)
            self._profile(info.part("user"), info.part("stats"), info.part("statsV2"))
            self._grid(dig(detail, "userInfo", "itemList"))
        return True

    def _read_sigi(self) -> bool:
        state = script(self.body, SIGI, b'"UserModule"') or script(self.body, PERSISTED, b'"UserModule"')
        users = dig(state, "UserModule", "users")
        if not isinstance(users, dict):
            return False
        if not self.allowed(dig(state, "UserPage") or {}, "UserPage"):
            return True
        name = dig(state, "UserPage", "uniqueId") or next(iter(users), None)
        if not isinstance(name, str) or name not in users:
            raise MissingField(f"UserModule.users: expected {str(name)[:40]!r}, found {len(users)} others")
        stats = dig(state, "UserModule", "stats", name)
        self._profile(
            Fields(users[name], f"UserModule.users.{name}", self.reading.odd),
            Fields(stats, f"UserModule.stats.{name}", self.reading.odd),
        )
        self._grid(posts_of(state, "user-post"))
        return True

    def _read_next(self) -> bool:
        page = dig(script(self.body, NEXT, b'"pageProps"'), "props", "pageProps")
        info = dig(page, "userInfo")
        if info is None and dig(page, "userData") is None and not dig(page, "statusCode"):
            return False
        if self.allowed(page, "pageProps"):
            self._info(info, dig(page, "userData"), "pageProps")
            self._grid(dig(page, "items"))
        return True

    def _read_api(self) -> None:
        """The JSON that the page itself requests: user/detail, node/share/user, a list of them."""
        try:
            data = load_json(self.body)
        except ValueError as error:
            raise MissingField(f"body: {error}") from None
        for one in data if isinstance(data, list) else [data]:
            if not isinstance(one, dict) or not one or one.get("type") == "verify":
                self.walled(Outcome.BLOCKED, "an empty answer or a captcha's")
            elif self.allowed(one, "body"):
                flat = one if "user" in one and "stats" in one else None
                self._info(dig(one, "userInfo") or flat, dig(one, "body", "userData"), "body")

    def _info(self, info: Any, data: Any, where: str) -> None:
        if info is not None:
            user = Fields(info, f"{where}.userInfo", self.reading.odd)
            self._profile(user.part("user"), user.part("stats"), user.part("statsV2"))
        else:
            self._profile_2020(Fields(data, f"{where}.userData", self.reading.odd))

    def _profile(self, user: Fields | None, stats: Fields | None, exact: Fields | None = None) -> None:
        if user is None or stats is None:
            raise MissingField("userInfo: expected user and stats, found one of them or none")
        for name in ("followerCount", "videoCount"):
            stats.need(name, json_count)
        add_account(self, user, numbers_of(self, stats, exact))
        self.reading.unread += user.unread() + stats.unread()

    def _profile_2020(self, user: Fields) -> None:
        """userData of the first quarter of 2020: fans, heart (a string), video."""
        username = user.need("uniqueId", handle)
        user.need("fans", json_count)
        numbers: dict[str, int | None] = {}
        for ours, theirs in {
            "followers": "fans",
            "following": "following",
            "likes": "heart",
            "videos": "video",
        }.items():
            numbers[ours], numbers[f"{ours}_precision"] = count(theirs, user, None)
        self.add(
            Profile,
            url=f"https://www.tiktok.com/@{username}",
            username=username,
            user_id=user.may("userId", identifier),
            sec_uid=user.may("secUid", text),
            nickname=user.may("nickName", text),
            bio=user.may("signature", text),
            verified=user.may("verified", flag),
            private=user.may("isSecret", flag),
            **numbers,
        )
        self.reading.unread += user.unread()

    def _read_dom(self) -> bool:
        """Last resort: what the page prints. Which heading is the handle changed over the years."""
        if b'data-e2e="followers-count"' not in self.body:
            return False
        page = Selector(body=self.body, type="html")

        def printed(name: str) -> str | None:
            found: str | None = page.css(f'[data-e2e="{name}"]').xpath("normalize-space()").get()
            return found

        canonical = page.css('link[rel="canonical"]::attr(href)').get() or ""
        known = _HANDLE_IN_URL.search(self.url) or _HANDLE_IN_URL.search(canonical)
        headings = [printed("user-title"), printed("user-subtitle")]
        if known is None:
            raise MissingField("url: expected /@handle in the address or the canonical link, found none")
        username = known[1]
        names = [each for each in headings if each and each.lower() != username.lower()]
        numbers: dict[str, int | None] = {}
        for ours, theirs in {
            "followers": "followers-count",
            "following": "following-count",
            "likes": "likes-count",
        }.items():
            numbers[ours], numbers[f"{ours}_precision"] = shown(printed(theirs))
        if numbers["followers"] is None:
            raise MissingField('[data-e2e="followers-count"]: expected a count, found none')
        url = f"https://www.tiktok.com/@{username}"
        self.add(Profile, url=url, username=username, nickname=names[0] if names else None, **numbers)
        self._grid(None)
        return True

    def _grid(self, listed: Any) -> None:
        """The posts: from the state, else from the printed cards, else say what became of them."""
        if self.reading.outcome is not Outcome.OK or not self.reading.items:
            return
        profile = self.reading.items[0]
        if not isinstance(profile, Profile):
            return
        # The profile says more of its author than the rows do, and exactly.
        posts = read_posts(self, listed if isinstance(listed, list) else [], "posts", authors=False)
        posts = posts or cards(self, CARD)
        self.reading.got = len(posts)
        if any(posts):
            ceiling = None if profile.videos is None else max(profile.videos, len(posts))
            add_board(self, f"tiktok:creator:{profile.username.lower()}", hits_of(posts), ceiling=ceiling)
        self._say_posts(profile)

    def _say_posts(self, profile: Profile) -> None:
        """What became of the grid."""
        if self.reading.got:
            self.reading.parts["posts"] = Outcome.OK
        elif profile.videos == 0:
            self.reading.parts["posts"] = Outcome.EMPTY
        elif profile.private:
            self.reading.parts["posts"] = Outcome.PRIVATE
        elif b'data-e2e="followers-count"' in self.body:
            # Rendered, posts exist, no card: the grid failed ("Something went wrong", in any language).
            self.reading.parts["posts"] = Outcome.BLOCKED
        else:
            self.reading.follows.append(Follow(profile.url, self.name, "browser", "the posts are not in the HTML"))
