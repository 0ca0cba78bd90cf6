"""Trending lists by place, from several sources that back each other up. What no capture confirms, its page says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.targets import TargetForm
from spiders.boards import PLACE, BoardSpider, address_of

if TYPE_CHECKING:
    from scrapy import Request


class GetDayTrends(BoardSpider):
    name = "getdaytrends"
    page = "getdaytrends.trends"
    url = "https://getdaytrends.com/{slug}"
    hosts = ("getdaytrends.com",)
    target = PLACE
    least_items = 20


class Trends24(BoardSpider):
    name = "trends24"
    page = "trends24.trends"
    url = "https://trends24.in/{slug}"
    hosts = ("trends24.in",)
    target = PLACE
    least_items = 20


class TwitterTrendingArchive(BoardSpider):
    """Past days: -a targets=united-states/01-01-2019 (day-month-year)."""

    name = "twitter_trending_archive"
    page = "twitter_trending.archive"
    url = "https://archive.twitter-trending.com/{target}"
    hosts = ("archive.twitter-trending.com",)
    target = TargetForm(r"([a-z-]+/\d\d-\d\d-\d{4})", "united-states/01-01-2019")

    def _has(self, target: str) -> bool:
        return True

    def address(self, target: str) -> str:
        return self.url.format(target=target)


class XTrends(BoardSpider):
    """X API v2 with your bearer token. Without one, the public board of getdaytrends.com."""

    name = "x_trends"
    page = "x.trends_by_woeid"
    url = "https://api.x.com/2/trends/by/woeid/{woeid}?max_trends=50"
    hosts = ("api.x.com", "getdaytrends.com")
    target = PLACE
    cities = True
    least_items = 5

    def credentials(self) -> dict[str, str]:
        token = self.context.config.x_bearer_token
        return {"Authorization": f"Bearer {token}"} if token else {}

    def address(self, target: str) -> str:
        if self.credentials():
            return super().address(target)
        self.logger.warning("x_trends: X_BEARER_TOKEN is not set; taking the public board of getdaytrends.com")
        return address_of(GetDayTrends.url, target)

    def _request(self, url: str, page: str, target: str | None) -> Request:
        return super()._request(url, page if self.credentials() else GetDayTrends.page, target)


class GoogleTrends(BoardSpider):
    name = "google_trends"
    page = "google.trending"
    url = "https://trends.google.com/trending/rss?geo={geo}"
    hosts = ("trends.google.com",)
    target = PLACE
    worldwide = False
    least_items = 2


class YouTubeTrending(BoardSpider):
    name = "youtube_trending"
    page = "youtube.popular"
    url = (
        "https://www.googleapis.com/youtube/v3/videos"
        "?chart=mostPopular&part=snippet,statistics&maxResults=50&regionCode={geo}"
    )
    hosts = ("www.googleapis.com",)
    target = PLACE
    worldwide = False
    needs_key = "YOUTUBE_API_KEY"
    least_items = 10

    def credentials(self) -> dict[str, str]:
        key = self.context.config.youtube_api_key
        return {"X-Goog-Api-Key": key} if key else {}


class CreativeCenterHashtags(BoardSpider):
    """The site answers its own signed requests; an unsigned one is mostly refused, and the outcome says so."""

    name = "tiktok_creative_hashtags"
    page = "tiktok.creative_center"
    url = (
        "https://ads.tiktok.com/creative_radar_api/v1/popular_trend/hashtag/list"
        "?page=1&limit=50&period=7&country_code={geo}&sort_by=popular"
    )
    hosts = ("ads.tiktok.com",)
    target = PLACE
    worldwide = False


class CreativeCenterSounds(CreativeCenterHashtags):
    name = "tiktok_creative_sounds"
    url = (
        "https://ads.tiktok.com/creative_radar_api/v1/popular_trend/sound/rank_list"
        "?page=1&limit=50&period=7&country_code={geo}&rank_type=popular"
    )


class CreativeCenterCreators(CreativeCenterHashtags):
    name = "tiktok_creative_creators"
    url = (
        "https://ads.tiktok.com/creative_radar_api/v1/popular_trend/creator/list"
        "?page=1&limit=50&sort_by=follower&country_code={geo}"
    )
