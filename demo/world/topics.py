"""What people talk about: topics with bursts, and the boards that rank them by place."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from demo.world import names
from demo.world.chance import dice, noise, share
from demo.world.curves import Burst, rhythm

HIDDEN_BELOW = 10_000  # as the v1.1 API: no volume under about ten thousand
LISTED_FROM = 40
BOARD_ROWS = 50
REFRESH_H = 1 / 12  # the site makes its list anew every five minutes
WEEK_H = 168.0
FESTIVAL = "#FestivalDoFarol"
"""The first of the planted ones: its hashtag and the searches for it rise with it."""
LONGEST_H = 2 * WEEK_H  # no burst lasts longer, so that older weeks need not be asked


@dataclass(frozen=True, slots=True)
class Place:
    code: str
    woeid: int
    name: str
    slug: str
    people: float
    """How much is said there, beside Brazil."""
    peak_hour: float
    """Hour (UTC) at which most is said."""


PLACES = {
    place.code: place
    for place in (
        Place("world", 1, "Worldwide", "", 1.0, 18.0),
        Place("br", 23424768, "Brazil", "brazil", 1.0, 23.0),
        Place("us", 23424977, "United States", "united-states", 1.5, 1.0),
        Place("pt", 23424925, "Portugal", "portugal", 0.2, 21.0),
    )
}


@dataclass(frozen=True, slots=True)
class Topic:
    name: str
    home: str
    """Place where it is loudest."""
    base: float
    """Posts in 24 hours on a quiet day at home."""
    category: str

    def loudness(self, place: str) -> float:
        """How much of its volume at home it has at a place."""
        if place in (self.home, "world"):
            return 1.0 if place == self.home else 1.25
        people = PLACES[place].people
        return people * (0.3 if self.home == "world" else 0.25 * share("loud", self.name, place) ** 2)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a board, with what the site knows and what it shows."""

    position: int
    topic: str
    exact: int
    promoted: bool

    @property
    def volume(self) -> int | None:
        """What the site shows: nothing below its floor, nothing for what was bought."""
        return None if self.promoted or self.exact < HIDDEN_BELOW else self.exact


class Talk:
    """All topics of one seed. Hours count from the world's start."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.topics = {topic.name: topic for topic in _topics(seed)}
        self.planted = _planted(seed, list(self.topics.values()))
        self.bursts = lru_cache(maxsize=None)(self._bursts)
        self.board = lru_cache(maxsize=256)(self._board)

    def bursts_near(self, topic: str, at_h: float) -> tuple[Burst, ...]:
        """Every burst that may still be felt at a moment."""
        week = int(at_h // WEEK_H)
        return tuple(
            burst
            for each in range(week - int(LONGEST_H // WEEK_H), week + 1)
            for burst in self.bursts(topic, each)
            if burst.onset_h < at_h < burst.end_h
        )

    def _bursts(self, topic: str, week: int) -> tuple[Burst, ...]:
        """Bursts that set in during a week: planted ones, and now and then others."""
        own = [burst for name, burst in self.planted if name == topic]
        if own and -LONGEST_H <= week * WEEK_H <= own[-1].end_h:
            return tuple(burst for burst in own if burst.onset_h // WEEK_H == week)  # nothing beside it, nor before
        made: list[Burst] = []
        chance = dice(self.seed, "burst", topic, week)
        for _ in range(chance.choices((0, 1, 2), (50, 40, 10))[0]):
            onset_h = (week + chance.random()) * WEEK_H
            rise_h, half_life_h = chance.uniform(1.5, 14), chance.uniform(3, 22)
            made.append(Burst(onset_h, onset_h + rise_h, half_life_h, 10 ** chance.uniform(4.0, 5.6)))
        return tuple(sorted(made, key=lambda burst: burst.onset_h))

    def volume(self, topic: str, place: str, at_h: float) -> int:
        """Posts on a topic in the 24 hours before, at a place."""
        each, where = self.topics[topic], PLACES[place]
        quiet = each.base * rhythm(at_h, where.peak_hour, 0.3)
        loud = sum(burst.value(at_h) for burst in self.bursts_near(topic, at_h))
        wander = 1 + 0.12 * noise(at_h, 2.0, self.seed, topic)
        return int((quiet + loud) * wander * each.loudness(place))

    def _board(self, place: str, slot: int) -> tuple[Row, ...]:
        at_h = slot * REFRESH_H
        loud = sorted(((self.volume(name, place, at_h), name) for name in self.topics), reverse=True)
        names_by_rank = [(exact, name, False) for exact, name in loud if exact >= LISTED_FROM]
        day = int(at_h // 24)
        if share(self.seed, "bought", place, day) < 0.5:  # on such a day one place on the list is sold
            at = 1 + int(share(self.seed, "where", place, day) * 5)
            exact, name, _ = names_by_rank.pop(len(names_by_rank) // 2)
            names_by_rank.insert(at, (exact, name, True))
        if share(self.seed, "twice", place, slot) < 0.01 and len(names_by_rank) > 9:
            names_by_rank.insert(9, names_by_rank[5])  # real lists repeat a name now and then
        return tuple(
            Row(position, name, exact, promoted)
            for position, (exact, name, promoted) in enumerate(names_by_rank[:BOARD_ROWS], start=1)
        )


def _topics(seed: int) -> list[Topic]:
    made = [f"{first} {second}" for first in names.FIRST for second in names.SECOND]
    dice(seed, "topics").shuffle(made)
    found = []
    for name in (*names.TOPICS, *made[:52]):
        chance = dice(seed, "topic", name)
        home = chance.choices(("br", "us", "pt", "world"), (50, 25, 10, 15))[0] if name in made else "br"
        category = chance.choice(("Sports", "Music", "Politics", "Trending", "Entertainment"))
        found.append(Topic(name, home, 10 ** chance.uniform(3.0, 4.25), category))
    return found


def _planted(seed: int, topics: list[Topic]) -> tuple[tuple[str, Burst], ...]:
    """Bursts that lie within the first five days, whatever the seed: there is always something to see."""
    chance = dice(seed, "planted")
    brazilian = [topic.name for topic in topics if topic.home == "br" and topic.name != FESTIVAL]
    found = []
    for n, name in enumerate((FESTIVAL, *chance.sample(brazilian, 4))):
        onset_h = 4 + 20 * n + chance.uniform(0, 8)
        rise_h, half_life_h = chance.uniform(4, 10), chance.uniform(4, 9)
        found.append((name, Burst(onset_h, onset_h + rise_h, half_life_h, 10 ** chance.uniform(5.3, 5.8))))
    return tuple(found)
