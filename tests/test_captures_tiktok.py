"""Captured TikTok posts, lists, comments, products, dumps: figures counted in the files, not by the parser."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar

import pytest

from crawler import pages
from crawler.config import load
from crawler.items import (
    Board,
    BoardEntry,
    Comment,
    Hashtag,
    Item,
    Offer,
    Post,
    Product,
    Profile,
    Refused,
    Review,
    Sound,
)
from crawler.lanes.sources import Options, Skipped, read
from crawler.outcomes import Outcome
from crawler.pages import Page

CAPTURES = load().shared_dir / "captures" / "tiktok"
pytestmark = pytest.mark.skipif(not CAPTURES.exists(), reason=f"the real captures are not at {CAPTURES}")
DAY = datetime(2026, 3, 1, tzinfo=UTC)
I = TypeVar("I", bound=Item)  # noqa: E741 - the type variable of an item


def page(path: str, url: str | None = None, place: str | None = None) -> Page | None:
    """The page object that a replay would choose, with what a person may say beside the file."""
    [each] = read([CAPTURES / path], Options(observed_at=DAY, url=url, place=place))
    assert not isinstance(each, Skipped), each.reason
    cls = pages.choose(each.url, each.body)
    return cls(each.url, each.body, each.fetched_at, each.headers, capture=each.id, hash_key="k" * 32) if cls else None


def good(path: str, url: str | None = None, place: str | None = None) -> tuple[Page, list[Item]]:
    found = page(path, url, place)
    assert found is not None, path
    assert found.outcome is Outcome.OK, found.result.problem
    items = list(found.items())
    assert not [item for item in items if isinstance(item, Refused)]
    return found, [item for item in items if isinstance(item, Item)]


def only(kind: type[I], items: list[Item]) -> list[I]:
    return [item for item in items if isinstance(item, kind)]


V = "video/"
# file, post, its author's number, likes, comments, shares, views, saves, followers; each (number, rounding step)
POSTS = [
    (V + "cong99x-tiktok_mobile_202601.html", "7600352599870557461", "6627359296702414849", (9669, None), (63, None),
     (1340, None), (192_800, 100), (2700, None), (2_000_000, 100_000)),
    (V + "drawrowfly-videoMeta_202003.html", "6807491984882765062", "107955", (35_650, None), (2543, None),
     (256, None), (445_444, None), (None, None), (37_960_449, None)),
    (V + "drawrowfly-videoMeta_202010.html", "6881450806688664838", "107955", (1_300_000, 100_000), (25_700, 100),
     (13_100, 100), (45_100_000, 100_000), (None, None), (48_300_000, 100_000)),
    (V + "metascraper-video.html", "7571863205253778710", "6781206617314018309", (25_500, 100), (146, None),
     (2156, None), (192_100, 100), (1311, None), (783_400, 100)),
    (V + "pakcoder11-tiktok_comments.html", "7507673491211029803", "7495137290886186030", (36_200, 100), (242, None),
     (5522, None), (1_500_000, 100_000), (1846, None), (9851, None)),
    (V + "rimineuit-video.html", "7526770564367748360", "26960383", (844_400, 100), (2182, None), (25_600, 100),
     (18_500_000, 100_000), (16_630, None), (3_700_000, 100_000)),
    ("scrapfly/2024-02-posts.json", "7198206283571285294", "6976999329680589829", (1_500_000, 100_000), (5494, None),
     (11_800, 100), (14_000_000, 100_000), (92_417, None), (None, None)),
    ("scrapfly/2025-09-posts.json", "7198206283571285294", "6976999329680589829", (1_500_000, 100_000), (4985, None),
     (13_000, 100), (15_000_000, 100_000), (97_521, None), (None, None)),
    ("scrapfly/2026-01-posts.json", "7198206283571285294", "6976999329680589829", (1_500_000, 100_000), (4572, None),
     (13_000, 100), (15_000_000, 100_000), (97_723, None), (None, None)),
]  # fmt: skip


@pytest.mark.parametrize("row", POSTS, ids=lambda row: row[0])
def test_a_captured_post_gives_its_true_numbers(row):
    path, post_id, author_id, *numbers = row
    _, items = good(path)
    [post] = only(Post, items)
    assert (post.key, post.author_id) == (f"tiktok:post:{post_id}", author_id)
    names = ("likes", "comments", "shares", "views", "saves", "author_followers")
    assert [(getattr(post, name), getattr(post, f"{name}_precision")) for name in names] == numbers


@pytest.mark.parametrize(
    ("path", "hashtags", "mentions", "subtitles", "seconds", "language", "location"),
    [
        (V + "cong99x-tiktok_mobile_202601.html", 2, 0, 2, 79, None, "VN"),
        (V + "drawrowfly-videoMeta_202003.html", 1, 0, 0, 16, None, None),
        (V + "drawrowfly-videoMeta_202010.html", 0, 3, 0, 15, None, None),
        (V + "metascraper-video.html", 0, 2, 2, 64, "es", "ES"),
        (V + "pakcoder11-tiktok_comments.html", 10, 0, 0, 9, "en", "PK"),
        (V + "rimineuit-video.html", 3, 0, 2, 34, "vi", "VN"),
    ],
)
def test_a_captured_post_says_what_it_says_and_no_more(
    path, hashtags, mentions, subtitles, seconds, language, location
):
    [post] = only(Post, good(path)[1])
    assert (len(post.hashtags or ()), len(post.mentions or ())) == (hashtags, mentions)
    assert len(post.subtitles or ()) == subtitles
    assert (post.duration_s, post.language, post.location, post.media) == (seconds, language, location, "video")


# file, posts, sum of their plays, accounts beside them, board, entries
LISTS = [
    ("xhr/drawrowfly-api_item_list_202006.json", 26, 172_700_000, 0, "tiktok:creator:tiktok", 26),
    ("xhr/drawrowfly-share_item_list_202003.json", 24, 392_875_973, 1, "tiktok:creator:charlidamelio", 24),
    ("search/diannebatya/tikapi_search_general_skincare_us.json", 12, 109_271_300, 12, None, 0),
    ("scrapfly/2024-02-channel.json", 70, 274_929_600, 0, None, 0),
    ("scrapfly/2025-09-channel.json", 132, 632_890_400, 0, None, 0),
    ("scrapfly/2026-01-channel.json", 53, 319_289_400, 0, None, 0),
    ("scrapfly/2024-02-search.json", 35, 444_711_000, 29, None, 0),
    ("scrapfly/2025-09-search.json", 34, 243_854_000, 32, None, 0),
    ("scrapfly/2026-01-search.json", 84, 615_692_349, 74, None, 0),
    ("dumps/blaisecomo-trending.json", 1000, 1_029_212_935, 0, None, 0),
    ("dumps/drawrowfly-thebigbradwolf_202101.json", 65, 38_276_900, 1, None, 0),
    ("dumps/maira148-tiktok_raw.json", 3, 47_200_000, 3, None, 0),
    ("dumps/tiktok_trending.json", 214, 1_795_870_900, 0, None, 0),
]


@pytest.mark.parametrize(("path", "posts", "plays", "accounts", "board", "entries"), LISTS)
def test_a_captured_list_gives_each_post_once_with_its_plays(path, posts, plays, accounts, board, entries):
    _, items = good(path)
    found = only(Post, items)
    assert len(found) == len({post.key for post in found}) == posts
    assert sum(post.views or 0 for post in found) == plays
    assert len(only(Profile, items)) == len({item.key for item in only(Profile, items)}) == accounts
    assert [item.board for item in only(Board, items)] == ([board] if board else [])
    assert [item.position for item in only(BoardEntry, items)] == list(range(1, entries + 1))


def test_3645_explore_rows_are_214_posts_without_the_region_and_category_that_were_asked_for():
    found, items = good("dumps/tiktok_trending.json")
    posts = only(Post, items)
    assert (found.result.got, len(posts)) == (3645, 214)
    assert len({post.author for post in posts}) == 175
    assert {(post.location, post.category) for post in posts} == {(None, None)}


def test_a_search_is_a_board_once_its_address_is_told():
    url = "https://www.tiktok.com/api/search/general/full/?keyword=skincare&offset=0"
    _, items = good("search/diannebatya/tikapi_search_general_skincare_us.json", url, "us")
    [board], entries = only(Board, items), only(BoardEntry, items)
    assert (board.board, board.place, board.size, board.got) == ("tiktok:search:skincare@us", "us", 12, 12)
    assert (entries[0].entity, entries[0].volume) == ("tiktok:post:7322451384014507307", 6_800_000)
    assert (entries[8].entity, entries[8].volume) == ("tiktok:post:7327643066393726240", 62_200_000)
    assert sum(item.followers or 0 for item in only(Profile, items)) == 9_976_759


def test_hearts_that_wrapped_at_32_bits_are_mended_and_counted():
    found, items = good("scrapfly/2026-01-search.json")
    assert found.result.repaired == 1
    [creator] = [item for item in only(Profile, items) if item.user_id == "6646764999833403398"]
    assert (creator.likes, creator.likes_precision, creator.followers) == (9_200_000_000, 100_000_000, 48_400_000)


def test_hearts_above_2_to_the_31_that_came_as_text_are_whole():
    [profile] = only(Profile, good("xhr/drawrowfly-share_item_list_202003.json")[1])
    assert (profile.likes, profile.followers, profile.videos) == (2_426_012_173, 40_431_380, 1072)


def test_downloaders_rows_keep_the_authors_counters_and_the_slideshow_is_a_photo_post():
    [profile] = only(Profile, good("dumps/drawrowfly-thebigbradwolf_202101.json")[1])
    assert (profile.followers, profile.likes, profile.videos) == (398_700, 20_400_000, 263)
    posts = only(Post, good("dumps/maira148-tiktok_raw.json")[1])
    assert [(post.post_id, post.media, post.views) for post in posts] == [
        ("7262071210492595498", "photo", 2_200_000),
        ("7562406072955309343", "video", 4_600_000),
        ("6930931702000897285", "video", 40_400_000),
    ]
    assert [post.pinned for post in posts] == [True, True, True]


def test_a_table_of_posts_has_ids_and_likes_but_no_plays():
    posts = only(Post, good("dumps/drawrowfly-hashtag_202001.csv")[1])
    assert (len(posts), sum(post.likes or 0 for post in posts)) == (10, 100_056)
    assert (posts[0].key, posts[0].author, posts[0].author_id) == ("tiktok:post:6785180623263911174", None, "24155210")
    assert {post.views for post in posts} == {None}


@pytest.mark.parametrize(
    "path", ["dumps/apify-free-tiktok-scraper_20220727.csv", "comments/pakcoder11-Tiktok_comments_data.json"]
)
def test_a_table_whose_owner_cut_off_the_ids_is_nobodys_and_gives_no_number(path):
    assert page(path) is None


@pytest.mark.parametrize(
    ("path", "key", "views", "posts"),
    [
        ("hashtag/rainerhamal-tiktok_debug.html", "tiktokmademebuyit", (None, None), (20_200_000, 100_000)),
        ("xhr/drawrowfly-challenge_detail_202010.json", "duett", (37_100_000_000, 100_000_000), (None, None)),
        ("xhr/drawrowfly-node_share_tag_202003.json", "summer", (6_226_592_362, None), (3_088_974, None)),
    ],
)
def test_a_captured_hashtag_gives_plays_as_plays_and_posts_as_posts(path, key, views, posts):
    [hashtag] = only(Hashtag, good(path)[1])
    assert hashtag.key == f"tiktok:hashtag:{key}"
    assert (hashtag.views, hashtag.views_precision) == views
    assert (hashtag.posts, hashtag.posts_precision) == posts


def test_a_hashtag_page_whose_grid_did_not_load_says_so():
    found, items = good("hashtag/rainerhamal-tiktok_debug.html")
    assert (found.result.parts, len(items)) == ({"posts": "blocked"}, 1)


def test_the_discover_answer_gives_three_boards_of_the_country_it_states():
    found, items = good("xhr/hovinhtu-node_share_discover_202204.json")
    accounts, hashtags, sounds = only(Profile, items), only(Hashtag, items), only(Sound, items)
    assert (len(accounts), len(hashtags), len(sounds)) == (30, 10, 10)
    assert sum(item.followers or 0 for item in accounts) == 188_500_000
    assert sum(item.likes or 0 for item in accounts) == 5_009_000_000
    assert sum(item.views or 0 for item in hashtags) == 61_505_100_000
    assert sum(item.posts or 0 for item in sounds) == 5_135_800
    assert (hashtags[0].key, hashtags[0].views) == ("tiktok:hashtag:goctocdep", 228_600_000)
    assert (sounds[0].key, sounds[0].posts) == ("tiktok:sound:7085517305542658842", 87_600)
    assert {board.board: board.size for board in only(Board, items)} == {
        "tiktok:discover_profiles:www@vn": 30, "tiktok:discover_hashtags:www@vn": 10,
        "tiktok:discover_sounds:www@vn": 10,
    }  # fmt: skip
    assert found.result.got == 50


@pytest.mark.parametrize(
    ("path", "shown", "comments", "likes", "replies", "authors", "post"),
    [
        ("comments/evil0ctal-comment_list_202411.json", 80, 80, 9, 2, 80, "7426227701096123655"),
        ("comments/pyktok-chair_comments1.csv", 52, 48, 1, 0, 48, "7011536772089924869"),
        ("scrapfly/2024-02-comments.json", 115, 101, 188_619, 707, 101, "7198206283571285294"),
        ("scrapfly/2025-09-comments.json", 56, 56, 180_684, 585, 56, "7198206283571285294"),
        ("scrapfly/2026-01-comments.json", 20, 20, 4373, 12, 20, "7198206283571285294"),
    ],
)
def test_captured_comments_keep_counters_and_text_and_hide_who_wrote_them(
    path, shown, comments, likes, replies, authors, post
):
    found, items = good(path)
    rows = only(Comment, items)
    assert (found.result.got, len(rows)) == (shown, comments)
    assert sum(row.likes or 0 for row in rows) == likes
    assert sum(row.replies or 0 for row in rows) == replies
    assert {row.post for row in rows} == {f"tiktok:post:{post}"}
    assert len({row.author_hash for row in rows}) == authors
    assert all(row.author_hash and len(row.author_hash) == 32 for row in rows)


def test_the_same_author_has_the_same_hash_a_year_later_unless_their_handle_changed():
    """These rows show handles only; of 31 comments in both, 26 stand under the same one."""
    first, later = (only(Comment, good(f"scrapfly/{year}-comments.json")[1]) for year in ("2024-02", "2025-09"))
    hashes = {row.comment_id: row.author_hash for row in first}
    both = [row for row in later if row.comment_id in hashes]
    assert (len(both), sum(row.author_hash == hashes[row.comment_id] for row in both)) == (31, 26)


def test_the_shop_page_gives_40_offers_at_two_prices():
    _, items = good("shop/llzelda-sample_product.html")
    [product], offers, reviews = only(Product, items), only(Offer, items), only(Review, items)
    assert (product.key, product.vendor) == ("tiktok.com:product:1729447605324124806", "KatchMe US")
    assert (product.rating, product.rating_count, product.sold_count) == (4.5, 2868, 30_762)
    assert Counter((offer.price, offer.list_price) for offer in offers) == {
        (Decimal("24.17"), Decimal("31.75")): 20, (Decimal("24.69"), Decimal("31.75")): 20,
    }  # fmt: skip
    assert len({offer.variant_id for offer in offers}) == 40
    assert sum(offer.available or False for offer in offers) == 33
    assert {(offer.currency, offer.shipping, offer.seller) for offer in offers} == {
        ("USD", Decimal("7.8"), "KatchMe US")
    }
    assert (len(reviews), sum(review.rating or 0 for review in reviews)) == (20, 96)
    assert sum(review.author_hash is None for review in reviews) == 2


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("blocked/cong99x-tiktok_debug.html", "https://www.tiktok.com/@tide.example/video/7571863205253778710"),
        ("blocked/sothyienwed-downgrade_shell.html", "https://www.tiktok.com/tag/tidetables"),
        ("blocked/sothyienwed-downgrade_shell.html", "https://www.tiktok.com/search?q=tide"),
        ("blocked/sothyienwed-downgrade_shell.html", "https://www.tiktok.com/music/x-7571863209596881686"),
        ("blocked/sothyienwed-downgrade_shell.html", "https://www.tiktok.com/api/comment/list/?aweme_id=1"),
        ("blocked/vinniempresa-tiktok_product.html", "https://www.tiktok.com/shop/pdp/x/1729447605324124806"),
    ],
)
def test_a_wall_is_blocked_whatever_page_was_asked_for(path, url):
    found = page(path, url)
    assert found is not None
    assert (found.outcome, list(found.items())) == (Outcome.BLOCKED, [])
