"""Categories of topics, from the posts around them."""

from __future__ import annotations

from collections import Counter

import pytest

from analysis.text import categories
from analysis.text.categories import UNKNOWN, categorise, seed_scores, taxonomy
from analysis.text.words import words


@pytest.fixture
def seeds_only(monkeypatch):
    """As without the extra: the head says nothing."""
    monkeypatch.setattr(categories, "_head", lambda: None)


@pytest.mark.parametrize(
    ("texts", "name"),
    [
        (["que golaço, final da Libertadores!", "torcida linda no jogo de hoje"], "sports"),
        (["the official music video is out", "her new album and world tour"], "music"),
        (["esta receta de pollo es deliciosa", "cocina fácil para la cena"], "food"),
        (["paredão de hoje #BBB26", "fora do Big Brother, eliminação"], "reality"),
        (["black friday deals with free shipping", "desconto e frete grátis"], "shopping"),
    ],
)
def test_a_topic_is_placed_by_its_posts(seeds_only, texts, name):
    assert categorise(texts).name == name


@pytest.mark.parametrize("texts", [[], ["hello"], ["bom dia gente", "que dia lindo"]])
def test_too_little_said_is_unknown(seeds_only, texts):
    assert categorise(texts).name == UNKNOWN


def test_posts_that_speak_of_two_things_are_ambiguous(seeds_only):
    player = ["what a goal by Alba in the premier league match"] * 9
    singer = ["Alba drops her new album and a music video feat her band"] * 6
    found = categorise(player + singer)
    assert found.ambiguous
    assert {found.name, found.second} >= {"sports", "music"} or found.second in ("sports", "music")
    assert not categorise(player).ambiguous


def test_one_loud_post_does_not_outvote_the_others(seeds_only):
    loud = "recipe recipe cooking mukbang airfryer chef tacos brigadeiro churrasco restaurant"
    assert categorise([loud, *["gol no jogo da copa do mundo, torcida"] * 3]).name == "sports"


def test_words_inside_other_words_are_no_seeds(seeds_only):
    assert "food" not in seed_scores("pancake-free paneleiro")
    assert seed_scores("#ReceitaFacil") == {"food": 3.0}


def test_the_taxonomy_names_what_the_product_promises():
    promised = {"sports", "music", "film_tv", "reality", "gaming", "news", "fashion_beauty", "food", "technology"}
    assert promised | {"shopping", "other"} == set(taxonomy())


def test_no_phrase_of_the_taxonomy_is_claimed_twice():
    phrases = [phrase for kinds in taxonomy().values() for held in kinds.values() for phrase in held]
    said = [" ".join(word.key for word in words(phrase)) for phrase in phrases]
    assert [each for each, times in Counter(said).items() if times > 1] == []
    assert len(said) > 2_500
