"""The spool: what waits on disk comes back whole, in any order, and harms nothing."""

from __future__ import annotations

import fcntl
import json
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pymongo.database import Database

from crawler import pages
from crawler.items import Item, Profile, Refused
from crawler.spool import Load, Spool, SpoolError, catch_up, waiting
from crawler.storage.errors import StorageAway
from crawler.storage.store import Store
from tests.shell import facts

NOW = datetime(2026, 3, 1, tzinfo=UTC)
HERE = "local mongod"
LIMIT = 1 << 20


def everything() -> Load:
    """Items of every saved page, what was refused in them, and a ledger row each."""
    items: list[Item] = []
    refused: list[Refused] = []
    rows: list[dict[str, Any]] = []
    for case in sorted((Path(__file__).parent / "pages").rglob("meta.json")):
        meta = json.loads(case.read_text())
        at = datetime.fromisoformat(meta["fetched_at"])
        page = pages.load_all()[case.parent.parent.name](meta["url"], (case.parent / "body").read_bytes(), at)
        for each in page.items():
            (items if isinstance(each, Item) else refused).append(each)
        capture = pages.capture_id(meta["url"], at, (case.parent / "body").read_bytes())
        rows.append({"_id": capture, "capture": capture, "at": at, "outcome": page.outcome.value, "traces": 0})
    return Load(items, refused, rows)


def spooled(directory: Path, *loads: Load) -> Spool:
    """As a process left it that has ended."""
    spool = Spool(directory, HERE, LIMIT)
    for load in loads:
        spool.put(load, NOW)
    spool.close()
    return spool


def only_file(directory: Path) -> Path:
    (path,) = directory.glob("*.jsonl")
    return path


def test_what_went_through_the_spool_is_what_would_have_been_stored(
    store: Store, database: Database[Any], tmp_path: Path
) -> None:
    load = everything()
    assert len(load.items) > 50
    store.save(load.items)
    store.quarantine(load.refused, "spool", NOW)
    store.fetches(load.rows, NOW)
    straight = facts(database)
    for name in straight:
        database[name].delete_many({})
    spooled(tmp_path, load)
    done = catch_up(tmp_path, HERE, store, NOW)
    assert (done.files, done.items, done.damaged) == (1, len(load.items), 0)
    assert facts(database) == straight
    assert not waiting(tmp_path)


def test_files_may_be_brought_in_in_any_order_and_twice(store: Store, database: Database[Any], tmp_path: Path) -> None:
    items = list(everything().items)
    store.save(items)
    straight = facts(database)
    for name in straight:
        database[name].delete_many({})
    Random(7).shuffle(items)
    for n in range(0, len(items), 40):
        spooled(tmp_path, Load(items[n : n + 40]))
    copies = {path.name: path.read_bytes() for path in tmp_path.glob("*.jsonl")}
    assert len(copies) > 2
    for _ in range(2):
        catch_up(tmp_path, HERE, store, NOW)
        for name, content in copies.items():
            (tmp_path / name).write_bytes(content)
    assert facts(database) == straight


@pytest.mark.parametrize("harm", ["bit", "torn", "foreign", "not_json", "head"])
def test_a_damaged_line_is_quarantined_and_costs_no_other(
    store: Store, database: Database[Any], tmp_path: Path, harm: str
) -> None:
    items = [profile(f"user{n}") for n in range(3)]
    spooled(tmp_path, Load(items))
    path = only_file(tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    match harm:
        case "bit":
            lines[2] = lines[2].replace(b"user1", b"user9")
        case "torn":
            lines[3] = lines[3][:-30]
        case "foreign":
            lines.insert(2, b"$where {'_id': 1}\n")
        case "not_json":
            lines.insert(1, b"\xff\xfe\x00\n")
        case "head":
            lines[0] = b"0" + lines[0]
    path.write_bytes(b"".join(lines))
    done = catch_up(tmp_path, HERE, store, NOW)
    assert done.damaged == 1
    lost = {"bit": {"user1"}, "torn": {"user2"}}.get(harm, set())
    assert {doc["username"] for doc in database["profiles"].find()} == {"user0", "user1", "user2"} - lost
    kept = database["quarantine"].find_one()
    assert (kept["kind"], kept["reason"]) == ("spool", "spool_line_damaged")
    assert not waiting(tmp_path)


def profile(name: str, **fields: Any) -> Profile:
    return Profile(
        platform="tiktok", url="https://t/p", observed_at=NOW, capture="c", parser="tiktok.profile@1",
        username=name, **fields,
    )  # fmt: skip


def test_half_a_surrogate_pair_survives_the_spool(store: Store, database: Database[Any], tmp_path: Path) -> None:
    spooled(tmp_path, Load([profile("tide", bio="a\ud800b"), profile("marsh")]))
    done = catch_up(tmp_path, HERE, store, NOW)
    assert (done.items, done.refused) == (2, 1)  # MongoDB takes UTF-8 only
    assert database["quarantine"].find_one()["reason"] == "document_not_storable"
    assert database["profiles"].count_documents({}) == 1


def test_a_full_spool_says_so_and_keeps_what_it_has(tmp_path: Path) -> None:
    spool = Spool(tmp_path, HERE, 2000)
    spool.put(Load([profile("a")]), NOW)
    before = only_file(tmp_path).read_bytes()
    with pytest.raises(SpoolError, match=r"is full .*TIDEMARK_SPOOL_MB"):
        spool.put(Load([profile(f"user{n}") for n in range(9)]), NOW)
    assert only_file(tmp_path).read_bytes() == before
    assert spool.items == 1


def test_a_living_writers_file_is_left_to_it(store: Store, tmp_path: Path) -> None:
    spool = Spool(tmp_path, HERE, LIMIT)
    spool.put(Load([profile("a")]), NOW)
    assert catch_up(tmp_path, HERE, store, NOW).files == 0
    assert waiting(tmp_path)
    spool.close()
    assert catch_up(tmp_path, HERE, store, NOW).items == 1


def test_what_is_meant_for_another_server_is_left_and_said(store: Store, tmp_path: Path) -> None:
    spooled(tmp_path, Load([profile("a")]))
    done = catch_up(tmp_path, "mongodb+srv://cluster0.example.net", store, NOW)
    assert (done.files, done.elsewhere) == (0, {HERE: 1})
    assert waiting(tmp_path)


def test_a_database_that_goes_away_again_costs_nothing(store: Store, database: Database[Any], tmp_path: Path) -> None:
    spooled(tmp_path, Load([profile("a")]))

    class Leaving:
        """The real store, whose server leaves after the items were saved."""

        save = store.save

        def quarantine(self, *_: Any) -> None:
            raise StorageAway("gone")

    with pytest.raises(StorageAway):
        catch_up(tmp_path, HERE, Leaving(), NOW)  # type: ignore[arg-type]
    assert waiting(tmp_path)
    assert catch_up(tmp_path, HERE, store, NOW).items == 1
    assert database["profiles"].count_documents({}) == 1


def test_two_starts_at_once_bring_a_file_in_once(store: Store, tmp_path: Path) -> None:
    spooled(tmp_path, Load([profile("a")]))
    with only_file(tmp_path).open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert catch_up(tmp_path, HERE, store, NOW).files == 0
    assert catch_up(tmp_path, HERE, store, NOW).files == 1
