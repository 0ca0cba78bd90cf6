"""Room in the database: old months out, verified, still there for every reader; rollups that late data mends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import bson
import pandas as pd
import pytest
from pymongo.database import Database

from crawler.archive import Archive, Capture
from crawler.archive.expiry import expire, gone
from crawler.items import Board, BoardEntry, Item, Offer, Profile, Vantage
from crawler.storage import retention, rollups
from crawler.storage.errors import StorageAway
from crawler.storage.evidence import Evidence
from crawler.storage.history import History
from crawler.storage.reads import Reader
from crawler.storage.retention import Room, Size, make_room, move, room, used_bytes
from crawler.storage.store import Store
from crawler.verify import examine

NOW = datetime(2026, 6, 15, tzinfo=UTC)
DAY = timedelta(days=1)
FROM = {"parser": "made@1", "vantage": Vantage()}


def snapshot(at: datetime, board: str = "x:trends:br", rows: int = 10, capture: str | None = None) -> list[Item]:
    capture = capture or f"{board}{at:%Y%m%d%H}"
    said = {**FROM, "platform": "x", "url": "https://x.example/", "observed_at": at, "capture": capture, "board": board}
    entries = [
        BoardEntry(**said, at=at, position=n + 1, topic=f"Tópico {n}", topic_key=f"topico {n}", volume=1000 * n or None)
        for n in range(rows)
    ]
    return [Board(**said, at=at, size=rows, place="br", source="x"), *entries]


def profile(at: datetime, username: str, followers: int) -> Profile:
    return Profile(
        **FROM, platform="tiktok", url=f"https://tiktok.example/@{username}", observed_at=at,
        capture=f"{username}{at:%Y%m%d%H%M}", username=username, followers=followers,
    )  # fmt: skip


@pytest.fixture
def filled(store: Store, database: Database[Any]) -> Database[Any]:
    """Half a year of a board and two profiles, a snapshot a day, and what is none of retention's business."""
    items: list[Item] = []
    for day in range(165):
        at = datetime(2026, 1, 1, 6, tzinfo=UTC) + day * DAY
        items += [*snapshot(at), profile(at, "ana", 1000 + day), profile(at, "bob", 2000 - day)]
    store.save(items)
    database["quarantine"].insert_one({"_id": "kept", "reason": "views_negative"})
    return database


@pytest.fixture
def history(database: Database[Any], tmp_path: Path) -> History:
    return History(database, tmp_path / "history" / database.name)


@pytest.fixture
def reader(filled: Database[Any], history: History, monkeypatch: pytest.MonkeyPatch) -> Reader:
    monkeypatch.setenv("TIDEMARK_DATA", str(history.folder.parent.parent))
    return Reader(filled)


def looks(reader: Reader) -> list[Any]:
    """Everything that the analysis asks the reader for."""
    until = datetime(2026, 3, 10, tzinfo=UTC)
    earlier = reader.as_known_at(datetime(2026, 4, 5, tzinfo=UTC))
    return [
        reader.boards("x:trends:br"), reader.entries("x:trends:br"), reader.entries("x:trends:br", until=until),
        reader.entries("x:trends:br", topics=["topico 3"]), reader.observations("tiktok:profile:ana"),
        reader.observations_of(["tiktok:profile:ana", "tiktok:profile:bob"], since=until), reader.entities("profile"),
        earlier.entries("x:trends:br"), earlier.entities(), earlier.boards("x:trends:br"),
        reader.known_boards(), earlier.known_boards(),
    ]  # fmt: skip


def same(one: list[Any], other: list[Any]) -> bool:
    for mine, its in zip(one, other, strict=True):
        if isinstance(mine, pd.DataFrame):
            pd.testing.assert_frame_equal(mine, its)
        else:
            assert mine == its
    return True


def contents(database: Database[Any], *but: str) -> dict[str, list[bytes]]:
    names = set(database.list_collection_names()) - set(but)
    return {name: [bson.encode(row) for row in database[name].find().sort("_id")] for name in sorted(names)}


@pytest.mark.parametrize("share", [0.80, 0.95])
def test_a_database_filled_to_its_plan_moves_old_months_that_stay_readable_and_touches_nothing_else(
    filled: Database[Any], history: History, reader: Reader, share: float
) -> None:
    before, others = looks(reader), contents(filled, *retention.COLUMNS)
    documents = {name: filled[name].count_documents({}) for name in retention.COLUMNS}
    moved = make_room(filled, history, int(used_bytes(filled) / share), NOW)
    assert moved
    assert min(each.month for each in moved) == "2026-01"
    assert max(each.month for each in moved) <= "2026-04"  # June and the 35 days before stay
    assert contents(filled, "history", *retention.COLUMNS) == others
    left = {name: filled[name].count_documents({}) for name in retention.COLUMNS}
    out = {name: sum(each.rows for each in moved if each.collection == name) for name in retention.COLUMNS}
    assert {name: left[name] + out[name] for name in left} == documents
    assert all(history.verified(each) for each in moved)
    assert same(before, looks(Reader(filled)))


def test_below_eighty_percent_of_the_plan_nothing_moves(filled: Database[Any], history: History) -> None:
    before = contents(filled)
    assert make_room(filled, history, int(used_bytes(filled) / 0.79), NOW) == []
    assert contents(filled) == before


class Cut(Exception):
    """The process ends here."""


@pytest.mark.parametrize("point", ["verified", "note", "delete"])
def test_a_move_that_is_cut_off_loses_and_doubles_nothing_and_is_ended_by_the_next(
    filled: Database[Any], history: History, reader: Reader, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = looks(reader)

    def cut(*args: Any) -> Any:
        raise Cut

    with monkeypatch.context() as patched:
        if point == "delete":
            patched.setattr(retention, "_deleted", cut)
        else:
            patched.setattr(history, point, cut)
        with pytest.raises(Cut):
            move(filled, history, "board_entries", "2026-02", NOW)
    assert same(before, looks(Reader(filled)))
    month, left = move(filled, history, "board_entries", "2026-02", NOW)
    assert (month.rows, left) == (280, 280)
    assert same(before, looks(Reader(filled)))


def test_a_file_that_does_not_read_back_deletes_nothing(
    filled: Database[Any], history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(filled)
    monkeypatch.setattr(history, "verified", lambda month: False)
    with pytest.raises(OSError, match="nothing was deleted"):
        move(filled, history, "boards", "2026-02", NOW)
    assert contents(filled) == before


def test_a_late_capture_of_a_month_that_has_left_is_seen_at_once_and_joins_its_file(
    filled: Database[Any], history: History, reader: Reader, store: Store
) -> None:
    move(filled, history, "board_entries", "2026-02", NOW)
    move(filled, history, "boards", "2026-02", NOW)
    late = datetime(2026, 2, 10, 18, tzinfo=UTC)
    store.save(snapshot(late, rows=4))
    before = looks(Reader(filled))
    assert len(before[1]) == 165 * 10 + 4
    month, _ = move(filled, history, "board_entries", "2026-02", NOW)
    move(filled, history, "boards", "2026-02", NOW)
    assert month.rows == 284
    assert same(before, looks(Reader(filled)))


def test_a_month_comes_back_as_it_was(filled: Database[Any], history: History) -> None:
    before = contents(filled)
    month, _ = move(filled, history, "observations", "2026-03", NOW)
    assert retention.bring_back(filled, history, month) == 62
    after = contents(filled)
    assert after.pop("history") == []
    assert after == before


def test_a_file_of_history_that_is_missing_or_changed_is_said_never_read_as_nothing(
    filled: Database[Any], history: History, reader: Reader
) -> None:
    month, _ = move(filled, history, "board_entries", "2026-02", NOW)
    path = history.folder / month.name
    path.rename(path.with_suffix(".away"))
    with pytest.raises(StorageAway, match="is missing"):
        Reader(filled).entries("x:trends:br")
    path.write_bytes(b"PAR1 no")
    with pytest.raises(StorageAway, match="is not the file that was written"):
        Reader(filled).entries("x:trends:br")


def test_the_object_store_holds_old_months_and_another_machine_reads_them_from_there(
    filled: Database[Any], tmp_path: Path
) -> None:
    url = f"file://{tmp_path / 'store'}"
    month, _ = move(filled, History(filled, tmp_path / "here", url), "boards", "2026-01", NOW)
    elsewhere = History(filled, tmp_path / "there", url)
    assert len(elsewhere.rows("boards", {"board": "x:trends:br"})) == month.rows == 31


def test_verify_finds_what_has_left_the_database_and_takes_expired_rows_of_the_ledger_as_stored(
    store: Store, database: Database[Any], history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDEMARK_DATA", str(history.folder.parent.parent))
    at = datetime(2026, 1, 10, tzinfo=UTC)
    with Archive(tmp_path / "archive", clock=lambda: at) as archive:
        capture = Capture("https://x.example/", at, 200, {}, b"body", "http", Vantage(), "br", "made")
        archive.write(capture)
        archive.note(capture.id, "ok", {})
        store.save(snapshot(at, capture=capture.id))
        for name in ("boards", "board_entries"):
            move(database, history, name, "2026-01", NOW)
        found = examine(archive, Evidence(database), ledger_since=NOW - 90 * DAY)
        assert (found.agree, found.unledgered, found.short) == (True, [], [])


def test_the_size_report_counts_as_atlas_does_and_says_when_the_plan_is_full(filled: Database[Any]) -> None:
    made = room(filled, 4_000_000, datetime(2026, 6, 14, tzinfo=UTC))
    by_name = {each.collection: each for each in made.sizes}
    assert by_name["board_entries"].documents == 1650
    assert by_name["board_entries"].per_day == pytest.approx(10 * by_name["board_entries"].bytes / 1650, rel=0.01)
    assert made.bytes == pytest.approx(used_bytes(filled), rel=0.05)
    assert Room([Size("a", 1, 60, 2.0)], 100).days_until(0.8) == 10
    assert Room([Size("a", 1, 90, 2.0)], 100).days_until(0.8) == 0
    assert Room([Size("a", 1, 60, 0.0)], 100).days_until(0.8) is None


def test_rollups_say_first_last_least_and_greatest_and_late_captures_mend_them(
    store: Store, database: Database[Any]
) -> None:
    noon = datetime(2026, 6, 1, 12, tzinfo=UTC)
    minutes = {5: 100, 40: 90, 65: 130}
    store.save([profile(noon + timedelta(minutes=m), "ana", n) for m, n in minutes.items()])
    assert rollups.refresh(database, NOW) == 1
    assert rollups.refresh(database, NOW) == 0
    hour = database["rollups_hourly"].find_one({"_id": "tiktok:profile:ana@2026-06-01T12Z"})
    assert hour is not None
    assert [hour[f"followers{end}"] for end in ("_first", "", "_min", "_max")] == [100, 90, 90, 100]
    assert hour["n"] == 2
    store.save([profile(noon + timedelta(minutes=50), "ana", 95)])
    assert rollups.refresh(database, NOW) == 1
    mended = database["rollups_hourly"].find_one({"_id": "tiktok:profile:ana@2026-06-01T12Z"})
    assert mended is not None
    assert (mended["followers"], mended["n"]) == (95, 3)
    day = database["rollups_daily"].find_one({"_id": "tiktok:profile:ana@2026-06-01"})
    assert day is not None
    assert (day["followers_first"], day["followers"], day["n"], "likes" in day) == (100, 130, 4, False)


def test_rollups_of_a_month_that_has_left_stand(filled: Database[Any], history: History, store: Store) -> None:
    rollups.refresh(filled, NOW)
    before = contents(filled)["rollups_daily"]
    move(filled, history, "observations", "2026-02", NOW)
    store.save([profile(datetime(2026, 2, 3, 9, tzinfo=UTC), "ana", 7)])
    rollups.refresh(filled, NOW)
    assert contents(filled)["rollups_daily"] == before


def test_prices_roll_up_as_decimals(store: Store, database: Database[Any]) -> None:
    at = datetime(2026, 6, 1, 12, tzinfo=UTC)
    offers = [
        Offer(**FROM, platform="shopify", url="https://s.example/p", observed_at=at + timedelta(minutes=n),
              capture=f"c{n}", product="s.example:product:1", variant_id="1", price=Decimal(price), currency="EUR")
        for n, price in enumerate(("9.99", "10.10"))
    ]  # fmt: skip
    store.save(offers)
    rollups.refresh(database, NOW)
    row = database["rollups_daily"].find_one()
    assert row is not None
    assert (str(row["price_min"]), str(row["price_max"]), row["currency"]) == ("9.99", "10.1", "EUR")


def capture_of(at: datetime, body: bytes) -> Capture:
    return Capture("https://x.example/", at, 200, {}, body, "http", Vantage(), "br", "made")


def test_old_captures_go_but_never_a_body_that_younger_ones_share(tmp_path: Path) -> None:
    made = {}
    for month, body in ((1, b"shared"), (2, b"own"), (5, b"shared"), (6, b"new")):
        at = datetime(2026, month, 1, tzinfo=UTC)
        with Archive(tmp_path, clock=lambda at=at: at) as archive:  # type: ignore[misc]
            archive.write(capture_of(at, body))
            made[month] = capture_of(at, body).id
    done = expire(tmp_path, before=datetime(2026, 4, 1, tzinfo=UTC), most_bytes=None)
    assert (len(done.segments), done.kept_for_others) == (1, 1)
    with Archive(tmp_path) as archive:
        assert {month for month, each in made.items() if each in archive} == {1, 5, 6}
        assert archive.read(made[5]).body == b"shared"
    assert gone(tmp_path) == {made[2]}


def test_captures_leave_for_their_size_oldest_first_and_only_those_that_lie_elsewhere(tmp_path: Path) -> None:
    for month in (1, 2, 3):
        at = datetime(2026, month, 1, tzinfo=UTC)
        with Archive(tmp_path, clock=lambda at=at: at) as archive:  # type: ignore[misc]
            archive.write(capture_of(at, bytes([month])))
    names = sorted(path.name for path in tmp_path.glob("*.warc.gz"))
    assert expire(tmp_path, before=None, most_bytes=1, only={names[1]}).segments == (names[1],)
    assert expire(tmp_path, before=None, most_bytes=10**9).segments == ()
    assert len(expire(tmp_path, before=None, most_bytes=1).segments) == 2
