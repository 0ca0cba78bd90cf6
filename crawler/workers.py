"""Workers on any number of machines that share a database: Celery carries batches, a spider and its targets, to them.

A batch is no promise: it names targets that were due when it was sent. Whoever gets it starts `scrapy due --only` in
a process of its own, which claims their slots in the database and takes those it got. A message that is lost, late or
delivered twice therefore does no harm, and the work of a worker that died is sent anew when its leases have run out.

    celery -A crawler.workers worker --concurrency 2        # on each machine
    scrapy due --engine celery --every 10m                  # on one of them, or on two: it claims nothing
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from urllib.parse import urlsplit

from celery import Celery
from kombu.exceptions import OperationalError

from crawler import rounds
from crawler.config import Config, ConfigError
from crawler.config import load as load_config

QUEUE = "tidemark"
LONGEST_S = rounds.LONGEST_S + 300  # a crawl, and storing what another had archived
TAKE, ASKED = "tidemark.take", "tidemark.asked"


def made(settings: Config) -> Celery:
    """Raises ConfigError where there is no broker."""
    if settings.broker is None:
        raise ConfigError("TIDEMARK_BROKER: not set; workers need a broker, e.g. redis://localhost:6379/0 or "
                          "amqp://localhost. See .env.example.")  # fmt: skip
    app = Celery(QUEUE, broker=settings.broker, set_as_current=False)
    app.conf.update(
        task_default_queue=QUEUE, task_serializer="json", accept_content=["json"], task_ignore_result=True,
        # A job counts as done when it is, not when it is begun, and a worker has no more than it works on.
        task_acks_late=True, task_reject_on_worker_lost=True, worker_prefetch_multiplier=1,
        task_time_limit=LONGEST_S + 60,
        # Redis gives a message again that nobody has acknowledged for so long: later than any job can take. What a
        # dead worker held comes back sooner, by the next round after its leases.
        broker_transport_options={"visibility_timeout": 2 * LONGEST_S},
        broker_connection_retry_on_startup=True, broker_connection_timeout=4,
        worker_cancel_long_running_tasks_on_connection_loss=True,
    )  # fmt: skip
    app.task(name=TAKE)(take)
    app.task(name=ASKED)(take_asked)
    return app


def take(spider: str, targets: Sequence[str], capture_only: bool = False) -> None:
    more = ["--capture-only"] if capture_only else []
    _child("--only", spider, *more, "--", *targets)


def take_asked(capture_only: bool = False) -> None:
    _child("--asked", *(["--capture-only"] if capture_only else []))


def _child(*arguments: str) -> None:
    rounds.run_bound([sys.executable, "-m", "scrapy", "due", "--no-jobs", *arguments], LONGEST_S)


def sender(
    settings: Config, expires: timedelta, capture_only: bool, asked_expires: timedelta | None = None
) -> Callable[[rounds.Batches, int], None]:
    """Sends batches and calls to look at what is asked for. Raises ConfigError.

    expires: until the next round, which sends again what nobody took.  asked_expires: until the queue is looked at
    often enough to have been sent for anew.
    """
    app = made(settings)

    def send(batches: rounds.Batches, asked: int) -> None:
        more = {"expires": expires.total_seconds(), "retry": False}
        soon = {**more, "expires": (asked_expires or expires).total_seconds()}
        kept = {"capture_only": capture_only}
        try:
            for _ in range(asked):
                app.send_task(ASKED, kwargs=kept, **soon)
            for spider, targets in batches:
                app.send_task(TAKE, (spider, targets), kwargs=kept, **more)
        except (OperationalError, OSError) as error:
            raise ConfigError(
                f"TIDEMARK_BROKER: {_where(settings)} takes no jobs ({type(error).__name__}). Does it run? Nothing is "
                "lost: what was not sent is due in the next round."
            ) from None

    return send


def _where(settings: Config) -> str:
    """Without user and password."""
    parts = urlsplit(settings.broker or "")
    return f"{parts.scheme}://{parts.hostname}"


def __getattr__(name: str) -> Celery:
    """`app`, for celery -A crawler.workers: made when it is asked for, so that an import needs no broker."""
    if name not in ("app", "celery"):
        raise AttributeError(name)
    try:
        globals()["app"] = globals()["celery"] = found = made(load_config())
    except ConfigError as error:  # one plain line, not a traceback
        raise SystemExit(str(error)) from None
    return found
