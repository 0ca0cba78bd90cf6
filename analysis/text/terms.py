"""Which terms a post holds: hashtags, mentions, brands, sounds, phrases; one vote each, whatever the modality.

Two terms are one when they fold to one key: '#AltasHoras' and 'altas horas'. Pure.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from analysis.text.language import identify
from analysis.text.longtext import LONG_WORDS, keyphrases
from analysis.text.posts import PostText
from analysis.text.stopwords import LANGUAGES, listed
from analysis.text.words import Word, bare, hashtags, mentions, plain, split_hashtag, word_key, words
from crawler.topics import topic_key

LONGEST, LONGEST_PAIRS = 3, 4  # words of a phrase; pairs of signs that share one each, in scripts without spaces
SHORTEST_KEY = 3  # characters of a word; two in scripts that write syllables or ideas
KINDS = ("hashtag", "mention", "brand", "sound", "phrase", "word")  # the more telling first
_RANK = {kind: rank for rank, kind in enumerate(KINDS)}


class Term(NamedTuple):
    """One term of one post."""

    key: str
    shown: str
    kind: str
    modalities: tuple[str, ...]
    """Where the post holds it, in the order met."""


def terms(post: PostText, brands: Collection[str] = (), stop: Collection[str] | None = None) -> list[Term]:
    """Each term of *post* once. *brands*: keys (`topic_key`) of known names. *stop*: keys never given."""
    skipped = stop_keys() if stop is None else stop
    found: dict[str, Term] = {}
    for key, shown, kind, modality in _all(post, brands):
        if key in skipped or not key:
            continue
        told = "brand" if brands and key in brands and _as_a_name(shown, kind) else kind
        known = found.get(key)
        if known is None:
            found[key] = Term(key, shown, told, _alone(modality))
        else:
            found[key] = _joined(known, shown, told, modality)
    return list(found.values())


@cache
def _alone(modality: str) -> tuple[str, ...]:
    return (modality,)  # one object for the millions of terms that stand in one place


def _as_a_name(shown: str, kind: str) -> bool:
    """'Dove' is a brand and 'a dove' a bird: a brand of one word has a capital, where its script has any."""
    return kind != "word" or not shown.islower()


def brand_keys(names: Iterable[str]) -> frozenset[str]:
    """Keys of brand names, for `terms`; a name that is a common word of any language, or too short, tells nothing."""
    keys = {topic_key(plain(name)) for name in names}
    return frozenset(key for key in keys if _tells(key) and key not in stop_keys())


def _joined(known: Term, shown: str, kind: str, modality: str) -> Term:
    places = known.modalities if modality in known.modalities else (*known.modalities, modality)
    if _RANK[kind] < _RANK[known.kind]:
        return Term(known.key, shown, kind, places)
    return known if places is known.modalities else Term(known.key, known.shown, known.kind, places)


def _all(post: PostText, brands: Collection[str]) -> Iterator[tuple[str, str, str, str]]:
    """Key, text shown, kind, modality."""
    tagged: set[str] = set()
    for modality, text in post.parts.items():
        clear = plain(text)
        for name in hashtags(clear):
            tagged.add(topic_key(name))
            yield topic_key(name), split_hashtag(name), "hashtag", modality
        for handle in mentions(clear):
            yield f"@{handle}", f"@{handle}", "mention", modality
            if topic_key(handle) in brands:
                yield topic_key(handle), handle, "mention", modality
        yield from _said(bare(clear), modality, post.stated_language)
    for name in post.hashtags:
        if topic_key(name) not in tagged:
            yield topic_key(name), split_hashtag(name), "hashtag", "hashtag"
    for handle in post.mentions:
        yield f"@{handle.lower()}", f"@{handle.lower()}", "mention", "caption"
    if post.sound_id and post.sound_title:
        yield f"sound:{post.sound_id}", plain(post.sound_title), "sound", "sound"


def _said(text: str, modality: str, stated: str | None) -> Iterator[tuple[str, str, str, str]]:
    if text.count(" ") < LONG_WORDS:
        yield from [(key, shown, kind, modality) for key, shown, kind in phrases(words(text))]
        return
    code = identify(text[:1000], stated).code
    for phrase in keyphrases(text, code):
        kind = "phrase" if " " in phrase.text else "word"
        yield topic_key(phrase.text), phrase.text, kind, modality


def phrases(found: Sequence[Word]) -> list[tuple[str, str, str]]:
    """Key, text and kind of every run of up to LONGEST words that neither starts nor ends with a stop word."""
    telling = [_tells(word.key) for word in found]
    named = [a.shown[0].isupper() and b.shown[0].isupper() for a, b in pairwise(found)]
    # 'Grandes Horas' is a name, though neither word says anything alone.
    starting, ending = [*named, False], [False, *named]
    size = len(found)
    made: list[tuple[str, str, str]] = []
    for start, (shown, key, run, _) in enumerate(found):
        if telling[start]:
            made.append((key, shown, "word"))
        elif not starting[start]:
            continue
        most = LONGEST_PAIRS if start + 1 < size and found[start + 1].shared else LONGEST
        for end in range(start + 1, min(start + most, size)):
            more, its_key, its_run, shared = found[end]
            if its_run != run:
                break
            if shared:
                shown += more[shared:]
                key += word_key(more[shared:])
            else:
                shown = f"{shown} {more}"
                key += its_key
            if telling[end] or ending[end]:
                made.append((key, shown, "phrase"))
    return made


@lru_cache(maxsize=262_144)
def _tells(key: str) -> bool:
    return key not in stop_words() and _long_enough(key)


def _long_enough(key: str) -> bool:
    if key.isdigit():
        return False
    return len(key) >= (SHORTEST_KEY if key.isascii() or key[0] < "\u0900" else 2)


@cache
def stop_keys() -> frozenset[str]:
    """Tags that ask for reach, of every language."""
    listed = tomllib.loads(Path(__file__).with_name("stoptags.toml").read_text(encoding="utf-8"))
    return frozenset(topic_key(tag) for tags in listed.values() for tag in tags)


@cache
def stop_words() -> frozenset[str]:
    """Folded, of all languages at once: posts mix them, and a word of one seldom carries a phrase of another."""
    return frozenset(word_key(word) for code in LANGUAGES for word in listed(code))
