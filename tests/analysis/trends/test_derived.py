"""The stored evolution: step by step it is the same as from scratch, whatever comes when. On a real database."""

from contextlib import nullcontext
from datetime import timedelta

import pytest

from analysis.cli import main
from analysis.trends.derived import derive
from crawler.storage.reads import Reader
from crawler.storage.trends import Trends

from .lists import world

BOARD = "made:up"


def put(database, snapshots, got=None):
    for taken in snapshots:
        head = {"board": BOARD, "at": taken.at, "observed_at": taken.at, "capture": "c"}
        size = len(taken.keys)
        database["boards"].insert_one({"_id": f"{BOARD}@{taken.at}", "size": size, "got": got or size, **head})
        database["board_entries"].insert_many([
            {"_id": f"{BOARD}@{taken.at}#{place}", **head, "position": place, "topic": key.upper(), "topic_key": key,
             "volume": round(volume)}
            for place, (key, volume) in enumerate(zip(taken.keys, taken.volumes, strict=True), 1)
        ])  # fmt: skip


@pytest.fixture
def made(database):
    def go(**how):
        return derive(BOARD, Reader(database), Trends(database), **how)

    return go


def kept(database):
    meta = database["meta"].find_one({"_id": f"trends:{BOARD}"})
    return list(database["trends"].find().sort("_id", 1)), meta


def test_snapshot_by_snapshot_is_the_same_as_from_scratch(database, made):
    snapshots = world(days=4).snapshots
    put(database, snapshots[:60])
    made()
    for i, each in enumerate(snapshots[60:90]):
        put(database, [each], got=99 if i % 7 == 0 else None)  # some lists are not whole
        if i % 3:
            done = made()
            assert done.why is None
            assert done.topics < 60
    step_by_step = kept(database)
    assert made(afresh=True).gone == 0
    assert kept(database) == step_by_step


def test_a_run_without_anything_new_changes_nothing(database, made):
    put(database, world(days=3).snapshots)
    made()
    before = kept(database)
    assert made().snapshots == 0
    assert kept(database) == before


def test_what_comes_in_behind_makes_the_board_anew(database, made):
    snapshots = world(days=4).snapshots
    put(database, snapshots[:20] + snapshots[40:])
    made()
    put(database, snapshots[20:40])
    assert made().why == "older snapshots came in"
    before = kept(database)
    made(afresh=True)
    assert kept(database) == before


def test_a_run_cut_off_before_it_said_how_far_it_was_is_repeated(database, made):
    snapshots = world(days=4).snapshots
    put(database, snapshots[:70])
    made()
    state = kept(database)[1]
    put(database, snapshots[70:80])
    made()
    whole = kept(database)
    database["meta"].replace_one({"_id": state["_id"]}, state | {"cut_off": True})
    assert made().why == "the last run was cut off"
    assert kept(database) == whole


def test_rows_that_came_after_their_board_are_taken_up(database, made):
    snapshots = world(days=4).snapshots
    put(database, snapshots[:70])
    late = list(database["board_entries"].find({"at": snapshots[69].at, "position": {"$gt": 5}}))
    database["board_entries"].delete_many({"_id": {"$in": [each["_id"] for each in late]}})
    made()
    database["board_entries"].insert_many(late)
    made()
    before = kept(database)
    made(afresh=True)
    assert kept(database) == before


def test_documents_are_flat_typed_and_without_empty_fields(database, made):
    put(database, world(days=1).snapshots)
    made()
    found = Trends(database).all(BOARD)
    assert {len(each) for each in found} == {len(each) for each in found if None not in each.values()}
    assert all(each["_id"] == f"{BOARD}#{each['topic_key']}" for each in found)
    assert all(each["last_seen"] - each["first_seen"] >= timedelta(0) for each in found)
    assert database.command("aggregate", "trends", pipeline=[
        {"$group": {"_id": {"$type": "$best_position"}}}, {"$sort": {"_id": 1}},
    ], cursor={})["cursor"]["firstBatch"] == [{"_id": "long"}]  # fmt: skip


def test_the_command_says_what_was_new_and_refuses_what_it_cannot(database, capsys):
    def run(*more):
        arguments = ["trends", "--database", database.name, *more]
        return main(arguments, open_client=lambda _: nullcontext(database.client)), *capsys.readouterr()

    assert "no board yet" in run()[1]
    put(database, world(days=1).snapshots)
    assert "new here" in run()[1]
    assert "asked for" in run("--rebuild", "--board", BOARD)[1]
    assert run("--board", "nope")[0] == 2
    assert "leave out --known-at" in run("--known-at", "2026-01-01")[2]
