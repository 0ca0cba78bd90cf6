"""Boards that other people saved as files: each format is a page object like any other.

A file holds one moment and is one page, or it holds many (Cut) and is cut into one page a moment.
"""

from crawler.pages.boards import BoardPage, Row, Snapshot
from crawler.pages.tables import tiktok, weibo, x, youtube
from crawler.pages.tables.base import CutTable, Part, TablePage, lines_of

__all__ = [
    "BoardPage",
    "CutTable",
    "Part",
    "Row",
    "Snapshot",
    "TablePage",
    "lines_of",
    "tiktok",
    "weibo",
    "x",
    "youtube",
]
