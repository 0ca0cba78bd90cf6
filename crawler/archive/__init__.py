"""Captures: every response as it came, in WARC files, written before it is parsed."""

from crawler.archive.model import ArchiveError, Capture, CaptureMissing, Lane, capture_id
from crawler.archive.store import Archive

__all__ = ["Archive", "ArchiveError", "Capture", "CaptureMissing", "Lane", "capture_id"]
