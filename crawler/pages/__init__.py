"""Page objects, one module per platform: bytes in, items out."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from crawler.pages import base
from crawler.pages.base import Follow, Page, Reading, capture_id

__all__ = ["Follow", "Page", "Reading", "capture_id", "choose", "load_all"]


@cache
def load_all() -> dict[str, type[Page]]:
    """Import every page module, so that a new platform needs no list to be edited."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return Page.registry


def choose(url: str, body: bytes) -> type[Page] | None:
    """The page class for a response: by URL, else by what it holds; None when nobody knows it."""
    load_all()
    return base.choose(url, body)
