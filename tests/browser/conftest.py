"""The real app in a process of its own, and a page of it in Chromium."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 120
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
]  # fmt: skip


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """Address of a running app."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("app") / "log.txt"
    with log.open("w") as out:
        app = subprocess.Popen([sys.executable, "app.py", "--port", str(port)], cwd=ROOT, stdout=out, stderr=out)
    address, end = f"http://127.0.0.1:{port}/", time.time() + START_SECONDS
    try:
        while True:
            try:
                urllib.request.urlopen(address, timeout=5).close()
                break
            except OSError:
                assert app.poll() is None and time.time() < end, f"the app does not start:\n{log.read_text()}"
                time.sleep(0.3)
        yield address
    finally:
        app.terminate()
        app.wait(20)


@pytest.fixture(scope="session")
def browser():
    """Debian's Chromium."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not program:
        pytest.skip("no Chromium here: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser, server, request):
    """A fresh visitor's page; a test may parametrize `view` with (width, "light" or "dark")."""
    width, scheme = getattr(request, "param", (1440, "light"))
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.outside = []
    page.on(
        "request", lambda r: page.outside.append(r.url) if not r.url.startswith((server, "data:", "blob:")) else None
    )
    page.goto(server)
    page.wait_for_selector("#generate")
    page.wait_for_function("document.querySelectorAll('.poses img').length == 4")
    yield page
    if folder := os.environ.get("POSEGEN_SCREENSHOTS"):  # to look at what the tests saw
        page.screenshot(path=Path(folder) / f"{request.node.name.replace('/', '_')}.png", full_page=True)
    context.close()
