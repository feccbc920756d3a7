"""Draw the pictures of docs/desk.md: the pages of the desk over the sample scans, in chromium."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from common import ROOT, run_textclf, start_textclf
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from textclf.base.tables import read_rows

DATA = ROOT / "data"
LEARNED = ("01", "05", "09")
"""Samples of each category that the first model learns from, so that it is unsure of others."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, help="folder for pages that were read, for the next time")
    arguments = parser.parse_args()
    rows = [row.values for row in read_rows(DATA / "labels.csv", required=["file", "category"])]
    truth = {Path(row["file"]).name: row["category"].replace("other", "none of these") for row in rows}
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        folder = Path(temporary)
        cache = arguments.cache or folder / "cache"
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        draw_review_and_teach(browser, folder, cache, truth)
        draw_groups(browser, folder, cache, truth)
        browser.close()


def draw_review_and_teach(browser: Browser, folder: Path, cache: Path, truth: Mapping[str, str]) -> None:
    model = folder / "samples.textclf"
    learned = {name for name in truth if name.split(".")[0].endswith(LEARNED) and not name.startswith("other")}
    for name in learned:
        kind = folder / "scans" / truth[name]
        kind.mkdir(parents=True, exist_ok=True)
        shutil.copy(DATA / "scans" / name, kind)
    run_textclf("train", folder / "scans", "--max-error", "0.1", "--cache", cache, "-o", model)
    with served(browser, folder / "review", "--model", model, "--keep", "all", "--cache", cache) as (client, page):
        names = {}
        for name in sorted({*truth} - learned):
            answer = client.post("/v1/classify/file", files={"files": (name, (DATA / "scans" / name).read_bytes())})
            if answer.status_code == 200:
                names[answer.json()["documents"][0]["documentId"]] = name
        page.goto("/review")
        wait_until_shown(page)
        save(page.screenshot(), "desk-review")
        page.goto("about:blank")
        for number, name in names.items():
            ask(client, "/review/decide", document=number, category=truth[name])
        client.post("/teach/start", data={"replay": ""})
        wait(client)
        page.goto("/teach")
        save(page.locator("#new").screenshot(), "desk-teach")


def draw_groups(browser: Browser, folder: Path, cache: Path, truth: Mapping[str, str]) -> None:
    with served(browser, folder / "groups", "--cache", cache) as (client, page):
        for name in truth:
            client.post("/drop", files={"files": (name, (DATA / "scans" / name).read_bytes())})
        client.post("/first-labels/group", data={"number": 24})
        wait(client)
        for _ in range(12):
            document = ask(client, "/first-labels/next")["document"]
            ask(client, "/review/decide", document=document["id"], category=truth[document["name"]])
        page.goto("/first-labels")
        page.locator("ol.steps > li:nth-child(3)").evaluate("part => part.scrollIntoView()")
        page.wait_for_load_state("networkidle")
        save(page.screenshot(), "desk-groups")


@contextmanager
def served(browser: Browser, library: Path, *arguments: str | Path) -> Iterator[tuple[httpx.Client, Page]]:
    """Run the service; a client and a page are signed in."""
    with start_textclf("serve", "--library", library, *arguments, "-q", stdout=subprocess.PIPE) as process:
        try:
            url = process.stdout.readline().strip()
            page = browser.new_page(base_url=url, viewport={"width": 1200, "height": 760}, locale="en-GB")
            with httpx.Client(base_url=url, timeout=600) as client:
                client.post("/sign-in", data={"name": "Anna"})
                page.context.add_cookies(
                    [{"name": name, "value": value, "url": url} for name, value in client.cookies.items()]
                )
                yield client, page
        finally:
            process.terminate()


def ask(client: httpx.Client, path: str, **body: Any) -> Any:
    return client.post(path, json=body).raise_for_status().json()


def wait_until_shown(page: Page) -> None:
    shown = "document.getElementById('sheet').dataset.shown"
    wanted = "`${document.getElementById('review').dataset.document}-1`"
    page.wait_for_function(f"() => {shown} === {wanted}", timeout=600_000)


def wait(client: httpx.Client) -> None:
    while client.get("/teach/state").json()["running"]:
        time.sleep(0.5)


def save(picture: bytes, name: str) -> None:
    """Write a picture with few colours, which takes less space."""
    path = ROOT / "docs" / "pictures" / f"{name}.png"
    path.write_bytes(picture)
    with Image.open(path) as image:
        few = image.convert("RGB").quantize(128, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


if __name__ == "__main__":
    main()
