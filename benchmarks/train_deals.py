"""Learns analysis/commerce/deals_weights.json. python -m benchmarks.train_deals [--check]

From posts made by us and from ../shared/gold/deals. The weights are of features with names that say what they are; no
text goes in. --check writes nothing and prints cross-validated figures instead: each post of the gold set is read by
models that never saw its fold; the deal model there is fed with roles from models that never saw the post either.
"""

from __future__ import annotations

import json
import random
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from analysis.commerce.deals import IS_DEAL, NOT_MONEY, WEIGHTS
from analysis.commerce.deals_amounts import candidates
from analysis.commerce.deals_cues import cues
from analysis.commerce.deals_currency import Home
from analysis.commerce.deals_features import PostView
from analysis.commerce.deals_fold import fold, mask
from benchmarks.deals_gold import Labelled, gold, left_over, made, rows, scorer, scores
from crawler.config import load

FOLDS, SEED = 5, 0
RARE = 2  # occurrences; a feature of fewer says more of a post than of language
ROLE_STRENGTH, DEAL_STRENGTH = 0.4, 0.3  # inverse of the regulariser; 0.2 to 1 alike within the folds
LEFT_OVER = 0.2  # weight of a post of the stream without money, beside one of the labelled sets


@dataclass(frozen=True)
class Example:
    view: PostView
    features: list[list[str]]
    roles: list[str]
    is_deal: bool
    weight: float


def example(post: Labelled, weight: float = 1.0) -> Example:
    folded, home = fold(post.text), Home(post.text, post.language, post.links)
    found = candidates(mask(folded), home)
    view = PostView(folded, home.language, found, cues(folded))
    roles = [
        next((role for start, end, role in post.spans if each.start < end and each.end > start), NOT_MONEY)
        for each in found
    ]
    return Example(view, [view.amount(at) for at in range(len(found))], roles, post.is_deal, weight)


class Fitted:
    """A logistic regression over named features that hold or do not."""

    def __init__(self, told: list[list[str]], labels: list[Any], weights: list[float], strength: float) -> None:
        seen = Counter(name for names in told for name in set(names))
        self.columns = {name: at for at, name in enumerate(sorted(name for name, n in seen.items() if n >= RARE))}
        self.model = LogisticRegression(C=strength, max_iter=3000)
        self.model.fit(self._matrix(told), labels, sample_weight=weights)

    def _matrix(self, told: list[list[str]]) -> Any:
        rows = [sorted({self.columns[name] for name in names if name in self.columns}) for names in told]
        ends = np.cumsum([0, *map(len, rows)])
        columns = [at for row in rows for at in row]
        return sparse.csr_matrix((np.ones(len(columns)), columns, ends), shape=(len(rows), len(self.columns)))

    def says(self, told: list[list[str]]) -> list[dict[Any, float]]:
        if not told:
            return []
        found = self.model.predict_proba(self._matrix(told))
        return [dict(zip(self.model.classes_.tolist(), row.tolist(), strict=True)) for row in found]

    def kept(self, classes: list[str] | None = None) -> dict[str, Any]:
        """As JSON: a weight for each class; of two classes the first has none."""
        weights = (
            self.model.coef_ if len(self.model.classes_) > 2 else np.vstack([0 * self.model.coef_, self.model.coef_])
        )
        bias = self.model.intercept_ if len(self.model.classes_) > 2 else np.array([0, *self.model.intercept_])
        named = {name: [round(float(each), 3) for each in weights[:, at]] for name, at in self.columns.items()}
        named["bias"] = [round(a + float(b), 3) for a, b in zip(named["bias"], bias, strict=True)]
        shown = {name: row for name, row in named.items() if any(abs(each) >= 0.02 for each in row)}
        return {"classes": classes or self.model.classes_.tolist(), "weights": shown}


def fit_roles(examples: Sequence[Example]) -> Fitted:
    return Fitted(
        [names for each in examples for names in each.features],
        [role for each in examples for role in each.roles],
        [each.weight for each in examples for _ in each.roles],
        ROLE_STRENGTH,
    )


def fit_deal(examples: Sequence[Example], rest: Sequence[Example]) -> Fitted:
    """*rest* feeds the roles but is not judged."""
    said: dict[int, list[dict[Any, float]]] = {}
    for part in range(FOLDS):
        model = fit_roles([each for at, each in enumerate(examples) if at % FOLDS != part] + list(rest))
        for at in range(part, len(examples), FOLDS):
            said[at] = model.says(examples[at].features)
    return Fitted(
        [each.view.deal(said[at]) for at, each in enumerate(examples)],
        [each.is_deal for each in examples], [each.weight for each in examples], DEAL_STRENGTH,
    )  # fmt: skip


def check(labelled: list[Example], others: list[Example], wanted: list[dict[str, Any]], judge: Any) -> dict[str, Any]:
    order = list(range(len(labelled)))
    random.Random(SEED).shuffle(order)
    said: dict[str, dict[str, Any]] = {}
    for part in range(FOLDS):
        held = set(order[part::FOLDS])
        known = [labelled[at] for at in order if at not in held] + others
        roles, deal = fit_roles(known), fit_deal(known, ())
        for at in held:
            told = roles.says(labelled[at].features)
            chosen = [max(each, key=each.__getitem__) for each in told]
            amounts = [
                {
                    "value": str(c.value), "value_max": c.value_max and str(c.value_max), "currency": c.currency,
                    "role": role,
                }
                for c, role in zip(labelled[at].view.found, chosen, strict=True) if role != NOT_MONEY
            ]  # fmt: skip
            probability = deal.says([labelled[at].view.deal(told)])[0][True]
            said[wanted[at]["id"]] = {"amounts": amounts, "is_deal": probability > IS_DEAL}
    real = [row for row in wanted if not row.get("synthetic")]
    synthetic = [row for row in wanted if row.get("synthetic")]
    return {
        name: scores(judge, part, said) for name, part in (("all", wanted), ("real", real), ("synthetic", synthetic))
    }


def main(arguments: Sequence[str] = ()) -> int:
    shared = load().shared_dir
    path = shared / "gold" / "deals" / "deals_seen.jsonl"
    if not path.is_file():
        sys.stderr.write(f"train_deals: no labelled posts at {path}; set TIDEMARK_SHARED\n")
        return 1
    labelled = [example(post) for post in gold(path)]
    stream = (example(post, LEFT_OVER) for post in left_over(shared / "captures" / "tweets" / "twitterstream", path))
    others = [example(post) for post in made()] + [each for each in stream if each.features]
    if "--check" in arguments:
        judge = scorer(path.parent, path.parent)
        print(json.dumps(check(labelled, others, rows(path), judge), indent=1))
        return 0
    known = labelled + others
    kept = {"roles": fit_roles(known).kept(), "deal": fit_deal(known, ()).kept(["other", "deal"])}
    lines = [_lines(name, model) for name, model in kept.items()]
    Path(WEIGHTS).write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    return 0


def _lines(name: str, model: dict[str, Any]) -> str:
    """A feature a line, so that a change of the weights can be read."""
    weights = ",\n".join(f"  {json.dumps(key)}: {json.dumps(row)}" for key, row in sorted(model["weights"].items()))
    return f'"{name}": {{"classes": {json.dumps(model["classes"])}, "weights": {{\n{weights}\n}}}}'


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
