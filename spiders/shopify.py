"""Shopify stores: the whole catalogue through /products.json, page by page."""

from __future__ import annotations

from crawler.targets import TargetForm
from spiders.base import PageSpider


class ShopifyStore(PageSpider):
    name = "shopify_store"
    page = "shopify.catalogue"
    url = "https://{target}/products.json?limit=250&page=1"
    hosts = ("{target}",)
    target = TargetForm(r"(?:https?://)?((?:[a-z0-9-]+\.)+[a-z]{2,})/?.*", "meetblume.com")
