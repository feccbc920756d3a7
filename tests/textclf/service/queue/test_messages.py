"""Messages that nobody of the service has sent: they are dropped, and workers go on."""

from __future__ import annotations

import base64
import functools
import json
import struct
import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textclf.service.queue.messages import JSON, TASK, body_of, envelope, is_kept, task_id_of

ID = "0123456789abcdef" * 2
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda one: st.lists(one) | st.dictionaries(st.text(), one)
)
LOOSE_BODIES = [
    *("[]", "5", "", "nul", "{}", '{"a": 1, "b": 2, "c": 3}', "[" * 60_000, "9" * 10_000, '[["\\ud800"], {}, {}]'),
    *('[[{"a": 1}], {}, {}]', "[[], {}, {}]", f'[["{ID * 9}"], {{}}, {{}}]', f'[["{ID}\\n"], {{}}, {{}}]'),
    '[{"__type__": "bytes", "__value__": 5}, {}, {}]',
]


@given(VALUES, VALUES, VALUES)
def test_what_is_read_of_a_message_is_an_id_or_nothing(headers, kind, body):
    assert task_id_of(headers, kind, body) is None
    assert task_id_of({"task": TASK}, JSON, json.dumps(body)) is None
    assert task_id_of({"task": TASK}, JSON, json.dumps([[ID], body, headers])) == ID
    for item in (json.dumps(body), json.dumps({"body": kind, "headers": headers, "properties": body})):
        kept = envelope(item, "q")
        assert kept is None or json.loads(kept)["properties"]["delivery_info"]["exchange"] == "q"
        assert kept is None or is_kept(json.dumps([json.loads(kept), "q", "q"]))
        assert not is_kept(json.dumps([body, "q", "q"]))
    assert task_id_of({"task": TASK}, JSON, body_of(ID)) == ID


@given(st.binary())
def test_bytes_of_any_kind_are_read_or_refused(body):
    assert task_id_of({"task": TASK}, JSON, body) is None
    assert not is_kept(body)
    envelope(body, "q")


def until(condition, seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


def redis_item(body: str | bytes, headers: object = None, /, **more: object) -> str:
    body = body if isinstance(body, bytes) else body.encode()
    place = {"exchange": "textclf", "routing_key": "textclf"}
    properties = {"body_encoding": "base64", "delivery_info": place, "delivery_tag": "always the same"}
    message = {
        "body": base64.b64encode(body).decode(),
        "content-encoding": "utf-8",
        "content-type": JSON,
        "headers": {"task": TASK, "id": ID} if headers is None else headers,
        "properties": properties,
    }
    return json.dumps(message | more)


def test_rubbish_in_redis_is_dropped_in_one_line_each_and_the_next_task_is_done(
    new_broker, start, start_worker, model_path, invoice, sent
):
    server = new_broker("redis")
    import redis

    broker = redis.Redis(port=server.port)
    service = start("--model", model_path, "--jobs", 1, "--broker", server.url)
    # what kombu keeps of messages that workers have received and not settled, and gives back after a time
    whole = json.loads(redis_item(body_of(ID)))
    forged_ones = ["rubbish", b"\xff\xfe", "[]", "5", "[1, 2, 3]", '[{"a": 1}, "textclf", "textclf"]', "[" * 60_000]
    forged_ones += [json.dumps(one) for one in ([whole, "textclf", "other"], [whole, 5, 5], {"a": whole})]
    for number, item in enumerate([*forged_ones, json.dumps([whole, "textclf", "textclf"])]):
        broker.hset("unacked", f"tag {number}", item)
        broker.zadd("unacked_index", {f"tag {number}": 0})
    worker = start_worker(service.library, "--jobs", 1, "--broker", server.url)
    worker.ready()
    assert until(lambda: f"task {ID} is not in this library" in worker.said), worker.said
    assert until(lambda: not broker.exists("unacked", "unacked_index")), worker.said
    dropped = [
        *(
            "rubbish",
            b"\xff\xfe",
            "[]",
            "5",
            "[" * 60_000,
            '{"__type__": "decimal", "__value__": "x"}',
            "x" * 2_000_000,
        ),
        *map(redis_item, LOOSE_BODIES),
        *(
            redis_item("[]", headers)
            for headers in ({}, {"task": 5}, {"task": [1]}, {"task": TASK}, {"task": {"a": 1}}, [1], "x")
        ),
        *(redis_item(body_of(ID), {"task": name, "id": ID}) for name in ("celery.map", "celery.chord_unlock")),
        *(redis_item(body_of(ID), body=body) for body in (5, None, {}, "***")),
        *(redis_item(body_of(ID), **{"content-type": kind}) for kind in ("application/x-python-serialize", None, 5)),
        redis_item(zlib.compress(b"x" * 10_000_000), {"task": TASK, "compression": "gzip"}),
    ]
    broker.lpush("textclf", *dropped)
    said = "is not of this service, and is dropped"
    assert until(lambda: worker.said.count(said) >= len(forged_ones) + len(dropped)), worker.said
    # what is forged beside the id of a task counts for nothing
    link = {"task": TASK, "args": [ID], "kwargs": {}, "options": {}, "subtask_type": None}
    embed = {name: [link] for name in ("callbacks", "errbacks", "chain")} | {"chord": link}
    forged = {"task": TASK, "id": "x" * 20_000, "eta": "2999-01-01T00:00:00", "retries": "x", "shadow": "\x1b[31m"}
    for request_id in ("x" * 10_000, "a\nb", {"a": 1}):
        broker.lpush("textclf", redis_item(json.dumps([[ID], {}, embed]), forged | {"x-request-id": request_id}))
    assert until(lambda: worker.said.count(f"task {ID} is not in this library") == 4), worker.said
    assert until(lambda: broker.hlen("unacked") == 0)
    broker.set("textclf", "no list")
    assert until(lambda: "WRONGTYPE" in worker.said), worker.said
    time.sleep(2)
    broker.delete("textclf")
    with service.client() as client:
        task = client.post("/v1/classify/file/async", files=sent(a=invoice)).json()["task_id"]
        status = client.get(f"/v1/status/poll/{task}", params={"wait": 60}).json()["task_status"]
    assert status == "success", worker.said
    assert worker.stop() == 0
    assert worker.said.count(said) == len(forged_ones) + len(dropped)
    assert worker.said.count("WRONGTYPE") == worker.said.count("the broker is there again") == 1
    assert "Traceback" not in worker.said
    assert max(map(len, worker.said.splitlines())) < 400


@pytest.mark.slow
def test_rubbish_in_rabbitmq_is_dropped_in_one_line_each_and_the_next_task_is_done(
    new_broker, start, start_worker, model_path, invoice, sent
):
    server = new_broker("rabbitmq")
    from kombu import Connection

    service = start("--model", model_path, "--jobs", 1, "--broker", server.url)
    worker = start_worker(service.library, "--jobs", 1, "--broker", server.url)
    worker.ready()
    ours = {"task": TASK, "id": ID}
    dropped = [
        *((body, JSON, "utf-8", ours) for body in LOOSE_BODIES),
        *(
            (body_of(ID), JSON, "utf-8", headers)
            for headers in ({}, {"task": 5}, {"task": [1]}, {"task": "celery.map"})
        ),
        (json.dumps({"task": TASK, "args": [ID], "kwargs": {}}), JSON, "utf-8", {}),
        (b"\xff\xfe", "application/octet-stream", "binary", ours),
        (b"x" * 20_000_000, JSON, "nonsense", ours),
        (zlib.compress(body_of(ID)), JSON, "utf-8", ours | {"compression": "application/x-gzip"}),
    ]
    # a time after the year 9999, and tables deeper than Python reads
    deep = b""
    for _ in range(5_000):
        deep = b"\x01aF" + struct.pack(">I", len(deep)) + deep
    tables = (b"\x01aT" + struct.pack(">Q", 2**60), deep)
    odd_properties = [b"\x20\x00" + struct.pack(">I", len(table)) + table for table in tables]
    with Connection(server.url) as connection:
        channel = connection.default_channel
        for body, kind, encoding, headers in dropped:
            message = channel.prepare_message(body, 0, kind, encoding, headers)
            channel.basic_publish(message, exchange="textclf", routing_key="textclf")
        for raw in odd_properties:
            message = channel.prepare_message(body_of(ID))
            message._serialize_properties = functools.partial(bytes, raw)
            channel.basic_publish(message, exchange="textclf", routing_key="textclf")
    said = "is not of this service, and is dropped"
    count = len(dropped) + len(odd_properties)
    assert until(lambda: worker.said.count(said) == count), worker.said
    with service.client() as client:
        task = client.post("/v1/classify/file/async", files=sent(a=invoice)).json()["task_id"]
        status = client.get(f"/v1/status/poll/{task}", params={"wait": 60}).json()["task_status"]
    assert status == "success", worker.said
    assert worker.stop() == 0
    assert "Traceback" not in worker.said
    assert max(map(len, worker.said.splitlines())) < 400
