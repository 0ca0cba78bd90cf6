"""Keyphrases of a long text (description, subtitles, article): what YAKE proposes, the often said first. Pure."""

from __future__ import annotations

import threading
import warnings
from collections import Counter
from functools import cache
from typing import Any, NamedTuple

from analysis.text.words import plain, words
from crawler.topics import topic_key

LONG_WORDS = 60  # a text with fewer gives all its phrases; counting over posts decides
FEWEST, MOST = 10, 3
PROPOSED = 6  # times as many as are asked for
_LISTS = {"pt": "pt", "en": "en", "es": "es", "fr": "fr", "de": "de", "it": "it", "nl": "nl", "pl": "pl", "tr": "tr",
          "ru": "ru", "ar": "ar", "id": "id", "sv": "sv", "fi": "fi", "da": "da", "ro": "ro", "el": "el", "uk": "uk",
          "bg": "bg", "fa": "fa", "hi": "hi", "hu": "hu", "ja": "ja", "zh": "zh", "cs": "cz", "no": "no"}  # fmt: skip
_lock = threading.Lock()


class Keyphrase(NamedTuple):
    text: str
    score: float
    """YAKE's: the lower, the more telling."""


def keyphrases(text: str, language: str = "en", top: int = FEWEST) -> list[Keyphrase]:
    """The *top* most telling phrases of up to three words, best first; *language* as `identify` says.

    YAKE proposes and drops copies; how often a proposal is said decides, and YAKE's score where that is alike. Its
    score alone prefers long phrases that are said once.
    """
    with _lock:  # the extractor keeps state between its steps
        found = _extractor(_LISTS.get(language, "noLang"), PROPOSED * top).extract_keywords(text)
    said = _said(text)
    order = sorted(found, key=lambda each: (-said[topic_key(each[0])], each[1]))
    return [Keyphrase(phrase, float(score)) for phrase, score in order[:top]]


def _said(text: str) -> Counter[str]:
    """How often each run of up to MOST words stands in *text*, by its key."""
    found = words(plain(text))
    counted = Counter[str]()
    for start, first in enumerate(found):
        key = ""
        for word in found[start : start + MOST]:
            if word.run != first.run:
                break
            key += word.key
            counted[key] += 1
    return counted


@cache
def _extractor(language: str, top: int) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import yake

        return yake.KeywordExtractor(lan=language, n=MOST, dedupLim=0.9, top=top)
