"""The product's own spiders, for a benchmark that has more visits than the simulated world has accounts."""

from __future__ import annotations

from typing import Any, ClassVar

from scrapy import Request

from crawler.targets import TargetForm
from spiders import tiktok


class Again(tiktok.TikTokProfile):
    """Targets are 'handle~n': the same account, fetched anew for every n."""

    name = "benchmark_profile"
    url = "https://www.tiktok.com/@{target}"
    target: ClassVar[TargetForm] = TargetForm(r"([\w.]+~\d+)", "coral.cooks~1")

    def address(self, target: str) -> str:
        handle, _, n = target.partition("~")
        return f"https://www.tiktok.com/@{handle}?n={n}"

    def browse(self, url: str, page: str, target: str | None, **more: Any) -> Request:
        """The very page that was read by http."""
        return super().browse(self.address(target or ""), page, target, **more)


class Pages(Again):
    """Such visits, and ids of posts: pages whose data is in the HTML."""

    name = "benchmark_pages"
    url = "https://www.tiktok.com/@{target}"
    target: ClassVar[TargetForm] = TargetForm(r"([\w.]+~\d+|\d{8,20})", "coral.cooks~1")

    def address(self, target: str) -> str:
        return f"https://www.tiktok.com/@/video/{target}" if target.isdecimal() else super().address(target)

    def page_for(self, target: str) -> str:
        return "tiktok.post" if target.isdecimal() else self.page
