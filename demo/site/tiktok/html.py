"""The HTML around the state: head, words of the interface, rendered counters and cards, the box of a grid."""

from __future__ import annotations

from html import escape
from typing import Any
from urllib.parse import urlencode

from demo.site.app import Answer, View, in_script, page
from demo.site.tiktok import structs
from demo.site.tiktok.token import SCRIPT, nonce
from demo.world.curves import label
from demo.world.people import Creator, Post

UNIVERSAL = "__UNIVERSAL_DATA_FOR_REHYDRATION__"
# Good pages hold these words, too: whoever looks for words takes every page for a wall.
WORDS = {
    "common_captcha_title": "captcha", "profile_missing": "Couldn't find this account", "log_in": "Log in",
    "server_error_title": "Something went wrong", "private_title": "This account is private",
}  # fmt: skip
COOKIE = "simulated-cookie-of-a-visitor"
"""Sent with every page, so that tests can see it is kept nowhere."""
STYLE = "body{font:16px sans-serif;margin:2em}[data-grid]{display:grid;grid-template-columns:repeat(6,1fr);gap:8px}"


def scope(view: View, parts: dict[str, Any]) -> dict[str, Any]:
    """The state of today's pages: what every page has, and the parts of this one."""
    context = {
        "language": "en", "region": "BR", "appId": 1988, "appType": "t", "nonce": nonce(view),
        "host": "www.tiktok.com", "botType": "others",
    }  # fmt: skip
    made: dict[str, Any] = {"webapp.app-context": context, "webapp.i18n-translation": WORDS, "seo.abtest": {}}
    made.update(parts)
    return {"__DEFAULT_SCOPE__": made}


def script(tag: str, data: Any) -> str:
    return f'<script id="{tag}" type="application/json">{in_script(data)}</script>'


def universal(view: View, title: str, body: str, canonical: str = "", state: dict[str, Any] | None = None) -> Answer:
    return whole(title, script(UNIVERSAL, scope(view, state or {})) + body + f"<script>{SCRIPT}</script>", canonical)


def whole(title: str, body: str, canonical: str = "") -> Answer:
    link = f'<link rel="canonical" href="{escape(canonical)}">' if canonical else ""
    return page(
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>{link}'
        f'<meta name="generator" content="simulated"><style>{STYLE}</style>'
        '<link rel="preconnect" href="https://sf16.ttwstatic.com"></head>'
        f'<body><div id="app"></div>{body}</body></html>',
        headers=(("Set-Cookie", f"ttwid={COOKIE}; Path=/; Secure; HttpOnly"),),
    )


def grid(path: str, card: str, **query: Any) -> str:
    """The empty box that the page's script fills; `card` is the data-e2e of its cards."""
    return f'<div data-grid="{path}" data-card="{card}" data-query="{escape(urlencode(query))}"></div>'


def header(view: View, creator: Creator) -> str:
    """Counters as the browser shows them."""
    exact = structs.user_counts(view, creator)
    handle, name = escape(creator.handle(view.at_h)), escape(creator.nickname)
    counters = "".join(
        f'<div><strong title="{word}" data-e2e="{word.lower()}-count">{label(exact[key])}</strong>'
        f'<span data-e2e="{word.lower()}">{word}</span></div>'
        for word, key in (("Following", "followingCount"), ("Followers", "followerCount"), ("Likes", "heart"))
    )
    return (
        f'<h1 data-e2e="user-title">{name}</h1><h2 data-e2e="user-subtitle">{handle}</h2><h3>{counters}</h3>'
        f'<h2 data-e2e="user-bio">{escape(creator.bio)}</h2>'
    )


def cards(view: View, listed: list[tuple[Creator, Post]], name: str) -> str:
    found = []
    for creator, post in listed:
        handle, kind = creator.handle(view.at_h), "photo" if post.photo else "video"
        href = escape(f"https://www.tiktok.com/@{handle}/{kind}/{post.post_id}")
        alt = escape(f"{post.caption} created by {creator.nickname} with {view.world.track(post.sound, 0).title}")
        views = label(structs.shown(view, post.counts(view.at_h)["views"]))
        found.append(
            f'<div data-e2e="{name}"><a href="{href}"><img alt="{alt}"></a>'
            f'<strong data-e2e="video-views">{views}</strong></div>'
        )
    return "".join(found)


FAILED = (
    '<main><div class="error"><p>Something went wrong</p><p>Please come back later.</p>'
    '<button type="button">Refresh</button></div></main>'
)
