"""Notices by Apprise: mail, chat, webhooks. What is told, with what to do; sending is an argument.

A notice has an id made of what it is about: told twice, it goes out once.
"""

from __future__ import annotations

import hashlib
import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import ModuleType
from typing import Literal

Kind = Literal["alert", "alarm", "digest"]
Send = Callable[[str, "Notice"], bool]
"""To one address; whether it was taken there."""

WHAT_TO_DO: Mapping[str, str] = {
    "blocked": "A wall stands there; it is counted, not climbed. Ways left: later, an API key, or captures from your "
    "own browser (scrapy replay FILE).",
    "rate_limited": "It wants fewer requests. Take the target less often: scrapy watch SPIDER TARGET --every 2h.",
    "login_wall": "It is shown to members only. Bring captures from your own browser: scrapy replay FILE.",
    "consent": "A consent page stands before it. Bring captures from your own browser: scrapy replay FILE.",
    "geo": "It is not shown to this country. Crawl from another place, or take the target off the list.",
    "robots": "robots.txt forbids it. Take the target off the list: scrapy watch SPIDER TARGET --remove.",
    "shape_changed": "The page is there and its data is not where it was. Save one for the repair: scrapy savepage "
    "URL PAGE case. Captures are kept; scrapy replay mends the history once the reader is mended.",
    "network": "Nothing came through. Is this machine on the network?  scrapy doctor",
    "no_answer": "The crawl ended before it had asked. Run it by hand and read: scrapy crawl SPIDER -a targets=TARGET.",
    "no_time": "Rounds are too short for the list. Give more time: scrapy due --budget 20m; or watch less often.",
    "interrupted": "The process died over it. Is there enough memory? docs/running.md has the sizes.",
    "empty": "An empty list came. Look at the page; if it is empty for everybody, all is well.",
    "missing": "There is no such account or page any more. Take the target off the list.",
    "private": "The account is private now. Take the target off the list.",
    "budget": "The day's budget is used up (TIDEMARK_DAY_…). Raise it, or watch less often.",
    "database_full": "Make room: a larger plan, and TIDEMARK_PLAN_MB with it. What takes it: scrapy retention --check.",
    "missed": "Nobody fired. Does the scheduler run?  docs/schedule.md",
}


MOST_SAID = 8  # alarms in a notice


@dataclass(frozen=True, slots=True)
class Notice:
    id: str
    """What it is about; the same id is told once."""
    kind: Kind
    title: str
    body: str
    at: datetime


def alarm(about: str, title: str, todo: str, at: datetime) -> Notice:
    """Once a day for the same thing."""
    return Notice(f"alarm:{about}@{at:%Y-%m-%d}", "alarm", f"Tidemark: {title}", f"{title}\nWhat to do: {todo}", at)


def slot_alarm(watch: str, reason: str, slots: int, at: datetime) -> Notice:
    """A target of which *slots* slots in a row are gaps of one reason."""
    todo = WHAT_TO_DO.get(reason, "Look: scrapy health")
    return alarm(f"{watch}:{reason}", f"{watch}: {slots} slots in a row are gaps ({reason})", todo, at)


def drift_alarm(spider: str, run: str, says: Sequence[str], at: datetime) -> Notice:
    """Fields that have changed their shape since a run; said daily while it lasts."""
    title = f"{spider}: {len(says)} change{'s' if len(says) > 1 else ''} of shape since run {run}"
    told = [*says[:MOST_SAID], *([f"{len(says) - MOST_SAID} more: scrapy drift"] if len(says) > MOST_SAID else [])]
    todo = (
        "Where did the values go: scrapy drift --propose. What would change: scrapy replay --diff --with FILE. "
        f"Is it the usual now: scrapy drift --accept {run}. Until then these fields are not learned from."
    )
    made = alarm(f"drift:{spider}:{run}", title, todo, at)
    return replace(made, body="\n".join([title, *told, made.body.partition("\n")[2]]))


def place_of(url: str) -> str:
    """A name of an address that tells nothing of it; what was sent where is kept by it."""
    return hashlib.sha256(url.encode()).hexdigest()[:12]


def by_apprise(url: str, notice: Notice) -> bool:
    apprise = _apprise()
    service = apprise.Apprise()
    if not service.add(url):
        return False
    kind = {"alarm": apprise.NotifyType.WARNING}.get(notice.kind, apprise.NotifyType.INFO)
    form = {"digest": apprise.NotifyFormat.MARKDOWN}.get(notice.kind, apprise.NotifyFormat.TEXT)
    return bool(service.notify(title=notice.title, body=notice.body, notify_type=kind, body_format=form))


def unusable(urls: Sequence[str]) -> list[int]:
    """Places, from 1, of addresses that Apprise does not know; the addresses themselves are secrets."""
    apprise = _apprise()
    return [i for i, url in enumerate(urls, 1) if not apprise.Apprise().add(url)]


def _apprise() -> ModuleType:
    """Imported late: it takes half a second, and only who sends needs it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it asks for imghdr on Python 3.11 and 3.12
        import apprise

        apprise.Apprise().add("json://localhost")  # loads all services
    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # its lines quote addresses
    return apprise
