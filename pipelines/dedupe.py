"""Dedupe: the very same item twice in a run (featured cards, overlapping pages) goes on once."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from scrapy.exceptions import DropItem

from crawler.context import Accounts, Context
from crawler.items import Item

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

REMEMBERED = 50_000  # bounded, so that memory is flat; a forgotten repeat is caught by the store


class DedupePipeline:
    def __init__(self, accounts: Accounts) -> None:
        self.accounts = accounts
        self.seen: set[int] = set()
        self.order: deque[int] = deque()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> DedupePipeline:
        return cls(Context.of(crawler).accounts)

    def process_item(self, item: Item) -> Item:
        content = hash(item)  # every field counts: moment, capture and parser too
        if content in self.seen:
            self.accounts.settled(item.capture, "repeated")
            raise DropItem("repeated")
        self.seen.add(content)
        self.order.append(content)
        if len(self.order) > REMEMBERED:
            self.seen.remove(self.order.popleft())
        return item
