"""The simulated web says what is true in its world, in the shapes of the real sites."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from datetime import datetime, timedelta

import pytest

from crawler.config import ROOT
from demo.site import Look
from demo.site.app import View
from demo.site.boards import YOUTUBE_KEY
from demo.site.tiktok.token import SCRIPT, signed, token
from demo.site.x import TOKEN
from demo.world import START
from demo.world.curves import label, rounded
from demo.world.shop import HOST
from tests.demo.web import ask, fetch

NOON = START + timedelta(days=2, hours=12)
BEARER = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def site(living_site):
    living_site.clock.set(NOON)
    return living_site


def grid(site, path, query, key="itemList", more="hasMore"):
    """Every answer of a grid, followed by its cursor to the end."""
    found, cursor = [], "0"
    for _ in range(50):
        view = View(site.world, site.clock.now())
        body = fetch(site, f"https://www.tiktok.com{path}?{signed(view, path, f'{query}&cursor={cursor}')}").json()
        found.append(body)
        cursor = body["cursor"]
        if not body[more]:
            return [item for each in found for item in each[key] or []], found
    raise AssertionError("no end")


def test_a_profile_page_shows_the_rounded_and_the_exact_counters_of_the_moment(site):
    page = fetch(site, "https://www.tiktok.com/@tide.atlas")
    info = page.scope("webapp.user-detail")["userInfo"]
    true = site.world.truth(NOON).profiles["tiktok:profile:tide.atlas"]
    assert info["stats"]["followerCount"] == rounded(true["followers"]) != true["followers"]
    assert info["statsV2"]["followerCount"] == str(true["followers"])
    assert (info["stats"]["videoCount"], info["itemList"]) == (true["videos"], [])
    assert page.headers["x-simulated-at"] == "2026-03-03T12:00:00.000Z"
    assert page.headers["date"] == "Tue, 03 Mar 2026 12:00:00 GMT"


def test_time_moves_only_when_it_is_told_to(site):
    before = fetch(site, "https://www.tiktok.com/@coral.cooks").body
    assert fetch(site, "https://www.tiktok.com/@coral.cooks").body == before
    site.clock.advance(timedelta(days=1))
    assert fetch(site, "https://www.tiktok.com/@coral.cooks").body != before


@pytest.mark.parametrize("era", ["universal", "sigi", "next", "node"])
def test_every_era_shows_the_same_followers_in_its_own_script(site, era):
    site.look = Look(era=era)
    page = fetch(site, "https://www.tiktok.com/@coral.cooks")
    shown = rounded(site.world.truth(NOON).profiles["tiktok:profile:coral.cooks"]["followers"])
    match era:
        case "universal":
            assert page.scope("webapp.user-detail")["userInfo"]["stats"]["followerCount"] == shown
        case "sigi":
            state = page.state("SIGI_STATE")
            assert state["UserModule"]["stats"]["coral.cooks"]["followerCount"] == shown
            first = state["ItemModule"][state["ItemList"]["user-post"]["list"][0]]
            assert first["author"] == "coral.cooks"
        case "next":
            props = page.state("__NEXT_DATA__")["props"]["pageProps"]
            assert (props["userInfo"]["stats"]["followerCount"], len(props["items"])) == (shown, 30)
        case "node":
            assert page.state("__NEXT_DATA__")["props"]["pageProps"]["userData"]["fans"] == shown


def test_a_rendered_page_carries_cards_and_a_failed_grid_none(site):
    site.look = Look(rendered=True)
    page = fetch(site, "https://www.tiktok.com/@coral.cooks")
    followers = site.world.truth(NOON).profiles["tiktok:profile:coral.cooks"]["followers"]
    assert f'data-e2e="followers-count">{label(followers)}<' in page.text
    assert page.text.count('data-e2e="user-post-item"') == 30
    site.faults.add("grid_failed")
    failed = fetch(site, "https://www.tiktok.com/@coral.cooks")
    assert failed.text.count('data-e2e="user-post-item"') == 0
    assert "<p>Something went wrong</p>" in failed.text


def test_accounts_that_are_private_removed_or_unknown_say_so(site):
    private = fetch(site, "https://www.tiktok.com/@quiet.cove").scope("webapp.user-detail")
    assert private["userInfo"]["user"]["privateAccount"] is True
    assert fetch(site, "https://www.tiktok.com/@nobody").scope("webapp.user-detail")["statusCode"] == 10221
    site.clock.set(START + timedelta(days=6))
    for handle in ("gone_overboard", "old.pier"):
        assert fetch(site, f"https://www.tiktok.com/@{handle}").scope("webapp.user-detail")["statusCode"] == 10221


def test_a_grid_gives_every_post_once_by_cursor_and_nothing_without_the_token(site):
    creator = site.world.crowd.creators[1]
    query = f"aid=1988&count=35&secUid={creator.sec_uid}"
    items, answers = grid(site, "/api/post/item_list/", query)
    posts = site.world.crowd.posts(creator, site.world.hour(NOON))
    assert [item["id"] for item in items] == [post.post_id for post in posts]
    assert len(answers) == -(-len(posts) // 35) > 2
    bare = fetch(site, f"https://www.tiktok.com/api/post/item_list/?{query}&cursor=0")
    forged = fetch(site, f"https://www.tiktok.com/api/post/item_list/?{query}&cursor=0&verifyFp=1-2&X-Bogus=00000000")
    assert (bare.status, bare.body, forged.status, forged.body) == (200, b"", 200, b"")


def test_a_pinned_post_stands_first_and_only_once(site):
    creator = site.world.crowd.creators[0]
    items, _ = grid(site, "/api/post/item_list/", f"count=20&secUid={creator.sec_uid}")
    pinned = [item["id"] for item in items if item.get("isPinnedItem")]
    assert pinned == [items[0]["id"]]
    assert len({item["id"] for item in items}) == len(items)


def test_hashtag_sound_and_search_grids_hold_what_they_are_for(site):
    page = fetch(site, "https://www.tiktok.com/tag/CoralCheck")
    info = page.scope("webapp.challenge-detail")["challengeInfo"]
    assert info["stats"]["viewCount"] == rounded(site.world.tag("coralcheck", site.world.hour(NOON)).views)
    tagged, _ = grid(site, "/api/challenge/item_list/", f"count=30&challengeID={info['challenge']['id']}")
    assert tagged
    assert all("coralcheck" in [tag["title"] for tag in item["challenges"]] for item in tagged)
    sound = tagged[0]["music"]["id"]
    music, _ = grid(site, "/api/music/item_list/", f"count=30&musicID={sound}")
    assert {item["music"]["id"] for item in music} == {sound}
    found, _ = grid(site, "/api/search/item/full/", "count=12&keyword=harbour", "item_list", "has_more")
    assert all("harbour" in item["desc"].lower() for item in found)
    everything, answers = grid(site, "/api/search/general/full/", "count=12&keyword=e", "data", "has_more")
    assert len(everything) == 120 < len(site.world.hits("e", site.world.hour(NOON)))
    assert {type(answer["has_more"]) for answer in answers} == {int}


def test_a_hashtag_page_may_hide_its_state_and_print_videos(site):
    site.look = Look(tag_state=False)
    page = fetch(site, "https://www.tiktok.com/tag/tidetok")
    assert page.scope("webapp.challenge-detail") is None
    videos = site.world.tag("tidetok", site.world.hour(NOON)).posts
    assert f'data-e2e="challenge-vvcount" title="posts ">{label(videos)} videos<' in page.text


def test_comments_are_as_many_as_the_counter_says(site):
    posts = sorted(site.world.crowd.everything(60), key=lambda each: each[1].counts(60)["comments"])
    post = posts[len(posts) // 3][1]
    comments, answers = grid(site, "/api/comment/list/", f"aweme_id={post.post_id}&count=20", "comments", "has_more")
    assert len(comments) == answers[0]["total"] == post.counts(site.world.hour(NOON))["comments"] > 0
    assert all(post.created_s <= each["create_time"] <= NOON.timestamp() for each in comments)


def test_a_post_has_a_desktop_page_a_phone_page_and_a_short_link(site):
    creator, post = site.world.popular(site.world.hour(NOON))[0]
    kind = "photo" if post.photo else "video"
    url = f"https://www.tiktok.com/@{creator.handle(60)}/{kind}/{post.post_id}"
    item = fetch(site, url).scope("webapp.video-detail")["itemInfo"]["itemStruct"]
    assert item["stats"]["playCount"] == rounded(post.counts(site.world.hour(NOON))["views"])
    phone = fetch(site, url, user_agent="Mozilla/5.0 (iPhone) Mobile/15E148")
    assert phone.scope("webapp.reflow.video.detail")["itemInfo"]["itemStruct"]["id"] == post.post_id
    assert phone.scope("webapp.reflow.global.shareUser")["shareUser"]["uniqueId"] != creator.handle(60)
    code = base36(int(post.post_id))
    short = fetch(site, f"https://vm.tiktok.com/{code}/")
    assert (short.status, short.headers["location"].split("?")[0]) == (301, url)
    assert fetch(site, "https://www.tiktok.com/@x/video/1").scope("webapp.video-detail")["statusCode"] == 10204


def base36(number):
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + digits
    return digits


def test_discover_lists_users_hashtags_and_sounds_with_numbers_as_text(site):
    lists = fetch(site, "https://www.tiktok.com/node/share/discover").json()["body"]
    cards = [[each["cardItem"] for each in part["exploreList"]] for part in lists]
    assert [{card["type"] for card in part} for part in cards] == [{2}, {3}, {1}]
    assert isinstance(cards[1][0]["extraInfo"]["views"], str)


def test_the_creative_center_ranks_hashtags_sounds_and_creators(site):
    base = "https://ads.tiktok.com/creative_radar_api/v1/popular_trend"
    tags = fetch(site, f"{base}/hashtag/list?page=1&limit=50&period=7&country_code=BR").json()["data"]["list"]
    views = [row["video_views"] for row in tags]
    assert views == sorted(views, reverse=True)
    sounds = fetch(site, f"{base}/sound/rank_list?limit=5&country_code=BR").json()["data"]
    assert (len(sounds["sound_list"]), sounds["pagination"]["has_more"]) == (5, True)
    creators = fetch(site, f"{base}/creator/list?limit=50&creator_country=BR").json()["data"]["creators"]
    assert {row["country_code"] for row in creators} == {"BR"}
    site.faults.add("unsigned")
    assert fetch(site, f"{base}/hashtag/list").json()["code"] == 40101


@pytest.mark.skipif(shutil.which("node") is None, reason="no node here to run the page's script with")
def test_the_page_s_script_and_the_site_compute_the_same_token():
    function = re.search(r"function token\(text\) \{.*?\n  \}", SCRIPT, re.S)[0]
    texts = ["/api/post/item_list/?aid=1988&cursor=0|29540880-ab", "", "~" * 300]
    program = f"{function}; console.log({texts!r}.map(token).join(' '))"
    done = subprocess.run(["node", "-e", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [token(text) for text in texts]


def test_the_x_api_wants_a_key_counts_it_and_says_when_it_may_be_used_again(site):
    url = "https://api.x.com/1.1/trends/place.json?id=23424768"
    assert fetch(site, url).status == 401
    assert fetch(site, url, authorization="Bearer no-access").status == 403
    body = fetch(site, url, **BEARER).json()
    board = site.world.board("br", NOON)
    assert [(row["name"], row["tweet_volume"]) for row in body[0]["trends"]] == [
        (row.topic, row.volume) for row in board
    ]
    assert (body[0]["as_of"], body[0]["locations"]) == (
        "2026-03-03T12:00:00Z", [{"name": "Brazil", "woeid": 23424768}],
    )  # fmt: skip
    answers = [fetch(site, url.replace("https:", "http:"), **BEARER) for _ in range(75)]
    assert [answer.status for answer in answers[-2:]] == [200, 429]
    assert answers[-1].json()["errors"][0]["code"] == 88
    assert answers[-1].headers["x-rate-limit-remaining"] == "0"
    reset = datetime.fromtimestamp(int(answers[-1].headers["x-rate-limit-reset"]), NOON.tzinfo)
    site.clock.set(reset)
    assert fetch(site, url, **BEARER).status == 200


def test_version_two_of_the_x_api_lists_trends_and_pages_through_posts(site):
    rows = fetch(site, "https://api.x.com/2/trends/by/woeid/1?max_trends=50", **BEARER).json()["data"]
    assert [row["trend_name"] for row in rows] == [
        row.topic for row in site.world.board("world", NOON) if not row.promoted
    ]
    query, found, following = "query=%22Mar%C3%A9+Alta%22&max_results=100", [], ""
    for _ in range(5):
        url = f"https://api.x.com/2/tweets/search/recent?{query}{following}"
        body = fetch(site, url, **BEARER).json()
        found += body["data"]
        following = f"&next_token={body['meta']['next_token']}"
    ids = [int(each["id"]) for each in found]
    assert len(set(ids)) == len(ids) == 500
    assert [each["created_at"] for each in found] == sorted((each["created_at"] for each in found), reverse=True)
    operators = "query=%22Mar%C3%A9+Alta%22+lang:pt+-is:retweet&max_results=100&expansions=author_id"
    body = fetch(site, f"https://api.x.com/2/tweets/search/recent?{operators}", **BEARER).json()
    assert {each["lang"] for each in body["data"]} == {"pt"}
    assert {each["author_id"] for each in body["data"]} == {user["id"] for user in body["includes"]["users"]}
    old = "https://api.x.com/2/tweets/search/recent?query=x&start_time=2026-01-01T00:00:00Z"
    assert fetch(site, old, **BEARER).status == 400
    nothing = fetch(site, "https://api.x.com/2/tweets/search/recent?query=nothing+of+ours", **BEARER).json()
    assert nothing == {"meta": {"result_count": 0}}


def test_the_boards_that_others_make_show_the_same_topics(site):
    hour = [row.topic for row in site.world.board("br", NOON)]
    day = fetch(site, "https://getdaytrends.com/brazil/").text
    assert len(re.findall(r'<th scope="row" class="pos">', day)) == 50
    assert "new Date(2026, 2, 3, 12)" in day
    assert "Under 10K tweets" in day
    hours = fetch(site, "https://trends24.in/brazil/").text
    assert hours.count('<ol class="trend-card__list">') == 24
    feed = ET.fromstring(fetch(site, "https://trends.google.com/trending/rss?geo=BR").body)
    traffic = {each.findtext("title"): each.findtext("{*}approx_traffic") for each in feed.iter("item")}
    assert traffic
    assert all(number.endswith("+") for number in traffic.values())
    assert len(set(traffic) & set(hour)) > 3


def test_the_video_chart_is_paged_and_needs_a_key(site):
    url = "https://www.googleapis.com/youtube/v3/videos?part=snippet,statistics&chart=mostPopular&regionCode=BR"
    assert (fetch(site, url).status, fetch(site, f"{url}&key=wrong").status) == (403, 400)
    assert fetch(site, url, x_goog_api_key=YOUTUBE_KEY).status == 200
    found, page = [], ""
    while True:
        body = fetch(site, f"{url}&maxResults=50&key={YOUTUBE_KEY}{page}").json()
        found += body["items"]
        if "nextPageToken" not in body:
            break
        page = f"&pageToken={body['nextPageToken']}"
    true = {each["video_id"]: str(each["views"]) for each in site.world.truth(NOON).videos["br"]}
    assert {item["id"]: item["statistics"]["viewCount"] for item in found} == true
    assert any("commentCount" not in item["statistics"] for item in found)


def test_the_store_shows_one_price_in_four_shapes(site):
    catalogue = fetch(site, f"https://{HOST}/products.json?limit=250").json()["products"]
    assert len(catalogue) == len(site.world.shop.listed(site.world.hour(NOON)))
    first = fetch(site, f"https://{HOST}/products.json?limit=10&page=1").json()["products"]
    third = fetch(site, f"https://{HOST}/products.json?limit=10&page=3").json()["products"]
    assert (len(first), len(third)) == (10, len(catalogue) - 20)
    cents = fetch(site, f"https://{HOST}/products/wave-socks.js").json()["variants"][0]
    floats = fetch(site, f"https://{HOST}/products/wave-socks.oembed").json()["offers"][0]
    text = catalogue[0]["variants"][0]
    html = fetch(site, f"https://{HOST}/products/wave-socks").text
    assert (cents["price"], floats["price"], text["price"], text["compare_at_price"]) == (1350, 13.5, "13.50", "18.00")
    assert '"price":13.5,"priceCurrency":"EUR"' in html
    assert 'data-product-rating-average="' in html
    assert fetch(site, f"https://{HOST}/products/no-such-thing").status == 404
    assert fetch(site, "https://plain-shop.example/products.json").headers["content-type"].startswith("text/html")


def test_the_review_widget_pages_through_as_many_reviews_as_it_counts(site):
    product = site.world.shop.products[0]
    url = f"https://api-cdn.yotpo.com/v1/widget/simulated/products/{product.product_id}/reviews.json"
    body = fetch(site, f"{url}?per_page=150").json()["response"]
    rating, count = site.world.shop.rating(product, site.world.hour(NOON))
    assert body["bottomline"]["total_review"] == len(body["reviews"]) == count
    assert body["bottomline"]["average_score"] == rating
    created = [review["created_at"] for review in body["reviews"]]
    assert created == sorted(created, reverse=True)


def test_no_other_host_exists_and_nothing_is_fetched_from_it(site):
    assert ask(site, "GET", "http://169.254.169.254/latest/meta-data/").status == 502
    assert ask(site, "GET", "http://example.com/").status == 502
    with pytest.raises(OSError, match="502"):
        fetch(site, "https://example.com/")
    assert [visit.host for visit in site.log] == ["169.254.169.254", "example.com", "example.com"]


def test_a_person_opens_it_without_a_proxy(site):
    front = ask(site, "GET", "/")
    assert f"http://www.tiktok.com.localhost:{site.port}/@coral.cooks" in front.text
    by_name = ask(site, "GET", "/@coral.cooks", host=f"www.tiktok.com.localhost:{site.port}")
    assert (
        by_name.body
        == ask(site, "GET", "/@coral.cooks").body
        == fetch(site, "https://www.tiktok.com/@coral.cooks").body
    )


def test_clock_and_faults_are_told_over_http_too(site):
    told = ask(site, "POST", "/_sim/clock", posted='{"at": "2026-03-05T00:00:00Z", "advance_s": 60}')
    assert told.json()["at"] == "2026-03-05T00:01:00+00:00"
    ask(site, "POST", "/_sim/faults", posted='{"kind": "captcha", "path": "/@coral"}')
    assert b"captcha-config" in fetch(site, "https://www.tiktok.com/@coral.cooks").body
    ask(site, "DELETE", "/_sim/faults")
    assert b"captcha-config" not in fetch(site, "https://www.tiktok.com/@coral.cooks").body
    assert ask(site, "GET", "/_sim/truth").body == site.world.truth(site.clock.now()).json()
    assert ask(site, "POST", "/_sim/faults", posted='{"kind": "nonsense"}').status == 400
    assert ask(site, "POST", "/_sim/clock", posted='{"at": "2026-03-05"}').status == 400


def test_the_command_says_where_it_is_and_refuses_a_fault_it_does_not_know():
    wrong = subprocess.run(
        [sys.executable, "-m", "demo.site", "--fault", "nonsense:/@x"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (wrong.returncode, "there is no such kind" in wrong.stderr) == (2, True)
    with subprocess.Popen(
        [sys.executable, "-m", "demo.site", "--port", "0", "--at", "2026-03-02", "--fault", "rate_limited:/@:x1"],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            line = process.stdout.readline()
            port = int(re.search(r"127\.0\.0\.1:(\d+)/", line)[1])
            answers = [ask(type("At", (), {"port": port}), "GET", "/@coral.cooks").status for _ in range(2)]
        finally:
            process.terminate()
    assert answers == [429, 200]
