"""Review widgets in a store's HTML: mean and count beside a product's number. Pure.

Confirmed by captures: Junip and Loox with numbers in the page; Yotpo and Stamped, whose elements are empty there
(Stamped's numbers stand in the JSON-LD, Yotpo's come from its own JSON, crawler.pages.reviews). As their makers
describe them, and confirmed by no capture: Judge.me, Okendo, and the badge of Stamped with numbers in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode

_MARKS = re.compile(
    rb"data-product-rating-average|loox-rating|jdgm-prev-badge|data-oke-|stamped-(?:badge|main)|data-yotpo-product-id",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Rated:
    product_id: str
    """'' where the widget names none: the page's own product."""
    rating: float
    count: int
    widget: str


@dataclass(frozen=True, slots=True)
class Widget:
    name: str
    selector: str
    ids: tuple[str, ...]
    rating: str
    count: str


WIDGETS = (
    Widget("junip", "[data-product-rating-average]", ("data-product-id", "data-product-remote-id"),
           "data-product-rating-average", "data-product-rating-count"),
    Widget("loox", ".loox-rating[data-raters]", ("data-id",), "data-rating", "data-raters"),
    Widget("judgeme", ".jdgm-prev-badge[data-average-rating]", ("data-id", "data-product-id"),
           "data-average-rating", "data-number-of-reviews"),
    Widget("okendo", "[data-oke-star-rating-average]", ("data-oke-reviews-product-id",),
           "data-oke-star-rating-average", "data-oke-star-rating-count"),
    Widget("stamped", ".stamped-badge[data-rating][data-count]", ("data-id", "data-product-id"),
           "data-rating", "data-count"),
)  # fmt: skip


def ratings(body: bytes, odd: list[str]) -> list[Rated]:
    """What the widgets of a page state; an empty one states nothing, a damaged one is listed in *odd*."""
    if not _MARKS.search(body):
        return []
    tree = LexborHTMLParser(body.decode("utf-8", "replace"))
    return [rated for widget in WIDGETS for node in tree.css(widget.selector) for rated in _read(widget, node, odd)]


def _read(widget: Widget, node: LexborNode, odd: list[str]) -> Iterator[Rated]:
    said = node.attributes
    mean, count = (said.get(widget.rating) or "").strip(), (said.get(widget.count) or "").strip()
    if not mean and not count:
        return  # a place to be filled, or nobody has rated it yet
    named = next((value for name in widget.ids if (value := said.get(name))), None) or _above(node, widget)
    product = named.removeprefix("shopify-") if named else ""
    try:
        rating, counted = float(mean or 0), int(count.replace(",", "").strip("()") or 0)
    except ValueError:
        odd.append(f"{widget.name} widget")
        return
    if 0 <= rating <= 100 and counted >= 0:
        yield Rated(product, rating, counted, widget.name)
    else:
        odd.append(f"{widget.name} widget")


def _above(node: LexborNode, widget: Widget) -> str | None:
    """The number may stand on the element around it."""
    parent = node.parent
    if parent is None:
        return None
    return next((value for name in widget.ids if (value := parent.attributes.get(name))), None)
