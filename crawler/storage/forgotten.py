"""A person out of the database: every document about them, every mention; and the tombstones that keep them out.

Cut off at any point, the same command again brings it to its end: the tombstone comes first.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import bson
from pymongo import DeleteOne
from pymongo.database import Database

from crawler.archive import Capture
from crawler.forgetting import Keeper, tombstone
from crawler.items import KINDS
from crawler.storage.merge import etag

if TYPE_CHECKING:
    from crawler.storage.history import History  # brings pyarrow, which no crawl needs

Document = dict[str, Any]


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
    said = [*person.names, *(f"id:{each}" for each in person.numbers)]
    for each in said:
        row = {"platform": person.platform, "at": now}
        database["forgotten"].update_one(
            {"_id": tombstone(key, person.platform, each)}, {"$setOnInsert": row}, upsert=True
        )


def remove(database: Database[Document], person: Person, keeper: Keeper) -> Counter[str]:
    """Documents removed or changed, by collection."""
    done: Counter[str] = Counter()
    for name, query in _queries(person).items():
        done[name] += database[name].delete_many(query).deleted_count
    database["runs"].update_many({}, {"$pull": {"targets": {"$in": [*person.names]}}})
    word = _word(person)
    for name in ("quarantine", "run_profiles", "notices"):
        done[name] += _delete_where(database, name, word)
    for name in sorted({model.collection for model in KINDS.values()} & {"posts", "comments", "sounds"}):
        done[name] += _clean(database, name, keeper, person, word)
    return +done


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
        "fetches": {"$or": [{"target": {"$in": [*person.names, *at_names]}}, {"url": urls}]},
    }


def _ids(keys: Iterable[str]) -> list[str]:
    return [key.rpartition(":")[2] for key in keys]


def _any_case(names: Iterable[str]) -> Document:
    return {"$regex": rf"^(?:{'|'.join(map(re.escape, sorted(names)))})$", "$options": "i"}


def _url(person: Person) -> str:
    """Addresses that name the person: /@name, ?user=name; never a longer name that begins so."""
    return rf"[/@=](?:{'|'.join(map(re.escape, (*person.names, *person.numbers)))})(?![\w.-])"


def _word(person: Person) -> re.Pattern[str]:
    """A handle as pages, addresses and documents write one (@name, "name", /name, =name); a number as a whole word.

    Not the bare word: many a handle is also a word of captions, and other people's pages would go with it.
    """
    names = "|".join(map(re.escape, person.names))
    numbers = "|".join(map(re.escape, person.numbers)) or r"(?!)"
    return re.compile(
        rf"(?:[@\"'/=>]|u002[fF]|%40)(?:{names})(?![\w-]|\.\w)|(?<![\w-])(?:{numbers})(?![\w-])", re.IGNORECASE
    )


def _delete_where(database: Database[Document], name: str, word: re.Pattern[str]) -> int:
    gone = [row["_id"] for row in database[name].find() if word.search(repr(row))]
    return database[name].delete_many({"_id": {"$in": gone}}).deleted_count if gone else 0


def _clean(database: Database[Document], name: str, keeper: Keeper, person: Person, word: re.Pattern[str]) -> int:
    """Mentions of the person in what others wrote."""
    changed = 0
    for row in database[name].find({"platform": person.platform}):
        if not word.search(repr([row.get(each) for each in ("caption", "text", "mentions", "author")])):
            continue
        after = {each: value for each, value in row.items() if each != "etag"}
        for each in ("caption", "text"):
            if isinstance(after.get(each), str):
                after[each] = keeper.without_mentions(person.platform, after[each])
        if isinstance(after.get("mentions"), list):
            after["mentions"] = [it for it in after["mentions"] if not keeper.forgotten(person.platform, it)]
        if name == "sounds" and keeper.forgotten(person.platform, after.get("author")):
            del after["author"]
        if after != {each: value for each, value in row.items() if each != "etag"}:
            database[name].replace_one({"_id": row["_id"]}, {**after, "etag": etag(after)})
            changed += 1
    return changed


def again(database: Database[Document], keeper: Keeper) -> int:
    """Documents of people whose tombstones stand here, removed once more: an older backup had them."""
    if not keeper.stones or keeper.key is None:
        return 0
    gone = 0
    for collection, name in (("profiles", "username"), ("posts", "author")):
        for platform in database[collection].distinct("platform"):
            for each in database[collection].distinct(name, {"platform": platform}):
                if keeper.forgotten(platform, each):
                    gone += remove(database, known_as(database, platform, each), keeper).total()
    return gone


def remove_from_history(history: History, person: Person, now: datetime) -> int:
    """Documents of old months, whose files are written anew. Before the database: that knows whose a post is."""
    word, posts, gone = _word(person), set(person.posts), 0
    for month in history.months():
        kept = [each for each in history.documents(month) if not _about(bson.decode(each), word, posts)]
        if len(kept) == month.rows:
            continue
        gone += month.rows - len(kept)
        made = history.write(month.collection, month.month, kept)
        if not history.verified(made):
            raise OSError(f"history of {month.id}: the file does not read back as it was written; say this again")
        history.note(made, now)
    return gone


def shows(capture: Capture, person: Person) -> bool:
    """Whether its address, its target or its body names the person."""
    word = _word(person)
    if word.search(capture.url) or (capture.target is not None and word.search(f"@{capture.target}")):
        return True
    return word.search(capture.body.decode("utf-8", "replace")) is not None


def _about(row: Document, word: re.Pattern[str], posts: set[str]) -> bool:
    of = [str(row.get(each)).rpartition(":")[2].partition("@")[0] for each in ("entity", "board")]
    return row.get("entity") in posts or word.search(repr([*of, row.get("topic"), row.get("url")])) is not None


def note_captures(database: Database[Document], captures: Iterable[str], now: datetime) -> None:
    """Captures that showed a forgotten person again: `scrapy retention` takes them out of the archive."""
    for each in captures:
        database["to_forget"].update_one({"_id": each}, {"$setOnInsert": {"at": now}}, upsert=True)


def noted_captures(database: Database[Document]) -> list[str]:
    return [row["_id"] for row in database["to_forget"].find({}, {"_id": 1})]


def drop_notes(database: Database[Document], captures: Sequence[str]) -> None:
    if captures:
        database["to_forget"].bulk_write([DeleteOne({"_id": each}) for each in captures], ordered=False)
