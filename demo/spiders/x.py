"""The X API's trends by place, with the key of the simulated web."""

from __future__ import annotations

from crawler.targets import TargetForm
from demo.site.x import TOKEN
from spiders.base import PageSpider


class SimulatedTrends(PageSpider):
    name = "simulated_x_trends"
    page = "x.trends_place"
    url = "https://api.x.com/1.1/trends/place.json?id={target}"
    hosts = ("api.x.com",)
    target = TargetForm(r"(\d{1,10})", "23424768")
    custom_settings = {  # noqa: RUF012 - Scrapy's own attribute
        "DEFAULT_REQUEST_HEADERS": {"Authorization": f"Bearer {TOKEN}"}
    }
