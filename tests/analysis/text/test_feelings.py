"""The project's own words for how a post feels, and how they are found in a text."""

from __future__ import annotations

import re

import pytest

from analysis.text import feelings
from analysis.text.feelings import COLUMNS, KINDS, MOST, NEGATION, PHRASE, columns, folded, listed
from analysis.text.sentiment import classify

LANGUAGES = ("en", "pt", "es")


def _found(text, language):
    return {name for name, count in zip(COLUMNS, columns(text, language), strict=True) if count}


@pytest.mark.parametrize(
    ("text", "language", "found"),
    [
        ("Ele é muito fofo", "pt", {"good", "more"}),
        ("AMOOOOO demais kkkkkkk", "pt", {"great", "more", "laugh"}),
        ("mal posso esperar", "pt", {"wish"}),
        ("ninguém merece, que preguiça", "pt", {"bad"}),
        ("estoy deseando verte", "es", {"wish"}),
        ("qué coñazo de película jajaja", "es", {"bad", "laugh"}),
        ("this slaps, goosebumps", "en", {"great"}),
        ("I can’t wait", "en", {"great"}),
        ("hoje e agora", "pt", set()),
        ("haja", "pt", set()),
    ],
)
def test_words_of_a_language_are_found_drawn_out_shouted_and_in_phrases(text, language, found):
    assert _found(text, language) == found


def test_accents_do_not_matter_but_for_the_letter_that_is_its_own():
    assert columns("que horrível", "pt") == columns("que horrivel", "pt")
    assert folded("Coração MAÑANA") == "coracao mañana"


@pytest.mark.parametrize(("text", "language"), [("never nice", "en"), ("não é bom", "pt"), ("no es bonito", "es")])
def test_a_negation_turns_the_words_behind_it_and_not_those_far_off(text, language):
    assert _found(text, language) == {"not liked"}
    assert "not liked" not in _found(f"{text.split()[0]} a b c d {text.split()[-1]}", language)


def test_a_name_or_a_tag_is_no_word_and_emoji_speak_any_language():
    assert _found("@amor #amor", "pt") == set()
    assert _found("das 😍", "de") == {"great"}
    assert _found("wunderbar amor good", "de") == set()
    assert _found("ok :) -_-", "und") == {"great", "awful"}


def test_the_list_says_each_thing_once_as_it_is_looked_up():
    for code in LANGUAGES:
        known = listed()[code]
        entries = [
            *known.words,
            *known.beginnings,
            *(" ".join(each) for held in known.phrases.values() for each in held),
        ]
        assert len(entries) > 800
        assert all(folded(entry) == entry for entry in entries)
        assert all(3 <= len(each) <= 20 for each in known.beginnings)
        assert max(len(each) for held in known.phrases.values() for each in held) <= PHRASE
        kinds = {*known.words.values(), *(kind for held in known.phrases.values() for kind in held.values())}
        assert kinds == {*KINDS, NEGATION}
        assert not any(known.beginnings.get(word) == kind for word, kind in known.words.items())


def test_a_list_that_contradicts_itself_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(feelings, "__file__", str(tmp_path / "feelings.py"))
    for told, why in (
        ("[pt good]\nlindo\n[pt bad]\nlindo", "'lindo' of pt is good and bad"),
        ("[pt odd]", "no kind 'odd'"),
    ):
        (tmp_path / "feelings.txt").write_text(told, encoding="utf-8")
        with pytest.raises(ValueError, match=re.escape(why)):
            listed.__wrapped__()


@pytest.mark.parametrize(
    "text", ["ha" * 40_000, "k" * 80_000, "a" * 80_000, "não " * 20_000, ":" * 80_000, "\u0303" * 999, ""]
)
def test_whatever_a_text_holds_its_counts_stay_in_bounds(text):
    for code in (*LANGUAGES, "und"):
        assert all(0 <= each <= MOST for each in columns(text, code))


@pytest.mark.parametrize("model", ["small", "embed"])
@pytest.mark.parametrize(
    ("text", "code", "label"),
    [
        ("fofa demais, tô apaixonada", "pt", "positive"),
        ("mds que ranço dessa gente", "pt", "negative"),
        ("me flipa, menudo temazo", "es", "positive"),
        ("menudo timo, estoy harta", "es", "negative"),
    ],
)
def test_slang_that_no_word_list_of_news_knows_is_read(model, text, code, label):
    from analysis.text import embedding

    if model == "embed" and not embedding.is_there():
        pytest.skip("the extra `embed` is not installed")
    assert classify([text], [code], model)[0].label == label
