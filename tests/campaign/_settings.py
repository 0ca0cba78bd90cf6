"""The product's settings on the simulated web: its moments are the crawl's, and a host is asked five times a second.

For SCRAPY_SETTINGS_MODULE, which every process that is started inherits.
"""

from crawler.settings import *  # noqa: F403
from crawler.settings import DOWNLOADER_MIDDLEWARES as OURS

DOWNLOAD_DELAY = 0.2
AUTOTHROTTLE_ENABLED = False  # it would follow this machine's load, which is not the site's
DOWNLOADER_MIDDLEWARES = {**OURS, "demo.lane.SimulatedMoment": 700}
LOG_LEVEL = "ERROR"
