"""The product's own profile spider, for a benchmark that has more visits than the simulated world has accounts."""

from __future__ import annotations

from typing import ClassVar

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
