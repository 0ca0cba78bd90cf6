"""Bytes of a dump wherever it lies: a file, an address, an object store; read forwards, and what is cut is known."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from importlib import import_module
from pathlib import Path
from typing import IO, Any, cast
from urllib.parse import urlsplit

SCHEMES = ("https", "http", "s3", "gs")
TIMEOUT_S = 60
WAITS_S = (0.0, 2.0, 10.0)
"""Before the rest is asked for, when a connection breaks."""


def is_afar(source: str) -> bool:
    return urlsplit(source).scheme in SCHEMES


def shown(source: str) -> str:
    """As it may be told: what follows '?' may be a signature, what stands before '@' a password."""
    if not is_afar(source):
        return source
    scheme, place, path, *_ = urlsplit(source)
    return f"{scheme}://{place.rpartition('@')[2]}{path}"


@contextmanager
def opened(source: str) -> Iterator[IO[bytes]]:
    """Of s3 and gs it can be sought. Raises OSError, and of an object store what its client raises."""
    scheme = urlsplit(source).scheme
    if scheme in ("http", "https"):
        fetched = _Fetched(source)
        try:
            yield cast(IO[bytes], fetched)
        finally:
            fetched.close()
    elif scheme in ("s3", "gs"):
        try:
            fsspec: Any = import_module("fsspec")
        except ImportError:
            raise OSError(f"{scheme}:// needs the extra: pip install 'tidemark[objects]'") from None
        with fsspec.open(source, "rb") as file:
            yield cast(IO[bytes], file)
    else:
        with Path(source).open("rb") as local:
            yield local


class Counted:
    """A stream that knows how much of it was read, and whether it ended before its end."""

    def __init__(self, raw: IO[bytes], afar: bool = False) -> None:
        self.raw = raw
        self.at = 0
        self._afar = afar
        self._cut = ""

    @property
    def cut(self) -> str:
        """Why it is not whole; empty while it is."""
        return self._cut or str(getattr(self.raw, "cut", ""))

    def read(self, size: int = -1) -> bytes:
        if self._cut:
            return b""
        try:
            data = self.raw.read(size)
        except Exception as error:  # object stores raise what they like
            if not self._afar:
                raise
            self._cut = f"cut: after {self.at:,} bytes no more came ({type(error).__name__}: {error})"
            return b""
        self.at += len(data)
        return data


class _Fetched:
    """An answer over HTTP. Where the connection breaks and the server can give the rest, the rest is asked for."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self._answer = self._ask({})
        headers = self._answer.headers
        length = headers.get("Content-Length")
        self._length = int(length) if length and length.isdecimal() else None
        tag = headers.get("ETag") or ""
        self._same = tag if tag.startswith('"') else headers.get("Last-Modified")
        self.cut = ""

    def _ask(self, more: dict[str, str]) -> Any:
        headers = {"User-Agent": "tidemark (dump reader)", "Accept-Encoding": "identity", **more}
        return urllib.request.urlopen(urllib.request.Request(self._source, headers=headers), timeout=TIMEOUT_S)

    def read(self, size: int = -1) -> bytes:
        problem = self.cut
        for wait_s in (*WAITS_S, None):
            if self.cut:
                break
            try:
                data: bytes = self._answer.read(size)
                if data or size == 0 or self._length is None or self._at >= self._length:
                    self._at += len(data)
                    return data
                problem = "the connection ended"
            except (OSError, HTTPException) as error:
                problem = f"{type(error).__name__}: {error}"
            if wait_s is None or not self._rest(wait_s):
                of = "" if self._length is None else f" of {self._length:,}"
                self.cut = f"cut: {self._at:,}{of} bytes came ({problem})"
        return b""

    def _rest(self, wait_s: float) -> bool:
        """Whether the rest of the very same file can be read now, or may be later."""
        if self._length is None or not self._same:
            return False
        time.sleep(wait_s)
        self._answer.close()
        try:
            self._answer = self._ask({"Range": f"bytes={self._at}-", "If-Range": self._same})
        except (OSError, HTTPException):
            return True
        told = str(self._answer.headers.get("Content-Range") or "")
        return bool(self._answer.status == 206 and told.startswith(f"bytes {self._at}-"))

    def close(self) -> None:
        self._answer.close()
