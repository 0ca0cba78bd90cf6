"""Torn files, killed writers, full disks, several at once: what was written is there."""

from __future__ import annotations

import gzip
import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from crawler.archive import Archive, ArchiveError
from crawler.archive.index import index_path, line_of
from crawler.archive.records import Row

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("harm", ["gone", "short", "torn", "garbled", "too long", "empty"])
def test_a_lost_or_harmed_index_is_rebuilt_from_its_segment(tmp_path, harm, page, segments):
    with Archive(tmp_path) as archive:
        for number in range(50):
            archive.write(page(number, target=f"@{number}"))
            archive.note(page(number).id, "ok", {})
    index = index_path(segments(tmp_path)[0])
    whole, size = index.read_bytes(), segments(tmp_path)[0].stat().st_size
    lines = whole.splitlines(keepends=True)
    if harm == "gone":
        index.unlink()
    else:
        index.write_bytes({
            "short": b"".join(lines[:40]),
            "torn": whole[:-30],
            "garbled": b"".join(lines[:20]) + lines[20].replace(b"0", b"1") + b"".join(lines[21:]),
            "too long": whole + line_of(Row("response", "0" * 32, 0, size, 99, "0" * 64, None)),
            "empty": b"",
        }[harm])  # fmt: skip
    with Archive(tmp_path) as archive:
        assert len(archive) == 50
        assert {archive.outcome(capture_id) for capture_id in archive.ids()} == {"ok"}
        assert [c.target for c in archive.captures()] == [f"@{number}" for number in range(50)]
    assert index.read_bytes() == whole


@pytest.mark.parametrize("cut", [1, 20, 400])
def test_a_torn_last_record_is_cut_and_everything_before_it_reads(tmp_path, cut, page, segments, assert_sound):
    with Archive(tmp_path) as archive:
        for number in range(10):
            archive.write(page(number, random.Random(number).randbytes(1000)))
    segment = segments(tmp_path)[0]
    whole = segment.read_bytes()
    segment.write_bytes(whole[:-cut])
    with Archive(tmp_path, read_only=True) as archive:
        assert len(archive) == 9
        assert segment.read_bytes() == whole[:-cut]
    with Archive(tmp_path) as archive:
        assert len(archive) == 9
        assert "torn" in archive.problems[0]
        assert len(list(archive.captures())) == 9
        assert archive.write(page(9, random.Random(9).randbytes(1000)))
    assert_sound(tmp_path)
    with Archive(tmp_path) as archive:
        assert (len(archive), archive.problems) == (10, [])


def test_zeros_after_a_power_cut_are_cut_too(tmp_path, page, segments, assert_sound):
    with Archive(tmp_path) as archive:
        archive.write(page(1))
    segment = segments(tmp_path)[0]
    segment.write_bytes(segment.read_bytes() + bytes(5000))
    with Archive(tmp_path) as archive:
        assert len(archive) == 1
    assert_sound(tmp_path)


def test_an_index_that_outlived_its_records_is_not_believed(tmp_path, page, segments, assert_sound):
    with Archive(tmp_path) as archive:
        for number in range(5):
            archive.write(page(number, random.Random(number).randbytes(1000)))
    segment = segments(tmp_path)[0]
    whole = segment.read_bytes()
    segment.write_bytes(whole[:-2500] + bytes(2500))  # what a power cut may leave of the last pages
    with Archive(tmp_path) as archive:
        assert len(list(archive.captures())) == len(archive) < 5
        assert sum(archive.write(page(number, random.Random(number).randbytes(1000))) for number in range(5)) > 1
    assert_sound(tmp_path)
    with Archive(tmp_path) as archive:
        assert (len(archive), archive.problems) == (5, [])


def test_a_damaged_record_costs_itself_and_no_other(tmp_path, page, segments):
    with Archive(tmp_path) as archive:
        for number in range(10):
            archive.write(page(number, random.Random(number).randbytes(1000)))
    segment = segments(tmp_path)[0]
    harmed = bytearray(segment.read_bytes())
    for at in range(len(harmed) // 2, len(harmed) // 2 + 200):
        harmed[at] ^= 0xFF
    segment.write_bytes(harmed)
    with Archive(tmp_path) as archive:  # the index still knows it
        bad = [each for each in archive.ids() if not _readable(archive, each)]
        assert len(bad) in (1, 2)
    index_path(segment).unlink()
    with Archive(tmp_path) as archive:
        assert len(archive) == 10 - len(bad)
        assert len(list(archive.captures())) == 10 - len(bad)
        assert "unreadable" in archive.problems[0]
    assert len(segment.read_bytes()) == len(harmed)  # nothing after it was cut


def _readable(archive: Archive, capture_id: str) -> bool:
    try:
        return bool(archive.read(capture_id))
    except ArchiveError as error:
        assert "Restore" in str(error)
        return False


def test_a_live_writers_segment_is_never_touched(tmp_path, page, segments):
    with Archive(tmp_path) as writer:
        writer.write(page(1))
        segment = segments(tmp_path)[0]
        with segment.open("ab") as file:
            file.write(b"\x1f\x8b\x08 half a record, its writer is about to go on")
        torn = segment.read_bytes()
        with Archive(tmp_path) as other:
            assert page(1).id in other
        assert segment.read_bytes() == torn


def test_what_another_process_writes_later_is_found(tmp_path, page):
    with Archive(tmp_path) as early, Archive(tmp_path) as other:
        other.write(page(1))
        assert early.read(page(1).id).body == page(1).body
        other.write(page(2))
        other.note(page(2).id, "empty", {})
        early.refresh()
        assert (len(early), early.outcome(page(2).id)) == (2, "empty")


WRITE = """
import sys
from pathlib import Path
from tests_page import page
from crawler.archive import Archive
archive = Archive(Path(sys.argv[1]), segment_bytes=60_000)
for number in range(int(sys.argv[2]), int(sys.argv[3])):
    capture = page(number, b"%d " % number * 300)
    archive.write(capture)
    print(capture.id, flush=True)
    archive.note(capture.id, "ok", {})
archive.close()
"""


def writing(folder: Path, tmp_path: Path, first: int, last: int) -> subprocess.Popen[str]:
    (tmp_path / "tests_page.py").write_text(f"import sys\nsys.path[:0] = [{str(ROOT)!r}]\n" + PAGE)
    command = [sys.executable, "-c", WRITE, str(folder), str(first), str(last)]
    return subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)


PAGE = """
from datetime import UTC, datetime, timedelta
from crawler.archive import Capture
from crawler.items import Vantage
def page(number, body):
    moment = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=number)
    return Capture(f"https://waves.example/{number}", moment, 200, {}, body, "http", Vantage(), None, None)
"""


def test_several_processes_write_at_once_each_its_own_segment(tmp_path, assert_sound):
    folder = tmp_path / "archive"
    running = [writing(folder, tmp_path, first, first + 60) for first in (0, 40, 80)]  # they overlap
    said = [each.communicate()[0].split() for each in running]
    assert [each.returncode for each in running] == [0, 0, 0]
    with Archive(folder) as archive:
        assert set(archive.ids()) == {each for lines in said for each in lines}
        assert [capture.url for capture in archive.captures()] == [
            f"https://waves.example/{number}" for number in range(140)
        ]
    assert_sound(folder)


def test_what_was_written_survives_kill_9(tmp_path, page, assert_sound):
    folder = tmp_path / "archive"
    said: set[str] = set()
    for start in range(0, 10_000, 2000):
        child = writing(folder, tmp_path, start, start + 2000)
        assert child.stdout is not None
        said |= {child.stdout.readline().strip() for _ in range(30 + start // 100)}
        child.kill()
        said |= {line.strip() for line in child.communicate()[0].splitlines() if len(line) == 32}
    with Archive(folder) as archive:
        assert said <= set(archive.ids())
        assert all(archive.read(each).body for each in archive.ids())
    assert_sound(folder)


FILL = """
import resource, sys
from pathlib import Path
from tests_page import page
from crawler.archive import Archive, ArchiveError
archive = Archive(Path(sys.argv[1]))
archive.write(page(0, b"first"))
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
written = 1
import random
try:
    for number in range(1, 100):
        written += archive.write(page(number, random.Random(number).randbytes(3000)))
except ArchiveError as error:
    print(written, error)
assert archive.read(page(1, random.Random(1).randbytes(3000)).id).body
archive.close()
"""


def test_a_full_disk_is_told_plainly_and_costs_only_the_capture_at_hand(tmp_path, assert_sound):
    folder = tmp_path / "archive"
    writing(folder, tmp_path, 0, 0).communicate()
    done = subprocess.run(
        [sys.executable, "-c", FILL, str(folder)], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    written, message = done.stdout.split(" ", 1)
    assert "Free space" in message
    assert str(folder) in message
    with Archive(folder) as archive:
        assert (len(archive), archive.problems) == (int(written), [])
    assert_sound(folder)


def test_threads_share_an_archive(tmp_path, page, segments, assert_sound):
    with Archive(tmp_path, segment_bytes=20_000) as archive:

        def work(offset):
            for number in range(offset, offset + 40):
                archive.write(page(number, b"same" if number % 2 else None))
                archive.note(page(number, b"same" if number % 2 else None).id, "ok", {})
                archive.read(page(number, b"same" if number % 2 else None).id)

        threads = [threading.Thread(target=work, args=(offset,)) for offset in (0, 20, 40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(archive) == 80
        assert len([each for each in archive.captures() if each.body == b"same"]) == 40
    bodies = b"".join(gzip.decompress(path.read_bytes()) for path in segments(tmp_path))
    assert bodies.count(b"WARC-Type: response") == 41
    assert_sound(tmp_path)


def test_read_only_changes_nothing_on_disk(tmp_path, page, segments):
    with Archive(tmp_path) as archive:
        archive.write(page(1))
    index_path(segments(tmp_path)[0]).unlink()
    before = sorted(path.name for path in tmp_path.iterdir())
    with Archive(tmp_path, read_only=True) as archive:
        assert archive.read(page(1).id).body == page(1).body
        with pytest.raises(ArchiveError, match="reading only"):
            archive.write(page(2))
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert len(Archive(tmp_path / "nowhere", read_only=True)) == 0
