"""What Scrapy may say of an item: nothing of its content, which is hostile and personal."""

from __future__ import annotations

import logging
from typing import Any

from scrapy.logformatter import LogFormatter


class QuietFormatter(LogFormatter):
    """Scraped and dropped items are counted, not printed; a failing pipeline is named, not its item."""

    def scraped(self, item: Any, response: Any, spider: Any) -> None:  # type: ignore[override]
        return None

    def dropped(self, item: Any, exception: BaseException, response: Any, spider: Any) -> None:  # type: ignore[override]
        return None

    def item_error(self, item: Any, exception: BaseException, response: Any, spider: Any) -> Any:
        return {
            "level": logging.ERROR,
            "msg": "a pipeline failed on a %(kind)s: %(error)s",
            "args": {"kind": type(item).__name__, "error": type(exception).__name__},
        }
