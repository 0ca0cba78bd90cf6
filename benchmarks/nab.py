"""Burst onset on labelled count series, scored as the Numenta Anomaly Benchmark does.

Any folder of the benchmark's form: data/<group>/<series>.csv (timestamp,value) and
labels/combined_windows.json. One detector and one set of parameters for all series. A series' threshold is
chosen on the other series alone; "shipped" is the one threshold in the code. Beside it: the usual rules
under the same reading, and published detectors where the folder holds their result files.
Run: python -m benchmarks.nab --data DIR [--json]
"""

from __future__ import annotations

import argparse
import json
import sys
import tarfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.trends import burst_baselines, bursts, nab
from analysis.trends.nab import Floats, Ints, Judge
from crawler.config import load

CONFIGURATIONS_TRIED = 580  # on these ten series; a threshold left out corrects for itself, not for this choice
GRID = np.exp(np.linspace(np.log(0.5), np.log(16.0), 110))
QUANTILES = 110


@dataclass(frozen=True)
class Series:
    name: str
    moments: Sequence[datetime]
    counts: Floats
    bin: timedelta
    judge: Judge


@dataclass(frozen=True)
class Score:
    """One detector under one profile. left_out: the threshold of each series chosen on the others."""

    best: float
    left_out: float | None
    shipped: float | None
    windows_hit: int
    false_alarms: int


def read_series(folder: Path) -> list[Series]:
    """Raises SystemExit with one line where the folder is not of the benchmark's form."""
    labels = folder / "labels" / "combined_windows.json"
    paths = sorted((folder / "data").rglob("*.csv"))
    if not labels.is_file() or not paths:
        raise SystemExit(f"{folder}: expected data/<group>/*.csv and labels/combined_windows.json")
    windows = json.loads(labels.read_text(encoding="utf-8"))
    named = {f"{path.parent.name}/{path.name}": path for path in paths}
    if not any(windows.get(name) for name in named):
        raise SystemExit(f"{labels}: no labelled window for any of {len(paths)} series; first: {next(iter(named))}")
    return [_series(path, windows[name]) for name, path in named.items() if name in windows]


def _series(path: Path, windows: Sequence[Sequence[str]]) -> Series:
    frame = pd.read_csv(path, parse_dates=["timestamp"])
    times = frame["timestamp"].to_numpy().astype("datetime64[ms]")
    bin_ms = int(np.median(np.diff(times).astype(np.int64)))
    spans = [(np.datetime64(opens, "ms"), np.datetime64(closes, "ms")) for opens, closes in windows]
    moments = [datetime.fromtimestamp(ms / 1000, UTC) for ms in times.astype(np.int64).tolist()]
    counts = frame["value"].to_numpy(dtype=np.float64)
    return Series(path.stem, moments, counts, timedelta(milliseconds=bin_ms), nab.judge(times, spans))


def plain_rows(strength: Floats, threshold: float) -> Ints:
    return np.flatnonzero(strength >= threshold)


def quiet_rows(bin: timedelta) -> Callable[[Floats, float], Ints]:
    """No second detection within a day: the usual rules get it too, for they say the same thing row after row."""
    day = round(bursts.DAY / bin)

    def rows(strength: Floats, threshold: float) -> Ints:
        above, found, at = np.flatnonzero(strength >= threshold), list[int](), 0
        while at < len(above):
            found.append(int(above[at]))
            at = int(np.searchsorted(above, above[at] + day))
        return np.array(found, dtype=np.int64)

    return rows


def alarm_rows(bin: timedelta) -> Callable[[Floats, float], Ints]:
    return lambda strength, threshold: np.array(bursts.alerts(strength.tolist(), threshold, bin), dtype=np.int64)


def ours(series: Series) -> Floats:
    return np.array(bursts.strengths(zip(series.moments, series.counts.tolist(), strict=True), series.bin))


Rows = Callable[[Floats, float], Ints]
Told = Mapping[str, tuple[Floats, Rows]]


def told_by_ours(series: Sequence[Series]) -> Told:
    return {each.name: (ours(each), alarm_rows(each.bin)) for each in series}


def score(series: Sequence[Series], told: Told, grid: Floats, shipped: float | None) -> dict[str, Score]:
    rows = [[told[each.name][1](told[each.name][0], threshold) for threshold in grid] for each in series]
    return {name: _score(series, rows, grid, profile, told, shipped) for name, profile in nab.PROFILES.items()}


def _score(
    series: Sequence[Series], rows: list[list[Ints]], grid: Floats, profile: nab.Profile, told: Told,
    shipped: float | None,
) -> Score:  # fmt: skip
    pairs = list(zip(series, rows, strict=True))
    table = np.array([[nab.earned(each.judge, found, profile) for found in of_grid] for each, of_grid in pairs])
    windows = sum(each.judge.windows for each in series)
    chosen = nab.one_left_out(grid, table).tolist() if len(series) > 1 else None
    best = int(np.argmax(table.sum(axis=0)))
    picked = [of_grid[at] for of_grid, at in zip(rows, chosen or [best] * len(series), strict=True)]
    hits = [_hits(each.judge, found) for each, found in zip(series, picked, strict=True)]
    return Score(
        best=nab.normalised(float(table[:, best].sum()), windows, profile),
        left_out=nab.normalised(float(table[range(len(series)), chosen].sum()), windows, profile) if chosen else None,
        shipped=None if shipped is None else nab.normalised(_at(series, told, shipped, profile), windows, profile),
        windows_hit=sum(hit for hit, _ in hits),
        false_alarms=sum(false for _, false in hits),
    )


def _at(series: Sequence[Series], told: Told, threshold: float, profile: nab.Profile) -> float:
    return sum(nab.earned(each.judge, told[each.name][1](told[each.name][0], threshold), profile) for each in series)


def _hits(judged: Judge, rows: Ints) -> tuple[int, int]:
    window = judged.window[rows[rows >= judged.start] - judged.start]
    return len(set(window.tolist()) - {nab.OUTSIDE}), int((window == nab.OUTSIDE).sum())


def quantile_grid(series: Sequence[Series], told: Told) -> Floats:
    """Thresholds from the upper tail of all series, for rules with scales of their own."""
    tails = [np.sort(told[each.name][0][each.judge.start :])[-400:] for each in series]
    grid = np.unique(np.quantile(np.concatenate(tails), np.linspace(0, 1, QUANTILES)))
    return grid[grid > 0]


def per_series(series: Sequence[Series], told: Told) -> list[dict[str, object]]:
    """Ours, standard profile: what each series did at the threshold that the others chose, and the shipped one."""
    profile = nab.PROFILES["standard"]
    rows = {each.name: [told[each.name][1](told[each.name][0], threshold) for threshold in GRID] for each in series}
    table = np.array([[nab.earned(each.judge, found, profile) for found in rows[each.name]] for each in series])
    chosen = nab.one_left_out(GRID, table).tolist() if len(series) > 1 else [int(np.argmax(table[0]))]
    found = []
    for i, each in enumerate(series):
        hit, false = _hits(each.judge, rows[each.name][chosen[i]])
        weeks = len(each.counts) * each.bin / timedelta(weeks=1)
        windows = each.judge.windows
        points = round(nab.normalised(float(table[i, chosen[i]]), windows, profile), 1) if windows else None
        found.append({
            "series": each.name, "threshold": round(float(GRID[chosen[i]]), 2), "score": points,
            "windows": windows, "hit": hit, "false_alarms": false,
            "alerts_per_week": round((hit + false) / weeks, 2),
        })  # fmt: skip
    return found


def published(folder: Path, series: Sequence[Series]) -> dict[str, float]:
    """Shipped result files at the benchmark's own published threshold, standard profile."""
    thresholds_file = folder / "config" / "thresholds.json"
    if not thresholds_file.is_file():
        return {}
    thresholds = json.loads(thresholds_file.read_text(encoding="utf-8"))
    judges, profile = {each.name: each.judge for each in series}, nab.PROFILES["standard"]
    found = {}
    for path in sorted((folder / "results").glob("*.tar.gz")):
        name, total = path.name.split("_")[0], 0.0
        with tarfile.open(path) as packed:
            for member in (each for each in packed.getmembers() if each.name.endswith(".csv")):
                judged = judges.get(Path(member.name).stem.removeprefix(f"{name}_"))
                content = packed.extractfile(member)
                if judged is None or content is None:
                    continue
                scores = pd.read_csv(content)["anomaly_score"].to_numpy(dtype=np.float64)
                rows = plain_rows(scores, thresholds[name]["standard"]["threshold"])
                total += nab.earned(judged, rows, profile)
        found[name] = nab.normalised(total, sum(each.windows for each in judges.values()), profile)
    return found


def run(folder: Path) -> dict[str, object]:
    series = read_series(folder)
    started = time.process_time()
    told = told_by_ours(series)
    points_per_s = sum(len(each.counts) for each in series) / (time.process_time() - started)
    detectors = {"ours": score(series, told, GRID, bursts.THRESHOLD)}
    for name, rule in burst_baselines.RULES.items():
        of_rule = {each.name: (rule(each.counts, each.bin), quiet_rows(each.bin)) for each in series}
        detectors[name] = score(series, of_rule, quantile_grid(series, of_rule), None)
    return {
        "series": len(series), "windows": sum(each.judge.windows for each in series),
        "configurations_tried": CONFIGURATIONS_TRIED, "points_per_s": round(points_per_s),
        "detectors": {name: {each: asdict(one) for each, one in found.items()} for name, found in detectors.items()},
        "per_series": per_series(series, told),
        "published_threshold_standard": published(folder, series),
    }  # fmt: skip


def show(report: dict[str, object]) -> None:
    detectors = report["detectors"]
    assert isinstance(detectors, dict)
    print(f"NAB: {report['series']} series, {report['windows']} windows; threshold of a series chosen on the others")
    print(f"  {'':22} {'standard':>9} {'low FP':>7} {'low FN':>7} {'hit':>4} {'false':>6}   best in hindsight")
    for name, found in detectors.items():
        columns = [found[each]["left_out"] for each in nab.PROFILES]
        shown = " ".join(f"{'·' if each is None else format(each, '.1f'):>7}" for each in columns)
        standard = found["standard"]
        print(
            f"  {name:22}  {shown}  {standard['windows_hit']:4} {standard['false_alarms']:6}   {standard['best']:.1f}"
        )
    at = [f"{detectors['ours'][each]['shipped']:.1f}" for each in nab.PROFILES]
    print(f"  ours at the shipped threshold {bursts.THRESHOLD}: {' / '.join(at)}; {report['points_per_s']:,} points/s")
    print(
        f"  configurations tried on the ten public series before this one was settled: {report['configurations_tried']}"
    )
    print(pd.DataFrame(report["per_series"]).to_string(index=False))
    if report["published_threshold_standard"]:
        print("  published result files, our scorer:", report["published_threshold_standard"])


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.nab", description=__doc__)
    parser.add_argument("--data", type=Path, default=load().shared_dir / "beds" / "nab", metavar="DIR")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args(arguments)
    report = run(args.data)
    if args.json:
        print(json.dumps(report, indent=1))
    else:
        show(report)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
