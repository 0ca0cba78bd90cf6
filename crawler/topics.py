"""Which topics are one: names folded for comparison. Pure; nothing is merged that only looks alike."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_MARKS = re.compile(r"[\u0300-\u036f\ufe0e\ufe0f\u200b-\u200f\u2060-\u206f]")
_JOINTS = re.compile(r"[\s#_\-'’.]+")


@lru_cache(maxsize=65_536)
def topic_key(topic: str) -> str:
    """Topic folded for comparison: case, width, Latin accents, '#', spacing, emoji variants.

    '#JulietteNoAltasHoras' and 'juliette no altas horas' are one key. Marks of other scripts
    stay (in Devanagari or Arabic they are letters). A topic of symbols only keeps them.
    """
    wide = unicodedata.normalize("NFKD", topic).casefold()
    folded = _JOINTS.sub("", _MARKS.sub("", wide))
    return unicodedata.normalize("NFC", folded) or topic.strip() or topic
