"""Files beside database and archive that may name a person: exports, journals of interrupted runs, torn ends."""

from __future__ import annotations

import contextlib
import csv
import json
import platform
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scrapy.exceptions import NotConfigured
from scrapy.signals import feed_slot_closed
from w3lib.url import file_uri_to_path

from crawler.config import ROOT, Config
from crawler.context import Context, now
from crawler.storage import outlets
from crawler.storage.connect import connect
from crawler.storage.errors import StorageError
from crawler.storage.outlets import Outlet
from crawler.storage.traces import Traces

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

LONGEST_S = 3600.0  # an export of everything, made anew


class NoteFeeds:
    """Scrapy extension: where files of `-o` lie. No promise for those that a killed crawl left."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> NoteFeeds:
        if not crawler.settings.getdict("FEEDS"):
            raise NotConfigured
        made = cls(Context.of(crawler))
        crawler.signals.connect(made.closed, signal=feed_slot_closed)
        return made

    def closed(self, slot: Any) -> None:
        uri = str(slot.uri)
        if "://" in uri and not uri.startswith("file://"):
            return
        place = str(Path(file_uri_to_path(uri) if "://" in uri else uri).resolve())
        with contextlib.suppress(StorageError), connect(self._context.config) as client:
            outlets.note(client[self._context.database], place, platform.node(), (), now())


def remove(settings: Config, archive: Path, traces: Traces) -> int:
    """Journals that name the person; torn ends of segments and vectors of texts, which nobody reads. How many went."""
    runs = [path for path in (settings.data_dir / "runs").glob("*.jsonl") if traces.text(_text(path))]
    gone = [*runs, *archive.glob("*.torn"), *(settings.data_dir / "models" / archive.name).glob("meaning.npz")]
    for path in gone:
        path.unlink(missing_ok=True)
    return len(gone)


def export_anew(database: Any, traces: Traces, say: Callable[[str], None]) -> bool:
    """Every export this database knows of, by its own command; False where one could not be reached."""
    whole = True
    for each in outlets.all_of(database):
        if each.host is not None and each.host != platform.node():
            say(f"export in {each.place}: lies on {each.host}; there: {_shown(each, database.name)}")
            whole = False
        elif each.host is not None and not Path(each.place).exists():
            outlets.drop(database, each)
        elif not each.words:
            n = _without(Path(each.place), traces)
            say(f"export in {each.place}: {n} rows left out")
        else:
            told = _made_anew(each, database.name)
            say(f"export in {each.place}: {told or 'made anew'}")
            whole &= told is None
    return whole


def _made_anew(outlet: Outlet, database: str) -> str | None:
    """None: done; else what was the matter."""
    command = [sys.executable, "-m", "analysis", "export", "--database", database, "--anew", *outlet.words]
    try:
        done = subprocess.run(
            command, cwd=ROOT, check=False, timeout=LONGEST_S, text=True, errors="replace",
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"NOT made anew (more than {LONGEST_S / 60:.0f} minutes); then say: {_shown(outlet, database)}"
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason was given"])[-1]
        return f"NOT made anew ({last}); then say: {_shown(outlet, database)}"
    return None


def _shown(outlet: Outlet, database: str) -> str:
    if not outlet.words:
        return "scrapy forget NAME --yes"
    return f"python -m analysis export --database {database} --anew {shlex.join(outlet.words)}"


def _without(path: Path, traces: Traces) -> int:
    """Rows of a crawl's own file (-o) that name the person; the file without them takes its place."""
    beside = path.with_name(f"{path.name}.part")
    match path.suffix.lower():
        case ".csv":
            gone = _csv(path, beside, traces)
        case ".json":
            rows = json.loads(path.read_text("utf-8"))
            kept = [row for row in rows if not traces.text(json.dumps(row, ensure_ascii=False))]
            body = ",\n".join(json.dumps(row, ensure_ascii=False) for row in kept)
            beside.write_text(f"[\n{body}\n]\n", "utf-8")
            gone = len(rows) - len(kept)
        case ".parquet":
            gone = _parquet(path, beside, traces)
        case _:
            lines = path.read_bytes().splitlines(keepends=True)
            left = [line for line in lines if not traces.text(line.decode("utf-8", "replace"))]
            beside.write_bytes(b"".join(left))
            gone = len(lines) - len(left)
    beside.replace(path)
    return gone


def _csv(path: Path, beside: Path, traces: Traces) -> int:
    gone = 0
    with path.open(encoding="utf-8-sig", newline="") as old, beside.open("w", encoding="utf-8", newline="") as new:
        writer = csv.writer(new)
        for row in csv.reader(old):
            named = traces.text(repr(row))
            gone += named
            if not named:
                writer.writerow(row)
    return gone


def _parquet(path: Path, beside: Path, traces: Traces) -> int:
    import pandas as pd

    frame = pd.read_parquet(path)
    named = [traces.text(repr(row)) for row in frame.to_dict("records")]
    frame[[not each for each in named]].to_parquet(beside, index=False)
    return sum(named)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", errors="replace")
    except OSError:
        return ""
