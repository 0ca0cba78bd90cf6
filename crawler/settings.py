"""Scrapy's settings: safe, slow and quiet by default. Houses are named by string only."""

import sys
from pathlib import Path

from scrapy.settings import default_settings

from crawler.config import ConfigError, load

try:
    _config = load()
except ConfigError as error:  # one plain line, not a traceback, whatever the command
    raise SystemExit(str(error)) from None

BOT_NAME = "tidemark"
SPIDER_MODULES = ["spiders"]
# All commands are imported to run one of them, and some need pandas: 75 MB and a second that no crawl has to spare.
_asked = next(iter(sys.argv[1:2]), "")
_alone = _asked.isidentifier() and (Path(__file__).parent / "commands" / f"{_asked}.py").is_file()
COMMANDS_MODULE = f"crawler.commands.{_asked}" if _alone else "crawler.commands"
TIDEMARK_DATABASE = _config.mongodb_database

# A server that runs posted Python and a console that does the same: off.
REMOTE_CONTROL_ENABLED = False
TELNETCONSOLE_ENABLED = False

# Manners: named, slow, obedient, and without memory of the visitor.
USER_AGENT = _config.user_agent
ROBOTSTXT_OBEY = True
ROBOTSTXT_USER_AGENT = "Tidemark"
COOKIES_ENABLED = False
DOWNLOAD_DELAY = 1.0
CONCURRENT_REQUESTS_PER_DOMAIN = 1
AUTOTHROTTLE_ENABLED = True
AUTOTHROTTLE_TARGET_CONCURRENCY = 1.0
AUTOTHROTTLE_START_DELAY = 2.0
AUTOTHROTTLE_MAX_DELAY = 120.0

DOWNLOADER = "crawler.lanes.turns.Downloader"  # whose pace holds for all workers that share the database

DOWNLOAD_TIMEOUT = 30
DOWNLOAD_MAXSIZE = 64 * 1024 * 1024
DOWNLOAD_WARNSIZE = 0
RETRY_TIMES = 2
# Playwright's timeouts and net::ERR_* are in no default list: without them, never retried.
RETRY_EXCEPTIONS = [*default_settings.RETRY_EXCEPTIONS, "playwright.async_api.Error"]
RETRY_GIVE_UP_LOG_LEVEL = "WARNING"
HTTPERROR_ALLOW_ALL = True  # the outcome of a 403 or 429 is the page's and the ledger's business
METAREFRESH_ENABLED = False

REDIRECT_MAX_TIMES = 5

# A host that turns us away is left alone: as long as it says, or an hour after so many walls in a row.
MANNERS_ENABLED = True
RETRY_AFTER_LONGEST_S = 60.0  # a request waits this long at most; asked for more, the run goes on without the host
CIRCUIT_AFTER = 5
COOL_DOWN = True  # remembered for the next run, in rests.json beside the archive

# The browser lane. DOWNLOAD_TIMEOUT does not reach into the browser; these limits do.
BROWSER_TABS = 4  # at once, and never more than requests to a host
BROWSER_PATIENCE_S = 5.0  # a page at rest that asks for nothing more in this time has no list
BROWSER_VISIT_S = 120.0  # the longest visit, scrolling included
BROWSER_RECYCLE_VISITS = 80  # for each tab; then a new browser: memory grows with the pages it has shown
BROWSER_RECYCLE_MB = 245  # or when it has grown to this (PSS; 68 more for each further tab), looked at every 20 visits
BROWSER_IGNORE_TLS = False
API_SERVICE = ""  # tikapi or scrapingbee, with your own key, in the place of the browser
HARD_LIMIT_MINUTES = 240.0  # then a parent process ends a crawl that has a browser, whatever it does; 0: no parent
PLAYWRIGHT_DEFAULT_NAVIGATION_TIMEOUT = 30_000  # ms

DOWNLOAD_HANDLERS = {"capture": "crawler.lanes.replay.CaptureHandler"}
DOWNLOADER_MIDDLEWARES = {
    "crawler.lanes.http.ArchiveRedirects": 605,  # outside RedirectMiddleware (600)
    "crawler.lanes.http.ArchiveMiddleware": 585,  # inside HttpCompression (590), outside Retry (550)
    "crawler.lanes.manners.Manners": 560,  # before Retry, which asks again at once
    "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
    "crawler.lanes.robots.Robots": 100,
}
SPIDER_MIDDLEWARES = {"crawler.stages.CaptureOnly": 50}  # only with TIDEMARK_CAPTURE_ONLY
ITEM_PROCESSOR = "crawler.pipeline.DirectPipelines"
ITEM_PIPELINES = {
    "pipelines.validate.ValidatePipeline": 100,
    "pipelines.dedupe.DedupePipeline": 200,
    "pipelines.profile.ProfilePipeline": 250,
    "pipelines.drift.DriftPipeline": 260,
    "pipelines.upsert.UpsertPipeline": 300,
}
EXTENSIONS = {
    "crawler.verdict.RunExtension": 0,
    "crawler.shipping.ShipArchive": 0,
    "crawler.leftovers.NoteFeeds": 0,
    "scrapy.extensions.logstats.LogStats": None,
}
FEED_EXPORTERS = {
    "jsonl": "crawler.exports.JsonLinesExporter",
    "jsonlines": "crawler.exports.JsonLinesExporter",
    "json": "crawler.exports.JsonExporter",
    "csv": "crawler.exports.CsvExporter",
    "parquet": "crawler.exports.ParquetExporter",
}
CONCURRENT_ITEMS = (
    8  # tasks Scrapy makes anew for every response, whatever it holds: at 2000 they cost 10 times the work
)

LOG_LEVEL = "INFO"
LOG_FORMATTER = "crawler.logs.QuietFormatter"
LOG_FORMAT = "%(asctime)s %(levelname)s %(message)s"
LOG_DATEFORMAT = "%H:%M:%S"
LOG_VERSIONS: list[str] = []
STATS_DUMP = False
