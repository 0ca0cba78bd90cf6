"""Scrapy's item pipeline without what ours do not need: a call and at most one await for each step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from scrapy import Request
from scrapy.exceptions import DropItem
from scrapy.pipelines import ItemPipelineManager


@dataclass(frozen=True, slots=True)
class Bundle:
    """All items of one page, sent through the pipelines as one: Scrapy's own work for an item costs as much as ours.

    Only where nobody listens to single items (no -o).
    """

    items: tuple[Any, ...]


def bundled(found: Iterable[Any]) -> Iterator[Any]:
    """The requests of a page, and its items as one; also those that came before it failed."""
    items: list[Any] = []
    try:
        for each in found:
            if isinstance(each, Request):
                yield each
            else:
                items.append(each)
    except Exception:
        if items:
            yield Bundle(tuple(items))
        raise
    if items:
        yield Bundle(tuple(items))


class DirectPipelines(ItemPipelineManager):
    """The same components in the same order; an item costs a third of Scrapy's generic chain.

    Components take `process_item(item)`, plain or async, as all of ours do.
    """

    async def process_item_async(self, item: Any) -> Any:
        if not isinstance(item, Bundle):
            return await self._through(item)
        error: Exception | None = None
        for each in item.items:
            try:
                await self._through(each)
            except DropItem:
                continue  # the pipeline that dropped it has counted it
            except Exception as failure:  # one broken item does not cost the others
                error = failure
        if error is not None:
            raise error
        return item

    async def _through(self, item: Any) -> Any:
        for step in self.methods["process_item"]:
            given = type(item)
            item = step(item)  # type: ignore[misc]
            # What came back as it went in waits for nothing; asking a model for attributes it lacks is slow.
            if type(item) is not given and hasattr(item, "__await__"):
                item = await item
        return item
