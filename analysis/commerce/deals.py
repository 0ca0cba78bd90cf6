"""What a post offers: its amounts with their roles, whether a reader could buy, product, brand, seller. Pure.

Two small linear models decide, over features that people can read (deals_features): what each amount is for, and
whether the post is a deal. Their weights lie beside this file; benchmarks/train_deals.py makes them.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import NamedTuple

from analysis.commerce.deals_amounts import candidates
from analysis.commerce.deals_candidate import Candidate
from analysis.commerce.deals_cues import cues
from analysis.commerce.deals_currency import Home
from analysis.commerce.deals_features import PostView
from analysis.commerce.deals_fold import fold, mask
from analysis.commerce.deals_spans import Catalogue, coupon, free_shipping, product, retailer, valid_until

WEIGHTS = Path(__file__).with_name("deals_weights.json")
NOT_MONEY = "not_money"
LONGEST = 4_000  # characters; the longest caption that a platform takes
IS_DEAL = 0.45  # best F1 between 0.35 and 0.55 in cross-validation; docs/deals.md
_PER = re.compile(
    r"\s?(?:(?P<month>/ ?m(?:o|onth|ês|es|ois|onat)\b|p/?cm\b|(?:per|a|al|por|ao|par|pro) (?:month"
    r"|mes|mês|mois|monat)\b)"
    r"|(?P<each>each|c/u|/ea\b|apiece|cada um|je stück|(?:per|pro) (?:person|head|stück)|pp\b|一枚))",
    re.I,
)
_PER_BEFORE = re.compile(
    r"(?P<month>月額|家賃|เดือนละ|\d ?x (?:de )?|\d MSI de )\Z|(?P<each>อันละ|ชิ้นละ|ตัวละ|แท่งละ|1枚|1点|各|1人|je )\Z"
)


@dataclass(frozen=True, slots=True)
class Amount:
    text: str
    """As written."""
    value: Decimal
    """Lower end of a range; percent for discount_percent."""
    value_max: Decimal | None
    currency: str | None
    """ISO 4217; None for percentages and where nothing tells."""
    role: str
    """price, was_price, discount_amount, discount_percent, threshold, shipping, income_or_wealth or other_money."""
    per: str | None
    """each or month; None where the text does not say. A part of an instalment plan is a price per month."""
    upto: bool
    """Only the best case: "up to 70 %"."""
    start: int
    probability: float
    """Of the role, as the model sees it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One post."""

    amounts: tuple[Amount, ...] = ()
    is_deal: bool = False
    probability: float = 0.0
    product: str | None = None
    brand: str | None = None
    retailer: str | None = None
    free_shipping: bool = False
    coupon: str | None = None
    valid_until: datetime | None = None


NOTHING = Reading()


@dataclass(frozen=True, slots=True)
class Told:
    """A post as it is read for deals."""

    text: str
    language: str | None = None
    author: str | None = None
    """Handle without '@'."""
    links: tuple[str, ...] = ()
    """Expanded addresses, as the platform states them; none is ever requested."""
    at: datetime | None = None
    author_sells: bool = field(default=False)
    """The account is on a watch list of retailers."""


def read(post: Told, catalogue: Catalogue | None = None) -> Reading:
    post = post if len(post.text) <= LONGEST else replace(post, text=post.text[:LONGEST])
    folded = fold(post.text)
    heard = cues(folded)
    home = Home(post.text, post.language, post.links)
    found = candidates(mask(folded), home)
    ships_free = free_shipping(folded)
    if not found and not ships_free and not any(cue.kind in ("off", "code", "free", "sell") for cue in heard):
        return NOTHING
    view = PostView(folded, home.language, found, heard)
    said = [_weighed(_models().roles, view.amount(at)) for at in range(len(found))]
    probability = _weighed(_models().deal, view.deal(said))["deal"]
    amounts = tuple(_amount(post.text, each, roles) for each, roles in zip(found, said, strict=True))
    amounts = tuple(each for each in amounts if each.role != NOT_MONEY)
    is_deal = probability > IS_DEAL
    if not is_deal:
        return Reading(amounts, False, probability, free_shipping=ships_free)
    brand = catalogue.brand(folded) if catalogue else None
    return Reading(
        amounts, True, probability,
        product=product(post.text, folded, [(each.start, each.start + len(each.text)) for each in amounts], catalogue),
        brand=brand, retailer=retailer(post.text, post.links, post.author, post.author_sells),
        free_shipping=ships_free, coupon=coupon(post.text), valid_until=valid_until(folded, post.at),
    )  # fmt: skip


def _amount(text: str, each: Candidate, said: Mapping[str, float]) -> Amount:
    role = max(said, key=said.__getitem__)
    per = _PER.match(text, each.end) or _PER_BEFORE.search(text[max(0, each.start - 12) : each.start])
    return Amount(
        text[each.start : each.end], each.value, each.value_max, each.currency, role,
        per.lastgroup if per else None, each.upto, each.start, round(said[role], 3),
    )  # fmt: skip


class Linear(NamedTuple):
    classes: tuple[str, ...]
    weights: Mapping[str, Sequence[float]]
    """Feature: a weight for each class."""


class _Models(NamedTuple):
    roles: Linear
    deal: Linear


@cache
def _models() -> _Models:
    kept = json.loads(WEIGHTS.read_text("utf-8"))
    return _Models(*(Linear(tuple(kept[name]["classes"]), kept[name]["weights"]) for name in ("roles", "deal")))


def _weighed(model: Linear, features: Sequence[str]) -> dict[str, float]:
    """Probability of each class."""
    known = model.weights
    told = [weights for name in set(features) if (weights := known.get(name)) is not None]
    # The exact sum is the same in any order, and so in any process.
    sums = [math.fsum(column) for column in zip(*told, strict=True)] if told else [0.0] * len(model.classes)
    most = max(sums)
    raised = [math.exp(each - most) for each in sums]
    whole = sum(raised)
    return {name: value / whole for name, value in zip(model.classes, raised, strict=True)}
