"""Part of the benchmark `text`: are titles that lie near of one group? By the language model and by shared words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from analysis.text.embedding import is_there
from analysis.text.nearness import BY_MODEL, BY_WORDS, Shelf, Space, space_by_model, space_by_words, together
from benchmarks.text_categories import titles

NEAREST = 5
LEAST = 3  # titles of a theme
SEED = 12


def near(shared: Path) -> dict[str, Any]:
    """Share of the nearest five titles that are of a title's own group, and how pure themes are."""
    texts, groups, _ = titles(shared / "captures")
    truth = np.array(groups)
    found: dict[str, Any] = {
        "titles": len(texts), "by_chance": round(float(np.mean([np.mean(truth == each) for each in truth])), 4)
    }  # fmt: skip
    if is_there():
        found[BY_MODEL] = _measured(space_by_model(texts, Shelf()), truth)
    return {**found, BY_WORDS: _measured(space_by_words(texts), truth)}


def _measured(held: Space, truth: np.ndarray[Any, Any]) -> dict[str, Any]:
    alike = held.alike(slice(None), slice(None))
    np.fill_diagonal(alike, -np.inf)
    best = np.argsort(-alike, axis=1, kind="stable")[:, :NEAREST]
    themes = [group for group in together(held, SEED) if len(group) >= LEAST]
    inside = sum(map(len, themes))
    pure = sum(max(np.unique(truth[group], return_counts=True)[1]) for group in themes)
    return {
        "nearest_of_own_group": round(float((truth[best] == truth[:, None]).mean()), 4),
        "themes": len(themes), "titles_in_themes": inside, "of_the_theme_s_main_group": round(pure / max(inside, 1), 4),
    }  # fmt: skip
