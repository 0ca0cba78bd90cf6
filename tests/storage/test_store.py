"""The store on a real mongod: crawl twice, nothing changes; races, refusals, boards, ledger."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import bson
import pytest
from pymongo.database import Database

from crawler.items import Board, BoardEntry, Item, Post, Profile, Refused
from crawler.storage import schema
from crawler.storage.errors import StorageRefused
from crawler.storage.store import Store

START = datetime(2026, 3, 1, tzinfo=UTC)


def profile(hours: float, capture: str = "a", name: str = "tide", **fields: Any) -> Profile:
    at = START + timedelta(hours=hours)
    return Profile(
        platform="tiktok", url="https://t/p", observed_at=at, capture=capture, parser="tiktok.profile@1",
        username=name, **fields,
    )  # fmt: skip


def board(hours: float, capture: str, topics: list[str], at: datetime = START) -> list[Item]:
    seen = START + timedelta(hours=hours)
    common: dict[str, Any] = {
        "platform": "x", "url": "https://x", "observed_at": seen, "capture": capture, "parser": "x.trends_place@1",
        "board": "x:trends:br", "at": at,
    }  # fmt: skip
    rows = [BoardEntry(position=i, topic=t, topic_key=t.lower(), **common) for i, t in enumerate(topics, 1)]
    return [Board(place="br", source="x", size=len(topics), **common), *rows]


def content(database: Database[Any]) -> dict[str, list[bytes]]:
    """Every document of every collection of facts, as bytes."""
    names = [name for name in schema.plan() if name not in ("fetches", "runs", "targets", "quarantine")]
    return {name: [bson.encode(doc) for doc in database[name].find().sort("_id")] for name in names}


def test_saving_the_same_items_twice_changes_nothing(store: Store, database: Database[Any]) -> None:
    items = [profile(0, followers=1), profile(1, "b", followers=2), *board(0, "c", ["Maré", "Onda"])]
    assert store.save(items) == ["saved"] * 5
    before = content(database)
    assert store.save(items) == ["repeated"] * 5
    assert content(database) == before


def test_any_order_and_any_batching_gives_the_same_database(store: Store, database: Database[Any]) -> None:
    random = Random(3)
    items: list[Item] = [
        profile(h, capture, name, followers=f, bio=b)
        for h in range(4) for capture in "ab" for name in ("x", "y") for f, b in ((h, None), (None, f"b{h}"))
    ]  # fmt: skip
    for hour, capture, topics in ((0, "a", ["A", "B", "C"]), (1, "b", ["B", "A"]), (2, "c", ["C"])):
        items += board(hour, capture, topics)
    found = []
    for _ in range(4):
        for name in schema.plan():
            database[name].delete_many({})
        random.shuffle(items)
        rest = [*items, *random.choices(items, k=10)]
        while rest:
            size = random.randrange(1, 9)
            store.save(rest[:size])
            rest = rest[size:]
        found.append(content(database))
    assert all(each == found[0] for each in found)


def test_one_observation_per_accepted_capture(store: Store, database: Database[Any]) -> None:
    store.save([profile(0, "a", followers=1), profile(0, "b", followers=2), profile(1, "c"), profile(1, "c")])
    seen = list(database["observations"].find().sort("_id"))
    assert [(doc["capture"], doc.get("followers")) for doc in seen] == [("a", 1), ("b", 2), ("c", None)]


def test_of_two_captures_of_one_board_at_one_moment_the_greater_stands_whole(
    store: Store, database: Database[Any]
) -> None:
    store.save(board(0, "a", ["A", "B", "C"]))
    store.save(board(1, "b", ["D"]))
    store.save(board(0, "a", ["A", "B", "C"]))
    assert [doc["topic"] for doc in database["board_entries"].find()] == ["D"]
    assert database["boards"].find_one()["size"] == 1


def test_counters_are_int64_and_never_doubles(store: Store, database: Database[Any]) -> None:
    store.save([profile(0, followers=5)])
    assert database["profiles"].count_documents({"followers": {"$type": "long"}}) == 1


def test_writers_at_once_lose_nothing(store: Store, database: Database[Any]) -> None:
    """Eight threads, each with its own fields' moments, on the same three documents."""
    items = [profile(h, f"c{h}", name, followers=h) for h in range(40) for name in "xyz"]

    def work(seed: int) -> None:
        mine = items[:]
        Random(seed).shuffle(mine)
        for i in range(0, len(mine), 7):
            store.save(mine[i : i + 7])

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {doc["followers"] for doc in database["profiles"].find()} == {39}
    assert database["observations"].count_documents({}) == len(items)


def test_what_the_server_cannot_hold_is_refused_alone(store: Store, database: Database[Any]) -> None:
    bad = profile(0, name="bad", bio="half an emoji \ud83d")
    assert store.save([profile(0), bad]) == ["saved", "refused:document_not_storable"]
    assert database["profiles"].count_documents({}) == 1


def test_the_validator_refuses_what_no_model_would_write(store: Store, database: Database[Any]) -> None:
    from pymongo.errors import WriteError

    with pytest.raises(WriteError, match="failed validation"):
        database["profiles"].insert_one({"_id": "tiktok:profile:x", "followers": "12"})


def test_preparing_twice_and_at_once_is_harmless(database: Database[Any]) -> None:
    threads = [threading.Thread(target=schema.ensure, args=(database,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(schema.plan()) <= set(database.list_collection_names())
    names = {each["name"] for each in database["board_entries"].list_indexes()}
    assert "board_topic_key_at" in names


def test_a_database_of_a_newer_version_is_not_touched(database: Database[Any]) -> None:
    database["meta"].insert_one({"_id": "schema", "version": schema.VERSION + 1})
    with pytest.raises(StorageRefused, match="Update Tidemark"):
        Store(database).prepare()
    assert database.list_collection_names() == ["meta"]


def test_quarantine_keeps_a_refusal_once(store: Store, database: Database[Any]) -> None:
    refused = Refused(
        kind="post", reason="views_greater_than_equal", data='{"$where":"1"}', url="u", observed_at=START,
        capture="c", parser="tiktok.profile@1",
    )  # fmt: skip
    store.quarantine([refused, refused], "run", START)
    store.quarantine([refused], "run2", START)
    assert [doc["data"] for doc in database["quarantine"].find()] == ['{"$where":"1"}']


def test_the_first_telling_of_a_fetch_stands_and_parsers_are_gathered(store: Store, database: Database[Any]) -> None:
    store.fetches([{"_id": "c", "outcome": "ok", "run": "one", "parser": "p@1"}], START)
    store.fetches([{"_id": "c", "outcome": "ok", "run": "two", "parser": "p@2"}], START)
    row = database["fetches"].find_one()
    assert (row["run"], row["parsers"]) == ("one", ["p@1", "p@2"])
    assert store.applied(["c", "d"], {"p": "p@2"}) == {"c"}
    assert store.applied(["c"], {"p": "p@3"}) == set()


def test_posts_carry_no_field_of_a_person_that_is_not_allowed() -> None:
    assert {name for name in Post.facts() if name.startswith("author")} == {
        "author", "author_id", "author_followers", "author_followers_precision",
    }  # fmt: skip
