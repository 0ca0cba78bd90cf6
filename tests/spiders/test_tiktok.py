"""TikTok crawled whole from the living site: http first, the browser where the page says so; every number is true."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from crawler.config import ROOT
from demo.site import KINDS, Site
from demo.world import names
from tests.demo.test_browser import WITHOUT
from tests.spiders.living import ADDON, false_numbers, grid, keys, living, outcomes, posts_of

pytestmark = WITHOUT
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with living() as opened:
        yield opened


@pytest.fixture
def crawl(site: Site, mongo_uri: str, database: Database[dict[str, Any]], tmp_path: Path) -> Iterator[Run]:
    def run(spider: str, *more: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "scrapy", "crawl", spider, *more, *ADDON], cwd=ROOT,
            env={
                **os.environ, "MONGODB_URI": mongo_uri, "MONGODB_DATABASE": database.name,
                "TIDEMARK_DATA": str(tmp_path), **site.proxies(), **environ,
            },
            capture_output=True, text=True, timeout=170, check=False,
        )  # fmt: skip

    yield run
    site.faults.clear()
    site.log.clear()


def test_profiles_come_with_all_their_posts_and_every_number_is_true(
    crawl: Run, database: Database[Any], site: Site
) -> None:
    handles = ("tide.atlas", "coral.cooks", "mega_marina", "quiet.cove", "empty.shell", "odd_one", "small.fry")
    done = crawl("tiktok_profile", "-a", f"targets=@nobody.at.all,@{',@'.join(handles)}", "-a", "posts=all")
    assert done.returncode == 0, done.stderr
    stored = {row["_id"].rpartition(":")[2] for row in database["posts"].find()}
    assert stored == set().union(
        *(posts_of(site.world, each, site.clock.now()) for each in handles if each != "quiet.cove")
    )
    assert {row["username"] for row in database["profiles"].find()} == set(handles)
    assert false_numbers(database, site) == []
    assert outcomes(database)["nobody.at.all"] == [("http", "missing")]
    assert outcomes(database)["empty.shell"] == [("http", "ok")]  # no posts, no browser


# What a crawl must come to, where the answer differs from the fault's own truth: in the browser a page cannot be torn
# (it closes what is open), and nothing that asks twice is asked twice.
DOCUMENT = tuple(
    each for each in KINDS if each not in ("robots", "quota", "unsigned", "too_fast", "endless", "grid_failed")
)
LIST = tuple(each for each in KINDS if each not in ("robots", "quota", "unsigned", "too_fast", "private", "missing"))


def halves(kinds: tuple[str, ...]) -> list[tuple[str, ...]]:
    middle = len(kinds) // 2
    return [kinds[:middle], kinds[middle:]]


@pytest.mark.parametrize("kinds", halves(DOCUMENT), ids=["first", "second"])
def test_whatever_becomes_of_a_profiles_page_is_a_typed_outcome_and_never_a_false_number(
    crawl: Run, database: Database[Any], site: Site, kinds: tuple[str, ...]
) -> None:
    usable = [each for each in names.HANDLES if each not in ("quiet.cove", "gone_overboard", "empty.shell")]
    met = dict(zip(usable, kinds, strict=False))
    for handle, kind in met.items():
        site.faults.add(kind, rf"/@{handle}(\?|$)", retry_after_s=0)
    done = crawl("tiktok_profile", "-a", f"targets={','.join(met)}", "-a", "posts=all")
    came, wrong = outcomes(database), []
    for handle, kind in met.items():
        good = KINDS[kind].truth == "ok"
        posts = {row["post_id"] for row in database["posts"].find({"author": handle})}
        if KINDS[kind].truth not in {each for _, each in came.get(handle, [])}:
            wrong.append((kind, came.get(handle)))
        if posts != (posts_of(site.world, handle, site.clock.now()) if good else set()):
            wrong.append((kind, f"{len(posts)} posts"))
        if bool(database["profiles"].find_one({"username": handle})) != good:
            wrong.append((kind, "profile"))
    assert wrong == [], done.stderr
    assert false_numbers(database, site, fallen=True) == []


def sec_uid(site: Site, handle: str) -> str:
    return f"secUid={site.world.crowd.creators[names.HANDLES.index(handle)].sec_uid}&"


GRIDS: dict[str, tuple[str, Callable[[Site, str], str], Callable[[Site, str], list[str]]]] = {
    # spider: its board, how its page asks for the list of a target, and the truth of it
    "tiktok_profile": (
        "tiktok:creator:{}", sec_uid,
        lambda site, each: [f"tiktok:post:{n}" for n in posts_of(site.world, each, site.clock.now())],
    ),
    "tiktok_hashtag": (
        "tiktok:hashtag:{}@br", lambda site, each: f"challengeID={site.world.tag(each, 0).tag_id}&",
        lambda site, each: keys(site.world.tagged(each, site.world.hour(site.clock.now()))),
    ),
    "tiktok_search": (
        "tiktok:search:{}@br", lambda site, each: f"keyword={each}&",
        lambda site, each: keys(site.world.hits(each, site.world.hour(site.clock.now()))[:120]),
    ),
}  # fmt: skip
WORDS = sorted({word for thing in names.THINGS for word in thing.split() if len(word) > 3 and word.isascii()})
TARGETS = {
    "tiktok_profile": [each for each in names.HANDLES if each not in ("quiet.cove", "gone_overboard", "empty.shell")],
    "tiktok_hashtag": [each.lower() for each in names.TAGS],
    "tiktok_search": WORDS,
}


@pytest.mark.parametrize(("spider", "kinds"), list(zip(GRIDS, (LIST[::3], LIST[1::3], LIST[2::3]), strict=True)))
def test_whatever_becomes_of_a_list_its_page_stays_and_the_list_is_a_gap(
    crawl: Run, database: Database[Any], site: Site, spider: str, kinds: tuple[str, ...]
) -> None:
    board, asks, true = GRIDS[spider]
    met = dict(zip(TARGETS[spider], ("", *kinds), strict=False))
    assert len(met) == len(kinds) + 1
    for target, kind in met.items():
        if kind:
            site.faults.add(kind, asks(site, target), retry_after_s=0)
    done = crawl(spider, "-a", f"targets={','.join(met)}", "-a", "posts=all")
    came, wrong = outcomes(database), []
    for target, kind in met.items():
        truth = "blocked" if kind == "grid_failed" else KINDS[kind].truth if kind else "ok"
        lists = [outcome for lane, outcome in came[target] if lane == "browser"]
        expected = {truth, "blocked"} if "redirect" in kind else {truth}
        stored = grid(database, board.format(target))
        whole = true(site, next(each for each in (*names.TAGS, target) if each.lower() == target))
        if not expected & set(lists):
            wrong.append((kind, came[target]))
        # One that never ends shows its beginning again in the place of its end.
        lacks = 30 if kind == "endless" else 0 if truth == "ok" else len(whole)
        if not (set(stored) <= set(whole) and len(whole) - len(set(stored)) <= lacks) or (truth != "ok" and stored):
            wrong.append((kind, f"{len(set(stored))} of {len(whole)}"))
        if truth == "ok" and kind != "endless" and spider != "tiktok_profile" and stored != whole:
            wrong.append((kind, "order"))
    assert wrong == [], done.stderr
    assert false_numbers(database, site, fallen=True) == []


def test_sounds_have_all_their_posts_in_order(crawl: Run, database: Database[Any], site: Site) -> None:
    at_h = site.world.hour(site.clock.now())
    sounds = {site.world.track(n, at_h).sound_id: keys(site.world.with_sound(n, at_h)) for n in (0, 3)}
    done = crawl("tiktok_sound", "-a", f"targets={','.join(sounds)}", "-a", "posts=all")
    assert done.returncode == 0, done.stderr
    assert {each: grid(database, f"tiktok:sound:{each}@br") for each in sounds} == sounds
    assert {row["_id"].rpartition(":")[2] for row in database["sounds"].find({"posts": {"$ne": None}})} >= set(sounds)
    assert false_numbers(database, site) == []


def test_single_posts_are_refreshed_and_one_that_is_gone_is_missing(
    crawl: Run, database: Database[Any], site: Site
) -> None:
    at_h = site.world.hour(site.clock.now())
    wanted = [post.post_id for _, post in site.world.popular(at_h)[:6]]
    done = crawl("tiktok_post", "-a", f"targets={','.join([*wanted, '7000000000000000001'])}")
    assert done.returncode == 0, done.stderr
    assert sorted(row["post_id"] for row in database["posts"].find()) == sorted(wanted)
    assert outcomes(database) == {each: [("http", "ok")] for each in wanted} | {
        "7000000000000000001": [("http", "missing")]
    }
    assert false_numbers(database, site) == []


def test_what_the_site_recommends_comes_in_its_order_and_its_lists_whole(
    crawl: Run, database: Database[Any], site: Site
) -> None:
    done = crawl("tiktok_discover", "-a", "targets=explore,lists", "-a", "posts=40")
    assert done.returncode == 0, done.stderr
    at_h = site.world.hour(site.clock.now())
    shown = list(dict.fromkeys(grid(database, "tiktok:explore@br")))
    assert len(shown) >= 40
    assert shown == keys(site.world.popular(at_h))[: len(shown)]
    tags = sorted(site.world.tags(at_h), key=lambda tag: -tag.views)[:10]
    sounds = sorted((site.world.track(n, at_h) for n in range(len(names.SOUNDS))), key=lambda track: -track.posts)[:10]
    board = "tiktok:discover_{}:www@br"
    assert grid(database, board.format("hashtags")) == [f"tiktok:hashtag:{tag.name.lower()}" for tag in tags]
    assert grid(database, board.format("sounds")) == [f"tiktok:sound:{track.sound_id}" for track in sounds]
    assert false_numbers(database, site) == []
