"""Which language a short text is in, how sure, and `und` where nobody could tell. Pure.

eld counts character sequences of 60 languages. On a few words many of them score alike, so its scores are
weighed by how common a language is in public posts; with a platform's own statement that language weighs more,
but it never decides alone. Development figures are in docs/text.md.
"""

from __future__ import annotations

import math
import re
import warnings
from functools import cache
from typing import Any, NamedTuple

from analysis.text.stopwords import telling
from analysis.text.words import HASHTAG, MENTION, SPACES, URL, split_hashtag

UNKNOWN = "und"
SHARPNESS = 10.0  # of eld's score (0 to 1) in the exponent; chosen on UMSAB train and validation, 5 to 20 alike
COMMON = {"en": 1.0, "es": 0.6, "pt": 0.6, "fr": 0.3, "de": 0.25, "it": 0.25}  # in public posts, order of magnitude
RARER = 0.05
STATED = 4.0  # times: what a platform states is right more often than not
LEAST_CONFIDENCE = 0.18  # below it fewer than half were right
LEAST_LETTERS = 3
WORD_SPEAKS, MOST_SPOKEN = 2.0, 8.0  # times, for a word of one language's stop list alone, and for all of them
LETTER_SPEAKS = 3.0
SILENT_SCORE = 0.1  # of a language that eld does not name but a word or letter does; its usual lowest
_LETTERS = ((re.compile("[ãõ]"), "pt"), (re.compile("[ñ¿¡]"), "es"), (re.compile("ß"), "de"))
_LAUGHTER = re.compile(r"\b(?:k{3,}|(?:ha|he|hi|rs|ja|je|hua|ah|aj){2,}\w?)\b", re.I)
_LENGTHENED = re.compile(r"(.)\1{2,}")
_NO_TEXT = re.compile(r"[^\w\s'’,.!?¿¡ªº-]|\d+")
_LETTER = re.compile(r"[^\W\d_]")
_TWO_WORDS = re.compile(r"[^\W\d_]{2,}\W+(?:.*\W)?[^\W\d_]{2,}", re.S)


class Language(NamedTuple):
    """ISO 639-1 code or `und`; confidence between 0 and 1, the share of its weight among all languages."""

    code: str
    confidence: float


UNDETERMINED = Language(UNKNOWN, 0.0)


def identify(text: str, stated: str | None = None) -> Language:
    """*stated*: what the platform says (BCP 47); it weighs in, and is not the truth."""
    told = _worth_reading(text)
    if len(_LETTER.findall(told)) < LEAST_LETTERS:
        return UNDETERMINED
    scores: dict[str, float] = _detector().detect(told).scores()
    hint = stated.split("-")[0].lower() if stated else None
    owned = _owned(told)
    for code in owned:
        scores.setdefault(code, SILENT_SCORE)
    if not scores:
        return UNDETERMINED
    weights = {code: _weight(code, score, hint) * owned.get(code, 1.0) for code, score in scores.items()}
    best = max(weights, key=weights.__getitem__)
    confidence = weights[best] / sum(weights.values())
    return Language(best, confidence) if confidence >= LEAST_CONFIDENCE else Language(UNKNOWN, confidence)


def _weight(code: str, score: float, hint: str | None) -> float:
    return COMMON.get(code, RARER) * math.exp(SHARPNESS * score) * (STATED if code == hint else 1.0)


def _owned(told: str) -> dict[str, float]:
    """For each language, by how much words and letters that only it writes speak for it."""
    found: dict[str, float] = {}
    for word in told.split():
        code = telling().get(word.strip(".,!?-'’"))
        if code:
            found[code] = min(found.get(code, 1.0) * WORD_SPEAKS, MOST_SPOKEN)
    for letters, code in _LETTERS:
        if letters.search(told):
            found[code] = found.get(code, 1.0) * LETTER_SPEAKS
    return found


def _worth_reading(text: str) -> str:
    """Names of programmes in hashtags, laughter and lengthened letters mislead; they go where words remain."""
    told = MENTION.sub(" ", URL.sub(" ", text))
    without_tags = HASHTAG.sub(" ", told)
    if _TWO_WORDS.search(without_tags):
        told = without_tags
    else:
        told = HASHTAG.sub(lambda tag: f" {split_hashtag(tag[1])} ", told)
    told = _LENGTHENED.sub(r"\1\1", _NO_TEXT.sub(" ", told))
    return SPACES.sub(" ", _LAUGHTER.sub(" ", told)).strip().lower()


@cache
def _detector() -> Any:
    with warnings.catch_warnings():  # it still uses names that Python will drop
        warnings.simplefilter("ignore", DeprecationWarning)
        from eld import LanguageDetector

        return LanguageDetector()
