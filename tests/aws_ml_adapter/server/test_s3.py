"""S3 on the server's port, with unmodified boto3 clients and hostile ones."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from aws_ml_adapter.server.error_answers import S3ApiError
from aws_ml_adapter.server.s3.body import Chunks
from aws_ml_adapter.server.signatures import ChunkSignatures

MEGABYTE = 1_000_000
POLICY = json.dumps({"Version": "2008-10-17", "Statement": []})


def test_an_object_from_beginning_to_end(s3, bucket, server, refused):
    content = "à,b\n1,2\n".encode()
    etag = f'"{hashlib.md5(content).hexdigest()}"'
    assert s3.put_object(Bucket=bucket, Key="in/à b+c.csv", Body=content)["ETag"] == etag
    assert (server.s3 / bucket / "in" / "à b+c.csv").read_bytes() == content
    found = s3.get_object(Bucket=bucket, Key="in/à b+c.csv")
    assert (found["Body"].read(), found["ETag"], found["ContentLength"]) == (content, etag, len(content))
    head = s3.head_object(Bucket=bucket, Key="in/à b+c.csv")
    assert (head["ETag"], head["ContentLength"]) == (etag, len(content))
    assert abs(head["LastModified"].timestamp() - time.time()) < 60
    s3.put_object(Bucket=bucket, Key="in/à b+c.csv", Body=b"new")
    assert s3.get_object(Bucket=bucket, Key="in/à b+c.csv")["Body"].read() == b"new"
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "in/à b+c.csv"})
    assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == b"new"
    for _ in range(2):
        s3.delete_object(Bucket=bucket, Key="in/à b+c.csv")
    assert not (server.s3 / bucket / "in").exists()
    assert refused(s3.get_object, Bucket=bucket, Key="in/à b+c.csv") == ("NoSuchKey", 404)
    assert refused(s3.head_object, Bucket=bucket, Key="in/à b+c.csv") == ("404", 404)
    message = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "copy"}, {"Key": "none"}]})
    assert [entry["Key"] for entry in message["Deleted"]] == ["copy", "none"]
    s3.delete_bucket(Bucket=bucket)
    assert refused(s3.list_objects_v2, Bucket=bucket) == ("NoSuchBucket", 404)


def test_files_put_there_by_hand_are_objects_and_change_as_they_do(s3, bucket, server):
    path = server.s3 / bucket / "by-hand.csv"
    for content in (b"first", b"second, longer"):
        path.write_bytes(content)
        assert s3.head_object(Bucket=bucket, Key="by-hand.csv")["ETag"].strip('"') == hashlib.md5(content).hexdigest()
        (entry,) = s3.list_objects_v2(Bucket=bucket)["Contents"]
        assert (entry["ETag"].strip('"'), entry["Size"]) == (hashlib.md5(content).hexdigest(), len(content))


def test_buckets(s3, bucket, server, refused, connect_s3):
    assert bucket in [entry["Name"] for entry in s3.list_buckets()["Buckets"]]
    assert all(not entry["Name"].startswith(".") for entry in s3.list_buckets()["Buckets"])
    # as in S3, only in us-east-1
    s3.create_bucket(Bucket=bucket)
    elsewhere = connect_s3(server, region="eu-west-1")
    place = {"LocationConstraint": "eu-west-1"}
    assert refused(elsewhere.create_bucket, Bucket=bucket, CreateBucketConfiguration=place) == (
        "BucketAlreadyOwnedByYou",
        409,
    )
    elsewhere.close()
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    assert s3.head_bucket(Bucket=bucket)
    assert refused(s3.head_bucket, Bucket="no-such-bucket") == ("404", 404)
    assert refused(s3.get_bucket_policy, Bucket=bucket) == ("NoSuchBucketPolicy", 404)
    s3.put_bucket_policy(Bucket=bucket, Policy=POLICY)
    assert s3.get_bucket_policy(Bucket=bucket)["Policy"] == POLICY
    assert refused(s3.put_bucket_policy, Bucket=bucket, Policy="no policy") == ("MalformedPolicy", 400)
    s3.delete_bucket_policy(Bucket=bucket)
    assert refused(s3.get_bucket_policy, Bucket=bucket) == ("NoSuchBucketPolicy", 404)
    s3.put_object(Bucket=bucket, Key="a", Body=b"")
    assert refused(s3.delete_bucket, Bucket=bucket) == ("BucketNotEmpty", 409)


def test_old_names_of_buckets_work(s3, server):
    for name in ("ml_experiment_7", "TestBucket7"):
        assert server.ask("PUT", f"/{name}", Authorization="AWS a:b")[0] == 200
        assert server.ask("PUT", f"/{name}/a", b"x", Authorization="AWS a:b")[0] == 200
        assert (server.s3 / name / "a").read_bytes() == b"x"
    assert server.ask("PUT", "/a..b", Authorization="AWS a:b")[0] == 400
    assert server.ask("PUT", "/.hidden", Authorization="AWS a:b")[0] == 400


def test_lists_are_in_order_in_pages_and_folded(s3, bucket, server, refused, keys_of):
    keys = sorted(["a", "a-", "a/1", "a/2/x", "a/2/y", "a0", "b/1", "é/z", "Z", "folder/deep/er/file", "x y&<z>"])
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"x") if key != "a" else None
    keys.remove("a")
    for operation in ("list_objects_v2", "list_objects"):
        for size in (1, 2, 3, 1_000):
            paging = {"PaginationConfig": {"PageSize": size}}
            assert keys_of(s3, bucket, operation, **paging) == keys
            for prefix in ("a", "a/", "a/2", "folder/d", "é", "none"):
                wanted = [key for key in keys if key.startswith(prefix)]
                assert keys_of(s3, bucket, operation, Prefix=prefix, **paging) == wanted
            pages = list(s3.get_paginator(operation).paginate(Bucket=bucket, Delimiter="/", **paging))
            folded = [entry["Prefix"] for page in pages for entry in page.get("CommonPrefixes", ())]
            assert folded == ["a/", "b/", "folder/", "é/"]
            assert [entry["Key"] for page in pages for entry in page.get("Contents", ())] == [
                "Z",
                "a-",
                "a0",
                "x y&<z>",
            ]
            pages = s3.get_paginator(operation).paginate(Bucket=bucket, Prefix="a/", Delimiter="2", **paging)
            assert [entry["Prefix"] for page in pages for entry in page.get("CommonPrefixes", ())] == ["a/2"]
    assert s3.list_objects_v2(Bucket=bucket, MaxKeys=0)["KeyCount"] == 0
    after = s3.list_objects_v2(Bucket=bucket, StartAfter="a/2/x")["Contents"]
    assert [entry["Key"] for entry in after] == [key for key in keys if key > "a/2/x"]
    assert refused(s3.list_objects_v2, Bucket=bucket, ContinuationToken="no token")[0] == "InvalidArgument"
    assert refused(s3.list_objects_v2, Bucket=bucket, MaxKeys=-1)[0] == "InvalidArgument"


def test_empty_folders_are_the_objects_that_consoles_make(s3, bucket, server, refused, keys_of):
    s3.put_object(Bucket=bucket, Key="out/", Body=b"")
    assert keys_of(s3, bucket) == ["out/"]
    assert s3.head_object(Bucket=bucket, Key="out/")["ContentLength"] == 0
    s3.put_object(Bucket=bucket, Key="out/a", Body=b"x")
    assert keys_of(s3, bucket) == ["out/a"]
    assert refused(s3.put_object, Bucket=bucket, Key="out/", Body=b"x") == ("InvalidRequest", 400)
    s3.delete_object(Bucket=bucket, Key="out/a")
    assert keys_of(s3, bucket) == []


def test_links_and_hidden_work_are_not_listed(s3, bucket, server, tmp_path, refused, keys_of):
    (tmp_path / "secret.csv").write_text("secret")
    folder = server.s3 / bucket
    (folder / "in").mkdir()
    (folder / "in" / "round").symlink_to(folder)
    (folder / "out.csv").symlink_to(tmp_path / "secret.csv")
    (folder / "away").symlink_to(tmp_path)
    (folder / ".a.0123abcd.part").touch()
    (folder / "in" / "a.csv").write_text("a")
    assert keys_of(s3, bucket) == ["in/a.csv"]
    for key in ("out.csv", "away/secret.csv"):
        assert refused(s3.get_object, Bucket=bucket, Key=key) == ("NoSuchKey", 404)
        assert refused(s3.put_object, Bucket=bucket, Key=key, Body=b"x") == ("AccessDenied", 403)
        s3.delete_object(Bucket=bucket, Key=key)
    assert (tmp_path / "secret.csv").read_text() == "secret"


def test_links_that_lead_nowhere_or_in_circles_hide_nothing_else(s3, bucket, server, refused, keys_of):
    folder = server.s3 / bucket
    s3.put_object(Bucket=bucket, Key="a.csv", Body=b"a")
    loops = (("circle", "circle"), ("nowhere", "missing"), ("in/there", "back"), ("in/back", "there"))
    for name, to in (*loops, ("up", ".."), ("own", f"../{next(server.s3.glob('.s3-*')).name}")):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).symlink_to(to)
    assert keys_of(s3, bucket) == ["a.csv"]
    for key in ("circle", "in/there", "circle/b", "own/b", "up/b"):
        assert refused(s3.get_object, Bucket=bucket, Key=key) == ("NoSuchKey", 404)
        with pytest.raises(ClientError, match=r"AccessDenied.*leads out of the buckets or in circles"):
            s3.put_object(Bucket=bucket, Key=key, Body=b"x")
        s3.delete_object(Bucket=bucket, Key=key)
    assert (folder / "circle").is_symlink()


def test_a_pipe_is_no_object(s3, bucket, server, refused, keys_of):
    os.mkfifo(server.s3 / bucket / "pipe")
    assert refused(s3.put_object, Bucket=bucket, Key="pipe", Body=b"x") == ("InvalidRequest", 400)
    assert refused(s3.get_object, Bucket=bucket, Key="pipe") == ("NoSuchKey", 404)
    assert keys_of(s3, bucket) == []


@pytest.mark.parametrize(
    "key",
    [
        "\N{WOMAN}\u200d\N{ROCKET}",
        "\u0645\u06cc\u200c\u0634",
        "soft\u00adhyphen",
        "\u202eright",
        "\ue000",
        "line\u2028",
    ],
)
def test_keys_may_have_characters_that_are_not_seen(s3, bucket, server, key, keys_of):
    s3.put_object(Bucket=bucket, Key=f"put/{key}", Body=b"x")
    path = server.s3 / bucket / "by-hand" / key
    path.parent.mkdir()
    path.write_bytes(b"y")
    assert keys_of(s3, bucket, Prefix="by-hand/") == [f"by-hand/{key}"]
    assert keys_of(s3, bucket, Prefix="put/") == [f"put/{key}"]
    assert s3.get_object(Bucket=bucket, Key=f"by-hand/{key}")["Body"].read() == b"y"
    for prefix in ("put", "by-hand"):
        s3.delete_object(Bucket=bucket, Key=f"{prefix}/{key}")


def test_folders_that_empty_meanwhile_are_in_nobodys_way(s3, bucket, server, connect_s3):
    message: list[str] = []

    def put_and_delete(number: int) -> None:
        client = connect_s3(server)
        for _ in range(60):
            try:
                client.put_object(Bucket=bucket, Key=f"d/e/{number}", Body=b"x")
                client.delete_object(Bucket=bucket, Key=f"d/e/{number}")
            except ClientError as error:
                message.append(str(error))
        client.close()

    threads = [threading.Thread(target=put_and_delete, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert message == []


def test_parts_of_an_object(s3, bucket, refused):
    s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    for asked, content, message in (
        ("bytes=2-4", b"234", "bytes 2-4/10"),
        ("bytes=7-", b"789", "bytes 7-9/10"),
        ("bytes=-3", b"789", "bytes 7-9/10"),
        ("bytes=0-99", b"0123456789", "bytes 0-9/10"),
        ("bytes=-99", b"0123456789", "bytes 0-9/10"),
    ):
        found = s3.get_object(Bucket=bucket, Key="k", Range=asked)
        assert (found["Body"].read(), found["ContentRange"]) == (content, message)
        assert found["ResponseMetadata"]["HTTPStatusCode"] == 206
    for past in ("bytes=" + "9" * 23 + "-", "bytes=" + "9" * 23 + "-" + "9" * 24):
        assert refused(s3.get_object, Bucket=bucket, Key="k", Range=past) == ("InvalidRange", 416)
    for ignored in ("bytes=4-2", "bytes=1-2,4-5", "lines=1-2", "bytes=-"):
        assert s3.get_object(Bucket=bucket, Key="k", Range=ignored)["Body"].read() == b"0123456789"
    for past in ("bytes=10-", "bytes=10-20", "bytes=-0"):
        assert refused(s3.get_object, Bucket=bucket, Key="k", Range=past) == ("InvalidRange", 416)
    etag = s3.head_object(Bucket=bucket, Key="k")["ETag"]
    assert refused(s3.get_object, Bucket=bucket, Key="k", IfNoneMatch=etag)[1] == 304
    assert refused(s3.get_object, Bucket=bucket, Key="k", IfMatch='"other"') == ("PreconditionFailed", 412)
    assert refused(s3.put_object, Bucket=bucket, Key="k", Body=b"", IfNoneMatch="*") == ("PreconditionFailed", 412)


def test_large_files_go_up_in_parts_and_come_back(s3, bucket, server, tmp_path):
    path, back = tmp_path / "large", tmp_path / "back"
    content = random.Random(5).randbytes(20 * MEGABYTE)
    path.write_bytes(content)
    s3.upload_file(str(path), bucket, "in/large.bin")
    s3.download_file(bucket, "in/large.bin", str(back))
    assert back.read_bytes() == content
    assert s3.head_object(Bucket=bucket, Key="in/large.bin")["ETag"].strip('"') == hashlib.md5(content).hexdigest()
    with path.open("rb") as stream:
        s3.put_object(Bucket=bucket, Key="at-once", Body=stream)
    assert (server.s3 / bucket / "at-once").read_bytes() == content
    # except for the records by which repeated completions are answered
    (state,) = server.s3.glob(".s3-*")
    assert {path.name for path in state.rglob("*") if path.is_file()} == {"completed.json"}


def test_uploads_in_parts_end_as_they_must(s3, bucket, refused):
    part = b"p" * (5 * 2**20)

    def begin() -> dict[str, str]:
        return {
            "Bucket": bucket,
            "Key": "k",
            "UploadId": s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"],
        }

    upload = begin()
    old = s3.upload_part(**upload, PartNumber=1, Body=b"old")["ETag"]
    first = s3.upload_part(**upload, PartNumber=1, Body=part)["ETag"]
    last = s3.upload_part(**upload, PartNumber=10_000, Body=b"end")["ETag"]
    for number in (0, 10_001):
        assert refused(s3.upload_part, **upload, PartNumber=number, Body=b"")[0] == "InvalidArgument"

    def complete(*parts: tuple[int, str]) -> dict[str, object]:
        return {"MultipartUpload": {"Parts": [{"PartNumber": number, "ETag": etag} for number, etag in parts]}}

    for parts, code in (
        (((1, old), (10_000, last)), "InvalidPart"),
        (((2, first),), "InvalidPart"),
        (((1, "../../object.json"),), "InvalidPart"),
        (((10_000, last), (1, first)), "InvalidPartOrder"),
        (((1, first), (1, first)), "InvalidPartOrder"),
    ):
        assert refused(s3.complete_multipart_upload, **upload, **complete(*parts)) == (code, 400)
    whole = s3.complete_multipart_upload(**upload, **complete((1, first), (10_000, last)))
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == part + b"end"
    # for a client that lost the answer
    s3.put_object(Bucket=bucket, Key="k", Body=b"newer")
    again = s3.complete_multipart_upload(**upload, **complete((1, first), (10_000, last)), IfNoneMatch="*")
    assert again["ETag"] == whole["ETag"]
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"newer"
    assert refused(s3.upload_part, **upload, PartNumber=1, Body=b"") == ("NoSuchUpload", 404)
    assert refused(s3.complete_multipart_upload, **upload, **complete((1, first))) == ("NoSuchUpload", 404)
    small = begin()
    tags = [s3.upload_part(**small, PartNumber=number, Body=b"tiny")["ETag"] for number in (1, 2)]
    assert refused(s3.complete_multipart_upload, **small, **complete((1, tags[0]), (2, tags[1])))[0] == "EntityTooSmall"
    for other in ({"UploadId": "../" * 4}, {"UploadId": "0" * 32}, {"Key": "other"}):
        assert refused(s3.upload_part, **{**small, **other}, PartNumber=1, Body=b"")[0] == "NoSuchUpload"
    s3.abort_multipart_upload(**small)
    assert refused(s3.abort_multipart_upload, **small) == ("NoSuchUpload", 404)


def test_uploads_and_their_parts_are_listed(s3, bucket, refused):
    begun = {}
    for key in ("a", "b/é &", "b/é &", "c"):
        id_ = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
        begun[id_] = key
    for size in (1, 3, 1_000):
        pages = s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, PaginationConfig={"PageSize": size})
        listed = [(entry["Key"], entry["UploadId"]) for page in pages for entry in page.get("Uploads", ())]
        assert listed == sorted((key, id_) for id_, key in begun.items())
    assert [entry["Key"] for entry in s3.list_multipart_uploads(Bucket=bucket, Prefix="c")["Uploads"]] == ["c"]
    after = s3.list_multipart_uploads(Bucket=bucket, KeyMarker="b/é &")["Uploads"]
    assert [entry["Key"] for entry in after] == ["c"]
    upload = {"Bucket": bucket, "Key": "c", "UploadId": next(id_ for id_, key in begun.items() if key == "c")}
    sent = {}
    for number in (3, 1, 20, 1):
        body = random.Random(number).randbytes(10 + number)
        sent[number] = (s3.upload_part(**upload, PartNumber=number, Body=body)["ETag"], len(body))
    for size in (1, 2, 1_000):
        pages = s3.get_paginator("list_parts").paginate(**upload, PaginationConfig={"PageSize": size})
        parts = [(part["PartNumber"], part["ETag"], part["Size"]) for page in pages for part in page.get("Parts", ())]
        assert parts == [(number, *sent[number]) for number in sorted(sent)]
    for id_, key in begun.items():
        s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=id_)
    assert refused(s3.list_parts, **upload) == ("NoSuchUpload", 404)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)
    assert refused(s3.list_multipart_uploads, Bucket="no-such-bucket") == ("NoSuchBucket", 404)


@pytest.mark.parametrize("checksum", ["when_supported", "when_required"])
def test_digests_are_checked(s3, server, bucket, checksum, refused, keys_of, connect_s3):
    client = connect_s3(server, request_checksum_calculation=checksum)
    client.put_object(Bucket=bucket, Key="good", Body=b"content")
    client.close()
    right = "mgNkuembtIDdJeHwKEyFVQ=="
    assert hashlib.md5(b"content").hexdigest() == "9a0364b9e99bb480dd25e1f0284c8555"
    s3.put_object(Bucket=bucket, Key="good", Body=b"content", ContentMD5=right)
    assert refused(s3.put_object, Bucket=bucket, Key="bad", Body=b"other", ContentMD5=right) == ("BadDigest", 400)
    assert refused(s3.put_object, Bucket=bucket, Key="bad", Body=b"", ContentMD5="short")[0] == "InvalidDigest"
    assert refused(s3.put_object, Bucket=bucket, Key="bad", Body=b"x", ChecksumCRC32="AAAAAA==") == ("BadDigest", 400)
    status, message, _ = server.ask("PUT", f"/{bucket}/bad", b"other", x_amz_content_sha256="0" * 64)
    assert (status, b"<Code>XAmzContentSHA256Mismatch</Code>" in message) == (400, True)
    for hash_ in ("garbage", "STREAMING-OTHER", "0" * 63):
        status, message, _ = server.ask("PUT", f"/{bucket}/bad", b"other", x_amz_content_sha256=hash_)
        assert (status, b"<Code>InvalidArgument</Code>" in message) == (400, True)
    assert keys_of(s3, bucket) == ["good"]


def test_chunked_content_with_a_checksum_in_the_trailer(s3, bucket, server):
    path = f"/{bucket}/chunked"
    headers = {
        "x_amz_content_sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "x_amz_trailer": "x-amz-checksum-crc32",
        "content_encoding": "aws-chunked",
        "x_amz_decoded_content_length": "5",
    }
    body = b"3\r\nhel\r\n2\r\nlo\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n"
    assert server.ask("PUT", path, body, **headers)[0] == 200
    assert s3.get_object(Bucket=bucket, Key="chunked")["Body"].read() == b"hello"
    for wrong in (
        body.replace(b"NhCmhg", b"AAAAAA"),
        body.replace(b"hel", b"HEL"),
        body[:-2],
        body.replace(b"2\r\nlo\r\n", b""),
        b"z\r\nhello",
        b"5" * 5_000,
        b"",
    ):
        status, message, _ = server.ask("PUT", path, wrong, **headers)
        assert (status, b"<Error>" in message) == (400, True)
    assert s3.get_object(Bucket=bucket, Key="chunked")["Body"].read() == b"hello"


@pytest.mark.parametrize(
    "key",
    [
        "../escaped",
        "a/../../escaped",
        "/escaped",
        "a//b",
        "./a",
        "a/..",
        "a\\b",
        "a%00b",
        "a%7Fb",
        "a%C2%85b",
        "a%EF%BF%BFb",
        "a%0Ab",
        "k" * 256,
        "k/" * 600,
    ],
)
def test_keys_that_no_folder_holds(s3, server, bucket, key):
    path = f"/{bucket}/{key}"
    status, message, _ = server.ask("PUT", path, b"x", Authorization="AWS a:b")
    assert (status, b"<Code>" in message) == (400, True)
    assert server.ask("GET", path, Authorization="AWS a:b")[0] == 404
    assert server.ask("DELETE", path, Authorization="AWS a:b")[0] == 204
    assert not list(server.folder.rglob("escaped*"))


def test_a_key_that_is_a_folder_or_beneath_an_object(s3, bucket, refused, keys_of):
    s3.put_object(Bucket=bucket, Key="a/b", Body=b"x")
    assert refused(s3.put_object, Bucket=bucket, Key="a", Body=b"x") == ("InvalidRequest", 400)
    assert refused(s3.put_object, Bucket=bucket, Key="a/b/c", Body=b"x") == ("InvalidRequest", 400)
    assert refused(s3.get_object, Bucket=bucket, Key="a") == ("NoSuchKey", 404)
    assert refused(s3.get_object, Bucket=bucket, Key="a/b/c") == ("NoSuchKey", 404)
    s3.delete_object(Bucket=bucket, Key="a")
    assert keys_of(s3, bucket) == ["a/b"]


def test_what_it_does_not_do_is_said_and_not_done(s3, bucket, refused):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    for call, more in (
        (s3.put_object_acl, {"Key": "k", "ACL": "private"}),
        (s3.get_object_tagging, {"Key": "k"}),
        (s3.put_bucket_cors, {"CORSConfiguration": {"CORSRules": []}}),
        (s3.list_object_versions, {}),
    ):
        assert refused(call, Bucket=bucket, **more) == ("NotImplemented", 501)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"


def test_messages_that_are_none(server, bucket):
    bomb = (
        b'<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;">]><Delete><Object><Key>&b;</Key></Object></Delete>'
    )
    for body in (b"", b"<Delete>", b"<Other/>", bomb, b"\xff\xfe<", b"<Delete></Delete>"):
        status, message, _ = server.ask("POST", f"/{bucket}?delete", body, Authorization="AWS a:b")
        assert (status, b"<Code>MalformedXML</Code>" in message) == (400, True)
    for path in (f"/{bucket}/%ff", f"/{bucket}?prefix=%ff", f"/{bucket}?" + "&".join(f"a{i}=1" for i in range(99))):
        status, message, _ = server.ask("GET", path, Authorization="AWS a:b")
        assert (status, message.startswith(b"<?xml")) == (400, True)
    for length in ("x", "-1", str(5 * 2**30 + 1)):
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=120)
        connection.putrequest("PUT", f"/{bucket}/k", skip_accept_encoding=True)
        connection.putheader("Content-Length", length)
        connection.endheaders()
        assert connection.getresponse().status == 400
        connection.close()


def test_a_bucket_may_stand_in_the_host(s3, server, bucket):
    port = urlsplit(server.url).port
    host = f"{bucket}.localhost:{port}"
    assert server.ask("PUT", "/in/a.csv", b"virtual", Host=host)[0] == 200
    assert s3.get_object(Bucket=bucket, Key="in/a.csv")["Body"].read() == b"virtual"
    assert server.ask("GET", "/in/a.csv", Host=host)[1] == b"virtual"
    assert b"<Key>in/a.csv</Key>" in server.ask("GET", "/?list-type=2", Host=host)[1]
    assert server.ask("GET", "/in/a.csv", Host=f"{bucket}.evil.example:{port}")[0] == 403


def test_browsers_get_pages_and_what_is_stored_is_none(s3, server, bucket, keys_of):
    s3.put_object(Bucket=bucket, Key="page.html", Body=b"<script>1</script>", ContentType="text/html")
    _, content, headers = server.ask("GET", f"/{bucket}/page.html")
    assert content == b"<script>1</script>"
    assert headers["content-type"] == "binary/octet-stream"
    assert headers["content-security-policy"] == "sandbox"
    assert "All objects" in server.read("/")
    status, message, _ = server.ask("DELETE", f"/{bucket}/page.html", Origin="http://evil.example")
    assert (status, b"<Code>AccessDenied</Code>" in message) == (403, True)
    assert keys_of(s3, bucket) == ["page.html"]


def test_a_server_with_another_s3_says_where_to_ask(make_server, connect_s3):
    other = make_server("--s3-endpoint", "http://127.0.0.1:9")
    client = connect_s3(other)
    with pytest.raises(ClientError, match="--s3-endpoint") as caught:
        client.list_buckets()
    assert caught.value.response["Error"]["Code"] == "NotImplemented"
    client.close()


def test_a_kill_leaves_no_half_object(make_server, keys_of, connect_s3):
    killed = make_server()
    client = connect_s3(killed)
    client.create_bucket(Bucket="bucket")
    client.put_object(Bucket="bucket", Key="whole", Body=b"old")
    client.close()
    host, port = urlsplit(killed.url).hostname, urlsplit(killed.url).port
    with socket.create_connection((host, port)) as connection:
        connection.sendall(
            b"PUT /bucket/whole HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 4_000_000
        )
        killed.until(lambda: any(path.stat().st_size for path in killed.s3.glob(".s3-*/received-*")))
        killed.stop(signal.SIGKILL)
    killed.start()
    client = connect_s3(killed)
    assert client.get_object(Bucket="bucket", Key="whole")["Body"].read() == b"old"
    assert keys_of(client, "bucket") == ["whole"]
    assert list(killed.s3.glob(".s3-*/*")) == []
    client.close()
    assert killed.stop() == 0


def test_an_upload_that_breaks_off_leaves_nothing(s3, server, bucket, keys_of):
    host, port = urlsplit(server.url).hostname, urlsplit(server.url).port
    with socket.create_connection((host, port)) as connection:
        connection.sendall(f"PUT /{bucket}/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf".encode())
        time.sleep(0.2)
    server.until(lambda: not list(server.s3.glob(".s3-*/received-*")))
    assert keys_of(s3, bucket) == []


def test_many_at_once(s3, bucket):
    def put(number: int) -> None:
        for _ in range(5):
            s3.put_object(Bucket=bucket, Key=f"deep/{number}/a", Body=b"x" * number)
            s3.delete_object(Bucket=bucket, Key=f"deep/{number}/a")
        s3.put_object(Bucket=bucket, Key=f"deep/{number}/a", Body=b"x" * number)

    threads = [threading.Thread(target=put, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [entry["Size"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]] == list(range(6))


# --- signatures


@pytest.fixture(scope="module")
def guarded(make_server, credentials, connect_s3):
    server = make_server("--credentials", str(credentials))
    client = connect_s3(server)
    client.create_bucket(Bucket="bucket")
    client.close()
    return server


@pytest.mark.parametrize("config", [{}, {"signature_version": "s3"}, {"request_checksum_calculation": "when_required"}])
def test_signed_requests_are_taken(guarded, config, tmp_path, keys_of, connect_s3):
    client = connect_s3(guarded, **config)
    client.put_object(Bucket="bucket", Key="à b/+c", Body=b"signed")
    assert client.get_object(Bucket="bucket", Key="à b/+c")["Body"].read() == b"signed"
    assert keys_of(client, "bucket", Prefix="à b") == ["à b/+c"]
    path = tmp_path / "large"
    path.write_bytes(b"l" * 9 * MEGABYTE)
    client.upload_file(str(path), "bucket", "large")
    assert client.head_object(Bucket="bucket", Key="large")["ContentLength"] == 9 * MEGABYTE
    client.delete_objects(Bucket="bucket", Delete={"Objects": [{"Key": "large"}]})
    client.close()


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_links_that_were_signed_open_and_no_others(guarded, version, connect_s3):
    client = connect_s3(guarded, signature_version=version)
    client.put_object(Bucket="bucket", Key="linked", Body=b"linked")
    url = client.generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": "linked"}, ExpiresIn=60)
    with urllib.request.urlopen(url, timeout=120) as answer:
        assert answer.read() == b"linked"
    past = client.generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": "linked"}, ExpiresIn=-1)
    client.close()
    for wrong in (past, url.replace("linked", "other"), url[:-1] + ("0" if url[-1] != "0" else "1")):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(wrong, timeout=120)
        assert caught.value.code in (400, 403)
        caught.value.close()


def test_requests_that_are_not_signed_rightly_are_refused(guarded, refused, connect_s3):
    for key, secret, code in (
        ("AKIDEXAMPLE", "wrong", "SignatureDoesNotMatch"),
        ("AKIDNOBODY", "secret", "InvalidAccessKeyId"),
    ):
        for version in ("s3v4", "s3"):
            client = connect_s3(guarded, key=key, secret=secret, signature_version=version)
            assert refused(client.list_buckets) == (code, 403)
            assert refused(client.put_object, Bucket="bucket", Key="k", Body=b"x") == (code, 403)
            client.close()
    for path in ("/", "/bucket", "/bucket/k"):
        status, message, _ = guarded.ask("PUT", path, b"x")
        assert (status, b"AccessDenied" in message) == (403, True) if path != "/" else (400, False)
    assert guarded.ask("GET", "/bucket/k")[0] == 403
    assert not (guarded.s3 / "bucket" / "k").exists()


def test_a_body_signed_in_chunks_is_checked_chunk_by_chunk():
    # the example of AWS: docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
    key = b"AWS4wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    for part in ("20130524", "us-east-1", "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    seed = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
    marks = (
        (65_536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
        (1_024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
        (0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
    )
    body = b"".join(f"{size:x};chunk-signature={mark}\r\n".encode() + b"a" * size + b"\r\n" for size, mark in marks)

    def read(body: bytes, step: int) -> bytes:
        chunks = Chunks(ChunkSignatures(key, "20130524T000000Z", "20130524/us-east-1/s3/aws4_request", seed))
        content = b"".join(piece for at in range(0, len(body), step) for piece in chunks.feed(body[at : at + step]))
        assert chunks.done
        return content

    for step in (7, 65_536, len(body)):
        assert read(body, step) == b"a" * 66_560
    with pytest.raises(S3ApiError) as caught:
        read(body.replace(b"aa\r\n", b"ab\r\n", 1), 65_536)
    assert caught.value.code == "SignatureDoesNotMatch"


# --- end to end


def test_one_variable_serves_both(make_server, tmp_path):
    server = make_server()
    script = tmp_path / "program.py"
    script.write_text(
        """
import json, random, time
import boto3

s3, ml = boto3.client("s3"), boto3.client("machinelearning")
s3.create_bucket(Bucket="shop")
s3.put_bucket_policy(Bucket="shop", Policy=json.dumps({"Version": "2008-10-17", "Statement": []}))
draw = random.Random(3)
ages = [draw.randint(18, 80) for _ in range(300)]
s3.put_object(Bucket="shop", Key="in/sales.csv", Body="age,bought\\n" + "".join(f"{a},{int(a > 40)}\\n" for a in ages))
schema = {
    "version": "1.0", "dataFormat": "CSV", "dataFileContainsHeader": True, "targetAttributeName": "bought",
    "attributes": [
        {"attributeName": "age", "attributeType": "NUMERIC"}, {"attributeName": "bought", "attributeType": "BINARY"},
    ],
}
s3.put_object(Bucket="shop", Key="in/sales.csv.schema", Body=json.dumps(schema).encode())
spec = {"DataLocationS3": "s3://shop/in/sales.csv", "DataSchemaLocationS3": "s3://shop/in/sales.csv.schema"}
ml.create_data_source_from_s3(DataSourceId="ds", DataSpec=spec, ComputeStatistics=True)
ml.create_ml_model(MLModelId="ml", MLModelType="BINARY", TrainingDataSourceId="ds")
ml.create_realtime_endpoint(MLModelId="ml")
ml.create_batch_prediction(
    BatchPredictionId="bp", MLModelId="ml", BatchPredictionDataSourceId="ds", OutputUri="s3://shop/out/"
)
ml.get_waiter("batch_prediction_available").wait(WaiterConfig={"Delay": 1})
keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket="shop", Prefix="out/")["Contents"]]
manifest = json.loads(s3.get_object(Bucket="shop", Key="out/batch-prediction/bp.manifest")["Body"].read())
s3.download_file("shop", manifest["s3://shop/in/sales.csv"].removeprefix("s3://shop/"), "results.csv.gz")
url = ml.get_ml_model(MLModelId="ml")["EndpointInfo"]["EndpointUrl"]
while ml.get_ml_model(MLModelId="ml")["EndpointInfo"]["EndpointStatus"] != "READY":
    time.sleep(0.1)
label = ml.predict(MLModelId="ml", Record={"age": "70"}, PredictEndpoint=url)["Prediction"]["predictedLabel"]
print(json.dumps([keys, label]))
"""
    )
    environment = {
        "AWS_ENDPOINT_URL": server.url,
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "thing",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [
        ["out/batch-prediction/bp.manifest", "out/batch-prediction/result/bp-sales.csv.gz"],
        "1",
    ]
    assert Path(tmp_path, "results.csv.gz").read_bytes()[:2] == b"\x1f\x8b"
    assert "CreateBucket 200" in (server.folder / "data" / "requests.log").read_text()
