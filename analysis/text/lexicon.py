"""Words with a known feeling: VADER for English, LeIA for Portuguese, with their rules for negation and emoji. Pure."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

LANGUAGES = ("en", "pt")
WIDTH = 4
"""Shares of negative, neutral and positive words, and the compound score from -1 to 1."""
SILENT = (0.0, 0.0, 0.0, 0.0)
POSITIVE_FROM, NEGATIVE_TO = 0.05, -0.05  # of the compound, as VADER's authors read it


def scores(text: str, language: str) -> tuple[float, ...]:
    """Four numbers; SILENT in a language without a lexicon."""
    if language not in LANGUAGES:
        return SILENT
    found = _analyser(language).polarity_scores(text)
    return (found["neg"], found["neu"], found["pos"], found["compound"])


def label(compound: float) -> int:
    """0 negative, 1 neutral, 2 positive, by the authors' own limits."""
    return 2 if compound >= POSITIVE_FROM else 0 if compound <= NEGATIVE_TO else 1


@cache
def _analyser(language: str) -> Any:
    with warnings.catch_warnings():  # both leave their word lists open or open them the old way
        warnings.simplefilter("ignore")
        if language == "pt":
            from LeIA import SentimentIntensityAnalyzer
        else:
            from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer
        return SentimentIntensityAnalyzer()
