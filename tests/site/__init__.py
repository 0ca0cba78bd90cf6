"""A spider for the little web site that the end-to-end tests serve on loopback."""

from __future__ import annotations

from crawler.targets import TargetForm
from spiders.base import PageSpider


class SiteStore(PageSpider):
    name = "site_store"
    page = "shopify.catalogue"
    url = "http://{target}/products.json?limit=2&page=1"
    hosts = ("127.0.0.1",)
    target = TargetForm(r"([\w.]+:\d+)", "127.0.0.1:8000")
