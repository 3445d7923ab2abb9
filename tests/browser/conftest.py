"""The real app, and a page of it in Chromium."""

import os
import shutil
from pathlib import Path

import pytest
from running_app import running_app

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
]  # fmt: skip


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """Address of a running app."""
    with running_app(tmp_path_factory.mktemp("app") / "log.txt") as address:
        yield address


@pytest.fixture(scope="session")
def program():
    """Path of Debian's Chromium."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not found:
        pytest.skip("no Chromium here: apt-get install chromium")
    return found


@pytest.fixture(scope="session")
def browser(program):
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
