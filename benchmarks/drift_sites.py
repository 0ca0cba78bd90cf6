"""Sites for the drift benchmark: pages of the simulated web in memory. A family is what one spider fetches in a run."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from benchmarks.drift_changes import Change
from crawler import pages, trees
from crawler.archive import Capture
from crawler.drift_seen import PageSeen, Run, field_of, names
from crawler.items import Item, Vantage
from crawler.reading import page_of
from crawler.repairs import NONE, Repairs
from demo.site.app import Asked, Look, View, answer
from demo.site.boards import YOUTUBE_KEY
from demo.site.server import Site  # noqa: F401 - registers all pages
from demo.site.store import HOST, WIDGET_KEY
from demo.site.tiktok.mall import mall_id
from demo.site.tiktok.token import signed
from demo.site.walls import WALLS
from demo.world import START, World
from demo.world.names import TAGS

Urls = Callable[[World, View, random.Random], list[str]]
HOST_TIKTOK = "https://www.tiktok.com"
SIGNED = re.compile(r"/api/(post|challenge|music|recommend|explore)/item_list|/api/search/|/api/comment/")


@dataclass(frozen=True)
class Family:
    name: str
    urls: Urls
    looks: tuple[Look, ...] = (Look(),)


def _creators(view: View, chance: random.Random) -> list[Any]:
    found = [each for each in view.world.crowd.creators if view.at_h < each.removed_h and not each.private]
    return chance.sample(found, min(len(found), chance.randint(1, 8)))


def _profiles(world: World, view: View, chance: random.Random) -> list[str]:
    return [f"{HOST_TIKTOK}/@{each.handle(0)}" for each in _creators(view, chance)]


def _posts(world: World, view: View, chance: random.Random) -> list[str]:
    found = chance.sample(world.popular(view.at_h)[:30], chance.randint(3, 8))
    return [f"{HOST_TIKTOK}/@{creator.handle(0)}/video/{post.post_id}" for creator, post in found]


def _grid(world: World, view: View, chance: random.Random) -> list[str]:
    query = "aid=1988&count=35&secUid={}"
    return [f"{HOST_TIKTOK}/api/post/item_list/?{query.format(each.sec_uid)}" for each in _creators(view, chance)]


def _tags(world: World, view: View, chance: random.Random) -> list[str]:
    some = chance.sample(world.tags(view.at_h), chance.randint(1, 5))
    lists = [f"{HOST_TIKTOK}/api/challenge/item_list/?aid=1988&count=30&challengeID={each.tag_id}" for each in some]
    return [f"{HOST_TIKTOK}/api/challenge/detail/?challengeName={each.name}" for each in some] + lists


def _tag_pages(world: World, view: View, chance: random.Random) -> list[str]:
    return [f"{HOST_TIKTOK}/tag/{name}" for name in chance.sample(TAGS, chance.randint(2, 6))]


def _search(world: World, view: View, chance: random.Random) -> list[str]:
    kind = chance.choice(("general", "item"))
    words = chance.sample([each for each in TAGS if len(world.hits(each, view.at_h)) > 2] or TAGS, 2)
    return [f"{HOST_TIKTOK}/api/search/{kind}/full/?aid=1988&keyword={each}" for each in words]


def _sounds(world: World, view: View, chance: random.Random) -> list[str]:
    tracks = [world.track(i, view.at_h) for i in chance.sample(range(12), chance.randint(2, 5))]
    return [f"{HOST_TIKTOK}/api/music/detail/?musicId={each.sound_id}" for each in tracks]


def _comments(world: World, view: View, chance: random.Random) -> list[str]:
    # Inventing thousands of comments takes seconds.
    quiet = [(who, post) for who, post in world.popular(view.at_h) if 5 < post.counts(view.at_h)["comments"] < 150]
    found = quiet[: chance.randint(3, 6)]
    return [f"{HOST_TIKTOK}/api/comment/list/?aid=1988&count=50&aweme_id={post.post_id}" for _, post in found]


def _recommended(world: World, view: View, chance: random.Random) -> list[str]:
    return [f"{HOST_TIKTOK}/api/recommend/item_list/?aid=1988&count=16"]


def _discover(world: World, view: View, chance: random.Random) -> list[str]:
    return [f"{HOST_TIKTOK}/node/share/discover"]


def _mall(world: World, view: View, chance: random.Random) -> list[str]:
    some = chance.sample(world.shop.products, chance.randint(3, 6))
    return [f"{HOST_TIKTOK}/shop/pdp/{mall_id(each)}" for each in some]


def _trends(world: World, view: View, chance: random.Random) -> list[str]:
    return [f"https://api.x.com/1.1/trends/place.json?id={woeid}" for woeid in (23424768, 23424977)]


def _trends_2(world: World, view: View, chance: random.Random) -> list[str]:
    return ["https://api.x.com/2/trends/by/woeid/23424768"]


def _tweets(world: World, view: View, chance: random.Random) -> list[str]:
    topic = chance.choice(sorted(world.talk.topics)).lstrip("#").replace(" ", "%20")
    fields = "tweet.fields=created_at,public_metrics,lang,entities&expansions=author_id&user.fields=username"
    return [f"https://api.x.com/2/tweets/search/recent?query={topic}&max_results=50&{fields}"]


def _creative(world: World, view: View, chance: random.Random) -> list[str]:
    which = chance.choice(("hashtag/list", "sound/rank_list", "creator/list"))
    return [
        f"https://ads.tiktok.com/creative_radar_api/v1/popular_trend/{which}?page=1&limit=20&period=7&country_code=BR"
    ]


def _youtube(world: World, view: View, chance: random.Random) -> list[str]:
    query = "part=snippet,statistics,contentDetails&chart=mostPopular&maxResults=50"
    return [f"https://www.googleapis.com/youtube/v3/videos?{query}&regionCode=BR&key={YOUTUBE_KEY}"]


def _catalogue(world: World, view: View, chance: random.Random) -> list[str]:
    return [f"https://{HOST}/products.json?limit=250&page=1"]


def _product_pages(kind: str) -> Urls:
    def urls(world: World, view: View, chance: random.Random) -> list[str]:
        found = world.shop.listed(view.at_h)
        return [f"https://{HOST}/products/{each.handle}{kind}" for each in chance.sample(found, chance.randint(3, 8))]

    return urls


def _reviews(world: World, view: View, chance: random.Random) -> list[str]:
    found = chance.sample(world.shop.listed(view.at_h), 4)
    base = f"https://api-cdn.yotpo.com/v1/widget/{WIDGET_KEY}/products"
    return [f"{base}/{each.product_id}/reviews.json?per_page=150&page=1#store={HOST}" for each in found]


def _one(*urls: str) -> Urls:
    return lambda world, view, chance: list(urls)


ERAS = (Look(), Look(exact=False), Look(era="sigi"), Look(era="next"), Look(era="node"))
JSON = (
    Family("tiktok profile pages", _profiles, ERAS),
    Family("tiktok post pages", _posts, ERAS),
    Family("tiktok account lists", _grid),
    Family("tiktok hashtags", _tags),
    Family("tiktok hashtag pages", _tag_pages, ERAS),
    Family("tiktok search", _search),
    Family("tiktok sounds", _sounds),
    Family("tiktok comments", _comments),
    Family("tiktok recommended", _recommended),
    Family("tiktok discover", _discover),
    Family("tiktok shop", _mall),
    Family("x trends 1.1", _trends),
    Family("x trends 2", _trends_2),
    Family("x search", _tweets),
    Family("creative center", _creative),
    Family("youtube", _youtube),
    Family("shop catalogue", _catalogue),
    Family("shop product .js", _product_pages(".js")),
    Family("shop product .json", _product_pages(".json")),
    Family("shop reviews", _reviews),
)
MARKUP = (
    Family("getdaytrends", _one("https://getdaytrends.com/brazil/", "https://getdaytrends.com/united-states/")),
    Family("trends24", _one("https://trends24.in/brazil/", "https://trends24.in/united-states/")),
    Family("google rss", _one("https://trends.google.com/trending/rss?geo=BR", "https://trends.google.com/trending/rss?geo=US")),
)  # fmt: skip
FAMILIES = (*JSON, *MARKUP)
HEADERS = {"authorization": "Bearer many", "user-agent": "Mozilla/5.0", "x-goog-api-key": YOUTUBE_KEY}


@dataclass(frozen=True)
class Site_:
    """A family with its targets, how often it is crawled, and what goes wrong by itself."""

    family: Family
    world: World
    look: Look
    urls: tuple[str, ...]
    begin: datetime
    every: timedelta
    walls: float
    """Share of fetches that meet a wall."""
    jumps: float
    """Chance that a thing goes viral between two runs."""

    def captures(self, run: int, seed: int, *, change: Change | None = None, walls: bool = True) -> list[Capture]:
        """What the run fetches. The same run and seed give the same pages; times wander by a tenth."""
        chance = random.Random(f"{seed}/{run}")
        at = self.begin + self.every * (run + chance.uniform(-0.1, 0.1))
        found = []
        for url in self.urls:
            at += timedelta(seconds=chance.randint(2, 9))
            at = at.replace(microsecond=0)
            walled = chance.random() < self.walls
            status, body = _fetch(self.world, self.look, url, at)
            if walled and walls:
                status, body = 200, chance.choice([*(each.encode() for each in map(_text, WALLS.values())), b""])
            elif change is not None:
                body = change(body)
            found.append(Capture(url, at, status, {}, body, "http", Vantage(), None, None))
        return found


def _text(page: Any) -> str:
    return page if isinstance(page, str) else str(page)


def _fetch(world: World, look: Look, url: str, at: datetime) -> tuple[int, bytes]:
    view = View(world, at, look)
    host, _, rest = url.removeprefix("https://").partition("#")[0].partition("/")
    path, _, query = f"/{rest}".partition("?")
    if SIGNED.search(path):
        query = signed(view, path, query)
    given = answer(view, Asked("GET", host, path, query.replace("%20", "+"), HEADERS))
    assert isinstance(given.body, bytes)
    return given.status, given.body


def site(seed: int, family: Family | None = None) -> Site_:
    chance = random.Random(f"site/{seed}")
    family = family or chance.choice(FAMILIES)
    world = World(chance.randrange(40))
    begin = START + timedelta(hours=chance.uniform(0, 21 * 24))
    look = chance.choice(family.looks)
    every = timedelta(hours=chance.choice((1, 3, 6, 24)))
    urls = family.urls(world, View(world, begin, look), chance)
    return Site_(family, world, look, tuple(urls), begin, every, chance.choice((0.0, 0.02, 0.1)), 0.05)


def items_of(captures: Iterable[Capture], mended: Repairs = NONE) -> list[Item]:
    found: list[Item] = []
    for each in captures:
        if each.status == 200 and (page := page_of(each, None, "k" * 32, mended)) is not None:
            found += [item for item in page.items() if isinstance(item, Item)]
    return found


def run_of(captures: Sequence[Capture], viral: Mapping[str, float] = {}, mended: Repairs = NONE) -> Run:
    """viral: by which factor the counters of a thing have jumped, by its key."""
    run = Run(captures[0].fetched_at)
    for each in captures:
        if each.status != 200:
            continue
        page = page_of(each, None, "k" * 32, mended)
        if page is None:
            continue
        found = [item for item in page.items() if isinstance(item, Item)]
        for item in found:
            run.take(_boosted(item, viral))
        words, links = map(names, trees.vocabulary(each.body))
        odd = tuple(sorted({name for path in page.result.odd if (name := field_of(path))}))
        run.pages.append(PageSeen(page.name, str(page.outcome), words, links, odd, trees.torn(each.body)))
    return run


def _boosted(item: Item, viral: Mapping[str, float]) -> Item:
    factor = viral.get(item.key)
    if factor is None:
        return item
    numbers = {
        name: int(value * factor)
        for name in item.counters
        if isinstance(value := getattr(item, name), int) and not isinstance(value, bool)
    }
    return item.model_copy(update=numbers)


def growing(run: Sequence[Item], chance: random.Random, jumps: float, viral: dict[str, float]) -> Iterator[str]:
    """Things that go viral now: between twice and forty times as much, small ones mostly."""
    for item in run:
        if item.counters and item.kind in ("post", "profile", "hashtag", "sound") and chance.random() < jumps / 10:
            viral[item.key] = viral.get(item.key, 1.0) * 2 ** chance.uniform(1, 5.3)
            yield item.key


pages.load_all()
