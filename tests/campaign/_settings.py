"""The product's settings on the simulated web: its moments are the crawl's, and a host is asked every CAMPAIGN_DELAY_S.

For SCRAPY_SETTINGS_MODULE, which every process that is started inherits.
"""

import os

from crawler.settings import *  # noqa: F403
from crawler.settings import DOWNLOADER_MIDDLEWARES as OURS

DOWNLOAD_DELAY = float(os.environ.get("CAMPAIGN_DELAY_S", "0.2"))
DOWNLOAD_DELAY_JITTER = 0.0  # so that the pace can be judged by a few requests
AUTOTHROTTLE_ENABLED = False  # it would follow this machine's load, which is not the site's
DOWNLOADER_MIDDLEWARES = {**OURS, "demo.lane.SimulatedMoment": 700}
LOG_LEVEL = "ERROR"
