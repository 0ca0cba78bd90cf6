"""Where TikTok keeps a page's data: four kinds of script tag by era, or the body itself.

Pages without any state are walls: captcha, downgraded shell, static-site shell, JS challenge.
Words decide nothing: good pages contain "captcha" and "Couldn't find this account" too.
"""

from __future__ import annotations

import json
import re
from typing import Any

from crawler.counts import json_count, rounded
from crawler.fields import Fields, dig, load_json, member, text
from crawler.outcomes import MissingField, Outcome

UNIVERSAL = b"__UNIVERSAL_DATA_FOR_REHYDRATION__"
SIGI = b"SIGI_STATE"
PERSISTED = b"sigi-persisted-data"
NEXT = b"__NEXT_DATA__"

_HANDLE = re.compile(r"[\w.]{1,64}")

# Meanings as public code gives them; no captured page confirms them (0 = ok in every capture).
STATUS = {
    10000: Outcome.BLOCKED,  # captcha
    10101: Outcome.NETWORK,  # the server failed
    10102: Outcome.LOGIN_WALL,
    10111: Outcome.NETWORK,
    10113: Outcome.BLOCKED,  # captcha
    10114: Outcome.BLOCKED,
    10202: Outcome.MISSING,  # account
    10203: Outcome.MISSING,  # sound
    10204: Outcome.MISSING,  # post
    10205: Outcome.MISSING,  # hashtag
    10212: Outcome.MISSING,  # hashtag taken down
    10216: Outcome.PRIVATE,
    10217: Outcome.MISSING,  # post taken down
    10218: Outcome.MISSING,  # sound taken down
    10219: Outcome.MISSING,
    10221: Outcome.MISSING,
    10222: Outcome.PRIVATE,
    10231: Outcome.GEO,
}


def span(body: bytes, tag: bytes, wanted: bytes) -> tuple[int, int, int] | None:
    """Where the text of the script with id *tag* lies, and *wanted* in it; None where it does not occur.

    Several tags stand in one page and only one of them holds the data, so the key decides.
    Raises MissingField when the page ends before the script does.
    """
    at = body.find(b'id="' + tag)
    while at >= 0:
        start = body.find(b">", at) + 1
        end = body.find(b"</script", start) if start else -1
        if end < 0:
            raise MissingField(f"script {tag.decode()}: expected its end, found the end of the page")
        if (found := body.find(wanted, start, end)) >= 0:
            return start, end, found
        at = body.find(b'id="' + tag, end)
    return None


def script(body: bytes, tag: bytes, wanted: bytes) -> Any:
    """The whole JSON of such a script, or None. Raises MissingField when it cannot be decoded."""
    found = span(body, tag, wanted)
    if found is None:
        return None
    raw = body[found[0] : found[1]]
    try:
        return load_json(raw)
    except ValueError as error:
        opening = raw.find(b"{")
        if raw[:opening].rstrip().endswith(b"="):  # window['SIGI_STATE']={…};window[…]=…
            try:
                return json.JSONDecoder(strict=False).raw_decode(raw[opening:].decode("utf-8", "replace"))[0]
            except (ValueError, RecursionError) as second:
                raise MissingField(f"script {tag.decode()}: {second}") from None
        raise MissingField(f"script {tag.decode()}: {error}") from None


def part(body: bytes, tag: bytes, key: str) -> Any:
    """The value of one member of such a script, decoded alone, or None. Raises as script does."""
    found = span(body, tag, key.encode())
    if found is None:
        return None
    try:
        return member(body, key, found[2] - 1, found[1])  # from the quote before it: the start is searched already
    except ValueError as error:
        raise MissingField(f"script {tag.decode()}.{key}: {error}") from None


def posts_of(state: Any, *lists: str) -> list[Any]:
    """The posts of these lists of a SIGI state, of all its lists when none is named: None for one it lacks."""
    module, listed = dig(state, "ItemModule"), dig(state, "ItemList")
    if not isinstance(module, dict) or not isinstance(listed, dict):
        return []
    found = [dig(listed, name, "list") for name in lists or listed]
    return [
        module.get(number) for each in found if isinstance(each, list) for number in each if isinstance(number, str)
    ]


def has_state(body: bytes) -> bool:
    """Whether any of the known script tags is there, whatever it holds."""
    return any(b'id="' + tag in body for tag in (UNIVERSAL, SIGI, PERSISTED, NEXT))


def looks_like_tiktok(body: bytes) -> bool:
    return b"tiktok" in body[:200_000].lower() or b"ttwstatic" in body


def handle(value: Any) -> str:
    """An account's handle as TikTok makes them: word characters and dots. Anything else is no handle."""
    found = text(value)
    if not _HANDLE.fullmatch(found):
        raise ValueError(f"expected a handle, found {found[:30]!r}")
    return found


def status_of(code: Any, where: str) -> Outcome:
    """The outcome a status code states. An unknown one is loud: MissingField."""
    if code in (0, None, "", "0"):
        return Outcome.OK
    try:
        return STATUS[json_count(code)]
    except (KeyError, ValueError):
        raise MissingField(f"{where}: expected a known status code, found {str(code)[:20]!r}") from None


def count(name: str, stats: Fields | None, exact: Fields | None) -> tuple[int | None, int | None]:
    """A counter and its rounding step (None when exact).

    statsV2 holds the exact number where it differs from stats. Where both are equal, V2 may
    be a copy of the rounded one (so on every video page), and the step is that of the rounding.
    """
    shown = stats.may(name, json_count) if stats else None
    sure = exact.may(name, json_count) if exact else None
    if sure is not None and shown is not None and sure != shown:
        return sure, None
    value = shown if sure is None else sure
    if value is None or value < 10_000:
        return value, None
    step = rounded(value)
    return value, step if step > 1 else None
