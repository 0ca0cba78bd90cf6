"""The archive in an object store, here a folder behind fsspec: nothing is lost, nothing is sent twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crawler.archive import Archive, Capture
from crawler.items import Vantage
from crawler.shipping import Shipped, ShippingError, pull, push

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def capture(n: int) -> Capture:
    return Capture(
        url=f"https://tide.example/{n}", fetched_at=NOON + timedelta(minutes=n), status=200, headers={},
        body=b"tide %d" % n, lane="http", vantage=Vantage(), target=None, spider=None,
    )  # fmt: skip


def written(directory: Path, *numbers: int) -> set[str]:
    with Archive(directory) as archive:
        for n in numbers:
            archive.write(capture(n))
        return set(archive.ids())


def test_what_was_shipped_comes_back_as_the_same_captures(tmp_path: Path) -> None:
    store = f"file://{tmp_path}/bucket/tidemark"
    ids = written(tmp_path / "here", 1, 2, 3)
    assert push(tmp_path / "here", store).files == 2  # a segment and its index
    pull(store, tmp_path / "there")
    with Archive(tmp_path / "there", read_only=True) as archive:
        assert set(archive.ids()) == ids
        assert {archive.read(each).body for each in ids} == {b"tide 1", b"tide 2", b"tide 3"}


def test_a_file_is_sent_once_and_again_only_when_it_has_grown(tmp_path: Path) -> None:
    store = f"file://{tmp_path}/bucket"
    with Archive(tmp_path / "here") as archive:
        archive.write(capture(1))
        assert push(tmp_path / "here", store).files == 2
        assert push(tmp_path / "here", store) == Shipped(0, 0, 2)
        archive.write(capture(2))
        assert push(tmp_path / "here", store).files == 2
    pull(store, tmp_path / "there")
    with Archive(tmp_path / "there", read_only=True) as archive:
        assert len(archive) == 2


def test_two_machines_ship_into_one_store_and_neither_loses(tmp_path: Path) -> None:
    store = f"file://{tmp_path}/bucket"
    ids = set()
    for name, n in (("one", 1), ("two", 2)):
        ids |= written(tmp_path / name, n)
        for path in (tmp_path / name).iterdir():  # as another process would have named it
            path.rename(path.with_name(path.name.replace("Z-", f"Z-{n}")))
        push(tmp_path / name, store)
    pull(store, tmp_path / "all")
    with Archive(tmp_path / "all", read_only=True) as archive:
        assert set(archive.ids()) == ids


def test_only_segments_travel(tmp_path: Path) -> None:
    written(tmp_path / "here", 1)
    (tmp_path / "here" / "notes.txt").write_text("private")
    (tmp_path / "bucket").mkdir()
    (tmp_path / "bucket" / "..evil").write_text("x")
    push(tmp_path / "here", f"file://{tmp_path}/bucket")
    pull(f"file://{tmp_path}/bucket", tmp_path / "there")
    assert all(".warc.gz" in path.name for path in (tmp_path / "there").iterdir())
    assert not (tmp_path / "bucket" / "notes.txt").exists()


def test_a_store_that_refuses_is_told_in_plain_words_without_its_secrets(tmp_path: Path) -> None:
    written(tmp_path / "here", 1)
    (tmp_path / "bucket").write_text("a file where the folder should be")
    for url in (f"file://{tmp_path}/bucket", "nowhere://key:canary@store.example/bucket"):
        with pytest.raises(ShippingError, match="whole on this disk") as failed:
            push(tmp_path / "here", url, sleep=lambda _: None)
        assert "canary" not in str(failed.value)


def test_a_scheme_without_its_package_says_what_to_install(tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    try:
        import s3fs  # noqa: F401 - where it is installed, there is nothing to say
    except ImportError:
        with pytest.raises(ShippingError, match="uv pip install fsspec s3fs"):
            push(tmp_path, "s3://bucket/tidemark")


@pytest.mark.filterwarnings("default")  # their warnings are not ours to mend
@pytest.mark.parametrize("kind", ["s3", "gs"])
def test_a_real_protocol_gives_back_what_it_took(request: pytest.FixtureRequest, tmp_path: Path, kind: str) -> None:
    store = request.getfixturevalue(kind)
    ids = written(tmp_path / "here", 1, 2)
    assert push(tmp_path / "here", store).files == 2
    assert push(tmp_path / "here", store) == Shipped(0, 0, 2)
    pull(store, tmp_path / "there")
    with Archive(tmp_path / "there", read_only=True) as archive:
        assert set(archive.ids()) == ids
