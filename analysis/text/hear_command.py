"""`hear`: what is said and shown in videos, read once from the user's files or, when asked, from the posts' own links.

Subtitles come first: a post whose words are known is not listened to. What was read is kept in the collection
`heard`, and every other command on texts reads it from there.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.command import GOOD, Command, Session, UsageError, moment, until
from analysis.output import clean
from analysis.text.command_parts import rows
from analysis.text.modalities import READERS, FileReader, Heard, UnreadableError, hear, speech_reader, whisper_weights
from crawler.media import Fetcher, NotFetched

ENDINGS = {
    **dict.fromkeys((".vtt", ".srt"), "subtitles"), **dict.fromkeys((".jpg", ".jpeg", ".png", ".webp"), "screen"),
    **dict.fromkeys((".mp4", ".m4a", ".mp3", ".wav", ".webm", ".mov", ".ogg"), "speech"),
}  # fmt: skip
FIRST = ("subtitles", "speech", "screen")
PAUSE_S = 1.0  # between two files of the platform's servers
LARGEST = 200_000_000  # bytes of a file of the user's
WEBVTT = (None, "webvtt", "vtt", "srt")  # formats of subtitles that are read


@dataclass(frozen=True)
class Source:
    """One file of one post, not opened yet."""

    post: str
    reader: str
    language: str | None
    file: Path | None = None
    url: str | None = None


@dataclass
class Count:
    """By reader: what came of its files."""

    each: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, reader: str, outcome: str) -> None:
        self.each.setdefault(reader, Counter())[outcome] += 1


def _arguments(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument
    option("files", nargs="*", type=Path, metavar="FILE", help="files or folders; a file is named after its post's id")
    option("--fetch", action="store_true", help="ask the platform for subtitles and covers whose links still hold")
    option("--since", type=moment, metavar="MOMENT", help="posts made from this moment on (UTC)")
    option("--until", type=until, metavar="MOMENT", help="posts made before this moment, or to the end of a day")
    option("--whisper", type=Path, metavar="DIR", help="folder of whisper weights (CTranslate2) for speech")


def _run(args: argparse.Namespace, session: Session) -> int:
    if args.known_at:
        raise UsageError("hear: files are read now; leave out --known-at")
    if not args.files and not args.fetch:
        raise UsageError("hear: name files or folders, or say --fetch to ask the platform for subtitles and covers")
    posts = rows(session.texts.files(since=args.since, until=args.until))
    if not posts:
        raise UsageError("no post in the time asked for; crawl or replay some first, e.g. scrapy replay FILE")
    count = Count()
    sources = [*_from_files(args.files, posts, count), *(_from_links(posts) if args.fetch else ())]
    kept = session.texts.heard()
    made = _read(sources, kept, _readers(args, session), _fetcher(session), count)
    session.texts.keep_heard(made)
    session.show(_table(count), f"{len(made):,} files read anew; {len(kept):,} were known before")
    return GOOD


def _from_files(files: Sequence[Path], posts: Sequence[Mapping[str, Any]], count: Count) -> Iterator[Source]:
    """By the name of the file: `<id of the post>.jpg`, `<id>.en.vtt`, `<id>_2.png`."""
    by_id = {str(row["post_id"]): row for row in posts if row["post_id"]}
    for path in files:
        if not path.exists():
            raise UsageError(f"{clean(str(path))}: there is no such file or folder")
        for each in sorted(path.rglob("*")) if path.is_dir() else [path]:
            reader = ENDINGS.get(each.suffix.lower())
            row = by_id.get(each.name.split(".", 1)[0].split("_", 1)[0])
            if not each.is_file() or reader is None:
                continue
            if row is None:
                count.add(reader, "no stored post of this id")
            elif each.stat().st_size > LARGEST:
                count.add(reader, "too large")
            else:
                yield Source(row["key"], reader, _code(row["language"]), file=each)


def _from_links(posts: Sequence[Mapping[str, Any]]) -> Iterator[Source]:
    for row in posts:
        for each in row["subtitles"] or ():
            if each.get("url") and (each.get("format") or "webvtt").lower() in WEBVTT:
                yield Source(row["key"], "subtitles", _code(each.get("language")), url=each["url"])
        if row["cover_url"]:
            yield Source(row["key"], "screen", _code(row["language"]), url=row["cover_url"])


def _readers(args: argparse.Namespace, session: Session) -> dict[str, FileReader]:
    folder = args.whisper or session.models_dir.parent / "whisper"
    weights = whisper_weights(folder)
    if args.whisper and weights is None:
        raise UsageError(f"{clean(str(args.whisper))}: no model.bin in it; expected whisper weights for CTranslate2")
    return {**READERS, **({"speech": speech_reader(weights)} if weights else {})}


def _fetcher(session: Session) -> Fetcher:
    last: dict[str, float] = {}

    def wait(host: str) -> None:
        time.sleep(max(0.0, last.get(host, 0.0) + PAUSE_S - time.monotonic()))
        last[host] = time.monotonic()

    return Fetcher(session.user_agent, wait)


def _read(
    sources: Sequence[Source], kept: Sequence[Mapping[str, Any]], readers: Mapping[str, FileReader], fetch: Fetcher,
    count: Count,
) -> list[dict[str, Any]]:  # fmt: skip
    """Documents of `heard` that are new. No file is read twice, and no post listened to whose words are known."""
    known = {
        f"{each['source']}:{each.get('language') or '-'}:{each['content']}": _heard(each) for each in kept
    }  # fmt: skip
    ids = {each["_id"] for each in kept}
    worded = {each["post"] for each in kept if each["modality"] == "speech"}
    linked = {each.get("url_key") for each in kept}
    made: dict[str, dict[str, Any]] = {}
    for source in sorted(sources, key=lambda each: FIRST.index(each.reader)):
        if source.reader == "speech" and source.post in worded:
            count.add("speech", "has subtitles")
            continue
        url_key = source.url.split("?", 1)[0] if source.url else None  # the signature changes, the file does not
        if url_key and url_key in linked:
            count.add(source.reader, "known")
            continue
        told = _one(source, readers, fetch, known, count)
        if told is None:
            continue
        if told.modality == "speech" and told.text:
            worded.add(source.post)
        key = f"{source.post}#{told.source}:{told.content[:32]}"
        count.add(source.reader, "known" if key in ids else "read")
        made[key] = {
            "_id": key, "post": source.post, "modality": told.modality, "text": told.text, "source": told.source,
            "content": told.content, "language": source.language, "url_key": url_key, "at": datetime.now(UTC),
        }  # fmt: skip
    return [each for key, each in made.items() if key not in ids]


def _one(
    source: Source, readers: Mapping[str, FileReader], fetch: Fetcher, known: dict[str, Heard], count: Count
) -> Heard | None:
    reader = readers.get(source.reader)
    if reader is None:
        count.add(source.reader, "no whisper weights; give --whisper DIR")
        return None
    if not reader.is_there():
        count.add(source.reader, f"package {reader.package_name} is not installed")
        return None
    try:
        body = source.file.read_bytes() if source.file else fetch(source.url or "", datetime.now(UTC))
        return hear(body, reader, source.language, known)
    except (NotFetched, UnreadableError, OSError) as error:
        reason = str(error) if isinstance(error, NotFetched) else "unreadable"
        count.add(source.reader, f"not read: {reason}")
        return None


def _heard(document: Mapping[str, Any]) -> Heard:
    return Heard(document["modality"], document["text"], document["source"], document["content"])


def _code(language: str | None) -> str | None:
    """'eng-US' and 'pt-BR' as whisper wants them: 'en', 'pt'; None where there is none."""
    if not language:
        return None
    short = language.split("-")[0].lower()
    return {"eng": "en", "por": "pt", "spa": "es", "fra": "fr", "deu": "de", "ita": "it", "jpn": "ja"}.get(short, short)


def _table(count: Count) -> pd.DataFrame:
    told = [(reader, outcome, n) for reader, each in count.each.items() for outcome, n in sorted(each.items())]
    return pd.DataFrame(told, columns=["reader", "outcome", "files"])


HEAR = Command("Read subtitles, speech and pictures of posts, once each, for the other commands.", _arguments, _run)
