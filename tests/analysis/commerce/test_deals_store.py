"""`deals --store`: from a dump to posts and deals in one go, in any order, any number of times, through kills."""

import gzip
import itertools
import json
import signal
import subprocess
import sys
from contextlib import nullcontext

import pytest

from analysis.cli import main
from crawler.config import ROOT
from tests.lanes.test_twitterstream import block, delete, tar_of, tweet

BEGINS = 10**17


def deal(n: int, **more: object) -> dict[str, object]:
    return tweet(BEGINS + n, f"Lamp no. {n} now £{n + 2}, was £{2 * n + 9}, buy here", **more)


@pytest.fixture
def stores(database, client, capsys):
    def run(*arguments: object) -> str:
        command = ["deals", "--store", *map(str, arguments), "--processes", "1", "--database", database.name]
        assert main(command, lambda config: nullcontext(client)) == 0
        return str(capsys.readouterr().out)

    return run


def held(database):
    """All that was stored, but when a member was noted."""
    names = ("posts", "observations", "deals", "withdrawn")
    return {name: list(database[name].find().sort("_id", 1)) for name in names} | {
        "dumps": sorted(each["_id"] for each in database["dumps"].find())
    }


def emptied(database):
    for name in ("posts", "observations", "deals", "withdrawn", "dumps"):
        database[name].delete_many({})


def test_a_dump_becomes_posts_and_deals_in_one_go_and_a_second_time_nothing_new(tmp_path, stores, database):
    quoted = tweet(BEGINS + 90, "so true", quoted_status=tweet(BEGINS + 91, "nice weather"))
    again = tweet(BEGINS + 80, "RT", retweeted_status=deal(3, favorite_count=7))
    path = tar_of({
        "00.json.gz": gzip.compress(block(deal(1), tweet(BEGINS + 2, "lovely day"), quoted)),
        "01.json": block(again, deal(4), delete(BEGINS + 1)),
    }, tmp_path / "d.tar")  # fmt: skip
    told = stores(path)
    first = held(database)

    assert [each["post_id"] for each in first["posts"]] == [str(BEGINS + 3), str(BEGINS + 4)]
    assert [each["post"] for each in first["deals"]] == [f"x:post:{BEGINS + n}" for n in (3, 4)]
    assert [each["role"] for each in first["deals"][0]["amounts"]] == ["price", "was_price"]
    assert (
        "3 posts selected, 3 of them new or newer; 3 deals" in told
        and "1 delete notices; 1 posts that were stored are gone" in told
    )
    assert "2 posts selected, 0 of them new" in stores(path)
    assert held(database) == first


def test_the_order_of_dumps_and_of_what_is_in_them_does_not_show(tmp_path, stores, database):
    dumps = {
        "a.json": block(deal(1), deal(2, favorite_count=1), deal(3)),
        "b.json": block(delete(BEGINS + 1), tweet(BEGINS + 50, "RT", retweeted_status=deal(2, favorite_count=5),
                                                  created_at="Wed Jul 03 07:00:00 +0000 2019")),
        "c.json": block(delete(BEGINS + 3), deal(4), deal(3)),
    }  # fmt: skip
    for name, data in dumps.items():
        (tmp_path / name).write_bytes(data)
    found = []
    for order in itertools.permutations(dumps):
        emptied(database)
        for name in order:
            stores(tmp_path / name)
        found.append(held(database))

    for each in found:
        assert each == found[0]
    assert [each["post_id"] for each in found[0]["posts"]] == [str(BEGINS + 2), str(BEGINS + 4)]
    assert found[0]["posts"][0]["likes"] == 5


def test_its_posts_are_those_of_a_replay(tmp_path, stores, shell, database):
    path = tar_of(
        {"07/00.json.gz": gzip.compress(block(deal(1), deal(2), tweet(BEGINS + 9, "hello")))}, tmp_path / "d.tar"
    )
    stores(path)
    stored = list(database["posts"].find().sort("_id", 1))
    done = shell("replay", str(path))

    assert done.returncode == 0, done.stderr
    assert len(stored) == 2
    assert list(database["posts"].find({"_id": {"$in": [each["_id"] for each in stored]}}).sort("_id", 1)) == stored


def test_a_replay_does_not_bring_back_what_its_author_deleted(tmp_path, stores, shell, database):
    path = tar_of({"00.json.gz": gzip.compress(block(deal(1), deal(2)))}, tmp_path / "d.tar")
    stores(path)
    (tmp_path / "later.json").write_bytes(block(delete(BEGINS + 1)))
    stores(tmp_path / "later.json")
    done = shell("replay", str(path))

    assert done.returncode == 0, done.stderr
    assert [each["_id"] for each in database["posts"].find()] == [f"x:post:{BEGINS + 2}"]
    assert database["observations"].count_documents({"entity": f"x:post:{BEGINS + 1}"}) == 0


def test_a_dump_that_was_killed_goes_on_by_member_and_ends_as_one_that_was_not(tmp_path, stores, shell, database):
    files = {
        f"{at:02}.json.gz": gzip.compress(
            block(*(deal(100 * at + n) for n in range(30)), delete(BEGINS + 100 * at - 90))
        )
        for at in range(1, 60)
    }
    path = tar_of(files, tmp_path / "d.tar")
    stores(path)
    whole = held(database)
    emptied(database)
    command = [sys.executable, "-m", "analysis", "deals", "--store", str(path), "--processes", "1",
               "--database", database.name]  # fmt: skip
    process = subprocess.Popen(
        command, cwd=ROOT, env=shell.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while process.poll() is None and database["dumps"].count_documents({}) < 3:
        pass
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = database["dumps"].count_documents({})
    told = stores(path, "--resume")

    assert process.returncode == -signal.SIGKILL and 3 <= before < 59
    assert f"{59 - before} members read, {before} were read before" in told
    assert held(database) == whole


def test_what_store_does_not_go_with_is_said(tmp_path, database, client, capsys):
    (tmp_path / "a.json").write_text(json.dumps(deal(1)))
    for more in (["-o", str(tmp_path / "x.jsonl")], ["--withdraw"], ["--kafka", "h:1/t"]):
        command = ["deals", "--store", str(tmp_path / "a.json"), *more, "--database", database.name]
        assert main(command, lambda config: nullcontext(client)) == 2
        assert "--store writes to the database; leave" in capsys.readouterr().err
    assert main(["deals", "--store", "--database", database.name], lambda config: nullcontext(client)) == 2
    assert "--store: name the dumps" in capsys.readouterr().err
