"""Which topics are one: names folded for comparison. Pure; nothing is merged that only looks alike."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Accents are folded where they are spelling variants: on Latin and Greek letters. Elsewhere a mark makes another
# letter (и and й, が and か). Look-alikes of different scripts stay different.
_ACCENTS = re.compile(r"(?<=[a-z\u0250-\u02af\u0370-\u03ff])[\u0300-\u036f]+")
# Variation selectors and skin tones of emoji, joiners, marks of direction, and what else is not seen.
_UNSEEN = re.compile(r"[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
_JOINTS = re.compile(r"[\s#_\-'’.]+")


@lru_cache(maxsize=65_536)
def topic_key(topic: str) -> str:
    """Topic folded for comparison: case, width, Latin accents, '#', spacing, emoji variants.

    '#JulietteNoAltasHoras' and 'juliette no altas horas' are one key. A topic of symbols only keeps them.
    """
    if topic.isascii():  # most are, and nothing but case and joints can differ then
        return _JOINTS.sub("", topic.lower()) or topic.strip() or topic
    wide = unicodedata.normalize("NFKD", topic).casefold()
    folded = _JOINTS.sub("", _UNSEEN.sub("", _ACCENTS.sub("", wide)))
    return unicodedata.normalize("NFC", folded) or topic.strip() or topic
