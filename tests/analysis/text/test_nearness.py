"""Posts by meaning: near over languages where the model is there, read once, and grouped without what is alone."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.text import embedding, nearness
from analysis.text.nearness import BY_MODEL, BY_WORDS, Shelf, Space, space, themes, together
from analysis.text.posts import PostText

TEXTS = [
    "the best carrot cake recipe, with cream cheese on top",
    "a receita do melhor bolo de cenoura com cobertura de chocolate",
    "our goalkeeper saved two penalties in the final of the cup",
    "new phone with a better camera and a bigger battery",
]
needs_model = pytest.mark.skipif(not embedding.is_there(), reason="the extra `embed` is not installed")


@needs_model
def test_a_question_finds_a_post_in_another_language():
    near, made_by = nearness.nearness("torta de zanahoria", TEXTS, Shelf())
    assert made_by == BY_MODEL
    assert set(np.argsort(-near)[:2]) == {0, 1}


@needs_model
def test_a_text_is_read_once_and_kept_without_its_words(tmp_path, monkeypatch):
    first = Shelf(tmp_path / "meaning.npz").vectors(TEXTS)
    monkeypatch.setattr(nearness, "Embedder", None)  # a second reading would call it
    again = Shelf(tmp_path / "meaning.npz").vectors(TEXTS[::-1])
    assert np.array_equal(first, again[::-1])
    assert b"carrot" not in (tmp_path / "meaning.npz").read_bytes()


@needs_model
@pytest.mark.parametrize("body", [b"", b"no archive", b"PK\x03\x04 cut"])
def test_a_broken_shelf_is_made_anew(tmp_path, caplog, body):
    (tmp_path / "meaning.npz").write_bytes(body)
    assert Shelf(tmp_path / "meaning.npz").vectors(TEXTS[:1]).shape == (1, embedding.WIDTH)
    assert "made anew" in caplog.text


def test_without_the_model_posts_are_near_by_their_words(monkeypatch):
    monkeypatch.setattr(nearness, "is_there", lambda: False)
    near, made_by = nearness.nearness("carrot cakes", TEXTS, Shelf())
    assert made_by == BY_WORDS
    assert near.argmax() == 0


def test_rows_that_are_alike_lie_together_and_others_alone():
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(60, 40))
    rows[:5] = rows[0] + 0.2 * rng.normal(size=(5, 40))
    held = Space((rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), BY_MODEL)
    found = together(held, seed=3)
    assert found[0] == [0, 1, 2, 3, 4]
    assert sorted(at for group in found for at in group) == list(range(60))


@pytest.mark.parametrize("texts", [[], ["alone"]])
def test_few_posts_make_no_theme(texts, monkeypatch):
    monkeypatch.setattr(nearness, "is_there", lambda: False)
    posts = [PostText(f"p{n}", {"caption": text}) for n, text in enumerate(texts)]
    assert themes(posts, space([post.said for post in posts], Shelf()), seed=1) == []
