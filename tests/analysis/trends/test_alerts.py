"""Alerts: who is told, how often, what became of it, and that a watch costs nothing of the truth."""

import json
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta

import pytest

from analysis.cli import main
from analysis.trends import alerts, backtest, models, team
from analysis.trends.alerts import Candidate, Earned, Rule, State, decide
from analysis.trends.entry import Question
from analysis.trends.streams import Stream
from crawler.storage.alerts import Alerts

from .lists import START, snapshot, world

QUESTION = Question(top=5, horizon_h=3)
QUICK = backtest.Settings(members=team.ALONE)
RULE = Rule("x:trends:br", Question(1, 3), least=0.4, per_day=2)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def seen(**chances):
    return [Candidate(key, key, chance, {}) for key, chance in chances.items()]


def told(state, hours, **chances):
    found, after = decide(RULE, state, NOON + timedelta(hours=hours), seen(**chances))
    return [each.topic_key for each in found], after


def test_a_topic_is_told_once_while_its_probability_stays_up():
    first, state = told(State(), 0, a=0.5)
    again, state = told(state, 1, a=0.3)
    still, state = told(state, 30, a=0.9)  # never below half of the threshold in between
    assert (first, again, still) == (["a"], [], [])
    fallen, state = told(state, 31, a=0.1)
    back, _ = told(state, 60, a=0.9)
    assert (fallen, back) == ([], ["a"])


def test_not_again_within_the_quiet_time():
    _, state = told(State(), 0, a=0.5)
    _, state = told(state, 1, a=0.1)
    assert told(state, 2, a=0.9)[0] == []
    assert told(state, 25, a=0.9)[0] == ["a"]


def test_the_budget_of_a_day_goes_to_the_likeliest():
    first, state = told(State(), 0, a=0.5, b=0.9, c=0.6)
    assert first == ["b", "c"]
    assert told(state, 1, d=0.99)[0] == []
    assert told(state, 13, d=0.99)[0] == ["d"]


def test_true_false_and_not_known():
    alert = {"at": START, "until": START + timedelta(hours=3), "topic_key": "a", "top": 1}
    in_time, too_late = snapshot(2, "a", "b"), snapshot(4, "a", "b")
    assert alerts.outcome(alert, Stream("x", [in_time], {})) is True
    assert alerts.outcome(alert, Stream("x", [snapshot(2, "b", "a")], {})) is None
    assert alerts.outcome(alert, Stream("x", [snapshot(2, "b", "a"), too_late], {})) is False
    assert alerts.outcome(alert, Stream("x", [too_late], {})) is None
    assert alerts.unanswerable(alert, Stream("x", [too_late], {}))


def test_without_local_history_a_rule_says_unproven_here():
    assert RULE.promise == "unproven here"
    earned = Earned(0.5, 0.4, 0.6, 1.5, 100, NOON)
    proven = Rule("b", Question(1, 3), 0.4, 2, earned=earned)
    assert proven.promise == "50% came true (40% to 60%, n 100), median lead 1.5 h, backtested to 2026-01-01"
    assert alerts.with_least(proven, 0.9).promise == "unproven here"
    assert alerts.with_least(proven, 0.4) is proven


def test_the_interval_of_a_share_is_wilsons():
    assert alerts.wilson(0, 0) == (0, 1)
    assert alerts.wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert "too few to judge" in alerts.live([{"came_true": True}])


def test_telling_twice_is_telling_once_and_a_mark_is_never_changed(database):
    store = Alerts(database)
    rows = [alerts.document(RULE, NOON, each) for each in seen(a=0.5, b=0.6)]
    assert (store.tell(rows), store.tell(rows), store.tell([])) == (2, 0, 0)
    key = rows[0]["_id"]
    store.settle({key: (True, NOON)})
    store.settle({key: (False, NOON)})
    assert {each["_id"]: each.get("came_true") for each in store.all(RULE.name)}[key] is True
    assert [each["_id"] for each in store.unsettled(RULE.name)] == [rows[1]["_id"]]


@pytest.fixture(scope="module")
def trained():
    whole = world(days=25)
    return whole, models.train(whole, QUESTION, QUICK, 5).model


def test_a_watch_fed_one_by_one_is_the_same_as_from_scratch(trained, tmp_path):
    whole, model = trained
    scratch, told = models.replay(model, model.rule, whole.snapshots, whole.names)
    half, early = models.replay(model, model.rule, whole.snapshots[:300], whole.names)
    models.save(tmp_path / "m.joblib", model, half)
    _, kept = models.load(tmp_path / "m.joblib")
    late = [each for one in whole.snapshots[300:] for each in kept.add(model, model.rule, one, whole.names)]
    assert early + late == told
    assert kept.state == scratch.state
    assert kept.add(model, model.rule, whole.snapshots[-1], whole.names) == []


def test_a_model_says_what_it_was_trained_on_and_refuses_other_input(trained, tmp_path):
    whole, model = trained
    watch, _ = models.replay(model, model.rule, whole.snapshots[:2], whole.names)
    models.save(tmp_path / "m.joblib", model, watch)
    about = json.loads((tmp_path / "m.json").read_text())
    assert about["rows"] == model.rows > 1000
    models.check(model, whole)
    with pytest.raises(models.ModelDoesNotFit, match="trained on made:up"):
        models.check(model, Stream("other", whole.snapshots, {}))
    with pytest.raises(models.ModelDoesNotFit, match="h apart"):
        models.check(model, Stream("made:up", whole.snapshots[::8], {}))
    (tmp_path / "m.joblib").write_bytes(b"something else")
    with pytest.raises(models.ModelDoesNotFit, match="digest"):
        models.load(tmp_path / "m.joblib")
    assert models.load(tmp_path / "none.joblib") is None


def fill(database, snapshots):
    rows = []
    for each in snapshots:
        head = {"board": "made:up", "at": each.at, "observed_at": each.at, "capture": "c"}
        for place, (key, volume) in enumerate(zip(each.keys, each.volumes, strict=True), 1):
            row = {"position": place, "topic": key, "topic_key": key, "volume": round(volume)}
            rows.append({"_id": f"{each.at:%s}#{place}", **head, **row})
    database["board_entries"].insert_many(rows, ordered=False)


def test_alerts_from_the_command_line_are_kept_and_settled(database, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("TIDEMARK_DATA", str(tmp_path))
    whole = world(days=20)
    fill(database, whole.snapshots[:-6])

    def run(*more):
        arguments = ["alerts", "--board", "made:up", "--top", "5", "--quick", "--database", database.name, *more]
        assert main(arguments, open_client=lambda _: nullcontext(database.client)) == 0
        return capsys.readouterr().out

    assert "nothing was written" in run("--preview")
    assert database["alerts"].count_documents({}) == 0
    assert "learning from" in run()
    for i in range(6, 0, -1):
        fill(database, whole.snapshots[-i : len(whole.snapshots) - i + 1])
        out = run()
    assert "learning" not in out
    kept = list(database["alerts"].find())
    assert 0 < len(kept) <= 20
    assert {"probability", "evidence", "promise", "until"} <= set(kept[0])
    assert any("came_true" in each for each in kept)
    assert "settled" in out


def test_with_too_little_history_the_nearest_are_named_and_nothing_is_promised(database, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("TIDEMARK_DATA", str(tmp_path))
    fill(database, world(days=2).snapshots)
    arguments = ["alerts", "--board", "made:up", "--top", "5", "--database", database.name]
    assert main(arguments, open_client=lambda _: nullcontext(database.client)) == 0
    out = capsys.readouterr().out
    assert "no alerts" in out
    assert "unproven here" in out
    assert database["alerts"].count_documents({}) == 0
