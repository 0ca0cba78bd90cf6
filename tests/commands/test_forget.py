"""A person who asks for it is gone from database, old months, archive and object store, and does not come back."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from crawler.archive import Archive, Capture, rewrite
from crawler.forgetting import Keeper, tombstone
from crawler.items import Board, BoardEntry, Comment, Post, Profile, Vantage
from crawler.storage import forgotten
from crawler.storage.history import History
from crawler.storage.retention import move
from crawler.storage.store import Store
from tests.shell import Shell

PAGES = Path(__file__).parents[1] / "pages"
KEY = "k" * 32
AT = datetime(2026, 1, 10, tzinfo=UTC)
FROM: dict[str, Any] = {"platform": "tiktok", "url": "u", "observed_at": AT, "parser": "p@1", "vantage": Vantage()}


def keeper(*names: str) -> Keeper:
    return Keeper(KEY, frozenset(tombstone(KEY, "tiktok", name) for name in names))


def post(number: str, author: str, caption: str = "", **more: Any) -> Post:
    return Post(**FROM, capture=f"c{number}", post_id=number, author=author, caption=caption, views=5, **more)


def everything(database: Database[Any]) -> str:
    names = set(database.list_collection_names()) - {"forgotten"}
    return repr([list(database[name].find()) for name in sorted(names)]).lower()


def test_a_tombstone_keeps_out_a_person_under_any_spelling_and_says_no_name() -> None:
    stones = keeper("ana", "id:77")
    assert stones.cleaned(Profile(**FROM, capture="c", username="ANA")) is None
    assert stones.cleaned(post("1", "Ana")) is None
    assert stones.cleaned(post("1", "renamed", author_id="77")) is None
    assert stones.cleaned(Board(**FROM, capture="c", board="tiktok:creator:ana@us", at=AT)) is None
    entry = BoardEntry(**FROM, capture="c", board="b", at=AT, position=1, topic="@ana", topic_key="@ana")
    assert stones.cleaned(entry) is None
    assert stones.cleaned(other := post("2", "anabel", "hi @anabel")) is other
    assert "ana" not in "".join(stones.stones)
    assert tombstone(KEY, "tiktok", "ana") != tombstone("other", "tiktok", "ana")


def test_mentions_of_the_person_go_from_what_others_wrote_and_the_rest_stays() -> None:
    stones = keeper("ana")
    made = stones.cleaned(post("2", "bob", "with @Ana and @anabel", mentions=("ana", "anabel")))
    assert isinstance(made, Post)
    assert (made.caption, made.mentions) == ("with @… and @anabel", ("anabel",))
    said = stones.cleaned(Comment(**FROM, capture="c", comment_id="1", post="p", text="@ana!"))
    assert isinstance(said, Comment)
    assert said.text == "@…!"


def test_the_database_keeps_nothing_of_the_person_and_everything_of_the_others(
    database: Database[Any], tmp_path: Path
) -> None:
    store = Store(database, hash_key=KEY)
    store.prepare()
    ana = Profile(**FROM, capture="c1", username="ana", user_id="77001", followers=5)
    bob = Profile(**FROM, capture="c2", username="bob", followers=6)
    store.save([ana, bob, post("1", "ana"), post("2", "bob", "for @ana", mentions=("ana",)), post("3", "old.ana",
               author_id="77001")])  # fmt: skip
    database["targets"].insert_one({"_id": "tiktok_profile:ana", "spider": "tiktok_profile", "value": "ana"})
    database["fetches"].insert_many([{"_id": "1", "target": "ana"}, {"_id": "2", "url": "https://t.example/@Ana?x=1"},
                                     {"_id": "3", "url": "https://t.example/@anabel"}])  # fmt: skip
    database["quarantine"].insert_many([{"_id": "1", "data": '{"author": "Ana"}'}, {"_id": "2", "data": "banana"}])
    database["alerts"].insert_many([{"_id": f"burst@{name}", "entity": f"tiktok:{name}"} for name in (
        "profile:ana", "post:1", "profile:bob")])  # fmt: skip
    history = History(database, tmp_path / "history")
    move(database, history, "observations", "2026-01", AT)
    person = forgotten.known_as(database, "tiktok", "ANA")
    assert person.names == ("ana",)
    assert person.numbers == ("77001",)
    forgotten.bury(database, person, KEY, AT)
    assert forgotten.remove_from_history(history, person, AT) == 3
    forgotten.remove(database, person)
    left = everything(database)
    assert "'ana'" not in left
    assert "@ana?" not in left
    assert "77001" not in left
    assert "banana" in left
    assert "@anabel" in left
    assert {row["_id"] for row in database["posts"].find()} == {"tiktok:post:2"}
    assert {row["_id"] for row in database["alerts"].find()} == {"burst@profile:bob"}
    assert {row["entity"] for row in history.rows("observations", {})} == {"tiktok:profile:bob", "tiktok:post:2"}
    store.prepare()
    assert store.save([ana, post("1", "ana"), post("3", "new.name", author_id="77001"), bob]) == [
        "forgotten", "forgotten", "forgotten", "saved"
    ]  # fmt: skip
    assert "77001" not in everything(database)
    store.close()


def capture_of(url: str, body: bytes, minute: int) -> Capture:
    return Capture(url, AT.replace(minute=minute), 200, {}, body, "http", Vantage(), None, "made")


def test_segments_are_written_anew_without_some_captures_and_shared_bodies_stay_readable(tmp_path: Path) -> None:
    shared, own = b"the same for all", b"ana was here"
    with Archive(tmp_path, clock=lambda: AT) as archive:
        archive.write(capture_of("https://t.example/@ana", shared, 1))
        archive.write(capture_of("https://t.example/x", own, 2))
    later = AT.replace(hour=5)
    with Archive(tmp_path, clock=lambda: later) as archive:
        kept = capture_of("https://t.example/@bob", shared, 3)
        archive.write(kept)
        archive.note(kept.id, "ok", {})
    ids, _, _ = rewrite.without(tmp_path, lambda each: "@ana" in each.url or b"ana" in each.body)
    assert len(ids) == 2
    with Archive(tmp_path) as archive:
        assert list(archive.ids()) == [kept.id]
        assert archive.read(kept.id).body == shared
        assert archive.outcome(kept.id) == "ok"
        assert archive.problems == []
    assert rewrite.without(tmp_path, lambda each: False) == ([], [], [])


def test_forget_by_command_and_the_person_does_not_come_back(
    shell: Shell, database: Database[Any], tmp_path: Path
) -> None:
    cases = [str(PAGES / "tiktok.profile/next_2021_good"), str(PAGES / "x.trends_place")]
    shell.environ |= {"TIDEMARK_HASH_KEY": KEY, "ARCHIVE_URL": f"file://{tmp_path}/store"}
    shell("replay", *cases)
    boards = database["boards"].count_documents({"platform": "x"})
    assert "tide.example" in everything(database)
    preview = shell("forget", "tide.example")
    assert "1 of " in preview.stdout
    assert "nothing was changed" in preview.stdout
    done = shell("forget", "@Tide.Example", "--yes")
    assert done.returncode == 0, done.stderr
    again = shell("replay", *cases)
    assert "forgotten" in again.stderr
    assert "7000000000000000001" not in everything(database)
    assert shell("retention").returncode == 0
    with Archive(shell.archive, read_only=True) as archive:
        assert not any(b"tide.example" in each.body.lower() for each in archive.captures())
    there = b"".join(path.read_bytes() for path in (tmp_path / "store").rglob("*.ids"))
    assert there
    assert database["boards"].count_documents({"platform": "x"}) == boards
    verify = shell("verify", "--check")
    assert "all agree" in verify.stdout, json.dumps(verify.stdout)


@pytest.mark.parametrize("name", ["a|b"])
def test_what_is_no_name_is_refused(name: str, shell: Shell) -> None:
    done = shell("forget", name, "--yes", TIDEMARK_HASH_KEY=KEY)
    assert done.returncode == 2
    assert "name one person" in done.stdout + done.stderr
