"""Posts in files: however they are cut and whoever reads them, the same rows come out in the same order."""

from __future__ import annotations

import os
from importlib.util import find_spec

import pyarrow as pa
import pyarrow.parquet
import pytest

from analysis.cli import main
from analysis.text import scale
from analysis.text.scale import SCHEMA, cut, locally, read_batch

SAID = ["que golaço lindo no jogo", "I hate waiting :(", "receita de bolo fácil", "@lumo thanks 😍", "", "東京タワー"]


@pytest.fixture
def posts():
    return pa.table({
        "key": [f"tiktok:post:{n}" for n in range(40)], "caption": [f"{SAID[n % 6]} {n // 6}" for n in range(40)],
        "language": [None] * 40, "views": list(range(40)),
    })  # fmt: skip


def test_how_posts_are_cut_and_how_many_read_them_changes_nothing(posts, monkeypatch):
    whole = pa.Table.from_batches([read_batch(each) for each in cut(posts)])
    monkeypatch.setattr(scale, "BATCH", 7)
    assert len(cut(posts)) == 6
    assert pa.Table.from_batches(list(locally(cut(posts), 1))).equals(whole)
    assert pa.Table.from_batches(list(locally(cut(posts), 2))).equals(whole)
    first = whole.slice(0, 1).to_pylist()[0]
    assert (first["language"], first["category"]) == ("pt", "sports")
    assert "golaco" in first["terms"]


def test_the_command_reads_a_file_and_says_how_fast(posts, tmp_path, capsys):
    pa.parquet.write_table(posts, tmp_path / "posts.parquet")
    assert main(["texts", "--from", str(tmp_path / "posts.parquet"), "-o", str(tmp_path / "read.parquet")]) == 0
    assert "40 posts read in" in capsys.readouterr().out
    made = pa.parquet.read_table(tmp_path / "read.parquet")
    assert made.schema.equals(SCHEMA)
    assert made["key"].to_pylist() == posts["key"].to_pylist()


@pytest.mark.parametrize(
    ("name", "body", "told"),
    [("none.jsonl", None, "expected a file"), ("a.txt", b"x", "expected a file"),
     ("a.csv", b"key,text\n1,2\n", "missing: caption"), ("a.parquet", b"x", "cannot be read")],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_said(tmp_path, capsys, name, body, told):
    if body is not None:
        (tmp_path / name).write_bytes(body)
    assert main(["texts", "--from", str(tmp_path / name), "-o", str(tmp_path / "out.parquet")]) == 2
    assert told in capsys.readouterr().err
    assert not list(tmp_path.glob("out*"))


@pytest.mark.skipif(find_spec("pyspark") is None, reason="the extra `spark` is not installed")
@pytest.mark.filterwarnings("ignore:PySpark does not yet fully support:FutureWarning")
def test_spark_gives_the_same_rows(posts, tmp_path):
    pa.parquet.write_table(posts, tmp_path / "posts.parquet")
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    common = ["texts", "--from", str(tmp_path / "posts.parquet"), "-o"]
    assert main([*common, str(tmp_path / "here.parquet")]) == 0
    assert main([*common, str(tmp_path / "spark.parquet"), "--spark", "local[1]"]) == 0
    made = [pa.parquet.read_table(tmp_path / f"{name}.parquet").sort_by("key") for name in ("here", "spark")]
    assert made[0].equals(made[1])
