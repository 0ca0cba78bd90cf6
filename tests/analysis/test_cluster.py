"""Spark and the processes of one machine write the same bytes: texts and deals, files and an object store."""

from __future__ import annotations

import bz2
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet
import pytest

from analysis.cli import main
from analysis.cluster import session
from analysis.command import UsageError
from crawler import config
from crawler.config import ROOT
from crawler.lanes import tweets

MINUTES = config.load().shared_dir / "captures" / "tweets" / "twitterstream"
needs_spark = pytest.mark.skipif(find_spec("pyspark") is None, reason="no pyspark here: make spark")
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning:pyspark", "ignore::ResourceWarning")
SAID = ("que golaço lindo no jogo", "50% off all socks today only $9.99", "I hate waiting :(", "東京タワー", "")


@pytest.fixture(autouse=True)
def local_master(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEMARK_SPARK_MASTER", "local[2]")
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")


def tweet(n: int) -> dict[str, Any]:
    return {"id": n, "id_str": str(n), "created_at": "Thu May 20 00:00:00 +0000 2021", "lang": "en",
            "text": f"{SAID[n % 5]} {n}", "user": {"id_str": "7", "screen_name": "socks"}}  # fmt: skip


@pytest.fixture(params=["made", "captured"])
def minutes(request: pytest.FixtureRequest, tmp_path: Path) -> list[Path]:
    """Dumps of the tweet stream, a minute each."""
    if request.param == "made":
        for at in range(3):
            lines = b"".join(orjson.dumps(tweet(100 * at + n)) + b"\n" for n in range(60))
            (tmp_path / f"{at}.json.bz2").write_bytes(bz2.compress(lines))
        return sorted(tmp_path.glob("*.bz2"))
    if not MINUTES.is_dir():
        pytest.skip(f"no captured minutes in {MINUTES}")
    return sorted(MINUTES.glob("*.bz2"))[:3]


def posts_of(minutes: list[Path], folder: Path) -> list[str]:
    """The same tweets as Parquet, a file a minute, in row groups of 700."""
    written = []
    for at, minute in enumerate(minutes):
        with bz2.open(minute) as lines:
            read = [orjson.loads(line) for line in lines if line.strip()]
        rows = [{"key": f"x:post:{row['id_str']}", "caption": tweets.full_text(row), "language": None}
                for row in read if "id_str" in row]  # fmt: skip
        written.append(str(folder / f"{at}.parquet"))
        pa.parquet.write_table(pa.Table.from_pylist(rows), written[-1], row_group_size=700)
    return written


def run(*arguments: str) -> int:
    """As a process of its own: Spark's Java side lives as long as the process, and keeps its first environment."""
    return subprocess.run([sys.executable, "-m", "analysis", *arguments], cwd=ROOT, check=False).returncode


@needs_spark
def test_spark_and_processes_write_the_same_deals(minutes: list[Path], tmp_path: Path) -> None:
    common = ["deals", *map(str, minutes), "--keep", "all", "--no-catalogue", "-o"]
    assert main([*common, str(tmp_path / "here.jsonl"), "--processes", "2"]) == 0
    assert run(*common, str(tmp_path / "spark.jsonl"), "--engine", "spark") == 0
    assert (tmp_path / "here.jsonl").stat().st_size > 10_000
    assert (tmp_path / "here.jsonl").read_bytes() == (tmp_path / "spark.jsonl").read_bytes()


@needs_spark
def test_spark_and_processes_write_the_same_texts(minutes: list[Path], tmp_path: Path) -> None:
    common = ["texts", "--from", *posts_of(minutes, tmp_path), "-o"]
    assert main([*common, str(tmp_path / "here.out.parquet"), "--processes", "2"]) == 0
    assert run(*common, str(tmp_path / "spark.out.parquet"), "--engine", "spark") == 0
    assert (tmp_path / "here.out.parquet").read_bytes() == (tmp_path / "spark.out.parquet").read_bytes()


@pytest.fixture
def stored(s3: str, tmp_path: Path) -> Iterator[str]:
    """A minute and its posts in an object store."""
    import s3fs

    store = s3fs.S3FileSystem(anon=False)
    store.mkdir(s3.removeprefix("s3://").partition("/")[0])
    lines = b"".join(orjson.dumps(tweet(n)) + b"\n" for n in range(60))
    (tmp_path / "0.json.bz2").write_bytes(bz2.compress(lines))
    for path in (str(tmp_path / "0.json.bz2"), *posts_of([tmp_path / "0.json.bz2"], tmp_path)):
        store.put(path, f"{s3}/{os.path.basename(path)}")  # noqa: PTH119 - a name in the store
    yield s3
    s3fs.S3FileSystem.clear_instance_cache()


HERE, SPARK = ("--processes", "2"), ("--engine", "spark")


@pytest.mark.parametrize("engine", [HERE, pytest.param(SPARK, marks=needs_spark)], ids=["here", "spark"])
def test_an_object_store_is_read_like_a_folder(engine: tuple[str, str], stored: str, tmp_path: Path) -> None:
    for name, where, how in (("near", str(tmp_path), HERE), ("afar", stored, engine)):
        deals = [
            "deals",
            f"{where}/0.json.bz2",
            "--keep",
            "all",
            "--no-catalogue",
            "-o",
            str(tmp_path / f"{name}.jsonl"),
        ]
        texts = ["texts", "--from", f"{where}/0.parquet", "-o", str(tmp_path / f"{name}.out.parquet")]
        assert (run(*deals, *how), run(*texts, *how)) == (0, 0)
    for ending in ("jsonl", "out.parquet"):
        near, afar = ((tmp_path / f"{name}.{ending}").read_bytes() for name in ("near", "afar"))
        assert near == afar
        assert near


@pytest.mark.skipif(find_spec("pyspark") is not None, reason="pyspark is here")
@pytest.mark.parametrize("command", ["deals", "texts"])
def test_without_spark_one_line_says_what_to_install(command: str, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "0.json.bz2").write_bytes(bz2.compress(orjson.dumps(tweet(1))))
    source = posts_of([tmp_path / "0.json.bz2"], tmp_path)
    given = (
        ["--from", *source, "-o", str(tmp_path / "x.parquet")] if command == "texts" else [str(tmp_path / "0.json.bz2")]
    )
    assert main([command, *given, "--engine", "spark"]) == 2
    assert "needs the extra `spark` and Java 17" in capsys.readouterr().err


@needs_spark
def test_a_master_that_is_none_is_named_with_what_to_try() -> None:
    with pytest.raises(UsageError, match=r"no Spark at moon:1 .*TIDEMARK_SPARK_MASTER"):
        session("texts", "moon:1")
