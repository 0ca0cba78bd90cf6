"""Stored numbers against the world's truth: a number that is not what was so at its moment is a false one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import pandas as pd

from crawler.storage.reads import Reader
from demo.world import World
from demo.world.topics import PLACES, Row

PROFILE_COUNTERS = ("followers", "likes", "videos")


@dataclass(frozen=True, slots=True)
class Verdict:
    compared: int
    false: tuple[str, ...]
    """One line each: what, when, stored, true."""


def check(reader: Reader, world: World) -> Verdict:
    """Compare every profile counter, board row and offer in a database with the truth at its moment."""
    found = [*_profiles(reader, world), *_boards(reader, world), *_offers(reader, world)]
    return Verdict(len(found), tuple(line for line in found if line))


def _profiles(reader: Reader, world: World) -> Iterator[str]:
    """A line for each number compared: empty when it is true."""
    for entity in reader.entities("profile")["entity"]:
        for row in _rows(reader.observations(entity)):
            true = world.truth(row["at"]).profiles.get(entity)
            for name in PROFILE_COUNTERS:
                if pd.isna(row[name]):
                    continue
                step = 0 if pd.isna(row[f"{name}_precision"]) else int(row[f"{name}_precision"])
                stored = int(row[name])
                exact = None if true is None else true[name]
                yield _line(isinstance(exact, int) and abs(stored - exact) <= step, entity, row["at"], stored, exact)


def _boards(reader: Reader, world: World) -> Iterator[str]:
    for place in PLACES:
        board = f"x:trends:{place}"
        for at, rows in reader.entries(board).groupby("at"):
            moment: datetime = pd.Timestamp(at).to_pydatetime()  # type: ignore[arg-type]
            rank = dict(enumerate(_ranked(world.board(place, moment)), start=1))
            for row in _rows(rows):
                stored = (row["topic"], None if pd.isna(row["volume"]) else int(row["volume"]))
                exact = rank.get(int(row["position"]))
                yield _line(stored == exact, f"{board}#{row['position']}", moment, stored, exact)


def _ranked(shown: tuple[Row, ...]) -> list[tuple[str, int | None]]:
    """Topics and volumes as Tidemark ranks them: what was bought takes no rank and stands behind the others."""
    earned, bought = ([row for row in shown if row.promoted is is_bought] for is_bought in (False, True))
    return [(row.topic, row.volume) for row in (*earned, *bought)]


def _offers(reader: Reader, world: World) -> Iterator[str]:
    for entity in reader.entities("offer")["entity"]:
        host, _, key = str(entity).partition(":product:")
        for row in _rows(reader.observations(entity)):
            true = world.truth(row["at"]).offers.get(key)
            before = None if pd.isna(row["list_price"]) else row["list_price"]
            stored = (row["price"], before, bool(row["available"]))
            exact = None if true is None else (_units(true["cents"]), _units(true["was"]), true["available"])
            yield _line(stored == exact, f"{host}:{key}", row["at"], stored, exact)


def _units(cents: Any) -> Decimal | None:
    return None if cents is None else Decimal(cents) / 100


def _rows(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for row in frame.to_dict("records"):
        yield {
            str(name): value.to_pydatetime() if isinstance(value, pd.Timestamp) else value
            for name, value in row.items()
        }


def _line(is_true: bool, what: str, at: datetime, stored: object, exact: object) -> str:
    return "" if is_true else f"{what} at {at:%Y-%m-%d %H:%M}: stored {stored}, true {exact}"
