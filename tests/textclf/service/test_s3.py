"""Documents in S3: those below the places allowed, and no others."""

from __future__ import annotations

import socket
from pathlib import Path
from threading import Thread

import pytest

from ocr.reading_options import Limits
from textclf.base.problems import ProblemError
from textclf.service.sources import SourceRequest, Sources

boto3 = pytest.importorskip("boto3", reason="the extra [aws] is not installed")
moto_server = pytest.importorskip("moto.server", reason="moto is not installed")


def test_an_object_that_breaks_off_leaves_no_open_file(tmp_path, monkeypatch):
    def answer() -> None:
        for _ in range(2):
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nETag: x\r\n\r\nbegin")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{listener.getsockname()[1]}")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
            monkeypatch.setenv(name, "test")
        Thread(target=answer, daemon=True).start()
        sources = Sources(None, ("s3://scans/",), Limits())
        request = SourceRequest.model_validate({"sources": [{"kind": "s3", "uri": "s3://scans/a.png"}]})
        for _ in range(2):
            with pytest.raises(ProblemError, match="cannot be had") as caught:
                sources.fetch(request, tmp_path)
            # the traceback still holds whatever was opened
            opened = [one.readlink() for one in Path("/proc/self/fd").iterdir() if one.exists()]
            assert [one for one in opened if one.is_relative_to(tmp_path)] == []
            assert caught.value.status == 502
            (tmp_path / "0").unlink()


@pytest.mark.slow
def test_objects_are_classified_below_the_places_that_are_allowed(start, model_path, invoice):
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        environment = {
            "AWS_ENDPOINT_URL_S3": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        client = boto3.client(
            "s3",
            endpoint_url=environment["AWS_ENDPOINT_URL_S3"],
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        client.create_bucket(Bucket="scans")
        for key, content in {"new/a.png": invoice, "old/a.png": invoice, "new/large.png": bytes(200_001)}.items():
            client.put_object(Bucket="scans", Key=key, Body=content)
        client.close()
        roots = ("--s3-root", "s3://scans/new/", "--max-bytes", 200_000)
        service = start("--model", model_path, "--jobs", 1, *roots, **environment)

        def ask(uri: str) -> tuple[int, dict]:
            answer = http.post("/v1/classify/source", json={"sources": [{"kind": "s3", "uri": uri}]})
            return answer.status_code, answer.json()

        with service.client() as http:
            status, result = ask("s3://scans/new/a.png")
            assert (status, result["documents"][0]["docType"], result["documents"][0]["name"]) == (
                200,
                "invoice",
                "a.png",
            )
            refused = {
                "s3://scans/old/a.png": (403, "no-s3-root"),
                "s3://scans/newer/a.png": (403, "no-s3-root"),
                "s3://other/new/a.png": (403, "no-s3-root"),
                "s3://scans/new/none.png": (404, "no-such-object"),
                "s3://scans/new/large.png": (413, "too-large"),
            }
            for uri, expected in refused.items():
                status, problem = ask(uri)
                assert (status, problem["type"].rpartition(":")[2]) == expected, uri
            server.stop()
            status, problem = ask("s3://scans/new/a.png")
            assert (status, problem["type"].rpartition(":")[2]) == (502, "s3")
        assert not list((service.library / "uploads").rglob("*"))
    finally:
        server.stop()
