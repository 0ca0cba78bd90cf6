"""Jobs beside the crawl: once per slot or a recorded gap, in order, whatever the scheduler does; notices once each."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from pymongo.database import Database

from crawler import asking, notices, rounds
from crawler.config import ROOT
from crawler.due import Bounds, Report, take, take_jobs
from crawler.jobs import Job, JobsError, Limits, Spent, read
from crawler.notices import alarm
from crawler.schedule import Watch
from crawler.storage import jobs as kept
from crawler.storage.notices import Notices
from crawler.storage.slots import Slots
from crawler.targets import TargetError
from spiders.shopify import ShopifyStore
from spiders.tiktok import TikTokHashtag, TikTokProfile
from spiders.trends import GetDayTrends
from tests.campaign.unattended import scheduler
from tests.shell import Shell

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SOURCES = asking.sources_of([TikTokProfile, TikTokHashtag, GetDayTrends, ShopifyStore])


@pytest.fixture
def jobs(database: Database[dict[str, Any]]) -> Slots:
    made = Slots(database, "jobs")
    made.prepare()
    return made


@pytest.fixture
def told(database: Database[dict[str, Any]]) -> Notices:
    made = Notices(database)
    made.prepare()
    return made


def planned(*jobs: Job, since: datetime = NOON) -> dict[str, tuple[Job, datetime]]:
    return {job.name: (job, since) for job in jobs}


def test_two_days_of_a_scheduler_that_is_late_double_absent_and_killed_do_each_job_once_or_record_a_gap(
    database: Database[dict[str, Any]],
) -> None:
    report = scheduler(database, days=2, seed=5)
    assert report.wrong == []
    assert report.kills > 0
    assert report.firings["twice"] > 10
    assert report.firings["not at all"] > 10


def test_a_failed_job_alone_is_retried_and_what_follows_it_waits(
    jobs: Slots, database: Database[dict[str, Any]]
) -> None:
    clean, sql, other = Job("clean", HOUR, "x"), Job("sql", HOUR, "x", ("clean",)), Job("other", HOUR, "x")
    broken = {"clean"}
    ran: Counter[str] = Counter()

    def run(job: Job, slot: datetime) -> str | None:
        ran[job.name] += 1
        return "exit_1" if job.name in broken else None

    for minute in (1, 11):
        report = Report()
        moment = NOON + timedelta(minutes=minute)
        take_jobs(jobs, planned(clean, sql, other), Slots(database), run, lambda m=moment: m, "me", report)  # type: ignore[misc]
    assert ran == {"clean": 2, "other": 1}
    broken.clear()
    report = Report()
    take_jobs(
        jobs, planned(clean, sql, other), Slots(database), run, lambda: NOON + timedelta(minutes=21), "me", report
    )
    assert ran == {"clean": 3, "other": 1, "sql": 1}
    assert report.jobs == {"clean taken": 1, "sql taken": 1}


def test_a_job_waits_for_targets_that_are_tried_again_but_not_to_the_end_of_its_slot(
    jobs: Slots, database: Database[dict[str, Any]]
) -> None:
    slots = Slots(database)
    slots.prepare()
    slots.watch(Watch("getdaytrends", "br", HOUR, NOON))
    take(slots, lambda spider, targets: None, lambda: NOON + timedelta(minutes=1), "me")  # no answer: failed
    alerts = Job("alerts", HOUR, "x", ("crawl",))
    for minute, expected in ((2, {}), (45, {"alerts taken": 1})):
        report, moment = Report(), NOON + timedelta(minutes=minute)
        take_jobs(jobs, planned(alerts), slots, lambda job, slot: None, lambda m=moment: m, "me", report)  # type: ignore[misc]
        assert report.jobs == expected


def test_what_the_day_may_cost_ends_in_gaps_that_say_so(database: Database[dict[str, Any]]) -> None:
    slots = Slots(database)
    slots.prepare()
    for n in range(5):
        slots.watch(Watch("shopify_store", f"shop{n}.example", HOUR, NOON))
    ran: list[str] = []
    bounds = Bounds(day=Limits(pages=100), spent=lambda now: Spent(pages=98))
    report = take(slots, lambda spider, targets: ran.extend(targets), lambda: NOON, "me", bounds)
    assert len(ran) == 2
    assert report.counted["budget"] == 3


def test_a_database_that_is_full_takes_nothing_and_says_so_in_every_gap(database: Database[dict[str, Any]]) -> None:
    slots = Slots(database)
    slots.watch(Watch("s", "a", HOUR, NOON))
    ran: list[str] = []
    report = take(slots, lambda *taken: ran.append("s"), lambda: NOON, "me", Bounds(closed="database_full"))
    assert (ran, report.counted) == ([], {"database_full": 1})


@pytest.mark.parametrize(
    ("limits", "left"),
    [
        (Limits(pages=10), 3),
        (Limits(megabytes=2), 0),
        (Limits(browser_minutes=2), 1 << 30),
        (Limits(host_pages=5), 1),
        (Limits(), 1 << 30),
    ],
)
def test_what_is_left_of_a_day(limits: Limits, left: int) -> None:
    spent = Spent(7, 2_000_000, 60.0, {("a", "x.example"): 3, ("b", "x.example"): 1, ("b", "y.example"): 3})
    assert limits.left(spent, "a") == left


def test_the_ledger_says_what_a_day_has_cost(database: Database[dict[str, Any]]) -> None:
    row = {"spider": "s", "url": "https://x.example/a", "bytes": 10, "lane": "browser", "ms": 1500}
    moments = (NOON, NOON + HOUR, NOON - timedelta(days=1))
    database["fetches"].insert_many([{**row, "_id": str(i), "at": at} for i, at in enumerate(moments)])
    assert kept.spent(database, NOON) == Spent(2, 20, 3.0, {("s", "x.example"): 2})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[a]\nevery = '1h'", "expected a table with every and run"),
        ("[a]\nevery = 'often'\nrun = 'x'", "expected a time such as"),
        ("[a]\nevery = '1h'\nrun = 'x'\nafter = ['b']", "after 'b', which is no job"),
        ("[a]\nevery = '1h'\nrun = 'x'\nafter = ['b']\n[b]\nevery = '1h'\nrun = 'x'\nafter = ['a']", "wait for each"),
        ("[a]\nevery = '1h'\nrun = 'x'\ncolour = 'red'", "no key 'colour'"),
        ("['$a.b']\nevery = '1h'\nrun = 'x'", "expected a name of small letters"),
        ("a = ", "Invalid value"),
    ],
)
def test_a_list_of_jobs_that_cannot_be_used_says_why(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "jobs.toml").write_text(text)
    with pytest.raises(JobsError, match=says):
        read(tmp_path / "jobs.toml", {})


def test_the_jobs_we_ship_are_in_order_and_need_what_they_need() -> None:
    names = [job.name for job in read(None, {"NOTICE_URLS": True, "TIDEMARK_EXPORT": True})]
    assert names.index("trends") < names.index("retention") < names.index("verify")
    assert set(names) - {job.name for job in read(None, {})} == {"digest", "week", "export"}


class Post:
    """A mail server and a webhook of our own."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.hooks: list[dict[str, Any]] = []
        self.refuse = 0
        post = self

        class Hook(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status = 200
                if post.refuse:
                    post.refuse, status = post.refuse - 1, 503
                else:
                    post.hooks.append(body)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                return None

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        with socket.create_server(("127.0.0.1", 0)) as probe:  # the controller must know its port beforehand
            self.port = probe.getsockname()[1]
        self.smtp = Controller(self, hostname="127.0.0.1", port=self.port)
        self.smtp.start()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append(message_from_bytes(envelope.content))
        return "250 OK"

    @property
    def urls(self) -> tuple[str, str]:
        return (
            f"mailto://127.0.0.1:{self.port}?from=tidemark@example.org&to=you@example.org&mode=insecure",
            f"json://127.0.0.1:{self.server.server_address[1]}/hook",
        )

    def close(self) -> None:
        self.smtp.stop()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def post() -> Iterator[Post]:
    made = Post()
    yield made
    made.close()


def test_a_notice_arrives_by_mail_and_by_webhook_once_each_however_often_it_is_told(told: Notices, post: Post) -> None:
    for minute in range(3):
        at = NOON + timedelta(minutes=minute)
        told.add([alarm("x:br:blocked", "x:br: 3 slots in a row are gaps (blocked)", "Look.", at)])
        told.deliver(post.urls, notices.by_apprise, at, "me")
    assert [mail["Subject"] for mail in post.mails] == ["Tidemark: x:br: 3 slots in a row are gaps (blocked)"]
    assert [hook["message"] for hook in post.hooks] == [
        "x:br: 3 slots in a row are gaps (blocked)\nWhat to do: Look."
    ]  # fmt: skip


def test_an_alert_of_the_trends_arrives_by_mail_and_by_webhook_once_each(
    told: Notices, post: Post, database: Database[Any]
) -> None:
    row = {"_id": "enters@1#gol", "rule": "enters", "board": "x:trends:br", "topic": "Gol\nBcc: x@y.example", "top": 10,
           "at": NOON, "until": NOON + 3 * HOUR, "probability": 0.82}  # fmt: skip
    database["alerts"].insert_one(row)
    for minute in (1, 11, 21):
        at = NOON + timedelta(minutes=minute)
        told.add(rounds.alert(each, at) for each in told.untold_alerts(at - 6 * HOUR))
        told.deliver(post.urls, notices.by_apprise, at, "me")
    assert [mail["Subject"] for mail in post.mails] == ["Tidemark: Gol Bcc: x@y.example: top 10 of x:trends:br?"]
    assert post.mails[0]["Bcc"] is None
    assert len(post.hooks) == 1
    assert "until 2026-03-01 15:00 UTC, probability 0.82." in post.hooks[0]["message"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_a_crawl_ends_with_the_process_that_started_it() -> None:
    code = "from crawler.rounds import run_bound; run_bound(['sleep', '120'], 120)"
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT) as parent:
        told = Path(f"/proc/{parent.pid}/task/{parent.pid}/children")
        while not (children := told.read_text().split()) and parent.poll() is None:
            select.select([], [], [], 0.02)
        child = os.pidfd_open(int(children[0]))
        parent.kill()
    ended, _, _ = select.select([child], [], [], 20)
    os.close(child)
    assert ended == [child]


@pytest.mark.skipif(sys.platform == "win32", reason="no process groups of this kind")
@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_crawl_ends_in_good_order_where_a_dyno_or_a_terminal_ends_everything_at_once(ending: int) -> None:
    crawl = "trap 'sleep 0.4; echo whole; exit 0' TERM INT; echo begun; while :; do sleep 0.05; done"
    code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from crawler import rounds; "
    code += "signal.signal(signal.SIGTERM, rounds.asked_to_end); "
    code += f"rounds.run_bound(['sh', '-c', {crawl!r}], 60)"
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True, start_new_session=True) as parent:  # fmt: skip
        assert parent.stdout is not None
        assert parent.stdout.readline() == "begun\n"
        os.killpg(parent.pid, ending)
        assert parent.stdout.read() == "whole\n"
    assert parent.returncode in (128 + ending, -ending)


@pytest.mark.parametrize(
    ("end", "spooled", "verified"), [("kill -9 $$", False, 1), ("exit 1", False, 0), ("exit 1", True, 1)]
)
def test_what_a_crawl_did_not_store_is_brought_in_before_anybody_asks_for_it_again(
    end: str, spooled: bool, verified: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDEMARK_DATA", str(tmp_path))
    if spooled:
        (tmp_path / "spool" / "tidemark").mkdir(parents=True)
        (tmp_path / "spool" / "tidemark" / "load.jsonl").touch()
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\ncase "$*" in *crawl*) {end};; *) echo "$*" >> "$0.asked";; esac\n')
    python.chmod(0o700)
    (tmp_path / "python.asked").touch()
    monkeypatch.setattr(sys, "executable", str(python))
    rounds.crawl("getdaytrends", ["br"])
    assert (tmp_path / "python.asked").read_text() == "-m scrapy verify\n" * verified


def test_an_address_that_was_away_gets_its_notice_later_and_the_other_one_none_twice(told: Notices, post: Post) -> None:
    post.refuse = 1
    told.add([alarm("a", "a", "b", NOON)])
    first = told.deliver(post.urls, notices.by_apprise, NOON, "me")
    assert (first.sent, first.refused, told.undelivered()) == (1, 1, 1)
    told.deliver(post.urls, notices.by_apprise, NOON, "me")
    assert (len(post.mails), len(post.hooks), told.undelivered()) == (1, 1, 0)


def test_a_notice_whose_sender_died_over_it_goes_out_again_and_says_so(told: Notices) -> None:
    told.add([alarm("a", "a", "b", NOON)])
    bodies: list[str] = []

    def dies(url: str, notice: notices.Notice) -> bool:
        bodies.append(notice.body)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        told.deliver(["json://x"], dies, NOON, "me")
    assert told.deliver(["json://x"], lambda url, notice: True, NOON, "other").sent == 0
    later = NOON + timedelta(minutes=6)
    told.deliver(["json://x"], lambda url, notice: bodies.append(notice.body) is None, later, "other")
    assert (
        bodies[1]
        == f"(This may be a repetition: the process that sent it died before it could note that.)\n{bodies[0]}"
    )


def test_three_gaps_of_one_reason_in_a_row_are_worth_a_notice(told: Notices, database: Database[Any]) -> None:
    slots = Slots(database)
    for value, reasons in (("br", ["blocked"] * 3), ("us", ["blocked", "blocked", "missed"]), ("pt", ["blocked"])):
        watch = Watch("s", value, HOUR, NOON)
        slots.watch(watch)
        for i, reason in enumerate(reasons):
            slots.gaps(watch, [NOON + i * HOUR], reason, NOON)
    assert told.gaps_in_a_row(NOON + 3 * HOUR) == {"s:br": ("blocked", 3)}


def test_due_tells_of_a_database_that_is_away_once_a_day(post: Post, tmp_path: Path) -> None:
    away = Shell("mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=100", "tidemark_away", tmp_path)
    for _ in range(2):
        done = away("due", NOTICE_URLS=" ".join(post.urls))
        assert done.returncode == 1
        assert "cannot reach mongodb://127.0.0.1:9" in done.stderr
        assert "Traceback" not in done.stderr
    assert len(post.mails) == len(post.hooks) == 1
    assert "scrapy doctor" in post.hooks[0]["message"]


@pytest.mark.parametrize(
    ("message", "spider", "target"),
    [
        ('{"url": "https://www.tiktok.com/@NASA?lang=en"}', "tiktok_profile", "nasa"),
        ('{"url": "https://www.tiktok.com/tag/booktok"}', "tiktok_hashtag", "booktok"),
        ('{"url": "https://socks.example/products/red"}', "shopify_store", "socks.example"),
        ('{"spider": "getdaytrends", "target": "br"}', "getdaytrends", "br"),
    ],
)
def test_a_message_names_a_spider_and_a_target_or_an_address(message: str, spider: str, target: str) -> None:
    assert asking.wanted(message, SOURCES) == (spider, target)


@pytest.mark.parametrize(
    "message",
    ["", "[]", "nonsense", '{"url": "ftp://x/y"}', '{"url": 3}', '{"spider": "x", "target": "y"}',
     '{"spider": "getdaytrends", "target": {"$ne": 1}}', '{"spider": "getdaytrends", "target": "../../x"}',
     '{"url": "' + "a" * 3000 + '"}'],
)  # fmt: skip
def test_a_message_that_asks_for_nothing_we_know_is_refused(message: str) -> None:
    with pytest.raises(TargetError):
        asking.wanted(message, SOURCES)


def test_what_was_asked_for_and_the_jobs_of_a_list_of_ones_own_are_done_by_due(
    shell: Shell, database: Database[Any], tmp_path: Path, living_site: Any, post: Post
) -> None:
    (tmp_path / "jobs.toml").write_text(
        '[said]\nevery = "1h"\nrun = "echo 2"\ntell = "output"\n[bad]\nevery = "1h"\nrun = "false"\n'
    )
    assert "asked for" in shell("ask", "getdaytrends", "br").stdout
    shell.environ |= {**living_site.proxies(), "no_proxy": "127.0.0.1"}
    more = {"TIDEMARK_JOBS": str(tmp_path / "jobs.toml"), "NOTICE_URLS": post.urls[1]}
    first = shell("due", **more)
    assert "1 done; jobs: 1 bad exit_1, 1 said taken" in first.stderr
    assert first.returncode == 1
    assert shell("due", **more).stderr == "nothing is due\n"  # what failed waits before it is tried again
    assert shell("dead", "--revive").stdout.startswith("1 may be tried again")
    second = shell("due", **more)
    assert "nothing is due; jobs: 1 bad exit_1\n" in second.stderr
    assert database["fetches"].count_documents({"spider": "getdaytrends", "outcome": "ok"}) == 1
    assert [hook["message"] for hook in post.hooks if "said" in hook["title"]] == ["2"]
