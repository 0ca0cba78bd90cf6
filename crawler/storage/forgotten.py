"""A person out of the database: every document about them, every mention; and the tombstones that keep them out.

Cut off at any point, the same command again brings it to its end: the tombstone comes first.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any

import bson
from pymongo import DeleteOne, ReplaceOne
from pymongo.database import Database

from crawler.archive import Capture
from crawler.forgetting import Keeper, tombstone
from crawler.storage.drift import forget as forget_entities
from crawler.storage.traces import LEFT, Traces

if TYPE_CHECKING:
    from crawler.storage.history import History  # brings pyarrow, which no crawl needs

Document = dict[str, Any]
AT_ONCE = 1000
LAST = ("posts", "profiles")
MOST_SEEN = 1_000_000  # words that were asked about; then they are asked about again
_WORD = re.compile(r"[\w.-]{2,64}")


@dataclass(frozen=True, slots=True)
class Person:
    """All that an account is known by."""

    platform: str
    names: tuple[str, ...]
    """Handles, the present one and those of before."""
    numbers: tuple[str, ...]
    """user_id, sec_uid."""
    posts: tuple[str, ...] = ()
    """Keys of their posts."""

    @property
    def keys(self) -> list[str]:
        return [f"{self.platform}:profile:{name}" for name in self.names]


@lru_cache(maxsize=8)
def _traces(person: Person) -> Traces:
    return Traces(person)


def stones(database: Database[Document]) -> frozenset[str]:
    return frozenset(row["_id"] for row in database["forgotten"].find({}, {"_id": 1}))


def known_as(database: Database[Document], platform: str, name: str) -> Person:
    """Other handles and the numbers of the account, as far as profiles and posts tell."""
    names, numbers, sec_uids = {name.lower()}, set[str](), set[str]()
    for _ in range(2):  # a number leads to other handles
        asked = [{"username": _any_case(names)}, {"user_id": {"$in": sorted(numbers)}}]
        for row in database["profiles"].find({"platform": platform, "$or": asked}):
            names.add(row["username"].lower())
            numbers |= {row["user_id"]} if row.get("user_id") else set()
            sec_uids |= {row["sec_uid"]} if row.get("sec_uid") else set()
        for row in database["posts"].find({"platform": platform, "author": _any_case(names)}, {"author_id": 1}):
            numbers |= {row["author_id"]} if row.get("author_id") else set()
    wrote = [{"author": _any_case(names)}, {"author_id": {"$in": sorted(numbers)}}]
    posts = [row["_id"] for row in database["posts"].find({"platform": platform, "$or": wrote}, {"_id": 1})]
    return Person(platform, tuple(sorted(names)), (*sorted(numbers), *sorted(sec_uids)), tuple(sorted(posts)))


def bury(database: Database[Document], person: Person, key: str, now: datetime) -> None:
    """Tombstones, before anything is removed."""
    said = [*person.names, *(f"id:{each}" for each in person.numbers), *(f"post:{each}" for each in _ids(person.posts))]
    for each in said:
        row = {"platform": person.platform, "at": now}
        database["forgotten"].update_one(
            {"_id": tombstone(key, person.platform, each)}, {"$setOnInsert": row}, upsert=True
        )


def remove(database: Database[Document], person: Person) -> Counter[str]:
    """Documents removed or changed, by collection. What tells who the person is goes last: cut off, say it again."""
    done: Counter[str] = Counter()
    queries, traces = _queries(person), _traces(person)
    names = {each for each in database.list_collection_names() if each not in LEFT and not each.startswith("system.")}
    for name in sorted(names, key=lambda each: (each in LAST, each)):
        if name in queries:
            done[name] += database[name].delete_many(queries[name]).deleted_count
        done[name] += _swept(database, name, traces)
    forget_entities(database)  # they are hashes there, which the name would lead to
    return +done


def _swept(database: Database[Document], name: str, traces: Traces) -> int:
    """What still names the person: queries know the fields that should, and this what there is."""
    writes: list[DeleteOne | ReplaceOne[Document]] = []
    for row in database[name].find():
        made = traces.after(name, row)
        if made is None:
            writes.append(DeleteOne({"_id": row["_id"]}))
        elif made is not row:
            writes.append(ReplaceOne({"_id": row["_id"]}, made))
    for start in range(0, len(writes), AT_ONCE):
        database[name].bulk_write(writes[start : start + AT_ONCE], ordered=False)
    return len(writes)


def _queries(person: Person) -> dict[str, Document]:
    posts, about = person.posts, [*person.keys, *person.posts]
    at_names = [f"@{name}" for name in person.names]
    target = {"$or": [{"value": {"$in": [*person.names, *at_names]}}, {"value": {"$in": list(_ids(posts))}}]}
    urls = {"$regex": _url(person), "$options": "i"}
    own = {"$regex": rf":(?:{'|'.join(map(re.escape, person.names))})(?:@|$)", "$options": "i"}  # a creator's grid
    watch = {"watch": {"$regex": rf":@?(?:{'|'.join(map(re.escape, person.names))})$", "$options": "i"}}
    return {
        "profiles": {"_id": {"$in": person.keys}},
        "creators": {"$or": [{"_id": {"$in": [*about, *person.names]}}, {"user_id": {"$in": list(person.numbers)}}]},
        "posts": {"_id": {"$in": list(posts)}},
        "comments": {"post": {"$in": list(posts)}},
        "deals": {"post": {"$in": list(posts)}},
        "heard": {"post": {"$in": list(posts)}},
        "links": {"$or": [{"target": {"$in": about}}, {"evidence": {"$in": list(posts)}}]},
        "observations": {"entity": {"$in": list(about)}},
        "rollups_hourly": {"entity": {"$in": list(about)}},
        "rollups_daily": {"entity": {"$in": list(about)}},
        "boards": {"board": own},
        "board_entries": {"$or": [{"entity": {"$in": list(about)}}, {"topic_key": {"$in": at_names}}, {"board": own}]},
        "trends": {"$or": [{"topic_key": {"$in": at_names}}, {"board": own}]},
        "alerts": {"$or": [{"topic_key": {"$in": at_names}}, {"entity": {"$in": list(about)}}]},
        "targets": target,
        "asked": target,
        "slots": watch,
        "fetches": {"$or": [{"target": {"$in": [*person.names, *at_names, *_ids(posts)]}}, {"url": urls}]},
    }


def _ids(keys: Iterable[str]) -> list[str]:
    return [key.rpartition(":")[2] for key in keys]


def _any_case(names: Iterable[str]) -> Document:
    return {"$regex": rf"^(?:{'|'.join(map(re.escape, sorted(names)))})$", "$options": "i"}


def _url(person: Person) -> str:
    """Addresses that name the person: /@name, ?user=name; never a longer name that begins so."""
    return rf"[/@=](?:{'|'.join(map(re.escape, (*person.names, *person.numbers)))})(?![\w.-])"


def again(database: Database[Document], keeper: Keeper, history: History, now: datetime) -> int:
    """Documents of people whose tombstones stand here, removed once more: an older backup had them."""
    if not keeper.stones or keeper.key is None:
        return 0
    gone = 0
    for platform in database["forgotten"].distinct("platform"):
        who = _buried(database, history, keeper, platform)
        if who:
            known = [known_as(database, platform, name) for name in sorted(who["name"])]
            person = Person(
                platform, tuple(sorted({*who["name"], *(each for one in known for each in one.names)})),
                tuple(sorted({*who["id"], *(each for one in known for each in one.numbers)})),
                tuple(sorted({*(f"{platform}:post:{each}" for each in who["post"]),
                              *(each for one in known for each in one.posts)})),
            )  # fmt: skip
            gone += remove_from_history(history, person, now) + remove(database, person).total()
    return gone


def _buried(database: Database[Document], history: History, keeper: Keeper, platform: str) -> dict[str, set[str]]:
    """Names, numbers and posts that any document holds and a tombstone stands for: by their hashes, all that can be
    asked of it."""
    found: dict[str, set[str]] = defaultdict(set)
    seen: set[str] = set()
    names = [each for each in database.list_collection_names() if each not in LEFT and not each.startswith("system.")]
    told = chain.from_iterable(map(repr, database[name].find()) for name in names)
    old = (repr(bson.decode(each)) for month in history.months() for each in history.documents(month))
    for text in chain(told, old):
        for word in set(_WORD.findall(text)) - seen:
            for kind, said in (("name", word), ("id", f"id:{word}"), ("post", f"post:{word}")):
                if tombstone(keeper.key or "", platform, said) in keeper.stones:
                    found[kind].add(word.lower().rstrip("."))
            seen.add(word)
        if len(seen) > MOST_SEEN:
            seen.clear()
    return found


def remove_from_history(history: History, person: Person, now: datetime) -> int:
    """Documents of old months, whose files are written anew. Before the database: that knows whose a post is."""
    traces, about, changed = _traces(person), {*person.keys, *person.posts}, 0
    for month in history.months():
        kept, touched = [], 0
        for each in history.documents(month):
            row = bson.decode(each)
            made = None if row.get("entity") in about else traces.after(month.collection, row)
            touched += made is not row
            if made is not None:
                kept.append(each if made is row else bson.encode(made))
        if not touched:
            continue
        changed += touched
        made_anew = history.write(month.collection, month.month, kept)
        if not history.verified(made_anew):
            raise OSError(f"history of {month.id}: the file does not read back as it was written; say this again")
        history.note(made_anew, now)
    return changed


def shows(capture: Capture, person: Person) -> bool:
    """Whether its address, its target or its body names the person."""
    traces = _traces(person)
    if traces.text(capture.url) or (capture.target is not None and traces.text(f"@{capture.target}")):
        return True
    return traces.text(capture.body.decode("utf-8", "replace"))


def note_captures(database: Database[Document], captures: Iterable[str], now: datetime) -> None:
    """Captures that showed a forgotten person again: `scrapy retention` takes them out of the archive."""
    for each in captures:
        database["to_forget"].update_one({"_id": each}, {"$setOnInsert": {"at": now}}, upsert=True)


def noted_captures(database: Database[Document]) -> list[str]:
    return [row["_id"] for row in database["to_forget"].find({}, {"_id": 1})]


def drop_notes(database: Database[Document], captures: Sequence[str]) -> None:
    if captures:
        database["to_forget"].bulk_write([DeleteOne({"_id": each}) for each in captures], ordered=False)
