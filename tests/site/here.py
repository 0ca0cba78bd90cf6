"""The filtered stream as served on loopback."""

from __future__ import annotations

from typing import Any

from spiders.stream import XStream


class XStreamHere(XStream):
    name = "x_stream_here"
    url = "{target}"
    hosts = ("127.0.0.1",)

    def __init__(self, at: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.api = f"http://{at}"
