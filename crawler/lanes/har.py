"""HAR files, as browsers and proxies save them, read as captures. Only what the server answered is taken."""

from __future__ import annotations

import base64
import binascii
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from crawler.archive import Capture
from crawler.counts import day_or_moment
from crawler.fields import dig, load_json
from crawler.items import Vantage

_UNPACKED = frozenset(("content-encoding", "transfer-encoding", "content-length"))


def read(data: bytes, vantage: Vantage) -> Iterator[Capture | str]:
    """Captures in the order of the file, then a line for each reason why entries gave none.

    Raises ValueError when the file is no HAR.
    """
    entries = dig(load_json(data), "log", "entries")
    if not isinstance(entries, list):
        raise ValueError("no HAR: log.entries is not there")
    passed: Counter[str] = Counter()
    for entry in entries:
        try:
            yield _capture(entry, vantage)
        except ValueError as error:
            passed[str(error)] += 1
    for why, n in passed.most_common():
        yield f"{n} of {len(entries)} entries: {why}"


def _capture(entry: Any, vantage: Vantage) -> Capture:
    url, status = dig(entry, "request", "url"), dig(entry, "response", "status")
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        raise ValueError("no http address")
    if not isinstance(status, int) or not 100 <= status <= 999:
        raise ValueError("no HTTP status: the request was not answered")
    headers, body = _headers(entry), _body(entry)
    content_type = headers.get("content-type") or dig(entry, "response", "content", "mimeType")
    if isinstance(content_type, str):
        headers["content-type"] = content_type
        if dig(entry, "response", "content", "encoding") != "base64":
            # The saver has decoded the text; it is UTF-8 now, whatever the server sent.
            headers["content-type"] = re.sub(r";\s*charset=[^;]*", "", content_type) + "; charset=utf-8"
    started = dig(entry, "startedDateTime")
    if not isinstance(started, str):
        raise ValueError("no startedDateTime")
    moment, precision = day_or_moment(started, assume_utc=True)
    return Capture(
        url=url, fetched_at=moment, status=status, headers=headers, body=body, lane="replay",
        vantage=vantage, target=None, spider=None, at_precision=precision,
    )  # fmt: skip


def _headers(entry: Any) -> dict[str, str]:
    joined: dict[str, str] = {}
    for each in dig(entry, "response", "headers") or ():
        name, value = dig(each, "name"), dig(each, "value")
        if isinstance(each, Mapping) and isinstance(name, str) and isinstance(value, str):
            low = name.lower()
            if low not in _UNPACKED:
                joined[low] = f"{joined[low]}, {value}" if low in joined else value
    return joined


def _body(entry: Any) -> bytes:
    text = dig(entry, "response", "content", "text")
    if not isinstance(text, str):
        raise ValueError("no body saved (redirects, images; or save the HAR 'with content')")
    if dig(entry, "response", "content", "encoding") != "base64":
        return text.encode("utf-8", "replace")
    try:
        return base64.b64decode(text, validate=False)
    except (binascii.Error, ValueError):
        raise ValueError("body is not the base64 it says") from None
