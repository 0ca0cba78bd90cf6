"""A Shopify-like store: product JSON in its shapes, HTML with JSON-LD and widgets, reviews; and a plain shop."""

from __future__ import annotations

from datetime import timedelta
from html import escape
from typing import Any
from xml.sax.saxutils import escape as xml

from demo.site.app import Answer, Asked, View, as_json, in_script, page, route
from demo.site.x import iso
from demo.world.shop import CURRENCY, HOST, Product, Variant
from demo.world.shop import Asked as Price

STORE = (HOST, f"www.{HOST}")
PLAIN = ("plain-shop.example", "www.plain-shop.example")
WIDGET = ("api-cdn.yotpo.com",)
WIDGET_KEY = "SimulatedWidgetKeyOfTidewaterGoods000001"
MOST = 250  # a larger limit is ignored, as the real one ignores it


def units(cents: int) -> str:
    return f"{cents / 100:.2f}"


def prices(view: View, product: Product) -> list[tuple[Variant, Price]]:
    return [(variant, view.world.shop.asked(product, variant, view.at_h)) for variant in product.variants]


@route((*STORE, *PLAIN, *WIDGET), r"/robots\.txt")
def robots(view: View, asked: Asked) -> Answer:
    return Answer(kind="text/plain", body=b"User-agent: *\nDisallow: /admin\nDisallow: /cart\nDisallow: /checkout\n")


@route(STORE, r"(/collections/all)?/products\.json")
def catalogue(view: View, asked: Asked) -> Answer:
    limit, number = asked.whole("limit", 30), max(1, asked.whole("page", 1))
    limit = min(limit, MOST) or 30
    found = view.world.shop.listed(view.at_h)[(number - 1) * limit : number * limit]
    key = "goods" if "renamed" in view.twists else "products"
    return as_json({key: [listed(view, product) for product in found]})


@route(STORE, r"/products/(?P<handle>[^/.]+)\.json")
def one_json(view: View, asked: Asked, handle: str) -> Answer:
    product = _find(view, handle)
    return as_json({"product": listed(view, product)}) if product else as_json({"errors": "Not Found"}, 404)


def listed(view: View, product: Product) -> dict[str, Any]:
    """The shape of `.json`: prices as text in units; compare_at_price null, empty, or the price itself."""
    variants = []
    for n, (variant, price) in enumerate(prices(view, product)):
        before = units(price.was) if price.was else (None, "", units(price.cents))[(product.index + n) % 3]
        variants.append(
            {
                "id": int(variant.variant_id), "title": variant.title, "option1": variant.title, "sku": variant.sku,
                "requires_shipping": True, "taxable": True, "available": price.available, "price": units(price.cents),
                "grams": 100, "compare_at_price": before, "position": n + 1, "product_id": int(product.product_id),
            }
        )  # fmt: skip
        if "renamed" in view.twists:
            variants[-1]["cost"] = variants[-1].pop("price")
    return {
        "id": int(product.product_id), "title": product.title, "handle": product.handle,
        "body_html": f"<p>{escape(product.title)} &amp; more, made by the sea.</p>", "vendor": "Tidewater Goods",
        "published_at": iso(view.world.moment(max(product.from_h, -2000))), "product_type": product.kind,
        "tags": list(product.tags), "variants": variants,
        "images": [{"id": product.index + 1, "position": 1, "src": f"https://cdn.example/{product.handle}.jpg"}],
        "options": [{"name": "Size", "position": 1, "values": [variant.title for variant in product.variants]}],
    }  # fmt: skip


@route(STORE, r"/products/(?P<handle>[^/.]+)\.js")
def one_js(view: View, asked: Asked, handle: str) -> Answer:
    product = _find(view, handle)
    if product is None:
        return page("", 404)
    return as_json(in_cents(view, product), kind="text/javascript")


def in_cents(view: View, product: Product) -> dict[str, Any]:
    """The shape of `.js` and of the product JSON in themes: whole cents, 0 where there is no older price."""
    asked = prices(view, product)
    low, high = min(p.cents for _, p in asked), max(p.cents for _, p in asked)
    before = [price.was for _, price in asked if price.was]
    variants = [
        {
            "id": int(variant.variant_id), "title": variant.title, "sku": variant.sku, "available": price.available,
            "name": f"{product.title} - {variant.title}", "price": price.cents, "compare_at_price": price.was,
        }
        for variant, price in asked
    ]  # fmt: skip
    if "renamed" in view.twists:
        variants = [{("cost" if key == "price" else key): value for key, value in each.items()} for each in variants]
    return {
        "id": int(product.product_id), "title": product.title, "handle": product.handle,
        "description": f"<p>{escape(product.title)} &amp; more, made by the sea.</p>", "vendor": "Tidewater Goods",
        "type": product.kind, "tags": list(product.tags), "price": low, "price_min": low, "price_max": high,
        "available": any(price.available for _, price in asked), "price_varies": low != high,
        "compare_at_price": min(before) if before else None, "compare_at_price_min": min(before, default=0),
        "compare_at_price_max": max(before, default=0), "compare_at_price_varies": len(set(before)) > 1,
        "variants": variants, "featured_image": f"//cdn.example/{product.handle}.jpg",
        "images": [f"//cdn.example/{product.handle}.jpg"], "url": f"/products/{product.handle}",
    }  # fmt: skip


@route(STORE, r"/products/(?P<handle>[^/.]+)\.oembed")
def one_oembed(view: View, asked: Asked, handle: str) -> Answer:
    product = _find(view, handle)
    if product is None:
        return page("", 404)
    return as_json({**oembed(view, product), "url": f"https://{HOST}/products/{handle}", "provider": "Tidewater Goods"})


@route(STORE, r"/collections/(?P<name>[^/.]+)\.oembed")
def collection_oembed(view: View, asked: Asked, name: str) -> Answer:
    products = [oembed(view, product) for product in view.world.shop.listed(view.at_h)]
    return as_json({"products": products, "url": f"https://{HOST}/collections/{name}", "provider": "Tidewater Goods"})


def oembed(view: View, product: Product) -> dict[str, Any]:
    """Prices as floats in units; `product_id` is the handle."""
    offers = [
        {
            "title": variant.title, "offer_id": int(variant.variant_id), "sku": variant.sku,
            "price": price.cents / 100, "currency_code": CURRENCY, "in_stock": price.available,
        }
        for variant, price in prices(view, product)
    ]  # fmt: skip
    return {
        "product_id": product.handle, "title": product.title, "description": "<p>Made by the sea.</p>",
        "brand": "Tidewater Goods", "offers": offers, "thumbnail_url": f"//cdn.example/{product.handle}.jpg",
        "version": "1.0", "type": "link",
    }  # fmt: skip


@route(STORE, r"(?:/collections/[^/.]+)?/products/(?P<handle>[^/.]+)/?")
def html(view: View, asked: Asked, handle: str) -> Answer:
    product = _find(view, handle)
    if product is None:
        return page("<!doctype html><title>404 Not Found</title>", 404)
    inner = in_cents(view, product)
    meta = {
        "product": {
            "id": inner["id"],
            "variants": [{"id": v["id"], "price": v.get("price")} for v in inner["variants"]],
        }
    }
    body = (
        f"<h1>{escape(product.title)}</h1>{_widget(view, product)}"
        f'<script type="application/json" id="ProductJson-product-template">{in_script(inner)}</script>'
        # A widget leaves its style in such a script: not every one of them is JSON.
        '<script type="application/ld+json">.rte { padding: 0 }</script>'
        f'<script type="application/ld+json">{in_script(linked(view, product))}</script>'
        f"<script>var meta = {in_script(meta)};</script>"
    )
    return page(_frame(f"{product.title} – Tidewater Goods", f"/products/{product.handle}", body))


def linked(view: View, product: Product) -> dict[str, Any]:
    """JSON-LD: availability with http or https or `None`, ratings as text."""
    url = f"https://{HOST}/products/{product.handle}"
    rating, count = view.world.shop.rating(product, view.at_h)
    words = ("http://schema.org/InStock", "https://schema.org/InStock")
    offers = [
        {
            "@type": "Offer", "name": variant.title, "sku": variant.sku, "url": f"{url}?variant={variant.variant_id}",
            "price": units(price.cents) if n % 2 else price.cents / 100, "priceCurrency": CURRENCY,
            "availability": words[n % 2] if price.available else "https://schema.org/OutOfStock",
        }
        for n, (variant, price) in enumerate(prices(view, product))
    ]  # fmt: skip
    made: dict[str, Any] = {
        "@context": "https://schema.org/", "@type": "Product", "name": product.title, "url": url,
        "gtin13": product.gtin, "brand": {"@type": "Brand", "name": "Tidewater Goods"}, "offers": offers,
        "description": "Made by the sea.",
    }  # fmt: skip
    if count:
        counted = "reviewCount" if product.index % 2 else "ratingCount"
        made["aggregateRating"] = {"@type": "AggregateRating", "ratingValue": str(rating), counted: str(count)}
    return made


@route(STORE, r"/(?:collections/(?P<name>[^/.]+)/?)?")
def collection(view: View, asked: Asked, name: str | None) -> Answer:
    """Cards with the product JSON of the theme; the first two stand there twice, as featured ones do."""
    listed_now = view.world.shop.listed(view.at_h)
    cards = []
    for product in [*listed_now[:2], *listed_now]:
        inner = {"product": in_cents(view, product)}
        cards.append(
            f'<div class="card"><a href="/products/{product.handle}">{escape(product.title)}</a>'
            f"<script class='js-product-json' type=\"application/json\">{in_script(inner)}</script>"
            f"{_widget(view, product)}</div>"
        )
    return page(_frame("Tidewater Goods", f"/collections/{name or 'all'}", "".join(cards)))


def _widget(view: View, product: Product) -> str:
    rating, count = view.world.shop.rating(product, view.at_h)
    return (
        f'<span\n  class="junip-product-summary"\n  data-product-id="{product.product_id}"\n'
        f'  data-product-rating-count="{count}"\n  data-product-rating-average="{rating}">\n</span>'
    )


def _frame(title: str, path: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><title>{escape(title)}</title>'
        '<meta name="generator" content="simulated">'
        f'<link rel="canonical" href="https://{HOST}{path}"><meta property="og:url" content="https://{HOST}{path}">'
        f'<script>Shopify = {{}}; Shopify.shop = "tidewater.myshopify.com";'
        f'Shopify.locale = "en"; Shopify.currency = {{"active":"{CURRENCY}","rate":"1.0"}};'
        'Shopify.country = "IE";</script>'
        f'<script src="https://staticw2.yotpo.com/{WIDGET_KEY}/widget.js"></script></head><body>{body}</body></html>'
    )


@route(STORE, r"/sitemap(_products_1)?\.xml")
def sitemap(view: View, asked: Asked) -> Answer:
    urls = "".join(
        f"<url><loc>{xml(f'https://{HOST}/products/{product.handle}')}</loc></url>"
        for product in view.world.shop.listed(view.at_h)
    )
    body = f'<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>'
    return Answer(kind="application/xml; charset=utf-8", body=body.encode())


@route(WIDGET, r"/v1/widget/(?P<key>\w+)/products/(?P<product_id>\d+)/reviews\.json")
def reviews(view: View, asked: Asked, key: str, product_id: str) -> Answer:
    """The JSON of a review widget: mean, stars, and the reviews page by page."""
    product = next((each for each in view.world.shop.listed(view.at_h) if each.product_id == product_id), None)
    if product is None:
        return as_json({"status": {"code": 404, "message": "not found"}}, 404)
    opinions = view.world.talkers.opinions(product, view.at_h)
    rating, count = view.world.shop.rating(product, view.at_h)
    number, each_page = max(1, asked.whole("page", 1)), max(1, asked.whole("per_page", 5, 150))
    stars = {str(n): sum(each.stars == n for each in opinions) for n in range(1, 6)}
    shown = [
        {
            "id": each.review_id, "score": each.stars, "votes_up": 0, "votes_down": 0, "content": each.text,
            "title": each.title, "verified_buyer": each.verified, "deleted": False, "language": None,
            "created_at": (view.world.start + timedelta(hours=each.created_h)).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "user": {"user_id": int(each.author), "display_name": "A customer"},
        }
        for each in opinions[(number - 1) * each_page : number * each_page]
    ]  # fmt: skip
    response = {
        "pagination": {"page": number, "per_page": each_page, "total": count},
        "bottomline": {"total_review": count, "average_score": rating, "star_distribution": stars},
        "products": [{"domain_key": product_id, "name": product.title, "product_link": f"https://{HOST}/products/{product.handle}"}],
        "opinions" if "renamed" in view.twists else "reviews": shown,
    }  # fmt: skip
    return as_json({"status": {"code": 200, "message": "OK"}, "response": response})


def _find(view: View, handle: str) -> Product | None:
    return None if "missing" in view.twists else view.world.shop.find(handle, view.at_h)


@route(PLAIN, r"/.*", only_by_name=True)
def plain_shop(view: View, asked: Asked) -> Answer:
    """Another shop's software: whatever is asked, 200 and a web page."""
    return page("<!doctype html><html><head><title>Plain Shop</title></head><body><h1>Welcome</h1></body></html>")
