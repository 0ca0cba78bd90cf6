"""Posts to keywords: copies folded, one vote a post and term, people counted, ranked by their rise. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.text.duplicates import groups
from analysis.text.language import identify
from analysis.text.posts import PostText, once_each
from analysis.text.rising import DEFAULT, RisingSettings, author_counts, fold_phrases, rising
from analysis.text.terms import Term, terms

COLUMNS = {
    "key": "string", "term": "string", "also": "string", "kind": "string", "state": "string", "z": "Float64",
    "times": "Float64", "confidence": "Float64", "rose_at": "datetime64[ms, UTC]", "authors": "Int64", "posts": "Int64",
    "copies": "Int64", "engagement": "Int64", "views": "Int64", "modalities": "string", "agreement": "Float64",
}  # fmt: skip
SAME_TERMS = 400  # most used terms among which phrases are merged
BRAND_SHARE = 1 / 3  # of posts; people often leave the capital out
LEAST_POSTS = 2  # a term of one post is no keyword


@dataclass(frozen=True)
class Keywords:
    """What was found, and in how much."""

    frame: pd.DataFrame
    """Columns as COLUMNS; terms that rose first, by z, then by people."""
    posts: int
    copies: int
    """Posts folded into an earlier one."""
    bins: int
    """Hours (or as set) that held a post; too few, and nothing can have risen."""


def keywords(
    posts: Sequence[PostText], *, brands: Collection[str] = (), language: str | None = None,
    settings: RisingSettings = DEFAULT,
) -> Keywords:  # fmt: skip
    """*language*: only posts in it, as `identify` says."""
    each = once_each(posts)
    if language:
        each = [post for post in each if identify(post.caption, post.stated_language).code == language]
    first = groups([post.said for post in each])
    copies = Counter(at for i, at in enumerate(first) if at != i)
    kept = [(i, post, terms(post, brands)) for i, post in enumerate(each) if first[i] == i]
    votes = _votes(kept, copies, settings)
    risen, bins = _risen(votes, settings)
    frame = _frame(votes, risen, {i: found for i, _, found in kept})
    return Keywords(frame, len(each), sum(copies.values()), bins)


def _votes(kept: Sequence[tuple[int, PostText, list[Term]]], copies: Counter[int], s: RisingSettings) -> pd.DataFrame:
    """One row for each post and term."""
    rows = [
        (post.key, i, term.key, post.author, post.at, post.engagement, post.views, copies[i], term)
        for i, post, found in kept for term in found
    ]  # fmt: skip
    names = ["post", "at_post", "key", "author", "at", "engagement", "views", "copies", "term"]
    votes = pd.DataFrame(rows, columns=names)
    moments = pd.to_datetime(votes["at"], utc=True).astype("datetime64[ms, UTC]")
    return votes.assign(at=moments, bin=moments.dt.floor(s.bin))


def _risen(votes: pd.DataFrame, settings: RisingSettings) -> tuple[pd.DataFrame, int]:
    """The strongest rise of each term, and the number of bins with a post."""
    dated = votes[votes["bin"].notna()]
    if dated.empty:
        return pd.DataFrame(columns=["bin", "state", "z", "times", "confidence"]), 0
    counts, totals = author_counts(dated)
    told = rising(counts, totals, settings)
    best = told.sort_values("z", ascending=False).drop_duplicates("key").set_index("key")
    return best[["bin", "state", "z", "times", "confidence"]], len(totals)


def _frame(votes: pd.DataFrame, risen: pd.DataFrame, found: dict[int, list[Term]]) -> pd.DataFrame:
    if votes.empty:
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in COLUMNS.items()})
    voices = votes.assign(voice=votes["author"].where(votes["author"].notna(), votes["post"]))
    groups_ = voices.groupby("key", sort=False)
    made = pd.DataFrame({
        "authors": groups_["voice"].nunique(), "posts": groups_.size(), "copies": groups_["copies"].sum(),
        "engagement": groups_["engagement"].sum(min_count=1), "views": groups_["views"].sum(min_count=1),
    })  # fmt: skip
    made = made[(made["posts"] >= LEAST_POSTS) | made.index.isin(risen.index)].join(risen)
    made = made.rename(columns={"bin": "rose_at"}).rename_axis("key").reset_index()
    made = made.sort_values(
        ["z", "authors", "engagement", "key"], ascending=[False, False, False, True], na_position="last"
    )
    made = _merged(made, votes)
    shown = {key: list(part) for key, part in votes.groupby("key", sort=False)["term"]}
    made["term"] = [Counter(term.shown for term in shown[key]).most_common(1)[0][0] for key in made["key"]]
    made["kind"] = [_kind(shown[key]) for key in made["key"]]
    made["modalities"] = [_modalities(shown[key]) for key in made["key"]]
    made["agreement"] = [sum(len(term.modalities) > 1 for term in shown[key]) / len(shown[key]) for key in made["key"]]
    made["state"] = made["state"].fillna("steady")
    return made.reindex(columns=list(COLUMNS)).astype(COLUMNS).reset_index(drop=True)


def _merged(made: pd.DataFrame, votes: pd.DataFrame) -> pd.DataFrame:
    """Terms of mostly the same posts become one row, named after the first; the others stand in `also`."""
    top = made["key"].head(SAME_TERMS).tolist()
    used = votes[votes["key"].isin(top)].groupby("key")["post"]
    held = {str(key): frozenset(posts) for key, posts in used}
    longest_first = sorted(top, key=lambda key: (-len(held[key]), -len(key)))
    stands = fold_phrases(_whole_names_first(longest_first, held), held)
    also: dict[str, list[str]] = {}
    for key, other in stands.items():
        if key != other:
            also.setdefault(other, []).append(key)
    kept = made[made["key"].map(lambda key: stands.get(key, key) == key).astype(bool)]
    names = [", ".join(sorted(also.get(key, []))) or None for key in kept["key"]]
    return kept.assign(also=pd.Series(names, index=kept.index, dtype="string"))


def _whole_names_first(keys: Sequence[str], held: dict[str, frozenset[str]]) -> list[str]:
    """A phrase before its own words when nearly all of their posts say the phrase."""
    return sorted(keys, key=lambda key: (-round(len(held[key]) ** 0.5), -len(key), key))


def _kind(found: Sequence[Term]) -> str:
    """What most posts use it as; a brand is one where a third of them write it as a name."""
    counted = Counter(term.kind for term in found)
    return "brand" if counted["brand"] >= BRAND_SHARE * len(found) else counted.most_common(1)[0][0]


def _modalities(found: Sequence[Term]) -> str:
    """'caption 12, speech 3': posts by where they hold the term."""
    counted = Counter(modality for term in found for modality in term.modalities)
    return ", ".join(f"{name} {n}" for name, n in counted.most_common())
