"""Keys, hosts, origins, limits, and the headers of every answer."""

from __future__ import annotations

import base64
import socket
import tempfile
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.textclf.service.conftest import KEY
from textclf.base.errors import ExitCode
from textclf.base.problems import MEDIA_TYPE
from textclf.service.gate import SECURITY_HEADERS
from textclf.service.keys import Keys
from textclf.service.pages.visitors import SESSION


@pytest.fixture(scope="module")
def guarded(start_any, model_path, tmp_path_factory):
    """A service with keys and small limits."""
    keys = tmp_path_factory.mktemp("keys") / "keys.txt"
    keys.write_text(f"# of the scanner\nscanner:{KEY}\n\nfedcba9876543210fedc\n")
    keys.chmod(0o600)
    limits = ("--max-bytes", 50_000, "--max-upload", 120_000, "--queue", 3)
    service = start_any("--model", model_path, "--key-file", keys, "--host", "0.0.0.0", "--jobs", 1, *limits)
    host = urlsplit(service.url).hostname
    assert not ip_address(host).is_unspecified, "it is an address that others can use"
    service.url = service.url.replace(host, "127.0.0.1")
    service.wait_until_ready()
    return service


@pytest.fixture
def holder(guarded) -> Iterator[httpx.Client]:
    with guarded.client(headers={"X-Api-Key": KEY}) as client:
        yield client


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ("--host", "0.0.0.0"),
            ExitCode.USAGE,
            "0.0.0.0 can be reached from other machines; give keys with --key-file",
        ),
        (("--key-file", "none"), ExitCode.BAD_INPUT, "none: cannot be read"),
        (("--model", "none"), ExitCode.BAD_INPUT, "none: cannot be read"),
        (("--root", "none"), ExitCode.BAD_INPUT, "none: is not a folder"),
        (("--s3-root", "s3://bucket"), ExitCode.USAGE, "end it with a slash"),
        (("--queue", "0"), ExitCode.USAGE, "--queue"),
    ],
)
def test_wrong_options_end_with_one_line_and_a_code(textclf, tmp_path, arguments, code, message):
    said = textclf("serve", "--library", tmp_path / "library", *arguments)
    assert (said.code, said.out) == (code, "")
    assert message in said.error


@pytest.mark.parametrize(("text", "message"), [("short\n", "shorter than 16"), ("# none\n", "holds no key")])
def test_a_key_file_without_good_keys_is_refused(textclf, tmp_path, text, message):
    (tmp_path / "keys").write_text(text)
    said = textclf("serve", "--library", tmp_path / "library", "--key-file", tmp_path / "keys")
    assert said.code == ExitCode.BAD_DATA
    assert message in said.error


def test_a_key_file_is_warned_of_only_if_others_can_reach_it(tmp_path, caplog, monkeypatch):
    # of the folders above, the tests' own are closed
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        keys = folder / "keys"
        keys.write_text(f"{KEY}\n")

        def is_warned_of(file: int, of_folder: int) -> bool:
            caplog.clear()
            keys.chmod(file)
            folder.chmod(of_folder)
            Keys(keys)
            return "can be read by other users of this machine" in caplog.text

        assert is_warned_of(0o444, 0o755)
        assert is_warned_of(0o440, 0o750)
        assert not is_warned_of(0o400, 0o755)
        # as deploy/secrets.sh makes them
        assert not is_warned_of(0o444, 0o700)
        assert not is_warned_of(0o440, 0o705)
        monkeypatch.setattr("textclf.service.keys._MOUNTED", folder)
        assert not is_warned_of(0o444, 0o755)


def test_without_a_key_only_health_and_readiness_are_told(guarded):
    with guarded.client() as client:
        for path in (
            "/version",
            "/metrics",
            "/docs",
            "/openapi.json",
            "/v1/result/x",
            "/",
            "/none",
            "/label-studio/health",
        ):
            answer = client.get(path)
            assert (answer.status_code, answer.headers["content-type"]) == (401, MEDIA_TYPE), path
            assert answer.headers["www-authenticate"].startswith("Bearer")
        for path in ("/v1/classify/file", "/v1/classify/source", "/v1/classify/file/async"):
            assert client.post(path).status_code == 401
        assert client.get("/health").json() == {"status": "ok"}
        assert client.get("/ready").json()["status"] == "ready"
        # a webhook that Label Studio sets up by itself has none
        assert client.post("/label-studio/webhook", json={"action": "ANNOTATION_CREATED"}).status_code == 201


def test_a_key_opens_in_three_ways_and_a_wrong_one_in_none(guarded):
    basic = base64.b64encode(f"anna:{KEY}".encode()).decode()
    right = ({"X-Api-Key": KEY}, {"Authorization": f"Bearer {KEY}"}, {"Authorization": f"Basic {basic}"})
    second = {"X-Api-Key": "fedcba9876543210fedc"}
    wrong = ({"X-Api-Key": KEY[:-1]}, {"X-Api-Key": f"scanner:{KEY}"}, {"Authorization": KEY}, {"X-Api-Key": ""})
    wrong += ({"Authorization": "Basic !"}, {"Authorization": "Bearer"}, {"X-Api-Key": "é" * 16})
    wrong += ({"Authorization": "Basic é"}, {"Authorization": "Basic /w=="})
    with guarded.client() as client:
        assert [client.get("/version", headers=headers).status_code for headers in (*right, second)] == [200] * 4
        for headers in wrong:
            given = {name: value.encode() for name, value in headers.items()}
            assert client.get("/version", headers=given).status_code == 401, headers


def test_browsers_are_asked_for_the_key(guarded):
    with guarded.client(headers={"Accept": "text/html"}) as client:
        assert client.get("/docs").headers["location"] == "/sign-in?then=%2Fdocs"


def test_a_key_without_a_name_takes_no_name_of_another_key(guarded):
    with guarded.client() as client:
        for name in ("scanner", " Scanner "):
            answer = client.post("/sign-in", data={"name": name, "key": "fedcba9876543210fedc"})
            assert (answer.status_code, "is that of another key" in answer.text) == (403, True), name
        assert client.post("/sign-in", data={"name": "Anna", "key": "fedcba9876543210fedc"}).status_code == 303
        assert client.post("/sign-in", data={"name": "Anna", "key": KEY}).status_code == 303


def test_a_session_is_known_beside_an_odd_cookie_of_another_program(guarded):
    with guarded.client() as client:
        session = client.post("/sign-in", data={"name": "Anna", "key": KEY}).cookies[SESSION]
        client.cookies.clear()
        for odd in ("a[b]=1", "näme=1", "nothing", '{"a": 1}'):
            for cookies in (f"{odd}; {SESSION}={session}", f"{SESSION}={session}; {odd}"):
                assert client.get("/version", headers={"Cookie": cookies.encode()}).status_code == 200, cookies


def test_a_name_that_was_pointed_at_this_machine_is_refused(client):
    assert client.get("/health", headers={"Host": "localhost:1"}).status_code == 200
    answer = client.get("/version", headers={"Host": "evil.example:80"})
    assert (answer.status_code, answer.json()["type"]) == (421, "urn:textclf:problem:misdirected")


def test_pages_of_other_sites_may_not_send_documents(client, sent, invoice):
    answer = client.post("/v1/classify/file", files=sent(a=invoice), headers={"Origin": "http://evil.example"})
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:textclf:problem:cross-origin")
    host = urlsplit(str(client.base_url)).netloc
    answer = client.post("/v1/classify/file", files=sent(a=invoice), headers={"Origin": f"http://{host}"})
    assert answer.status_code == 200


def test_every_answer_has_the_headers_that_protect(holder, guarded):
    answers = [holder.get(path) for path in ("/health", "/docs", "/static/docs.css", "/none", "/metrics")]
    answers += [holder.post("/v1/classify/file"), holder.put("/health")]
    with guarded.client() as client:
        answers.append(client.get("/docs"))
    assert [answer.status_code for answer in answers] == [200, 200, 200, 404, 200, 415, 405, 401]
    for answer in answers:
        for name, value in SECURITY_HEADERS.items():
            assert answer.headers[name] == value
        assert len(answer.headers["x-request-id"]) == 32
    assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)


def form(size: int) -> tuple[bytes, dict[str, str]]:
    """A form with three files so that the whole body has some size."""
    head = b'--b\r\ncontent-disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
    tail = b"--b--\r\n"
    sizes = [40_000 - len(head) - 2] * 2
    sizes.append(size - 2 * 40_000 - len(head) - 2 - len(tail))
    body = b"".join(head + b"x" * size + b"\r\n" for size in sizes) + tail
    assert len(body) == size
    return body, {"content-type": "multipart/form-data; boundary=b"}


def test_a_file_may_be_as_large_as_the_limit_and_no_byte_larger(holder, sent):
    for size, status in ((50_000, 415), (50_001, 413)):
        answer = holder.post("/v1/classify/file", files=sent(a=b"x" * size))
        assert answer.status_code == status, size
    assert answer.json()["detail"] == "a.png is over 50,000 bytes"
    encoded = [base64.b64encode(b"x" * size).decode() for size in (50_000, 50_001)]
    statuses = [
        holder.post("/v1/classify/source", json={"sources": [{"kind": "base64", "base64": one}]}).status_code
        for one in encoded
    ]
    assert statuses == [415, 413]


@pytest.mark.parametrize("chunked", [False, True])
def test_a_request_may_be_as_large_as_the_limit_and_no_byte_larger(holder, guarded, chunked):
    for size, status in ((120_000, 415), (120_001, 413)):
        body, headers = form(size)
        content = (body[start : start + 7000] for start in range(0, size, 7000)) if chunked else body
        answer = holder.post("/v1/classify/file", content=content, headers=headers)
        assert answer.status_code == status
    assert answer.json()["detail"] == "the request is over 120,000 bytes"
    assert not list((guarded.library / "uploads").rglob("*"))


def test_a_body_that_is_announced_too_large_is_refused_before_it_is_sent(guarded):
    where = urlsplit(guarded.url)
    for kind, length in (("multipart/form-data; boundary=b", 120_001), ("application/json", 16_000_001)):
        with socket.create_connection((where.hostname, where.port), timeout=10) as connection:
            connection.sendall(
                f"POST /v1/classify/file HTTP/1.1\r\nHost: x\r\nX-Api-Key: {KEY}\r\n"
                f"Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n".encode()
            )
            assert connection.recv(4096).startswith(b"HTTP/1.1 413")


def test_a_request_holds_no_more_files_than_the_queue(holder, sent):
    assert holder.post("/v1/classify/file", files=sent(a=b"1", b=b"2", c=b"3")).status_code == 415
    answer = holder.post("/v1/classify/file", files=sent(a=b"1", b=b"2", c=b"3", d=b"4"))
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:textclf:problem:too-many-files")
