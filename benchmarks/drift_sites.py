"""Sites for the drift benchmark: pages of the simulated web in memory, and changes of shape done to them. No sockets.

A family is what one spider would fetch in a run. A change is drawn once for a site and done to all of its pages alike.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from crawler import pages, trees
from crawler.archive import Capture
from crawler.drift import PageSeen, Run, field_of, names
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
    return [f"{base}/{each.product_id}/reviews.json?per_page=150&page=1" for each in found]


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
    host, _, rest = url.removeprefix("https://").partition("/")
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


# Changes of shape

LARGEST = 1e11  # larger ones are ids, which nobody rescales
KINDS = ("renamed", "moved", "retyped", "rescaled", "swapped", "emptied")


@dataclass(frozen=True)
class Change:
    """What is done to every page of a site. read: the path or name that the page object looks at."""

    kind: str
    what: str
    do: Callable[[bytes], bytes]

    def __call__(self, body: bytes) -> bytes:
        return self.do(body)


def change_of(kind: str, bodies: Sequence[bytes], chance: random.Random) -> Change | None:
    """A change drawn for these pages; None where they hold nothing that it can be done to."""
    if not any(trees.documents(body) for body in bodies):
        return _change_of_markup(kind, bodies, chance)
    leaves: dict[trees.Path, list[Any]] = {}
    for body in bodies:
        for document in trees.documents(body):
            for path, value in trees.nodes(document):
                leaves.setdefault(path, []).append(value)
    paths = sorted(path for path, values in leaves.items() if _fits(kind, path, values))
    if not paths:
        return None
    path = chance.choice(paths)
    other = chance.choice(_partners(path, leaves) or [path]) if kind == "swapped" else path
    if kind == "swapped" and other == path:
        return None
    way = chance.randrange(1 << 30)
    name = f"{kind} {trees.shown(path)}" + (f" with {trees.shown(other)}" if kind == "swapped" else "")
    return Change(kind, f"{name} ({way % 4})", lambda body: _changed(body, kind, path, other, way))


def _is_number(value: Any) -> bool:
    return (isinstance(value, int | float) and not isinstance(value, bool)) or (
        isinstance(value, str) and re.fullmatch(r"\d{1,12}(\.\d+)?", value) is not None
    )


def _fits(kind: str, path: trees.Path, values: list[Any]) -> bool:
    if path[-1] == trees.EACH or path[-1].startswith("__"):
        return False
    if kind in ("retyped", "rescaled"):
        return all(map(_is_number, values)) and 0 < max(float(each) for each in values) < LARGEST
    if kind in ("swapped", "moved"):
        return not any(isinstance(each, dict | list) for each in values)
    return True


def _partners(path: trees.Path, leaves: Mapping[trees.Path, list[Any]]) -> list[trees.Path]:
    """Fields of the same object, of the same type, and not the same values."""
    mine = leaves[path]
    return [
        each for each, values in sorted(leaves.items())
        if each != path and each[:-1] == path[:-1] and each[-1] != trees.EACH
        and {type(one) for one in values} == {type(one) for one in mine} and values != mine
        and not isinstance(values[0], dict | list)
    ]  # fmt: skip


def _changed(body: bytes, kind: str, path: trees.Path, other: trees.Path, way: int) -> bytes:
    changed = []
    for document in trees.documents(body):
        if document.name != path[0]:
            continue
        data = deepcopy(document.data)
        for place, _ in list(trees.select(data, path[1:-1])):
            holder = _at(data, place)
            if isinstance(holder, dict) and path[-1] in holder:
                CHANGES[kind](holder, path[-1], other[-1], way)
        changed.append(replace(document, data=data))
    return trees.written(body, changed) if changed else body


def _at(data: Any, place: Iterable[str | int]) -> Any:
    for step in place:
        data = data[step]
    return data


def _rename(holder: dict[str, Any], name: str, other: str, way: int) -> None:
    new = (f"{name}New", f"new_{name}", re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower() + "_v3", f"x{way % 997}")[
        way % 4
    ]
    items = [(new if key == name else key, value) for key, value in holder.items()]
    holder.clear()
    holder.update(items)


def _move(holder: dict[str, Any], name: str, other: str, way: int) -> None:
    value = holder.pop(name)
    match way % 3:
        case 0:
            holder["details"] = {name: value}
        case 1:
            holder["data2"] = {"v": {f"{name}_": value}}
        case _:
            holder["extra_info"] = [{"value": value}]


def _retype(holder: dict[str, Any], name: str, other: str, way: int) -> None:
    value = float(holder[name])
    match way % 3:
        case 0:
            holder[name] = _short(value)
        case 1:
            holder[name] = {"value": holder[name], "unit": "1"}
        case _:
            holder[name] = f"{value:,.0f}" if value == int(value) else f"{value} "


def _short(value: float) -> str:
    for unit, sign in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if value >= unit:
            return f"{value / unit:.1f}{sign}"
    return f"{value:.0f}" if value == int(value) else f"{value:.2f}"


def _rescale(holder: dict[str, Any], name: str, other: str, way: int) -> None:
    """By an exact factor: no digit is lost."""
    value = holder[name]
    number = Decimal(str(value)) * (1000, 100, 60, Decimal("0.001"), Decimal("0.01"))[way % 5]
    made: float = int(number) if number == int(number) else float(number)
    holder[name] = str(made) if isinstance(value, str) else made


def _exchange(holder: dict[str, Any], name: str, other: str, way: int) -> None:
    if other in holder:
        holder[name], holder[other] = holder[other], holder[name]


def _empty(holder: dict[str, Any], name: str, other: str, way: int) -> None:
    value = holder[name]
    blank: Any = (
        "" if isinstance(value, str) else {} if isinstance(value, dict) else [] if isinstance(value, list) else 0
    )
    match way % 3:
        case 0:
            holder[name] = None
        case 1:
            holder[name] = blank
        case _:
            del holder[name]


CHANGES: Mapping[str, Callable[[dict[str, Any], str, str, int], None]] = {
    "renamed": _rename, "moved": _move, "retyped": _retype, "rescaled": _rescale, "swapped": _exchange,
    "emptied": _empty,
}  # fmt: skip


def _change_of_markup(kind: str, bodies: Sequence[bytes], chance: random.Random) -> Change | None:
    """Names of markup are renamed and exchanged, texts of an element with a name are emptied, rescaled, retyped."""
    texts = [body.decode() for body in bodies]
    words = sorted(set.intersection(*(trees.tokens(text) for text in texts)) - {"<html", "<head", "<body", "<script"})
    words = [each for each in words if not re.search(r"=[\d.]+$", each)]  # data, not a name
    if not words:
        return None
    one, other = chance.choice(words), chance.choice(words)
    sort = one.partition("=")[0] if "=" in one else "<"
    way = chance.randrange(1 << 30)
    if kind == "renamed":
        new = one + "-new" if "=" in one else f"{one}x"
        return Change(kind, f"{one} to {new}", lambda body: trees.renamed(body.decode(), {one: new}).encode())
    if kind == "swapped":
        if one == other or (other.partition("=")[0] if "=" in other else "<") != sort:
            return None
        return Change(
            kind, f"{one}, {other}", lambda body: trees.renamed(body.decode(), {one: other, other: one}).encode()
        )
    if kind == "moved":
        return None
    tag = re.compile(_opening(one) + r"([^<]{1,80})(?=<)")

    def text_changed(found: re.Match[str]) -> str:
        text = found[found.lastindex or 0]
        opening = found[0][: len(found[0]) - len(text)]
        number = re.search(r"\d[\d,]*", text)
        if kind == "emptied":
            return opening
        if number is None:
            return found[0]
        value = int(number[0].replace(",", ""))
        made = str(value * 1000) if kind == "rescaled" else f"{value} {'abc'[way % 3]}."
        return opening + text[: number.start()] + made + text[number.end() :]

    return Change(kind, f"text of {one}", lambda body: tag.sub(text_changed, body.decode()).encode())


def _opening(word: str) -> str:
    if word.startswith("<"):
        return rf"{re.escape(word)}(?:\s[^<>]*)?>(?:\s*<a\b[^<>]*>)?"
    name, _, value = word.partition("=")
    return rf"<[^<>]*\b{re.escape(name)}=[\"'][^\"']*(?<![\w-]){re.escape(value)}(?![\w-])[^<>]*>(?:\s*<a\b[^<>]*>)?"


def growing(run: Sequence[Item], chance: random.Random, jumps: float, viral: dict[str, float]) -> Iterator[str]:
    """Things that go viral now: between twice and forty times as much, small ones mostly."""
    for item in run:
        if item.counters and item.kind in ("post", "profile", "hashtag", "sound") and chance.random() < jumps / 10:
            viral[item.key] = viral.get(item.key, 1.0) * 2 ** chance.uniform(1, 5.3)
            yield item.key


pages.load_all()
