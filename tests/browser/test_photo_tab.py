"""The photo tab in a real browser: people to choose from, other readings, the clipboard and a camera."""

import base64
import io
import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from saving import download

from posegen.body import embedded_body
from posegen.pose import Pose
from posegen.render import PEOPLE_COLORS
from posegen.skeleton import INDEX
from posegen.ui.photo import EXAMPLES

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PHOTO_TAB = "button[role=tab]:has-text('Photo')"
WAIT = 60_000  # milliseconds


@pytest.fixture
def tab(page):
    """The photo tab with its example of three people, seen by a fresh visitor."""
    page.set_default_timeout(WAIT)
    page.click(PHOTO_TAB)
    page.wait_for_selector("#overlay img")
    return page


def chosen(tab) -> str:
    return tab.inner_text("#person label.selected").strip()


def sources(tab, *parts) -> list[str]:
    return [tab.get_attribute(f"#{part} img >> nth=0", "src") for part in parts]


def wait_for_change(tab, part: str, before: str) -> None:
    tab.wait_for_function(f"document.querySelector('#{part} img')?.src != {before!r}")


def pose(tab) -> Pose:
    """What the download gives."""
    return Pose.load(download(tab, "npz"))


def click_at(tab, x: float, y: float) -> None:
    """Click on the overlay at shares of the photo's width and height."""
    tab.locator("#overlay img").scroll_into_view_if_needed()
    box = tab.locator("#overlay img").bounding_box()
    width, height = Image.open(EXAMPLES[0]).size
    scale = min(box["width"] / width, box["height"] / height)  # the picture is fitted into its element
    left, top = box["x"] + (box["width"] - scale * width) / 2, box["y"] + (box["height"] - scale * height) / 2
    tab.mouse.click(left + x * scale * width, top + y * scale * height)


def test_a_click_on_a_person_chooses_it_and_shows_it_from_all_sides(tab):
    assert chosen(tab) == "Person 1"
    for x, person in ((0.515, "Person 2"), (0.825, "Person 3"), (0.175, "Person 1")):
        before = sources(tab, "overlay", "side", "above", "readings")
        click_at(tab, x, 0.6)
        tab.wait_for_function(f"document.querySelector('#person label.selected')?.innerText.trim() == {person!r}")
        for part, source in zip(("overlay", "side", "above", "readings"), before, strict=True):
            wait_for_change(tab, part, source)
    assert tab.eval_on_selector("#side img", "i => i.naturalWidth") == 360


def test_numbers_colours_and_choices_match(tab):
    shown = tab.eval_on_selector_all(
        "#person label", "labels => labels.map(l => getComputedStyle(l, '::before').backgroundColor)"
    )
    colors = np.array([[float(v) for v in re.findall(r"[\d.]+", text)[:3]] for text in shown])
    np.testing.assert_allclose(colors, 255 * np.array(PEOPLE_COLORS[:3]), atol=2)


def test_another_reading_can_be_taken(tab):
    assert tab.locator("#readings .thumbnail-item img").count() == 4
    assert re.search(r"The (left|right) .* could point|torso could lean|agree about depth", tab.inner_text(".open"))
    first, before = pose(tab), sources(tab, "overlay", "side")
    tab.locator("#readings button:has(img)").nth(1).click()
    for part, source in zip(("overlay", "side"), before, strict=True):
        wait_for_change(tab, part, source)
    tab.wait_for_timeout(1000)
    other = pose(tab)
    joints = embedded_body().joints(np.stack([first.rotations, other.rotations]))
    moved = np.abs(joints[1] - joints[0]).max(0)
    assert moved[2] > 0.04 and moved[2] > moved[:2].max(), "mostly towards or away from the camera"
    tab.reload()  # a visitor's choice is not the next visitor's
    tab.click(PHOTO_TAB)
    np.testing.assert_array_equal(pose(tab).rotations, first.rotations)


def test_an_example_is_looked_at_once_it_is_clicked(tab):
    tab.locator(".examples:visible button:has(img), .examples:visible .gallery-item").nth(1).click()
    tab.wait_for_selector("#person", state="hidden")
    assert tab.locator("#readings .thumbnail-item img").count() == 4


def test_a_photo_is_pasted_over_another(tab):
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    buffer = io.BytesIO()
    Image.open(EXAMPLES[1]).save(buffer, "PNG")
    tab.evaluate(
        """async data => { const blob = await (await fetch('data:image/png;base64,' + data)).blob();
        await navigator.clipboard.write([new ClipboardItem({'image/png': blob})]) }""",
        base64.b64encode(buffer.getvalue()).decode(),
    )
    tab.click("#photo button[aria-label='Paste from clipboard']")
    tab.wait_for_selector("#person", state="hidden")
    assert tab.locator(".notice [role=alert]:visible").count() == 0


def test_taking_the_photo_away_says_nothing_and_asking_without_one_does(tab):
    tab.click("#photo button[aria-label='Remove Image']")
    tab.wait_for_timeout(1500)
    assert tab.locator(".notice [role=alert]:visible").count() == 0
    tab.click("#find")
    tab.wait_for_selector(".notice [role=alert]:visible")
    assert "There is no photo yet" in tab.inner_text(".notice [role=alert]:visible")


@pytest.fixture
def camera(browser, program, server, tmp_path):
    """A visitor whose camera sees the three people of the example."""
    frame = io.BytesIO()
    Image.open(EXAMPLES[0]).resize((640, 480)).save(frame, "JPEG", quality=95)
    (tmp_path / "camera.mjpeg").write_bytes(frame.getvalue() * 3)
    flags = ["--no-sandbox", "--disable-gpu", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    flags.append(f"--use-file-for-fake-video-capture={tmp_path / 'camera.mjpeg'}")
    with browser.browser_type.launch(executable_path=program, args=flags) as chromium:
        page = chromium.new_context(viewport={"width": 1440, "height": 900}, permissions=["camera"]).new_page()
        page.set_default_timeout(WAIT)
        page.goto(server)
        page.click(PHOTO_TAB)
        page.wait_for_selector("#overlay img")
        yield page


def test_a_camera_s_picture_is_not_mirrored(camera):
    before = sources(camera, "overlay")[0]
    camera.click("#photo button[aria-label='Remove Image']")
    camera.click("#photo button[aria-label='Capture from camera']")
    camera.click("#photo button:has-text('Click to Access Webcam')")
    camera.wait_for_function("document.querySelector('#photo video')?.videoWidth > 100")
    camera.wait_for_timeout(1000)
    camera.click("#photo button[aria-label='capture photo']")
    wait_for_change(camera, "overlay", before)
    assert camera.locator("#person label").count() == 3
    raised = []
    for person in range(3):
        camera.locator("#person label").nth(person).click()
        camera.wait_for_timeout(3000)
        joints = embedded_body().joints(pose(camera).rotations[None])[0]
        heights = joints[[INDEX["left_wrist"], INDEX["right_wrist"]], 1] - joints[INDEX["head"], 1]
        raised.append(tuple((heights > 0).tolist()))
    assert sorted(raised) == [(False, False), (False, True), (True, True)], "who waves does so with the right hand"


@pytest.mark.parametrize("page", [(390, "light"), (1440, "dark")], indirect=True)
def test_everything_fits(tab):
    assert tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    width = tab.evaluate("window.innerWidth")
    boxes = {part: tab.locator(f"#{part}").bounding_box() for part in ("overlay", "side", "above", "readings")}
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes.values())
    assert abs(boxes["side"]["x"] - boxes["above"]["x"]) < 2 or abs(boxes["side"]["y"] - boxes["above"]["y"]) < 2
    beside = boxes["side"]["x"] >= boxes["overlay"]["x"] + boxes["overlay"]["width"]
    assert beside == (width > 640), "beside the photo on a screen, below it on a phone"
    if folder := os.environ.get("POSEGEN_SCREENSHOTS"):
        tab.screenshot(path=Path(folder) / f"photo_tab_{width}.png", full_page=True)
