"""Tweets of a dump's member as the posts that a replay of the dump would store. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection

from crawler.items import Post
from crawler.lanes import redact
from crawler.lanes.saved import saved_url
from crawler.pages.base import capture_id
from crawler.pages.xstream import StreamPage

_SOURCE = re.compile(r"[^!#]*/(?=[^/])")  # the folders of the source; those inside a tar come after its "!"


def posts_of(member: str, block: bytes, lines: Collection[bytes], wanted: Collection[str]) -> list[Post]:
    """Of the tweets in *lines* those whose ids are *wanted*, with the id that the whole member has as a capture.

    None where no line of the member states a moment.
    """
    at = StreamPage.moment(block) if lines else None
    if at is None:
        return []
    url = redact.url(saved_url(_SOURCE.sub("", member, count=1)))
    page = StreamPage(url, b"\n".join(lines), at, capture=capture_id(url, at, block))
    return [each for each in page.items() if isinstance(each, Post) and each.post_id in wanted]
