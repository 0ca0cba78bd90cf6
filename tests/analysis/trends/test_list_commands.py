"""`events`, `phases`, `life`, `programme` from their arguments to what they print, on a real database."""

from contextlib import nullcontext

import pandas as pd
import pytest

from analysis.cli import main

from .lists import START, snapshot, world
from .test_derived import BOARD, put


@pytest.fixture
def run(database, capsys):
    put(database, world(days=3).snapshots)

    def call(name, *more):
        arguments = [name, "--board", BOARD, "--database", database.name, *more]
        return main(arguments, open_client=lambda _: nullcontext(database.client)), *capsys.readouterr()

    return call


def test_events_are_listed_and_their_topics_written(run, database, tmp_path):
    status, out, _ = run("events")
    assert status == 0
    assert "no events in 72 snapshots" in out
    put(database, [snapshot(200 + i, ("altas horas", 9), ("juliette no altas horas", 8), ("x", 7)) for i in range(5)])
    out = run("events")[1]
    assert "pairs judged by their steps" in out
    assert "named alike: altas" in out
    assert run("events", "-o", str(tmp_path / "e.csv"))[0] == 0
    assert pd.read_csv(tmp_path / "e.csv")["topic_key"].tolist() == ["altas horas", "juliette no altas horas"]


def test_phases_of_a_topic_and_of_an_event(run):
    topic = world(days=3).snapshots[30].keys[0]
    status, out, _ = run("phases", "--topic", topic)
    assert status == 0
    assert any(name in out for name in ("rising", "peak", "steady"))
    out = run("phases", "--at", f"{START:%Y-%m}-02T10:00Z", "--lasts-h", "3", "--around-h", "6")[1]
    assert [line.split()[0] for line in out.splitlines()[3:6]] == ["before", "during", "after"]
    assert "no snapshot around" in run("phases", "--at", "2031-01-01")[2]
    assert "give --topic" in run("phases")[2]
    assert "no topic holds" in run("phases", "--topic", "nobody")[2]


def test_the_life_of_a_list(run):
    assert "half are gone after" in run("life")[1]
    assert "an hour; newest first" in run("life", "--what", "turnover")[1]
    topic = world(days=3).snapshots[30].keys[0]
    assert "clock of America/Sao_Paulo" in run(
        "life", "--what", "week", "--topic", topic, "--zone", "America/Sao_Paulo"
    )[1]  # fmt: skip
    assert "at least and at most" in run("life", "--what", "inflow", "--topic", topic)[1]
    assert "give the topic" in run("life", "--what", "week")[2]
    assert "no topic is called" in run("life", "--what", "week", "--topic", "nobody")[2]


def test_the_share_of_a_programme(run, tmp_path):
    path = tmp_path / "tv.csv"
    path.write_text(f"start,minutes,title\n{START:%Y-%m}-02 10:00,120,The Show\n")
    status, out, _ = run("programme", "--calendar", str(path))
    assert status == 0
    assert "The Show" in out
    assert "clock of UTC" in out
    assert run("programme", "--calendar", str(path), "-o", str(tmp_path / "p.csv"))[0] == 0
    assert pd.read_csv(tmp_path / "p.csv")["too_few"].tolist() == [True]
    assert "cannot be read" in run("programme", "--calendar", str(tmp_path / "none.csv"))[2]


@pytest.mark.parametrize("name", ["events", "phases", "life"])
def test_an_unknown_board_says_where_to_look(database, capsys, name):
    arguments = [name, "--board", "nope", "--database", database.name, *(["--topic", "x"] if name == "phases" else [])]
    assert main(arguments, open_client=lambda _: nullcontext(database.client)) == 2
    assert "python -m analysis boards" in capsys.readouterr().err
