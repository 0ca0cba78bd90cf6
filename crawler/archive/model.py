"""What a capture is, and the errors of the archive.

ArchiveError (OSError)       a segment cannot be written or read
CaptureMissing (KeyError)    no such capture here
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Literal

from crawler.items import Vantage

Lane = Literal["http", "browser", "api", "replay"]
LANES: tuple[Lane, ...] = ("http", "browser", "api", "replay")
_1970 = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


class ArchiveError(OSError):
    """A segment cannot be written or read; what was written before it is whole."""


class CaptureMissing(KeyError):
    """No such capture in this archive; the message says what to try."""

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True)
class Capture:
    """One response, decoded, as one lane saw it at one moment."""

    url: str
    """Address without secrets (crawler.lanes.redact.capture)."""
    fetched_at: datetime
    """UTC, milliseconds."""
    status: int
    """HTTP status; 200 for a saved page."""
    headers: Mapping[str, str]
    """Lower-case names; several values of one name are joined by ', '."""
    body: bytes
    """After Content-Encoding and Transfer-Encoding are undone."""
    lane: Lane
    vantage: Vantage
    target: str | None
    """What of the watch list it was fetched for."""
    spider: str | None
    at_precision: Literal["day"] | None = None

    def __post_init__(self) -> None:
        if self.fetched_at.tzinfo is None:
            raise ValueError("fetched_at: a moment needs a time zone")
        if self.fetched_at.tzinfo is not UTC or self.fetched_at.microsecond % 1000:
            object.__setattr__(self, "fetched_at", from_ms(to_ms(self.fetched_at)))

    @cached_property
    def id(self) -> str:
        return capture_id(self.url, self.fetched_at, self.body)


def capture_id(url: str, fetched_at: datetime, body: bytes) -> str:
    """SHA-256 of URL, moment (ISO 8601, milliseconds, Z) and body: the first 32 hex digits."""
    head = f"{url}\n{iso_ms(fetched_at)}\n".encode("utf-8", "surrogatepass")
    digest = hashlib.sha256(head)
    digest.update(body)
    return digest.hexdigest()[:32]


def iso_ms(moment: datetime) -> str:
    """'2021-09-19T11:04:28.000Z': always UTC, always milliseconds."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def to_ms(moment: datetime) -> int:
    """Whole milliseconds since 1970; microseconds are dropped."""
    return (moment - _1970) // _MS


def from_ms(ms: int) -> datetime:
    return _1970 + ms * _MS
