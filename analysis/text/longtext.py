"""Keyphrases of a long text (description, subtitles, article): YAKE, its copies folded. Pure."""

from __future__ import annotations

import threading
import warnings
from functools import cache
from typing import Any, NamedTuple

LONG_WORDS = 60  # a text with fewer gives all its phrases; counting over posts decides
FEWEST, MOST = 10, 3
_LISTS = {"pt": "pt", "en": "en", "es": "es", "fr": "fr", "de": "de", "it": "it", "nl": "nl", "pl": "pl", "tr": "tr",
          "ru": "ru", "ar": "ar", "id": "id", "sv": "sv", "fi": "fi", "da": "da", "ro": "ro", "el": "el", "uk": "uk",
          "bg": "bg", "fa": "fa", "hi": "hi", "hu": "hu", "ja": "ja", "zh": "zh", "cs": "cz", "no": "no"}  # fmt: skip
_lock = threading.Lock()


class Keyphrase(NamedTuple):
    text: str
    score: float
    """YAKE's: the lower, the more telling."""


def keyphrases(text: str, language: str = "en", top: int = FEWEST) -> list[Keyphrase]:
    """The *top* most telling phrases of up to three words, best first; *language* as `identify` says."""
    with _lock:  # the extractor keeps state between its steps
        found = _extractor(_LISTS.get(language, "noLang"), top).extract_keywords(text)
    return [Keyphrase(phrase, float(score)) for phrase, score in found]


@cache
def _extractor(language: str, top: int) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import yake

        return yake.KeywordExtractor(lan=language, n=MOST, dedupLim=0.9, top=top)
