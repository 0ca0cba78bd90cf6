"""`scrapy due` as a process of its own on the simulated web's clock; what the campaign starts, and kills.

Arguments: address of the site. The database, the data folder and the proxies come from the environment.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from collections.abc import Sequence
from datetime import datetime

from scrapy.settings import BaseSettings

from crawler import config, rounds
from crawler.due import take
from crawler.storage import schema
from crawler.storage.connect import connect
from crawler.storage.errors import StorageError
from crawler.storage.slots import Slots
from demo.lane import SimulatedMoment

DELAY_S = 0.05
"""Between two requests to a host; the product waits for a second, and the site's clock runs twenty times as fast."""


class Paced:
    """Scrapy add-on: the product's manners, and time that passes twenty times as fast."""

    def update_settings(self, settings: BaseSettings) -> None:
        # AutoThrottle would follow this machine's load, which is not the site's.
        paced = {"DOWNLOAD_DELAY": DELAY_S, "AUTOTHROTTLE_ENABLED": False,
                 "RETRY_TIMES": 1, "LOG_LEVEL": "ERROR"}  # fmt: skip
        for name, value in paced.items():
            settings.set(name, value, priority="cmdline")
        settings.set_in_component_priority_dict("DOWNLOADER_MIDDLEWARES", SimulatedMoment, 700)


def main(site: str) -> int:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def clock() -> datetime:
        with direct.open(f"http://{site}/_sim/state", timeout=20) as answer:
            return datetime.fromisoformat(json.load(answer)["at"])

    def run(spider: str, targets: Sequence[str]) -> None:
        command = [sys.executable, "-m", "scrapy", "crawl", spider, "-a", f"targets={','.join(targets)}",
                   "-s", 'ADDONS={"tests.campaign._worker.Paced": 1}']  # fmt: skip
        rounds.recover(rounds.run_bound(command + (["-a", "posts=0"] if spider.startswith("tiktok_") else []), 120))

    settings = config.load()
    try:
        with connect(settings) as client:
            database = client[settings.mongodb_database]
            schema.ensure(database)
            slots = Slots(database)
            slots.prepare()
            take(slots, run, clock, f"worker-{os.getpid()}", catch_up=rounds.catch_up)
    except StorageError:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
