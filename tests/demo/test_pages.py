"""The product's page objects read the simulated web as it truly is: every page kind, every era."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from crawler import pages
from crawler.items import Hashtag, Item, Offer, Post, Product, Profile, Sound
from demo.site import Look, Site
from demo.site.app import Asked
from demo.site.clock import Clock
from demo.site.tiktok.mall import mall_id
from demo.world import START, World

pages.load_all()
NOON = START + timedelta(days=2, hours=12)
ERAS = [Look(), Look(exact=False, rendered=True), Look(era="sigi"), Look(era="next"), Look(era="node")]


@pytest.fixture(scope="module")
def world():
    return World(7)


def read(world, path, look=Look(), host="www.tiktok.com", agent="Mozilla/5.0"):  # noqa: B008 - frozen
    """Path with query -> (page object's name, outcome, items)."""
    site = Site(world, Clock(NOON), look)
    bare, _, query = path.partition("?")
    given, _, at = site.answer(Asked("GET", host, bare, query, {"user-agent": agent}), proxied=True)
    url = f"https://{host}{path}"
    cls = pages.choose(url, given.body)
    page = cls(url, given.body, at, capture="c")
    return cls.name, str(page.outcome), [each for each in page.items() if isinstance(each, Item)]


def near(stored, step, exact):
    return abs(stored - exact) <= (step or 0)


@pytest.mark.parametrize("look", ERAS, ids=str)
def test_every_account_is_read_as_it_is(world, look):
    truth = world.truth(NOON).profiles
    for creator in world.crowd.creators:
        handle = creator.handle(world.hour(NOON))
        name, outcome, items = read(world, f"/@{handle}", look)
        if f"tiktok:profile:{handle}" not in truth:
            assert (name, outcome, items) == ("tiktok.profile", "missing", [])
            continue
        profile, true = next(each for each in items if isinstance(each, Profile)), truth[f"tiktok:profile:{handle}"]
        assert (name, outcome, profile.user_id) == ("tiktok.profile", "ok", creator.user_id)
        assert near(profile.followers, profile.followers_precision, true["followers"])
        assert near(profile.likes, profile.likes_precision, true["likes"])
        assert profile.videos == true["videos"]


@pytest.mark.parametrize("look", ERAS, ids=str)
@pytest.mark.parametrize("agent", ["Mozilla/5.0", "Mozilla/5.0 (iPhone) Mobile"], ids=["desktop", "phone"])
def test_posts_are_read_as_they_are(world, look, agent):
    hour = world.hour(NOON)
    for creator, post in world.popular(hour)[:6]:
        kind = "photo" if post.photo else "video"
        _, outcome, items = read(world, f"/@{creator.handle(hour)}/{kind}/{post.post_id}", look, agent=agent)
        item = next(each for each in items if isinstance(each, Post))
        true = post.counts(hour)
        assert (outcome, item.key, item.author) == ("ok", f"tiktok:post:{post.post_id}", creator.handle(hour))
        assert near(item.views, item.views_precision, true["views"])
        assert near(item.comments, item.comments_precision, true["comments"])
        assert item.created_at == world.start + timedelta(seconds=post.created_s - int(START.timestamp()))
        assert set(post.tags) == set(item.hashtags) or {tag.lower() for tag in post.tags} == set(item.hashtags)


@pytest.mark.parametrize(
    "path", ["/tag/{name}", "/api/challenge/detail/?challengeName={name}", "/node/share/tag/{name}"]
)
def test_hashtags_are_read_as_they_are(world, path):
    for tag in world.tags(world.hour(NOON))[:5]:
        _, outcome, items = read(world, path.format(name=tag.name))
        item = next(each for each in items if isinstance(each, Hashtag))
        assert (outcome, item.name, item.tag_id) == ("ok", tag.name, tag.tag_id)
        assert near(item.views, item.views_precision, tag.views)


@pytest.mark.parametrize("path", ["/music/x-{id}", "/api/music/detail/?musicId={id}", "/node/share/music/x-{id}"])
def test_sounds_are_read_as_they_are(world, path):
    track = world.track(3, world.hour(NOON))
    _, outcome, items = read(world, path.format(id=track.sound_id))
    item = next(each for each in items if isinstance(each, Sound))
    assert (outcome, item.sound_id, item.title) == ("ok", track.sound_id, track.title)
    assert near(item.posts, item.posts_precision, track.posts)


@pytest.mark.parametrize(
    "path", ["/node/share/user/@coral.cooks", "/api/user/detail/?uniqueId=coral.cooks", "/@coral.cooks"]
)
def test_an_account_is_the_same_by_each_of_its_addresses(world, path):
    _, outcome, items = read(world, path)
    true = world.truth(NOON).profiles["tiktok:profile:coral.cooks"]
    profile = next(each for each in items if isinstance(each, Profile))
    assert outcome == "ok"
    assert near(profile.followers, profile.followers_precision or 100, true["followers"])


@pytest.mark.parametrize("path", ["/shop/pdp/{id}", "/shop/pdp/some-name/{id}", "/view/product/{id}"])
def test_the_platform_s_own_shop_is_read_as_it_is(world, path):
    shop, hour = world.shop, world.hour(NOON)
    product = shop.products[2]
    _, outcome, items = read(world, path.format(id=mall_id(product)))
    made = next(each for each in items if isinstance(each, Product))
    offers = [each for each in items if isinstance(each, Offer)]
    assert (outcome, made.title, made.sold_count) == ("ok", product.title, shop.sold(product, hour))
    assert (made.rating, made.rating_count) == shop.rating(product, hour)
    true = [shop.asked_in_mall(product, variant, hour) for variant in product.variants]
    assert [offer.price for offer in offers] == [Decimal(each.cents) / 100 for each in true]
    assert [offer.available for offer in offers] == [each.available for each in true]


@pytest.mark.parametrize(
    ("path", "outcome"), [("/@x/video/1", "missing"), ("/node/share/user/@nobody", "missing"), ("/@nobody", "missing")]
)
def test_what_is_not_there_is_missing_and_no_number(world, path, outcome):
    _, said, items = read(world, path)
    assert (said, items) == (outcome, [])
