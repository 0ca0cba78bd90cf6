"""A person planted in database, archive, store, old months, backup and exports is nowhere after `scrapy forget`.

Nor is it after the backup was restored; what is about others stays.
"""

from __future__ import annotations

import gzip
import platform
import re
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pymongo.database import Database

from analysis import cli
from crawler.archive import Archive, Capture
from crawler.items import Board, BoardEntry, Comment, Deal, Hashtag, Item, Post, Profile, Sound, Vantage
from crawler.shipping import push
from crawler.storage import outlets
from crawler.storage.history import History
from crawler.storage.retention import move
from crawler.storage.store import Store
from tests.shell import Shell, ended, good

KEY = "k" * 32
AT = datetime(2026, 1, 10, 12, tzinfo=UTC)
NAME, NUMBER, POST, OTHERS = "planted.person9", "6890123456789012345", "7100000000000000001", "7100000000000000002"
PLANTED = (NAME, NUMBER, POST)
FROM: dict[str, Any] = {"platform": "tiktok", "url": "https://www.tiktok.com/x", "observed_at": AT, "parser": "p@1"}
BOARD: dict[str, Any] = {**FROM, "capture": "c7", "at": AT}


def items() -> list[Item]:
    grid, list_ = f"tiktok:creator:{NAME}@us", "tiktok:discover:us"
    seen = f"with @{NAME}, {NAME} and #{NAME}; https://www.tiktok.com/@{NAME}/video/{POST}"
    return [
        Profile(**FROM, capture="c1", username=NAME, user_id=NUMBER, sec_uid="MS4wPlanted", followers=5),
        Profile(**FROM, capture="c2", username="bob", user_id="6890123456789012346", bio=seen, followers=6),
        Post(**FROM, capture="c3", post_id=POST, author=NAME, author_id=NUMBER, caption="mine", views=5, created_at=AT),
        Post(**FROM, capture="c4", post_id=OTHERS, author="bob", caption=seen, views=6, created_at=AT,
             mentions=(NAME, "eve"), hashtags=(NAME, "sea"), urls=(f"https://www.tiktok.com/@{NAME}",),
             sound_title=f"original sound - {NAME}", repost_of=f"tiktok:post:{POST}"),
        Comment(**FROM, capture="c5", comment_id="1", post=f"tiktok:post:{POST}", text="nice"),
        Comment(**FROM, capture="c5", comment_id="2", post=f"tiktok:post:{OTHERS}", text=seen),
        Sound(**FROM, capture="c6", sound_id="68001", title=f"original sound - {NAME}", author=NAME, posts=3),
        Hashtag(**FROM, capture="c6", name=NAME, views=3), Hashtag(**FROM, capture="c6", name="sea", views=4),
        Board(**BOARD, board=grid), Board(**BOARD, board=list_),
        BoardEntry(**BOARD, board=grid, position=1, topic=POST, topic_key=POST, entity=f"tiktok:post:{POST}"),
        BoardEntry(**BOARD, board=list_, position=1, topic=f"@{NAME}", topic_key=f"@{NAME}"),
        BoardEntry(**BOARD, board=list_, position=2, topic="bob", topic_key="bob", entity="tiktok:profile:bob"),
        Deal(**FROM, capture="c3", post=f"tiktok:post:{POST}", product="Lamp"),
        Deal(**FROM, capture="c4", post=f"tiktok:post:{OTHERS}", product=f"Lamp of @{NAME}"),
    ]  # fmt: skip


def plant(database: Database[Any]) -> None:
    """What analysis and the schedule keep, and a collection that nobody knows yet; of each one document about bob."""
    me, bob, post = f"tiktok:profile:{NAME}", "tiktok:profile:bob", f"tiktok:post:{POST}"
    rows: dict[str, list[dict[str, Any]]] = {
        "heard": [{"_id": f"{post}#1", "post": post, "text": "words"}, {"_id": "o", "post": "o", "text": "of others"}],
        "links": [{"_id": "l>post:1", "target": post}, {"_id": "l2", "evidence": [post]}, {"_id": "l3", "target": "o"}],
        "creators": [{"_id": me, "user_id": NUMBER}, {"_id": bob, "user_id": "1"}],
        "trends": [{"_id": f"b#@{NAME}", "topic_key": f"@{NAME}", "board": "b"},
                   {"_id": "t2", "topic_key": "bob", "board": "b"}],
        "alerts": [{"_id": f"r@1#{NAME}", "entity": me, "evidence": {"post": post}}, {"_id": "a2", "entity": bob}],
        "rollups_daily": [{"_id": f"{me}@1", "entity": me}, {"_id": "r2", "entity": bob}],
        "rollups_hourly": [{"_id": f"{me}@1", "entity": me}, {"_id": "r2", "entity": bob}],
        "run_profiles": [{"_id": "1", "alarms": [f"@{NAME}: few"]}, {"_id": "2", "alarms": []}],
        "runs": [{"_id": "1", "targets": [NAME, "bob"], "command": f"crawl -a targets={NAME},bob"}],
        "targets": [{"_id": f"tiktok_profile:{NAME}", "spider": "tiktok_profile", "value": NAME, "since": AT},
                    {"_id": "tiktok_hashtag:sea", "spider": "tiktok_hashtag", "value": "sea", "since": AT,
                     "progress": {"seen": [POST, OTHERS], "last": f"/@{NAME}"}}],
        "asked": [{"_id": "1", "spider": "tiktok_profile", "value": NAME, "status": "done"},
                  {"_id": "2", "message": f'{{"url": "https://www.tiktok.com/@{NAME}"}}', "status": "read"}],
        "slots": [{"_id": f"tiktok_profile:{NAME}@1", "watch": f"tiktok_profile:{NAME}", "slot": AT, "status": "taken"},
                  {"_id": f"tiktok_post:{POST}@1", "watch": f"tiktok_post:{POST}", "slot": AT, "status": "taken"}],
        "notices": [{"_id": "n1", "title": f"@{NAME} rises", "at": AT}, {"_id": "n2", "title": "bob", "at": AT}],
        "quarantine": [{"_id": "q1", "data": f'{{"author": "{NAME}"}}'}, {"_id": "q2", "data": "{}"}],
        "fetches": [{"_id": "f1", "spider": "tiktok_profile", "target": NAME}, {"_id": "f2", "target": POST},
                    {"_id": "f3", "url": f"https://www.tiktok.com/@{NAME}?x=1"}, {"_id": "f4", "target": "bob"}],
        "of_the_future": [{"_id": "1", "who": {"name": NAME}}, {"_id": "2", "who": {"id": int(NUMBER)}}, {"_id": "3"}],
    }  # fmt: skip
    for name, documents in rows.items():
        database[name].insert_many(documents)


def capture(url: str, body: str) -> Capture:
    return Capture(url, AT, 200, {}, body.encode(), "http", Vantage(), None, "made")


def everything(database: Database[Any], folder: Path) -> Iterator[tuple[str, str]]:
    for name in database.list_collection_names():
        yield f"collection {name}", "" if name == "forgotten" else repr(list(database[name].find()))
    with Archive(folder / "archive" / database.name, read_only=True) as archive:
        yield "archive", repr(list(archive.captures()))
    for path in sorted(each for each in folder.rglob("*") if each.is_file() and each.name != "b.tar.gz"):
        yield str(path.relative_to(folder)), inside(path)


def inside(path: Path) -> str:
    """All that a file says, packed or not."""
    body = path.read_bytes()
    match path.suffix:
        case ".gz":
            body = gzip.decompress(body)
        case ".parquet":
            body = repr(pd.read_parquet(path).to_dict("records")).encode()
        case ".xlsx":
            with zipfile.ZipFile(path) as book:
                body = b"".join(book.read(name) for name in book.namelist())
    return f"{path.name} {body.decode('utf-8', 'replace')}"


def places(database: Database[Any], folder: Path) -> set[str]:
    """Where the person is named."""
    named = re.compile("|".join(map(re.escape, PLANTED)), re.IGNORECASE)
    return {place for place, said in everything(database, folder) if named.search(said)}


@pytest.fixture
def planted(shell: Shell, database: Database[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    shell.environ |= {"TIDEMARK_HASH_KEY": KEY, "ARCHIVE_URL": f"file://{tmp_path}/store"}
    for name, value in shell.environ.items():
        monkeypatch.setenv(name, value)
    store = Store(database, hash_key=KEY)
    store.prepare()
    store.save(items())
    later = [each.model_copy(update={"observed_at": AT + timedelta(days=60), "capture": f"{each.capture}b"})
             for each in items() if isinstance(each, Profile | Post)]  # fmt: skip
    store.save(later)
    store.close()
    plant(database)
    move(database, History.of(database), "observations", "2026-01", AT)
    with Archive(shell.archive) as archive:
        archive.write(capture(f"https://www.tiktok.com/@{NAME}", "nothing"))
        archive.write(capture("https://www.tiktok.com/@bob", f'{{"text": "hi @{NAME}"}}'))
        archive.write(capture("https://www.tiktok.com/@eve", '{"text": "hi"}'))
    push(shell.archive, f"file://{tmp_path}/store/{database.name}")
    (shell.archive / "x.torn").write_text(NAME)
    (tmp_path / "runs").mkdir()
    (tmp_path / "models" / database.name).mkdir(parents=True)
    (tmp_path / "models" / database.name / "meaning.npz").write_text(NAME)
    (tmp_path / "runs" / "a.jsonl").write_text(f'{{"target": "{NAME}"}}\n')
    assert shell("backup", str(tmp_path / "b.tar.gz")).returncode == 0
    return shell


def test_a_person_planted_everywhere_is_nowhere_afterwards_and_the_others_stay(
    planted: Shell, database: Database[Any], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    later = (["jsonl", f"{out}/days", "--by-day"], ["bundle", f"{out}/bundle"])
    for words in later:
        assert cli.main(["export", "--to", *words]) == 0
    database[outlets.COLLECTION].drop()  # these are made anew below, in this process: each start costs seconds
    for words in (["xlsx", f"{out}/all.xlsx"], ["sqlite", f"{out}/c.sqlite"]):
        assert cli.main(["export", "--to", *words]) == 0
    crawled = out / "crawled.csv"
    crawled.write_text(f"author,caption\r\n{NAME},mine\r\nbob,his\r\n")
    outlets.note(database, str(crawled), platform.node(), (), AT)
    before = places(database, tmp_path)
    assert len(before) > 50, sorted(before)
    others = {name: database[name].count_documents({}) for name in ("of_the_future", "heard", "creators", "alerts")}

    with planted.started("forget", NAME, "--yes") as process:
        done = ended(process, within_s=600)
    assert done.returncode == 0, done.stdout + done.stderr
    for words in later:
        assert cli.main(["export", "--anew", "--to", *words]) == 0
    assert places(database, tmp_path) == set()
    assert {name: database[name].count_documents({}) for name in others} == {**others, "of_the_future": 1, "heard": 1,
                                                                              "creators": 1, "alerts": 1}  # fmt: skip
    post = database["posts"].find_one({"_id": f"tiktok:post:{OTHERS}"}) or {}
    assert (post["views"], post["mentions"], post["hashtags"]) == (6, ["eve"], ["sea"])
    assert [row["value"] for row in database["targets"].find()] == ["sea"]
    assert crawled.read_text() == "author,caption\r\nbob,his\r\n".replace("\r\n", "\n")
    assert "bob" in inside(out / "all.xlsx")
    assert "bob" in inside(out / "c.sqlite")
    with Archive(planted.archive, read_only=True) as archive:
        assert [each.url for each in archive.captures()] == ["https://www.tiktok.com/@eve"]

    restored = planted("restore", str(tmp_path / "b.tar.gz"))
    assert restored.returncode == 0, restored.stderr
    assert "people who were forgotten" in restored.stdout
    assert places(database, tmp_path) == set()


def test_what_is_read_again_later_leaves_the_person_out(planted: Shell, database: Database[Any]) -> None:
    assert planted("forget", f"@{NAME.title()}", "--yes").returncode == 0
    store = Store(database, hash_key=KEY)
    store.prepare()
    later = [each.model_copy(update={"observed_at": AT + timedelta(days=90)}) for each in items()]
    fates = dict(zip([each.key for each in later], store.save(later), strict=True))
    store.close()
    assert {key for key, fate in fates.items() if fate == "forgotten"} == {
        each.key for each in later if each.key.endswith((f":{NAME}", f":{POST}")) or f"creator:{NAME}" in each.key
        or (isinstance(each, Comment | Deal) and each.post == f"tiktok:post:{POST}")
        or (isinstance(each, BoardEntry) and each.topic == f"@{NAME}")
    }  # fmt: skip
    named = [name for name in database.list_collection_names() if name != "forgotten"
             and any(each in repr(list(database[name].find())) for each in PLANTED)]  # fmt: skip
    assert named == []


def test_the_same_handle_on_another_platform_is_somebody_else(planted: Shell, database: Database[Any]) -> None:
    store = Store(database, hash_key=KEY)
    store.prepare()
    there = {**FROM, "platform": "x"}
    text = f"@{NAME} of https://www.tiktok.com/@{NAME}"
    store.save([Profile(**there, capture="c", username=NAME, followers=7),
                Post(**there, capture="c", post_id="9", author=NAME, caption=text, views=1)])  # fmt: skip
    store.close()
    assert planted("forget", NAME, "--yes").returncode == 0
    assert [row["_id"] for row in database["profiles"].find({"username": NAME})] == [f"x:profile:{NAME}"]
    assert [row["caption"] for row in database["posts"].find({"platform": "x"})] == [
        f"@{NAME} of https://www.tiktok.com/@…"
    ]
    assert database["observations"].count_documents({"entity": f"x:profile:{NAME}"}) == 1


def test_an_export_that_cannot_be_made_anew_is_said_and_stays_known(planted: Shell, database: Database[Any]) -> None:
    outlets.note(database, "/elsewhere/all.xlsx", "another-machine", ("--to", "xlsx", "/elsewhere/all.xlsx"), AT)
    done = planted("forget", NAME, "--yes")
    assert done.returncode == 1
    assert "lies on another-machine; there: python -m analysis export" in done.stdout
    assert [each.host for each in outlets.all_of(database)] == ["another-machine"]


def test_where_a_crawl_wrote_its_own_file_is_known(
    shell: Shell, database: Database[Any], tmp_path: Path, serve: Callable[..., str]
) -> None:
    shell.crawl(serve(good), "-o", str(tmp_path / "socks.jsonl"))
    assert [each.place for each in outlets.all_of(database)] == [str(tmp_path / "socks.jsonl")]
    assert (tmp_path / "socks.jsonl").stat().st_size > 0


@pytest.mark.parametrize(
    ("given", "kept"),
    [("host=h password=abc dbname=d", "host=h  dbname=d"), ("postgresql://me:abc@h/d", "postgresql://me@h/d")],
)
def test_no_password_is_kept_with_an_export(database: Database[Any], given: str, kept: str) -> None:
    outlets.note(database, given, None, ("--to", "postgres", given), AT)
    assert [each.words[-1] for each in outlets.all_of(database)] == [kept]
