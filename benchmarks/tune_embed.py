"""Learns the heads that read sentiment from the tokens of the language model, and says how well by cross-validation.

python -m benchmarks.tune_embed [--cache DIR] [--folds N] [--save] prints macro-F1 with intervals over folds of train
and validation: of the heads, and of the heads with the small model beside them, whose share is chosen for each fold by
the others. --save learns from all of them and writes analysis/text/weights/sentiment_embed.npz, with the confusion
of the cross-validation. The form of the heads was set once and not searched by these figures.

Needs jax and optax (pip install jax optax), which nothing else here needs. The states of the tokens take three
minutes on a core; each fold then takes a minute for all heads. Same seeds, same figures.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.text.embedding import WIDTH
from analysis.text.encoder import Encoder, packed_model
from analysis.text.features import readable
from analysis.text.sentiment import LANGUAGES, LAYERS, WEIGHTS, Head, Heads, beside
from benchmarks.text import DRAWS, f1, measured
from benchmarks.text_gold import FOLDS, Labelled, folds, umsab
from benchmarks.train_text import confusion, out_of_fold
from crawler.config import load

Array = npt.NDArray[Any]
SEEDS = 3  # heads, averaged
VOICES, DEEP = 8, 48  # of a head: places it looks at, numbers it takes from each
EPOCHS, BATCH, RATE, DECAY = 6, 64, 1e-3, 0.05
DROPPED_IN, DROPPED_OUT, SMOOTHED = 0.1, 0.3, 0.15
LONGEST = 64  # tokens learnt from
SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)  # of the small model


@dataclass(frozen=True)
class States:
    """Tokens of all texts, one after another, and where each text begins."""

    tokens: npt.NDArray[np.float16]
    starts: npt.NDArray[np.int64]

    def padded(self, chosen: Array) -> tuple[Array, Array]:
        size = np.minimum(self.starts[chosen + 1] - self.starts[chosen], LONGEST)
        wide = -(-int(size.max()) // 16) * 16  # few shapes, few compilations
        x, real = np.zeros((len(chosen), wide, WIDTH), np.float16), np.zeros((len(chosen), wide), np.float32)
        for row, (at, count) in enumerate(zip(self.starts[chosen].tolist(), size.tolist(), strict=True)):
            x[row, :count], real[row, :count] = self.tokens[at : at + count], 1
        return x, real


def states(data: Labelled, cache: Path | None) -> States:
    kept = cache and cache / "states.npz"
    if kept and kept.exists():
        with np.load(kept) as held:
            return States(held["tokens"], held["starts"])
    made: list[Array] = [np.zeros(0)] * len(data)
    for chosen, x, real in Encoder(packed_model(), LAYERS)([readable(text) or "." for text in data.texts]):
        for row, at in enumerate(chosen):
            made[at] = x[row, : int(real[row].sum())].astype(np.float16)
    found = States(np.concatenate(made), np.cumsum([0, *map(len, made)]))
    if kept:
        np.savez(kept, tokens=found.tokens, starts=found.starts)
    return found


def learn(held: States, data: Labelled, train: Array, seed: int) -> Head:
    """One head from the texts *train*."""
    import jax
    import jax.numpy as jnp
    import optax

    codes = np.array([LANGUAGES.index(code) for code in data.languages])
    sample, real = held.padded(train[:512])
    seen = sample[real > 0].astype(np.float32)
    centre, scale = seen.mean(axis=0), float(seen.std(axis=0).mean())
    keys = jax.random.split(jax.random.PRNGKey(seed), 3)
    params = {
        "look": jax.random.normal(keys[0], (WIDTH, VOICES)) * 0.02,
        "take": jax.random.normal(keys[1], (WIDTH, VOICES * DEEP)) * 0.05,
        "say": jax.random.normal(keys[2], (VOICES * DEEP, 3)) * 0.01,
        "own": jnp.zeros((len(LANGUAGES), 3)),
    }

    def loss(params: Any, x: Any, real: Any, labels: Any, code: Any, key: Any) -> Any:
        first, second = jax.random.split(key)
        x = (x.astype(jnp.float32) - centre) / scale
        x = x * jax.random.bernoulli(first, 1 - DROPPED_IN, (x.shape[0], 1, WIDTH)) / (1 - DROPPED_IN)
        ties = jax.nn.softmax(x @ params["look"] + jnp.where(real > 0, 0, -1e9)[..., None], axis=1)
        taken = jax.nn.gelu((x @ params["take"]).reshape(*x.shape[:2], VOICES, DEEP))
        told = jnp.einsum("bth,bthv->bhv", ties, taken).reshape(x.shape[0], -1)
        told = told * jax.random.bernoulli(second, 1 - DROPPED_OUT, told.shape) / (1 - DROPPED_OUT)
        wanted = jax.nn.one_hot(labels, 3) * (1 - SMOOTHED) + SMOOTHED / 3
        return -(jax.nn.log_softmax(told @ params["say"] + params["own"][code]) * wanted).sum(1).mean()

    steps = EPOCHS * (len(train) // BATCH)
    way = optax.chain(
        optax.clip_by_global_norm(1.0),
        optax.adamw(optax.cosine_decay_schedule(RATE, steps), weight_decay=DECAY),
    )  # fmt: skip

    @jax.jit
    def step(params: Any, kept: Any, *batch: Any) -> Any:
        change, kept = way.update(jax.grad(loss)(params, *batch), kept, params)
        return optax.apply_updates(params, change), kept

    kept, key, rng = way.init(params), jax.random.PRNGKey(1000 + seed), np.random.default_rng(seed)
    for _ in range(EPOCHS):
        for chosen in batches(held, rng.permutation(train), rng):
            key, now = jax.random.split(key)
            params, kept = step(params, kept, *held.padded(chosen), data.labels[chosen], codes[chosen], now)
    look, take, say, own = (np.asarray(params[name], np.float32) for name in ("look", "take", "say", "own"))
    return Head(look / scale, take / scale, say, own, -centre @ look / scale, -centre @ take / scale)


def batches(held: States, order: Array, rng: np.random.Generator) -> list[Array]:
    """Texts of like length together, so that little is computed for padding; the batches in an order of chance."""
    size = held.starts[order + 1] - held.starts[order]
    parts = [np.arange(start, min(start + 8 * BATCH, len(order))) for start in range(0, len(order), 8 * BATCH)]
    sorted_ = np.concatenate([part[np.argsort(size[part], kind="stable")] for part in parts])
    made = [order[sorted_[start : start + BATCH]] for start in range(0, len(order) - BATCH + 1, BATCH)]
    return [made[at] for at in rng.permutation(len(made))]


def said(heads: Heads, held: States, data: Labelled, chosen: Array) -> Array:
    """Probabilities, rows as *chosen*."""
    made = np.zeros((len(chosen), 3), np.float32)
    for start in range(0, len(chosen), BATCH):
        x, real = held.padded(chosen[start : start + BATCH])
        codes = [data.languages[at] for at in chosen[start : start + BATCH]]
        made[start : start + BATCH] = heads.read(x.astype(np.float32), real, codes)
    return made


def cross_validated(held: States, data: Labelled, count: int, cache: Path | None) -> Array:
    """Of each text by heads that never saw its fold; folds that are done lie in *cache*."""
    fold, made = folds(data, count), np.zeros((len(data), 3), np.float32)
    for each in range(count):
        kept = cache and cache / f"fold{each}of{count}.npy"
        if kept and kept.exists():
            made[fold == each] = np.load(kept)
            continue
        heads = Heads(tuple(learn(held, data, np.flatnonzero(fold != each), seed) for seed in range(SEEDS)))
        made[fold == each] = said(heads, held, data, np.flatnonzero(fold == each))
        if kept:
            np.save(kept, made[fold == each])
        sys.stderr.write(f"fold {each + 1} of {count}\n")
    return made


def chosen_within(heads: Array, small: Array, data: Labelled, count: int) -> tuple[Array, list[float]]:
    """Probabilities with the small model beside the heads, in the share that does best on the other folds; shares."""
    fold, made, shares = folds(data, count), np.zeros_like(heads), []
    codes = np.array(data.languages)

    def score(share: float, rows: Array) -> float:
        said_ = beside(heads[rows], small[rows], share).argmax(axis=1)
        return sum(f1(data.labels[rows][at], said_[at]) for at in (codes[rows] == code for code in LANGUAGES))

    for each in range(count):
        shares.append(max(SHARES, key=lambda share: score(share, fold != each)))
        made[fold == each] = beside(heads[fold == each], small[fold == each], shares[-1])
    return made, shares


def _gain(labels: Array, one: Array, other: Array) -> list[float]:
    """Macro-F1 of *one* less that of *other* on the same texts, with its 95 % interval over drawn texts."""
    rng = np.random.default_rng(1)
    drawn = [rng.integers(0, len(labels), len(labels)) for _ in range(DRAWS)]
    ends = np.percentile([f1(labels[at], one[at]) - f1(labels[at], other[at]) for at in drawn], [2.5, 97.5])
    return [round(float(each), 4) for each in (f1(labels, one) - f1(labels, other), *ends)]


def _final(held: States, data: Labelled, seed: int, cache: Path | None) -> Head:
    """From all texts; from *cache* where it was learnt before."""
    kept = cache and cache / f"head{seed}.npz"
    if kept and kept.exists():
        with np.load(kept) as parts:
            return Head(*(parts[name] for name in Head._fields))
    made = learn(held, data, np.arange(len(data)), seed)
    if kept:
        np.savez(kept, **made._asdict())
    return made


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tune_embed")
    parser.add_argument(
        "--cache", type=Path, metavar="DIR", help="go on from what lies here, and keep it: states (150 MB) and folds"
    )
    parser.add_argument("--folds", type=int, default=FOLDS, metavar="N", help=f"how many (default {FOLDS})")
    parser.add_argument("--save", action="store_true", help="learn from all folds and write the weights")
    args = parser.parse_args(arguments)
    data = umsab(load().shared_dir / "gold")
    held = states(data, args.cache)
    heads = cross_validated(held, data, args.folds, args.cache)
    both, shares = chosen_within(heads, out_of_fold(data, args.folds), data, args.folds)
    codes, said_ = np.array(data.languages), both.argmax(axis=1)
    found: dict[str, Any] = {"shares": shares}
    for code in LANGUAGES:
        own = codes == code
        found[code] = {
            **measured(data.labels[own], said_[own]), "heads": measured(data.labels[own], heads[own].argmax(axis=1)),
            "gain": _gain(data.labels[own], said_[own], heads[own].argmax(axis=1)),
        }  # fmt: skip
    print(json.dumps(found, indent=2))
    if args.save:
        final = Heads(tuple(_final(held, data, seed, args.cache) for seed in range(SEEDS)))
        final.save(WEIGHTS / "sentiment_embed.npz", confusion(data.labels, said_))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
