"""TikTok's pages, from all eras of their embedded state.

Where two classes know a body, the first one named here reads it.
"""

from crawler.pages.tiktok.video import PostPage  # isort: skip
from crawler.pages.tiktok.hashtag import HashtagPage  # isort: skip
from crawler.pages.tiktok.sound import SoundPage  # isort: skip
from crawler.pages.tiktok.comments import CommentsPage  # isort: skip
from crawler.pages.tiktok.profile import ProfilePage  # isort: skip
from crawler.pages.tiktok.lists import ListPage  # isort: skip
from crawler.pages.tiktok.saved import SavedPostsPage  # isort: skip
from crawler.pages.tiktok.discover import DiscoverPage  # isort: skip
from crawler.pages.tiktok.shop import ShopProductPage  # isort: skip
from crawler.pages.tiktok.feed import FeedPage  # isort: skip
from crawler.pages.tiktok.zeeschuimer import ZeeschuimerPage  # isort: skip
from crawler.pages.tiktok.wall import WallPage  # isort: skip

__all__ = [
    "CommentsPage",
    "DiscoverPage",
    "FeedPage",
    "HashtagPage",
    "ListPage",
    "PostPage",
    "ProfilePage",
    "SavedPostsPage",
    "ShopProductPage",
    "SoundPage",
    "WallPage",
    "ZeeschuimerPage",
]
