"""Make the README's pictures with the embedded policy: both tabs of the page, and one pose for each of eight prompts.

Needs Chromium (Debian's) and playwright, see requirements-dev.txt:

    python scripts/make_pictures.py [--policy DIR] [--photo FILE] [--out docs]
"""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from posegen import PosePolicy  # noqa: E402
from posegen.render import Renderer  # noqa: E402
from posegen.ui import launch  # noqa: E402

PROMPTS = (
    "a deep squat", "sitting cross-legged", "a high kick with the right leg",
    "standing like a T", "on all fours", "a lunge, hands on the hips", "bent over at the waist",
    "on the left leg, both arms raised",
)  # fmt: skip
PAGE_PROMPT = "a deep squat with both arms stretched forward"


def gallery(policy, out: Path) -> None:
    """The likeliest pose (temperature 0) of each prompt, side by side."""
    poses = [policy.text_to_pose(prompt, temperature=0.0)[0].pose for prompt in PROMPTS]
    Renderer(policy.body).gallery(poses, size=360, columns=4, labels=list(PROMPTS), azimuth=25).save(out)


def page(policy, photo: Path | None, out: Path) -> None:
    """Screenshots of both tabs, each after a real request."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as root, sync_playwright() as playwright:
        address = launch(policy, Path(root), prevent_thread_lock=True, quiet=True)
        chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page(viewport={"width": 1280, "height": 1000}, device_scale_factor=1)
        tab.goto(address)
        tab.fill("#prompt textarea", PAGE_PROMPT)
        tab.click("#generate")
        tab.wait_for_timeout(10_000)  # the answer, then the viewer's own loading
        tab.screenshot(path=out / "page_words.png", full_page=True)
        tab.click("button[role=tab]:has-text('Photo')")
        if photo:
            tab.set_input_files("#photo input[type=file]", photo)
        tab.wait_for_timeout(10_000)
        tab.locator("canvas:visible").scroll_into_view_if_needed()  # below the fold the viewer draws nothing
        tab.wait_for_timeout(2500)
        tab.evaluate("window.scrollTo(0, 0)")
        tab.screenshot(path=out / "page_photo.png", full_page=True)
        browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--policy", help="a policy folder instead of the embedded one")
    parser.add_argument("--photo", type=Path, help="a photo for the second tab instead of the page's own example")
    parser.add_argument("--out", type=Path, default=ROOT / "docs")
    args = parser.parse_args()
    args.out.mkdir(exist_ok=True)
    policy = PosePolicy.from_pretrained(args.policy)
    gallery(policy, args.out / "poses.png")
    page(policy, args.photo, args.out)


if __name__ == "__main__":
    main()
