"""The walk-forward backtest on a made-up world: labels by hand, then the whole of it."""

import gzip
import json
import math
from dataclasses import replace

import numpy as np
import pytest

from analysis.cli import main
from analysis.trends import backtest, lead, measures, nextvalue, team, trials
from analysis.trends.archives import ArchiveError, read_archive
from analysis.trends.baselines import PERSISTENCE
from analysis.trends.entry import NEVER, Question, candidates
from analysis.trends.streams import Stream, stream

from .lists import START, snapshot, world

QUESTION = Question(top=5, horizon_h=3)
QUICK = backtest.Settings(members=team.ALONE)


@pytest.fixture(scope="module")
def whole():
    return world(days=25)


@pytest.fixture(scope="module")
def found(whole):
    return backtest.walk_forward(candidates([whole], QUESTION), QUESTION, QUICK)


def test_labels_by_hand():
    taken = [snapshot(0, "a", "b"), snapshot(1, "b", "a"), snapshot(2, "a", "c"), snapshot(9, "c", "a")]
    rows = candidates([Stream("x", taken, {})], Question(top=1, horizon_h=3))
    assert rows.at_h.tolist() == [taken[0].at_h, taken[1].at_h, taken[2].at_h, taken[3].at_h]
    assert rows.best[:, 1].tolist() == [1, 1, NEVER, NEVER]
    # After the third snapshot nobody looked for seven hours, and after the last nobody knows.
    assert rows.known[:, 1].tolist() == [True, True, False, False]
    assert (rows.entered_h - rows.at_h)[0] == 1


def test_the_learner_beats_persistence_on_the_same_rows(found):
    assert found.note is None
    ours, theirs = (
        measures.average_precision(found.label, found.scores[name]) for name in (backtest.TEAM_NAME, PERSISTENCE)
    )
    assert ours > 1.2 * theirs > found.label.mean()
    assert measures.calibration_error(found.label, found.probabilities[backtest.TEAM_NAME]) < 0.1


def test_every_forecaster_is_told_for_every_row(found):
    assert all(not np.isnan(each).any() for each in (*found.scores.values(), *found.probabilities.values()))


def test_no_training_answer_reaches_into_its_fold(whole):
    """Changing what happens from the last fold on leaves the forecasts of all folds before it as they are."""
    often = backtest.Settings(members=team.ALONE, refit_days=5)
    before = backtest.walk_forward(candidates([whole], QUESTION), QUESTION, often)
    cut = before.folds[-1].start_h
    changed = trials.garbage_after(whole, cut)
    after = backtest.walk_forward(candidates([changed], QUESTION), QUESTION, often)
    early = [each.rows.at_h < cut - 7 for each in (before, after)]
    told = [each.scores[backtest.TEAM_NAME][rows] for each, rows in zip((before, after), early, strict=True)]
    assert len(told[0]) and np.array_equal(told[0], told[1])


def test_alerts_keep_their_budget_and_tell_what_nobody_could_see(found, whole):
    alerts, seen = lead.at_budget(found, backtest.TEAM_NAME, 5, [whole])
    assert 0 < alerts.per_day < 10
    assert alerts.precision > found.label.mean()
    assert 0 <= seen.never_visible <= 1
    assert alerts.lead_h_median > 0


def test_a_topic_is_told_once_in_its_quiet_time(found):
    told = lead.told(found.rows, np.ones(len(found.label)), 0.5)
    topics = {(int(found.rows.topic[i]), int(found.rows.at_h[i] // 24)) for i in told}
    assert len(topics) >= len(told) - len(set(found.rows.topic.tolist()))


def test_shuffled_answers_fall_to_the_base_rate(whole):
    trial = trials.shuffled(candidates([whole], QUESTION), QUESTION, QUICK, 3)
    assert trial.average_precision < 1.35 * trial.base_rate


def test_planted_climbs_are_seen(whole):
    assert trials.planted([whole], QUESTION, QUICK, 5, 3) > 0.5


def test_with_too_little_history_the_logistic_baseline_answers():
    rows = candidates([world(days=4)], QUESTION)
    told = backtest.walk_forward(rows, QUESTION, QUICK)
    assert "needs 50" in told.note
    with pytest.raises(team.TooLittle, match="no origin"):
        backtest.walk_forward(candidates([Stream("x", [snapshot(0, "a", "b")], {})], QUESTION), QUESTION, QUICK)


def test_the_next_volume_is_told_with_an_interval_that_holds(whole):
    result = nextvalue.walk_forward(nextvalue.steps([whole], 5))
    assert result.ratio < 0.95
    assert 0.6 < result.inside_80 < 0.95


def heat_table(whole, path):
    rows = ["snapshot_utc,rank_by_count,term,count"]
    for each in whole.snapshots:
        for place, (key, volume) in enumerate(zip(each.keys, each.volumes, strict=True), 1):
            rows.append(f"{each.at:%Y-%m-%dT%H:%M:%SZ},{place},{key},{round(volume)}")
    path.write_bytes(gzip.compress("\n".join(rows).encode()))


def test_backtest_from_files_without_a_database(whole, tmp_path, capsys):
    heat_table(whole, tmp_path / "heat.csv.gz")
    arguments = ["backtest", "--from", str(tmp_path), "--top", "5", "--quick", "--json", "--no-volumes"]
    assert main([*arguments, "--plot", str(tmp_path / "r.svg")], open_client=lambda _: pytest.fail("opened")) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["question"] == {"top": 5, "horizon_h": 3.0, "boards": ["weibo:heat:cn"]}
    assert made["table"][0]["forecaster"] == "Tidemark"
    assert (tmp_path / "r.svg").stat().st_size > 1000


def test_files_are_read_by_the_pages_that_import_them(tmp_path):
    hourly = [
        {"title": "b", "url": "https://s.weibo.com/weibo?q=b&realpos=1", "hot": 9, "ads": False},
        {"title": "advert", "url": "https://s.weibo.com/weibo?q=advert", "hot": 99, "ads": True},
        {"title": "c", "url": "https://s.weibo.com/weibo?q=c&realpos=2", "hot": 5, "ads": False},
    ]
    (tmp_path / "2026-01-02").mkdir()
    (tmp_path / "2026-01-02" / "08.json").write_text(json.dumps(hourly))
    (tmp_path / "us.csv").write_text(
        "Date,Hour,Rank,Topic,Volume\n2026-01-02,00:09,1,A,518.784\n2026-01-02,00:09,2,B,0\n"
    )
    (tmp_path / "notes.txt").write_text("beside them")
    boards = {each.board: each.snapshots[0] for each in read_archive(tmp_path)}
    assert set(boards) == {"weibo:hot:cn", "twitter-trending:trends:us"}
    assert boards["weibo:hot:cn"].keys == ("b", "c")
    assert boards["weibo:hot:cn"].at.isoformat() == "2026-01-02T00:00:00+00:00"
    assert boards["twitter-trending:trends:us"].volumes[0] == 518_784
    assert math.isnan(boards["twitter-trending:trends:us"].volumes[1])


def test_an_archive_without_lists_says_what_was_found(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(ArchiveError, match="no moment known"):
        read_archive(tmp_path)


def test_of_two_lists_at_one_moment_the_fuller_stands_and_an_empty_one_is_a_gap():
    rows = [("a", "A", 1.0), ("b", "B", 2.0)]
    made = stream("x", [(START, rows), (START, rows[:1]), (START.replace(day=2), [])])
    assert [each.keys for each in made.snapshots] == [("a", "b")]


def test_nobody_is_told_what_nineteen_times_of_twenty_comes_to_nothing(found, whole):
    unlikely = {name: np.full(len(found.label), 0.04) for name in found.probabilities}
    alerts, _ = lead.at_budget(replace(found, probabilities=unlikely), backtest.TEAM_NAME, 5, [whole])
    assert (alerts.told, alerts.false_per_week) == (0, 0)
