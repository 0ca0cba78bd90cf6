"""Whose post is it: accounts by their number and handle, so that a renamed handle stays one creator. Pure."""

from __future__ import annotations

from collections import defaultdict

import pandas as pd


def accounts(profiles: pd.DataFrame, posts: pd.DataFrame) -> dict[str, str]:
    """Profile key and post key: the account's key, which is the profile key of its newest handle.

    The platform's number of the author decides; a handle only where there is no number, and then it means the one
    account that was seen with it. A handle that two accounts have had says nothing: such a post is nobody's.
    """
    newest: dict[tuple[str, str], tuple[pd.Timestamp, str]] = {}
    holders: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for platform, number, handle, at in _seen(profiles, posts):
        key = profile_key(platform, handle)
        if number is not None:
            holders[key].add((platform, number))
            newest[(platform, number)] = max(newest.get((platform, number), (at, key)), (at, key))
    found: dict[str, str] = {}
    for table, name in ((profiles, "username"), (posts, "author")):
        numbers = table["user_id" if name == "username" else "author_id"]
        rows = zip(table["key"], table["platform"], numbers, table[name], strict=True)
        for own, platform, number, handle in rows:
            if not pd.isna(number) and (platform, number) in newest:
                found[own] = newest[(platform, number)][1]
            elif not pd.isna(handle):
                key = profile_key(platform, handle)
                match list(holders.get(key, ())):
                    case []:
                        found[own] = key
                    case [one]:
                        found[own] = newest[one][1]
    return found


def profile_key(platform: str, handle: str) -> str:
    return f"{platform}:profile:{handle.lower()}"


def _seen(profiles: pd.DataFrame, posts: pd.DataFrame) -> list[tuple[str, str | None, str, pd.Timestamp]]:
    """Platform, number, handle, moment of every place that names an account."""
    rows = []
    for table, number, handle in ((profiles, "user_id", "username"), (posts, "author_id", "author")):
        known = table[table[handle].notna()]
        columns = (known["platform"], known[number], known[handle], known["observed_at"])
        rows += [(p, None if pd.isna(n) else str(n), str(h), at) for p, n, h, at in zip(*columns, strict=True)]
    return rows
