"""What lists the API has: of which documents, filtered by what, in which orders. Declarations only.

Fields, types and descriptions come from the item models; what a model does not have (the ledger of fetches, runs)
is said here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from crawler.items import KINDS, Board, BoardEntry, Item
from crawler.outcomes import Outcome
from crawler.storage.web_reads import Order

Type: TypeAlias = Literal["text", "whole", "number", "flag", "moment"]


@dataclass(frozen=True)
class Filter:
    """A parameter that compares a field with a value."""

    field: str
    type: Type
    about: str
    operator: Literal["eq", "ge", "lt", "le"] = "eq"
    example: str | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Listing:
    name: str
    collection: str
    about: str
    filters: Mapping[str, Filter]
    orders: Mapping[str, Order]
    """The first is the default."""
    moment: str
    """Field that since and until speak of."""
    columns: tuple[str, ...]
    """Of the CSV."""
    needs: tuple[str, ...] = ()
    """Parameters of which one must be given: without it no index helps."""
    model: type[Item] | None = field(default=None, compare=False)


_EXAMPLES = {
    "platform": "tiktok", "author": "nasa", "username": "nasa", "hashtags": "skincare", "board": "x:trends:br",
    "topic_key": "carnaval", "entity": "tiktok:profile:nasa", "kind": "profile", "product": "shop.example:product:1",
    "post": "tiktok:post:1", "place": "br", "language": "pt",
}  # fmt: skip


def _filters(model: type[Item], *names: str) -> dict[str, Filter]:
    """Equality on text fields, `min_…` and `max_…` on counters."""
    found: dict[str, Filter] = {}
    for name in names:
        about = model.model_fields[name].description or name
        if name in (*model.counters, "position", "volume", "rating", "duration_s") and name not in ("available",):
            kind: Type = "number" if name in ("rating", "price", "list_price", "duration_s") else "whole"
            found[f"min_{name}"] = Filter(name, kind, f"{about} At least this.", "ge")
            found[f"max_{name}"] = Filter(name, kind, f"{about} At most this.", "le")
        elif name in ("verified", "private", "available", "is_ad", "promoted", "original"):
            found[name] = Filter(name, "flag", about)
        else:
            found[name] = Filter(name, "text", about, example=_EXAMPLES.get(name))
    return found


def _of(
    name: str, model: type[Item], about: str, filters: tuple[str, ...], orders: dict[str, Order],
    moment: str = "observed_at", needs: tuple[str, ...] = (),
) -> Listing:  # fmt: skip
    made = _filters(model, "platform", *filters)
    columns = (*model.columns(), *(() if model in (Board, BoardEntry) else ("first_seen",)))
    return Listing(name, model.collection, about, made, orders, moment, columns, needs, model)


def _by(*fields: str, tie: str = "_id") -> dict[str, Order]:
    """`-views`: greatest first."""
    return {name: Order(name.removeprefix("-"), name.startswith("-"), tie) for name in fields}


_K = KINDS
_OBSERVED = tuple(dict.fromkeys(name for model in KINDS.values() for name in model.counters))

LISTS: dict[str, Listing] = {each.name: each for each in (
    _of("snapshots", _K["board"], "Boards as they stood at a moment.", ("board", "place", "source"),
        _by("-at", "at"), "at", ("board",)),
    _of("entries", _K["boardentry"], "Rows of a board, newest snapshot first, each by position.",
        ("board", "topic_key", "position", "volume", "promoted", "category"), _by("-at", "at", tie="position"),
        "at", ("board",)),
    _of("posts", _K["post"], "Videos, photos and text posts in their latest state.",
        ("author", "hashtags", "language", "category", "location", "media", "views", "likes", "duration_s"),
        _by("-created_at", "created_at", "-views", "-likes"), "created_at"),
    _of("creators", _K["profile"], "Accounts in their latest state.",
        ("username", "verified", "private", "region", "category", "followers", "likes", "videos"),
        _by("-followers", "followers", "username", "-observed_at")),
    _of("hashtags", _K["hashtag"], "Hashtags in their latest state.", ("name", "views", "posts"),
        _by("-views", "name", "-observed_at")),
    _of("sounds", _K["sound"], "Sounds in their latest state.", ("author", "original", "posts"),
        _by("-posts", "-observed_at")),
    _of("products", _K["product"], "Products in their latest state.",
        ("host", "brand", "vendor", "category", "gtin", "handle", "rating", "rating_count", "sold_count"),
        _by("-observed_at", "title", "-rating_count", "-rating")),
    _of("offers", _K["offer"], "What each variant of a product costs now.",
        ("product", "currency", "available", "seller", "price"), _by("-observed_at", "price", "-price")),
    _of("reviews", _K["review"], "Reviews; authors only as a keyed hash.", ("product", "language", "rating"),
        _by("-created_at", "created_at"), "created_at"),
    _of("comments", _K["comment"], "Public comments; authors only as a keyed hash.", ("post", "language", "likes"),
        _by("-created_at", "created_at"), "created_at"),
    _of("deals", _K["deal"], "Offers announced in posts.", ("post", "brand", "retailer", "coupon"),
        _by("-observed_at", "observed_at")),
    Listing("observations", "observations", "Every accepted reading of an entity's counters; prices too.", {
        "entity": Filter("entity", "text", "Key of the entity.", example="tiktok:profile:nasa"),
        "kind": Filter("kind", "text", "Kind of the entity.", example="profile", choices=tuple(
            kind for kind, model in KINDS.items() if model.counters)),
    }, {"-at": Order("at", True, indexed=True), "at": Order("at", False)}, "at", (
        "key", "entity", "kind", "platform", "at", "at_precision", *_OBSERVED,
        *(f"{name}_precision" for name in _OBSERVED if name not in ("price", "list_price", "currency", "available")),
        "url", "capture", "parser", "vantage",
    ), ("entity", "kind")),
    Listing("fetches", "fetches", "The ledger: how every fetch ended, and its capture.", {
        "outcome": Filter("outcome", "text", "How it ended.", choices=tuple(Outcome)),
        "spider": Filter("spider", "text", "Source that asked.", example="tiktok_profile"),
        "target": Filter("target", "text", "What was asked for.", example="@nasa"),
        "run": Filter("run", "text", "Run that it belongs to."),
    }, _by("-at", "at"), "at", (
        "key", "spider", "target", "url", "at", "outcome", "status", "lane", "parser", "items", "bytes", "ms", "got",
        "ceiling", "run", "capture", "vantage", "recorded_at",
    )),
    Listing("runs", "runs", "Every run of a spider: what it brought, its verdict and why.", {
        "spider": Filter("spider", "text", "Source.", example="tiktok_profile"),
        "verdict": Filter("verdict", "text", "How it went.", choices=("good", "poor")),
    }, _by("-started_at", "started_at"), "started_at", (
        "key", "spider", "started_at", "finished_at", "verdict", "reasons", "items", "outcomes", "bytes",
        "finish_reason", "targets", "parsers", "versions",
    )),
    Listing("refused", "quarantine", "What no model accepted, with the reason; its data as text.", {
        "reason": Filter("reason", "text", "Why."), "kind": Filter("kind", "text", "Kind it would have been."),
        "capture": Filter("capture", "text", "Capture it was read from."),
    }, _by("-observed_at", "observed_at"), "observed_at", (
        "key", "kind", "reason", "data", "url", "observed_at", "capture", "parser", "run", "recorded_at",
    )),
    Listing("targets", "targets", "The watch list: what is followed, by whom, how often.", {
        "spider": Filter("spider", "text", "Source.", example="tiktok_profile"),
        "value": Filter("value", "text", "What is asked for.", example="@nasa"),
    }, _by("spider", "value"), "since", ("key", "spider", "value", "every_s", "since", "progress")),
    Listing("alerts", "alerts", "What was told to be about to rise, and whether it came true.", {
        "board": Filter("board", "text", "Board.", example="x:trends:br"),
        "rule": Filter("rule", "text", "Rule that told it."),
        "came_true": Filter("came_true", "flag", "Whether it did; absent while nobody can know."),
        "min_probability": Filter("probability", "number", "Told with at least this probability.", "ge"),
    }, _by("-at", "at", "-probability"), "at", (
        "key", "rule", "detector", "board", "kind", "entity", "counter", "at", "topic", "topic_key", "probability",
        "until", "came_true", "settled_at",
        "evidence", "promise",
    )),
)}  # fmt: skip
