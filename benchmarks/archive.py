"""A dump of tweets, selected by brand and price, summed by day: ours beside pyspark, DuckDB, polars, and the limit.

python -m benchmarks archive [--mb 320] [--folder DIR] [--others PYTHON] [--only ours,limit,…] [--json]

The dump is made once: the captured minutes of ../shared, or made-up ones without it, repeated with other ids, days and
some made-up deals, one .json.bz2 a minute. Every engine counts, for each brand and day, the tweets that name the brand
and hold "$" and a number, once per id, and adds up the first such number. Ours also reads each of them for deals.
DuckDB and polars cannot read bz2, so lbzip2 unpacks for them. --others: a Python that has the engines that are not
among our dependencies. Time is of the wall, start included; memory the peak of all processes together.
"""

from __future__ import annotations

import argparse
import bz2
import json
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from analysis.commerce.deals_archive import Joined, Selection, local
from crawler.config import load

BRANDS = ("Nike", "Samsung", "Nintendo", "Lego", "Sony", "Bosch", "Philips", "Dyson")
PLANTED = 40  # of so many tweets one is a made-up deal
POLL_S = 0.3  # looking costs: the pages of every process are walked through
TICKS = os.sysconf("SC_CLK_TCK")
TASK = Path(__file__).parent / "archive_engines.py"
ENGINES = ("limit", "ours", "pyspark", "duckdb", "polars")
_PRICE = re.compile(r"\$ ?(\d+(?:\.\d+)?)")
_WORD = re.compile(rf"\b({'|'.join(BRANDS)})\b", re.IGNORECASE)


def make(folder: Path, megabytes: int, seed: int = 1) -> int:
    """Minutes of *megabytes* unpacked together; their bytes. Made in a few seconds a minute, and kept."""
    done = folder / "made.json"
    if done.exists() and (kept := json.loads(done.read_text()))["megabytes"] == megabytes:
        return int(kept["bytes"])
    folder.mkdir(parents=True, exist_ok=True)
    chance, size, n = random.Random(seed), 0, 0
    given = list(_minutes())
    while size < megabytes * 1_000_000:
        block = _varied(given[n % len(given)], n, chance)
        (folder / f"{n:04}.json.bz2").write_bytes(bz2.compress(block))
        size, n = size + len(block), n + 1
    done.write_text(json.dumps({"megabytes": megabytes, "bytes": size}))
    return size


def _minutes() -> Iterator[bytes]:
    captured = sorted((load().shared_dir / "captures" / "tweets" / "twitterstream").glob("*.json.bz2"))
    if captured:
        yield from (bz2.decompress(path.read_bytes()) for path in captured)
        return
    chance = random.Random(0)
    words = ["".join(chance.choices("abcdefghijklmnoprstu", k=chance.randint(2, 9))) for _ in range(4000)]
    for first in range(3):
        rows = (
            {"created_at": "", "id": 0, "id_str": "", "text": " ".join(chance.choices(words, k=18)), "truncated": False,
             "user": {"screen_name": chance.choice(words), "description": " ".join(chance.choices(words, k=200))}}
            for _ in range(4000 + first)
        )  # fmt: skip
        yield b"".join(orjson.dumps(row) + b"\r\n" for row in rows)


def _varied(block: bytes, n: int, chance: random.Random) -> bytes:
    """Other ids, a later day, and some deals."""
    at = datetime(2019, 7, 1, tzinfo=UTC) + timedelta(hours=7 * n)
    stamp = at.strftime("%a %b %d %H:%M:%S +0000 %Y")
    lines = []
    for line in block.split(b"\n"):
        if not line.startswith(b'{"created_at"'):
            lines.append(line)
            continue
        tweet = orjson.loads(line)
        number = int(tweet["id"] or chance.getrandbits(60)) // 1000 * 1000 + n
        tweet |= {"created_at": stamp, "id": number, "id_str": str(number)}
        if chance.randrange(PLANTED) == 0:
            tweet.pop("retweeted_status", None)
            tweet.pop("extended_tweet", None)
            brand, price = chance.choice(BRANDS), chance.randint(500, 90_000) / 100
            tweet["text"] = f"{brand} set now ${price:.2f}, was ${price * 1.4:.2f}, order today"
        lines.append(orjson.dumps(tweet) + b"\r")
    return b"\n".join(lines)


def ours(folder: Path) -> dict[str, list[float]]:
    joined, deals = Joined(), 0
    selection = Selection(BRANDS, "all", priced=True)
    sums: dict[str, list[float]] = defaultdict(lambda: [0, 0.0])
    for found in local([str(path) for path in sorted(folder.glob("*.bz2"))], selection, 2):
        for row in joined.take(found):
            brand, price = _WORD.search(row["text"]), _PRICE.search(row["text"])
            if brand and price:
                at = f"{brand[1].lower()} {_day(row['created_at'])}"
                sums[at][0] += 1
                sums[at][1] += float(price[1])
            deals += row["is_deal"]
    sys.stderr.write(f"ours: {joined.account.as_row()}, {deals} deals\n")
    return sums


def _day(shown: str) -> str:
    return datetime.strptime(shown, "%a %b %d %H:%M:%S %z %Y").strftime("%Y-%m-%d")


def measured(command: Sequence[str], shell_input: str | None = None) -> tuple[float, float, int, str]:
    """Seconds of wall and processor, peak bytes of all its processes, its output. Raises RuntimeError if it fails."""
    began = time.perf_counter()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        whole = (
            ["bash", "-c", f"set -o pipefail; {shell_input} | {' '.join(command)}"] if shell_input else list(command)
        )
        before = _of_children()
        process = subprocess.Popen(whole, stdout=out, stderr=errors, start_new_session=True)
        peaks, used, over = [0], dict[str, float](), threading.Event()

        def look() -> None:
            while not over.wait(POLL_S):
                peaks.append(_resident(process.pid, used))

        beside = threading.Thread(target=look)
        beside.start()
        process.wait()  # to the moment: a run is not rounded up to the next look
        took_s = time.perf_counter() - began
        over.set()
        beside.join()
        out.seek(0)
        errors.seek(0)
        if process.returncode:
            raise RuntimeError(errors.read()[-400:].decode("utf-8", "replace"))
        # What was waited for is exact; of a process that nobody waited for, as Java under Spark, the last look counts.
        cpu_s = max(_of_children() - before, sum(used.values()))
        return took_s, cpu_s, max(peaks), out.read().decode()


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _resident(session: int, used: dict[str, float]) -> int:
    """Bytes in memory of every process of a session, shared pages counted once; their time into *used*."""
    total = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                stat = (entry / "stat").read_text()
                fields = stat.rpartition(")")[2].split()
                if int(fields[3]) == session:
                    used[entry.name] = (int(fields[11]) + int(fields[12])) / TICKS
                    rolled = (entry / "smaps_rollup").read_text()
                    total += int(re.search(r"^Pss:\s+(\d+)", rolled, re.M)[1]) * 1024  # type: ignore[index]
            except (OSError, TypeError, ValueError):
                continue  # it ended meanwhile
    return total


def run(engine: str, folder: Path, python: str) -> tuple[float, float, int, Any]:
    files = " ".join(map(str, sorted(folder.glob("*.bz2"))))
    unpack = f"lbzip2 -dc -n2 {files}"
    match engine:
        case "limit":
            return *measured(["bash", "-c", f"{unpack} > /dev/null"])[:3], None
        case "ours":
            found = measured([sys.executable, "-m", "benchmarks.archive", "--ours", str(folder)])
        case "pyspark":
            found = measured([python, str(TASK), engine, str(folder), ",".join(BRANDS)])
        case _:
            found = measured([python, str(TASK), engine, "-", ",".join(BRANDS)], unpack)
    return *found[:3], json.loads(found[3].splitlines()[-1])


def same(one: dict[str, list[float]], other: dict[str, list[float]]) -> bool:
    return one.keys() == other.keys() and all(
        one[key][0] == other[key][0] and abs(one[key][1] - other[key][1]) < 0.01 for key in one
    )


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks archive")
    parser.add_argument("--mb", type=int, default=320, help="of the dump, unpacked (default 320)")
    parser.add_argument("--folder", type=Path, default=load().data_dir / "benchmarks" / "archive")
    parser.add_argument("--others", default=sys.executable, metavar="PYTHON")
    parser.add_argument("--only", default=",".join(ENGINES))
    parser.add_argument("--rounds", type=int, default=1, help="one after another; the quickest of each counts")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--ours", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    if args.ours:
        print(json.dumps(ours(args.ours)))
        return
    size = make(args.folder, args.mb)
    table: dict[str, Any] = {"bytes": size, "files": len(list(args.folder.glob("*.bz2")))}
    sums: dict[str, dict[str, list[float]]] = {}
    for engine in args.only.split(",") * args.rounds:
        if engine in ("limit", "duckdb", "polars") and not shutil.which("lbzip2"):
            print(f"{engine}: needs lbzip2 (apt-get install lbzip2)")
            continue
        try:
            took_s, cpu_s, peak, found = run(engine, args.folder, args.others)
        except RuntimeError as error:
            print(f"{engine}: not measured: {str(error).strip().splitlines()[-1]}")
            continue
        best = table.get(engine)
        if best and best["wall_s"] <= took_s:
            continue
        table[engine] = {"wall_s": round(took_s, 2), "cpu_s": round(cpu_s, 2), "peak_mb": round(peak / 1e6)}
        if found is not None:
            sums[engine] = found
            table[engine] |= {"tweets": sum(each[0] for each in found.values()), "groups": len(found)}
            table[engine]["as_ours"] = same(found, sums.get("ours", found))
    if args.json:
        print(json.dumps(table, indent=1))
        return
    for engine in ENGINES:
        if engine in table:
            print(f"{engine:<8} {table[engine]}")
    if {"ours", "limit", "pyspark"} <= table.keys():
        limit, spark = (table[each]["wall_s"] for each in ("limit", "pyspark"))
        wall = table["ours"]["wall_s"]
        print(
            f"{size / 1e6:.0f} MB; ours takes {wall / limit:.2f} times the limit; pyspark {spark / wall:.1f} times ours"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
