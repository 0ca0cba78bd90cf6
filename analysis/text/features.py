"""Texts as hashed counts of what they hold: words, negated words, emoji, pairs, sequences of characters. Pure.

The hash keeps no text: a column stands for whatever falls into it. Training and use share this code.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from sklearn.feature_extraction.text import HashingVectorizer

COLUMNS = 1 << 16
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")  # some archives keep escapes as text
_LINK = re.compile(r"https?://\S+|\bhttp\b")
_HANDLE = re.compile(r"@\w+")
_SPACES = re.compile(r"\s+")
_PIECE = re.compile(
    r"[^\W_]+(?:['’][^\W_]+)?|[!?]+|\.{2,}|[\U0001F300-\U0001FAFF\u2600-\u27BF\u2764]|[:;=8xX][-o']?[)(DPp/\\|\]\[3]|<3|#"
)
_LENGTHENED = re.compile(r"(.)\1{2,}")
_NEGATIONS = frozenset(re.findall(r"\S+", """
    not no never nao não nunca nem jamais jamás tampoco sin sem without don't don’t didn't didn’t isn't isn’t
    can't can’t won't won’t doesn't doesn’t ain't ain’t dont didnt isnt cant wont ni nada ninguém nadie nenhum ningún
"""))  # fmt: skip
_REACH = 3  # words that a negation turns


def readable(text: str) -> str:
    """Escapes read, links gone, handles alike: what every sentiment model here is given."""
    told = html.unescape(_ESCAPED.sub(lambda code: chr(int(code[1], 16)), text).replace('""""', '"'))
    told = told.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # escaped emoji come in halves
    return _SPACES.sub(" ", _HANDLE.sub("@user", _LINK.sub(" ", told))).strip()


def pieces(text: str) -> list[str]:
    """Words, emoji and marks, with what is negated, shouted or drawn out marked, and pairs of neighbours."""
    found: list[str] = []
    turned = 0
    for piece in _PIECE.findall(text):
        lower = piece.lower()
        told = _LENGTHENED.sub(r"\1\1", lower)
        if told in _NEGATIONS:
            turned = _REACH
        elif turned:
            found.append(f"not {told}")
            turned -= 1
        found.append(told)
        if len(piece) > 3 and piece.isupper():
            found.append("SHOUTED")
        if told != lower:
            found.append("DRAWN")
    return [*found, *(f"{one} {two}" for one, two in pairwise(found))]


def sequences(text: str) -> list[str]:
    """Three to five characters within each word."""
    told = [f" {word} " for word in _LENGTHENED.sub(r"\1\1\1", text.lower()).split()]
    return [word[i : i + n] for word in told for n in (3, 4, 5) for i in range(max(1, len(word) - n + 1))]


def counts(texts: Sequence[str]) -> tuple[Any, Any]:
    """Two sparse matrices of 0 and 1, rows as *texts* (readable), COLUMNS wide: pieces and sequences."""
    return _hasher(pieces).transform(texts), _hasher(sequences).transform(texts)


def _hasher(analyser: object) -> HashingVectorizer:
    return HashingVectorizer(analyzer=analyser, n_features=COLUMNS, alternate_sign=False, norm=None, binary=True)
