"""The only reader of the environment. Every setting: type, default, unit, reason in .env.example."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class ConfigError(ValueError):
    """A setting that cannot be used; says which, why, and what to write instead."""


@dataclass(frozen=True)
class Config:
    mongodb_uri: str | None = field(repr=False)
    mongodb_database: str
    data_dir: Path
    archive_url: str | None = field(repr=False)
    browser_path: str | None
    contact: str
    hash_key: str | None = field(repr=False)
    x_bearer_token: str | None = field(repr=False)
    youtube_api_key: str | None = field(repr=False)
    tikapi_key: str | None = field(repr=False)
    scrapingbee_api_key: str | None = field(repr=False)
    api_token: str | None = field(repr=False)
    shared_dir: Path
    dyno: str | None
    when_away: str
    spool_bytes: int
    notice_urls: tuple[str, ...] = field(repr=False)
    plan_bytes: int | None
    archive_days: int | None
    archive_bytes: int | None
    jobs_file: Path | None
    repairs_file: Path | None
    export_to: str | None = field(repr=False)
    broker: str | None = field(repr=False)
    lease_s: int
    spark_master: str | None
    day_pages: int | None
    day_megabytes: int | None
    day_browser_minutes: int | None
    day_host_pages: int | None
    revisit: str

    @property
    def archive_dir(self) -> Path:
        return self.data_dir / "archive"

    @property
    def spool_dir(self) -> Path:
        return self.data_dir / "spool"

    @property
    def user_agent(self) -> str:
        return f"Tidemark/0.1 (+{self.contact})"


def load(environ: Mapping[str, str] | None = None) -> Config:
    """Read the settings once. Raises ConfigError with the name of the setting."""
    env = os.environ if environ is None else environ

    def given(name: str) -> str | None:
        return env.get(name, "").strip() or None

    uri = given("MONGODB_URI")
    if uri and not uri.startswith(("mongodb://", "mongodb+srv://")):
        raise ConfigError("MONGODB_URI: expected mongodb://… or mongodb+srv://…; see .env.example")
    database = given("MONGODB_DATABASE") or "tidemark"
    if not database.replace("_", "").replace("-", "").isalnum():
        raise ConfigError("MONGODB_DATABASE: letters, digits, '-' and '_' only")
    dyno = given("DYNO")
    if dyno and not uri:
        raise ConfigError(
            "MONGODB_URI: not set on a dyno, whose disk is lost at every restart. Set it to your Atlas "
            "address: heroku config:set MONGODB_URI='mongodb+srv://…'. See .env.example."
        )
    return Config(
        mongodb_uri=uri,
        mongodb_database=database,
        data_dir=Path(given("TIDEMARK_DATA") or ROOT / ".data").resolve(),
        archive_url=given("ARCHIVE_URL"),
        browser_path=given("BROWSER_PATH"),
        contact=given("TIDEMARK_CONTACT") or "set TIDEMARK_CONTACT",
        hash_key=given("TIDEMARK_HASH_KEY"),
        x_bearer_token=given("X_BEARER_TOKEN"),
        youtube_api_key=given("YOUTUBE_API_KEY"),
        tikapi_key=given("TIKAPI_KEY"),
        scrapingbee_api_key=given("SCRAPINGBEE_API_KEY"),
        api_token=given("API_TOKEN"),
        shared_dir=Path(given("TIDEMARK_SHARED") or ROOT.parent / "shared"),
        dyno=dyno,
        when_away=_one_of("TIDEMARK_WHEN_AWAY", given("TIDEMARK_WHEN_AWAY") or "stop", ("stop", "go_on")),
        spool_bytes=_megabytes("TIDEMARK_SPOOL_MB", given("TIDEMARK_SPOOL_MB") or "1024"),
        notice_urls=tuple((given("NOTICE_URLS") or "").split()),
        plan_bytes=_whole("TIDEMARK_PLAN_MB", given("TIDEMARK_PLAN_MB"), 1_000_000),
        archive_days=_whole("TIDEMARK_ARCHIVE_DAYS", given("TIDEMARK_ARCHIVE_DAYS")),
        archive_bytes=_whole("TIDEMARK_ARCHIVE_MB", given("TIDEMARK_ARCHIVE_MB"), 1_000_000),
        export_to=given("TIDEMARK_EXPORT"),
        broker=given("TIDEMARK_BROKER"),
        spark_master=given("TIDEMARK_SPARK_MASTER"),
        lease_s=_whole("TIDEMARK_LEASE_S", given("TIDEMARK_LEASE_S")) or 300,
        jobs_file=Path(jobs) if (jobs := given("TIDEMARK_JOBS")) else None,
        repairs_file=Path(repairs) if (repairs := given("TIDEMARK_REPAIRS")) else None,
        day_pages=_whole("TIDEMARK_DAY_PAGES", given("TIDEMARK_DAY_PAGES")),
        day_megabytes=_whole("TIDEMARK_DAY_MB", given("TIDEMARK_DAY_MB")),
        day_browser_minutes=_whole("TIDEMARK_DAY_BROWSER_MIN", given("TIDEMARK_DAY_BROWSER_MIN")),
        day_host_pages=_whole("TIDEMARK_DAY_HOST_PAGES", given("TIDEMARK_DAY_HOST_PAGES")),
        revisit=_one_of("TIDEMARK_REVISIT", given("TIDEMARK_REVISIT") or "value", ("uniform", "change", "value")),
    )


def told_children(name: str, value: str) -> None:
    """Programs that we start find this in their environment; what the user has set stays."""
    os.environ.setdefault(name, value)


def _one_of(name: str, value: str, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise ConfigError(f"{name}: expected {' or '.join(choices)}; see .env.example")
    return value


def _whole(name: str, value: str | None, times: int = 1) -> int | None:
    """A whole number from 1, *times* as much; None where nothing is set."""
    if value is None:
        return None
    if not value.isdecimal() or int(value) == 0:
        raise ConfigError(f"{name}: expected a whole number from 1; see .env.example")
    return int(value) * times


def _megabytes(name: str, value: str) -> int:
    if not value.isdecimal():
        raise ConfigError(f"{name}: expected a whole number of megabytes; see .env.example")
    return int(value) * 1_000_000


def warnings(config: Config) -> list[str]:
    """What works now but will hurt later, in one line each."""
    found = []
    if config.dyno and not config.archive_url:
        found.append(
            "ARCHIVE_URL: not set on a dyno: captures and spooled items are lost when it stops. "
            "Set it to an object store (s3://… or gs://…) to keep them."
        )
    return found
