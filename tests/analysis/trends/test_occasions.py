"""A list around an event and during programmes: numbers that can be counted by hand."""

from datetime import timedelta

import pytest

from analysis.trends import occasions
from analysis.trends.calendars import CalendarError, Showing, read_calendar
from analysis.trends.streams import Stream

from .lists import HOUR, START, snapshot


def hourly(days, comes):
    """One new topic each hour, comes(hour of day) more of them in some; each stays for three hours."""
    taken, alive = [], {}
    for hour in range(24 * days):
        for n in range(1 + comes(hour % 24)):
            alive[f"{'show' if n else 't'}{hour}x{n}"] = hour
        alive = {key: since for key, since in alive.items() if hour - since < 3}
        taken.append(snapshot(hour, *alive))
    return Stream("b", taken, {})


def evening(days, title="The Show", first=0):
    return [
        Showing(title, START + (24 * day + 20) * HOUR, START + (24 * day + 22) * HOUR, frozenset({"show"}))
        for day in range(first, days)
    ]


def test_what_comes_while_a_programme_is_on_is_counted_and_named():
    whole = hourly(10, lambda hour: 2 if hour in (21, 22) else 0)  # seen at 21:00 and 22:00: came in the two hours
    row = occasions.shares(whole, evening(10), "UTC", 2 * HOUR).iloc[0]
    assert row["watched_h"] == 20
    assert row["came"] == 60
    assert row["of_all"] == pytest.approx(60 / (24 * 10 - 1 + 40))
    assert (row["named"], row["named_of"], row["named_beside"]) == (40, 60, 0)
    assert row["per_hour"] == 3
    assert not row["too_few"]


def test_an_evening_is_compared_with_evenings_without_it():
    whole = hourly(20, lambda hour: 4 if hour in (21, 22) else 0)  # every evening is lively, with the show or without
    row = occasions.shares(whole, evening(20, first=10), "UTC", 2 * HOUR).iloc[0]
    assert row["ratio"] == pytest.approx(1.0)
    assert row["ratio_low"] <= 1.0 <= row["ratio_high"]


def test_a_show_that_brings_topics_is_told_with_its_interval():
    busy = {24 * day + hour for day in range(10, 20) for hour in (21, 22)}
    taken = [snapshot(h, *(f"t{h}x{n}" for n in range(9 if h in busy else 3))) for h in range(24 * 20)]
    row = occasions.shares(Stream("b", taken, {}), evening(20, first=10), "UTC", 2 * HOUR).iloc[0]
    assert row["ratio"] == pytest.approx(3.0)
    assert row["ratio_low"] > 1.5


def test_a_topic_that_came_while_nobody_looked_counts_nowhere():
    whole = hourly(3, lambda hour: 0)
    gone = [each for each in whole.snapshots if not 20 <= each.at.hour <= 22]
    row = occasions.shares(Stream("b", gone, {}), evening(3), "UTC", 2 * HOUR).iloc[0]
    assert (row["watched_h"], row["came"], row["too_few"]) == (0, 0, True)


def test_a_list_before_during_and_after():
    taken = [snapshot(h, "old", *(["live"] if h >= 11 else []), *(["late"] if h >= 13 else [])) for h in range(30)]
    parts, topics = occasions.around(
        Stream("b", taken, {}), START + 10 * HOUR, START + 12 * HOUR, timedelta(hours=6), 2 * HOUR
    )
    assert parts["snapshots"].tolist() == [6, 2, 6]
    assert parts["watched_h"].tolist() == [6, 2, 6]
    assert parts["came"].tolist() == [0, 1, 1]
    found = topics.set_index("topic_key")
    assert topics["topic_key"].tolist() == ["live", "late", "old"]
    assert found.loc["live", ["came", "share_before", "share_during", "share_after"]].tolist() == ["during", 0, 0.5, 1]
    assert found.loc["late", "came"] == "after"
    assert found["new_here"].tolist() == [True, True, False]
    assert found.loc["late", "best_after"] == 3


SINCE, UNTIL = START, START + timedelta(days=30)


def test_a_calendar_of_rows_is_meant_in_the_clock_of_the_place(tmp_path):
    path = tmp_path / "tv.csv"
    path.write_text("Start,End,Minutes,Title,Words\n2026-01-02 20:30,,90,Altas Horas,\n"
                    "2026-01-03T20:30Z,2026-01-03T21:00Z,,News,jornal;TV\n2020-01-01,2020-01-02,,Old,\n")  # fmt: skip
    first, second = read_calendar(path, "America/Sao_Paulo", SINCE, UNTIL)
    assert first.start == START + timedelta(days=1, hours=23.5)
    assert first.end - first.start == timedelta(minutes=90)
    assert first.names == {"altashoras"}
    assert second.start == START + timedelta(days=2, hours=20.5)
    assert second.names == {"jornal"}  # two letters stand in too many names


ICS = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//made up//EN
BEGIN:VEVENT
UID:1
DTSTART;TZID=America/Sao_Paulo:20260103T203000
DTEND;TZID=America/Sao_Paulo:20260103T220000
RRULE:FREQ=WEEKLY;COUNT=3
EXDATE;TZID=America/Sao_Paulo:20260110T203000
SUMMARY:Altas Horas
END:VEVENT
END:VCALENDAR
"""


def test_a_weekly_programme_is_on_every_week_but_where_it_was_left_out(tmp_path):
    path = tmp_path / "tv.ics"
    path.write_text(ICS)
    found = read_calendar(path, "UTC", SINCE, UNTIL)
    assert [f"{each.start:%m-%d %H:%M%z}" for each in found] == ["01-03 20:30-0300", "01-17 20:30-0300"]
    assert found[0].title == "Altas Horas"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n", "expected the columns start"),
        ("start,end,title\nnoon,1,x\n", "line 2: expected start and end as"),
        ("start,end,title\n2026-01-02 21:00,2026-01-02 20:00,x\n", "expected an end behind the start"),
        ("start,end,title\n2019-01-02 21:00,2019-01-02 22:00,x\n", "nothing in it lies between"),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:x\n", "damaged calendar"),
        ("", "found nothing"),
    ],
)
def test_a_file_that_is_no_calendar_is_refused_with_what_was_expected(tmp_path, text, said):
    path = tmp_path / "tv.txt"
    path.write_text(text)
    with pytest.raises(CalendarError, match=said):
        read_calendar(path, "UTC", SINCE, UNTIL)
