"""A whole round of `scrapy due` on this machine: crawls and jobs as processes of their own, then notices.

An entry point, so it may ask the time. What is pure of it is in crawler.due, crawler.jobs and crawler.notices.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import logging
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any, NoReturn

from pydantic import TypeAdapter

from crawler import asking, due, jobs, notices, planning, stages
from crawler.config import ROOT, Config
from crawler.config import load as load_config
from crawler.jobs import Job, Limits
from crawler.notices import Notice, alarm, drift_alarm, slot_alarm
from crawler.revisit import POLICIES
from crawler.spool import waiting
from crawler.storage import jobs as kept
from crawler.storage import retention, rollups, schema
from crawler.storage.connect import opened
from crawler.storage.drift import Drift
from crawler.storage.errors import StorageError
from crawler.storage.history import History
from crawler.storage.hosts import Hosts
from crawler.storage.looks import Looks
from crawler.storage.notices import Notices
from crawler.storage.reads import Reader
from crawler.storage.slots import Slots

log = logging.getLogger(__name__)
LONGEST_S = 1500  # a crawl that runs longer than most slots hangs
LONGEST_JOB_S = 3600
CATCHING_UP = 3  # tries
ENDING_S = 12.0  # twice that is what a dyno or container is given to end
BOARDS_OF = timedelta(days=1)
BREAKS_OF = timedelta(days=2)
ALERTS_OF = timedelta(hours=6)  # an older alert is no news
PR_SET_PDEATHSIG = 1
Batches = Sequence[tuple[str, Sequence[str]]]
"""A spider and its targets, each for one worker."""
MOST_OUTPUT = 30_000  # characters of a digest; the largest mail and chat systems take


@dataclass(frozen=True)
class What:
    crawl: bool = True
    jobs: bool = True
    budget: timedelta | None = None
    capture_only: bool = False
    """Another process reads what is archived: scrapy replay --follow."""
    only: tuple[str, ...] | None = None
    """Of the watch list, these alone (spider:target): a batch that a worker was given."""
    send: Callable[[Batches, int], None] | None = None
    """Crawls are sent to workers: batches, and how many are to look at what is asked for."""
    batch: int = due.CHUNK
    """Targets that are sent together."""


def now() -> datetime:
    return datetime.now(UTC)


def one(settings: Config, what: What, owner: str, *, asked_only: bool = False) -> due.Report:
    """Raises StorageError, JobsError."""
    todo = jobs.read(settings.jobs_file, _set(settings))
    with opened(settings) as database:
        schema.ensure(database)
        lease, told = timedelta(seconds=settings.lease_s), Notices(database)
        slots, after = Slots(database, lease=lease), Slots(database, "jobs", lease)
        queue = kept.Queue(database, lease)
        for each in (slots, after, told, queue, Hosts(database)):
            each.prepare()
        limits = _limits(settings)
        full = _full(settings, database)
        spent = partial(kept.spent, database)
        choose = planning.planner(database, settings.revisit, limits, spent) if what.only is None else None
        bounds = due.Bounds(what.budget, limits, spent, full, choose)
        report, sent = due.Report(), 0
        run = partial(crawl, capture_only=what.capture_only)
        if full:
            report.alarms.append("the database is 95 % full (TIDEMARK_PLAN_MB): nothing is taken until there is room")
        if what.crawl:
            if refused := queue.read_messages(lambda text: asking.wanted(text, _sources()), now())["refused"]:
                report.alarms.append(f"{refused} messages asked for nothing we know; see the collection asked")
            if what.send is not None and not full:
                sent = _sent(what, slots, queue, report, bounds, asked_only=asked_only)
            else:
                if not full and what.only is None:
                    report.counted.update(due.take_asked(queue, run, now, owner))
                if not asked_only:
                    due.take(slots, run, now, owner, bounds, catch_up, report, what.only)
        if what.jobs and not asked_only:
            since = kept.since(database, [job.name for job in todo], now())
            plan = {job.name: (job, since[job.name]) for job in todo}
            runner = JobProcess(settings, Reader(database), told)
            due.take_jobs(after, plan, slots, runner, now, owner, report, bounds, sent)
            told.add(_news(told, report, now()))
            told.add(broken(Drift(database), now()))
            if settings.notice_urls:
                done = told.deliver(settings.notice_urls, notices.by_apprise, now(), owner)
                if done.refused:
                    report.alarms.append(f"{done.refused} notices were not taken; is NOTICE_URLS right?")
    return report


def _sent(
    what: What, slots: Slots, queue: kept.Queue, report: due.Report, bounds: due.Bounds, *, asked_only: bool
) -> int:
    """Batches on their way to workers, who claim what is in them."""
    assert what.send is not None
    batches = [] if asked_only else due.offered(slots, now, report, what.batch, bounds)
    what.send(batches, -(-queue.ready(now()) // due.CHUNK))
    if batches:
        report.counted["sent"] += sum(len(targets) for _, targets in batches)
    return len(batches)


@cache
def _sources() -> list[asking.Source]:
    from scrapy.spiderloader import SpiderLoader  # with all spiders: a second, and most rounds have no message
    from scrapy.utils.project import get_project_settings

    loader = SpiderLoader.from_settings(get_project_settings())
    return asking.sources_of(map(loader.load, loader.list()))


def _full(settings: Config, database: Any) -> str | None:
    """At 95 % of the plan old months are moved out at once; where that does not help, nothing is taken any more."""
    if settings.plan_bytes is None or retention.used_bytes(database) < retention.FULL * settings.plan_bytes:
        return None
    if not (settings.dyno and not settings.archive_url):
        rollups.refresh(database, now())
        retention.make_room(database, History.of(database, settings), settings.plan_bytes, now())
    return "database_full" if retention.used_bytes(database) >= retention.FULL * settings.plan_bytes else None


def _set(settings: Config) -> dict[str, bool]:
    """Which settings that a job may need are set."""
    return {
        "NOTICE_URLS": bool(settings.notice_urls),
        "ARCHIVE_URL": bool(settings.archive_url),
        "TIDEMARK_PLAN_MB": settings.plan_bytes is not None,
        "TIDEMARK_EXPORT": bool(settings.export_to),
    }


def _news(told: Notices, report: due.Report, at: datetime) -> Iterable[Notice]:
    for each in told.untold_alerts(at - ALERTS_OF):
        yield alert(each, at)
    for watch, (reason, slots) in told.gaps_in_a_row(at).items():
        yield slot_alarm(watch, reason, slots, at)
    for line in report.alarms:
        about = line.partition(" at ")[0].partition(" of 2")[0]
        yield alarm(about, line, "Look: scrapy health", at)


def broken(kept: Drift, at: datetime) -> Iterable[Notice]:
    """Changes of shape that a crawl of the last day still showed, those of one run together."""
    together: dict[tuple[str, str], list[str]] = {}
    for each in kept.breaks("open"):
        if each.last > at - BREAKS_OF:
            together.setdefault((each.spider, each.since_run), []).append(each.says)
    return [drift_alarm(spider, run, says, at) for (spider, run), says in together.items()]


def alert(row: Mapping[str, Any], at: datetime) -> Notice:
    """From a document of the collection `alerts`."""
    topic = " ".join(str(row.get("topic", row["_id"])).split())[:80]
    if row.get("detector") == "burst":
        return _burst(row, topic, at)
    title = f"{topic}: top {row.get('top', 10)} of {row.get('board', 'a board')}?"
    body = f"{topic} may enter the top {row.get('top', 10)} until {row['until']:%Y-%m-%d %H:%M} UTC, " if (
        "until" in row) else f"{topic}, "  # fmt: skip
    body += f"probability {row['probability']:.2f}." if isinstance(row.get("probability"), float) else "see evidence."
    body += f"\nRule {row.get('rule', '-')}. What it has earned so far: python -m analysis alerts --preview"
    return Notice(f"alert:{row['_id']}", "alert", f"Tidemark: {title}", body, at)


def _burst(row: Mapping[str, Any], topic: str, at: datetime) -> Notice:
    seen = row["evidence"]
    body = f"{topic}: {seen['inflow_per_hour']:,.0f} an hour or more, usually {seen['usual_per_hour']:,.0f}.\n"
    body += f"Rule {row['rule']}: {row['promise']}"
    return Notice(f"alert:{row['_id']}", "alert", f"Tidemark: {topic}: a burst?", body, at)


@dataclass(frozen=True)
class JobProcess:
    """Runs a job's command in a process of its own; a reason in two words where it did not go well."""

    settings: Config
    reader: Reader
    told: Notices

    def __call__(self, job: Job, slot: datetime) -> str | None:
        texts = []
        for command in self._commands(job, slot):
            try:
                done = subprocess.run(
                    command, cwd=ROOT, check=False, timeout=LONGEST_JOB_S, text=True, errors="replace",
                    stdout=subprocess.PIPE if job.tell else sys.stderr,
                )  # fmt: skip
            except subprocess.TimeoutExpired:
                return "took_too_long"
            except OSError:
                return "no_such_command"
            if done.returncode:
                return f"exit_{done.returncode}"
            texts.append(done.stdout or "")
        if job.tell and (text := "\n".join(texts).strip()):
            title = f"Tidemark: {job.name} of {slot:%Y-%m-%d}"
            self.told.add([Notice(f"job:{job.name}@{slot:%Y%m%dT%H%M%SZ}", "digest", title, text[:MOST_OUTPUT], now())])
        return None

    def _commands(self, job: Job, slot: datetime) -> list[list[str]]:
        """Words first, then values: what a board is called never becomes a second word."""
        words = shlex.split(job.run)
        if words and words[0] == "python":
            words[:1] = [sys.executable]
        if words and words[0] == "scrapy":
            words[:1] = [sys.executable, "-m", "scrapy"]
        values = {"{data}": str(self.settings.data_dir), "{since}": f"{slot - job.every:%Y-%m-%dT%H:%M:%SZ}"}
        if "{export}" in words:
            i = words.index("{export}")
            words[i : i + 1] = shlex.split(self.settings.export_to or "")
        boards = self._boards() if "{board}" in words else [""]
        return [[{**values, "{board}": board}.get(word, word) for word in words] for board in boards]

    def _boards(self) -> list[str]:
        """Trend boards with a snapshot in the last day."""
        return [each.board for each in self.reader.known_boards()
                if ":trends:" in each.board and each.last > now() - BOARDS_OF]  # fmt: skip


def crawl(spider: str, targets: Sequence[str], *, capture_only: bool = False) -> None:
    """In a process of its own, so that one that hangs or dies takes nothing with it. What it did is in the ledger."""
    together = [",".join(targets)] if not any("," in each for each in targets) else list(targets)
    for each in together:
        command = [sys.executable, "-m", "scrapy", "crawl", spider, "-a", f"targets={each}"]
        command += ["-s", f"{stages.SETTING}=1"] if capture_only else []
        ended = run_bound(command, LONGEST_S)
        if not capture_only:
            recover(ended)


def recover(ended: bool) -> None:
    """What a killed crawl had archived, and what one whose database went away left on the disk, is stored before its
    slots are judged: the next round would fetch it again."""
    settings = load_config()
    if not ended or waiting(settings.spool_dir / settings.mongodb_database):
        catch_up()


def run_bound(command: Sequence[str], longest_s: float) -> bool:
    """Until it ends, or is killed for taking too long, or this process dies: a crawl whose parent is gone would go on
    fetching what the next round fetches, too. False where it was killed; what it did not get says no_answer."""
    child = subprocess.Popen(command, cwd=ROOT, preexec_fn=partial(_end_with_parent, os.getpid()))
    try:
        return child.wait(longest_s) >= 0
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
        return False
    except (KeyboardInterrupt, SystemExit):
        _let_end(child)
        raise


def _let_end(child: subprocess.Popen[bytes]) -> None:
    """Ctrl-C, systemd and a dyno's end reach the crawl as well, and a second signal would cut it off: it has its time
    to end in good order. Docker's init tells its first process alone: then it is told here."""
    for then in (child.terminate, child.kill):
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(ENDING_S)
            return
        then()
    child.wait()


def asked_to_end(number: int, frame: object) -> NoReturn:
    """Handler of SIGTERM."""
    raise SystemExit(128 + number)


def _end_with_parent(parent: int) -> None:
    """Linux tells a child when its parent dies (SIGTERM: a crawl then ends in good order); elsewhere leases must do."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it was gone before it could be asked for
            os._exit(128 + signal.SIGTERM)


def catch_up() -> None:
    """What is archived or on the disk and not in the database, stored now by replay. Tried again where it fails: the
    database may have gone away under it, and a slot is judged only once."""
    command = [sys.executable, "-m", "scrapy", "verify"]
    for _ in range(CATCHING_UP):
        with contextlib.suppress(subprocess.TimeoutExpired):
            done = subprocess.run(command, cwd=ROOT, check=False, timeout=LONGEST_S, stdout=subprocess.DEVNULL)
            if done.returncode == 0:
                return


def somebody_asks() -> bool:
    settings = load_config()
    with contextlib.suppress(StorageError), opened(settings) as database:
        return kept.Queue(database).ready(now()) > 0
    return False


def explained(settings: Config) -> list[str]:
    """The watch list as the next round sees it, a line a target. Raises StorageError."""
    limits = _limits(settings)
    with opened(settings) as database:
        at = now()
        slots = Slots(database)
        slots.prepare()
        budget = planning.Budget(limits, kept.spent(database, at))
        told = planning.explained(slots.watches(), Looks(database), POLICIES[settings.revisit], budget, at)
        return planning.lines(told, settings.revisit, budget, at)


def _limits(settings: Config) -> Limits:
    return Limits(settings.day_pages, settings.day_megabytes, settings.day_browser_minutes, settings.day_host_pages)


def jobs_listed(settings: Config) -> dict[str, str]:
    todo = jobs.read(settings.jobs_file, _set(settings))
    with opened(settings) as database:
        after = Slots(database, "jobs")
        found = {}
        for job in todo:
            counts = ", ".join(f"{n} {what}" for what, n in after.counts(job.watch(now())).items())
            waits = f" after {', '.join(job.after)}" if job.after else ""
            found[job.name] = f"every {job.every}{waits}: {job.run}   {counts or 'never yet'}"
        return found


def tell_without_database(settings: Config, problem: str, at: datetime) -> None:
    """The database is away, and with it the memory of what was told: a file stands in for it."""
    if not settings.notice_urls:
        return
    memory = settings.data_dir / "told.json"
    told: dict[str, str] = {}
    with contextlib.suppress(OSError, ValueError):
        told = TypeAdapter(dict[str, str]).validate_json(memory.read_bytes())
    notice = alarm("database", f"the database cannot be used. {problem}", "scrapy doctor", at)
    for url in settings.notice_urls:
        if told.get(notices.place_of(url)) != notice.id and notices.by_apprise(url, notice):
            told[notices.place_of(url)] = notice.id
    with contextlib.suppress(OSError):
        memory.parent.mkdir(parents=True, exist_ok=True)
        memory.write_text(json.dumps(told))
