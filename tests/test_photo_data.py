"""Synthetic photos and simulated landmarks: the truth they carry is the truth of the picture."""

from unittest.mock import patch

import numpy as np
import pytest
import roma
import torch
from scipy.spatial import procrustes

from finetune.data import photos, scenes
from posegen import weights
from posegen.body import embedded_body
from posegen.camera import Camera
from posegen.photo import LIMB_LANDMARKS
from posegen.skeleton import INDEX, LIMBS

BLAZEPOSE = next(row["present"] for row in weights.status() if row["name"] == "blazepose")
needs_blazepose = pytest.mark.skipif(not BLAZEPOSE, reason="no BlazePose yet; run `python -m posegen.weights`")


def some_poses(n, seed=0, spread=0.25):
    """Standing people with random limbs, (n, 24, 3) facing +Z."""
    rng = np.random.default_rng(seed)
    poses = rng.normal(0, spread, (n, 24, 3)).astype(np.float32)
    poses[:, [0, 3, 6, 9, 10, 11, 22, 23]] *= 0.2
    poses[:, INDEX["left_shoulder"], 2] -= 1.0
    poses[:, INDEX["right_shoulder"], 2] += 1.0
    return poses


def fake_renders(n, seed=0):
    """Arrays as of `load_renders` whose readings are the truth with depth halved and a constant shift of one wrist."""
    rng = np.random.default_rng(seed)
    nothing = photos.ReadingErrors(*(np.zeros(shape, np.float32) for shape in ((1, 39), (40, 198), (1, 198))))
    with patch.multiple(photos, PROPORTION_STD=0, SITE_STD=np.zeros(33, np.float32)):  # the free body as it is
        rows = photos.simulate_landmarks(some_poses(n, seed), nothing, rng)
    rows["landmarks_world"] = rows["landmarks_world"] * np.float32((1, 1, 0.5))
    rows["landmarks_world"][:, 15, 1] += 0.1
    rows["visibility"][:] = 0.9
    return rows


def test_landmarks_sit_on_the_skinned_body():
    """The shortcut without skinning agrees with smplx: joints exactly, surface landmarks within soft tissue's play."""
    rng = np.random.default_rng(0)
    rotations = roma.rotvec_to_rotmat(torch.from_numpy(some_poses(6)))
    betas = photos.random_shapes(rng, 6)
    points, joints = photos.true_landmarks(rotations, betas)
    body = embedded_body()
    np.testing.assert_allclose(joints, body.joints(rotations, betas), atol=2e-4)
    joint, vertex = photos.site_table()
    surface = body.vertices(rotations, betas)[:, vertex]
    on_skin = vertex >= 0
    assert np.linalg.norm(points - surface, axis=-1)[:, on_skin].max() < 0.03
    np.testing.assert_array_equal(points[:, ~on_skin], joints[:, joint[~on_skin]])


def test_the_command_shows_poses_of_its_split_only(tmp_path, monkeypatch):
    poses, seen = some_poses(4), {}
    poses[:, 0] = 0
    np.savez(tmp_path / "poses.npz", poses=poses, clip=np.array([6, 7, 16, 17]))

    def remembered(poses, out, n, seed, split, log):
        """As `render_dataset`."""
        seen[split] = poses

    monkeypatch.setattr(photos, "render_dataset", remembered)
    for split in ("train", "val"):
        photos.main(["--poses", str(tmp_path / "poses.npz"), "--out", "out", "--n", "2", "--split", split])
    np.testing.assert_allclose(seen["train"], poses[[0, 2]], atol=1e-5)
    np.testing.assert_allclose(seen["val"], poses[[1, 3]], atol=1e-5)


def test_landmarks_are_where_their_names_say():
    points, _ = photos.true_landmarks(torch.eye(3).repeat(1, 24, 1, 1), np.zeros((1, 10)))
    nose, eye, ear, mouth = points[0, 0], points[0, 2], points[0, 7], points[0, 9]
    assert nose[2] > eye[2] > ear[2] and eye[1] > nose[1] > mouth[1] and ear[0] > eye[0] > 0
    np.testing.assert_allclose(points[0, 8], ear * (-1, 1, 1), atol=0.005)
    wrist, pinky, index, thumb = points[0, 15], points[0, 17], points[0, 19], points[0, 21]
    assert pinky[0] > wrist[0] and index[2] > pinky[2] and thumb[2] > pinky[2] and thumb[0] < index[0]
    heel, toe, ankle = points[0, 29], points[0, 31], points[0, 27]
    assert heel[2] < ankle[2] < toe[2] and max(heel[1], toe[1]) < ankle[1]


def test_views_prefer_the_front():
    views = photos.random_views(np.random.default_rng(0), 4000)
    ahead = views[:, :, 2]  # where the person's +Z points in the camera frame
    yaw = torch.rad2deg(torch.atan2(ahead[:, 0], ahead[:, 2]))
    assert 0.65 < (yaw.abs() < 60).float().mean() < 0.75  # 55% and a third of the rest
    assert (yaw.abs() > 120).float().mean() > 0.1
    assert (views[:, 2, 1] > 0).float().mean() > 0.6, "the camera looks down on most people: their heads are nearer"


def test_cameras_frame_the_body():
    rng = np.random.default_rng(1)
    poses = some_poses(300)
    rotations = photos.turned(poses, photos.random_views(rng, 300))
    points, _ = photos.true_landmarks(rotations, photos.random_shapes(rng, 300))
    focal, translation, frame = photos.random_cameras(points, rng)
    inside = []
    for i in range(300):
        pixels = Camera(focal[i], translation[i]).project(points[i], *frame[i])
        inside.append(((pixels > -1) & (pixels < frame[i] + 1)).all(1).mean())
        assert 0.25 < (np.ptp(pixels, axis=0) / frame[i]).max() < 1.4
    assert np.mean(np.array(inside) == 1) > 0.85 and min(inside) > 0.3


def test_clothes_and_backgrounds_differ_by_split():
    rng = np.random.default_rng(0)
    for split in scenes.SPLITS:
        for _ in range(8):
            image = scenes.background(rng, 90, 70, split)
            assert image.size == (90, 70) and image.mode == "RGB"
    vertices = embedded_body().rest()[0]
    color = np.full((len(vertices), 3), 0.5, np.float32)
    skin = np.arange(len(vertices)) < 100
    for split in scenes.SPLITS:
        painted = scenes.dress(color, vertices, skin, rng, split)
        np.testing.assert_array_equal(painted[:100], color[:100])
        assert painted.min() >= 0 and painted.max() <= 1 and painted[100:].std() > 0


def test_simulation_learns_systematic_errors():
    """Depth was halved and one wrist lifted by 10 cm in what it learnt from: so they are in what it makes."""
    errors = photos.ReadingErrors.fit(fake_renders(600))
    rows = photos.simulate_landmarks(some_poses(400, seed=5), errors, np.random.default_rng(2))
    rotations = roma.rotvec_to_rotmat(torch.from_numpy(rows["axis_angle"]))
    points, joints = photos.true_landmarks(rotations, rows["betas"], rows["stretch"])
    np.testing.assert_allclose(joints, rows["joints"], atol=1e-4)
    true = points - points[:, 23:25].mean(1, keepdims=True)
    read = rows["landmarks_world"]
    for axis, slope in ((0, 1.0), (2, 0.5)):
        fitted = np.polyfit(true[:, 11:17, axis].ravel(), read[:, 11:17, axis].ravel(), 1)[0]
        assert fitted == pytest.approx(slope, abs=0.06)
    lift = (read - true)[:, [15, 16], 1].mean(0)
    assert lift.mean() == pytest.approx(0.05, abs=0.02)  # mirror images share it
    assert np.median(rows["visibility"]) == pytest.approx(0.9, abs=0.02)
    np.testing.assert_allclose(read[:, 23:25].mean(1), 0, atol=1e-5)


def test_simulated_pixels_are_the_camera_s():
    rows = fake_renders(20)
    points, _ = photos.true_landmarks(roma.rotvec_to_rotmat(torch.from_numpy(rows["axis_angle"])), rows["betas"])
    for i in range(20):
        pixels = Camera(rows["focal"][i], rows["translation"][i]).project(points[i], *rows["frame"][i])
        np.testing.assert_allclose(rows["landmarks_2d"][i], pixels, atol=0.05)


def test_proportions_stretch_bones_and_turn_none():
    rng = np.random.default_rng(4)
    rotations, betas = roma.rotvec_to_rotmat(torch.from_numpy(some_poses(5))), photos.random_shapes(rng, 5)
    stretch = photos.random_proportions(rng, 5)
    plain, stretched = (photos.true_landmarks(rotations, betas, s)[1] for s in (None, stretch))
    for parent, child in ((1, 4), (5, 8), (3, 6), (16, 18)):
        bone, longer = plain[:, child] - plain[:, parent], stretched[:, child] - stretched[:, parent]
        np.testing.assert_allclose(longer, stretch[:, child, None] * bone, atol=1e-5)
    np.testing.assert_array_equal(stretch[:, 4], stretch[:, 5])
    assert 0.02 < np.log(stretch[:, 4]).std() < 0.15 and (stretch[:, 15] == 1).all()


def test_stretched_renders_keep_their_reading_errors():
    rows = fake_renders(30)
    wrong = rows | {key: rows[key] + 0.3 for key in ("landmarks_2d", "landmarks_world")}
    a, b = (photos.stretch_renders(given, np.random.default_rng(5)) for given in (rows, wrong))
    for key in ("landmarks_2d", "landmarks_world"):
        np.testing.assert_allclose(b[key] - a[key], 0.3, atol=1e-3)
        assert np.abs(a[key] - rows[key]).max() > 0.02
    rotations = roma.rotvec_to_rotmat(torch.from_numpy(rows["axis_angle"]))
    stretch = photos.random_proportions(np.random.default_rng(5), 30)
    points, _ = photos.true_landmarks(rotations, rows["betas"], stretch)
    with patch.object(photos, "SITE_STD", np.zeros(33, np.float32)):
        exact = photos.stretch_renders(rows, np.random.default_rng(5))
    for i in range(30):  # readings in the picture were perfect, so they still are
        pixels = Camera(rows["focal"][i], rows["translation"][i]).project(points[i], *rows["frame"][i])
        np.testing.assert_allclose(exact["landmarks_2d"][i], pixels, atol=0.05)
    moved = (a["landmarks_world"] - exact["landmarks_world"]).std((0, 2))
    assert moved[29:].mean() > 1.7 * moved[11:17].mean() > 0.012, "shoes differ more than elbows"


def test_other_visibilities_stay_in_order():
    seen = np.repeat(np.float32([[0.02, 0.5, 0.98]]), 11, 1).repeat(400, 0)
    other = photos.other_visibility(seen, np.random.default_rng(6))
    assert other.min() > 0 and other.max() < 1 and other[:, :11].std() > 0.01
    np.testing.assert_allclose(np.median(other, 0).reshape(3, 11).mean(1), [0.02, 0.5, 0.98], atol=0.03)


def test_simulation_is_deterministic():
    errors = photos.ReadingErrors.fit(fake_renders(100))
    one, two = (photos.simulate_landmarks(some_poses(10), errors, np.random.default_rng(3)) for _ in range(2))
    assert all(np.array_equal(one[key], two[key]) for key in one)


def test_nothing_rendered_is_one_sentence(tmp_path):
    with pytest.raises(FileNotFoundError, match="python -m finetune.data.photos"):
        photos.load_renders(tmp_path)
    with pytest.raises(ValueError, match="split must be"):
        photos.render_dataset(some_poses(2), tmp_path, 2, split="test")


@needs_blazepose
def test_renders_are_resumable_and_true(tmp_path, monkeypatch):
    from posegen.render import RenderError

    try:
        monkeypatch.setattr(photos, "SHARD", 4)
        photos.render_dataset(some_poses(40), tmp_path, 8, seed=3, split="val", log=lambda text: None)
    except RenderError as error:
        pytest.skip(str(error))
    first = tmp_path / "00000.npz"
    rows, before = photos.load_renders(tmp_path), first.read_bytes()
    second = dict(np.load(tmp_path / "00001.npz"))
    (tmp_path / "00001.npz").unlink()
    photos.render_dataset(some_poses(40), tmp_path, 8, seed=3, split="val", log=lambda text: None)
    assert first.read_bytes() == before
    np.testing.assert_array_equal(dict(np.load(tmp_path / "00001.npz"))["axis_angle"], second["axis_angle"])

    assert len(rows["index"]) >= 6
    limbs = rows["joints"][:, list(LIMBS)]
    seen = rows["landmarks_world"][:, list(LIMB_LANDMARKS)]
    disparity = [procrustes(a, b)[2] for a, b in zip(limbs, seen, strict=True)]
    assert np.median(disparity) < 0.05, "BlazePose reads the pose that the truth says"
    for i in range(len(limbs)):
        pixels = Camera(rows["focal"][i], rows["translation"][i]).project(limbs[i], *rows["frame"][i])
        size = np.ptp(pixels, axis=0).max()
        assert np.linalg.norm(rows["landmarks_2d"][i, list(LIMB_LANDMARKS)] - pixels, axis=1).mean() < 0.2 * size
