"""The notebook runs from top to bottom on a real database and draws every chart that has rows."""

from __future__ import annotations

import json

import altair as alt
import pytest

from analysis.exports.charts import DRAWINGS
from crawler.config import ROOT
from crawler.storage.store import Store

from .scene import FIRST, NEWER

NOTEBOOK = json.loads((ROOT / "charts" / "tidemark.ipynb").read_text())


@pytest.mark.filterwarnings("ignore:.*Altair.*")
def test_the_notebook_runs_and_draws(mongo_uri, database, monkeypatch):
    store = Store(database)
    store.save([*FIRST, *NEWER])
    store.close()
    database["board_entries"].update_many({}, {"$set": {"volume": 20_000}})
    monkeypatch.setenv("MONGODB_URI", mongo_uri)
    monkeypatch.setenv("MONGODB_DATABASE", database.name)
    monkeypatch.chdir(ROOT / "charts")
    names = {"__name__": "notebook"}
    for cell in NOTEBOOK["cells"]:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), cell["id"], "exec"), names)
    drawn = names["charts"]
    assert {"Topics over time", "Most viewed posts", "Hashtags of posts", "Prices a day", "Posts kept"} <= set(drawn)
    assert set(drawn) <= {each.title for each in DRAWINGS}
    assert alt.vconcat(*drawn.values()).to_dict()["vconcat"]


def test_the_notebook_is_kept_without_outputs():
    assert [cell for cell in NOTEBOOK["cells"] if cell.get("outputs") or cell.get("execution_count")] == []
