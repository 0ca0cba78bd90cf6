"""What a response turned out to be, and the errors a page may raise.

ShapeError                the page is there, the expected data is not
├── MissingField          a mandatory value is absent or unreadable
└── UnknownKind           a kind this page has never met
"""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """Exactly one per fetch. Only OK may write a number; EMPTY is a confirmed nothing."""

    OK = "ok"
    EMPTY = "empty"
    MISSING = "missing"
    PRIVATE = "private"
    BLOCKED = "blocked"
    LOGIN_WALL = "login_wall"
    CONSENT = "consent"
    GEO = "geo"
    RATE_LIMITED = "rate_limited"
    SHAPE_CHANGED = "shape_changed"
    NETWORK = "network"
    ROBOTS = "robots"


GOOD = frozenset({Outcome.OK, Outcome.EMPTY, Outcome.MISSING, Outcome.PRIVATE})
"""Outcomes that answer the question asked; the others leave a gap with its reason."""

_BY_STATUS = {
    401: Outcome.LOGIN_WALL,
    403: Outcome.BLOCKED,
    404: Outcome.MISSING,
    410: Outcome.MISSING,
    429: Outcome.RATE_LIMITED,
    451: Outcome.GEO,
}


def of_status(status: int) -> Outcome | None:
    """The outcome an HTTP status decides by itself; None where the page must decide."""
    if 200 <= status < 300:
        return None
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if 300 <= status < 400:
        return Outcome.BLOCKED  # a redirect that was not followed: it led away from the site
    return Outcome.NETWORK if status >= 500 else Outcome.SHAPE_CHANGED


class ShapeError(ValueError):
    """The page is there, the expected data is not."""


class MissingField(ShapeError):
    """A mandatory value is absent or unreadable; names page, path, expected and found."""


class UnknownKind(ShapeError):
    """A kind of thing that this page has never met."""
