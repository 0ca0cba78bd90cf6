"""Text into words, hashtags and mentions, in any script; names folded as `crawler.topics` folds them. Pure."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from crawler.topics import topic_key

# \w leaves out the vowel signs of Indic and South-East Asian scripts, which are marks, not letters.
_IN_WORD = r"[\w\u0300-\u036f\u0900-\u0dff\u0e31-\u0e4e\u200c\u200d]"
URL = re.compile(r"(?:https?://|www\.)\S+", re.I)
MENTION = re.compile(r"(?<![\w@＠])[@＠]([\w.]*\w)")
HASHTAG = re.compile(rf"(?<![\w&])[#＃]({_IN_WORD}*[^\W\d]{_IN_WORD}*)")
_WORD = re.compile(rf"{_IN_WORD}+(?:['’]{_IN_WORD}+)*")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")
_HUMP = re.compile(r"(?<=[^\W\d_A-Z])(?=[A-ZÀ-ÖØ-Þ])|(?<=[A-ZÀ-ÖØ-Þ])(?=[A-ZÀ-ÖØ-Þ][^\W\d_A-Z])|(?<=[^\W\d])(?=\d)|_+")
_INVISIBLE = re.compile(r"[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\x00-\x08\x0b-\x1f]")
SPACES = re.compile(r"\s+")


_MARKS = "\u0300-\u036f\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece\u3099\u309a"
_SIGN = re.compile(f".[{_MARKS}]*")


class Word(NamedTuple):
    """One word of a text; *run* rises at punctuation, so that no phrase crosses it."""

    shown: str
    key: str
    run: int
    shared: int = 0
    """Characters at its start that end the word before, in scripts without spaces."""


def plain(text: str) -> str:
    """Entities read once, invisible marks gone, white space single."""
    return SPACES.sub(" ", _INVISIBLE.sub("", html.unescape(text))).strip()


def hashtags(text: str) -> list[str]:
    """Without '#', as written, in order, each once by its key."""
    first: dict[str, str] = {}
    for name in HASHTAG.findall(text):
        first.setdefault(topic_key(name), name)
    return list(first.values())


def mentions(text: str) -> list[str]:
    """Handles without '@', lower case, each once."""
    return list(dict.fromkeys(handle.lower() for handle in MENTION.findall(text)))


@lru_cache(maxsize=65_536)
def split_hashtag(name: str) -> str:
    """'JulietteNoAltasHoras' -> 'Juliette No Altas Horas'; 'BBB21' -> 'BBB 21'; 'fyp' stays."""
    return SPACES.sub(" ", _HUMP.sub(" ", unicodedata.normalize("NFC", name))).strip() or name


def bare(text: str) -> str:
    """*text* without links, mentions and hashtags."""
    return SPACES.sub(" ", HASHTAG.sub(" ", MENTION.sub(" ", URL.sub(" ", text)))).strip()


def words(text: str) -> list[Word]:
    """Words of *text* (bare) in order; scripts without spaces give overlapping pairs of signs."""
    found: list[Word] = []
    run, end = 0, 0
    for match in _WORD.finditer(text):
        start = match.start()
        if start > end + 1 or (start > end and text[end] != " "):
            run += bool(text[end:start].strip())
        end = match.end()
        token = match[0]
        if token.isascii() or not _UNSPACED.search(token):
            found.append(Word(token, word_key(token), run))
        else:
            found += [Word(shown, word_key(shown), run, shared) for shown, shared in _pieces(token)]
    return found


@lru_cache(maxsize=262_144)
def word_key(shown: str) -> str:
    return topic_key(shown)


def joined(found: Sequence[Word]) -> str:
    """Neighbours as they stood in the text."""
    parts = (word.shown[word.shared :] if word.shared else f" {word.shown}" for word in found)
    return "".join(parts).strip()


def _pieces(token: str) -> Iterator[tuple[str, int]]:
    """Each piece, and how much of it ends the piece before."""
    for match in re.finditer(rf"{_UNSPACED.pattern}|[^\u0e00-\u0eff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]+", token):
        signs = _SIGN.findall(match[0]) if _UNSPACED.match(match[0]) else [match[0]]
        if len(signs) <= 2:
            yield match[0], 0
        else:
            yield from ((one + two, len(one) if at else 0) for at, (one, two) in enumerate(pairwise(signs)))
