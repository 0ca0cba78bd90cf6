"""What was seen of each target, look by look, from the ledger and what its captures left; and what that has taught.

Kept beside the target (`targets.learned`) and made from its newest captures each time, so that it is the same in
whatever order they came.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from bson import Decimal128
from bson.codec_options import CodecOptions
from pymongo import UpdateOne
from pymongo.database import Database

from crawler.items import KINDS
from crawler.outcomes import Outcome
from crawler.revisit import MOST_LOOKS, Learned, Look, learn
from crawler.schedule import Watch, slot_at

Document = dict[str, Any]
TOGETHER = 20  # targets read at once
MOST_PAGES = 20 * MOST_LOOKS  # rows of the ledger that are read of a target
COUNTERS = {kind: model.counters for kind, model in KINDS.items() if model.counters}
WHOLES = ("profile", "hashtag", "sound")
_NAMES = {name for counters in COUNTERS.values() for name in counters}


@dataclass(frozen=True, slots=True)
class Known:
    """Of one target."""

    learned: Learned
    """Its `at` is that of the newest try, whatever came of it: a wall is not asked again at once."""
    seen: datetime | None
    """The newest look that showed something."""
    pages: float
    """A look takes, on average."""
    host: str
    """That most of them come from."""


class Looks:
    def __init__(self, database: Database[Document]) -> None:
        options: CodecOptions[Document] = CodecOptions(tz_aware=True, tzinfo=UTC)
        self._database = database.with_options(codec_options=options)

    def known(self, ids: Iterable[str]) -> dict[str, Known]:
        """As it was kept; targets of which nothing is known are left out."""
        asked = {"_id": {"$in": list(ids)}, "learned": {"$type": "object"}}
        return {row["_id"]: _known(row["learned"]) for row in self._database["targets"].find(asked, {"learned": 1})}

    def brought_up_to_date(self, watches: Sequence[Watch]) -> dict[str, Known]:
        """What is known of each, after reading anew those that were tried since it was kept."""
        known = self.known(each.id for each in watches)
        tried = self._tried(watches)
        behind = [
            each for each in watches
            if each.id in tried and (each.id not in known or tried[each.id] > known[each.id].learned.at)
        ]  # fmt: skip
        return known | self.rebuild(behind)

    def rebuild(self, watches: Sequence[Watch]) -> dict[str, Known]:
        """From captures, and kept."""
        made: dict[str, Known] = {}
        for i in range(0, len(watches), TOGETHER):
            part = watches[i : i + TOGETHER]
            rows = {each.id: self._rows(each) for each in part}
            shown = self._shown(list(rows.values()))
            for each in part:
                if rows[each.id]:
                    made[each.id] = _made(each, rows[each.id], shown)
        if made:
            self._database["targets"].bulk_write(
                [UpdateOne({"_id": name}, {"$set": {"learned": _document(each)}}) for name, each in made.items()],
                ordered=False,
            )
        return made

    def _tried(self, watches: Sequence[Watch]) -> dict[str, datetime]:
        """When each target was last asked for, by whichever spider; costs a look into the index for each."""
        newest: list[Document] = [
            {"$match": {"target": {"$in": sorted({each.value for each in watches})}}},
            {"$sort": {"target": 1, "at": -1}}, {"$group": {"_id": "$target", "at": {"$first": "$at"}}},
        ]  # fmt: skip
        at = {row["_id"]: row["at"] for row in self._database["fetches"].aggregate(newest)}
        return {each.id: at[each.value] for each in watches if each.value in at}

    def _rows(self, watch: Watch) -> list[Document]:
        """Of the ledger, those of its newest looks, oldest first."""
        wanted = dict.fromkeys(("at", "outcome", "capture", "url", "lane"), 1)
        asked = {"target": watch.value, "spider": watch.spider}
        newest = self._database["fetches"].find(asked, wanted).sort("at", -1).limit(MOST_PAGES)
        slots: set[datetime] = set()
        found = []
        for row in newest:
            slots.add(slot_at(row["at"], watch.every))
            if len(slots) > MOST_LOOKS:
                break
            found.append(row)
        return found[::-1]

    def _shown(self, targets: Sequence[Sequence[Document]]) -> dict[str, list[Look]]:
        """What each capture showed, by its id: counters of entities, and lists. targets: the rows of each."""
        found: dict[str, list[Look]] = defaultdict(list)
        captures = [each for rows in targets for each in _captures(rows)]
        if not captures:
            return found
        self._counted(found, WHOLES, [row["at"] for rows in targets for row in rows], captures)
        for board in self._database["boards"].find({"capture": {"$in": captures}}, {"board": 1, "at": 1, "capture": 1}):
            found[board["capture"]].append(self._list(board))
        # The parts of a whole are not read: an account's counters tell of its posts, at a hundredth of the documents.
        others = [rows for rows in targets if not any(each in found for each in _captures(rows))]
        kinds = [each for each in COUNTERS if each not in WHOLES]
        moments = [row["at"] for rows in others for row in rows]
        self._counted(found, kinds, moments, [each for rows in others for each in _captures(rows)])
        return found

    def _counted(
        self, found: dict[str, list[Look]], kinds: Sequence[str], moments: Sequence[datetime], captures: Sequence[str]
    ) -> None:
        if not captures:
            return
        asked: Document = {
            "kind": {"$in": list(kinds)},
            "at": {"$in": sorted(set(moments))},
            "capture": {"$in": captures},
        }
        wanted = {name: 1 for each in _NAMES for name in (each, f"{each}_precision")}
        head = {"entity": 1, "kind": 1, "at": 1, "capture": 1}
        for row in self._database["observations"].find(asked, wanted | head):
            numbers = {
                f"{row['entity']} {name}": value
                for name in COUNTERS[row["kind"]] if (value := _number(row, name)) is not None
            }  # fmt: skip
            found[row["capture"]].append(Look(row["at"], row["capture"], numbers))

    def _list(self, board: Document) -> Look:
        wanted = {"topic_key": 1, "volume": 1, "volume_precision": 1}
        asked = {"board": board["board"], "at": board["at"]}
        order = list(self._database["board_entries"].find(asked, wanted).sort("position", 1))
        numbers = {
            f"{board['board']} {row['topic_key']}": number
            for row in order if (number := _number(row, "volume")) is not None
        }  # fmt: skip
        topics = "\n".join(str(row.get("topic_key")) for row in order)
        return Look(board["at"], board["capture"], numbers, hashlib.sha256(topics.encode()).hexdigest()[:16])


def _captures(rows: Iterable[Document]) -> list[str]:
    return [row["capture"] for row in rows if row["outcome"] == Outcome.OK and "capture" in row]


def _number(row: Mapping[str, Any], name: str) -> tuple[float, float] | None:
    """With the step of its rounding; what is no number, such as a currency, has none."""
    value: Any = row.get(name)
    if isinstance(value, Decimal128):  # a price
        return float(value.to_decimal()), 0.01
    if isinstance(value, (int, float)):
        return float(value), float(row.get(f"{name}_precision") or 1)
    return None


def _made(watch: Watch, rows: Sequence[Document], shown: Mapping[str, Sequence[Look]]) -> Known:
    by_slot: dict[datetime, list[Document]] = defaultdict(list)
    for row in rows:
        by_slot[slot_at(row["at"], watch.every)].append(row)
    looks = [look for of_slot in by_slot.values() if (look := _together(of_slot, shown)) is not None]
    loaded = [row for row in rows if row.get("lane") != "replay"]
    hosts = Counter(urlsplit(str(row.get("url", ""))).hostname or "" for row in loaded)
    slots = len({slot_at(row["at"], watch.every) for row in loaded})
    tried = max(row["at"] for row in rows)
    learned = learn(looks, watch.every / timedelta(hours=1)) or Learned(tried)
    seen = learned.at if looks else None
    return Known(
        replace(learned, at=max(tried, learned.at)), seen, len(loaded) / slots if slots else 1.0,
        hosts.most_common(1)[0][0] if hosts else "",
    )  # fmt: skip


def _together(rows: Sequence[Document], shown: Mapping[str, Sequence[Look]]) -> Look | None:
    """The pages of one slot are one look; of a number shown twice, the newest."""
    parts = [
        (row["at"], row["capture"], part)
        for row in rows if row["outcome"] == Outcome.OK and "capture" in row for part in shown.get(row["capture"], ())
    ]  # fmt: skip
    if not parts:
        return None
    parts.sort(key=lambda each: (each[0], each[1], each[2].mark, sorted(each[2].numbers)))
    numbers: dict[str, tuple[float, float]] = {}
    for _, _, part in parts:
        numbers |= part.numbers
    return Look(parts[-1][0], parts[-1][1], numbers, " ".join(sorted(part.mark for _, _, part in parts if part.mark)))


def _known(row: Mapping[str, Any]) -> Known:
    return Known(Learned.read(row), row.get("seen"), float(row["pages"]), str(row["host"]))


def _document(known: Known) -> Document:
    made = {**known.learned.document(), "pages": known.pages, "host": known.host}
    return made | ({"seen": known.seen} if known.seen else {})
