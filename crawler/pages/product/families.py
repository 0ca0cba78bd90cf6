"""What shop software adds beside the markup of all: Amazon's blocks, WooCommerce's variations, Shopify's state.

A family is known by what its pages hold, never by one address.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from selectolax.lexbor import LexborNode

from crawler.counts import MoneyError, cents, units
from crawler.fields import dig, load_json
from crawler.pages.product.document import Document, text_of, unseen
from crawler.pages.product.found import Stated, StatedOffer, code_of, currency_in, money, number, plain, stock_of, whole
from crawler.pages.product.stock import says_out

# Amazon's price blocks, the most telling first; carousels use the same classes inside other blocks.
_AMAZON_PRICES = (
    "#priceblock_dealprice", "#priceblock_saleprice", "#priceblock_ourprice", "#priceblock_pospromoprice",
    "#corePriceDisplay_desktop_feature_div .a-price:not(.a-text-price) .a-offscreen",
    "#corePrice_feature_div .a-price:not(.a-text-price) .a-offscreen", "#price_inside_buybox", "#newBuyBoxPrice",
    "#buybox .kindle-price .a-color-price", "#kindle-price", ".swatchElement.selected .a-color-price",
    "#digital-list-price", "#buyNewSection .offer-price", "#mocaBBRegularPrice .a-color-price",
    "#buybox .dp-price-col", "#rentPrice", "#price", "#olp_feature_div .a-color-price",
    "#olp-upd-new-used .a-color-price", "#olp-upd-new .a-color-price", "#olp-new .a-color-price",
)  # fmt: skip
_AMAZON_LIST_PRICES = (
    "#price .priceBlockStrikePriceString", ".basisPrice .a-offscreen", "#listPriceLegalMessage ~ .a-text-strike",
    "#price .a-text-strike",
)  # fmt: skip
_BY = re.compile(  # "Brand: Orange", "Visit the Orange Store"
    r"^(Brand|Marke|Marca|Marque)\s*:\s*|^Visit the (?=.* Store$)| Store$|^Visita lo Store di |^Visita la tienda de "
    r"|^Besuchen Sie den (?=.*-Store$)|-Store$|^Visiter la boutique |^Visitez la boutique "
)
_ASIN = re.compile(r"/(?:dp|gp/product|gp/aw/d)/(?:[^/]{1,80}/)?([A-Z0-9]{10})(?:[/?]|$)")


def families(document: Document) -> Iterator[Stated]:
    if 'id="ASIN"' in document.raw or "dp-container" in document.raw or "/dp/" in document.url:
        yield from _amazon(document)
    if "data-product_variations" in document.raw:
        yield from _woocommerce(document)
    if "Shopify" in document.raw and "var meta" in document.raw:
        yield from _shopify(document)
    if "data-price-amount" in document.raw:
        yield from _magento(document)
    if "BCData" in document.raw:
        yield from _bigcommerce(document)


def _amazon(document: Document) -> Iterator[Stated]:
    tree = document.tree
    asin_node = tree.css_first("input#ASIN")
    in_address = _ASIN.search(document.url)
    asin = (asin_node.attributes.get("value") if asin_node else None) or (in_address[1] if in_address else None)
    if not asin or tree.css_first("#dp, #dp-container, #productTitle, #ebooksProductTitle") is None:
        return
    price, currency = _first_price(document, _AMAZON_PRICES)
    before, _ = _first_price(document, _AMAZON_LIST_PRICES)
    stars = tree.css_first("#acrPopover, #averageCustomerReviews .a-icon-alt")
    said = (stars.attributes.get("title") or text_of(stars)) if stars else ""
    rating = re.search(r"\d[.,]\d", said)
    counted = tree.css_first("#acrCustomerReviewText")
    count = re.search(r"\d[\d.,\s]*", text_of(counted)) if counted else None
    by = tree.css_first("#bylineInfo")
    offer = StatedOffer(
        price=price,
        list_price=before if before is not None and price is not None and before > price else None,
        currency=currency,
        available=_amazon_stock(document, price),
    )
    yield Stated(
        source="family", where="amazon", sku=asin, product_id=asin,
        brand=plain(_BY.sub("", text_of(by))) if by else None,
        rating=number(rating[0]) if rating else None,
        rating_count=whole(re.sub(r"[.,\s]", "", count[0])) if count else None,
        offers=(offer,),
    )  # fmt: skip


def _first_price(document: Document, selectors: tuple[str, ...]) -> tuple[Decimal | None, str | None]:
    """The first that is a price, and its currency where the sign tells."""
    product = document.tree.css_first("#ppd") or document.tree.css_first("#dp-container") or document.tree.body
    if product is None:
        return None, None
    for selector in selectors:
        for node in product.css(selector)[:2]:
            shown = text_of(node)[:60]
            if value := money(shown, None):
                return value, currency_in(shown)
    return None, None


def _amazon_stock(document: Document, price: Decimal | None) -> bool | None:
    tree = document.tree
    if tree.css_first("#add-to-cart-button, #buy-now-button, #one-click-button, #rcx-subscribe-submit-button"):
        return True
    if tree.css_first("#outOfStock") is not None:
        return False
    for node in tree.css("#availability"):
        if says_out(text_of(node)):
            return False
        if not unseen(node) and text_of(node):
            return True
    return None if price is None else True


def _woocommerce(document: Document) -> Iterator[Stated]:
    """The form's attribute lists every variation, as shown, with its stock."""
    for node in document.tree.css("[data-product_variations]")[:1]:
        data = _json(node.attributes.get("data-product_variations"))
        rows = [row for row in data if isinstance(row, dict)] if isinstance(data, list) else []
        offers = tuple(offer for row in rows if (offer := _variation(row)))
        if offers:
            number = plain(node.attributes.get("data-product_id"), 40)
            yield Stated(source="family", where="woocommerce", product_id=number, offers=offers)


def _variation(row: dict[str, Any]) -> StatedOffer | None:
    price, before = _units(row.get("display_price")), _units(row.get("display_regular_price"))
    attributes = row.get("attributes")
    named = [plain(value) for value in attributes.values()] if isinstance(attributes, dict) else []
    if price is None:
        return None
    return StatedOffer(
        price=price,
        list_price=before if before is not None and before > price else None,
        available=stock_of(row.get("is_in_stock")),
        sku=plain(row.get("sku"), 100) or plain(row.get("variation_id"), 40),
        title=" / ".join(filter(None, named)) or None,
    )


def _shopify(document: Document) -> Iterator[Stated]:
    """`var meta` of a theme: variants in cents; stock is not said."""
    for script in document.scripts:
        at = script.text.find("var meta = {")
        if at < 0:
            continue
        end = script.text.find("};", at)
        data = _json(script.text[at + 11 : end + 1])
        product = data.get("product") if isinstance(data, dict) else None
        rows = product.get("variants") if isinstance(product, dict) else None
        rows = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
        offers = tuple(
            StatedOffer(price=_cents(row.get("price")), sku=plain(row.get("sku"), 100), title=plain(row.get("name")))
            for row in rows
        )
        skus = {offer.sku for offer in offers if offer.sku}
        if offers:
            yield Stated(
                source="family", where="shopify.meta", product_id=plain(dig(product, "id"), 40),
                sku=next(iter(skus)) if len(skus) == 1 else None, offers=offers,
            )  # fmt: skip
        return


def _magento(document: Document) -> Iterator[Stated]:
    """The price box of the product itself: its elements carry amounts; those of other products stand in lists."""
    for box in document.tree.css(".product-info-price [data-role=priceBox], .product-info-main [data-role=priceBox]")[
        :1
    ]:
        price, before = (_marked(box, kind) for kind in ("finalPrice", "oldPrice"))
        if price is None:
            continue
        offer = StatedOffer(price=price, list_price=before if before is not None and before > price else None)
        number = plain(box.attributes.get("data-product-id"), 40)
        yield Stated(source="family", where="magento", product_id=number, offers=(offer,))


def _marked(box: LexborNode, kind: str) -> Decimal | None:
    for node in box.css(f"[data-price-type={kind}][data-price-amount]")[:1]:
        return _units((node.attributes.get("data-price-amount") or "").strip())
    return None


def _bigcommerce(document: Document) -> Iterator[Stated]:
    """`var BCData`: the chosen variant's number, price and stock."""
    for script in document.scripts:
        at = script.text.find("BCData = {")
        if at < 0:
            continue
        end = script.text.find("};", at)
        data = dig(_json(script.text[at + 9 : end + 1]), "product_attributes")
        prices = dig(data, "price")
        shown = dig(prices, "sale_price_with_tax", "value") or dig(prices, "with_tax", "value")
        price = _units(shown if shown is not None else dig(prices, "without_tax", "value"))
        before = _units(dig(prices, "rrp_with_tax", "value") or dig(prices, "non_sale_price_with_tax", "value"))
        offer = StatedOffer(
            price=price,
            list_price=before if before is not None and price is not None and before > price else None,
            currency=code_of(dig(prices, "with_tax", "currency")),
            available=stock_of(dig(data, "instock")),
        )
        if price is not None:
            yield Stated(source="family", where="bigcommerce", sku=plain(dig(data, "sku"), 100), offers=(offer,))
        return


def _json(shown: str | None) -> Any:
    try:
        return load_json(shown) if shown else None
    except ValueError:
        return None


def _units(value: object) -> Decimal | None:
    try:
        return units(value)
    except MoneyError:
        return None


def _cents(value: object) -> Decimal | None:
    try:
        return cents(value)
    except MoneyError:
        return None
