"""Two ends made one amount: "£70m-£90m", "RM5000-6500", "entre R$ 59,90 e R$ 99,90". Pure."""

from __future__ import annotations

import re
from dataclasses import replace

from analysis.commerce.deals_candidate import Candidate
from analysis.commerce.deals_numbers import NUMERAL, numeral

_DASH = re.compile(r"\s?(?:-{1,2}|~)\s?\Z")
_TO = re.compile(r"\s(?:to|a|à|al|até|hasta|bis|до|e|y|et|und|and|sampai|sd|s/d)\s\Z", re.I)
_BETWEEN = re.compile(r"(?:entre|between|zwischen|from|desde|von|dari)\s\Z", re.I)


def ranges(found: list[Candidate], text: str) -> list[Candidate]:
    """Two ends made one: "£70m-£90m", "RM5000-6500", "5-7,000 บาท", "entre R$ 59,90 e R$ 99,90"."""
    out: list[Candidate] = []
    for each in found:
        widened = _from_bare(each, text)
        if out and (merged := _merged(out[-1], each, text)):
            out[-1] = merged
        elif widened.start >= (out[-1].end if out else 0):
            out.append(widened)
        else:
            out.append(each)
    return [_to_bare(each, text) for each in out]


def _merged(low: Candidate, high: Candidate, text: str) -> Candidate | None:
    gap = text[low.end : high.start]
    if low.value_max or low.percent != high.percent or (low.currency != high.currency and low.how != "scale"):
        return None
    if not (_DASH.fullmatch(gap) or (_TO.fullmatch(gap) and _BETWEEN.search(text[max(0, low.start - 12) : low.start]))):
        return None
    small, large = sorted((low, high), key=lambda each: each.value)
    if not low.percent and low.value > high.value:
        return None
    return replace(high, start=low.start, value=small.value, value_max=large.value, how=high.how)


_BARE_LOW = re.compile(rf"(?<![A-Za-z0-9_.,/:]){NUMERAL}\s?[k]?\s?(?:-|~)\s?\Z", re.I)
_BARE_HIGH = re.compile(rf"\s?(?:-|~)\s?(?P<number>{NUMERAL})[kKmM]?(?![A-Za-z0-9_%]|[-/:]\d)")


def _from_bare(each: Candidate, text: str) -> Candidate:
    """The lower end stands before it without a sign: "40-50 บาท"."""
    if each.how not in ("word", "percent", "tail") or each.value_max is not None:
        return each
    since = max(0, each.start - 14)
    hit = _BARE_LOW.search(text[since : each.start])
    if not hit:
        return each
    shown = re.match(NUMERAL, hit[0].lstrip())
    low = numeral(shown[0]) if shown else None
    if low is None:
        return each
    low *= each.scale
    if low * 100 < each.value and each.value % 1000 == 0 and each.scale == 1:
        low *= 1000  # "5-7,000": thousands of both
    if not 0 < low < each.value:
        return each
    return replace(each, start=since + hit.start(), value=low, value_max=each.value)


def _to_bare(each: Candidate, text: str) -> Candidate:
    """The upper end stands behind it without a sign: "RM5000-6500", "$10K-20K"."""
    if each.how not in ("sign", "letter") or each.value_max is not None:
        return each
    hit = _BARE_HIGH.match(text, each.end)
    high = numeral(hit["number"]) if hit else None
    if hit is None or high is None:
        return each
    high *= each.scale
    if not each.value < high < 100 * each.value:
        return each
    return replace(each, end=hit.end(), value_max=high)
