"""Dumps of a tweet stream: every line is accounted for, and damage costs only what is damaged."""

import bz2
import gzip
import io
import json
import random
import shutil
import tarfile
import zipfile
from contextlib import nullcontext
from pathlib import Path

import pytest

from analysis.cli import main
from analysis.commerce.deals_archive import Joined, Selection, local, spark
from crawler.config import load
from crawler.lanes import twitterstream
from crawler.lanes.tweets import Account, parsed, skim
from crawler.lanes.twitterstream import Damaged, Packed, members, text_of

LEFT = load().shared_dir / "captures" / "tweets" / "twitterstream"


def tweet(n: int, text: str = "hello", **more: object) -> dict[str, object]:
    made = {
        "created_at": "Wed Jul 03 06:29:00 +0000 2019", "id": n, "id_str": str(n), "text": text, "truncated": False,
        "lang": "en", "user": {"id_str": "1", "screen_name": "Shop"},
    }  # fmt: skip
    return made | more


def delete(n: int) -> dict[str, object]:
    return {"delete": {"status": {"id": n, "id_str": str(n), "user_id": 1, "user_id_str": "1"}, "timestamp_ms": "1"}}


def block(*rows: object) -> bytes:
    return b"".join(json.dumps(row, separators=(",", ":")).encode() + b"\r\n" for row in rows)


def minute(first: int, n: int = 40) -> bytes:
    chance = random.Random(first)
    rows: list[object] = [tweet(first + at, f"Mug {chance.random()} £{at + 2}, buy now") for at in range(n)]
    return block(*rows, delete(first), {"limit": {"track": 3, "timestamp_ms": "1"}})


def tar_of(files: dict[str, bytes], path: Path) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def read(*given: Path, processes: int = 1) -> Joined:
    joined = Joined()
    for found in local([str(each) for each in given], Selection(keep="all"), processes):
        joined.take(found)
    return joined


def test_a_tar_of_tars_of_minutes_of_every_packing_is_read_whole(tmp_path):
    inner = tar_of(
        {"01.json.bz2": bz2.compress(minute(100)), "02.json.gz": gzip.compress(minute(200))}, tmp_path / "day.tar"
    )
    outer = tar_of(
        {"day.tar": inner.read_bytes(), "03.json": minute(300), "README": b"no lines"}, tmp_path / "month.tar"
    )
    with zipfile.ZipFile(tmp_path / "more.zip", "w") as file:
        file.writestr("04.json.bz2", bz2.compress(minute(400)[:-20]) + bz2.compress(minute(400)[-20:]))
    joined = read(outer, tmp_path / "more.zip")

    assert joined.members == 4 and not joined.problems
    assert (joined.account.tweets, joined.account.notices) == (160, {"delete": 4, "limit": 4})
    assert joined.account.lines == 168


def test_a_cut_bz2_loses_only_what_is_cut_and_says_so(tmp_path):
    chance = random.Random(1)
    lines = [
        tweet(n, "".join(chance.choices("abcdefghijklmnop", k=700))) for n in range(900)
    ]  # more than one block of bzip2
    packed = bz2.compress(block(*lines), 1)
    (tmp_path / "00.json.bz2").write_bytes(packed[: len(packed) * 2 // 3])
    (tmp_path / "01.json.bz2").write_bytes(bz2.compress(minute(5000)))
    joined = read(tmp_path / "00.json.bz2", tmp_path / "01.json.bz2")

    assert 400 < joined.account.tweets - 40 < 700
    assert joined.account.damaged <= 1  # the line that the cut goes through
    assert [each.name for each in joined.problems] == [f"{tmp_path}/00.json.bz2#0"]
    assert "cut" in joined.problems[0].reason and "are read" in joined.problems[0].reason


def test_a_tar_cut_in_the_middle_loses_only_what_is_cut_and_says_so(tmp_path):
    files = {f"{at:02}.json.bz2": bz2.compress(minute(1000 * at)) for at in range(6)}
    path = tar_of(files, tmp_path / "hour.tar")
    path.write_bytes(
        path.read_bytes()[: 3 * 512 + sum(512 * -(-len(files[f"{at:02}.json.bz2"]) // 512) for at in range(3)) + 700]
    )
    joined = read(path)

    assert joined.account.tweets >= 120
    assert any("cut" in each.reason or "damaged" in each.reason for each in joined.problems)


def test_a_tar_cut_exactly_between_two_members_is_said(tmp_path):
    files = {f"{at:02}.json.bz2": bz2.compress(minute(1000 * at)) for at in range(4)}
    path = tar_of(files, tmp_path / "hour.tar")
    kept = sum(512 + 512 * -(-len(files[f"{at:02}.json.bz2"]) // 512) for at in range(3))
    whole = path.read_bytes()
    assert not read(path).problems
    for name, data in (("hour.tar", whole[:kept]), ("hour.tar.gz", gzip.compress(whole[:kept]))):
        (tmp_path / name).write_bytes(data)
        joined = read(tmp_path / name)

        assert joined.account.tweets == 120
        assert [each.reason for each in joined.problems] == [
            "ends without its end marker after 3 members: it may be cut there; those are read"
        ]


def test_a_tar_in_a_tar_may_lack_its_end_and_the_outer_one_is_read_on(tmp_path):
    inner = tar_of({"01.json": minute(100)}, tmp_path / "inner.tar").read_bytes()
    cut = inner[: 512 + 512 * -(-len(minute(100)) // 512)]
    path = tar_of({"inner.tar": cut, "02.json": minute(200)}, tmp_path / "outer.tar")
    joined = read(path)

    assert joined.account.tweets == 80
    assert [each.name for each in joined.problems] == [f"{path}!inner.tar"]


def test_lbzip2_gives_what_the_library_gives_of_whole_and_of_damaged_members(monkeypatch):
    if not shutil.which("lbzip2"):
        pytest.skip("lbzip2 is not installed; the library of Python reads all, an eighth slower")
    monkeypatch.setattr(twitterstream, "LEAST_BYTES", 0)
    chance = random.Random(7)
    whole = bz2.compress("".join(chance.choices("abcdefgh \n", k=300_000)).encode(), 1)
    for kind in ("", "twice", "zeros", "garbage", *["cut", "flip"] * 8):
        at = chance.randrange(len(whole))
        data = {
            "twice": whole * 2, "zeros": whole + bytes(700), "garbage": whole + b"xyz", "cut": whole[:at],
            "flip": whole[:at] + bytes([whole[at] ^ 64]) + whole[at + 1 :],
        }.get(kind, whole)  # fmt: skip
        quick = text_of(Packed("a.json.bz2", data, 0))
        with monkeypatch.context() as without:
            without.setattr(twitterstream, "_lbzip2", lambda: None)

            assert text_of(Packed("a.json.bz2", data, 0)) == quick, kind


def test_a_damaged_member_does_not_stop_the_next(tmp_path):
    broken = bytearray(bz2.compress(minute(100)))
    broken[len(broken) // 2] ^= 255
    path = tar_of({"a.json.bz2": bytes(broken), "b.json.bz2": bz2.compress(minute(200))}, tmp_path / "t.tar")
    joined = read(path)

    assert joined.account.tweets == 40
    assert [each.name for each in joined.problems] == [f"{path}!a.json.bz2"]


def test_duplicates_are_counted_over_members_and_written_once(tmp_path):
    (tmp_path / "a.json").write_bytes(minute(100) + block(tweet(100, "Mug £2")))
    (tmp_path / "b.json").write_bytes(minute(120))
    joined = Joined()
    rows = [row for found in local([str(tmp_path / "a.json"), str(tmp_path / "b.json")], Selection(keep="all"), 1)
            for row in joined.take(found)]  # fmt: skip

    assert joined.account.duplicates == 21
    assert len(rows) == len({row["id"] for row in rows}) == 60


def test_the_quick_account_equals_the_slow_one():
    odd = [
        tweet(1, 'a "quoted" \\"truncated\\":true'), tweet(2, truncated=True), delete(3), {"limit": {"track": 1}},
        tweet(4, truncated=True, extended_tweet={"full_text": "x"}), {"scrub_geo": {}}, {"odd": 1}, [1],
    ]  # fmt: skip
    data = block(*odd) + b"\r\n" + b'{"created_at":"Wed Jul 03 06:29:00 +0000 2019","id":9,"id_str":"9","te' + b"\n"
    slow, quick, numbers, back = Account(), Account(), [], []
    list(parsed(data, slow))
    list(skim(data, quick, numbers, back))

    assert quick.as_row() == slow.as_row()
    assert (slow.tweets, slow.truncated, slow.lost_text, slow.damaged, slow.empty, slow.other) == (3, 2, 1, 1, 1, 2)
    assert (numbers, back) == ([1, 2, 4], ["3"])


def test_several_processes_find_what_one_finds(tmp_path):
    files = {f"{at:02}.json.bz2": bz2.compress(minute(1000 * at)) for at in range(5)}
    path = tar_of(files, tmp_path / "hour.tar")
    one, two = (list(local([str(path)], Selection(), n)) for n in (1, 2))

    assert one == two and len(one) == 5


def test_an_interrupted_dump_goes_on_by_member(tmp_path, capsys):
    path = tar_of({f"{at}.json.gz": gzip.compress(minute(100 * at)) for at in range(4)}, tmp_path / "t.tar")
    whole, out = tmp_path / "whole.jsonl", tmp_path / "out.jsonl"
    main(["deals", str(path), "--processes", "1", "-o", str(whole)])
    main(["deals", str(path), "--processes", "1", "-o", str(out)])
    progress = out.with_suffix(".progress")
    kept = progress.read_text().splitlines()[:2]
    progress.write_text("\n".join(kept) + '\n{"member": "t.tar!2.js')  # killed while it wrote
    out.write_bytes(out.read_bytes()[: json.loads(kept[-1])["out_bytes"] + 33])
    status = main(["deals", str(path), "--processes", "1", "-o", str(out), "--resume"])

    assert status == 0
    assert out.read_bytes() == whole.read_bytes()
    assert "2 members read, 2 were read before" in capsys.readouterr().err


def test_a_large_file_by_itself_goes_through_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr(twitterstream, "PIECE_BYTES", 1 << 12)
    monkeypatch.setattr(twitterstream, "WHOLE_BYTES", 1 << 9)
    monkeypatch.setattr(twitterstream, "CHUNK", 1 << 9)
    data = b"".join(minute(100 * at) for at in range(20))
    (tmp_path / "all.json.gz").write_bytes(gzip.compress(data))
    pieces = list(members(str(tmp_path / "all.json.gz")))

    assert len(pieces) > 5 and all(isinstance(each, Packed) for each in pieces)
    assert b"".join(text_of(each)[0] for each in pieces) == data


def test_what_is_no_dump_is_said(tmp_path):
    (tmp_path / "x.tar").write_bytes(b"no tar at all")
    (tmp_path / "y.zip").write_bytes(b"no zip")

    assert all(isinstance(each, Damaged) for name in ("x.tar", "y.zip") for each in members(str(tmp_path / name)))


def test_a_file_of_other_lines_is_told_as_no_dump(tmp_path, capsys):
    (tmp_path / "notes.json").write_text("# Notes\n\nnothing of the kind\n")

    assert main(["deals", str(tmp_path / "notes.json"), "--processes", "1", "--no-catalogue"]) == 1
    assert "no tweet and no notice in it" in capsys.readouterr().err


def test_captured_minutes_are_counted_to_the_last_line():
    files = sorted(LEFT.glob("*.json.bz2"))
    if not files:
        pytest.skip(f"no captured minutes at {LEFT}; set TIDEMARK_SHARED")
    for path in (files[0], next(each for each in files if "shantanu" in each.name)):
        lines = bz2.decompress(path.read_bytes()).split(b"\n")
        lines = lines[: -1 if not lines[-1] else None]
        rows = [json.loads(line) for line in lines]
        tweets = [row["id_str"] for row in rows if "id_str" in row]
        account = read(path).account

        assert (account.lines, account.tweets) == (len(lines), len(tweets))
        assert account.notices["delete"] == sum("delete" in row for row in rows)
        assert account.duplicates == len(tweets) - len(set(tweets))
        assert account.truncated == sum(bool(row.get("truncated")) for row in rows)


def test_a_dump_is_replayed_as_posts_and_its_notices_take_posts_back(tmp_path, shell, database, client, capsys):
    path = tar_of(
        {"01/00.json.bz2": bz2.compress(minute(100)), "01/01.json.gz": gzip.compress(minute(900))}, tmp_path / "d.tar"
    )
    done = shell("replay", str(path))
    kept = {each["post_id"] for each in database["posts"].find()}

    assert done.returncode == 0, done.stderr
    assert kept == {str(n) for first in (100, 900) for n in range(first + 1, first + 40)}  # a minute deletes its first
    (tmp_path / "later.json").write_bytes(block(delete(105), delete(106), delete(4711)))
    command = ["deals", "--withdraw", str(tmp_path / "later.json"), "--processes", "1", "--database", database.name]
    assert main(command, lambda config: nullcontext(client)) == 0
    assert "3 delete notices; 2 posts" in capsys.readouterr().out
    assert kept - {each["post_id"] for each in database["posts"].find()} == {"105", "106"}


def test_a_cluster_finds_what_one_process_finds(tmp_path):
    pytest.importorskip("pyspark", reason="pyspark is not installed; a cluster brings its own")
    for at in range(2):
        (tmp_path / f"{at}.json.bz2").write_bytes(bz2.compress(minute(100 * at)))
    files = [str(path) for path in sorted(tmp_path.glob("*.bz2"))]

    assert list(spark(files, Selection())) == list(local(files, Selection(), 1))
