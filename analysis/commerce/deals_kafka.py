"""Posts from a Kafka topic, their deals to a file, to standard output or to another topic. At least once.

Offsets are committed after a batch is written and the broker has confirmed what was sent; whoever is interrupted reads
that batch again. Rows bear the post's id, messages have it as their key, so that writing twice is writing once where
the reader keeps the last of a key (a compacted topic, an upsert).
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from importlib import import_module
from typing import IO, Any

import orjson

from analysis.command import AWAY, GOOD, UsageError
from analysis.commerce.deals import read
from analysis.commerce.deals_rows import NotAPost, row, told
from analysis.commerce.deals_spans import Catalogue
from analysis.commerce.deals_watch import Watched

BATCH = 500
WAIT_S = 1.0


def consume(args: argparse.Namespace, watched: Watched, catalogue: Catalogue | None) -> int:
    servers, _, topic = args.kafka.rpartition("/")
    if not servers or not topic:
        raise UsageError(f"--kafka {args.kafka[:60]!r}: expected host:port[,host:port]/topic")
    try:
        client = import_module("aiokafka")
    except ImportError:
        raise UsageError("--kafka needs the extra kafka: pip install 'tidemark[kafka]'") from None
    try:
        if args.output:
            with args.output.open("ab") as out:
                return asyncio.run(_consume(client, servers, topic, args, watched, catalogue, out))
        return asyncio.run(_consume(client, servers, topic, args, watched, catalogue, sys.stdout.buffer))
    except client.errors.KafkaConnectionError as error:
        sys.stderr.write(f"python -m analysis: --kafka: cannot reach {servers} ({error})\n")
        return AWAY
    except KeyboardInterrupt:
        return GOOD


async def _consume(
    client: Any, servers: str, topic: str, args: argparse.Namespace, watched: Watched, catalogue: Catalogue | None,
    out: IO[bytes],
) -> int:  # fmt: skip
    consumer = client.AIOKafkaConsumer(
        topic, bootstrap_servers=servers, group_id=args.group, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    producer = client.AIOKafkaProducer(bootstrap_servers=servers, acks="all") if args.kafka_out else None
    n = kept = refused = 0
    silent_s = 0.0
    try:
        await consumer.start()
        if producer:
            await producer.start()
        while args.idle_s is None or silent_s < args.idle_s:
            polled = await consumer.getmany(timeout_ms=int(WAIT_S * 1000), max_records=BATCH)
            messages = [each for some in polled.values() for each in some]
            silent_s = 0.0 if messages else silent_s + WAIT_S
            rows = [_row(each.value, args.keep or "all", watched, catalogue) for each in messages]
            good = [each for each in rows if each]
            n, kept, refused = n + len(rows), kept + len(good), refused + rows.count(None)
            if producer:
                sent = [
                    await producer.send(args.kafka_out, key=str(each["id"]).encode(), value=orjson.dumps(each))
                    for each in good
                ]
                await asyncio.gather(*sent)
            else:
                out.write(b"".join(orjson.dumps(each, option=orjson.OPT_APPEND_NEWLINE) for each in good))
                out.flush()
            if messages:
                await consumer.commit()
    finally:
        if producer:
            await producer.stop()
        await consumer.stop()
        sys.stderr.write(f"{n:,} messages read, {kept:,} rows written, {refused:,} were no posts\n")
    return GOOD if not refused else AWAY


def _row(value: bytes | None, keep: str, watched: Watched, catalogue: Catalogue | None) -> dict[str, Any] | None:
    """None for what is no post; an empty row for one that is not kept."""
    try:
        given = orjson.loads(value or b"null")
        if not isinstance(given, dict):
            raise NotAPost
        name, post = told(given, watched.names)
    except (orjson.JSONDecodeError, NotAPost):
        return None
    found = read(post, catalogue)
    if keep == "all" or found.is_deal or (keep == "amounts" and found.amounts):
        return row(name, found) | watched.category_of(post)
    return {}
