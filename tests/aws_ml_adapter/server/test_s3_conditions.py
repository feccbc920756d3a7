"""Conditional requests to S3, and unsupported headers, which are refused and never ignored."""

from __future__ import annotations

import os
import random
from datetime import UTC, datetime

import pytest

EPOCH = datetime(2001, 1, 1, tzinfo=UTC)
FUTURE = datetime(2101, 1, 1, tzinfo=UTC)
FAILED = ("PreconditionFailed", 412)


@pytest.fixture
def old(s3, bucket, server):
    """An object of 2010 with the content 'old'; returns its ETag."""
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"old")["ETag"]
    os.utime(server.s3 / bucket / "k", (1_262_304_000.5, 1_262_304_000.5))
    return etag


def content(s3, bucket: str) -> bytes:
    return s3.get_object(Bucket=bucket, Key="k")["Body"].read()


def test_reads_support_all_four_conditions(s3, bucket, old, refused):
    there = {"Bucket": bucket, "Key": "k"}
    at = datetime(2010, 1, 1, tzinfo=UTC)
    for call in (s3.get_object, s3.head_object):
        for conditions, status in (
            ({"IfModifiedSince": at}, 304),
            ({"IfModifiedSince": FUTURE}, 304),
            ({"IfModifiedSince": EPOCH}, 200),
            ({"IfUnmodifiedSince": EPOCH}, 412),
            ({"IfUnmodifiedSince": at}, 200),
            # an ETag takes precedence
            ({"IfMatch": old, "IfUnmodifiedSince": EPOCH}, 200),
            ({"IfNoneMatch": '"0"', "IfModifiedSince": FUTURE}, 200),
            ({"IfNoneMatch": f'"0", {old}'}, 304),
            ({"IfMatch": "*"}, 200),
        ):
            if status == 200:
                assert call(**there, **conditions)
            else:
                assert refused(call, **there, **conditions)[1] == status


def test_what_goes_on_with_a_replaced_object_is_given_it_whole(server, bucket, old):
    for etag, status, message in ((old, 206, b"d"), ('"0"', 200, b"old")):
        answer = server.ask("GET", f"/{bucket}/k", Range="bytes=2-", If_Range=etag, Authorization="AWS a:b")
        assert answer[:2] == (status, message)


def test_writes_support_etags(s3, bucket, old, refused, keys_of):
    there = {"Bucket": bucket, "Key": "k"}
    for conditions in ({"IfMatch": '"0"'}, {"IfNoneMatch": "*"}, {"IfNoneMatch": old}):
        assert refused(s3.put_object, **there, Body=b"new", **conditions) == FAILED
        source = {"Bucket": bucket, "Key": "k"}
        assert refused(s3.copy_object, **there, CopySource=source, **conditions) == FAILED
    assert refused(s3.delete_object, **there, IfMatch='"0"') == FAILED
    assert refused(s3.put_object, Bucket=bucket, Key="none", Body=b"", IfMatch=old) == ("NoSuchKey", 404)
    assert refused(s3.delete_object, Bucket=bucket, Key="none", IfMatch=old) == ("NoSuchKey", 404)
    message = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k", "ETag": '"0"'}]})
    assert [(error["Key"], error["Code"]) for error in message["Errors"]] == [("k", "PreconditionFailed")]
    assert content(s3, bucket) == b"old"
    s3.put_object(**there, Body=b"new", IfMatch=old)
    s3.put_object(**there, Body=b"newer", IfNoneMatch=old)
    etag = s3.head_object(**there)["ETag"]
    s3.delete_object(**there, IfMatch=etag)
    s3.put_object(**there, Body=b"again", IfNoneMatch="*")
    etag = s3.head_object(**there)["ETag"]
    assert s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k", "ETag": etag}]})["Deleted"]
    assert keys_of(s3, bucket) == []


def test_times_count_for_writes_too(server, s3, bucket, old):
    for since, status in (
        ("Mon, 01 Jan 2001 00:00:00 GMT", 412),
        ("no date", 400),
        ("Tue, 01 Jan 2030 00:00:00 GMT", 200),
    ):
        answer = server.ask("PUT", f"/{bucket}/k", b"new", If_Unmodified_Since=since, Authorization="AWS a:b")
        assert answer[0] == status
        assert content(s3, bucket) == (b"new" if status == 200 else b"old")


def test_an_upload_in_parts_is_completed_on_its_conditions(s3, bucket, old, refused):
    there = {"Bucket": bucket, "Key": "k"}
    upload = {**there, "UploadId": s3.create_multipart_upload(**there)["UploadId"]}
    etag = s3.upload_part(**upload, PartNumber=1, Body=b"new")["ETag"]
    parts = {"MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": etag}]}}
    for conditions in ({"IfNoneMatch": "*"}, {"IfMatch": '"0"'}):
        assert refused(s3.complete_multipart_upload, **upload, **parts, **conditions) == FAILED
    assert refused(s3.complete_multipart_upload, **upload, **parts, MpuObjectSize=4) == ("InvalidRequest", 400)
    assert content(s3, bucket) == b"old"
    s3.complete_multipart_upload(**upload, **parts, IfMatch=old, MpuObjectSize=3)
    assert content(s3, bucket) == b"new"


def test_conditions_on_the_source_of_a_copy(s3, bucket, old, refused, keys_of):
    source = {"CopySource": {"Bucket": bucket, "Key": "k"}}
    upload = {"Bucket": bucket, "Key": "b"}
    upload["UploadId"] = s3.create_multipart_upload(**upload)["UploadId"]
    for conditions in (
        {"CopySourceIfMatch": '"0"'},
        {"CopySourceIfNoneMatch": old},
        {"CopySourceIfModifiedSince": FUTURE},
        {"CopySourceIfUnmodifiedSince": EPOCH},
    ):
        assert refused(s3.copy_object, Bucket=bucket, Key="b", **source, **conditions) == FAILED
        assert refused(s3.upload_part_copy, **upload, PartNumber=1, **source, **conditions) == FAILED
    assert keys_of(s3, bucket) == ["k"]
    s3.copy_object(Bucket=bucket, Key="b", **source, CopySourceIfMatch=old, CopySourceIfModifiedSince=EPOCH)
    assert keys_of(s3, bucket) == ["b", "k"]


def test_what_is_not_known_is_not_done(s3, bucket, old, server, refused, keys_of):
    there = {"Bucket": bucket, "Key": "k"}
    not_there = ("NotImplemented", 501)
    for more in (
        {"WriteOffsetBytes": 3},
        {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": FUTURE},
        {"ObjectLockLegalHoldStatus": "ON"},
        {"WebsiteRedirectLocation": "/x"},
        {"ServerSideEncryption": "aws:kms"},
        {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "0" * 32},
    ):
        assert refused(s3.put_object, **there, Body=b"new", **more) == not_there
    source = {**there, "VersionId": "v1"}
    assert refused(s3.copy_object, Bucket=bucket, Key="b", CopySource=source) == not_there
    assert refused(s3.get_object, **there, VersionId="v1") == not_there
    assert refused(s3.delete_object, **there, VersionId="v1") == not_there
    assert refused(s3.delete_object, **there, MFA="1 2") == not_there
    assert refused(s3.create_bucket, Bucket="locked", ObjectLockEnabledForBucket=True) == not_there
    assert server.ask("PUT", f"/{bucket}/k", b"new", x_amz_of_tomorrow="1", Authorization="AWS a:b")[0] == 501
    for version in ({"VersionId": "v1"}, {"Size": 3}, {"LastModifiedTime": EPOCH}):
        (error,) = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k", **version}]})["Errors"]
        assert error["Code"] == "NotImplemented"
    owner = {"ExpectedBucketOwner": "123456789012"}
    assert refused(s3.put_object, **there, Body=b"new", **owner) == ("AccessDenied", 403)
    assert content(s3, bucket) == b"old"
    assert keys_of(s3, bucket) == ["k"]


def test_what_a_folder_cannot_keep_and_nobody_misses_is_taken(s3, bucket):
    s3.put_object(
        Bucket=bucket,
        Key="k",
        Body=b"new",
        ACL="bucket-owner-full-control",
        Metadata={"of": "mine"},
        StorageClass="STANDARD_IA",
        Tagging="a=b",
        ServerSideEncryption="AES256",
        RequestPayer="requester",
        ExpectedBucketOwner="000000000000",
    )
    assert content(s3, bucket) == b"new"


def test_large_objects_are_copied_in_parts(s3, bucket, refused):
    data = random.Random(6).randbytes(9 * 2**20)
    s3.put_object(Bucket=bucket, Key="k", Body=data)
    s3.copy({"Bucket": bucket, "Key": "k"}, bucket, "copies/k")
    copy = s3.get_object(Bucket=bucket, Key="copies/k")
    assert (copy["Body"].read(), copy["ETag"]) == (data, s3.head_object(Bucket=bucket, Key="k")["ETag"])
    upload = {"Bucket": bucket, "Key": "b"}
    upload["UploadId"] = s3.create_multipart_upload(**upload)["UploadId"]
    source = {"CopySource": {"Bucket": bucket, "Key": "k"}, "PartNumber": 1}
    for span in ("bytes=5-", "bytes=0-99999999", "bytes=3-2", "lines=1-2"):
        assert refused(s3.upload_part_copy, **upload, **source, CopySourceRange=span) == ("InvalidArgument", 400)
    missing = {"CopySource": {"Bucket": bucket, "Key": "none"}, "PartNumber": 1}
    assert refused(s3.upload_part_copy, **upload, **missing) == ("NoSuchKey", 404)
    etag = s3.upload_part_copy(**upload, **source, CopySourceRange="bytes=3-5")["CopyPartResult"]["ETag"]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})
    assert s3.get_object(Bucket=bucket, Key="b")["Body"].read() == data[3:6]


def test_a_link_says_under_which_name_and_type_the_object_comes(s3, server, bucket, old, refused):
    asked = {"ResponseContentType": "text/csv", "ResponseContentDisposition": 'attachment; filename="a.csv"'}
    link = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k", **asked})
    headers = server.ask("GET", link).headers
    assert headers["content-type"] == "text/csv"
    assert headers["content-disposition"] == 'attachment; filename="a.csv"'
    # it does not run as a page of this server, whatever its type
    assert (headers["content-security-policy"], headers["x-content-type-options"]) == ("sandbox", "nosniff")
    assert refused(s3.get_object, Bucket=bucket, Key="k", ResponseContentType="a\r\nb: c") == ("InvalidArgument", 400)
