"""Step by step, from what is stored only, is what all rows of the board tell at once; on drawn boards."""

import random
from datetime import timedelta

import pytest

from analysis.trends.carried import carry_on, document, life_of
from analysis.trends.evolution import EPOCH, board_clock, board_evolution
from analysis.trends.life import Window

from .lists import drawn_board

GAP = timedelta(hours=2)


def told_at_once(boards, entries):
    rows = board_evolution(boards, entries, GAP).to_dict("records")
    whole = [{name: each for name, each in row.items() if not (each is None or each != each)} for row in rows]
    return {each["topic_key"]: each for each in without_missing(whole)}


def without_missing(rows):
    return [{name: each for name, each in row.items() if str(each) not in ("<NA>", "NaT")} for row in rows]


def columns(documents):
    return {key: {name: each for name, each in row.items() if name != "carry"} for key, row in documents.items()}


def steps(boards, entries, sizes):
    """Documents after each step of so many snapshots, every step from the documents of the one before."""
    moments = sorted(boards["at"].unique())
    kept, done, number, whole, last_whole = {}, 0, 0, 0, -1
    for size in sizes:
        upto = moments[min(done + size, len(moments)) - 1]
        since = moments[max(done - 1, 0)]
        new_boards = boards[(boards["at"] >= since) & (boards["at"] <= upto)]
        rows = entries[(entries["at"] >= since) & (entries["at"] <= upto)]
        clock = board_clock(new_boards, rows, GAP)
        window = Window(clock, number, whole - clock.whole[0] if done else 0, last_whole)
        fresh = rows[rows["at"] > since] if done else rows
        standing = moments[last_whole] if last_whole >= 0 else EPOCH
        asked = set(fresh["topic_key"])
        stored = [each for key, each in kept.items() if key in asked or each["last_seen"] >= standing]
        kept |= {each["topic_key"]: each for each in carry_on(stored, fresh, window)}
        done, number, whole, last_whole = done + size, window.newest, window.whole[-1], window.last_whole
        yield kept, boards[boards["at"] <= upto], entries[entries["at"] <= upto]


@pytest.mark.parametrize("seed", range(60))
def test_every_step_is_what_all_rows_tell(seed):
    boards, entries = drawn_board(seed, snapshots=16)
    rng = random.Random(seed)
    sizes = []
    while sum(sizes) < 16:
        sizes.append(min(rng.randint(1, 5), 16 - sum(sizes)))
    for kept, known, rows in steps(boards, entries, sizes):
        assert columns(kept) == told_at_once(known, rows)


@pytest.mark.parametrize("size", [39, 40, 41, 70])
def test_a_path_of_volumes_without_end_is_told_by_its_ends(size):
    boards, entries = drawn_board(size, snapshots=2 * size, topics=4)
    [*_, (kept, known, rows)] = steps(boards, entries, [1] * (2 * size))
    assert columns(kept) == told_at_once(known, rows)
    assert all(each["volumes"].count(" -> ") <= 40 for each in kept.values())


@pytest.mark.parametrize("seed", range(20))
def test_in_one_step_or_in_many_what_is_kept_to_go_on_is_the_same(seed):
    boards, entries = drawn_board(seed, snapshots=12)
    [*_, (many, _, _)] = steps(boards, entries, [1] * 12)
    [(at_once, _, _)] = steps(boards, entries, [12])
    assert many == at_once


@pytest.mark.parametrize("seed", range(10))
def test_what_is_kept_is_read_as_it_was_written(seed):
    boards, entries = drawn_board(seed)
    window = Window(board_clock(boards, entries, GAP))
    for each in carry_on((), entries, window):
        assert document(life_of(each), window) == each


def test_a_document_that_is_none_is_refused():
    with pytest.raises(ValueError, match="first_seen"):
        life_of({"topic_key": "t", "carry": {"last": 0}, "snapshots_possible": 1})


def test_a_board_without_rows_has_no_documents():
    boards, entries = drawn_board(1)
    window = Window(board_clock(boards, entries.head(0), GAP))
    assert carry_on((), entries.head(0), window) == []
