"""Pictures of bodies: that what is drawn is where it should be, in every kind of picture."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from posegen.body import embedded_body
from posegen.camera import Camera
from posegen.pose import Pose
from posegen.render import MAX_SIDE, Renderer, clothes_colors, save_animation
from posegen.skeleton import INDEX

ROOT = Path(__file__).resolve().parent.parent


def pose(**degrees) -> Pose:
    rotvec = np.zeros((24, 3))
    for name, angles in degrees.items():
        rotvec[INDEX[name]] = np.radians(angles)
    return Pose.from_axis_angle(rotvec)


STANDING = pose(left_shoulder=(0, 0, -70), right_shoulder=(0, 0, 70))
RIGHT_UP = pose(left_shoulder=(0, 0, -70), right_shoulder=(0, 0, -70))


@pytest.fixture(scope="module")
def renderer():
    return Renderer()


def drawn(picture: Image.Image) -> np.ndarray:
    """Mask (h, w) of a transparent still."""
    return np.asarray(picture)[..., 3] > 127


def test_still_fills_the_frame_without_cutting(renderer):
    for body_pose in (STANDING, RIGHT_UP, pose(pelvis=(90, 0, 0))):
        mask = drawn(renderer.still(body_pose, size=200, transparent=True))
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        reach = max(rows[-1] - rows[0], columns[-1] - columns[0])
        assert 150 < reach < 190 and rows[0] > 3 and columns[0] > 3


def test_right_arm_is_on_the_viewers_left(renderer):
    front = drawn(renderer.still(RIGHT_UP, size=200, azimuth=0, transparent=True))
    back = drawn(renderer.still(RIGHT_UP, size=200, azimuth=180, transparent=True))
    top = np.flatnonzero(front.any(1))[0]
    assert np.flatnonzero(front[top]).mean() < 90 and np.flatnonzero(back[top]).mean() > 110


def test_camera_azimuth_goes_to_the_persons_left(renderer):
    nose_ahead = pose(left_hip=(-80, 0, 0), right_hip=(-80, 0, 0))  # legs stretched forward
    mask = drawn(renderer.still(nose_ahead, size=200, azimuth=90, transparent=True))
    foot = np.flatnonzero(mask.any(0))[0]  # from the person's left, forward is to the viewer's left
    torso = np.flatnonzero(mask[np.flatnonzero(mask.any(1))[0]]).mean()
    assert torso - foot > 50


def test_shadow_touches_the_feet(renderer):
    picture = np.asarray(renderer.still(STANDING, size=200, azimuth=0).convert("L"), float)
    mask = drawn(renderer.still(STANDING, size=200, azimuth=0, transparent=True))
    foot = np.flatnonzero(mask.any(1))[-1]
    columns = np.flatnonzero(mask[foot - 3])
    below = picture[foot + 2, columns.min() : columns.max() + 1].min()
    assert below < picture[foot + 2, :20].mean() - 25
    assert abs(picture[40, :10].mean() - picture[40, -10:].mean()) < 3  # clean backdrop elsewhere


def test_colors(renderer):
    red = np.asarray(renderer.still(STANDING, size=128, color=(0.9, 0.1, 0.1), transparent=True), float)
    body = red[red[..., 3] > 250]
    assert body[:, 0].mean() > 2 * body[:, 1].mean()
    colors = np.full((24, 3), 0.5)
    colors[[INDEX["left_knee"], INDEX["left_ankle"]]] = (0.1, 0.9, 0.1)
    green = np.asarray(renderer.still(STANDING, size=128, azimuth=0, joint_colors=colors, transparent=True), float)
    is_green = (green[..., 1] > green[..., 0] + 40) & (green[..., 3] > 250)
    rows, columns = np.nonzero(is_green)
    assert len(rows) > 50 and rows.min() > 64 and columns.mean() > 66  # lower left leg


def test_gallery_and_turntable(renderer, tmp_path):
    sheet = renderer.gallery([STANDING, RIGHT_UP, STANDING], size=96, columns=2, labels=["a", "b", "c"])
    assert sheet.size == (2 * (96 + 8) + 8, 2 * (96 + 9 + 8) + 8)
    frames = renderer.turntable(RIGHT_UP, frames=4, size=96)
    assert len(frames) == 4 and all(frame.size == (96, 96) for frame in frames)
    assert np.abs(np.asarray(frames[0], float) - np.asarray(frames[2], float)).mean() > 2
    for name in ("turn.gif", "turn.webp"):
        save_animation(frames, tmp_path / name)
        with Image.open(tmp_path / name) as saved:
            assert saved.n_frames == 4 and saved.size == (96, 96)


def test_overlay_lies_where_the_camera_projects(renderer):
    photo = Image.new("RGB", (300, 200), (255, 255, 255))
    camera = Camera(300, (0.8, 0.1, -5))
    mask = np.asarray(renderer.overlay(photo, [(STANDING, camera)]).convert("L")) < 250
    pixels = camera.project(embedded_body().vertices([STANDING])[0], 300, 200)
    rows, columns = np.nonzero(mask)
    np.testing.assert_allclose(
        [columns.min(), columns.max() + 1, rows.min(), rows.max() + 1],
        [pixels[:, 0].min(), pixels[:, 0].max(), pixels[:, 1].min(), pixels[:, 1].max()], atol=1.5,
    )  # fmt: skip


def test_nearer_people_hide_farther_ones(renderer):
    photo = Image.new("RGB", (200, 200), (255, 255, 255))
    near, far = (STANDING, Camera(240, (0, 0, -3))), (STANDING, Camera(240, (0, 0, -6)))
    alone = np.asarray(renderer.overlay(photo, [near], alpha=1), float)[100, 100]
    both = np.asarray(renderer.overlay(photo, [near, far], alpha=1), float)[100, 100]
    np.testing.assert_allclose(both, alone, atol=12)
    # The far person seen through twice the focal length is as large on the photo: drawn where its pixels belong.
    tele = (STANDING, Camera(480, (0.9, 0, -6)))
    mask = np.asarray(renderer.overlay(photo, [near, tele], alpha=1).convert("L")) < 250
    assert mask[:, 165:180].any()


def test_large_grey_or_empty_overlays(renderer):
    big = renderer.overlay(Image.new("L", (2 * MAX_SIDE, MAX_SIDE), 255), [(STANDING, Camera(3000, (0, 0, -4)))])
    assert big.size == (MAX_SIDE, MAX_SIDE // 2) and big.mode == "RGB"
    middle = np.asarray(big.convert("L"))[MAX_SIDE // 4, MAX_SIDE // 2]
    assert middle < 250
    assert renderer.overlay(Image.new("RGBA", (1, 1)), []).size == (1, 1)
    assert renderer.overlay(Image.new("RGB", (1, 1)), [(STANDING, Camera(1, (0, 0, -4)))]).size == (1, 1)


def test_photo_like_and_clothes(renderer):
    body = embedded_body()
    first, second = (clothes_colors(body, np.random.default_rng(seed)) for seed in (0, 1))
    assert first.shape == (len(body.skin_weights), 3) and first.min() >= 0 and first.max() <= 1
    assert np.abs(first - second).max() > 0.2
    np.testing.assert_array_equal(first, clothes_colors(body, np.random.default_rng(0)))
    vertices, background = body.vertices([STANDING])[0], Image.new("RGB", (160, 120), (10, 200, 30))
    camera = Camera(200, (0, 0, -3.5))
    bright = renderer.photo_like(vertices, first, background, camera, light_intensity=4)
    dim = renderer.photo_like(vertices, first, background, camera, light_intensity=0.5, ambient=0.1)
    assert bright.size == (160, 120) and bright.getpixel((2, 2)) == (10, 200, 30)
    torso = (slice(50, 70), slice(75, 85))
    assert np.asarray(bright, float)[torso].mean() > np.asarray(dim, float)[torso].mean() + 10


def test_many_threads_and_renderers_share_one_context(renderer):
    expected = np.asarray(renderer.still(STANDING, size=64))
    with ThreadPoolExecutor(4) as threads:
        stills = list(threads.map(lambda _: np.asarray(Renderer(embedded_body()).still(STANDING, size=64)), range(8)))
    assert all(np.array_equal(still, expected) for still in stills)


NO_GL_SCRIPT = """
from posegen.pose import Pose
from posegen.render import Renderer, RenderError
import numpy as np
for _ in range(2):
    try:
        Renderer().still(Pose.from_axis_angle(np.zeros(72)), size=32)
    except RenderError as error:
        print(error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="EGL is Linux's way")
def test_without_gl_one_clear_sentence(tmp_path):
    environment = os.environ | {"__EGL_VENDOR_LIBRARY_FILENAMES": str(tmp_path / "absent.json")}
    done = subprocess.run(
        [sys.executable, "-c", NO_GL_SCRIPT], env=environment, capture_output=True, text=True, cwd=ROOT
    )
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and done.stderr == "" and len(lines) == 2, done.stderr
    assert all("apt-get install libegl1 libgl1" in line for line in lines)


@pytest.mark.slow
def test_a_program_that_draws_ends_quietly():
    script = NO_GL_SCRIPT.replace("print(error)", "raise").replace("range(2)", "range(1)")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")
