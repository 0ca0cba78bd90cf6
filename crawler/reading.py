"""From a capture to the page object that reads it: one way for spiders, replay and verify."""

from __future__ import annotations

from crawler import pages
from crawler.archive import Capture
from crawler.pages import Page


def page_of(capture: Capture, name: str | None = None, hash_key: str | None = None) -> Page | None:
    """None when nobody knows it.

    name: page object to read with, instead of choosing by address and body; hash_key: of commenters and reviewers.
    """
    cls = Page.registry[name] if name else pages.choose(capture.url, capture.body)
    if cls is None:
        return None
    return cls(
        capture.url, capture.body, capture.fetched_at, capture.headers,
        capture=capture.id, vantage=capture.vantage, at_precision=capture.at_precision,
        hash_key=hash_key,
    )  # fmt: skip


def is_redirect(capture: Capture) -> bool:
    """A hop on the way: what it led to is a capture of its own."""
    return 300 <= capture.status < 400 and "location" in capture.headers
