"""Storage of objects in a folder, and in an S3-compatible server."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import sys
import threading
from pathlib import Path

import boto3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto.server import ThreadedMotoServer

from aws_ml_adapter.api.faults import DataFault, RequestFault
from aws_ml_adapter.api.storage import FolderStorage, StorageOptions, open_storage, split_url


@pytest.fixture(scope="module")
def s3_server():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["folder", "s3"])
def storage(request, tmp_path, monkeypatch):
    if request.param == "folder":
        (tmp_path / "bucket").mkdir()
        return FolderStorage(tmp_path)
    url = request.getfixturevalue("s3_server")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    client = boto3.client("s3", endpoint_url=url, region_name="us-east-1")
    client.create_bucket(Bucket="bucket")
    for entry in client.list_objects_v2(Bucket="bucket").get("Contents", ()):
        client.delete_object(Bucket="bucket", Key=entry["Key"])
    return open_storage(StorageOptions(endpoint=url))


def put(storage, key: str, content: bytes = b"content") -> str:
    url = f"s3://bucket/{key}"
    with storage.write(url) as path:
        path.write_bytes(content)
    return url


def test_what_is_written_is_read(storage):
    url = put(storage, "in/data.csv", b"a,b\n")
    with storage.open(url) as stream:
        assert stream.read() == b"a,b\n"
    assert storage.read(url, 4) == b"a,b\n"
    assert [(file.url, file.size) for file in storage.files(url)] == [(url, 4)]


def test_what_is_deleted_is_gone(storage):
    urls = [put(storage, key, b"a,b\n") for key in ("in/deep/data.csv", "in/other.csv")]
    assert [storage.size(url) for url in urls] == [4, 4]
    for _ in range(2):
        storage.delete(urls[0])
        assert [storage.size(url) for url in urls] == [None, 4]
    assert [file.url for file in storage.files("s3://bucket/in/")] == urls[1:]


def test_a_small_object_may_be_as_large_as_its_limit_and_no_larger(storage):
    url = put(storage, "schema", b"12345")
    assert storage.read(url, 5) == b"12345"
    with pytest.raises(DataFault, match="over 4 bytes"):
        storage.read(url, 4)


def test_a_folder_gives_its_data_files_sorted_and_nothing_else(storage):
    for key in ("d/b.csv", "d/a.csv", "d/.schema", "d/a.csv.schema", "d/out/c.csv", "e.csv"):
        put(storage, key)
    assert [file.url for file in storage.files("s3://bucket/d/")] == ["s3://bucket/d/a.csv", "s3://bucket/d/b.csv"]
    assert [file.url for file in storage.files("s3://bucket")] == ["s3://bucket/e.csv"]


@pytest.mark.parametrize("url", ["s3://bucket/none.csv", "s3://bucket/none/", "s3://other-bucket/a.csv"])
def test_what_is_not_there_is_named(storage, url):
    with pytest.raises(DataFault, match=f"{url}: there is no such object"):
        storage.files(url)
    if not url.endswith("/"):
        assert storage.read(url, 9) is None
        with pytest.raises(DataFault, match=url):
            storage.open(url)


def test_a_write_that_fails_leaves_what_was_there(storage):
    url = put(storage, "a.txt", b"old")
    with contextlib.suppress(ZeroDivisionError), storage.write(url) as path:
        path.write_bytes(b"ne")
        raise ZeroDivisionError
    assert storage.read(url, 9) == b"old"


@pytest.mark.parametrize(
    "url",
    [
        "s3://bucket/../secret",
        "s3://bucket/a/../../../etc/passwd",
        "s3://bucket//etc/passwd",
        "s3://bucket/./a",
        "s3://bucket/a/..",
        "s3://bucket/a\\..\\b",
        "s3://bucket/a\x00b",
        "s3://bucket/" + "k/" * 512 + "k",
        "s3://bucket/" + "é" * 128,
        "s3://../a",
        "s3://..",
        "s3://a..b/c",
        "s3://.hidden/a",
        "s3://ab/c",
        "s3://b%2Fc/d",
        "s3://b c/d",
        "s3://café/d",
        "s3://" + "b" * 256 + "/c",
        "s3:///a",
        "/etc/passwd",
        "file:///etc/passwd",
    ],
)
def test_urls_that_no_bucket_holds_are_refused(tmp_path, url):
    storage = FolderStorage(tmp_path)
    for use in (
        storage.files,
        storage.open,
        lambda url: storage.read(url, 9),
        lambda url: storage.write(url).__enter__(),
    ):
        with pytest.raises(RequestFault):
            use(url)


def test_limits_of_names(tmp_path):
    longest = "/".join(["k" * 255] * 4)
    assert split_url("s3://" + "b" * 255 + "/" + longest + "/")[1] == longest + "/"
    assert split_url("s3://abc") == ("abc", "")


@pytest.mark.parametrize("bucket", ["ml_experiment", "TestBucket7", "_x-", "A.b", "trailing."])
def test_buckets_named_by_the_old_rules_of_us_east_1_are_there(tmp_path, bucket):
    (tmp_path / bucket).mkdir()
    storage = FolderStorage(tmp_path)
    with storage.write(f"s3://{bucket}/a.csv") as path:
        path.write_bytes(b"a")
    assert storage.read(f"s3://{bucket}/a.csv", 9) == b"a"


def test_half_written_files_are_removed_and_nothing_else(tmp_path):
    folder = tmp_path / "bucket" / "out"
    folder.mkdir(parents=True)
    for name in (".bp.csv.gz.0123abcd.part", "whole.csv.gz", ".notes.part", "x.0123abcd.part"):
        (folder / name).touch()
    FolderStorage(tmp_path).remove_unfinished("s3://bucket/out/bp.csv.gz")
    assert sorted(path.name for path in folder.iterdir()) == [".notes.part", "whole.csv.gz", "x.0123abcd.part"]
    FolderStorage(tmp_path).remove_unfinished("s3://bucket/not/there/bp.csv.gz")


def test_what_the_system_refuses_is_a_fault_of_the_data():
    # longer than any path may be
    storage = FolderStorage(Path("/", *["r" * 250] * 20))
    for use in (storage.files, storage.open):
        with pytest.raises(DataFault, match="s3://bucket/a"):
            use("s3://bucket/a.csv")


@pytest.mark.skipif(sys.platform == "darwin", reason="its file names are UTF-8")
def test_a_name_that_is_not_utf_8_is_reported(tmp_path):
    (tmp_path / "bucket").mkdir()
    for name in (b".\xff", b"\xff.schema", b"\xe9t\xe9.csv"):
        Path(os.fsdecode(os.fsencode(tmp_path / "bucket") + b"/" + name)).touch()
    with pytest.raises(DataFault) as message:
        FolderStorage(tmp_path).files("s3://bucket/")
    assert message.value.what == r"the name '\udce9t\udce9.csv' is not UTF-8 or has control characters or backslashes"


def test_links_do_not_lead_out_of_the_folder(tmp_path):
    (tmp_path / "secret.csv").write_text("secret")
    root = tmp_path / "root"
    (root / "bucket").mkdir(parents=True)
    (root / "bucket" / "link.csv").symlink_to(tmp_path / "secret.csv")
    (root / "bucket" / "loop.csv").symlink_to("loop.csv")
    (root / "bucket" / "folder").symlink_to(tmp_path)
    (root / "linked-bucket").symlink_to(tmp_path)
    storage = FolderStorage(root)
    for url in (
        "s3://bucket/link.csv",
        "s3://bucket/loop.csv",
        "s3://bucket/folder/secret.csv",
        "s3://bucket/folder/",
        "s3://linked-bucket/secret.csv",
        "s3://bucket/",
    ):
        with pytest.raises(DataFault):
            storage.files(url)
    with pytest.raises(DataFault, match="leads out"), storage.write("s3://linked-bucket/new.csv"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["root", "secret.csv"]


@given(st.text(alphabet="./\\ab\x00é", max_size=12), st.text(alphabet="./ab-", max_size=6))
@settings(max_examples=100)
def test_no_url_leads_out_of_its_bucket(tmp_path_factory, key, bucket):
    root = tmp_path_factory.getbasetemp() / "root"
    try:
        split_url(f"s3://{bucket}/{key}")
    except RequestFault:
        return
    path = FolderStorage(root)._path(f"s3://{bucket}/{key}")
    assert path.resolve().is_relative_to(root / bucket)


def test_a_server_that_cannot_be_reached_is_a_fault_of_the_data(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(DataFault, match="S3 refused or cannot be reached"):
        open_storage(StorageOptions(endpoint="http://127.0.0.1:9")).files("s3://bucket/a.csv")


@pytest.fixture(params=["ends", "is reset"])
def broken_s3(request, monkeypatch):
    """URL of an S3 whose connections break five bytes into an object of ten."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connection.recv(65_536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf,")
                if request.param == "is reset":
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.close()

    serving = threading.Thread(target=serve)
    serving.start()
    yield "http://{}:{}".format(*listener.getsockname())
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    serving.join()


def test_data_that_are_cut_short_are_not_taken_for_whole(broken_s3):
    storage = open_storage(StorageOptions(endpoint=broken_s3))
    with pytest.raises(DataFault, match="could not be read to its end") as message:
        storage.read("s3://bucket/a.csv", 1_000)
    assert message.value.where == "s3://bucket/a.csv"
    with storage.open("s3://bucket/a.csv") as stream, pytest.raises(DataFault, match="could not be read to its end"):
        stream.read(1_000)
