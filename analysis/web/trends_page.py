"""The first page: what rises on one list, how sure that is, and since when."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from analysis.output import clean
from analysis.web import boards, figures_trends
from analysis.web.filters import Filters
from analysis.web.site import Site
from analysis.web.words import Words

Row = dict[str, Any]
WIDTH, HEIGHT, EDGE = 132, 30, 3
LEARNT_AFTER = timedelta(days=21)  # 50 entries into the top and as many to test on, at a snapshot every three hours
STALE = timedelta(hours=24)
MANY_BOARDS, MOST_BOARDS = 10, 60


def context(site: Site, say: Words, filters: Filters) -> Row:
    board = figures_trends.chosen_board(site, filters)
    if board is None:
        return {"found": None, "title": say("rising_nowhere"), "figures": []}
    found = boards.top(site, board, filters.until_at, filters.top)
    age = site.clock() - found["at"]
    listed = sorted(boards.known(site), key=lambda row: not (row["trends"] or row["board"] == board))
    shown = [{**row, "label": _label(row)} for row in listed[:MOST_BOARDS]]
    return {
        "found": found, "title": say("rising_in", place=found["place_name"] or board),
        "age_h": age / timedelta(hours=1), "stale": age > STALE and filters.until is None and not site.simulated,
        "boards": shown[:MANY_BOARDS], "more_boards": shown[MANY_BOARDS:],
        "cards": [_climber(found, say, filters), _leader(found, say, filters), _next(found, say, filters)],
        "figures": [figures_trends.positions(site, say, filters)], "sparkline": lambda row: sparkline(row, found),
        "no_forecast": _no_forecast(found, site, say),
        "next_least": boards.NEXT_LEAST, "promise": _promise(site, board, say),
    }  # fmt: skip


def _label(row: Row) -> tuple[str, str]:
    """Place and source of a trending list; of another list what it is, too."""
    source, _, rest = row["board"].partition(":")
    if row["trends"]:
        return row["place_name"] or rest, source
    return clean(rest.rpartition(":")[2]) if not row["place"] else row["place_name"], clean(f"{source} {rest}")[:40]


def _link(found: Row, row: Row, filters: Filters) -> str:
    return filters.address("/topic", board=found["board"], topic=row["topic_key"], place=None)


def _climber(found: Row, say: Words, filters: Filters) -> Row:
    climbing = [row for row in found["topics"] if (row["moved"] or 0) > 0]
    card = {"kind": "climber", "head": say("card_climber"), "big": "·", "small": say("nobody_climbs"), "link": None}
    if all(row["moved"] is None for row in found["topics"]):
        card["small"] = say("climb_unknown")
    if climbing:
        row = max(climbing, key=lambda each: (each["moved"], -each["position"]))
        small = say("climbed", n=row["moved"], position=row["position"])
        card |= {"big": row["topic"], "small": small, "link": _link(found, row, filters)}
    return card


def _leader(found: Row, say: Words, filters: Filters) -> Row:
    card: Row = {"kind": "leader", "head": say("card_leader"), "big": "·", "small": "", "link": None}
    if found["topics"]:
        row = found["topics"][0]
        since = say("leads_since", at=row["since"])
        shown = say("at_least", span=say.span(row["stay_h"])) if row["since_at_least"] else since
        small = f"{say('on_the_list')}: {shown}" if row["since_at_least"] else shown
        card |= {
            "big": row["topic"],
            "small": small if row["path"] else say.day(row["since"]),
            "link": _link(found, row, filters),
        }
    return card


def _no_forecast(found: Row, site: Site, say: Words) -> str:
    """What is missing, how much is there, and when it will fill."""
    held = next((row for row in boards.known(site) if row["board"] == found["board"]), None)
    if held is None or not found["snapshots_48h"]:
        return say("no_path")
    on = held["first"] + LEARNT_AFTER
    word = "no_forecast" if held["last"] < on else "no_forecast_ready"
    span = say.span((held["last"] - held["first"]) / timedelta(hours=1))
    return say(word, board=found["board"], n=held["snapshots"], span=span, on=say.day(on))


def _next(found: Row, say: Words, filters: Filters) -> Row:
    head = say("card_next", n=len(found["topics"]))
    if found["next"]:
        row = found["next"][0]
        small = say("next_chance", chance=say.percent(row["probability"]))
        return {"kind": "next", "head": head, "big": row["topic"], "small": small, "link": _link(found, row, filters)}
    if found["forecast"]:
        return {"kind": "next", "head": head, "big": "·", "small": say("no_next", least=say.percent(boards.NEXT_LEAST)),
                "link": None}  # fmt: skip
    return {"kind": "next", "head": head, "big": say("no_forecast_card"), "small": say("no_forecast_why"), "link": None}


def _promise(site: Site, board: str, say: Words) -> str:
    """What the rule's alerts were worth in the backtest, as it says itself; and what its live ones were."""
    told = site.views.rows("alerts", {"board": board, "detector": None}, ("promise",), sort="-at", most=1)
    return say("promised", promise=told[0]["promise"]) if told else say("unproven")


def sparkline(row: Row, found: Row) -> Row:
    """Points of the path in a box of WIDTH x HEIGHT, best place on top; the zone is the top ten."""
    seen = [(hours, place) for hours, place in row["path"] if place is not None]
    lowest = max(12, *(place for _, place in seen))
    gap_h = 1.6 * (found["cadence_h"] or 3.0)

    def at(hours: float, place: float) -> tuple[float, float]:
        x = EDGE + (hours + 48) / 48 * (WIDTH - 2 * EDGE)
        return round(x, 1), round(EDGE + (place - 1) / (lowest - 1) * (HEIGHT - 2 * EDGE), 1)

    lines: list[list[tuple[float, float]]] = []
    before: float | None = None
    for hours, place in row["path"]:
        if place is None:
            before = None
            continue
        if before is None or hours - before > gap_h:
            lines.append([])
        lines[-1].append(at(hours, place))
        before = hours
    return {
        "lines": [" ".join(f"{x},{y}" for x, y in line) for line in lines if len(line) > 1],
        "dots": [line[0] for line in lines if len(line) == 1], "now": at(*seen[-1]),
        "best": min(place for _, place in seen), "top_edge": at(0, 10.5)[1],
    }  # fmt: skip
