"""Topics grouped into events: what was planted is found, and what only stands on the list at once is not."""

import math
import random

from analysis.trends import events
from analysis.trends.streams import Stream

from .lists import snapshot


def crowd(hours=60, size=30, seed=1, planted=(), names=None):
    """Topics that come and go at random; *planted* ones share their ups and downs from hour 10 to 40."""
    rng = random.Random(seed)
    height = {f"t{i}": rng.uniform(8, 11) for i in range(size)}
    taken = []
    for hour in range(hours):
        for key in list(height):
            height[key] += rng.gauss(0, 0.3)
            if key not in planted and rng.random() < 0.04:  # another topic takes its place
                del height[key]
                height[f"{key}'"] = rng.uniform(8, 11)
        common = rng.gauss(0, 0.4)
        for key in planted:
            if hour == 10:
                height[key] = 10.0
            elif 10 < hour < 40:
                height[key] += common + rng.gauss(0, 0.08)
            elif hour == 40:
                del height[key]
        rows = sorted(height.items(), key=lambda row: -row[1])
        taken.append(snapshot(hour, *((key, math.exp(level)) for key, level in rows)))
    return Stream("made:up", taken, names or {})


def test_topics_that_come_and_move_together_are_one_event():
    whole = crowd(planted=("alpha", "beta", "gamma"))
    told = events.events(whole)
    frame, members = events.event_frames(whole, told)
    assert set(members.loc[members["event"] == frame["event"][0], "topic_key"]) == {"alpha", "beta", "gamma"}
    assert frame["why"][0] == "move alike"
    assert frame["topics"][0] == 3
    assert f"{frame['first_seen'][0]:%H}" == "10"


def test_topics_that_only_stand_there_at_once_are_none():
    found = [len(events.events(crowd(seed=seed)).links) for seed in range(6)]
    assert sum(found) <= 6
    assert sum(events.events(crowd(seed=seed)).judged for seed in range(6)) > 500


def test_a_rare_word_in_both_names_joins_topics_that_stand_together():
    names = {"t1": "#AltasHoras", "t2": "Juliette no Altas Horas", "t3": "the end", "t4": "the beginning"}
    names |= {f"x{i}": f"the number {i}" for i in range(20)}
    taken = [snapshot(i, "t1", "t2", "t3", "t4", *(f"x{j}" for j in range(20))) for i in range(5)]
    frame, members = events.event_frames(whole := Stream("b", taken, names), events.events(whole))
    assert sorted(members["topic_key"]) == ["t1", "t2"]  # "the" is in too many
    assert frame["why"][0] == "named alike: altas"
    assert frame["best_position"][0] == 1


def test_a_chain_of_neighbours_is_not_one_event():
    told = [events.Link(i, i + 1, 0.9, 0.9, True, None) for i in range(5)]
    episodes = [events.Episode(f"t{i}", [i], [1], [1.0]) for i in range(6)]
    groups = events.groups(episodes, told)
    assert max(map(len, groups)) == 2


def test_what_the_whole_list_does_is_nobodys_own_step():
    rng = random.Random(3)
    common = [rng.gauss(0, 1) for _ in range(30)]
    taken = [
        snapshot(hour, *((f"t{i}", math.exp(10 - i / 5 + sum(common[: hour + 1]) / 5 + rng.gauss(0, 0.05)))
                         for i in range(12)))
        for hour in range(30)
    ]  # fmt: skip
    assert not events.events(Stream("b", taken, {})).links


def test_an_empty_list_has_no_events():
    whole = Stream("b", [], {})
    frame, members = events.event_frames(whole, events.events(whole))
    assert frame.empty and members.empty
    assert list(frame.columns) == list(events.EVENT_COLUMNS)
