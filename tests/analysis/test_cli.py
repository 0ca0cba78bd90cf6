"""`python -m analysis`, from its arguments to what it prints, on a real database."""

import json
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from analysis.cli import main
from crawler.storage.errors import StorageAway

SEP_24 = datetime(2021, 9, 24, tzinfo=UTC)
SEP_25 = datetime(2021, 9, 25, 1, 15, tzinfo=UTC)
SEP_26 = datetime(2021, 9, 26, tzinfo=UTC)
JASON = "tiktok:profile:jasonmoments"


def fill(database):
    shown = ((SEP_24, "day", 140_681), (SEP_25, None, 339_480), (SEP_26, "day", 351_261))
    for at, precision, volume in shown:
        head = {"board": "x:trends:br", "at": at, "observed_at": at, "capture": "c"}
        head |= {"at_precision": precision} if precision else {}
        database["boards"].insert_one({"_id": f"b@{at}", "size": 2, "got": 2, **head})
        wolf = {"position": 1, "topic": "teen wolf", "topic_key": "teenwolf", "volume": volume}
        evil = {"position": 2, "topic": "=1+1\x1b[2J", "topic_key": "=1+1", "volume_floor": 10_000}
        database["board_entries"].insert_many(
            [{"_id": f"b@{at}#{row['position']}", **head, **row} for row in (wolf, evil)]
        )
    seen = {"entity": JASON, "kind": "profile", "capture": "c", "followers_precision": 100_000}
    first = {"at": datetime(2025, 3, 26, tzinfo=UTC), "at_precision": "day", "followers": 14_000_000}
    second = {"at": datetime(2025, 4, 3, 22, 55, tzinfo=UTC), "followers": 14_700_000}
    database["observations"].insert_many([{"_id": str(i), **seen, **o} for i, o in enumerate((first, second))])


@pytest.fixture
def run(database, capsys):
    fill(database)

    def call(*arguments, name=database.name):
        status = main([*arguments, "--database", name], open_client=lambda _: nullcontext(database.client))
        return status, *capsys.readouterr()

    return call


@pytest.fixture
def demo(database):
    """A database whose name says that its numbers are made up."""
    name = f"{database.name}_demo"
    fill(database.client[name])
    yield name
    database.client.drop_database(name)


def test_without_arguments_the_help_is_printed(capsys):
    assert main([]) == 0
    out = capsys.readouterr().out
    assert "boards" in out
    assert "evolution" in out


def test_boards_are_listed(run):
    status, out, _ = run("boards")
    assert status == 0
    assert out.splitlines()[-1].split() == ["x:trends:br", "3", "2021-09-24", "00:00", "2021-09-26", "00:00"]


def test_the_evolution_of_teen_wolf(run):
    status, out, _ = run("evolution", "--board", "x:trends:br", "--topic", "Teen")
    assert status == 0
    assert "140,681 -> 339,480 -> 351,261" in out
    assert "(simulated)" not in out


def test_the_table_carries_no_escape_sequence(run):
    _, out, _ = run("evolution", "--board", "x:trends:br")
    assert "\x1b" not in out
    assert "=1+1[2J" in out


def test_bounded_growth_of_an_entity(run, tmp_path):
    status, out, _ = run("evolution", "--entity", JASON)
    assert status == 0
    assert "600,000" in out
    assert "800,000" in out
    assert run("evolution", "--entity", JASON, "-o", str(tmp_path / "j.json"))[0] == 0
    first, second = json.loads((tmp_path / "j.json").read_text())
    assert (first["value"], first["at_precision"], first["change"]) == (14_000_000, "day", None)
    assert (second["change_low"], second["change"], second["change_high"]) == (600_000, 700_000, 800_000)
    assert second["sign"] == "up"


def test_growth_of_all_profiles_keeps_its_bounds(run, tmp_path):
    asked = ("growth", "--kind", "profile", "--counter", "followers")
    assert run(*asked, "-o", str(tmp_path / "g.csv"))[0] == 0
    row = pd.read_csv(tmp_path / "g.csv").iloc[0]
    assert (row["change_low"], row["change"], row["change_high"]) == (600_000, 700_000, 800_000)
    assert "700,000" in run(*asked)[1]
    assert "no counter" in run("growth", "--kind", "profile", "--counter", "price")[2]


@pytest.mark.parametrize("ending", ["csv", "json", "jsonl", "parquet"])
def test_files_of_every_ending_hold_every_topic(run, tmp_path, ending):
    path = tmp_path / f"out.{ending}"
    assert run("evolution", "--board", "x:trends:br", "-o", str(path))[0] == 0
    readers = {
        "csv": pd.read_csv, "json": pd.read_json, "parquet": pd.read_parquet,
        "jsonl": lambda file: pd.read_json(file, lines=True),
    }  # fmt: skip
    found = readers[ending](path)
    assert len(found) == 2
    assert found["peak_volume"].max() == 351_261


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_charts_of_a_board_and_of_an_entity(run, tmp_path, ending):
    for what in (("--board", "x:trends:br"), ("--entity", JASON)):
        path = tmp_path / f"{what[0].strip('-')}.{ending}"
        status, out, _ = run("evolution", *what, "--plot", str(path))
        assert status == 0
        assert f"chart written to {path}" in out
        assert path.stat().st_size > 1000


def test_a_demo_database_marks_every_output(run, demo, tmp_path):
    table, plot = tmp_path / "t.csv", tmp_path / "p.svg"
    _, out, _ = run("evolution", "--board", "x:trends:br", "--plot", str(plot), name=demo)
    assert out.splitlines()[0].endswith("(simulated)")
    assert "(simulated)" in plot.read_text(encoding="utf-8")
    run("evolution", "--board", "x:trends:br", "-o", str(table), name=demo)
    assert pd.read_csv(table)["simulated"].all()
    assert run("boards", name=demo)[1].splitlines()[0].endswith("(simulated)")


def test_as_known_then_shows_nothing_captured_later(run):
    _, out, _ = run("evolution", "--board", "x:trends:br", "--known-at", "2021-09-25T12:00Z")
    assert "140,681 -> 339,480" in out
    assert "351,261" not in out


def test_a_day_given_as_the_end_is_meant_whole(run):
    _, out, _ = run("evolution", "--board", "x:trends:br", "--until", "2021-09-25", "--since", "2021-09-25")
    assert "339,480" in out
    assert "140,681" not in out
    assert "351,261" not in out


def test_an_unknown_board_names_the_ones_there_are(run):
    status, out, err = run("evolution", "--board", "x:trends:nowhere")
    assert (status, out) == (2, "")
    assert "x:trends:br" in err
    assert "python -m analysis boards" in err


def test_a_known_board_outside_the_time_asked_for_is_not_called_unknown(run):
    status, _, err = run("evolution", "--board", "x:trends:br", "--since", "2030-01-01")
    assert status == 2
    assert "no snapshot in the time asked for" in err


def test_an_unknown_entity_names_some_there_are(run):
    status, _, err = run("evolution", "--entity", "tiktok:profile:nobody")
    assert status == 2
    assert JASON in err


def test_an_empty_database_says_what_to_run(run, database):
    status, _, err = run("evolution", "--board", "x:trends:br", name=f"{database.name}_empty")
    assert status == 2
    assert "make demo" in err


def test_a_database_that_is_away_is_one_plain_line(capsys):
    def away(_):
        raise StorageAway("local database: not running; try: scrapy db start")

    assert main(["boards"], open_client=away) == 1
    err = capsys.readouterr().err
    assert err == "python -m analysis: local database: not running; try: scrapy db start\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--board", "b", "-o", "out.xlsx"], ".csv, .json, .jsonl, .parquet"),
        (["--board", "b", "--plot", "out.pdf"], ".png, .svg"),
        (["--board", "b", "--since", "yesterday"], "2021-09-24T01:15Z"),
        (["--board", "b", "--top", "0"], "from 1"),
        (["--board", "b", "--max-gap-h", "nan"], "above 0"),
        (["--board", "b", "--sort", "topic"], "peak_volume"),
        ([], "--board"),
    ],
)
def test_arguments_that_cannot_be_met_are_refused_before_any_work(capsys, arguments, said):
    with pytest.raises(SystemExit) as stopped:
        main(["evolution", *arguments], open_client=lambda _: pytest.fail("opened the database"))
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err


def test_rows_are_sorted_and_cut_as_asked(run, tmp_path):
    path = tmp_path / "o.csv"
    for column, first in (("peak_volume", "teen wolf"), ("best_position", "teen wolf")):
        run("evolution", "--board", "x:trends:br", "--sort", column, "--top", "1", "-o", str(path))
        assert pd.read_csv(path)["topic"].tolist() == [first]


def test_a_long_gap_allowed_counts_as_time_on_the_list(run, tmp_path):
    path = tmp_path / "o.csv"
    totals = []
    for hours in ("1", "100"):
        run("evolution", "--board", "x:trends:br", "--max-gap-h", hours, "-o", str(path))
        totals.append(pd.read_csv(path)["time_in_top_3_h_high"].max())
    assert totals == [2.0, timedelta(hours=72) / timedelta(hours=1)]
