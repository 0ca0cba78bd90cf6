"""The promises of texts on real captures and labelled sets, where they are at hand."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.text import language, main, score_folder
from benchmarks.text_gold import Labelled, folds, umsab
from benchmarks.text_parts import copies, echo
from crawler.config import load

SHARED = load().shared_dir
pytestmark = pytest.mark.skipif(not SHARED.exists(), reason=f"the captures and labelled sets are not at {SHARED}")


def test_a_list_that_holds_posts_many_times_counts_each_once_and_fyp_does_not_win():
    found = echo(SHARED)
    assert (found["rows"], found["posts"]) == (3645, 214)
    assert "fyp" not in [term.casefold() for term, _, _ in found["best"]]
    assert found["best_by_rows"][0][0] == "fyp"


def test_languages_of_full_tweets_and_of_their_first_four_words():
    for scores in language(SHARED).values():
        assert scores["full"] >= 0.97
        assert scores["four_words"] >= 0.88


def test_planted_copies_are_found_and_others_stay_apart():
    found = copies(SHARED)
    assert found["recall"] >= 0.99
    assert found["wrongly_joined"] == 0


def test_the_shipped_model_is_scored_on_any_folder(tmp_path):
    data = umsab(SHARED / "gold", ("val",)).take(np.arange(969) % 17 == 0)
    write(tmp_path / "portuguese", "test", data)
    report = score_folder(tmp_path)["portuguese"]
    assert set(report) == {"test"}
    assert report["test"]["n"] == report["test"]["seen_in_training"] == len(data)
    assert report["test"]["low"] <= report["test"]["macro_f1"] <= report["test"]["high"]
    json.dumps(report)
    assert score_folder(tmp_path / "nothing") == {}


@pytest.mark.parametrize(
    ("labels", "told"), [(None, "labels.txt is not"), ("1\n7\n", "found"), ("1\n", "but 1 labels")]
)
def test_a_folder_that_cannot_be_scored_says_what_is_needed(tmp_path, capsys, labels, told):
    (tmp_path / "spanish").mkdir()
    (tmp_path / "spanish" / "val_text.txt").write_text("uno\ndos\n", encoding="utf-8")
    if labels is not None:
        (tmp_path / "spanish" / "val_labels.txt").write_text(labels, encoding="utf-8")
    assert main(["--sentiment", str(tmp_path), "--json"]) == 2
    assert told in capsys.readouterr().err


def write(folder, split, data: Labelled):
    folder.mkdir()
    (folder / f"{split}_text.txt").write_text("\n".join(data.texts) + "\n", encoding="utf-8")
    (folder / f"{split}_labels.txt").write_text("\n".join(map(str, data.labels)) + "\n", encoding="utf-8")


def test_the_same_text_is_always_in_the_same_fold():
    texts = ["Bom dia @ana", "bom dia @bia https://a.example", "outra coisa"]
    found = folds(Labelled(texts, np.zeros(3, np.int64), ["pt"] * 3))
    assert found[0] == found[1]
