"""A folder to write into: of this machine, or of an object store (s3://…, gs://…). Files are whole or not there."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, Protocol

from analysis.output import OutputError

EXTRA = {"s3": "s3fs", "gs": "gcsfs", "gcs": "gcsfs"}


class Folder(Protocol):
    def write(self, name: str, body: bytes) -> None: ...
    def read(self, name: str) -> bytes | None:
        """None where there is no such file."""

    def delete(self, name: str) -> None: ...


def opened(where: str) -> Folder:
    """Raises OutputError, with the package to install where one is missing."""
    return StoreFolder(where) if "://" in where else LocalFolder(Path(where))


class LocalFolder:
    def __init__(self, path: Path) -> None:
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{path}: cannot be made a folder: {error.strerror or error}") from None
        self.path = path

    def write(self, name: str, body: bytes) -> None:
        path = self.path / name
        part = path.with_name(f"{path.name}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(body)
            part.replace(path)
        except OSError as error:
            raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from None
        finally:
            part.unlink(missing_ok=True)

    def read(self, name: str) -> bytes | None:
        path = self.path / name
        return path.read_bytes() if path.is_file() else None

    def delete(self, name: str) -> None:
        (self.path / name).unlink(missing_ok=True)


class StoreFolder:
    """Any address of fsspec; credentials are those that the store's own tools use."""

    def __init__(self, url: str) -> None:
        scheme = url.split("://", 1)[0]
        try:
            fsspec = importlib.import_module("fsspec")
            self._store, self._root = fsspec.core.url_to_fs(url.rstrip("/"))
        except (ImportError, ValueError):
            need = EXTRA.get(scheme, "fsspec")
            raise OutputError(f"{scheme}://…: needs a package: pip install fsspec {need}") from None

    def write(self, name: str, body: bytes) -> None:
        self._said(self._store.pipe_file, f"{self._root}/{name}", body)

    def read(self, name: str) -> bytes | None:
        path = f"{self._root}/{name}"
        if not self._said(self._store.exists, path):
            return None
        return bytes(self._said(self._store.cat_file, path))

    def delete(self, name: str) -> None:
        if self._said(self._store.exists, f"{self._root}/{name}"):
            self._said(self._store.rm_file, f"{self._root}/{name}")

    def _said(self, verb: Any, *arguments: Any) -> Any:
        try:
            return verb(*arguments)
        except Exception as error:  # every store has exceptions of its own; their texts may hold keys
            raise OutputError(
                f"{self._root}: the store refused ({type(error).__name__}); check its address and your keys"
            ) from None
