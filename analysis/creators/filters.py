"""Which posts are looked at: filtered first, grouped after, so that what is left out sets no median. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.text.posts import MODALITIES, from_row
from analysis.text.terms import terms
from crawler.items import KINDS
from crawler.topics import topic_key

FIELDS = frozenset(KINDS["post"].model_fields)


@dataclass(frozen=True)
class Filters:
    """None: all."""

    platform: str | None = None
    place: str | None = None
    """As the platform states it of the post or its author, in any case; never where it was looked for."""
    category: str | None = None
    media: str | None = None
    keyword: str | None = None
    modality: str | None = None
    """Where the keyword has to stand: caption, hashtag, sound …"""


def filtered(posts: pd.DataFrame, filters: Filters) -> pd.DataFrame:
    """posts: as with_places gives them."""
    for column, wanted in (("platform", filters.platform), ("media", filters.media)):
        if wanted:
            posts = posts[(posts[column] == wanted).fillna(False)]
    for column, wanted in (("place", filters.place), ("kept_category", filters.category)):
        if wanted:
            posts = posts[(posts[column].str.casefold() == wanted.casefold()).fillna(False)]
    if filters.keyword:
        posts = posts[[holds(row, filters.keyword, filters.modality) for row in posts.to_dict("records")]]
    return posts


def with_places(posts: pd.DataFrame, profiles: pd.DataFrame) -> pd.DataFrame:
    """`place` and `kept_category`: what the post itself states, else its author's account."""
    newest = profiles.sort_values("observed_at", kind="stable").drop_duplicates("creator", keep="last")
    account = newest.set_index("creator")
    own = {name: posts["creator"].map(account[name].to_dict()).astype("string") for name in ("region", "category")}
    return posts.assign(
        place=posts["location"].fillna(own["region"]).str.upper(),
        kept_category=posts["category"].fillna(own["category"]),
    )


def holds(row: Mapping[Any, Any], keyword: str, modality: str | None) -> bool:
    """A post holds a term once, whatever its spelling; in *modality*, where one is asked for."""
    known = {
        str(name): value if isinstance(value, list) else None if pd.isna(value) else value
        for name, value in row.items()
        if name in FIELDS or name == "key"
    }
    wanted = topic_key(keyword)
    for term in terms(from_row(known), stop=frozenset()):  # who asks for #fyp shall have it
        if term.key == wanted:
            return modality is None or modality in term.modalities or modality == term.kind
    return False


WHERE = tuple(dict.fromkeys((*MODALITIES, "hashtag", "sound")))
