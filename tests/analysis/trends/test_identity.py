"""Which names are one topic, and whose topic it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from analysis.trends.identity import merges, scope
from crawler.topics import topic_key

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
Shown = tuple[int, str, int | None]


def entries(*rows: Shown, minutes: int = 30, offset: int = 0) -> pd.DataFrame:
    """(slot, topic, volume) in order of rank within each slot."""
    at = [NOON + timedelta(minutes=minutes * slot + offset) for slot, *_ in rows]
    frame = pd.DataFrame({
        "at": pd.Series(at, dtype="datetime64[ms, UTC]"), "topic": [topic for _, topic, _ in rows],
        "topic_key": [topic_key(topic) for _, topic, _ in rows],
        "volume": pd.array([volume for *_, volume in rows], dtype="Int64"),
        "promoted": pd.array([False] * len(rows), dtype="boolean"),
    })  # fmt: skip
    return frame.assign(position=frame.groupby("at").cumcount() + 1)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("#JulietteNoAltasHoras", "juliette no altas horas"), ("São Paulo", "#SaoPaulo"), ("ＴＩＤＥ", "tide"),
        ("maré ❤️", "maré ❤"), ("👍🏽 tide", "👍 tide"), ("Straße", "STRASSE"), ("İstanbul", "istanbul"),
        ("blue_tide", "Blue-Tide"), ("a\u200bb", "ab"), ("ΆΛΦΑ", "αλφα"),
    ],
)  # fmt: skip
def test_spellings_of_one_topic_have_one_key(one: str, other: str) -> None:
    assert topic_key(one) == topic_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("tide", "tιde"), ("мой", "мои"), ("が", "か"), ("C++", "C"), ("tide 1", "tide 2"), ("👍", "👎"),
        ("नमस्ते", "नमसत"), ("θtide", "tide"),
    ],
)  # fmt: skip
def test_what_only_looks_alike_or_means_something_else_stays_apart(one: str, other: str) -> None:
    assert topic_key(one) != topic_key(other)


@pytest.mark.parametrize("topic", ["#", "...", " ", "❤️", "🏽"])
def test_a_topic_of_symbols_keeps_a_key(topic: str) -> None:
    assert topic_key(topic) != ""


def test_every_merge_is_shown_with_its_evidence() -> None:
    found = merges(
        entries(
            (0, "Blue Tide", 100), (0, "Gull", 5), (1, "#BlueTide", 120), (2, "Jordan", 900), (2, "#Jordan", 300),
            (3, "Storm", None), (3, "#storm", None),
        )
    ).set_index("topic_key")  # fmt: skip
    assert dict(found["verdict"]) == {"bluetide": "one topic", "jordan": "counted apart", "storm": "spelt apart"}
    assert found.loc["bluetide", "names"] in ("#BlueTide (1), Blue Tide (1)", "Blue Tide (1), #BlueTide (1)")
    assert (found.loc["jordan", "together"], found.loc["jordan", "volumes_differ"]) == (1, 1)


def test_local_worldwide_or_uncertain_is_told_by_the_list_of_the_world() -> None:
    slots = range(5)
    place = entries(*[(slot, name, 1000 + slot) for slot in slots for name in ("Everywhere", "Here", "Sometimes")])
    world = entries(
        *[(slot, "Everywhere", 1000 + slot) for slot in slots], (0, "Sometimes", 77), (1, "Sometimes", 78), offset=5
    )
    found = scope(place, world).set_index("topic_key")
    assert dict(found["scope"]) == {"everywhere": "worldwide", "here": "local", "sometimes": "uncertain"}
    assert dict(found["volume_of"]) == {"everywhere": "world", "here": "unknown", "sometimes": "unknown"}


def test_without_a_list_of_the_world_nearby_nothing_is_claimed() -> None:
    place = entries((0, "Tide", 10))
    for world in (entries((0, "Tide", 10), offset=200), entries((0, "Tide", 10)).iloc[:0]):
        [row] = scope(place, world).to_dict("records")
        assert (row["scope"], row["volume_of"], row["compared"]) == ("uncertain", "unknown", 0)
