"""Every format downloaded from the page and opened; on a wide screen and on a phone."""

import json
import zipfile

import numpy as np
import pytest
import trimesh
from PIL import Image
from saving import download

from finetune.data import bvh
from posegen.body import embedded_body, ground
from posegen.pose import Pose
from posegen.skeleton import JOINTS
from posegen.ui.panel import SINGLE
from posegen.ui.photo import EXAMPLES

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_every_format_of_a_pose_opens(page):
    files = {suffix: download(page, suffix) for suffix in SINGLE}
    stem = files["npz"].stem
    assert stem.endswith("-1") and all(path.name == f"{stem}.{suffix}" for suffix, path in files.items())

    body, pose = embedded_body(), Pose.load(files["npz"])
    vertices = body.vertices([pose])[0]
    lift = ground(vertices)
    np.testing.assert_allclose(trimesh.load(files["obj"], process=False).bounds[1], (vertices + lift).max(0), atol=1e-4)
    recording = bvh.read(files["bvh"])
    order = [recording.index(name) for name in JOINTS]
    np.testing.assert_allclose(recording.positions[0, order], body.joints([pose])[0] + lift, atol=1e-4)
    assert files["glb"].read_bytes()[:4] == b"glTF" and len(trimesh.load(files["glb"]).geometry) == 1

    picture, cutout, sticks = (Image.open(files[s]) for s in ("png", "cutout.png", "openpose.png"))
    assert picture.size == cutout.size == sticks.size == (448, 448) and cutout.mode == "RGBA"
    seen = np.asarray(cutout)[..., 3] > 128
    (person,) = json.loads(files["openpose.json"].read_text())["people"]
    points = np.reshape(person["pose_keypoints_2d"], (18, 3))
    assert (points[:, 2] == 1).all()
    assert seen[points[:, 1].astype(int), points[:, 0].astype(int)].mean() > 0.9  # joints lie in the picture's body


def test_all_poses_come_as_a_zip(page):
    with zipfile.ZipFile(download(page, "bvh", "all")) as archive:
        assert len(archive.namelist()) == 4 and all(name.endswith(".bvh") for name in archive.namelist())
    with zipfile.ZipFile(download(page, "zip", "all")) as archive:
        assert len(archive.namelist()) == 4 * len(SINGLE) and archive.testzip() is None
    with zipfile.ZipFile(download(page, "zip")) as archive:
        assert sorted(name.partition(".")[2] for name in archive.namelist()) == sorted(SINGLE)


def test_openpose_of_a_photo_lies_on_the_photo(page):
    page.click("button[role=tab]:has-text('Photo')")
    photo = Image.open(EXAMPLES[0])
    document = json.loads(download(page, "openpose.json").read_text())
    assert (document["canvas_width"], document["canvas_height"]) == photo.size
    points = np.reshape(document["people"][0]["pose_keypoints_2d"], (18, 3))
    seen = np.asarray(Image.open(download(page, "cutout.png")))[..., 3] > 128
    assert seen.shape == photo.size[::-1]
    inside = points[points[:, 2] > 0].astype(int)
    assert len(inside) > 12 and seen[inside[:, 1], inside[:, 0]].mean() > 0.9


@pytest.mark.parametrize("page", [(390, "light"), (390, "dark")], indirect=True)
def test_downloads_fit_a_phone(page):
    page.locator(".downloads:visible").scroll_into_view_if_needed()
    boxes = [page.locator(f".download-{which}:visible").bounding_box() for which in ("one", "all")]
    formats = page.locator(".downloads:visible input").bounding_box()
    assert formats["width"] > 150  # the format's name can be read
    for box in [formats, *boxes]:
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390 and box["height"] >= 15
    assert boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"] or boxes[0]["y"] + boxes[0]["height"] <= boxes[1]["y"]
    assert download(page, "openpose.png").stat().st_size > 500
