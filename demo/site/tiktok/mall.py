"""The platform's own shop: the same goods as in the store, at another price, in the page's router state."""

from __future__ import annotations

import json
from typing import Any

from demo.site.app import Answer, Asked, View, route
from demo.site.tiktok.html import script, whole
from demo.site.tiktok.pages import SITE
from demo.world.shop import Product, Variant

ROUTE = "shop/pdp/(product_name_slug$)/(product_id)/page"
MALL = (*SITE, "shop.tiktok.com")
SHOWN_REVIEWS = 5


@route(MALL, r"(/shop)?/([a-z-]+/)?pdp/(?P<slug>[^/]+/)?(?P<product_id>\d+)/?")
@route(MALL, r"/view/product/(?P<product_id>\d+)/?")
def product(view: View, asked: Asked, product_id: str, slug: str | None = None) -> Answer:
    """A product that is not sold is a page with the component and an error in it."""
    sold = view.world.shop.listed(view.at_h)
    found = next((each for each in sold if mall_id(each) == product_id), None)
    data: dict[str, Any] = {"error_code": 23002101, "error_message": "Product not found", "product_info": None}
    if found is not None and "missing" not in view.twists:
        data = {
            "categories": [{"category_name": "Home Supplies"}, {"category_name": found.kind}], "error_code": 0,
            "sale_region": "US", "product_info": info(view, found),
        }  # fmt: skip
    components = [
        {"component_name": "page_header", "component_type": "page_header", "component_data": {}},
        {"component_name": "product_info", "component_type": "product_info", "component_data": data},
    ]
    state = {"loaderData": {"layout": {}, ROUTE: {"page_config": {"components_map": components}}}, "errors": None}
    return whole("TikTok Shop", script("__MODERN_ROUTER_DATA__", state))


def mall_id(product: Product) -> str:
    return "1729" + product.product_id


def info(view: View, product: Product) -> dict[str, Any]:
    skus = [sku(view, product, variant) for variant in product.variants]
    values = sorted(float(each["price"]["real_price"]["price_val"]) for each in skus)
    detail = [{"type": "text", "text": f"{product.title}, made by the sea."}]
    price = {
        "real_price": f"${values[0]:.2f}" + (f" - {values[-1]:.2f}" if values[-1] > values[0] else ""),
        "min_sku_price": f"{values[0]:.2f}", "max_sku_price": f"{values[-1]:.2f}", "currency": "USD",
        "currency_symbol": "$", "is_interval_price": values[-1] > values[0],
    }  # fmt: skip
    base = {
        "title": f"  {product.title} ", "desc_detail": json.dumps(detail), "price": price,
        "sold_count": view.world.shop.sold(product, view.at_h),
        "images": [{"url_list": [f"https://cdn.example/{product.handle}.jpeg"], "height": 800, "width": 800}],
    }  # fmt: skip
    if "renamed" in view.twists:
        base["product_name"] = base.pop("title")
    return {
        "product_id": mall_id(product), "status": 1, "product_base": base, "skus": skus,
        "seller": {"seller_id": "7495000000000000001", "name": "Tidewater US", "product_count": 24},
        "logistic": {
            "shipping_fee": {"price_str": "$4.90", "price_val": "4.9", "currency": "USD"}, "free_shipping": False,
        },
        "product_detail_review": reviews(view, product),
    }  # fmt: skip


def sku(view: View, product: Product, variant: Variant) -> dict[str, Any]:
    asked = view.world.shop.asked_in_mall(product, variant, view.at_h)
    shown, plain = f"${asked.cents / 100:.2f}", str(asked.cents / 100)  # '$7.80' and '7.8'
    price: dict[str, Any] = {
        "real_price": {"price_str": shown, "price_val": plain, "currency": "USD"},
        "original_price": "", "original_price_value": "", "discount": "",
    }  # fmt: skip
    if asked.was:
        off = round(100 * (1 - asked.cents / asked.was))
        price |= {
            "original_price": f"${asked.was / 100:.2f}", "original_price_value": f"{asked.was / 100:.2f}",
            "discount": f"-{off}%",
        }  # fmt: skip
    return {
        "sku_id": "1729" + variant.variant_id, "stock": 25 if asked.available else 0, "price": price,
        "sku_sale_props": [{"prop_name": "Size", "prop_value": variant.title}],
    }  # fmt: skip


def reviews(view: View, product: Product) -> dict[str, Any]:
    rating, count = view.world.shop.rating(product, view.at_h)
    rows = [
        {
            "review": {
                "review_id": str(7_000_000_000_000_000_000 + each.review_id), "rating": each.stars,
                "display_text": each.text, "main_review_title": each.title,
                "review_timestamp": str(int(view.world.moment(each.created_h).timestamp() * 1000)),
            },
            "review_user": {"name": "A customer", "link": f"aweme://user/profile/{each.author}"},
        }
        for each in view.world.talkers.opinions(product, view.at_h)[:SHOWN_REVIEWS]
    ]  # fmt: skip
    return {
        "product_rating": rating, "review_count": count, "review_items": rows,
        "review_count_str": f"{count / 1000:.1f}k" if count >= 1000 else str(count),
        "review_count_str_v2": f"{count:,}",
    }  # fmt: skip
