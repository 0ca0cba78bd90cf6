"""Microdata, RDFa and the head's Open Graph: products as attributes of the page state them. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from selectolax.lexbor import LexborNode

from crawler.pages.product.document import Document, ancestors, text_of
from crawler.pages.product.found import (
    Stated,
    StatedOffer,
    amount,
    code_of,
    first,
    money,
    number,
    plain,
    stock_of,
    whole,
)

_PRODUCTS = ("product", "productgroup", "individualproduct", "productmodel", "vehicle", "car")
_GTINS = ("gtin13", "gtin", "gtin14", "gtin12", "gtin8", "ean", "isbn")
_ADDRESS = {"a": "href", "link": "href", "area": "href", "img": "src", "source": "src", "object": "data"}
Values = dict[str, list[LexborNode]]


class Scope:
    """One thing that attributes mark: its type, its own properties, and the things inside it."""

    def __init__(self, node: LexborNode, kind: str) -> None:
        self.node = node
        self.kind = kind
        self.values: Values = {}
        self.inner: list[tuple[str, Scope]] = []

    def text(self, *names: str, longest: int = 300) -> str | None:
        return first(plain(value_of(node), longest) for name in names for node in self.values.get(name, ()))

    def inside(self, *kinds: str) -> Iterator[tuple[str, Scope]]:
        """Things of these types within, at any depth; not beyond another product."""
        for name, scope in self.inner:
            if scope.kind in kinds:
                yield name, scope
            if scope.kind not in _PRODUCTS:
                yield from scope.inside(*kinds)


def value_of(node: LexborNode) -> str | None:
    """What a marked element says: its content, its address, or its text."""
    attributes = node.attributes
    if attributes.get("content") is not None:
        return attributes["content"]
    tag = node.tag or ""
    if tag in _ADDRESS:
        return attributes.get(_ADDRESS[tag]) or None
    if tag in ("data", "meter"):
        return attributes.get("value")
    return text_of(node)


def microdata(document: Document) -> list[Stated]:
    if "itemprop" not in document.raw:
        return []
    scopes = _scopes(document, "itemscope", "itemtype", "itemprop")
    return _products(scopes, "microdata")


def rdfa(document: Document) -> list[Stated]:
    """Things with typeof; the head's og: and product: properties are read by `head`."""
    if "typeof" not in document.raw:
        return []
    return _products(_scopes(document, "typeof", "typeof", "property"), "rdfa")


def _scopes(document: Document, marks: str, kinds: str, names: str) -> list[Scope]:
    """The outermost things, each with what is inside it."""
    top: list[Scope] = []
    by_node: dict[int, Scope] = {}
    for node in _once(document.tree.css(f"[{marks}],[{names}]")):
        attributes = node.attributes
        owner = next((by_node[above.mem_id] for above in ancestors(node) if above.mem_id in by_node), None)
        name = attributes.get(names) or ""
        if marks in attributes:
            scope = Scope(node, _type(attributes.get(kinds)))
            by_node[node.mem_id] = scope
            if owner is None:
                top.append(scope)
            else:
                owner.inner.append((name, scope))
            continue
        if owner is not None:
            for each in name.split():
                owner.values.setdefault(each.rpartition(":")[2], []).append(node)
    return top


def _once(nodes: list[LexborNode]) -> Iterator[LexborNode]:
    """A selector list finds an element once for each of its parts."""
    seen: set[int] = set()
    for node in nodes:
        if node.mem_id not in seen:
            seen.add(node.mem_id)
            yield node


def _type(value: str | None) -> str:
    """'http://schema.org/Product' and 'schema:Product' are product."""
    name = (value or "").split(" ")[0].rstrip("/")
    return name.rpartition("/")[2].rpartition("#")[2].rpartition(":")[2].lower()


def _products(scopes: list[Scope], source: str) -> list[Stated]:
    made: list[Stated] = []
    stack = list(reversed(scopes))
    while stack:
        scope = stack.pop()
        if scope.kind in _PRODUCTS:
            made.append(_product(scope, f"{source}[{len(made)}]", source))
        stack += [inner for _, inner in reversed(scope.inner)]
    loose = [scope for scope in scopes if scope.kind in ("offer", "aggregateoffer")]
    if made and not made[0].offers and len(loose) == 1:  # the offer stands beside its product
        made[0] = replace(made[0], offers=tuple(_offers(loose[0])))
    return made


def _product(scope: Scope, where: str, source: str) -> Stated:
    ratings = [inner for _, inner in scope.inside("aggregaterating")]
    brand = next((inner for name, inner in scope.inner if name in ("brand", "manufacturer")), None)
    offers = tuple(offer for _, inner in scope.inside("offer", "aggregateoffer") for offer in _offers(inner))
    if not offers and "price" in scope.values:  # an offer that nobody marked as one
        offers = tuple(_offers(scope))
    return Stated(
        source=source,
        where=where,
        name=scope.text("name"),
        brand=(brand.text("name") if brand else None) or scope.text("brand", "manufacturer"),
        sku=scope.text("sku", longest=100),
        product_id=_bare_id(scope.text("productID", "productId", longest=100)),
        mpn=scope.text("mpn", longest=100),
        gtin=scope.text(*_GTINS, longest=20),
        url=scope.text("url", longest=2000),
        image=scope.text("image", longest=2000),
        description=scope.text("description", longest=20_000),
        category=scope.text("category"),
        rating=first(number(each.text("ratingValue")) for each in ratings),
        rating_count=first(whole(each.text("ratingCount", "reviewCount")) for each in ratings),
        offers=offers,
    )


def _offers(scope: Scope) -> Iterator[StatedOffer]:
    if any(inner.kind == "offer" for _, inner in scope.inner):  # an AggregateOffer, or an offer within an offer
        return  # those inside are met by themselves
    currency = code_of(scope.text("priceCurrency"))
    said = [value_of(node) for name in ("price", "lowPrice") for node in scope.values.get(name, ())]
    price = first(_price(each, currency) for each in said)
    if price is None:
        terms = (inner for name, inner in scope.inner if "pricespecification" in inner.kind)
        price = first(_price(each.text("price"), currency) for each in terms)
    yield StatedOffer(
        price=price,
        currency=currency,
        available=first(stock_of(value_of(node)) for node in scope.values.get("availability", ())),
        sku=scope.text("sku", longest=100),
        url=scope.text("url", longest=2000),
        lowest_of="price" not in scope.values and "lowPrice" in scope.values,
    )


def _price(shown: str | None, currency: str | None) -> Decimal | None:
    """Data where the attribute holds it; else text as people see it, of which the first price counts."""
    if not shown:
        return None
    return amount(shown, currency) if len(shown) <= 40 else money(shown[:120], currency)


def _bare_id(shown: str | None) -> str | None:
    return shown.partition(":")[2] if shown and shown.lower().startswith(("sku:", "mpn:", "isbn:")) else shown


def head(document: Document) -> list[Stated]:
    """Open Graph and its kin: one product, if they say anything of one."""
    meta = document.meta

    def say(*names: str, longest: int = 300) -> str | None:
        return first(plain(meta.get(f"{space}:{name}"), longest) for space in ("product", "og") for name in names)

    currency = code_of(say("price:currency", "sale_price:currency") or meta.get("twitter:currency"))
    price = first(
        amount(shown, currency) for shown in (say("sale_price:amount"), say("price:amount"), say("price")) if shown
    )
    before = amount(say("original_price:amount") or "", currency)
    stock = stock_of(say("availability") or "")
    sku = say("retailer_item_id", "sku", "retailer_part_no", longest=100)
    if price is None and stock is None and sku is None and meta.get("og:type") not in ("product", "og:product"):
        return []
    offer = StatedOffer(
        price=price,
        list_price=before if before is not None and price is not None and before > price else None,
        currency=currency,
        available=stock,
    )
    return [
        Stated(
            source="meta", where="head", name=plain(meta.get("og:title")), brand=say("brand"), sku=sku,
            mpn=say("mfr_part_no", longest=100), gtin=say("ean", "gtin", "upc", "isbn", longest=20),
            url=plain(meta.get("og:url"), 2000), image=plain(meta.get("og:image"), 2000),
            description=plain(meta.get("og:description"), 20_000), category=say("category"),
            offers=(offer,) if price is not None or stock is not None else (),
        )
    ]  # fmt: skip
