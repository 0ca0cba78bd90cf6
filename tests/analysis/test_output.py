"""What leaves for the terminal and for files. Topics are hostile text."""

import csv
import json
from datetime import UTC, datetime
from decimal import Decimal

import pandas as pd
import pytest

from analysis.output import OutputError, clean, fit, table, width, write

NOON = datetime(2021, 9, 24, 12, tzinfo=UTC)


def frame(**columns):
    return pd.DataFrame(columns)


def written(tmp_path, data, ending, *, simulated=False):
    path = tmp_path / f"out{ending}"
    write(data, path, simulated=simulated)
    return path


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("gol\x1b[2J\x07", "gol[2J"),
        ("a\u202eb\u2066c\u200b", "abc"),
        ("one\ntwo\r\tthree\u2028four", "one two three four"),
        ("日本 ção", "日本 ção"),
        ("\x00", ""),
    ],
)
def test_controls_and_direction_marks_never_reach_the_terminal(hostile, shown):
    assert clean(hostile) == shown


@pytest.mark.parametrize(("text", "columns"), [("gol", 3), ("日本", 4), ("e\u0301", 1), ("", 0)])
def test_width_counts_columns_not_characters(text, columns):
    assert width(text) == columns


@pytest.mark.parametrize("text", ["abcdefghijklmnop", "日本シリーズ優勝おめでとう", "a" + "\u0301" * 999])
def test_long_text_is_cut_in_its_middle_to_the_columns_there_are(text):
    cut = fit(text, 10)
    assert "…" in cut
    assert width(cut) <= 10
    assert len(cut) <= 80


def test_columns_line_up_beside_wide_characters():
    text = table(frame(topic=["日本", "gol"], volume=pd.array([1, 22_000], dtype="Int64")), "t", simulated=False)
    head, rule, first, second = text.splitlines()[1:]
    assert (first, second) == ("日本        1", "gol    22,000")
    assert rule == "-----  ------"
    assert head == "topic  volume"


def test_missing_is_a_dot_and_never_a_zero():
    text = table(frame(volume=pd.array([None, 0], dtype="Int64")), "t", simulated=False)
    assert [line.strip() for line in text.splitlines()[-2:]] == ["·", "0"]


def test_a_moment_known_by_its_day_is_shown_as_a_day():
    seen = pd.Series([NOON, NOON], dtype="datetime64[ms, UTC]")
    text = table(frame(at=seen, at_precision=pd.array(["day", None], dtype="string")), "t", simulated=False)
    assert [line.strip() for line in text.splitlines()[-2:]] == ["2021-09-24", "2021-09-24 12:00"]
    assert "precision" not in text


def test_made_up_data_is_marked_wherever_it_goes(tmp_path):
    data = frame(topic=["gol"])
    assert table(data, "Boards", simulated=True).splitlines()[0] == "Boards (simulated)"
    assert rows_of(written(tmp_path, data, ".csv", simulated=True)) == [
        ["topic", "simulated"],
        ["gol", "True"],
    ]
    assert json.loads(written(tmp_path, data, ".json", simulated=True).read_text()) == [
        {"topic": "gol", "simulated": True}
    ]
    assert json.loads(written(tmp_path, data, ".jsonl", simulated=True).read_text())["simulated"] is True
    assert pd.read_parquet(written(tmp_path, data, ".parquet", simulated=True))["simulated"].all()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", " =1", "\t=1", "\tx", "\n@x", "＝1"])
def test_no_cell_of_text_is_run_by_a_spreadsheet(tmp_path, text):
    assert rows_of(written(tmp_path, frame(topic=[text]), ".csv"))[1] == [f"'{text}"]


@pytest.mark.parametrize("text", ["#gol", "a=b", "7312345678901234567", "teen wolf", "'quoted'", 'say "x", y'])
def test_other_text_is_written_as_it_is(tmp_path, text):
    assert rows_of(written(tmp_path, frame(topic=[text]), ".csv"))[1] == [text]


def test_numbers_and_moments_are_written_plainly(tmp_path):
    data = frame(
        change=pd.array([-5, None], dtype="Int64"),
        price=[Decimal("-2.10"), None],
        at=pd.Series([NOON, None], dtype="datetime64[ms, UTC]"),
    )
    assert rows_of(written(tmp_path, data, ".csv"))[1:] == [
        ["-5", "-2.10", "2021-09-24T12:00:00Z"],
        ["", "", ""],
    ]
    assert json.loads(written(tmp_path, data, ".json").read_text()) == [
        {"change": -5, "price": "-2.10", "at": "2021-09-24T12:00:00Z"},
        {"change": None, "price": None, "at": None},
    ]


def test_csv_is_utf8_without_a_byte_order_mark(tmp_path):
    assert written(tmp_path, frame(topic=["ção"]), ".csv").read_bytes() == "topic\nção\n".encode()


def test_parquet_keeps_types(tmp_path):
    data = frame(n=pd.array([2**62 + 1, None], dtype="Int64"), price=[Decimal("1.50"), None])
    back = pd.read_parquet(written(tmp_path, data, ".parquet"), dtype_backend="numpy_nullable")
    assert back["n"].tolist()[0] == 2**62 + 1
    assert back["price"].tolist()[0] == Decimal("1.50")


def test_another_ending_is_refused_with_the_ones_allowed(tmp_path):
    with pytest.raises(OutputError, match=r"\.csv, \.json, \.jsonl, \.parquet"):
        write(frame(a=[1]), tmp_path / "out.xlsx", simulated=False)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(OutputError, match="there is no folder"):
        write(frame(a=[1]), tmp_path / "no" / "out.csv", simulated=False)


def test_nothing_half_written_is_left(tmp_path):
    (tmp_path / "out.csv").mkdir()
    with pytest.raises(OutputError, match="cannot be written"):
        write(frame(a=[1]), tmp_path / "out.csv", simulated=False)
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]
