"""TikTok: profiles. More kinds come with their pages."""

from __future__ import annotations

from crawler.targets import TargetForm
from spiders.base import PageSpider


class TikTokProfile(PageSpider):
    name = "tiktok_profile"
    page = "tiktok.profile"
    url = "https://www.tiktok.com/@{target}"
    hosts = ("www.tiktok.com",)
    target = TargetForm(r"(?:https?://(?:www\.|m\.)?tiktok\.com/)?@?([\w.]{1,24})/?(?:\?.*)?", "@nasa,@bbc")
