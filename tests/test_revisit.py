"""Looks go where numbers move, the budget is never exceeded, nothing starves, and order of captures does not matter."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest

from crawler.revisit import (
    MOST_LOOKS,
    POLICIES,
    STARVED,
    Allowance,
    Candidate,
    Difference,
    Evenly,
    Learned,
    Look,
    Rates,
    intervals_h,
    learn,
    paced,
    plan,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def look(hour: float, value: float, step: float = 1.0, mark: str = "") -> Look:
    return Look(NOON + hour * HOUR, f"c{hour}", {"views": (value, step)}, mark)


def known(waited_h: float, changes: float, hours: float = 100.0, growth: float = 0.1) -> Learned:
    return Learned(NOON - waited_h * HOUR, 10, 5, changes, growth, hours)


def test_a_number_within_its_rounding_has_not_changed_and_steps_are_counted() -> None:
    assert not Difference.of(look(0, 1_200_000, 100_000), look(1, 1_200_000, 100_000)).changed
    found = Difference.of(look(0, 1_200_000, 100_000), look(5, 1_500_000, 100_000))
    assert (found.changed, found.steps, found.growth) == (True, 3, 0.2)


def test_a_number_that_a_page_no_longer_shows_has_not_changed() -> None:
    assert not Difference.of(look(0, 5), Look(NOON + HOUR, "c", {})).changed


def test_a_list_in_another_order_has_changed_though_it_shows_no_number() -> None:
    before, after = Look(NOON, "a", {}, "x y"), Look(NOON + HOUR, "b", {}, "y x")
    assert Difference.of(before, after).changed
    assert not Difference.of(before, before).changed


def test_what_is_learnt_does_not_depend_on_the_order_in_which_captures_come() -> None:
    looks = [look(hour, 1000 + 7 * hour) for hour in range(0, 60, 3)]
    expected = learn(looks, 1.0)
    for seed in range(5):
        Random(seed).shuffle(looks)
        assert learn([*looks, *looks[:4]], 1.0) == expected
    assert learn([], 1.0) is None


def test_only_the_newest_looks_of_a_target_are_remembered() -> None:
    found = learn([look(hour, hour) for hour in range(MOST_LOOKS + 50)], 1.0)
    assert found is not None
    assert found.looks == MOST_LOOKS - 1


@pytest.mark.parametrize("every_h", [2, 6])
def test_rare_looks_at_a_list_without_numbers_do_not_hide_how_often_it_changes(every_h: int) -> None:
    random, state, looks = Random(4), 0, []
    for hour in range(900):
        state += random.random() < 0.3
        if hour % every_h == 0:
            looks.append(Look(NOON + hour * HOUR, str(hour), {}, str(state)))
    found = learn(looks[-MOST_LOOKS:], 1.0)
    assert found is not None
    naive = found.useful / (found.looks * every_h)
    assert abs(found.changes / found.hours - 0.3) < abs(naive - 0.3)


@pytest.mark.parametrize("name", POLICIES)
def test_no_policy_takes_more_than_the_budget_or_a_host_allows(name: str) -> None:
    random = Random(name)
    for _ in range(50):
        targets = [
            Candidate(str(n), "s", 1.0, known(random.uniform(1, 90), random.uniform(0, 90)) if n % 5 else None,
                      random.choice((1.0, 2.0, 3.5)), random.choice("ab"))
            for n in range(40)
        ]  # fmt: skip
        allowance = Allowance(random.uniform(0, 30), 10, {"a": random.uniform(0, 9)}, 7, 2)
        taken = {each.id for each in plan(POLICIES[name], targets, NOON, allowance) if each.taken}
        assert sum(each.pages for each in targets if each.id in taken) <= allowance.now
        for host, most in (("a", allowance.hosts["a"]), ("b", 7)):
            assert sum(each.pages for each in targets if each.id in taken and each.host == host) <= most


def test_without_a_limit_everything_is_taken() -> None:
    targets = [Candidate(str(n), "s", 1.0, known(1, n)) for n in range(9)]
    assert all(each.taken for each in plan(POLICIES["value"], targets, NOON, Allowance()))


@pytest.mark.parametrize("name", ["change", "value"])
def test_what_moves_is_looked_at_more_often_and_what_does_not_never_starves(name: str) -> None:
    numbers = {f"fast{n}": 1.0 for n in range(3)} | {f"slow{n}": 0.001 for n in range(17)}
    learned: dict[str, Learned | None] = dict.fromkeys(numbers)
    last: dict[str, Look] = {}
    at: dict[str, list[int]] = {each: [] for each in numbers}
    for hour in range(1000):
        now = NOON + hour * HOUR
        targets = [Candidate(each, "s", 1.0, learned[each]) for each in numbers]
        for each in plan(POLICIES[name], targets, now, Allowance(4, 4)):
            if each.taken:
                seen = look(hour, 1000 + int(hour * numbers[each.id]))
                before = learned[each.id]
                learned[each.id] = (
                    before.after(Difference.of(last[each.id], seen), now, 1.0) if before else Learned(now)
                )
                last[each.id] = seen
                at[each.id].append(hour)
    loads = Counter({each: len(hours) for each, hours in at.items()})
    assert loads.total() <= 4000
    assert min(loads[f"fast{n}"] for n in range(3)) > 5 * max(loads[f"slow{n}"] for n in range(17))
    longest = max(b - a for hours in at.values() for a, b in pairwise([*hours, 1000]))
    assert longest <= STARVED * 5 + 5  # 20 targets, 4 looks an hour


@pytest.mark.parametrize("name", POLICIES)
def test_no_look_becomes_less_urgent_while_it_waits(name: str) -> None:
    random = Random(3)
    evenly = Evenly(5.0, 7.0, 9.0, 0.1)
    for _ in range(50):
        rates = Rates(10 ** random.uniform(-6, 0), 10 ** random.uniform(-9, 0), 1.0)
        urgent = [POLICIES[name].urgency(rates, hours / 4, evenly) for hours in range(400)]
        assert urgent == sorted(urgent)


@pytest.mark.parametrize("name", POLICIES)
def test_a_choice_depends_on_no_unit_of_time(name: str) -> None:
    """The same list with hours for minutes: twice the slots, waits and intervals, half the rates."""

    def taken(times: float) -> set[str]:
        random = Random(5)
        targets = [
            Candidate(str(n), "s", times, Learned(NOON - random.uniform(1, 30) * times * HOUR, 9, 5,
                      random.uniform(0, 60), random.uniform(0, 2), 100 * times))
            for n in range(40)
        ]  # fmt: skip
        found = plan(POLICIES[name], targets, NOON, Allowance(8, 8 / times))
        return {each.id for each in found if each.taken}

    assert taken(1.0) == taken(2.0) == taken(24.0)


def test_large_changes_come_before_small_ones_where_value_counts_and_only_there() -> None:
    targets = [Candidate(f"{size:g}", "s", 1.0, known(3, 10, growth=size)) for size in (0.001, 0.1, 5.0)]
    evenly = Allowance(1, 1)
    assert [each.id for each in plan(POLICIES["value"], targets, NOON, evenly)] == ["5", "0.1", "0.001"]
    assert len({each.urgency for each in plan(POLICIES["change"], targets, NOON, evenly)}) == 1


def test_what_is_new_is_looked_at_first_and_then_evenly_until_it_is_known_how_it_moves() -> None:
    """However still its source usually is: what is new moves fast or not at all."""
    still = [Candidate(f"s{n}", "s", 1.0, replace(known(n / 10, 0), looks=30)) for n in range(18)]
    for waited_h, looks, taken in ((None, 0, True), (10, 0, True), (10, 1, False), (20, 1, True), (39, 2, False),
                                   (40, 2, True), (75, 9, False)):  # fmt: skip
        learned = None if waited_h is None else replace(known(waited_h, 0), looks=looks)
        moving = Candidate("m", "s", 1.0, known(5, 90))
        targets = [*still, Candidate("new", "s", 1.0, learned), moving]
        found = plan(POLICIES["change"], targets, NOON, Allowance(1, 2))  # an even interval is 10 h
        assert (next(each.id for each in found if each.taken) == "new") is taken


def test_a_wall_is_not_asked_sooner_because_it_showed_little() -> None:
    for shown, taken in ((True, True), (False, False)):
        behind = Candidate("wall", "s", 1.0, Learned(NOON - 10 * HOUR), shown=shown)
        targets = [behind, *(Candidate(f"m{n}", "s", 1.0, known(15, 90)) for n in range(9))]
        found = plan(POLICIES["change"], targets, NOON, Allowance(1, 1))  # an even interval is 10 h
        assert next(each.taken for each in found if each.id == "wall") is taken


def test_a_number_that_grew_from_nothing_does_not_outweigh_all_others() -> None:
    assert Difference.of(look(0, 0), look(1, 5_000_000)).growth == 1
    assert Difference.of(look(0, 5_000_000), look(1, 0)).growth == 1


def test_uniform_takes_whoever_waited_longest() -> None:
    targets = [Candidate(str(n), "s", 1.0, known(n + 1, 90 - n)) for n in range(9)]
    taken = [each.id for each in plan(POLICIES["uniform"], targets, NOON, Allowance(3, 3)) if each.taken]
    assert taken == ["8", "7", "6"]


def test_a_target_that_needs_many_pages_is_saved_up_for_and_not_passed_over_for_ever() -> None:
    targets = [Candidate("big", "s", 1.0, known(500, 1), 5.0), *(Candidate(str(n), "s", 1.0, known(2, 90)) for n in
               range(9))]  # fmt: skip
    assert not any(each.taken for each in plan(POLICIES["change"], targets, NOON, Allowance(3, 3)))
    assert plan(POLICIES["change"], targets, NOON, Allowance(5, 3))[0].taken


def test_a_new_target_is_taken_for_one_of_its_source_until_it_is_known() -> None:
    quick = [Candidate(f"q{n}", "quick", 1.0, known(3, 80)) for n in range(5)]
    still = [Candidate(f"s{n}", "still", 1.0, known(3, 0.5)) for n in range(5)]
    one_look = Learned(NOON - 3 * HOUR)
    targets = [*quick, *still, Candidate("a", "still", 1.0, one_look), Candidate("z", "quick", 1.0, one_look)]
    order = [each.id for each in plan(POLICIES["change"], targets, NOON, Allowance(1, 1))]
    assert order.index("z") < order.index("a")


def test_intervals_take_what_is_allowed_and_no_more() -> None:
    targets = [Candidate(str(n), "s", 1.0, known(3, 10.0 * n)) for n in range(10)]
    found = intervals_h(POLICIES["change"], targets, Allowance(per_h=2))
    assert sum(1 / each for each in found.values()) == pytest.approx(2, rel=0.01)
    assert found["9"] < found["1"]


def test_a_day_is_spread_over_its_hours_to_the_last_page() -> None:
    spent = 0.0
    for hour in range(24):
        now = paced(7, spent, (hour + 1) / 24)
        assert now in (0, 1)
        spent += now
    assert spent == 7
    assert paced(7, 9, 1.0) == 0


def test_what_is_learnt_is_kept_as_it_is() -> None:
    found = learn([look(hour, hour) for hour in range(9)], 1.0)
    assert found is not None
    assert Learned.read(found.document()) == found
