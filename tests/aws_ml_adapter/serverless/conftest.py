"""AWS as far as moto has it, the functions in real processes, and events as AWS documents them."""

from __future__ import annotations

import importlib.util
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from PIL import Image

from textclf import DocumentClassifier

moto_server = pytest.importorskip("moto.server", reason="moto is not installed")
pytest.importorskip("awslambdaric", reason="the extra [serverless] is not installed")

spec = importlib.util.spec_from_file_location("cloud", Path(__file__).parent / "cloud.py")
clouds = importlib.util.module_from_spec(spec)
spec.loader.exec_module(clouds)
Cloud = clouds.Cloud


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of two categories."""
    own = {"invoice": "invoice total due vat number net gross", "letter": "dear madam sincerely yours regards love"}
    texts = [f"{words} number {number}" for words in own.values() for number in range(8)]
    categories = [category for category in own for _ in range(8)]
    path = tmp_path_factory.mktemp("model") / "small.textclf"
    DocumentClassifier(lexicon="none", vectors="none", background=False, n_jobs=1).fit(texts, categories).save(path)
    return path


@pytest.fixture
def cloud(moto: str, small_model: Path, tmp_path: Path) -> Iterator[Cloud]:
    made = Cloud(moto, tmp_path, small_model)
    yield made
    made.close()


@pytest.fixture
def new_cloud(moto: str, tmp_path: Path) -> Iterator[Callable[[Path], Cloud]]:
    """Makes one with another model."""
    made: list[Cloud] = []

    def make(model: Path) -> Cloud:
        made.append(Cloud(moto, tmp_path, model))
        return made[-1]

    yield make
    for cloud in made:
        cloud.close()


@pytest.fixture(scope="session")
def shared_cloud(moto: str, small_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """For tests that do not change what others rely on."""
    made = Cloud(moto, tmp_path_factory.mktemp("functions"), small_model)
    yield made
    made.close()


@pytest.fixture
def environment(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """Lets handlers be called in this process, with a bucket, a table and a queue of the test's own."""
    return use(cloud, monkeypatch)


@pytest.fixture
def shared_environment(shared_cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """Lets handlers be called in this process, with those that other tests use, too."""
    return use(shared_cloud, monkeypatch)


def use(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    from aws_ml_adapter.serverless import settings

    for name, value in cloud.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(tempfile, "tempdir", str(cloud.folder))
    # read anew each time, as tests change what it reads
    for module in ("submit", "upload", "uploaded", "status", "result", "predict", "gateway", "genai_idp", "work"):
        name = f"aws_ml_adapter.serverless.{module}.settings"
        monkeypatch.setattr(name, lambda: settings.read_settings(os.environ))
    return cloud


@pytest.fixture(scope="session")
def classifier(small_model: Path) -> Iterator[Any]:
    """One for all tests, as its processes take a while to start."""
    from aws_ml_adapter.serverless.classifier import Classifier
    from aws_ml_adapter.serverless.model_file import load_model_of
    from aws_ml_adapter.serverless.settings import read_settings

    made = Classifier(load_model_of(str(small_model), "", None), read_settings({"TEXTCLF_SECONDS_PER_PAGE": "30"}))
    yield made
    made.close()


@pytest.fixture(scope="session")
def slow_pdf(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Eight pages, which take some seconds to be read."""
    path = tmp_path_factory.mktemp("slow") / "slow.pdf"
    with Image.open(Path(__file__).parents[3] / "data" / "scans" / "invoice-07.png") as page:
        first, *others = [page.convert("L")] * 8
        first.save(path, save_all=True, append_images=others, resolution=150)
    return path.read_bytes()


@pytest.fixture(scope="session")
def events() -> ModuleType:
    """What makes events."""
    return clouds.aws_events


def wait_for(holds: Callable[[], Any], seconds: float = 180) -> Any:
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end
        time.sleep(0.1)
    return found


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
