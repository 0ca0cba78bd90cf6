"""Which names are one topic, with the evidence; and whether a place's topic is the place's own or the world's.

Pure functions on frames as Reader.entries gives them. Names are one only by their topic_key; aliases and homonyms are
never merged. `merges` shows every merge that the key makes, so that a person can object; `scope` compares boards.
"""

from __future__ import annotations

from datetime import timedelta

import pandas as pd

MERGE_COLUMNS = ("topic_key", "forms", "names", "rows", "snapshots", "together", "volumes_differ", "verdict")
SCOPE_COLUMNS = ("topic_key", "topic", "seen", "compared", "worldwide", "same_volume", "scope", "volume_of")
NEAR = timedelta(minutes=45)  # lists are taken every half hour; a farther list of the world says little
SAME_VOLUME = 0.02  # two lists taken minutes apart show one rolling count of 24 hours this close
MOSTLY, HARDLY = 0.8, 0.2


def merges(entries: pd.DataFrame) -> pd.DataFrame:
    """A row for each key that joins several written forms; columns as MERGE_COLUMNS, most rows first.

    together: snapshots that show two forms at once.  volumes_differ: those of them where both show a volume and the
    two differ: the source counts them apart.  verdict: `one topic` where never shown together; `spelt apart` where
    shown together; `counted apart` where also counted apart, which may be homonyms.
    """
    rows = []
    for key, group in entries.groupby("topic_key", sort=True):
        names = group["topic"].value_counts()
        if len(names) < 2:
            continue
        by_moment = group.groupby("at")
        pairs = by_moment["topic"].nunique() > 1
        shown = group.dropna(subset=["volume"]).drop_duplicates(["at", "topic"])
        counted = shown.groupby("at").agg(names=("topic", "nunique"), volumes=("volume", "nunique"))
        apart = int(((counted["names"] > 1) & (counted["volumes"] > 1)).sum()) if len(counted) else 0
        together = int(pairs.sum())
        verdict = "one topic" if not together else "counted apart" if apart else "spelt apart"
        told = ", ".join(f"{name} ({n})" for name, n in names.head(5).items())
        rows.append((key, len(names), told, len(group), len(by_moment), together, apart, verdict))
    frame = pd.DataFrame(rows, columns=list(MERGE_COLUMNS))
    return frame.sort_values(["rows", "topic_key"], ascending=[False, True], kind="stable", ignore_index=True)


def scope(place: pd.DataFrame, world: pd.DataFrame, near: timedelta = NEAR) -> pd.DataFrame:
    """A row for each topic of a place's board; columns as SCOPE_COLUMNS, by key.

    compared: its snapshots that have a list of the world within *near*.  worldwide: those where that list has it too.
    scope: `worldwide` or `local` where four fifths of them agree, else `uncertain`; uncertain without any.
    A local topic may still be a world topic below the world's list: local says "not seen there", no more.
    volume_of: `world` where the volume shown is the world's own, within 2 %; `unknown` otherwise, since no list says
    what it counts.
    """
    plain = place[~place["promoted"].fillna(False).astype(bool)]
    matched = _with_nearest(plain, world, near)
    rows = []
    for key, group in matched.groupby("topic_key", sort=True):
        compared = group[group["world_at"].notna()]
        there = compared[compared["on_world"]]
        both = there[there["volume"].notna() & there["world_volume"].notna()]
        close = (both["volume"].astype(float) - both["world_volume"].astype(float)).abs()
        same = int((close <= SAME_VOLUME * both["world_volume"].astype(float)).sum()) if len(both) else 0
        share = len(there) / len(compared) if len(compared) else None
        said = "uncertain" if share is None or HARDLY < share < MOSTLY else "worldwide" if share >= MOSTLY else "local"
        volume_of = "world" if len(both) and same / len(both) >= MOSTLY else "unknown"
        rows.append((key, group["topic"].iloc[-1], len(group), len(compared), len(there), same, said, volume_of))
    return pd.DataFrame(rows, columns=list(SCOPE_COLUMNS))


def _with_nearest(place: pd.DataFrame, world: pd.DataFrame, near: timedelta) -> pd.DataFrame:
    """*place* with the moment of the nearest list of the world, whether it has the topic, and its volume there."""
    left = place[["at", "topic_key", "topic", "volume"]].sort_values("at", kind="stable")
    moments = pd.DataFrame({"at": world["at"].drop_duplicates().sort_values()})
    moments["world_at"] = moments["at"]
    found = pd.merge_asof(left, moments, on="at", direction="nearest", tolerance=pd.Timedelta(near))
    best = world.sort_values("position", kind="stable").drop_duplicates(["at", "topic_key"])
    there = best[["at", "topic_key", "volume"]].rename(columns={"at": "world_at", "volume": "world_volume"})
    joined = found.merge(there.assign(on_world=True), on=["world_at", "topic_key"], how="left")
    return joined.assign(on_world=joined["on_world"].notna())
