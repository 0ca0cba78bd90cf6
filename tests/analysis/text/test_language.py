"""The language of a short text, with `und` where nobody could tell."""

from __future__ import annotations

import pytest

from analysis.text.language import UNKNOWN, identify


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("I can't believe how good this bread is", "en"),
        ("não acredito que esse pão ficou tão bom", "pt"),
        ("no puedo creer lo rico que quedó este pan", "es"),
        ("ich glaube nicht wie gut dieses Brot ist", "de"),
        ("今日のパンはとてもおいしいです", "ja"),
        ("adorei demaaaais esse capitulo kkkkkk #BestShowEver @friend https://a.example/x", "pt"),
        ("#BomDiaMinhaGente", "pt"),
    ],
)
def test_short_posts_are_told_apart(text: str, code: str) -> None:
    assert identify(text).code == code


@pytest.mark.parametrize("text", ["", "😍😍🔥", "kkkkkkk", "@ana https://a.example", "2026!!", "ok"])
def test_where_nothing_is_said_the_language_is_unknown(text: str) -> None:
    assert identify(text).code == UNKNOWN


def test_what_the_platform_states_weighs_in_and_is_not_the_truth() -> None:
    alone, hinted = identify("que tema importante"), identify("que tema importante", "pt-BR")
    assert hinted.code == "pt"
    assert (alone.code, alone.confidence) != (hinted.code, hinted.confidence)
    assert identify("I can't believe how good this bread is", "pt").code == "en"
