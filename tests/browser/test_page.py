"""Both tabs in a real browser: words, photos, downloads, bad input."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from saving import download

from posegen.ui.photo import EXAMPLES

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PHOTO_TAB = "button[role=tab]:has-text('Photo')"
WORDS_TAB = "button[role=tab]:has-text('Words')"


def say(page, prompt: str, samples: int | None = None) -> None:
    page.fill("#prompt textarea", prompt)
    if samples:
        page.fill("input[type=number][aria-label*='Samples']", str(samples))
    page.click("#generate")


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
    assert page.locator(".understood:visible h3").first.inner_text().startswith("Understood")

    page.locator(".poses button:has(img)").nth(1).click()
    page.wait_for_timeout(1500)
    path = download(page, "npz")
    with np.load(path) as npz:
        assert path.name.endswith("-2.npz") and npz["poses"].shape == (1, 72)
    assert viewer_shows_a_body(page) and not page.outside


def link_of(page) -> str:
    return page.input_value("#link textarea, #link input")


def rewards(page) -> dict[str, float]:
    """Name -> value of the visible pose's rewards."""
    rows = page.locator(".understood:visible tr").all()
    return {row.locator("th").inner_text(): float(row.locator("td").last.inner_text()) for row in rows}


def captions(page) -> list[tuple[float, float]]:
    """(share of statements shown, mean reward) that each picture's alt text tells."""
    told = page.eval_on_selector_all(".poses img", "images => images.map(i => i.alt)")
    found = [re.fullmatch(r"(\d+)/(\d+) shown · (\d\.\d\d)", text).groups() for text in told]
    return [(int(held) / int(count), float(mean)) for held, count, mean in found]


def test_why_says_statements_rewards_and_what_is_open(page):
    assert page.locator(".understood:visible li").count() >= 3
    values = rewards(page)
    assert len(values) == 3 and all(0 <= value <= 1 for value in values.values())
    assert captions(page)[0][1] == pytest.approx(np.mean(list(values.values())), abs=0.011)
    assert re.search(r"Most: .+ ±\d+°.* Least: .+ ±\d+°", page.locator(".prose.understood:visible").first.inner_text())


def test_try_harder_ranks_sixteen_and_a_link_gives_them_again(page):
    page.fill("#prompt textarea", "kneeling on the left knee, both hands on the head")
    page.fill("input[type=number][aria-label*='Temperature']", "1")
    page.click("#harder")
    page.wait_for_function("document.querySelector('.poses img').src.includes('kneeling')", timeout=60_000)
    told = captions(page)
    assert told == sorted(told, reverse=True)
    page.wait_for_function("document.querySelector('#link textarea, #link input').value.includes('best_of=16')")
    assert "temperature=1&" in link_of(page) and page.input_value("#shown_seed textarea, #shown_seed input") == "0"
    npz = download(page, "npz").read_bytes()
    shown = [np.asarray(picture(page, src)) for src in pictures(page, 4)]

    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click("#link button")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == link_of(page)
    page.goto(copied)
    page.wait_for_function("document.querySelector('.poses img')?.src.includes('kneeling')", timeout=60_000)
    page.wait_for_function(f"document.querySelector('#link textarea, #link input').value == {copied!r}")
    assert page.input_value("#prompt textarea").startswith("kneeling on the left knee")
    again = [np.asarray(picture(page, src)) for src in pictures(page, 4)]
    for a, b in zip(shown, again, strict=True):  # the renderer may round a colour the other way
        np.testing.assert_allclose(a.astype(int), b.astype(int), atol=2)
    assert npz == download(page, "npz").read_bytes()


def picture(page, src: str) -> Image.Image:
    return Image.open(io.BytesIO(page.request.get(src).body())).convert("RGB")


@pytest.mark.parametrize(
    ("query", "sentence"),
    [("?prompt=sitting&samples=99", "samples must be a whole number from 1 to 8"), ("?prompt=%20", "few words")],
)
def test_a_bad_link_gets_a_sentence_and_the_page_works(page, server, query, sentence):
    page.goto(server + query)
    assert sentence in alert(page)
    say(page, "both arms up", samples=2)
    page.wait_for_function("document.querySelector('.poses img').src.includes('both-arms-up')", timeout=60_000)
    assert page.locator(".notice [role=alert]:visible").count() == 0


def test_what_is_open_is_coloured_and_the_turntable_turns(page):
    before = picture(page, pictures(page, 4)[0])
    page.click("#open input")
    page.wait_for_selector(".legend", timeout=30_000)
    warm = lambda shot: (np.asarray(shot, int)[..., 0] - np.asarray(shot, int)[..., 2] > 40).mean()  # noqa: E731
    assert warm(before) == 0 and warm(picture(page, pictures(page, 4)[0])) > 0.05
    page.click("#turn")
    page.wait_for_selector("#turning img", timeout=60_000)
    gif = Image.open(io.BytesIO(page.request.get(page.get_attribute("#turning img", "src")).body()))
    assert gif.format == "GIF" and gif.n_frames == 24 and warm(gif.convert("RGB")) > 0.05
    assert page.get_attribute("#turning img", "alt")
    page.click("#open input")
    page.wait_for_selector(".legend", state="detached", timeout=30_000)
    assert warm(picture(page, pictures(page, 4)[0])) == 0 and page.locator("#turning img:visible").count() == 0


def test_the_viewer_s_camera_comes_back_with_every_pose(page):
    assert viewer_shows_a_body(page)
    canvas = page.locator(".viewer canvas:visible")
    page.wait_for_timeout(1500)
    first = silhouette(canvas)
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 150, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 320, box["y"] + 200, steps=8)
    page.mouse.up()
    page.wait_for_timeout(1500)
    assert (silhouette(canvas) != first).mean() > 0.02  # the visitor has turned it
    for i in (1, 0):
        page.locator(".poses button:has(img)").nth(i).click()
        page.wait_for_timeout(3000)
    assert (silhouette(canvas) != first).mean() < 0.005


def silhouette(canvas) -> np.ndarray:
    shot = np.asarray(Image.open(io.BytesIO(canvas.screenshot())).convert("L"), float)[60:]
    return np.abs(shot - shot[5, 5]) > 20


def test_the_keyboard_reaches_everything_and_shows_where_it_is(page):
    page.focus("#prompt textarea")
    seen = []
    for _ in range(40):
        page.keyboard.press("Tab")
        seen.append(page.evaluate(WHERE))
    names = [name for name, _ in seen]
    order = [next(i for i, name in enumerate(names) if part in name) for part in ("Generate", "Try harder", "New seed")]
    assert order == sorted(order)
    assert any("shown ·" in name for name in names) and any("Turntable" in name for name in names)
    assert not [name for name, visible in seen if not visible]
    page.focus("#harder")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('#link textarea, #link input').value.includes('best_of=16')")


#: Name of the focused element, and whether its focus can be seen (an outline, a ring or a border of the accent).
WHERE = """() => {
  const e = document.activeElement, style = getComputedStyle(e);
  const name = e.innerText || e.getAttribute("aria-label") || e.querySelector("img")?.alt || e.tagName;
  if (e == document.body) return ["", true];  // past the last element
  const ring = style.outlineStyle != "none" && parseFloat(style.outlineWidth) >= 1;
  return [name, ring || style.boxShadow != "none"];
}"""


def test_body_and_camera_redraw_the_same_poses(page):
    before = pictures(page, 4)
    page.click("text=Body and camera")
    slider = page.locator("input[type=range][aria-label*='Camera around']")
    slider.wait_for(state="visible")
    page.wait_for_timeout(500)  # the accordion slides open, and a click has to land where the slider ends up
    box = slider.bounding_box()
    slider.click(position={"x": box["width"] - 4, "y": box["height"] / 2})
    page.wait_for_function(f"document.querySelector('.poses img').src != {before[0]!r}")
    with np.load(download(page, "npz")) as npz:
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
    path = download(page, "npz")
    with np.load(path) as npz:
        assert path.name == "people-3.npz" and np.abs(npz["poses"]).max() > 0.1
    assert Image.open(download(page, "png")).size == Image.open(EXAMPLES[0]).size
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
