"""Validate: the model, then what must hold inside one item. Refused is kept, with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from itemadapter import ItemAdapter
from pydantic import ValidationError
from scrapy.exceptions import DropItem

from crawler.context import Accounts, Context, now
from crawler.items import KINDS, Board, BoardEntry, Item, Offer, Post, Refused, as_json_text, reason_of

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.statscollectors import StatsCollector


def broken_rule(item: Item) -> str | None:
    """The first rule this item breaks by itself. Neighbouring values are no matter of pipelines."""
    values = item.__dict__
    for name in item.counters:
        if values.get(f"{name}_precision") is not None and values[name] is None:
            return f"{name}_precision_without_value"
    match item:
        case Offer(price=price, list_price=before) if before is not None and (price is None or before <= price):
            return "list_price_not_above_price"
        case Post(created_at=created, observed_at=seen) if created is not None and created > seen:
            return None if item.at_precision else "created_after_observed"
        case BoardEntry(volume=int(), volume_floor=int()):
            return "volume_both_shown_and_hidden"
        case Board(size=int() as size, got=int() as got) if size > got:
            return "size_above_got"
    return None


class ValidatePipeline:
    def __init__(self, accounts: Accounts, stats: StatsCollector) -> None:
        self.accounts = accounts
        self.stats = stats

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> ValidatePipeline:
        assert crawler.stats is not None
        return cls(Context.of(crawler).accounts, crawler.stats)

    def process_item(self, item: Any) -> Item:
        if isinstance(item, Refused):
            self._refuse(item)
        made = item if isinstance(item, Item) else self._modelled(item)
        if reason := broken_rule(made):
            self._refuse(Refused.of(made.kind, reason, made.model_dump(mode="json"), made))
        return made

    def _modelled(self, item: Any) -> Item:
        """A plain item of somebody's own spider, by its kind."""
        data = ItemAdapter(item).asdict()
        model = KINDS.get(str(data.get("kind")))
        try:
            if model is None:
                raise ValueError("kind_unknown")
            return model.model_validate(data)
        except ValueError as error:
            reason = reason_of(error) if isinstance(error, ValidationError) else str(error)
            # Who made it is unknown, so it is kept under what it says of itself.
            return self._refuse(
                Refused(
                    kind=str(data.get("kind"))[:40], reason=reason, data=as_json_text(data),
                    url=str(data.get("url", ""))[:2000], observed_at=now(),
                    capture=str(data.get("capture") or "none")[:64], parser="unknown.item@0",
                )
            )  # fmt: skip

    def _refuse(self, refused: Refused) -> Item:
        self.accounts.refused.append(refused)
        self.accounts.settled(refused.capture, "refused")
        self.stats.inc_value(f"item/refused/{refused.kind}/{refused.reason}")
        raise DropItem(refused.reason)
