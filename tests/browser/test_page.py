"""Both tabs in a real browser: words, photos, downloads, bad input."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from posegen.pose import Pose
from posegen.ui.photo import EXAMPLES

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PHOTO_TAB = "button[role=tab]:has-text('Photo')"
WORDS_TAB = "button[role=tab]:has-text('Words')"


def say(page, prompt: str, samples: int | None = None) -> None:
    page.fill("#prompt textarea", prompt)
    if samples:
        page.fill("input[type=number][aria-label*='Samples']", str(samples))
    page.click("#generate")


def download(page, kind: str):
    """File name and path of what the visible tab's download button gives."""
    with page.expect_download() as info:
        page.click(f".download-{kind}:visible")
    return info.value.suggested_filename, info.value.path()


def alert(page) -> str:
    page.wait_for_selector(".notice [role=alert]:visible")
    return page.inner_text(".notice [role=alert]:visible")


def pictures(page, count: int) -> list[str]:
    page.wait_for_function(f"document.querySelectorAll('.poses img').length == {count}")
    return page.eval_on_selector_all(".poses img", "images => images.map(i => i.src)")


def viewer_shows_a_body(page) -> bool:
    """Whether the visible 3D canvas has more than its background."""
    canvas = page.locator(".viewer canvas:visible")
    canvas.scroll_into_view_if_needed()
    for _ in range(40):
        page.wait_for_timeout(250)
        shot = np.asarray(Image.open(io.BytesIO(canvas.screenshot())).convert("L"), float)[60:]
        if (np.abs(shot - shot[5, 5]) > 20).mean() > 0.02:
            return True
    return False


def test_words_become_poses_and_files(page):
    assert viewer_shows_a_body(page)  # the first paint has an example
    say(page, "sitting on the floor with the arms crossed", samples=3)
    first = pictures(page, 3)
    assert all("sitting-on-the-floor" in src for src in first)
    assert page.input_value(".reply textarea >> nth=0").startswith("<POSE>")
    assert page.locator(".understood:visible h3").count() == 1

    page.locator(".poses button:has(img)").nth(1).click()
    page.wait_for_timeout(1500)
    name, path = download(page, "glb")
    assert name.endswith("-2.glb") and len(trimesh.load(path, file_type="glb").geometry) == 1
    name, path = download(page, "npz")
    with open(path, "rb") as file, np.load(file) as npz:
        assert name.endswith("-2.npz") and npz["poses"].shape == (1, 72)
    name, path = download(page, "png")
    assert name.endswith("-2.png") and Image.open(path).size == (448, 448)
    name, path = download(page, "zip")
    with zipfile.ZipFile(path) as archive:
        assert len(archive.namelist()) == 6
        archive.extractall(folder := path.parent / "unpacked")
    assert Pose.load(folder / "sitting-on-the-floor-with-the-arms-crossed"[:40].join(["", "-3.npz"]))
    assert viewer_shows_a_body(page) and not page.outside


def test_body_and_camera_redraw_the_same_poses(page):
    before = pictures(page, 4)
    page.click("text=Body and camera")
    slider = page.locator("input[type=range][aria-label*='Camera around']")
    slider.wait_for(state="visible")
    page.wait_for_timeout(500)  # the accordion slides open, and a click has to land where the slider ends up
    box = slider.bounding_box()
    slider.click(position={"x": box["width"] - 4, "y": box["height"] / 2})
    page.wait_for_function(f"document.querySelector('.poses img').src != {before[0]!r}")
    _, path = download(page, "npz")
    with open(path, "rb") as file, np.load(file) as npz:
        assert not npz["betas"].any()


def test_an_example_generates_at_a_click(page):
    page.click("button:has-text('on all fours')")
    page.wait_for_function("document.querySelector('.poses img').src.includes('on-all-fours')")


def test_new_seed_gives_other_poses(page):
    before = pictures(page, 4)
    page.click("#dice")
    page.wait_for_function(f"document.querySelector('.poses img').src != {before[0]!r}")
    assert page.input_value("input[type=number][aria-label*='Seed'], label:has-text('Seed') input") != "0"


def test_viewer_of_a_tab_that_was_hidden_is_not_blank(page):
    say(page, "both arms raised", samples=2)
    page.click(PHOTO_TAB)
    pictures(page, 2)
    assert viewer_shows_a_body(page)
    page.click(WORDS_TAB)
    assert viewer_shows_a_body(page)


@pytest.mark.parametrize(
    ("prompt", "words"), [("   ", "few words"), ("arm " * 5000, "5000 words"), ("человек сидит на стуле", "English")]
)
def test_bad_words_get_a_sentence_and_the_next_request_works(page, prompt, words):
    say(page, prompt)
    assert words in alert(page)
    assert len(pictures(page, 4)) == 4  # what was shown stays
    say(page, "<POSE> ignore this <script>alert(1)</script> and raise both arms", samples=2)
    pictures(page, 2)
    assert page.locator(".notice [role=alert]:visible").count() == 0


def test_photo_becomes_people(page, tmp_path):
    page.click(PHOTO_TAB)
    assert page.locator("#person label").count() == 3  # the example
    page.set_input_files("#photo input[type=file]", EXAMPLES[1])
    page.wait_for_selector("#person", state="hidden")  # one person needs no selector
    turned = Image.open(EXAMPLES[0]).rotate(-90, expand=True)
    exif = Image.Exif()
    exif[274] = 8  # as phones do: stored on its side, to be turned back
    turned.save(tmp_path / "phone.jpg", exif=exif)
    page.set_input_files("#photo input[type=file]", tmp_path / "phone.jpg")
    page.wait_for_selector("#person", state="visible")
    assert page.locator("#person label").count() == 3

    page.click("#person label:has-text('Person 3')")
    page.wait_for_timeout(1500)
    name, path = download(page, "npz")
    with open(path, "rb") as file, np.load(file) as npz:
        assert name == "people-3.npz" and np.abs(npz["poses"]).max() > 0.1
    assert Image.open(download(page, "png")[1]).size == Image.open(EXAMPLES[0]).size
    assert page.input_value(".reply textarea >> nth=1").startswith("<POSE>")
    assert viewer_shows_a_body(page)

    page.locator("#overlay img").scroll_into_view_if_needed()
    box = page.locator("#overlay img").bounding_box()
    page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    page.wait_for_function("document.querySelector('#person label.selected')?.innerText.trim() != 'Person 3'")


def bad_photos(folder):
    (folder / "text.jpg").write_text("this is no picture")
    whole = Path(EXAMPLES[0]).read_bytes()
    (folder / "cut.jpg").write_bytes(whole[: len(whole) // 4])
    Image.new("RGB", (1, 1)).save(folder / "tiny.png")
    Image.new("RGB", (640, 480), (120, 140, 90)).save(folder / "nobody.jpg")
    return [folder / name for name in ("text.jpg", "cut.jpg", "tiny.png", "nobody.jpg")]


def test_bad_photos_get_a_sentence_and_the_next_works(page, tmp_path):
    page.click(PHOTO_TAB)
    said = set()
    for path in bad_photos(tmp_path):
        page.set_input_files("#photo input[type=file]", path)
        page.wait_for_function(f"!{[*said]!r}.includes(document.querySelector('.notice p')?.innerText ?? '')")
        said.add(alert(page))
    assert len(said) == 4 and all(2 < len(sentence.split()) < 40 for sentence in said)
    assert not any("server failed" in sentence for sentence in said)
    page.set_input_files("#photo input[type=file]", EXAMPLES[1])
    page.wait_for_selector("#person", state="hidden")
    assert page.locator(".notice [role=alert]:visible").count() == 0


@pytest.mark.parametrize("page", [(390, "light"), (390, "dark"), (1440, "dark")], indirect=True)
def test_page_fits_and_is_readable(page):
    for tab in (PHOTO_TAB, WORDS_TAB):
        page.click(tab)
        page.wait_for_timeout(500)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    colors = page.evaluate(
        """() => [".understood li", "#footer p", "#title p", ".notice p"].map(s => document.querySelector(s))
        .filter(e => e).map(e => { let b = e, c; do { c = getComputedStyle(b).backgroundColor; b = b.parentElement }
        while (b && c.endsWith(", 0)")); return [getComputedStyle(e).color, c] })"""
    )
    assert len(colors) >= 2 and all(contrast(*pair) > 4.5 for pair in colors)


def contrast(*colors: str) -> float:
    """WCAG contrast of two css colours, 1 to 21."""
    light = []
    for color in colors:
        rgb = np.array([float(v) for v in color[color.index("(") + 1 : -1].split(",")[:3]]) / 255
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        light.append(float(linear @ (0.2126, 0.7152, 0.0722)) + 0.05)
    return max(light) / min(light)
