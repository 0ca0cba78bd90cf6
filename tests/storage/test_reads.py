"""The one door from storage to analysis, against a real server."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from bson.codec_options import CodecOptions
from bson.decimal128 import Decimal128
from pymongo import MongoClient

from crawler.items import KINDS
from crawler.storage.errors import StorageAway
from crawler.storage.reads import BOARD_COLUMNS, ENTRY_COLUMNS, OBSERVATION_COLUMNS, Reader
from crawler.storage.schema import bson_type

NOON = datetime(2021, 9, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def board(at, observed_at=None, **more):
    return {
        "_id": f"b@{at.isoformat()}", "kind": "board", "board": "b", "at": at,
        "observed_at": observed_at or at, "capture": "c", "size": 1, **more,
    }  # fmt: skip


def entry(at, position=1, observed_at=None, **more):
    return {
        "_id": f"b@{at.isoformat()}#{position}", "kind": "boardentry", "board": "b", "at": at,
        "observed_at": observed_at or at, "capture": "c", "position": position, "topic": "Gol",
        "topic_key": "gol", **more,
    }  # fmt: skip


def observation(at, entity="tiktok:profile:a", kind="profile", capture="c", **counters):
    return {
        "_id": f"{entity}@{at.isoformat()}~{capture}", "entity": entity, "kind": kind, "at": at,
        "capture": capture, **counters,
    }  # fmt: skip


def dtypes(frame):
    return {name: str(kind) for name, kind in frame.dtypes.items()}


def test_columns_and_types_are_the_same_with_and_without_rows(database):
    reader = Reader(database)
    for frame, columns in (
        (reader.boards("b"), BOARD_COLUMNS),
        (reader.entries("b"), ENTRY_COLUMNS),
        (reader.observations("tiktok:profile:a"), OBSERVATION_COLUMNS),
    ):
        assert frame.empty
        assert dtypes(frame) == columns
    database["boards"].insert_one(board(NOON))
    database["board_entries"].insert_one(entry(NOON, volume=2**62 + 1))
    database["observations"].insert_one(observation(NOON, followers=5))
    assert dtypes(reader.boards("b")) == BOARD_COLUMNS
    assert dtypes(reader.entries("b")) == ENTRY_COLUMNS
    assert dtypes(reader.observations("tiktok:profile:a")) == OBSERVATION_COLUMNS
    assert reader.entries("b")["volume"].tolist() == [2**62 + 1]


@pytest.mark.parametrize("name", sorted({name for model in KINDS.values() for name in model.counters}))
def test_every_counter_has_a_column_of_its_type(name):
    shown = {bson_type(m.model_fields[name].annotation)["bsonType"] for m in KINDS.values() if name in m.counters}
    columns = {
        "long": "Int64", "double": "Float64", "decimal": "object", "string": "string", "bool": "boolean"
    }  # fmt: skip
    assert {columns[each] for each in shown} == {OBSERVATION_COLUMNS[name]}


def test_absent_fields_are_missing_not_zero(database):
    database["board_entries"].insert_one(entry(NOON, volume_floor=10_000))
    row = Reader(database).entries("b").iloc[0]
    assert row.isna()[["volume", "volume_precision", "promoted", "at_precision"]].all()
    assert row["volume_floor"] == 10_000


def test_rows_come_by_moment_and_position_whatever_the_order_of_writing(database):
    places = [(NOON + HOUR, 2), (NOON, 2), (NOON + HOUR, 1), (NOON, 1)]
    database["board_entries"].insert_many([entry(at, position) for at, position in places])
    frame = Reader(database).entries("b")
    assert list(zip(frame["at"], frame["position"], strict=True)) == sorted(places)


def test_since_is_included_and_until_is_not(database):
    database["boards"].insert_many([board(NOON + i * HOUR) for i in range(4)])
    frame = Reader(database).boards("b", since=NOON + HOUR, until=NOON + 3 * HOUR)
    assert frame["at"].tolist() == [NOON + HOUR, NOON + 2 * HOUR]


def test_what_was_captured_later_is_not_known_even_when_the_list_is_older(database):
    database["boards"].insert_many([board(NOON), board(NOON - DAY, observed_at=NOON + HOUR)])
    database["board_entries"].insert_many([entry(NOON), entry(NOON - DAY, observed_at=NOON + HOUR)])
    then = Reader(database).as_known_at(NOON)
    assert then.boards("b")["at"].tolist() == [NOON]
    assert then.entries("b")["at"].tolist() == [NOON]
    assert then.known_boards() == [("b", 1, NOON, NOON)]
    assert len(then.as_known_at(NOON + DAY).boards("b")) == 1, "a door once shut is not opened again"


def test_garbage_captured_after_a_moment_changes_nothing_as_known_then(database):
    boards, entries = [board(NOON + i * HOUR) for i in range(8)], [entry(NOON + i * HOUR) for i in range(8)]
    seen = [observation(NOON + i * HOUR, followers=100 + i) for i in range(8)]
    for name, rows in (("boards", boards), ("board_entries", entries), ("observations", seen)):
        database[name].insert_many(rows)
    then = Reader(database, known_at=NOON + 3 * HOUR)

    def everything():
        entity = "tiktok:profile:a"
        frames = (then.boards("b"), then.entries("b"), then.observations(entity), then.entities("profile"))
        return [frame.to_csv() for frame in frames], then.known_boards()

    before = everything()
    late = {"$gt": NOON + 3 * HOUR}
    database["boards"].update_many({"observed_at": late}, {"$set": {"size": 10**9, "board": "b", "at": NOON}})
    garbage = {"topic": "zzz", "topic_key": "zzz", "volume": 10**12, "position": 1, "at": NOON - DAY}
    database["board_entries"].update_many({"observed_at": late}, {"$set": garbage})
    database["observations"].update_many({"at": late}, {"$set": {"followers": 10**12, "entity": "x"}})
    assert everything() == before


def test_a_capture_known_by_its_day_counts_as_known_from_the_end_of_that_day(database):
    midnight = NOON.replace(hour=0)
    database["observations"].insert_one(observation(midnight, at_precision="day", followers=1))
    database["boards"].insert_one(board(midnight, at_precision="day"))
    during, after = Reader(database, midnight + 23 * HOUR), Reader(database, midnight + DAY)
    assert (len(during.boards("b")), len(after.boards("b"))) == (0, 1)
    assert (len(during.observations("tiktok:profile:a")), len(after.observations("tiktok:profile:a"))) == (
        0,
        1,
    )


def test_a_moment_the_list_states_is_exact_though_its_capture_is_known_by_day(database):
    midnight = NOON.replace(hour=0)
    database["boards"].insert_one(board(NOON, observed_at=midnight, at_precision="day"))
    assert Reader(database).boards("b")["at_precision"].isna().all()


def test_prices_are_exact_decimals(database):
    offer = observation(NOON, "shop:product:1:default", "offer", price=Decimal128("19.90"), currency="BRL")
    database["observations"].insert_one(offer)
    row = Reader(database).observations("shop:product:1:default").iloc[0]
    assert row["price"] == Decimal("19.90")
    assert row["currency"] == "BRL"
    assert row["list_price"] is None


def test_moments_are_utc_even_from_a_client_that_drops_zones(database):
    database["boards"].insert_one(board(NOON))
    careless = database.with_options(CodecOptions(tz_aware=False))
    assert Reader(careless).boards("b")["at"].tolist() == [NOON]
    assert Reader(careless).known_boards()[0].first == NOON


def test_entities_of_a_kind_most_observed_first(database):
    rows = [observation(NOON + i * HOUR, "tiktok:profile:b") for i in range(3)]
    rows += [observation(NOON), observation(NOON, "tiktok:post:1", "post")]
    database["observations"].insert_many(rows)
    reader = Reader(database)
    assert reader.entities("profile")["entity"].tolist() == ["tiktok:profile:b", "tiktok:profile:a"]
    assert reader.entities(limit=1)["observations"].tolist() == [3]


def test_a_moment_without_zone_is_refused(database):
    with pytest.raises(ValueError, match="time zone"):
        Reader(database, datetime(2021, 9, 24))  # noqa: DTZ001


def test_a_server_that_is_away_is_one_plain_error():
    away = MongoClient("127.0.0.1", 1, serverSelectionTimeoutMS=50)
    with away, pytest.raises(StorageAway, match="board_entries: the database went away"):
        Reader(away["x"]).entries("b")


def test_a_renamed_handle_keeps_its_history_by_its_user_id(database):
    for key, user_id, day in (("old", "7", 0), ("new", "7", 2), ("other", "8", 1), ("nameless", None, 1)):
        entity = f"tiktok:profile:{key}"
        database["profiles"].insert_one(
            {"_id": entity, "platform": "tiktok", "user_id": user_id, "first_seen": NOON + day * DAY}
        )
        database["observations"].insert_one(observation(NOON + day * DAY, entity=entity, followers=100 + day))
    reader = Reader(database)
    for name in ("old", "new"):
        history = reader.history(f"tiktok:profile:{name}")
        assert history["followers"].tolist() == [100, 102]
        assert set(history["entity"]) == {f"tiktok:profile:{name}"}
    assert reader.history("tiktok:profile:nameless")["followers"].tolist() == [101]
    assert reader.history("tiktok:post:1").empty
    assert reader.names("tiktok:profile:other") == ["tiktok:profile:other"]
    assert reader.as_known_at(NOON + DAY).names("tiktok:profile:old") == ["tiktok:profile:old"]
