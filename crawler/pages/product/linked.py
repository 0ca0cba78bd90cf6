"""JSON-LD: products in single blocks, graphs, groups of variants, and blocks that are damaged. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, TypeAlias

from crawler.fields import load_json
from crawler.pages.product.document import Document
from crawler.pages.product.found import (
    Stated,
    StatedOffer,
    amount,
    code_of,
    first,
    listed,
    number,
    plain,
    stock_of,
    whole,
)

Node: TypeAlias = dict[str, Any]

_PRODUCT = frozenset(("product", "productgroup", "productmodel", "individualproduct", "someproducts", "vehicle", "car"))
_NEVER = frozenset(
    ("offer", "aggregateoffer", "organization", "person", "review", "website", "itemlist", "breadcrumblist", "store")
)
_LIST_TYPES = re.compile(r"list|strikethrough|msrp|srp|suggested|regular", re.I)
_GTINS = ("gtin13", "gtin", "gtin14", "gtin12", "gtin8", "ean", "isbn")
_BEFORE = re.compile(r"(?:<!--|/\*.{0,200}?\*/|//[^\n{\[]{0,40}|<!\[CDATA\[)\s*", re.S)
_AFTER = ("-->", "//", "/*", "*/", "]]>", ";")
DEEPEST = 8
MOST_MARKS = 12


def linked(document: Document, odd: list[str]) -> list[Stated]:
    """Every product that the JSON-LD of the page states; blocks that cannot be read are listed in *odd*."""
    made: list[Stated] = []
    blocks = [script for script in document.scripts if "ld+json" in script.kind]
    for i, script in enumerate(blocks):
        data = _loaded(script.text)
        if data is None:
            if script.text.strip():
                odd.append(f"ld+json[{i}]")
            continue
        by_id = {node["@id"]: node for node in _nodes(data, 0) if isinstance(node.get("@id"), str) and len(node) > 1}
        words = [word for node in _nodes(data, 0) for word in listed(node.get("availability")) if word]
        odd += [f"ld+json[{i}].availability" for word in words if stock_of(word) is None]
        made += [_product(node, by_id, f"ld+json[{i}]") for node in _products(data, 0)]
    return made


def _loaded(text: str) -> Any:
    """The block's data; comments, CDATA marks, trailing commas and semicolons, of which many are full, are forgiven."""
    bare = text.strip()
    for _ in range(MOST_MARKS):
        if match := _BEFORE.match(bare):
            bare = bare[match.end() :]
        elif mark := next((mark for mark in _AFTER if bare.endswith(mark)), None):
            bare = bare[: -len(mark)].rstrip()
        else:
            break
    for shown in (bare, re.sub(r",(\s*[}\]])", r"\1", bare)):
        try:
            return load_json(shown)
        except ValueError:
            continue
    return None


def _nodes(data: Any, depth: int) -> Iterator[Node]:
    if depth > DEEPEST:
        return
    if isinstance(data, list):
        for each in data:
            yield from _nodes(each, depth + 1)
    elif isinstance(data, dict):
        yield data
        for value in data.values():
            if isinstance(value, dict | list):
                yield from _nodes(value, depth + 1)


def types_of(node: Node) -> set[str]:
    """Its types, bare and lower case: 'http://schema.org/Product' is product."""
    kinds = [*listed(node.get("@type")), *listed(node.get("additionalType"))]
    return {kind.rstrip("/").rpartition("/")[2].rpartition(":")[2].lower() for kind in kinds if isinstance(kind, str)}


def _products(data: Any, depth: int) -> Iterator[Node]:
    """Products from the outside in; not those that a product itself names as similar."""
    if depth > DEEPEST:
        return
    if isinstance(data, list):
        for each in data:
            yield from _products(each, depth + 1)
    elif isinstance(data, dict):
        types = types_of(data)
        if types & _PRODUCT or ("offers" in data and not types & _NEVER):
            yield data
            return
        for name in ("@graph", "mainEntity", "mainEntityOfPage", "itemOffered", "about", "item", "itemListElement"):
            if isinstance(data.get(name), dict | list):
                yield from _products(data[name], depth + 1)


def _product(node: Node, by_id: dict[str, Node], where: str) -> Stated:
    rating = _at(node, "aggregateRating", by_id)
    variants = [each for each in listed(node.get("hasVariant")) if isinstance(each, dict)]
    offers = list(_offers(node, by_id, None))
    for variant in variants:
        full = by_id.get(variant.get("@id", ""), variant) if len(variant) == 1 else variant
        offers += _offers(full, by_id, plain(full.get("sku")), plain(full.get("name")))
    return Stated(
        source="json-ld",
        where=where,
        name=plain(node.get("name")),
        brand=name_of(node.get("brand")) or name_of(node.get("manufacturer")),
        sku=plain(node.get("sku"), 100),
        product_id=_bare_id(node.get("productID") or node.get("productId") or node.get("productGroupID")),
        mpn=plain(node.get("mpn"), 100),
        gtin=first(plain(node.get(name), 20) for name in _GTINS),
        url=plain(node.get("url"), 2000),
        image=_image(node.get("image")),
        description=plain(node.get("description"), 20_000),
        category=name_of(node.get("category")),
        rating=number(rating.get("ratingValue")) if rating else None,
        rating_count=first(whole(rating.get(name)) for name in ("ratingCount", "reviewCount")) if rating else None,
        offers=tuple(offers),
        own=bool(types_of(node) & _PRODUCT),
    )


def _at(node: Node, name: str, by_id: dict[str, Node]) -> Node | None:
    value = next((each for each in listed(node.get(name)) if isinstance(each, dict)), None)
    return by_id.get(value.get("@id", ""), value) if value and len(value) == 1 else value


def _offers(node: Node, by_id: dict[str, Node], sku: str | None, title: str | None = None) -> Iterator[StatedOffer]:
    for each in listed(node.get("offers")):
        if not isinstance(each, dict):
            continue
        offer = by_id.get(each.get("@id", ""), each) if len(each) == 1 else each
        inner = [one for one in listed(offer.get("offers")) if isinstance(one, dict)]
        if inner:
            currency = code_of(offer.get("priceCurrency"))
            yield from (_offer(one, sku, title, currency) for one in inner)
        else:
            yield _offer(offer, sku, title, None)


def _offer(offer: Node, sku: str | None, title: str | None, currency: str | None) -> StatedOffer:
    terms = [each for each in listed(offer.get("priceSpecification")) if isinstance(each, dict)]
    currency = first([code_of(offer.get("priceCurrency")), *(code_of(each.get("priceCurrency")) for each in terms)]) \
        or currency  # fmt: skip
    before = [amount(each.get("price"), currency) for each in terms if _is_list_price(each)]
    asked = [amount(each.get("price"), currency) for each in terms if not _is_list_price(each) and _of_one(each)]
    stated = amount(offer.get("price"), currency)
    lowest = amount(offer.get("lowPrice"), currency)
    price = first([stated, lowest, *asked, amount(offer.get("highPrice"), currency)])
    list_price = first(before)
    item = offer.get("itemOffered")
    return StatedOffer(
        price=price,
        list_price=list_price if list_price is not None and price is not None and list_price > price else None,
        currency=currency,
        available=first(stock_of(word) for word in listed(offer.get("availability"))),
        sku=plain(offer.get("sku"), 100) or sku or (plain(item.get("sku"), 100) if isinstance(item, dict) else None),
        title=plain(offer.get("name")) or title,
        url=plain(offer.get("url"), 2000),
        seller=name_of(offer.get("seller")),
        lowest_of=stated is None and lowest is not None,
    )


def _is_list_price(terms: Node) -> bool:
    return bool(_LIST_TYPES.search(str(terms.get("priceType") or terms.get("name") or "")))


def _of_one(terms: Node) -> bool:
    """Not the price of a kilogram, and not of a member or of ten."""
    return "referenceQuantity" not in terms and "eligibleQuantity" not in terms


def name_of(value: Any) -> str | None:
    """A brand, seller or category: text, or a thing with a name."""
    for each in listed(value):
        found = plain(each.get("name")) if isinstance(each, dict) else plain(each)
        if found:
            return found
    return None


def _image(value: Any) -> str | None:
    for each in listed(value):
        found = each.get("url") or each.get("contentUrl") if isinstance(each, dict) else each
        if shown := plain(found, 2000):
            return shown
    return None


def _bare_id(value: Any) -> str | None:
    """'sku:123' is 123."""
    shown = plain(value, 100)
    return re.sub(r"^(sku|mpn|isbn|asin):", "", shown, flags=re.I) if shown else None
