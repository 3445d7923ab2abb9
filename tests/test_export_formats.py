"""Every format, read back by a program that is not its writer."""

import json

import bvhsdk
import numpy as np
import pytest
import trimesh
from PIL import Image

from finetune.data import bvh
from posegen.body import embedded_body, ground
from posegen.camera import Camera, Shot
from posegen.export import FORMATS, Figure, draw_openpose, keypoints, write_bvh, write_openpose
from posegen.export.openpose import COLORS, KEYPOINTS
from posegen.pose import Pose
from posegen.render import Renderer
from posegen.skeleton import JOINTS

SIZE = 512


@pytest.fixture(scope="module")
def renderer():
    return Renderer(embedded_body())


@pytest.fixture(scope="module")
def figure(renderer):
    """A figure whose every joint turns, seen from above and the left."""
    rng = np.random.default_rng(3)
    pose = Pose.from_axis_angle(rng.normal(0, 0.35, (24, 3)), betas=rng.normal(0, 1, 10))
    return Figure(pose, renderer, renderer.shot(pose, SIZE, 60, 20))


@pytest.fixture(scope="module")
def files(figure, tmp_path_factory):
    """Path of the figure in every format."""
    folder = tmp_path_factory.mktemp("export")
    for suffix, form in FORMATS.items():
        form.write(figure, folder / f"pose.{suffix}")
    return {suffix: folder / f"pose.{suffix}" for suffix in FORMATS}


def grounded_joints(pose, body):
    return body.joints([pose])[0] + ground(body.vertices([pose])[0])


def standing() -> Pose:
    return Pose.from_axis_angle(np.zeros((24, 3)))


# ---- BVH


def bvh_joints(path, frame=0):
    """Positions (24, 3) in metres by our loader."""
    recording = bvh.read(path)
    return recording.positions[frame][[recording.index(name) for name in JOINTS]]


def test_bvh_read_by_our_loader_has_the_bodys_joints(files, figure):
    expected = grounded_joints(figure.pose, figure.body)
    assert np.abs(bvh_joints(files["bvh"]) - expected).max() < 1e-4 * np.ptp(expected[:, 1])
    recording = bvh.read(files["bvh"])
    rest = figure.body.rest(figure.pose.betas)[1]
    np.testing.assert_allclose(recording.rest[[recording.index(n) for n in JOINTS]], rest - rest[0], atol=1e-6)


def test_bvh_read_by_bvhsdk_has_the_bodys_joints(files, figure):
    joints = {joint.name: joint.getPosition(0) / 100 for joint in bvhsdk.ReadFile(str(files["bvh"])).getlistofjoints()}
    assert list(joints) and set(joints) == set(JOINTS)
    expected = grounded_joints(figure.pose, figure.body)
    error = np.abs([joints[name] - point for name, point in zip(JOINTS, expected, strict=True)])
    assert error.max() < 1e-4 * np.ptp(expected[:, 1])


def test_bvh_of_right_angles_is_exact(tmp_path):
    """Where two of the three axes coincide."""
    axis_angle = np.zeros((24, 3))
    axis_angle[[1, 16, 17, 18]] = np.array([[-1, 0, 0], [1, 0, 0], [-1, 0, 0], [0, 1, 0]]) * np.pi / 2
    pose, body = Pose.from_axis_angle(axis_angle), embedded_body()
    write_bvh([pose], body, tmp_path / "right.bvh")
    np.testing.assert_allclose(bvh_joints(tmp_path / "right.bvh"), grounded_joints(pose, body), atol=1e-5)


def test_bvh_of_several_frames_moves_by_trans(tmp_path, figure):
    body, moved = figure.body, np.array([0.5, 0.2, -1.0], np.float32)
    first = Pose(figure.pose.rotations, trans=[3, 3, 3])
    poses = [first, Pose(standing().rotations, trans=first.trans + moved)]
    write_bvh(poses, body, tmp_path / "two.bvh", fps=50)
    lift = ground(body.vertices([first])[0])
    np.testing.assert_allclose(bvh_joints(tmp_path / "two.bvh", 1), body.joints(poses[1:])[0] + lift + moved, atol=1e-5)
    assert bvh.read(tmp_path / "two.bvh").fps == pytest.approx(50)


# ---- OBJ, npz


def test_obj_has_the_posed_surface(files, figure):
    mesh = trimesh.load(files["obj"], process=False, maintain_order=True)
    vertices = figure.body.vertices([figure.pose])[0]
    np.testing.assert_allclose(mesh.vertices, vertices + ground(vertices), atol=1e-6)
    assert (mesh.faces == figure.body.faces).all()
    lines = files["obj"].read_text().splitlines()
    assert sum(line.startswith("vn ") for line in lines) == len(vertices)
    assert mesh.bounds[0][1] == pytest.approx(0, abs=1e-6)


def test_npz_gives_the_same_joints(files, figure):
    back = Pose.load(files["npz"])
    error = figure.body.joints([back]) - figure.body.joints([figure.pose])
    assert np.abs(error).max() < 1e-5


# ---- pictures


def test_cutout_is_the_still_without_its_background(files, figure):
    cutout = Image.open(files["cutout.png"])
    expected = figure.renderer.still(figure.pose, SIZE, 60, 20, transparent=True)
    assert cutout.mode == "RGBA" and cutout.size == (SIZE, SIZE)
    alpha = np.asarray(cutout)[..., 3]
    assert 0.03 < (alpha == 255).mean() < 0.5 and (alpha[[0, -1]] == 0).all() and (alpha[:, [0, -1]] == 0).all()
    assert np.abs(np.asarray(cutout, int) - np.asarray(expected, int)).max() <= 1


def test_cutout_of_a_photo_lies_where_the_overlay_draws_it(figure):
    shot = Shot(Camera(600, [0.4, 0.1, -3.5]), (640, 360))
    grey = Image.new("RGB", shot.size, (255, 0, 255))
    overlay = figure.renderer.overlay(grey, [(figure.pose, shot.camera)], alpha=1.0)
    drawn = (np.asarray(overlay, int) != np.asarray(grey, int)).any(-1)
    cutout = np.asarray(figure.renderer.cutout(figure.pose, shot))
    assert cutout.shape == (360, 640, 4)
    assert drawn.mean() > 0.03 and ((cutout[..., 3] > 0) == drawn).mean() > 0.9999


# ---- OpenPose

TOP = ["version", "people", "canvas_width", "canvas_height"]
PARTS = ("pose", "face", "hand_left", "hand_right")


def test_openpose_json_has_the_documented_layout(files):
    document = json.loads(files["openpose.json"].read_text())
    assert list(document) == TOP and document["version"] == 1.3
    assert (document["canvas_width"], document["canvas_height"]) == (SIZE, SIZE)
    (person,) = document["people"]
    assert set(person) == {"person_id", *(f"{part}_keypoints_{d}d" for part in PARTS for d in (2, 3))}
    assert person["person_id"] == [-1] and len(person["pose_keypoints_2d"]) == 18 * 3
    assert not any(value for key, value in person.items() if key not in ("person_id", "pose_keypoints_2d"))
    x, y, confidence = np.reshape(person["pose_keypoints_2d"], (18, 3)).T
    assert (confidence == 1).all() and (x > 0).all() and (x < SIZE).all() and (y > 0).all() and (y < SIZE).all()


@pytest.mark.parametrize(
    ("keypoint", "joint"),
    [("right_wrist", 21), ("left_wrist", 20), ("right_elbow", 19), ("left_knee", 4), ("right_ankle", 8),
     ("left_shoulder", 16), ("nose", None), ("left_eye", None)],
)  # fmt: skip
def test_keypoints_lie_where_the_picture_shows_them(renderer, keypoint, joint):
    """A red patch is painted on the body around the joint; its middle in the picture must be the keypoint."""
    pose = Pose.from_axis_angle([[0.1, 0.2, 0.1], *np.zeros((14, 3)), [0.0, 0.1, 0.2], *np.zeros((8, 3))])
    body, shot = renderer.body, renderer.shot(pose, SIZE, 10, 5)
    vertices, joints = body.vertices([pose])[0], body.joints([pose])[0]
    # of the face only the surface's own point is known: the foremost and middlemost for the nose, the painted iris
    center = joints[joint] if joint is not None else face_point(body, keypoint, vertices)
    color = np.tile([0.0, 0.0, 1.0], (len(vertices), 1))
    color[np.linalg.norm(vertices - center, axis=1) < (0.06 if joint is not None else 0.012)] = (1.0, 0.0, 0.0)
    picture = np.asarray(renderer.cutout(pose, shot, color), int)
    y, x = np.nonzero((picture[..., 3] > 0) & (picture[..., 0] > picture[..., 2] + 60))
    assert len(x) > 5
    found = keypoints(pose, body, shot)[KEYPOINTS.index(keypoint)]
    assert np.abs(found[:2] - (np.mean(x) + 0.5, np.mean(y) + 0.5)).max() < 6 and found[2] == 1


def face_point(body, name, vertices):
    """The tip of the nose, or the front of the left eye, found by shape in the rest pose."""
    rest, joints = body.rest()
    height = rest[:, 1] - joints[15, 1]
    if name == "nose":
        part = (np.abs(rest[:, 0]) < 0.01) & (height > 0) & (height < 0.15)
    else:
        part = (np.abs(rest[:, 0] - 0.03) < 0.006) & (np.abs(height - 0.075) < 0.012)
    candidates = np.flatnonzero(part)
    return vertices[candidates[rest[candidates, 2].argmax()]]


def test_left_and_right_are_the_persons_own(renderer):
    front = keypoints(standing(), renderer.body, renderer.shot(standing(), SIZE, 0, 0))
    back = keypoints(standing(), renderer.body, renderer.shot(standing(), SIZE, 180, 0))
    for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle", "eye", "ear"):
        right, left = (KEYPOINTS.index(f"{side}_{part}") for side in ("right", "left"))
        assert front[right, 0] < front[left, 0] and back[right, 0] > back[left, 0]
    heights = [front[KEYPOINTS.index(n), 1] for n in ("right_eye", "nose", "neck", "right_hip", "right_ankle")]
    assert heights == sorted(heights)


def test_points_outside_the_picture_or_behind_the_camera_are_zero(renderer):
    body, wrist = renderer.body, KEYPOINTS.index("left_wrist")
    beside = keypoints(standing(), body, Shot(Camera(500, [0.9, 0, -3]), (512, 512)))
    assert (beside[wrist] == 0).all() and beside[0, 2] == 1
    assert not keypoints(standing(), body, Shot(Camera(500, [0, 0, 2]), (512, 512))).any()


def test_openpose_picture_has_the_standard_colours_at_the_keypoints(files, figure):
    picture = np.asarray(Image.open(files["openpose.png"]))
    assert picture.shape == (SIZE, SIZE, 3) and (picture[[0, -1]] == 0).all() and (picture.sum(-1) == 0).mean() > 0.9
    points = figure.keypoints
    apart = np.linalg.norm(points[:, None, :2] - points[None, :, :2], axis=-1) + 1e3 * np.eye(18)
    clear = [i for i in range(18) if apart[i].min() > 12]
    assert len(clear) >= 12
    for i in clear:
        x, y = points[i, :2].astype(int)
        assert tuple(picture[y, x]) == COLORS[i]
    shoulder, elbow = points[2, :2], points[3, :2]
    x, y = ((shoulder + elbow) / 2).astype(int)
    assert tuple(picture[y, x]) == (153, 102, 0)  # the limb between them: 0.6 of its colour, as ControlNet draws it


def test_openpose_of_several_people_and_of_none_seen(tmp_path, figure):
    people = [figure.keypoints, np.zeros((18, 3))]
    write_openpose(people, (SIZE, SIZE), tmp_path / "two.json")
    assert len(json.loads((tmp_path / "two.json").read_text())["people"]) == 2
    assert np.array_equal(draw_openpose(people, (SIZE, SIZE)), draw_openpose(people[:1], (SIZE, SIZE)))
    assert not np.asarray(draw_openpose(people[1:], (64, 32))).any()
