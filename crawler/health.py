"""Is this installation fit to crawl? One finding a check, each with the command that mends it."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from crawler import config
from crawler.config import Config
from crawler.storage import connect
from crawler.storage.errors import StorageError

OLDEST_PYTHON = (3, 11)  # pandas 3.1 and pymongo 4.20 want it
OLDEST_SERVER = (4, 4)  # pymongo 4.20 speaks to nothing older
LOW_BYTES, FULL_BYTES = 1_000_000_000, 100_000_000
CLOCK_WARN_S, CLOCK_FAIL_S = 5.0, 300.0
MODULES = (
    *("ahocorasick", "altair", "apprise", "eld", "fastapi", "httptools", "itemadapter", "jinja2", "joblib", "LeIA"),
    *("orjson", "pandas", "playwright", "price_parser", "pyarrow", "pydantic", "pymongo", "recurring_ical_events"),
    *("rensa", "ruptures", "scrapy", "scrapy_playwright", "selectolax", "sklearn", "tldextract", "uvicorn"),
    *("uvloop", "vaderSentiment", "vl_convert", "warcio", "xlsxwriter", "yake"),
)
BROWSERS = (
    # The headless shell first: twice the pages a second in two thirds of the memory of a full Chromium.
    *("chromium-headless-shell", "chromium", "google-chrome", "google-chrome-stable", "chrome"),
    *("microsoft-edge", "microsoft-edge-stable"),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
)
INSTALL_BROWSER = "playwright install --with-deps --only-shell chromium"


@dataclass(frozen=True)
class Check:
    name: str
    state: Literal["ok", "warn", "fail"]
    found: str
    mend: str = ""
    """A command or a short instruction; empty where nothing is to be done."""

    def line(self) -> str:
        return f"{self.state:<4}  {self.name:<8}  {self.found}" + (f"  -> {self.mend}" if self.mend else "")


def examine(now: Callable[[], datetime], environ: Mapping[str, str] | None = None) -> Iterator[Check]:
    """All checks, each as soon as it is known. Starts the local database where none is set."""
    yield python(sys.version_info[:3])
    yield packages()
    checks, settings = read_settings(environ)
    yield from checks
    if settings is not None:
        yield disk(settings.data_dir, free_bytes(settings.data_dir))
        yield archive(settings)
        yield spool(settings)
        yield from database(settings, now)
        yield browser(settings.browser_path)


def python(version: tuple[int, ...]) -> Check:
    shown = ".".join(map(str, version))
    if version < OLDEST_PYTHON:
        return Check("python", "fail", f"{shown}, but 3.11 or newer is needed", "install Python 3.11, then make setup")
    return Check("python", "ok", shown)


def packages(load: Callable[[str], object] = importlib.import_module) -> Check:
    broken = []
    for name in MODULES:
        try:
            load(name)
        except Exception as error:  # a broken package can raise anything
            broken.append(f"{name} ({type(error).__name__})")
    if broken:
        return Check("packages", "fail", f"cannot be imported: {', '.join(broken)}", "make setup")
    return Check("packages", "ok", f"{len(MODULES)} can be imported")


def read_settings(environ: Mapping[str, str] | None) -> tuple[list[Check], Config | None]:
    try:
        settings = config.load(environ)
    except config.ConfigError as error:
        return [Check("settings", "fail", str(error), "see .env.example")], None
    notes = config.warnings(settings)
    if notes:
        return [Check("settings", "warn", note, "see .env.example") for note in notes], settings
    return [Check("settings", "ok", f"data in {settings.data_dir}, database {settings.mongodb_database}")], settings


def disk(folder: Path, free: int) -> Check:
    """free: bytes."""
    found = f"{free / 1e9:.1f} GB free for {folder}"
    mend = "free some space, or set TIDEMARK_DATA to another disk"
    if free < FULL_BYTES:
        return Check("disk", "fail", found, mend)
    return Check("disk", "warn", found, mend) if free < LOW_BYTES else Check("disk", "ok", found)


def free_bytes(folder: Path) -> int:
    """Of the disk on which *folder* lies, or will once it is made."""
    there = next(place for place in (folder, *folder.parents) if place.is_dir())
    return shutil.disk_usage(there).free


def archive(settings: Config) -> Check:
    folder = settings.archive_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"x")
            probe.flush()
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        found = f"{folder} cannot be written ({reason})"
        return Check("archive", "fail", found, f"chown -R $(id -un) '{settings.data_dir}', or set TIDEMARK_DATA")
    return Check("archive", "ok", f"{folder} can be written")


def spool(settings: Config) -> Check:
    files = list(settings.spool_dir.glob("*/*.jsonl"))
    if not files:
        return Check("spool", "ok", "empty")
    size_mb = sum(path.stat().st_size for path in files) / 1e6
    names = ", ".join(sorted({path.parent.name for path in files}))
    found = f"{size_mb:.1f} MB wait in {settings.spool_dir} for database {names}"
    return Check("spool", "warn", found, "mend the database; the next start of anything brings them in")


def database(settings: Config, now: Callable[[], datetime], timeout_s: float = 5.0) -> list[Check]:
    try:
        uri = connect.address(settings)
        with connect.connect(settings, timeout_s=timeout_s) as client:
            before = now()
            facts = connect.facts(client, uri)
            middle = before + (now() - before) / 2
    except StorageError as error:
        what, _, mend = str(error).partition(". ")  # the rest of it says what to try
        return [Check("database", "fail", what, mend)]
    return [server(facts, connect.safe_uri(uri)), clock(middle, facts.clock)]


def server(facts: connect.Facts, place: str) -> Check:
    shown = f"MongoDB {'.'.join(map(str, facts.version))} at {place}"
    if facts.version < OLDEST_SERVER:
        return Check("database", "fail", f"{shown}, but 4.4 or newer is needed", "upgrade that server")
    if not facts.majority:
        return Check("database", "fail", f"{shown}, writes can be lost", "leave w and journal out of MONGODB_URI")
    return Check("database", "ok", f"{shown}, writes wait for majority and journal")


def clock(here: datetime, there: datetime) -> Check:
    """here: this machine's; there: the database server's. Both aware."""
    apart_s = (here - there).total_seconds()
    found = f"{abs(apart_s):.1f} s {'ahead of' if apart_s > 0 else 'behind'} the database server"
    mend = "sudo timedatectl set-ntp true"
    if abs(apart_s) > CLOCK_FAIL_S:
        return Check("clock", "fail", f"{found}: the moments of all numbers would be wrong", mend)
    return Check("clock", "warn", found, mend) if abs(apart_s) > CLOCK_WARN_S else Check("clock", "ok", found)


def browser(given: str | None, find: Callable[[str | None], Path | None] | None = None) -> Check:
    """Missing is a warning: most pages are read without one."""
    if given and not Path(given).is_file():
        return Check("browser", "fail", f"BROWSER_PATH: no program {given}", "correct it, or leave it out")
    path = (find or find_browser)(given)
    if path is None:
        return Check("browser", "warn", "none; only pages that need no browser can be read", INSTALL_BROWSER)
    reason = why_not(path)
    if reason:
        return Check("browser", "warn", f"{path} does not start: {reason}", "playwright install-deps chromium")
    return Check("browser", "ok", str(path))


def why_not(program: Path) -> str | None:
    """Why this browser cannot run; None when it can."""
    if sys.platform == "win32":  # there it would open a window
        return None
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return getattr(error, "strerror", None) or "no answer"
    return None if done.returncode == 0 else (done.stderr.strip()[-200:] or f"exit status {done.returncode}")


def find_browser(
    given: str | None,
    playwright: Callable[[], Path | None] | None = None,
    which: Callable[[str], str | None] = shutil.which,
) -> Path | None:
    """The browser to drive: BROWSER_PATH, Playwright's own, then the system's. Takes half a second."""
    if given:
        return Path(given)
    own = (playwright or playwright_browser)()
    if own is not None:
        return own
    for name in BROWSERS:
        path = which(name)
        # Ubuntu's snap may not read the profile that Playwright makes for it.
        if path and "snap" not in Path(path).resolve().parts and Path(path).resolve().name != "snap":
            return Path(path)
    return None


def playwright_browser() -> Path | None:
    """Playwright's own browser where it has been installed."""
    # In a thread of its own: Playwright refuses to be asked under a running event loop.
    with ThreadPoolExecutor(1) as thread:
        full = thread.submit(_playwright_path).result()
    if full is None:
        return None
    shell = headless_shell(full)
    return shell or (full if full.is_file() else None)


def headless_shell(full: Path) -> Path | None:
    """The headless shell beside a full Chromium at …/chromium-1234/<platform>/chrome, installed or not."""
    folder = full.parents[1] if len(full.parents) > 1 else full
    shells = folder.parent.glob(f"{folder.name.replace('chromium-', 'chromium_headless_shell-')}/*/*headless*shell*")
    return next(iter(sorted(path for path in shells if path.is_file())), None)


def _playwright_path() -> Path | None:
    try:
        from playwright.sync_api import sync_playwright

        with sync_playwright() as driver:
            return Path(driver.chromium.executable_path)
    except Exception:  # whatever it is, there is no browser of Playwright's to be had
        return None
