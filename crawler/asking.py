"""A message that asks for a crawl: spider and target, or an address; made canonical, or refused with a reason. Pure.

Message: {"spider": "tiktok_profile", "target": "@nasa"} or {"url": "https://www.tiktok.com/@nasa"}.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

from crawler.storage.jobs import MOST_CHARS
from crawler.targets import TargetError, TargetForm


class Source(Protocol):
    """What of a spider's class is asked for here."""

    name: str
    url: str
    target: TargetForm


def wanted(message: str, sources: Iterable[Source]) -> tuple[str, str]:
    """Spider and target of a JSON message. Raises TargetError."""
    said = parsed(message)
    return of_url(said["url"], sources) if "url" in said else of_spider(said["spider"], said["target"], sources)


def parsed(message: str) -> dict[str, str]:
    """`url`, or `spider` and `target`; nobody has asked yet whether there is such a one. Raises TargetError."""
    try:
        data = json.loads(message[: MOST_CHARS + 1]) if len(message) <= MOST_CHARS else None
    except ValueError:
        data = None
    if not isinstance(data, dict):
        raise TargetError(f'message: expected JSON such as {{"url": "https://…"}}, at most {MOST_CHARS} characters')
    for names in (("url",), ("spider", "target")):
        if all(isinstance(data.get(name), str) for name in names):
            return {name: data[name] for name in names}
    raise TargetError(f"message: expected url, or spider and target; found {', '.join(sorted(map(str, data)))[:80]}")


def of_spider(spider: str, target: str, sources: Iterable[Source]) -> tuple[str, str]:
    known = {each.name: each for each in sources}
    if spider not in known:
        raise TargetError(f"no spider {spider[:40]!r}; there are {', '.join(sorted(known))}")
    return spider, known[spider].target.canonical(target)


def of_url(url: str, sources: Iterable[Source]) -> tuple[str, str]:
    """The spider whose site the address is of; a store's for any other host."""
    host = urlsplit(url).hostname
    if host is None or urlsplit(url).scheme not in ("http", "https"):
        raise TargetError(f"url {url[:60]!r}: expected https://…")
    fits: Mapping[bool, list[tuple[str, str]]] = {True: [], False: []}
    for source in sources:
        own = urlsplit(source.url).hostname or ""
        if own and "{" not in own and own.removeprefix("www.") != host.removeprefix("www."):
            continue
        try:
            value = source.target.canonical(url)
        except TargetError:
            continue
        if value.lower() != url.lower().strip():  # a form that takes any text says nothing of an address
            fits["{" not in own].append((source.name, value))
    found = fits[True] or fits[False]
    if not found:
        raise TargetError(f"url {url[:60]!r}: of no source that is known; name spider and target instead")
    return found[0]


def sources_of(classes: Iterable[Any]) -> list[Source]:
    """Those spiders that take targets."""
    return [each for each in classes if isinstance(getattr(each, "target", None), TargetForm) and hasattr(each, "url")]
