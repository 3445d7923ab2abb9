"""The edit tab in a real browser: say what to change, undo it, go on from a file."""

import numpy as np
import pytest
from saving import download

from posegen.body import embedded_body
from posegen.export import write_bvh
from posegen.pose import Pose
from posegen.skeleton import INDEX

pytestmark = [pytest.mark.browser, pytest.mark.slow]
EDIT_TAB = "button[role=tab]:has-text('Edit')"


@pytest.fixture
def tab(page):
    page.set_default_timeout(60_000)
    page.click(EDIT_TAB)
    page.wait_for_selector("#after img")
    return page


def source(tab, part: str) -> str:
    return tab.get_attribute(f"#{part} img", "src")


def say(tab, instruction: str) -> str:
    """Ask for a change and wait for it; the chat's answer."""
    before = source(tab, "after")
    tab.fill("#instruction textarea", instruction)
    tab.click("#change")
    tab.wait_for_function(f"document.querySelector('#after img')?.src != {before!r}")
    return tab.locator("#chat .bot").last.inner_text()


def height(pose: Pose, joint: str) -> float:
    """Metres above the pelvis."""
    joints = embedded_body().joints([pose])[0]
    return joints[INDEX[joint], 1] - joints[0, 1]


def test_a_change_is_shown_beside_what_was_and_can_be_undone(tab):
    first = download(tab, "npz")
    before, after = Pose.load(first), source(tab, "after")
    assert "Done: " in say(tab, "raise the right arm a lot and bend the knees")
    assert source(tab, "before") == after, "what was after is before now"
    assert tab.input_value("#instruction textarea") == ""
    changed = Pose.load(download(tab, "npz"))
    assert height(changed, "right_wrist") > height(before, "right_wrist") + 0.3
    assert height(changed, "left_ankle") > height(before, "left_ankle") + 0.03

    shown = source(tab, "after")
    tab.click("#undo")
    tab.wait_for_function(f"document.querySelector('#after img')?.src != {shown!r}")
    assert tab.input_value("#instruction textarea").startswith("raise the right arm a lot"), "to be worded anew"
    again = Pose.load(download(tab, "npz"))
    np.testing.assert_array_equal(again.rotations, before.rotations)


def test_a_file_is_described_and_changed(tab, tmp_path):
    kneeling = np.zeros((24, 3), np.float32)
    kneeling[INDEX["left_knee"], 0] = kneeling[INDEX["right_knee"], 0] = 1.6
    write_bvh([Pose.from_axis_angle(kneeling)], embedded_body(), tmp_path / "mine.bvh")
    old = source(tab, "after")
    with tab.expect_file_chooser() as chooser:
        tab.click("#upload")
    chooser.value.set_files(tmp_path / "mine.bvh")
    tab.wait_for_function(f"document.querySelector('#after img')?.src != {old!r}")
    assert tab.locator("#chat .user").count() == 0 and source(tab, "before") == source(tab, "after")
    tab.wait_for_function("[...document.querySelectorAll('textarea')].some(t => t.checkVisibility() && "
                          "t.value.startsWith('<POSE> ') && /kneel|knee/.test(t.value))")  # fmt: skip
    path = download(tab, "npz")
    assert path.name.startswith("mine")
    np.testing.assert_allclose(Pose.load(path).axis_angle, kneeling, atol=1e-3)
    assert "head" in say(tab, "turn the head left")


def test_what_is_not_understood_changes_nothing(tab):
    before = source(tab, "after")
    tab.fill("#instruction textarea", "asdf qwerty")
    tab.press("#instruction textarea", "Enter")
    tab.wait_for_selector(".notice [role=alert]:visible")
    assert "for example: raise the left arm" in tab.inner_text(".notice [role=alert]:visible")
    assert source(tab, "after") == before and tab.input_value("#instruction textarea") == "asdf qwerty"


@pytest.mark.parametrize("page", [(390, "dark"), (1440, "light")], indirect=True)
def test_before_and_after_fit_side_by_side(tab):
    width = tab.evaluate("window.innerWidth")
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    boxes = [tab.locator(f"#{part}").bounding_box() for part in ("before", "after")]
    assert abs(boxes[0]["y"] - boxes[1]["y"]) < 2 and boxes[0]["x"] < boxes[1]["x"] <= width - boxes[1]["width"]
