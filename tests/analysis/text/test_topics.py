"""Topics: terms of the same posts, who speaks of them, and leads that shuffled time cannot explain."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from analysis.text.posts import PostText
from analysis.text.topics import bins_of, lead, links, npmi, topics

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def post(number, hour, caption):
    return PostText(f"p{number}", {"caption": caption}, author=f"u{number % 4}", at=START + hour * HOUR)


LAMP = [post(n, 20 + n, "the Lumo lamp glows beside my desk") for n in range(6)]
CAKE = [post(10 + n, n * 5, "carrot cake with walnut frosting") for n in range(6)]
REST = [post(20 + n, n * 3, f"thing{n} stuff{n}") for n in range(12)]


def test_terms_of_the_same_posts_are_one_topic_with_a_label():
    found = topics([*LAMP, *CAKE, *REST])
    assert len(found) == 2
    lamp = next(topic for topic in found if "Lumo" in topic.label)
    assert set(lamp.posts) == {each.key for each in LAMP}
    assert lamp.authors == 4
    assert not any("cake" in term for term in lamp.terms)


def test_a_topic_of_the_later_half_alone_is_new():
    states = {topic.label: topic.state for topic in topics([*LAMP, *CAKE, *REST])}
    assert [state for label, state in states.items() if "Lumo" in label] == ["new"]
    assert next(state for label, state in states.items() if "cake" in label) in ("steady", "growing", "fading")


def test_every_link_names_the_posts_it_rests_on():
    topic = next(topic for topic in topics([*LAMP, *CAKE, *REST]) if "Lumo" in topic.label)
    edges = links(topic, {each.key: each for each in LAMP}, {"lumolamp": "shop.example:product:7"})
    product = next(edge for edge in edges if edge.kind == "product")
    assert product.target == "shop.example:product:7"
    assert set(product.evidence) == set(topic.posts)
    assert {edge.target for edge in edges if edge.kind == "creator"} == {"u0", "u1", "u2", "u3"}
    assert all(edge.evidence for edge in edges)


def test_a_true_lead_is_proven_and_noise_proves_none():
    rng = np.random.default_rng(2)
    first = rng.poisson(20, 200)
    second = np.concatenate([rng.poisson(20, 3), first[:-3]]) + rng.poisson(2, 200)
    found = lead(first, second, 6, seed=1)
    assert (found.bins, found.proven) == (3, True)
    proven = [lead(rng.poisson(20, 200), rng.poisson(20, 200), 6, seed=n).proven for n in range(40)]
    assert sum(proven) <= 5


def test_short_or_flat_series_lead_nothing():
    assert lead([1, 2, 3], [1, 2, 3], 2, seed=1) is None
    assert lead([5.0] * 50, list(range(50)), 3, seed=1) is None


def test_terms_that_always_come_together_are_tied_fully():
    assert npmi(5, 5, 5, 5) == 1.0
    assert npmi(5, 5, 5, 100) == 1.0
    assert npmi(1, 10, 10, 100) == 0.0


def test_posts_are_counted_by_bin():
    assert bins_of([START, START + HOUR, START + HOUR, START - HOUR], START, HOUR, 3) == [1, 2, 0]
