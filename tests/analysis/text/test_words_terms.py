"""Words, hashtags and terms: one vote each, the same name under one key, nothing that only asks for reach."""

from __future__ import annotations

import pytest

from analysis.text.posts import PostText, from_row, is_original, once_each
from analysis.text.terms import stop_keys, terms
from analysis.text.words import hashtags, joined, mentions, plain, split_hashtag, words
from crawler.topics import topic_key


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("NoiteDeEstreia", "Noite De Estreia"),
        ("BBB21", "BBB 21"),
        ("PaulaNoÚltimoDia", "Paula No Último Dia"),
        ("receita_facil", "receita facil"),
        ("minitarefa", "minitarefa"),
    ],
)
def test_a_hashtag_is_split_where_its_letters_say_so(name: str, told: str) -> None:
    assert split_hashtag(name) == told


def test_hashtags_and_mentions_of_any_script_are_read_once_each() -> None:
    text = "Olha #Bolo #bolo #वीडियो #今日 #123 @Ana.Lima @ana.lima mail@site.example"
    assert hashtags(text) == ["Bolo", "वीडियो", "今日"]
    assert mentions(text) == ["ana.lima"]


def test_words_are_never_joined_over_punctuation() -> None:
    keys = {term.key for term in terms(PostText("p", {"caption": "bolo gelado, sorvete quente"}))}
    assert {"bologelado", "sorvetequente"} <= keys
    assert "geladosorvete" not in keys


def test_a_script_without_spaces_gives_pairs_of_signs_that_join_again() -> None:
    found = words("世界杯赛")
    assert [(word.shown, word.shared) for word in found] == [("世界", 0), ("界杯", 1), ("杯赛", 1)]
    assert joined(found) == "世界杯赛"
    assert [word.shown for word in words("วันนี้")] == ["วัน", "นนี้"]  # a vowel sign stays with its letter
    assert joined(words("tokyo 東京タワー live")) == "tokyo 東京タワー live"


@pytest.mark.parametrize("text", ["東京タワー", "杯赛 live", "วันนี้สว"])
def test_a_phrase_of_such_a_script_is_what_the_text_says(text: str) -> None:
    found = terms(PostText("p", {"caption": f"{text} 123"}))
    assert text in {term.shown for term in found}
    assert all(term.shown in text and term.key == topic_key(term.shown) for term in found)


def test_entities_and_invisible_marks_are_read_away() -> None:
    assert plain("p\u200bão &amp;\u202e queijo\n") == "pão & queijo"


def test_a_term_has_one_vote_and_remembers_where_it_was_met() -> None:
    post = PostText("p", {"caption": "Amo #RioAzul! rio azul", "speech": "rio azul"}, hashtags=("rioazul",))
    found = [term for term in terms(post) if term.key == "rioazul"]
    assert len(found) == 1
    assert (found[0].shown, found[0].kind, found[0].modalities) == ("Rio Azul", "hashtag", ("caption", "speech"))


def test_tags_that_only_ask_for_reach_are_no_terms() -> None:
    post = PostText("p", {"caption": "#fyp #ForYou #parati #VIRAL #bolo"}, hashtags=("fyp", "xyzbca"))
    assert [term.key for term in terms(post)] == ["bolo"]
    assert "fyp" in stop_keys()


def test_a_known_brand_is_told_as_one() -> None:
    found = terms(PostText("p", {"caption": "meu novo Lumo Fix chegou"}), brands={"lumofix"})
    assert next(term.kind for term in found if term.key == "lumofix") == "brand"


def test_a_catalogue_sound_is_a_term_and_an_original_one_is_none() -> None:
    assert is_original("som original - alguem")
    assert is_original("Original Sound")
    assert not is_original("Canção do Rio")
    row = {
        "key": "t:post:1",
        "caption": None,
        "sound_id": "7",
        "sound_title": "Canção do Rio",
        "likes": 3,
        "shares": None,
    }
    post = from_row(row)
    assert [(term.key, term.kind) for term in terms(post)] == [("sound:7", "sound")]
    assert post.engagement == 3
    assert from_row({**row, "sound_title": "som original"}).sound_id is None


def test_a_name_of_two_capitals_stays_whole_though_its_end_is_a_common_word() -> None:
    keys = {term.key for term in terms(PostText("p", {"caption": "assistindo Grandes Horas com a familia"}))}
    assert "grandeshoras" in keys


def test_a_post_seen_many_times_counts_once_with_its_greatest_echo() -> None:
    seen = [PostText("a", engagement=5), PostText("b", engagement=1), PostText("a", engagement=9), PostText("a")]
    assert [(post.key, post.engagement) for post in once_each(seen)] == [("a", 9), ("b", 1)]


def test_a_long_text_gives_its_key_phrases_only() -> None:
    sentence = "The harbour bridge of Marlow opened again after the harbour bridge repair. "
    found = terms(PostText("p", {"description": sentence * 8}, stated_language="en"))
    assert 0 < len(found) <= 12
    assert any("harbourbridge" in term.key for term in found)
