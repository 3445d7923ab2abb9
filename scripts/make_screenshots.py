"""Make the screenshots in docs/screenshots: every tab of the page, wide and on a phone, light and dark.

Needs Chromium (Debian's) and playwright, see requirements-dev.txt:

    python scripts/make_screenshots.py [--address http://127.0.0.1:7860] [--out docs/screenshots]

Without an address the page is served by this script. Pictures have 256 colours, or fewer, to stay below 250 kB.
"""

import argparse
import io
import os
import re
import shutil
import sys
import tempfile
from contextlib import contextmanager, nullcontext
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from PIL import Image  # noqa: E402

WIDTHS = (1440, 390)
SCHEMES = ("light", "dark")
MAX_BYTES = 250_000
TAB = "button[role=tab]"
SETTLED = 4_000  # milliseconds that the 3D viewers take to load and draw on a CPU


@contextmanager
def served():
    """Address of the page, served by this process."""
    from finetune.judging import judge
    from posegen import PosePolicy
    from posegen.ui import launch

    with tempfile.TemporaryDirectory() as root:
        policy = PosePolicy.from_pretrained()
        yield launch(policy, Path(root), judge=judge, server_name="127.0.0.1", prevent_thread_lock=True, quiet=True)


def shoot(browser, address: str, width: int, scheme: str, out: Path) -> None:
    """One picture of each tab, as a visitor finds it; the first one after trying harder, with all its extras."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector(".poses img")
    try_harder(page)
    for name in tab_names(page):
        open_tab(page, name)
        canvas = page.locator(".viewer canvas:visible")
        if canvas.count():  # it draws once it is seen
            canvas.scroll_into_view_if_needed()
        if name == "Compare":  # which loads a policy first
            for side in "ab":
                page.locator(f"#gallery-{side} img").nth(3).wait_for(timeout=120_000)
        page.wait_for_timeout(SETTLED)
        page.evaluate("window.scrollTo(0, 0)")
        path = out / f"{slug(name)}_{width}_{scheme}.png"
        save(Image.open(io.BytesIO(page.screenshot(full_page=True))), path)
        print(f"{path.name} {path.stat().st_size // 1000} kB")
    context.close()


def try_harder(page) -> None:
    page.click("#harder")
    page.wait_for_function("document.querySelector('#link textarea, #link input').value.includes('best_of=16')")
    page.click("#open input")
    page.wait_for_selector(".legend")


def tab_names(page) -> list[str]:
    """Names of all tabs, also of those that a narrow page keeps in its menu."""
    return list(dict.fromkeys(name.strip() for name in page.locator(TAB).all_text_contents() if name.strip()))


def open_tab(page, name: str) -> None:
    tab = page.locator(f"{TAB}:visible", has_text=name)
    if not tab.count():  # in the menu of a narrow page
        page.click(".overflow-menu > button")
        tab = page.locator(".overflow-dropdown button", has_text=name)
    tab.first.click()


def slug(name: str) -> str:
    return re.sub(r"[^a-z]+", "_", name.lower()).strip("_")


def save(picture: Image.Image, path: Path) -> None:
    """Write a PNG with as many of 256 colours as keep it below MAX_BYTES."""
    for colors in (256, 128, 64, 32, 16):
        picture.convert("RGB").quantize(colors, dither=Image.Dither.NONE).save(path, optimize=True)
        if path.stat().st_size < MAX_BYTES:
            return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--address", help="a page that is already served")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "screenshots")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    from playwright.sync_api import sync_playwright

    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with nullcontext(args.address) if args.address else served() as address, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for width in WIDTHS:
            for scheme in SCHEMES:
                shoot(browser, address, width, scheme, args.out)
        browser.close()


if __name__ == "__main__":
    main()
