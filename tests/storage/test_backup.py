"""A database as a file and back, also into a server that holds some of it; changes of the schema, told before done."""

from __future__ import annotations

import gzip
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import bson
import pytest
from bson.int64 import Int64
from pymongo import MongoClient
from pymongo.database import Database

from crawler.forgetting import Keeper
from crawler.items import Profile, Vantage
from crawler.storage import forgotten, migrations, schema
from crawler.storage.backup import BackupError, backup, check, restore
from crawler.storage.errors import StorageRefused
from crawler.storage.history import History
from crawler.storage.migrations import Migration, migrate, pending
from crawler.storage.reads import Reader
from crawler.storage.retention import move
from crawler.storage.store import Store

AT = datetime(2026, 1, 10, tzinfo=UTC)
KEY = "k" * 32


def profile(name: str, followers: int, day: int = 0) -> Profile:
    at = AT + timedelta(days=day)
    return Profile(
        platform="tiktok", url="u", observed_at=at, capture=f"{name}{day}", parser="p@1", vantage=Vantage(),
        username=name, followers=followers,
    )  # fmt: skip


@pytest.fixture
def other(client: MongoClient[dict[str, Any]]) -> Iterator[Database[dict[str, Any]]]:
    """Another server, as far as anybody can tell."""
    name = f"test_{secrets.token_hex(6)}"
    yield client[name]
    client.drop_database(name)


@pytest.fixture
def filled(database: Database[Any]) -> Database[Any]:
    store = Store(database)
    store.prepare()
    store.save([profile("ana", 5), profile("ana", 6, 1), profile("bob", 7)])
    store.close()
    database["slots"].insert_one({"_id": "s", "status": "gap", "reason": "missed"})
    return database


def documents(database: Database[Any]) -> dict[str, list[bytes]]:
    names = set(database.list_collection_names()) - {"meta"}
    found = {name: [bson.encode(row) for row in database[name].find().sort("_id")] for name in sorted(names)}
    return {name: rows for name, rows in found.items() if rows}


def test_a_backup_brings_the_same_documents_into_another_server_and_twice_changes_nothing(
    filled: Database[Any], other: Database[Any], tmp_path: Path
) -> None:
    here, there = History(filled, tmp_path / "here"), History(other, tmp_path / "there")
    month, _ = move(filled, here, "observations", "2026-01", AT)
    done = backup(filled, tmp_path / "b.tar.gz", AT, here)
    assert done.documents["profiles"] == 2
    assert (tmp_path / "b.tar.gz").stat().st_mode & 0o077 == 0
    assert restore(other, tmp_path / "b.tar.gz", there).total == done.total - done.documents["meta"]
    assert documents(other) == documents(filled)
    assert restore(other, tmp_path / "b.tar.gz", there).total == 0
    assert len(there.rows("observations", {})) == month.rows == 3
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_what_is_newer_in_the_server_stays_and_what_is_older_is_brought_up_to_date(
    filled: Database[Any], other: Database[Any], tmp_path: Path
) -> None:
    history = History(filled, tmp_path / "h")
    backup(filled, tmp_path / "b.tar.gz", AT, history)
    store = Store(other)
    store.prepare()
    store.save([profile("ana", 5), profile("bob", 9, 5)])
    store.close()
    restore(other, tmp_path / "b.tar.gz", History(other, tmp_path / "h"))
    assert {row["username"]: row["followers"] for row in other["profiles"].find()} == {"ana": 6, "bob": 9}
    assert len(Reader(other).observations("tiktok:profile:bob")) == 2


@pytest.mark.parametrize("harm", ["cut", "changed", "nothing", "text"])
def test_a_file_that_is_no_whole_backup_is_refused_before_anything_is_written(
    filled: Database[Any], other: Database[Any], tmp_path: Path, harm: str
) -> None:
    path = tmp_path / "b.tar.gz"
    backup(filled, path, AT, History(filled, tmp_path / "h"))
    whole = path.read_bytes()
    plain = gzip.decompress(whole).replace(b"ana", b"eve", 1)
    path.write_bytes({"cut": whole[:-200], "changed": gzip.compress(plain), "nothing": b"", "text": b"hello"}[harm])
    with pytest.raises(BackupError):
        restore(other, path, History(other, tmp_path / "h"))
    assert documents(other) == {}


def test_whoever_was_forgotten_since_does_not_come_back_with_an_older_backup(
    filled: Database[Any], tmp_path: Path
) -> None:
    history = History(filled, tmp_path / "h")
    backup(filled, tmp_path / "b.tar.gz", AT, history)
    person = forgotten.known_as(filled, "tiktok", "ana")
    forgotten.bury(filled, person, KEY, AT)
    keeper = Keeper(KEY, forgotten.stones(filled))
    forgotten.remove(filled, person)
    restore(filled, tmp_path / "b.tar.gz", history)
    assert forgotten.again(filled, keeper, history, AT) > 0
    assert [row["username"] for row in filled["profiles"].find()] == ["bob"]
    assert Reader(filled).observations("tiktok:profile:ana").empty


def test_a_backup_that_was_checked_says_what_is_in_it(filled: Database[Any], tmp_path: Path) -> None:
    backup(filled, tmp_path / "b.tar.gz", AT, History(filled, tmp_path / "h"))
    facts = check(tmp_path / "b.tar.gz")
    assert facts["version"] == schema.VERSION
    assert facts["collections"]["slots"]["documents"] == 1


def renamed(to: int) -> Migration:
    asked = {"followers": {"$exists": True}, "likes": {"$ne": to}}
    return Migration(
        to, f"note {to}", lambda db: db["profiles"].count_documents(asked),
        lambda db: db["profiles"].update_many(asked, {"$set": {"likes": Int64(to)}}).modified_count,
    )  # fmt: skip


def test_migrations_are_told_before_they_are_done_and_done_once_in_order(filled: Database[Any]) -> None:
    steps = (renamed(2), renamed(3))
    before = documents(filled)
    assert [(each.to, each.count(filled)) for each in pending(filled, steps, 3)] == [(2, 2), (3, 2)]
    assert documents(filled) == before
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(schema, "VERSION", 3)
        assert [(each.to, n) for each, n in migrate(filled, steps, 3)] == [(2, 2), (3, 2)]
        assert migrate(filled, steps, 3) == []
        assert migrations.version(filled) == 3
    with pytest.raises(StorageRefused, match="its schema is version 3, this Tidemark knows 1"):
        pending(filled)


def test_a_database_of_an_older_version_is_used_only_after_it_was_migrated(filled: Database[Any]) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(schema, "VERSION", 2)
        with pytest.raises(StorageRefused, match="scrapy migrate --dry-run"):
            schema.ensure(filled)
        migrate(filled, (renamed(2),), 2)
        schema.ensure(filled)


def test_a_dry_run_says_what_would_be_made_and_makes_nothing(database: Database[Any]) -> None:
    lines = migrations.plan(database)
    assert "collection profiles: made" in lines
    assert database.list_collection_names() == []
    schema.ensure(database)
    assert migrations.plan(database) == []
    database["profiles"].drop_index("username")
    assert migrations.plan(database) == ["index profiles.username: made"]
