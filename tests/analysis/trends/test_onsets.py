"""Alert rules on bursts: a planted one is found and judged, noise is silent, and no later value is used."""

from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from analysis.cli import main
from analysis.trends import onsets
from analysis.trends.alerts import Candidate
from analysis.trends.onsets import BurstRule, Inflow, Told
from crawler import rounds
from crawler.storage.alerts import Alerts

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAYS = 14
RULE = BurstRule("profile followers", {"kind": "profile", "counter": "followers"}, per_day=10)
STARS = {"star0": 24 * 8, "star1": 24 * 10 + 5, "star2": 24 * 9 + 13}
"""Planted: the reading from which six times as much comes, for a day and a half."""


def counts(bursts_at=None, seed=1, usual=50, hours=24 * DAYS):
    came = np.random.default_rng(seed).poisson(usual, hours).astype(float)
    if bursts_at is not None:
        came[bursts_at : bursts_at + 36] *= 6
    return (100_000 + np.cumsum(came)).astype(int).tolist()


def crowd():
    flat = {f"flat{i}": counts(seed=10 + i) for i in range(12)}
    return flat | {name: counts(at, seed=40 + at) for name, at in STARS.items()}


def observations(series, precision=None):
    rows = [(key, START + i * HOUR, value) for key, values in series.items() for i, value in enumerate(values)]
    return pd.DataFrame({
        "entity": pd.Series([row[0] for row in rows], dtype="string"),
        "at": pd.Series([row[1] for row in rows], dtype="datetime64[ms, UTC]"),
        "at_precision": pd.Series([None] * len(rows), dtype="string"), "capture": "c",
        "followers": pd.Series([row[2] for row in rows], dtype="Int64"),
        "followers_precision": pd.Series([precision] * len(rows), dtype="Int64"),
    })  # fmt: skip


def told(series, rule=RULE, precision=None):
    made = onsets.of_counter(observations(series, precision), "followers")
    return onsets.backtest(rule, made, onsets.cadence(made))


def test_planted_bursts_are_found_in_time_and_come_true_and_flat_series_are_silent():
    found = told(crowd())
    assert {each.burst.topic_key for each in found} == set(STARS)
    for each in found:
        late_h = (each.at - START) / HOUR - STARS[each.burst.topic_key]
        assert 0 <= late_h <= 3
        assert each.came_true is True
        assert 0 < each.lead_h <= 24
        assert each.burst.evidence["times_usual"] > 3


def test_a_burst_of_one_reading_is_told_and_marked_false():
    values = np.diff(counts(seed=3), prepend=100_000)
    values[24 * 9] += 2_000
    (each,) = told({"flash": (100_000 + np.cumsum(values)).tolist(), **{f"f{i}": counts(seed=i) for i in range(5)}})
    assert each.burst.topic_key == "flash"
    assert each.came_true is False


def test_no_later_value_is_used():
    series, cut = crowd(), 24 * 10
    moment = START + cut * HOUR
    garbage = {key: [*values[:cut], *([10**9, 5] * len(values))[: len(values) - cut]] for key, values in series.items()}
    assert [each.burst for each in told(series) if each.at < moment] == [
        each.burst for each in told(garbage) if each.at < moment
    ]
    assert any(each.at < moment for each in told(series))


def test_a_rounding_step_is_no_burst():
    shown = {key: [round(value, -3) for value in values] for key, values in crowd().items() if "flat" in key}
    assert told(shown, precision=1000) == []


def test_a_counter_that_its_site_moves_once_a_day_does_not_burst_daily():
    batches = {
        key: [values[i - i % 24] for i in range(len(values))] for key, values in crowd().items() if "flat" in key
    }
    assert told(batches) == []


def test_the_budget_of_a_day_and_the_quiet_time_hold():
    together = {f"star{i}": counts(24 * 9, seed=i) for i in range(6)}
    found = told(together, replace(RULE, per_day=2))
    days = [each.at.date() for each in found]
    assert max(days.count(day) for day in days) == 2
    for key in together:
        own = [each.at for each in found if each.burst.topic_key == key]
        assert all(b - a >= RULE.quiet for a, b in pairwise(own))


def inflow(hours, per_hour):
    return Inflow(START + hours * HOUR, 1.0, per_hour, 0.0, "c")


def test_true_false_and_not_known():
    end = START + 3 * HOUR
    assert onsets.outcome(START, end, 10, [inflow(1, 30), inflow(2, 40), inflow(3, 10)]) == (True, 2.0)
    assert onsets.outcome(START, end, 10, [inflow(1, 30), inflow(2, 5), inflow(3, 5)])[0] is False
    assert onsets.outcome(START, end, 10, [inflow(1, 30), inflow(2, 40)])[0] is None  # not over
    assert onsets.outcome(START, end, 10, [inflow(5, 30)])[0] is None  # nobody looked
    assert onsets.outcome(START, end, 10, [])[0] is None


def test_what_a_rule_earned_is_said_and_without_history_it_is_unproven_here():
    def past(*true):
        return [Told(START + i * HOUR, Candidate("a", "a", 1.5, {}), each, 2.0) for i, each in enumerate(true)]

    few = onsets.proven(RULE, past(True, False, None))
    assert (few.promise, few.probability(1.5)) == ("unproven here", None)
    proven = onsets.proven(RULE, past(*[True, False] * 10, None))
    assert proven.promise == "50% came true (30% to 70%, n 20), median lead 2.0 h, backtested to 2026-01-01"
    assert proven.probability(1.5) == 0.5
    surer = onsets.proven(RULE, [
        Told(START, Candidate("a", "a", score, {}), true, 1.0)
        for score, true in [(1.1, False)] * 40 + [(3.0, True)] * 40 + [(1.1, True), (3.0, False)]
    ])  # fmt: skip
    assert surer.probability(3.0) > 0.9 > 0.1 > surer.probability(1.1)


def test_volumes_of_a_board_are_watched_by_what_they_rose_by_at_least():
    rows = [{
        "at": START + i * HOUR, "position": 1, "topic": "Some Topic", "topic_key": "some topic",
        "volume": 1_000 + (i % 2) * 10 + (500 * min(max(i - 200, 0), 30)),
    } for i in range(280)]  # fmt: skip
    entries = pd.DataFrame(rows).assign(
        at_precision=pd.Series(None, index=range(280), dtype="string"),
        volume_precision=pd.Series(pd.NA, index=range(280), dtype="Int64"),
        volume_floor=pd.Series(pd.NA, index=range(280), dtype="Int64"), promoted=False, capture="c",
    )  # fmt: skip
    made = onsets.of_volume(entries)
    rule = BurstRule("x:trends:br", {"board": "x:trends:br"})
    (each,) = onsets.backtest(rule, made, onsets.cadence(made))
    assert each.at == START + 201 * HOUR
    assert each.came_true is True
    assert onsets.document(rule, each.at, each.burst)["topic_key"] == "some topic"


def fill(database, series, hours):
    rows = [
        {"_id": f"{key}@{i}", "entity": f"tiktok:profile:{key}", "kind": "profile", "at": START + i * HOUR,
         "capture": "c", "followers": values[i]}
        for key, values in series.items() for i in hours
    ]  # fmt: skip
    database["observations"].insert_many(rows, ordered=False)


@pytest.fixture
def run(database, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("TIDEMARK_DATA", str(tmp_path))

    def run(*more, status=0):
        given = ["alerts", "--rule", "burst", "--database", database.name, *more]
        assert main(given, open_client=lambda _: nullcontext(database.client)) == status
        found = capsys.readouterr()
        return found.out + found.err

    return run


FOLLOWERS = ("--kind", "profile", "--counter", "followers")


def test_from_the_command_line_told_once_kept_and_settled(database, run):
    series = {key: values for key, values in crowd().items() if key in ("flat0", "flat1", "star0", "star1")}
    onset = STARS["star1"]
    fill(database, series, range(onset + 3))
    assert "2 alerts in the past, nothing was written" in run(*FOLLOWERS, "--preview")
    assert database["alerts"].count_documents({}) == 0
    assert "unproven here" in run(*FOLLOWERS)
    (kept,) = Alerts(database).all()  # star0's burst is long over: nobody is told after the fact
    assert kept["entity"] == "tiktok:profile:star1"
    assert {"probability", "promise", "until"} <= set(kept)
    assert kept["evidence"]["inflow_per_hour"] > 3 * kept["evidence"]["usual_per_hour"]
    assert "0 new alerts" in run(*FOLLOWERS)
    fill(database, series, range(onset + 3, onset + 30))
    assert "1 settled, 100% came true" in run(*FOLLOWERS)
    assert database["alerts"].count_documents({"came_true": True}) == 1


def test_as_known_at_an_earlier_moment_nothing_later_is_told(database, run):
    series = {key: values for key, values in crowd().items() if key in ("flat0", "star0")}
    fill(database, series, range(24 * DAYS))
    early = f"{START + (STARS['star0'] - 1) * HOUR:%Y-%m-%dT%H:%MZ}"
    assert "0 alerts in the past" in run(*FOLLOWERS, "--preview", "--known-at", early)
    assert "1 alerts in the past" in run(*FOLLOWERS, "--preview")
    assert "add --preview" in run(*FOLLOWERS, "--known-at", early, status=2)


def test_what_is_asked_wrongly_is_said(database, run):
    assert "go together" in run("--kind", "profile", status=2)
    assert "no profile was observed" in run(*FOLLOWERS, status=2)
    fill(database, {"a": counts()}, range(30))
    assert "followers, following" in run("--kind", "profile", "--counter", "views", status=2)
    assert "no such board" in run("--board", "nowhere", status=2)
    assert "--hours 2 or more" in run(*FOLLOWERS, "--hours", "1", status=2)
    assert "strength" in run(*FOLLOWERS, "--least", "0.5", status=2)
    with pytest.raises(SystemExit):
        run(*FOLLOWERS, "--hours", "nan")


def test_a_notice_says_what_came_what_is_usual_and_what_the_rule_has_earned():
    found = Candidate("tiktok:profile:x", "tiktok:profile:x", 1.5, {"inflow_per_hour": 1250.0, "usual_per_hour": 80.0})
    notice = rounds.alert(onsets.document(RULE, START, found), START)
    assert "1,250 an hour or more, usually 80." in notice.body
    assert notice.body.endswith("burst that lasts 24 h: unproven here")
