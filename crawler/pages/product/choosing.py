"""Which product a page is about, and which of its candidate values hold. Pure.

Weights are on one scale: 6 what a block of data states, up to 5.5 what stands prominently on the
page, less what is only likely. A value that several kinds of sources name is helped by each.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from crawler.fields import address
from crawler.pages.product.codes import codes
from crawler.pages.product.document import Document, lines_of, text_of, words_of
from crawler.pages.product.families import families
from crawler.pages.product.found import Candidate, Choice, Stated, choose
from crawler.pages.product.linked import linked
from crawler.pages.product.markup import head, microdata, rdfa
from crawler.pages.product.state import state
from crawler.pages.product.stock import stock
from crawler.pages.product.visible import Seen

_WEIGHT = {"json-ld": 6.0, "microdata": 6.0, "rdfa": 5.5, "meta": 5.0, "state": 4.0}
_OF_FAMILY = {"amazon": 8.0, "magento": 7.0, "bigcommerce": 7.0, "woocommerce": 6.0, "shopify.meta": 4.5}
_PROMINENT = 4.6
_CLEAR = 3.4
LEAST_PRICE = 2.6
LEAST_CODE = 2.4


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the page says of its product, each value with all that spoke for and against it."""

    price: Choice
    availability: Choice
    sku: Choice
    list_price: Decimal | None
    """Shown struck through near the price, and above it."""
    blocks: tuple[Stated, ...]
    """Blocks about the page's own product, the best first."""
    currency: str | None
    name: str | None


def _weight(block: Stated) -> float:
    return _OF_FAMILY[block.where] if block.source == "family" else _WEIGHT[block.source]


def read(document: Document, odd: list[str]) -> Chosen:
    blocks = [*linked(document, odd), *microdata(document), *rdfa(document), *head(document)]
    name = text_of(document.heading) if document.heading else None
    own = [*families(document), *_own(blocks, document, name)]
    if not any(block.price for block in own):
        own += state(document, name)
    currency = next((block.currency for block in own if block.currency), None)
    near = _near(document)
    seen = Seen(document, currency)
    price = choose(_prices(own, seen, near), LEAST_PRICE)
    return Chosen(
        price=price,
        list_price=seen.struck_above(headline(price)),
        availability=choose(_availability(own, document, near), 0.0),
        sku=choose(codes(document, near, own), LEAST_CODE),
        blocks=tuple(own),
        currency=currency or seen.currency_of(headline(price)),
        name=next((block.name for block in own if block.name), name or document.title),
    )


def _own(blocks: list[Stated], document: Document, name: str | None) -> list[Stated]:
    """The blocks about this page's product: by address and name; those of products beside it go.

    Several blocks of one source with the same name are the variants of one product.
    """
    if not blocks:
        return []
    path = address(document.url).path.rstrip("/")
    scored = [(_fit(block, path, name, document), -i, block) for i, block in enumerate(blocks)]
    kept = []
    for source in ("json-ld", "microdata", "rdfa", "meta"):
        mine = [each for each in scored if each[2].source == source]
        if not mine:
            continue
        _, _, best = max(mine, key=lambda each: each[:2])
        same = [block for _, _, block in mine if block.name == best.name] if best.name else [best]
        kept.append(_together(same) if len(same) > 1 else best)
    return sorted(kept, key=lambda block: -_WEIGHT[block.source] - (1 if block.offers else 0) + (0 if block.own else 3))


def _fit(block: Stated, path: str, name: str | None, document: Document) -> float:
    score = 2.0 if block.own else 0.0
    score += 1.5 if block.price is not None else 0.0
    if block.url and path and address(block.url).path.rstrip("/").endswith(path):
        score += 2.0
    said = words_of(f"{name or ''} {document.title or ''}")
    mine = words_of(block.name or "")
    if mine:
        score += 3.0 * len(mine & said) / len(mine)
    return score


def _together(same: list[Stated]) -> Stated:
    """Blocks that name the same product: one product with all their offers; its number is what they share."""
    first = same[0]
    offers = tuple(
        replace(offer, sku=offer.sku or block.sku, url=offer.url or block.url)
        for block in same
        for offer in block.offers
    )
    numbers = {block.sku for block in same}
    rated = next((block for block in same if block.rating_count), first)
    if len({(offer.sku, offer.url, offer.price) for offer in offers}) < len(offers):  # the same block twice
        offers = tuple(dict.fromkeys(offers))
    return replace(
        first, offers=offers, sku=first.sku if len(numbers) == 1 else None,
        rating=rated.rating, rating_count=rated.rating_count,
    )  # fmt: skip


def _near(document: Document) -> str:
    """The page's text from shortly before the heading on."""
    text = document.text
    at = text.find(lines_of(document.heading)) if document.heading else -1
    return text[max(0, at - 300) :] if at > 0 else text


def _prices(own: list[Stated], seen: Seen, near: str) -> Iterator[Candidate]:
    shown = seen.candidates()
    struck = seen.struck_at()
    named = any(each.weight >= _CLEAR for each in shown)  # then bare lines are of something else
    lines = [] if named else [each for each in seen.lines(near) if each.value not in seen.dismissed]
    struck |= {each.value: False for each in lines if isinstance(each.value, Decimal)}
    shown += lines
    prominent = any(each.weight >= _PROMINENT for each in shown)
    if any(block.where == "amazon" for block in own):
        shown = []  # its own blocks show the price; other prices there are of other products
    for block in own:
        price = block.price
        if not price:  # 0 is what shops send for "ask us"
            continue
        weight, why = _weight(block) - (0 if block.own else 1.5), "stated as data"
        if price not in struck and (meant := _in_another_unit(price, struck)):
            price, why = meant, f"stated as data: {price}, which the page shows as this"
        elif struck.get(price) is True:
            weight, why = weight - 2.5, "stated as data, but struck through on the page"
        elif price not in struck and prominent:
            weight, why = weight - 1.8, "stated as data, but another price is shown"
        elif price in struck:
            weight, why = weight + 0.5, "stated as data, and shown"
        yield Candidate("price", price, block.source, f"{block.where}.offers", round(weight, 2), why)
    yield from shown


def _in_another_unit(price: Decimal, shown: Container[Decimal]) -> Decimal | None:
    """What the page shows for data in cents, or with a dot for thousands (2.449); None where it shows neither."""
    if price == price.to_integral_value() and price >= 100 and price / 100 in shown:
        return price / 100
    if price.as_tuple().exponent == -3 and price * 1000 in shown:
        return price * 1000
    return None


def _availability(own: list[Stated], document: Document, near: str) -> Iterator[Candidate]:
    for block in own:
        if block.available is not None and block.source != "family":
            said = sum(1 for offer in block.offers if offer.available)
            why = f"{said} of {len(block.offers)} offers can be ordered"
            yield Candidate(
                "availability", block.available, block.source, f"{block.where}.offers", _WEIGHT[block.source] - 1, why
            )
        elif block.available is not None:
            yield Candidate("availability", block.available, "family", block.where, 9.0, "the block for stock")
    yield from stock(document, near)
    yield Candidate("availability", True, "default", "", 1.0, "nothing says otherwise")


def headline(choice: Choice) -> Decimal | None:
    value = choice.taken.value if choice.taken else None
    return value if isinstance(value, Decimal) else None
