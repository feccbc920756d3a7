"""The parts of S3 that need no server: chunked bodies, lists, ranges, hosts."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import tempfile
import time
import zlib
from base64 import b64encode
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aws_ml_adapter.api.storage import write_in_place
from aws_ml_adapter.server.error_answers import S3ApiError
from aws_ml_adapter.server.hosts_and_cors import Hosts
from aws_ml_adapter.server.s3.actions import S3Actions
from aws_ml_adapter.server.s3.body import Chunks, Receiver
from aws_ml_adapter.server.s3.buckets import Buckets
from aws_ml_adapter.server.s3.endpoint import is_from_sdk
from aws_ml_adapter.server.s3.messages import S3Request, parse_xml
from aws_ml_adapter.server.s3.object_listing import list_objects


def in_chunks(pieces: list[bytes]) -> bytes:
    checksum = b64encode(zlib.crc32(b"".join(pieces)).to_bytes(4, "big"))
    body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces if piece)
    return body + b"0\r\nx-amz-checksum-crc32:" + checksum + b"\r\n\r\n"


HEADERS = {"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "x-amz-trailer": "x-amz-checksum-crc32"}


@given(st.lists(st.binary(max_size=40), max_size=6), st.integers(1, 50))
@settings(max_examples=50)
def test_chunks_come_out_however_they_are_cut(pieces, step):
    stream, body = io.BytesIO(), in_chunks(pieces)
    receiver = Receiver(HEADERS, stream, limit=1_000)
    for at in range(0, len(body), step):
        receiver.feed(body[at : at + step])
    assert receiver.finish() == hashlib.md5(b"".join(pieces)).hexdigest()
    assert stream.getvalue() == b"".join(pieces)


@given(st.binary(max_size=200))
@settings(max_examples=100)
def test_whatever_comes_instead_of_chunks_is_read_or_refused(body):
    chunks, content = Chunks(), []
    with contextlib.suppress(S3ApiError):
        content.extend(chunks.feed(body))
    assert len(b"".join(content)) <= len(body)


def test_content_may_be_as_large_as_the_limit_and_no_larger():
    for size, headers in ((9, {}), (9, {"content-length": "9"})):
        stream = io.BytesIO()
        receiver = Receiver(headers, stream, limit=9)
        receiver.feed(b"x" * size)
        receiver.finish()
        assert len(stream.getvalue()) == 9
    with pytest.raises(S3ApiError, match="maximum allowed size"):
        Receiver({"content-length": "10"}, io.BytesIO(), limit=9)
    receiver = Receiver({}, io.BytesIO(), limit=9)
    with pytest.raises(S3ApiError, match="maximum allowed size"):
        receiver.feed(b"x" * 10)


names = st.text(st.sampled_from("ab-0é"), min_size=1, max_size=3)
keys = st.sets(st.lists(names, min_size=1, max_size=3).map("/".join), max_size=12)


def without_folders(given: set[str]) -> list[str]:
    return sorted(key for key in given if not any(other.startswith(f"{key}/") for other in given))


@given(
    keys,
    st.sampled_from(["", "a", "a/", "a/b", "é", "-"]),
    st.sampled_from(["", "/", "b", "/a"]),
    st.sampled_from(["", "a", "a/", "a/0", "b-"]),
    st.integers(1, 5),
)
@settings(max_examples=50)
def test_pages_of_a_list_hold_together_what_one_would(given, prefix, delimiter, after, limit):
    wanted_keys, wanted_prefixes = [], []
    for key in without_folders(given):
        if key.startswith(prefix) and key > after:
            head, mark, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
            folded = f"{prefix}{head}{mark}"
            if not mark:
                wanted_keys.append(key)
            elif folded not in (after, *wanted_prefixes):
                wanted_prefixes.append(folded)
    with tempfile.TemporaryDirectory() as folder:
        for key in without_folders(given):
            Path(folder, key).parent.mkdir(parents=True, exist_ok=True)
            Path(folder, key).touch()
        found_keys, found_prefixes, last = [], [], after
        while True:
            page = list_objects(
                Path(folder), is_listed=lambda entry: True, prefix=prefix, delimiter=delimiter, after=last, limit=limit
            )
            assert len(page.objects) + len(page.prefixes) <= limit
            found_keys += [key for key, _ in page.objects]
            found_prefixes += page.prefixes
            if not (last := page.last):
                break
    assert (found_keys, found_prefixes) == (wanted_keys, wanted_prefixes)


def test_a_page_that_starts_after_a_folder_does_not_list_its_prefix(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    for key in ("a/0", "a/b/1", "c"):
        (tmp_path / key).touch()
    for after, prefixes in (("a/", []), ("a/0", ["a/"]), ("a/b/0", ["a/"]), ("a/b/1", []), ("a/z", [])):
        page = list_objects(tmp_path, is_listed=lambda entry: True, delimiter="/", after=after)
        assert (page.prefixes, [key for key, _ in page.objects]) == (prefixes, ["c"])


def test_a_list_that_cannot_be_read_is_not_empty(unprivileged):
    buckets = Buckets(unprivileged / "s3", "0" * 16)
    (unprivileged / "s3" / "shop").mkdir(parents=True, mode=0)
    with pytest.raises(S3ApiError) as message:
        buckets.listing("shop", prefix="", delimiter="", after="", limit=10)
    assert (message.value.code, message.value.status) == ("AccessDenied", 403)


def test_a_folder_that_others_remove_is_made_again(tmp_path, monkeypatch):
    touch, removed = Path.touch, []

    def remove_first(path, *arguments, **options):
        if len(removed) < 3:
            removed.append(path.parent.rmdir())
        touch(path, *arguments, **options)

    monkeypatch.setattr(Path, "touch", remove_first)
    with write_in_place(tmp_path / "out" / "a.csv") as path:
        path.write_bytes(b"a")
    assert (tmp_path / "out" / "a.csv").read_bytes() == b"a"
    assert len(removed) == 3


def test_a_file_that_was_replaced_by_one_of_its_time_and_size_has_its_own_etag(tmp_path):
    buckets = Buckets(tmp_path, "0" * 16)
    path = tmp_path / "shop" / "a"
    path.parent.mkdir()
    etags = set()
    for content in (b"one", b"two"):
        path.write_bytes(content)
        os.utime(path, (1e9, 1e9))
        etags.add(buckets.find("shop", "a").etag)
        time.sleep(0.02)
    assert len(etags) == 2


def test_uploads_and_notes_of_them_go_after_a_week_while_the_server_runs(tmp_path, monkeypatch):
    (tmp_path / "s3" / "shop").mkdir(parents=True)
    buckets = Buckets(tmp_path / "s3", "0" * 16)
    actions = S3Actions(buckets, tmp_path / "policies")

    def begin(key: str) -> S3Request:
        made = actions.create_multipart_upload(S3Request(bucket="shop", key=key))
        id_ = parse_xml(made.body, "InitiateMultipartUploadResult").findtext("UploadId")
        return S3Request(bucket="shop", key=key, query={"uploadId": id_})

    old = begin("a")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 6.9 * 24 * 3600)
    newer = begin("b")
    # the age of the newer folder is by the clock of the file system
    os.utime(buckets.state / f"upload-{newer.query['uploadId']}", (time.time(), time.time()))
    assert actions.list_parts(old)
    monkeypatch.setattr(time, "time", lambda: now + 7.1 * 24 * 3600)
    begin("c")
    assert actions.list_parts(newer)
    with pytest.raises(S3ApiError, match="does not exist"):
        actions.list_parts(old)


def test_what_is_a_client_of_s3_and_what_a_browser():
    def asked(query: bytes = b"", **headers: str) -> bool:
        return is_from_sdk({"query_string": query}, {name.replace("_", "-"): text for name, text in headers.items()})

    assert asked(authorization="AWS4-HMAC-SHA256 Credential=…")
    assert asked(authorization="AWS a:b")
    assert asked(amz_sdk_request="attempt=1")
    assert asked(b"X-Amz-Algorithm=a&X-Amz-Signature=b")
    # a browser that logged in to a proxy
    assert not asked(authorization="Basic dTpw", x_amzn_trace_id="Root=1", x_amz_cf_id="a")
    assert not asked(b"id=ev-1&signature=b")


def test_a_bucket_is_found_in_front_of_the_servers_names_only():
    hosts = Hosts("https://ml.example:8443")
    for host, bucket in (
        ("shop.localhost", "shop"),
        ("My_Shop.2.localhost:80", "My_Shop.2"),
        ("shop.ml.example:8443", "shop"),
        ("ml.example:8443", None),
        ("localhost:80", None),
        ("127.0.0.1:80", None),
        ("shop.elsewhere.example", None),
    ):
        assert hosts.bucket(host) == bucket
        assert hosts.is_known(host) == (host != "shop.elsewhere.example")
