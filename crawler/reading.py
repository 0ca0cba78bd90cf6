"""From a capture to the page object that reads it: one way for spiders, replay and verify."""

from __future__ import annotations

from crawler import pages, repairs
from crawler.archive import Capture
from crawler.pages import Page
from crawler.repairs import Repairs


def page_of(
    capture: Capture, name: str | None = None, hash_key: str | None = None, mended: Repairs | None = None
) -> Page | None:
    """None when nobody knows it.

    name: page object to read with, instead of choosing by address and body; hash_key: of commenters and reviewers;
    mended: repairs to read with, instead of those that a person has committed.
    """
    mended = repairs.committed() if mended is None else mended
    body = capture.body
    cls = pages.load_all()[name] if name else pages.choose(capture.url, body)
    if cls is None and mended:
        cls = _mendable(capture, mended)
    if cls is None:
        return None
    revision = repairs.revision(mended, cls.name)
    if revision and (aliases := repairs.standing(mended, cls.name, capture.fetched_at)):
        body = repairs.patched(body, aliases)
    page = cls(
        capture.url, body, capture.fetched_at, capture.headers,
        capture=capture.id, vantage=capture.vantage, at_precision=capture.at_precision,
        hash_key=hash_key,
    )  # fmt: skip
    if revision:
        page.parser = f"{cls.name}@{cls.version}.{revision}"
    return page


def parsers(mended: Repairs | None = None) -> dict[str, str]:
    """The present parser of every page object, repairs among it."""
    mended = repairs.committed() if mended is None else mended
    found = {}
    for name, page in pages.load_all().items():
        revision = repairs.revision(mended, name)
        found[name] = f"{name}@{page.version}" + (f".{revision}" if revision else "")
    return found


def _mendable(capture: Capture, mended: Repairs) -> type[Page] | None:
    """The page that is known again once it is mended, where nobody knows it as it is."""
    for name in mended:
        aliases = repairs.standing(mended, name, capture.fetched_at)
        body = repairs.patched(capture.body, aliases) if aliases else capture.body
        if aliases and (cls := pages.choose(capture.url, body)) is not None and cls.name == name:
            return cls
    return None


def is_redirect(capture: Capture) -> bool:
    """A hop on the way: what it led to is a capture of its own."""
    return 300 <= capture.status < 400 and "location" in capture.headers
