"""Findings in sentences: each carries its number, its n and its interval; where the interval does not support one,
none is made and that is counted. Pure but for the readers of the Site.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pandas as pd

from analysis.command import UsageError
from analysis.output import clean, fit
from analysis.trends.alerts import LEAST_EARNED, wilson
from analysis.web import boards, coverage, texts
from analysis.web.figures_posts import FIGURES as POST_FIGURES
from analysis.web.figures_products import shop
from analysis.web.figures_trends import chosen_board
from analysis.web.filters import Filters
from analysis.web.people import accounts
from analysis.web.site import Site
from analysis.web.words import Words

NAMED = 3  # sentences of one kind
LABEL = 60  # columns of a name in a sentence
SURE = 0.95


class Finding(NamedTuple):
    section: str
    """Name of the page it belongs to."""
    text: str


class Findings(NamedTuple):
    said: list[Finding]
    unsaid: int
    """Differences that were looked at and that their interval does not support."""


UNSUPPORTED = None
"""What a teller yields where it looked and may not speak."""
Teller = Callable[[Site, Words, Filters], Iterator[str | None]]


def findings(site: Site, say: Words, filters: Filters) -> Findings:
    said, unsaid = [], 0
    for section, teller in TELLERS:
        try:
            for text in teller(site, say, filters):
                if text is UNSUPPORTED:
                    unsaid += 1
                else:
                    said.append(Finding(section, text))
        except UsageError:  # there is nothing to speak of
            continue
    return Findings(said, unsaid)


def _name(text: object) -> str:
    return fit(clean(str(text)), LABEL) or "·"


def trends(site: Site, say: Words, filters: Filters) -> Iterator[str | None]:
    board = chosen_board(site, filters)
    if board is None:
        return
    found = boards.top(site, board, filters.until_at, filters.top)
    if not found["topics"]:
        return
    first = found["topics"][0]
    span = say("at_least", span=say.span(first["stay_h"])) if first["since_at_least"] else say.span(first["stay_h"])
    yield say("finding_leads", topic=_name(first["topic"]), board=board, span=span, n=found["snapshots_48h"])
    climbing = sorted((row for row in found["topics"] if (row["moved"] or 0) > 0), key=lambda row: -row["moved"])
    for row in climbing[:NAMED]:
        yield say("finding_climbs", topic=_name(row["topic"]), n=row["moved"], position=row["position"])
    for row in found["next"][:NAMED]:
        yield say("finding_next", topic=_name(row["topic"]), chance=say.percent(row["probability"]))


def words(site: Site, say: Words, filters: Filters) -> Iterator[str | None]:
    found = texts.keywords_of(site, texts.Choice(filters.since_at, filters.until_at))
    risen = found.frame[found.frame["z"].notna() & (found.frame["state"] == "growing")]
    for row in risen.head(NAMED).to_dict("records"):
        sure = pd.notna(row["confidence"]) and row["confidence"] >= SURE
        yield UNSUPPORTED if not sure else say(
            "finding_rises", term=_name(row["term"]), times=say.number(float(row["times"]), 1), n=int(row["authors"]),
            posts=int(row["posts"]), sure=say.percent(float(row["confidence"]), 1),
        )  # fmt: skip


def groups(site: Site, say: Words, filters: Filters) -> Iterator[str | None]:
    """What the figures of lengths, categories and countries claim; one that claims nothing is unsaid."""
    for name in ("durations", "categories", "regions"):
        found = POST_FIGURES[name](site, say, filters)
        if found.missing:
            continue
        claims = found.table[say("claim")].isin([say("claim_higher"), say("claim_lower")])
        yield found.says if claims.any() else UNSUPPORTED


def growth(site: Site, say: Words, filters: Filters) -> Iterator[str | None]:
    frame = accounts(site, say, filters)
    known = frame[frame["followers_per_day"].notna()].sort_values("followers_per_day_low", ascending=False)
    for row in known.head(NAMED).to_dict("records"):
        low, mid, high = (float(row[f"followers_per_day{end}"]) for end in ("_low", "", "_high"))
        yield UNSUPPORTED if low <= 0 <= high else say(
            "finding_grows", creator=_name(row["username"]), value=say.number(mid), low=say.number(low),
            high=say.number(high), since=row["followers_growth_from"].to_pydatetime(),
        )  # fmt: skip


def prices(site: Site, say: Words, filters: Filters) -> Iterator[str | None]:
    from analysis.commerce.price_history import events

    found = shop(site, filters)
    moves = [event for seen in found.seen.values() for event in events(seen)]
    down = sum(event.kind == "price_down" for event in moves)
    up = sum(event.kind == "price_up" for event in moves)
    if found.seen and (down or up):
        yield say("finding_prices", n=len(found.seen), down=down, up=up)


def alerts(site: Site, say: Words, filters: Filters) -> Iterator[str | None]:
    settled = [bool(each["came_true"]) for each in site.alerts.all(most=5000) if "came_true" in each]
    if not settled:
        return
    low, high = wilson(sum(settled), len(settled))
    shown = say.interval(sum(settled) / len(settled), low, high)
    yield UNSUPPORTED if len(settled) < LEAST_EARNED else say("finding_alerts", share=shown, n=len(settled))


def health(site: Site, say: Words, filters: Filters) -> Iterator[str | None]:
    for each in coverage.summary(site)["sources"]:
        if each["high"] < coverage.FIT_SHARE:
            share = say.interval(each["share"], each["low"], each["high"])
            yield say("finding_source", source=each["spider"], share=share, n=each["fetches"])


TELLERS: tuple[tuple[str, Teller], ...] = (
    ("trends", trends), ("keywords", words), ("posts", groups), ("creators", growth), ("products", prices),
    ("alerts", alerts), ("health", health),
)  # fmt: skip
