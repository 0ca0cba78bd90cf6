"""Figures of words: what rises, what carries engagement and in which modality, what is said most."""

from __future__ import annotations

import re
from typing import Any

import altair as alt
import pandas as pd

from analysis.web import draw, texts
from analysis.web.figure import Figure, data
from analysis.web.filters import Filters
from analysis.web.site import Site
from analysis.web.words import Words

Row = dict[str, Any]
COUNTED = re.compile(r"(\w+) (\d+)")


def _choice(filters: Filters) -> texts.Choice:
    return texts.Choice(filters.since_at, filters.until_at)


def rising(site: Site, say: Words, filters: Filters) -> Figure:
    found = texts.keywords_of(site, _choice(filters))
    title = say("rising_title")
    risen = found.frame[found.frame["z"].notna() & (found.frame["state"] != "steady")]
    if risen.empty:
        return Figure("rising", title, "", missing=say("rising_missing", bins=found.bins))
    best = risen.head(max(filters.top, 15))
    table = pd.DataFrame(
        {
            say("term"): best["term"],
            say("kind"): best["kind"],
            say("state"): [state_of(say, each) for each in best["state"]],
            say("times"): [say.number(float(each), 1) if pd.notna(each) else "·" for each in best["times"]],
            say("rose_at"): best["rose_at"],
            say("authors"): best["authors"],
            say("posts"): best["posts"],
            say("engagement"): best["engagement"],
        }
    ).reset_index(drop=True)
    says = say("rising_says", n=len(risen), posts=found.posts, copies=found.copies)
    return Figure("rising", title, says, table, note=say("rising_note"))


def state_of(say: Words, state: str) -> str:
    return say(f"state_{state}") if state in ("growing", "new", "steady") else state


def engagement(site: Site, say: Words, filters: Filters) -> Figure:
    """Each post counts once for a term; its engagement is split over the modalities that hold the term."""
    found = texts.keywords_of(site, _choice(filters), "engagement")
    title = say("engagement_title")
    known = found.frame[found.frame["engagement"].fillna(0) > 0]
    for limit, keep in (
        (filters.min_engagement, known["engagement"].ge),
        (filters.max_engagement, known["engagement"].le),
    ):
        if limit is not None:
            known = known[keep(limit).reindex(known.index, fill_value=False)]
    best = known.head(filters.top)
    if best.empty:
        return Figure("engagement", title, "", missing=say("no_engagement"))
    names = draw.labels(best["term"].tolist())
    rows = [row for name, each in zip(names, best.to_dict("records"), strict=True) for row in _split(say, name, each)]
    chart = (
        alt.Chart(data(rows), width="container", height=len(best) * draw.BAR_PX)
        .mark_bar()
        .encode(
            x=alt.X("engagement:Q", title=say("engagement"), axis=alt.Axis(format="~s", tickCount=6)),
            y=alt.Y("term:N", sort=None, title=None),
            color=alt.Color("modality:N", title=None),
            tooltip=["term:N", "modality:N", alt.Tooltip("engagement:Q", format=","), "posts:Q"],
        )
    )
    table = pd.DataFrame(
        {
            say("term"): best["term"],
            say("engagement"): best["engagement"],
            say("posts"): best["posts"],
            say("authors"): best["authors"],
            say("where"): best["modalities"],
        }
    ).reset_index(drop=True)
    return Figure("engagement", title, say("engagement_says", posts=found.posts, copies=found.copies), table, chart)


def _split(say: Words, name: str, row: dict[Any, Any]) -> list[Row]:
    counted = [(where, int(n)) for where, n in COUNTED.findall(str(row["modalities"]))]
    total = sum(n for _, n in counted) or 1
    return [
        {
            "term": name,
            "modality": say(f"modality_{where}"),
            "engagement": round(int(row["engagement"]) * n / total),
            "posts": n,
        }
        for where, n in counted
    ]


def said(site: Site, say: Words, filters: Filters) -> Figure:
    """Words by the people who say them: counted once for each, so that one who repeats is no crowd."""
    found = texts.keywords_of(site, _choice(filters), "authors")
    title = say("said_title")
    best = found.frame.head(max(filters.top, 20))
    if best.empty:
        return Figure("said", title, "", missing=say("no_posts"))
    names = draw.labels(best["term"].tolist())
    rows = [{"term": name, "authors": int(n)} for name, n in zip(names, best["authors"], strict=True)]
    table = pd.DataFrame(
        {
            say("term"): best["term"],
            say("authors"): best["authors"],
            say("posts"): best["posts"],
            say("kind"): best["kind"],
        }
    ).reset_index(drop=True)
    chart = draw.bars(rows, "term", "authors", say("authors"))
    return Figure("said", title, say("said_says", posts=found.posts, terms=len(found.frame)), table, chart)


FIGURES = {"rising": rising, "engagement": engagement, "said": said}
