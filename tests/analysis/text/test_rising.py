"""A term rises when more people use it than its own past explains; chance and habit are no news."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from analysis.text.rising import author_counts, fold_phrases, rising

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def noise(bins: int, rates: dict[str, float], seed: int = 3) -> list[tuple[datetime, str, int]]:
    rng = np.random.default_rng(seed)
    drawn = [(START + n * HOUR, key, int(rng.poisson(rate))) for n in range(bins) for key, rate in rates.items()]
    return [row for row in drawn if row[2]]


def judged(rows: list[tuple[datetime, str, int]], bins: int, total: int = 400) -> pd.DataFrame:
    merged = pd.DataFrame(rows, columns=["bin", "key", "authors"]).groupby(["bin", "key"], as_index=False).sum()
    return rising(merged, pd.Series(total, index=[START + n * HOUR for n in range(bins)]))


def test_a_planted_rise_is_told_in_its_first_hour_and_nothing_else_is() -> None:
    rates = {f"term{n}": 0.5 + n / 10 for n in range(60)}
    rows = [*noise(240, rates), (START + 200 * HOUR, "term9", 18), (START + 201 * HOUR, "term9", 25)]
    told = judged(rows, 240)
    assert set(told["key"]) == {"term9"}
    assert told["bin"].iloc[0] == START + 200 * HOUR
    assert told["state"].iloc[0] == "growing"
    assert told["confidence"].iloc[0] > 0.95
    assert told["false_a_day"].iloc[0] < 0.5


def test_what_peaks_every_evening_is_no_news_in_the_end() -> None:
    daily = [(START + (24 * day + 20) * HOUR, "evening", 20) for day in range(14)]
    told = judged([*noise(336, {"other": 3.0}), *daily], 336)
    assert len(told[told["bin"] >= START + 7 * 24 * HOUR]) == 0


def test_a_term_never_met_is_new_not_growth_without_end() -> None:
    told = judged([*noise(48, {f"other{n}": 2.0 for n in range(20)}), (START + 40 * HOUR, "fresh", 9)], 48)
    assert told[["key", "state"]].to_numpy().tolist() == [["fresh", "new"]]
    assert np.isfinite(told["times"]).all()


def test_a_busier_hour_for_everyone_is_no_rise() -> None:
    rows = noise(100, {f"term{n}": 4.0 for n in range(20)})
    rows += [(START + 90 * HOUR, f"term{n}", 12) for n in range(20)]
    merged = pd.DataFrame(rows, columns=["bin", "key", "authors"]).groupby(["bin", "key"], as_index=False).sum()
    totals = pd.Series(400, index=[START + n * HOUR for n in range(100)])
    totals[START + 90 * HOUR] = 1600
    assert rising(merged, totals).empty


def test_one_loud_account_is_one_voice() -> None:
    votes = pd.DataFrame(
        [(START, "bolo", "ana", f"p{n}") for n in range(50)]
        + [(START, "bolo", None, "q1"), (START, "pao", "bea", "q2")],
        columns=["bin", "key", "author", "post"],
    )
    counts, totals = author_counts(votes)
    assert dict(zip(counts["key"], counts["authors"], strict=True)) == {"bolo": 2, "pao": 1}
    assert totals.tolist() == [3]


def test_terms_said_by_the_same_posts_are_one() -> None:
    posts = {"rioazul": frozenset("abcd"), "azul": frozenset("abcde"), "bolo": frozenset("xyz")}
    assert fold_phrases(["rioazul", "azul", "bolo"], posts) == {"rioazul": "rioazul", "azul": "rioazul", "bolo": "bolo"}


def test_no_posts_no_rise() -> None:
    empty = pd.DataFrame({"bin": [], "key": [], "authors": []})
    assert rising(empty, pd.Series([], dtype=int)).empty
