"""Counts of the words of `feelings.txt` in a text: what people write when they like, dislike, wait, laugh, tell. Pure.

VADER's English words and LeIA's translation of them know little of how Brazil writes and nothing of Spanish; a language
model of this size cuts slang to pieces. What each kind weighs is learnt (`sentiment.Small`).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from functools import cache, lru_cache
from math import log2
from pathlib import Path
from typing import Any, NamedTuple

KINDS = (
    "great", "good", "wish", "longing", "bad", "awful", "sad", "laugh", "swear", "tell", "ask", "surprise", "more",
)  # fmt: skip
"""tell: announcements. more: what makes the next word stronger."""
LIKED, DISLIKED = frozenset({"great", "good", "wish"}), frozenset({"bad", "awful", "sad"})
TURNED = ("not liked", "not disliked")
COLUMNS = (*KINDS, *TURNED)
REACH = 3  # words that a negation turns
PHRASE = 5  # words of a phrase at most
LONGEST = 100  # letters of a word that are read
MOST = 2.0  # of log2(1 + count): three of a kind say no less than thirty
NEGATION = "not"
_ACCENTS = re.compile(r"[\u0300-\u036f]+")
_NAMED = re.compile(r"[@#]\w+")
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_LAUGHTER = re.compile(r"k{2,}|(?:rs)+r?|[aeo]?([hj][aeiou])\1+[hj]?|(?:hue)+|x+d+|lo+l+")
_LENGTHENED, _DOUBLED = re.compile(r"(.)\1{2,}"), re.compile(r"(.)\1+$")
_SMILE = re.compile(r"(?<!\w)(?:[:;=]'?-?[)DdPp\]3]+|<3+|\^_*\^)")
_FROWN = re.compile(r"(?<!\w)(?:[:;=]'?-?[(\[/\\@]+|-_+-)")


class Listed(NamedTuple):
    words: dict[str, str]
    """Word: kind."""
    beginnings: dict[str, str]
    phrases: dict[str, dict[tuple[str, ...], str]]
    """First word: the phrases that begin with it."""


def columns(text: str, language: str) -> list[float]:
    """How often each of COLUMNS, from 0 to MOST; words only of the languages listed, emoji in any."""
    found = Counter(_drawn(text))
    if language in listed():
        found.update(_said(_WORD.findall(folded(_NAMED.sub(" ", text))), language))
    return [min(log2(1 + found[name]), MOST) for name in COLUMNS]


def folded(text: str) -> str:
    """Lower case, without accents but ñ."""
    lower = text.lower().replace("’", "'")
    return lower if lower.isascii() else _ACCENTS.sub("", unicodedata.normalize("NFD", lower).replace("n\u0303", "ñ"))


def _drawn(text: str) -> list[str]:
    """Of emoji and of faces made of marks."""
    known = listed()["emoji"].words
    found = [known[char] for char in known.keys() & set(text)]
    return [*found, *["great"] * bool(_SMILE.search(text)), *["awful"] * bool(_FROWN.search(text))]


def _said(words: list[str], language: str) -> list[str]:
    """The kind of each word or phrase that has one."""
    phrases = listed()[language].phrases
    made: list[str] = []
    turned = at = 0
    while at < len(words):
        word = words[at]
        begun = phrases.get(word)
        phrase = _longest(begun, words, at) if begun else ()
        kind = phrases[word][phrase] if phrase else _kind(word[:LONGEST], language)
        if turned and not phrase and kind in LIKED | DISLIKED:
            kind = TURNED[kind in DISLIKED]
        turned = REACH if kind == NEGATION else max(turned - 1, 0)
        if kind:
            made.append(kind)
        at += len(phrase) or 1
    return made


def _longest(known: dict[tuple[str, ...], str], words: list[str], at: int) -> tuple[str, ...]:
    ends = range(min(at + PHRASE, len(words)), at + 1, -1)
    return next((each for end in ends if (each := tuple(words[at:end])) in known), ())


@lru_cache(maxsize=1 << 16)
def _kind(word: str, language: str) -> str | None:
    if _LAUGHTER.fullmatch(word):
        return "laugh"
    known = listed()[language]
    once, twice = _LENGTHENED.sub(r"\1", word), _LENGTHENED.sub(r"\1\1", word)
    for form in dict.fromkeys((word, once, twice, _DOUBLED.sub(r"\1", once))):
        if form in known.words:
            return known.words[form]
        begun = [form[:size] for size in range(len(form), 2, -1) if form[:size] in known.beginnings]
        if begun:
            return known.beginnings[begun[0]]
    return None


@cache
def listed() -> dict[str, Listed]:
    """By language, and `emoji`. Raises: ValueError when the file names a kind that is none, or an entry twice."""
    made: dict[str, Listed] = defaultdict(lambda: Listed({}, {}, defaultdict(dict)))
    language = kind = ""
    for line in Path(__file__).with_name("feelings.txt").read_text("utf-8").splitlines():
        if line.startswith("["):
            language, kind = line.strip("[]").split()
            if kind not in (*KINDS, NEGATION):
                raise ValueError(f"feelings.txt: no kind {kind!r}")
            continue
        for entry in () if line.startswith("#") else line.split():
            words, beginnings, phrases = made[language]
            first, *more = entry.split("_")
            held: dict[Any, str] = phrases[first] if more else beginnings if entry.endswith("*") else words
            name = (first, *more) if more else entry.rstrip("*")
            if name in held:
                raise ValueError(f"feelings.txt: {entry!r} of {language} is {held[name]} and {kind}")
            held[name] = kind
    return dict(made)
