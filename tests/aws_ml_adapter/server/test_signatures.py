"""Signatures of botocore are accepted, and no others."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from botocore import UNSIGNED
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from aws_ml_adapter.server.error_answers import ServiceError
from aws_ml_adapter.server.signatures import SignedRequest, read_keys, verify
from textclf.base.errors import BadDataError, BadInputError

KEYS = {"AKIDEXAMPLE": "secret", "AKIDOTHER": "another"}
BODY = b'{"MLModelId": "ml-1"}'
CREDENTIALS = "[default]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = secret\n"


def signed(
    path: str = "/", body: bytes = BODY, *, key="AKIDEXAMPLE", secret="secret", token=None, service="machinelearning"
):
    request = AWSRequest(
        method="POST",
        url=f"http://127.0.0.1:8000{path}",
        data=body,
        headers={"X-Amz-Target": "AmazonML_20141212.GetMLModel", "Content-Type": "application/x-amz-json-1.1"},
    )
    SigV4Auth(Credentials(key, secret, token), service, "eu-west-1").add_auth(request)
    return {name.lower(): value for name, value in request.headers.items()} | {"host": "127.0.0.1:8000"}


def check(headers, path="/", body=BODY, **options):
    raw, _, query = path.partition("?")
    request = SignedRequest(method="POST", path=raw, query=query, headers=headers)
    return verify(request, body, KEYS, **options)


@pytest.mark.parametrize("path", ["/", "/aml/prefix", "/a%20b/c", "/x?b=2&a=1"])
def test_what_botocore_signs_is_accepted(path):
    assert check(signed(path), path) == "AKIDEXAMPLE"
    assert check(signed(path, key="AKIDOTHER", secret="another", token="t"), path) == "AKIDOTHER"


def name_of(call) -> str:
    with pytest.raises(ServiceError) as caught:
        call()
    assert caught.value.status in (400, 403)
    return caught.value.name


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({"x-amz-target": "AmazonML_20141212.DeleteMLModel"}, "InvalidSignatureException"),
        ({"host": "127.0.0.1:9000"}, "InvalidSignatureException"),
        ({"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}, "InvalidSignatureException"),
        ({"x-amz-date": "20261120T215156Z"}, "InvalidSignatureException"),
        ({"x-amz-date": "yesterday"}, "IncompleteSignatureException"),
        ({"authorization": "Basic YTpi"}, "IncompleteSignatureException"),
        ({"authorization": ""}, "IncompleteSignatureException"),
    ],
)
def test_a_request_that_was_changed_is_refused(changed, wanted):
    assert name_of(lambda: check(signed() | changed)) == wanted


def test_what_is_not_signed_by_a_key_of_ours_is_refused():
    headers = signed()
    del headers["authorization"]
    assert name_of(lambda: check(headers)) == "MissingAuthenticationTokenException"
    assert name_of(lambda: check(signed(key="AKIDNOBODY"))) == "UnrecognizedClientException"
    assert name_of(lambda: check(signed(secret="guess"))) == "InvalidSignatureException"
    assert name_of(lambda: check(signed(service="s3"))) == "IncompleteSignatureException"
    assert name_of(lambda: check(signed(), body=b"{}")) == "InvalidSignatureException"
    assert name_of(lambda: check(signed(), path="/other")) == "InvalidSignatureException"


def test_the_target_must_be_signed():
    headers = signed()
    headers["authorization"] = headers["authorization"].replace(";x-amz-target", "")
    assert name_of(lambda: check(headers)) == "IncompleteSignatureException"


def test_a_digest_of_the_body_may_be_signed_with_it():
    headers = signed() | {"x-amz-content-sha256": hashlib.sha256(BODY).hexdigest()}
    assert check(headers) == "AKIDEXAMPLE"


def test_a_clock_may_be_off_by_five_minutes():
    headers = signed()
    moment = datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    for sign in (1, -1):
        assert check(headers, clock=lambda sign=sign: moment + sign * timedelta(minutes=5))
        late = moment + sign * timedelta(minutes=5, seconds=1)
        assert name_of(lambda late=late: check(headers, clock=lambda: late)) == "InvalidSignatureException"


@given(
    st.text(max_size=300)
    | st.from_regex(r"AWS4-HMAC-SHA256 Credential=\w+/\d{8}/[a-z]+/machinelearning.*", fullmatch=True)
)
@settings(max_examples=60)
def test_no_header_makes_it_stumble(header):
    assert name_of(lambda: check(signed() | {"authorization": header})).endswith("Exception")


def test_keys_of_all_profiles_are_read(tmp_path):
    path = tmp_path / "credentials"
    path.write_text(CREDENTIALS + "[b]\naws_access_key_id=AKIDOTHER\naws_secret_access_key=%a%\n[c]\nregion=x\n")
    assert read_keys(path) == {"AKIDEXAMPLE": "secret", "AKIDOTHER": "%a%"}
    for content in (
        "",
        "[a]\naws_access_key_id = K\n",
        "[a]\naws_access_key_id=K\naws_secret_access_key=\n",
        "no section",
    ):
        path.write_text(content)
        with pytest.raises(BadDataError):
            read_keys(path)
    with pytest.raises(BadInputError):
        read_keys(tmp_path / "none")


def test_a_server_with_credentials_answers_to_their_owner_only(make_server, credentials):
    server = make_server("--credentials", str(credentials), "--host", "0.0.0.0")
    url = f"http://127.0.0.1:{urlsplit(server.url).port}"
    assert server.connect(url=url).describe_ml_models()["Results"] == []
    assert server.connect(url=url + "/some/prefix").describe_ml_models()["Results"] == []
    with pytest.raises(ClientError, match="InvalidSignatureException"):
        server.connect(url=url, secret="guess").describe_ml_models()
    with pytest.raises(ClientError, match="UnrecognizedClientException") as caught:
        server.connect(url=url, key="AKIDNOBODY").describe_ml_models()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    with pytest.raises(ClientError, match="MissingAuthenticationTokenException"):
        server.connect(url=url, signature_version=UNSIGNED).describe_ml_models()
