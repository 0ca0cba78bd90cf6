"""What people see: prices by their place and name on the page, and words about stock. Pure.

No rule here knows a shop. What counts is how elements are called in the languages of shops, how
near they stand to the product's heading, and whether the same pattern repeats, as lists do.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from itertools import pairwise

from selectolax.lexbor import LexborNode

from crawler.pages.product.document import Document, ancestors, lines_of, names_of, text_of
from crawler.pages.product.found import Candidate, currency_in, money

_AWAY = re.compile(
    r"relat(?!iv)|recommend|similar|carousel|slider|slick|swiper|up-?sell|cross-?sell|recent|viewed|mini-?cart|minibasket"
    r"|footer|(?<!without)sidebar|bundle|accessor|sponsor|suggest|complement|bought|compar(?!e-?at)|wish-?list|review"
    r"|popular|best-?sell|\balso|teaser|zubehoer|zubehör|addon|add-on|frequently|trending|ranking|top-?list|banner"
)
_LIST = re.compile(r"product-?(list|grid|tile|card|item)|products|listing|item-?list|search-?result|mini")
_OLD = re.compile(
    r"(?<![a-z])old|old-?price|price-?old|was\b|-was|was-|prev|strike|struck|cross(ed)?-?(out)?|list-?price|rrp|msrp|uvp"
    r"|regular|normal|orig|before|full-?price|base-?price|compare|vorher|antes|tachad|barre|suggested|retail|stroke"
    r"|line-?through|preco-de\b|del-?price|price-?del|stara|puvodn|high-price|reference|price--?basis"
)
_NOT_THE_PRICE = re.compile(
    r"unit|per-|-per\b|ppu|basic-?price|basis-?price|grundpreis|instal|parcel|month|mensal|financ|credit|klarna|afterpay"
    r"|cuota|leasing|weekly|sav(e|ing)|discount-?(amount|value|percent)|shipping|delivery|versand|livraison|frete"
    r"|points?\b|coupon|voucher|deposit|trade-?in|cash-?back|filter|insur|warrant|garant|tax|vat\b|points|loyal|member"
    r"|currency|label|title|count\b|qty|quantity|rating|score|percent|from-price|minimum|threshold|alert|notify|history|table|tier|bulk"
)
_NOW = re.compile(
    r"current|sale|special|final|now\b|actual|selling|sell-|our-?price|promo|deal|product-?price|price-?value|main"
    r"|big|offer|today|primary|total|price-?wrapper|price-?box|aktuell|akcn|buy-?box|buybox"
)
_NO_PRICE_TAGS = frozenset(("h1", "input", "select", "form", "body", "html", "link", "label", "button"))
_STRUCK = frozenset(("del", "s", "strike"))
_BESIDE = re.compile(
    r"%|/\s?(mo|month|mes|mês|monat|kg|100|l\b|ml)|per month|mtl|monatl|\d\s?x\s|x\s?\d|instal|statt|was\b|rrp|uvp|save"
    r"|de desconto|off\b|avant|au lieu|anstatt|uvp|from\b.*\bto\b",
    re.I,
)
_SIGN = r"(?:[A-Z]{1,3}\s?)?[$€£¥₹₺₽₩₪₫₱฿₴]|[A-Z]{3}|R\$|zł|Kč|kr\.?|Ft|lei|руб\.?|тг\.?|TL|Rs\.?|元|円|원"
_FROM = r"(?:from|ab|desde|a partir de|à partir de|dès|da|od|vanaf|alkaen|fra|från|od)\s"
_PRICE_LINE = re.compile(rf"(?i:{_FROM})?((?:{_SIGN})\s?\d[\d., ]{{0,12}}|\d[\d., ]{{0,12}}\s?(?:{_SIGN}))")
_SIGN_LINE = re.compile(_SIGN)
NEAR = 1500  # characters after the heading in which a bare price is the product's
_OF_ANOTHER = re.compile(r"\bstatt|anstatt|\bwas\b|rrp|uvp|avant|au lieu|instal|month|shipping|versand|livraison", re.I)
MOST_NODES, MOST_PRICES = 1200, 160
LONGEST = 60
_STANDS_OUT = 3.4


@dataclass(frozen=True, slots=True)
class Shown:
    """A price as an element shows it."""

    value: Decimal
    node: LexborNode
    order: int
    weight: float
    struck: bool
    dismissed: bool
    why: str


class Seen:
    """Reads what the page shows; `currency` helps where a number alone is ambiguous."""

    def __init__(self, document: Document, currency: str | None) -> None:
        self.document = document
        self.currency = currency
        self._names: dict[int, tuple[str, bool, bool]] = {}
        self._read: dict[str, Decimal | None] = {}

    def _called(self, node: LexborNode) -> tuple[str, bool, bool]:
        """Names of an element that holds prices, whether it holds other products, or a list; many prices share it."""
        found = self._names.get(node.mem_id)
        if found is None:
            names = names_of(node)
            elsewhere = node.tag in ("nav", "footer", "aside") or bool(_AWAY.search(names))
            found = self._names[node.mem_id] = (names, elsewhere, bool(_LIST.search(names)))
        return found

    def _money(self, shown: str) -> Decimal | None:
        """A container and the price in it say the same."""
        if shown not in self._read:
            self._read[shown] = money(shown, self.currency)
        return self._read[shown]

    @cached_property
    def _path(self) -> dict[int, int]:
        """Elements that hold the heading, with their distance from it."""
        heading = self.document.heading
        return {above.mem_id: step for step, above in enumerate(ancestors(heading))} if heading else {}

    @cached_property
    def prices(self) -> list[Shown]:
        """Every price of an element that is called one, in order of the page."""
        found = list(self._priced())
        same = Counter((shown.pattern, shown.value) for shown in found)
        patterns = Counter(pattern for pattern, _ in same)
        return _cheaper_of_pairs([self._weighed(each, patterns[each.pattern]) for each in found])

    def _priced(self) -> Iterator[_Priced]:
        texts: set[tuple[int, str]] = set()
        heading = self.document.heading.mem_id if self.document.heading else None
        before_heading = heading is not None
        order = 0
        for node in self.document.called["price"][:MOST_NODES]:
            if order > MOST_PRICES:
                return
            if node.mem_id == heading:
                before_heading, order = False, 0
                continue
            if node.tag in _NO_PRICE_TAGS:
                continue
            shown = _own_price_text(node)
            if shown is None:
                continue
            value = self._money(shown)
            if not value or _is_a_piece(node, shown):
                continue
            above = node.parent.mem_id if node.parent else 0
            if (above, shown) in texts:
                continue
            texts.add((node.mem_id, shown))
            order += 1
            yield _Priced(value, node, shown, -order if before_heading else order, _pattern(node))

    def _weighed(self, each: _Priced, alike: int) -> Shown:
        names = names_of(each.node)
        weight, said = 2.0, []
        struck = each.node.tag in _STRUCK or bool(_OLD.search(names))
        away = False
        steps_to_heading = None
        near_names = names
        for step, above in enumerate(ancestors(each.node)):
            if above.mem_id in self._path:
                steps_to_heading = step + self._path[above.mem_id]
                break
            called, elsewhere, listed = self._called(above)
            if step < 3:
                near_names += " " + called
                struck = struck or above.tag in _STRUCK or (step < 2 and bool(_OLD.search(called)))
            away = away or elsewhere
            weight -= 0.4 if listed else 0.0
        if each.order > 0:
            weight += max(0.0, 1.5 - 0.25 * (each.order - 1))
            said.append(f"price {each.order} after the heading")
        if steps_to_heading is not None:
            weight += max(-1.0, 1.5 - 0.12 * steps_to_heading)
            said.append(f"{steps_to_heading} steps from it")
        if _NOW.search(near_names):
            weight += 0.7
            said.append("called the present price")
        if struck:
            weight -= 3
            said.append("struck or called old")
        other = bool(_NOT_THE_PRICE.search(names) or _BESIDE.search(each.shown))
        if other:
            weight -= 2
            said.append("another kind of amount")
        if away:
            weight -= 3
            said.append("among other products")
        if alike > 3:
            weight -= min(2.5, 0.4 * alike)
            said.append(f"{alike} alike")
        return Shown(each.value, each.node, each.order, weight, struck, struck or other or away, ", ".join(said))

    def lines(self, near: str) -> list[Candidate]:
        """Lines after the heading that are a price and nothing else, where elements have meaningless names."""
        heading = lines_of(self.document.heading) if self.document.heading else ""
        at = near.find(heading) if heading else -1
        if at < 0:
            return []
        found: list[tuple[int, str, Decimal]] = []
        shown = _joined(near[at + len(heading) :][:NEAR].split("\n"))
        for n, line in enumerate(shown):
            match = _PRICE_LINE.fullmatch(line)
            value = money(match[1], self.currency) if match else None
            if value and not (n and _OF_ANOTHER.search(shown[n - 1])):
                found.append((n, line, value))
        weights = [3.6 - 0.4 * n for n in range(len(found))]
        for n, (one, two) in enumerate(pairwise(found)):
            if two[0] != one[0] + 1:
                continue
            if one[2] > two[2] > one[2] / 3:  # two in a row: it was, it is
                weights[n], weights[n + 1] = weights[n] - 1.2, weights[n]
            elif two[2] > one[2] > two[2] / 3:
                weights[n + 1] -= 1.2
        return [
            Candidate("price", value, "visible", f"text: {line}"[:80], weight, "a line after the heading")
            for (_, line, value), weight in zip(found, weights, strict=True)
            if weight > 2.2
        ]

    def candidates(self) -> list[Candidate]:
        best: dict[Decimal, Shown] = {}
        for shown in self.prices:
            if shown.value not in best or shown.weight > best[shown.value].weight:
                best[shown.value] = shown
        return [
            Candidate("price", shown.value, "visible", _place(shown.node), round(shown.weight, 2), shown.why)
            for shown in best.values()
        ]

    def currency_of(self, price: Decimal | None) -> str | None:
        shown = (_own_price_text(each.node) or "" for each in self.prices if each.value == price)
        return next(filter(None, map(currency_in, shown)), None)

    def struck_above(self, price: Decimal | None) -> Decimal | None:
        """The older price beside *price*: struck through, above it, and of the same product."""
        if price is None:
            return None
        found = [each for each in self.prices if each.struck and price < each.value < 10 * price and each.weight > -2]
        return max(found, key=lambda each: each.weight).value if found else None

    @cached_property
    def dismissed(self) -> set[Decimal]:
        """Values of which an element says that they are another kind of amount, struck, or another product's."""
        return {each.value for each in self.prices if each.dismissed}

    def struck_at(self) -> dict[Decimal, bool]:
        """Of each price shown near the heading: whether it is only ever shown struck."""
        made: dict[Decimal, bool] = {}
        for shown in self.prices:
            made[shown.value] = made.get(shown.value, True) and shown.struck
        return made


@dataclass(frozen=True, slots=True)
class _Priced:
    value: Decimal
    node: LexborNode
    shown: str
    order: int
    pattern: str


def _joined(lines: list[str]) -> list[str]:
    """A currency on a line of its own goes with the number on the next."""
    made: list[str] = []
    for line in lines:
        if made and _SIGN_LINE.fullmatch(made[-1]) and line[:1].isdigit():
            made[-1] = f"{made[-1]} {line}"
        else:
            made.append(line)
    return made


def _cheaper_of_pairs(prices: list[Shown]) -> list[Shown]:
    """Of two that stand side by side and weigh alike, the lower is asked, and the higher was."""
    made = list(prices)
    for i, (one, two) in enumerate(pairwise(prices)):
        low, high = sorted((one.value, two.value))
        apart = abs(one.weight - two.weight)
        if low < high and low * 3 > high and apart < 0.6 and min(one.weight, two.weight) > _STANDS_OUT:
            n = i if one.value == low else i + 1
            made[n] = replace(made[n], weight=made[n].weight + 0.6, why=f"{made[n].why}, the lower of two")
    return made


def _own_price_text(node: LexborNode) -> str | None:
    """The text of a short element with a number in it; of a price in pieces ("19", "99") with its decimal sign."""
    shown = text_of(node)
    if not shown or len(shown) > LONGEST or not any(char.isdigit() for char in shown):
        attributes = node.attributes
        stated = attributes.get("content") or attributes.get("data-price") or ""
        return stated if 0 < len(stated) <= 20 and stated[0].isdigit() and not shown else None
    # <b>19</b><sup>99</sup> reads "19 99": two digits apart at the end are the fraction.
    pieces = re.sub(r"(?<=\d)\s*([.,])\s*(?=\d)", r"\1", shown)
    return re.sub(r"^(\D*\d{1,3}(?:[ .,]\d{3})*) (\d\d)(?=\D*$)", r"\1.\2", pieces) if "," not in pieces else pieces


def _is_a_piece(node: LexborNode, shown: str) -> bool:
    """Whether a bare number is only a part of the price around it: the 99 of 19.99."""
    if not shown.isdigit() or node.parent is None:
        return False
    around = text_of(node.parent)
    return len(around) <= LONGEST and sum(map(str.isdigit, around)) > len(shown)


def _pattern(node: LexborNode) -> str:
    """How an element and its two parents are called: rows of a list share it."""
    said = [node, *list(ancestors(node))[:2]]
    return "/".join(f"{each.tag}.{re.sub(r'[0-9]+', '', each.attributes.get('class') or '')}" for each in said)


def _place(node: LexborNode) -> str:
    names = names_of(node)
    return f"{node.tag} {names}"[:80].strip()
