"""The field's data: tiny files in the real layouts, metrics against references that are not ours."""

import json
import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial import procrustes
from scipy.spatial.transform import Rotation
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.retrieval import RetrievalRecall

from finetune import field
from finetune.comparison import frechet, recall_hits
from finetune.config import ConfigError
from finetune.matcher import recall
from finetune.photo_evaluation import pa_errors
from posegen.body import embedded_body
from posegen.pose import Pose

PHOTO = Path(__file__).parent.parent / "assets" / "examples" / "lunge.jpg"
NUM_TOLD = 33
rng = np.random.default_rng(0)


def write_3dpw(folder):
    """Two frames of one actor; the second's camera is not valid."""
    (folder / "sequenceFiles/test").mkdir(parents=True)
    (folder / "imageFiles/walk_00").mkdir(parents=True)
    shutil.copy(PHOTO, folder / "imageFiles/walk_00/image_00000.jpg")
    from PIL import Image

    width, height = Image.open(PHOTO).size
    joints = rng.normal(size=(2, 24, 3))
    camera = np.tile(np.eye(4), (2, 1, 1))
    camera[:, :3, :3] = Rotation.from_euler("x", 180, degrees=True).as_matrix()
    x, y = np.linspace(0.1, 0.9, 18) * width, np.linspace(0.05, 0.95, 18) * height
    data = {
        "sequence": "walk_00", "poses": [np.zeros((2, 72))], "betas": [np.zeros(10)], "genders": ["m"],
        "jointPositions": [joints.reshape(2, 72)], "cam_poses": camera, "campose_valid": [np.array([1, 0])],
        "poses2d": [np.tile(np.stack([x, y, np.ones(18)]), (2, 1, 1))], "trans": [np.zeros((2, 3))],
    }  # fmt: skip
    (folder / "sequenceFiles/test/walk_00.pkl").write_bytes(pickle.dumps(data, 2))
    return joints


def write_h36m(folder):
    (folder / "images").mkdir(parents=True)
    shutil.copy(PHOTO, folder / "images/S9_Posing.60457274_000001.jpg")
    s = np.concatenate([rng.normal(size=(1, 24, 3)), np.ones((1, 24, 1))], 2)
    names = np.array(["images/S9_Posing.60457274_000001.jpg"])
    centre, scale = np.array([[240.0, 320.0]]), np.array([3.0])
    np.savez(folder / "h36m_valid_protocol2.npz", imgname=names, center=centre, scale=scale, S=s)
    return s


def write_posescript(folder, amass):
    folder.mkdir()
    (amass / "CMU/01").mkdir(parents=True)
    poses = np.zeros((NUM_TOLD, 156))
    poses[:, 0] = np.pi / 2  # upright where Z is up
    poses[:, 3 * 18 + 1] = np.linspace(0, -2, NUM_TOLD)
    np.savez(amass / "CMU/01/01_01_poses.npz", poses=poses, trans=np.zeros((NUM_TOLD, 3)), mocap_framerate=120.0)
    ids = [str(i) for i in range(NUM_TOLD)]
    places = {i: ["AMASS", "CMU/01/01_01_poses.npz", int(i)] for i in ids}
    told = {i: [f"The left elbow is bent, pose {i}.", "another"] for i in ids}
    names = ("posescript_human_6293", "posescript_auto_100k", "ids_2_dataset_sequence_and_frame_index_100k")
    for name, value in zip((*names, "test_ids_100k"), (told, told, places, [*map(int, ids)]), strict=True):
        (folder / f"{name}.json").write_text(json.dumps(value))


def test_loads_3dpw(tmp_path):
    joints = write_3dpw(tmp_path)
    (person,) = field.load_3dpw(tmp_path)
    # the camera's half turn about x and ours undo each other
    np.testing.assert_allclose(person.joints, joints[0, field.OWN] - joints[0, 0], atol=1e-9)
    assert person.image.is_file() and (person.box[2:] > person.box[:2]).all()


def test_loads_h36m(tmp_path):
    s = write_h36m(tmp_path)
    (person,) = field.load_h36m(tmp_path)
    np.testing.assert_allclose(person.joints[13], (s[0, 18, :3] - s[0, 14, :3]) * [1, -1, -1])
    np.testing.assert_allclose(person.box, [-60, 20, 540, 620])


def test_loads_posescript(tmp_path):
    write_posescript(tmp_path / "ps", tmp_path / "amass")
    told = field.load_posescript(tmp_path / "ps", tmp_path / "amass")
    assert len(told) == NUM_TOLD and told[3].text == "The left elbow is bent, pose 3."
    np.testing.assert_allclose(told[3].rotations[0], np.eye(3), atol=1e-5)  # Z up became Y up
    expected = Rotation.from_rotvec([0, -6 / 32, 0]).as_matrix()
    np.testing.assert_allclose(told[3].rotations[18], expected, atol=1e-5)


class Malice:
    def __reduce__(self):
        return os.mkdir, ("/tmp/field_malice",)


def test_malicious_pickle_is_refused(tmp_path):
    write_3dpw(tmp_path)
    (tmp_path / "sequenceFiles/test/walk_00.pkl").write_bytes(pickle.dumps({"sequence": Malice()}, 2))
    with pytest.raises(ConfigError, match="asks to run code"):
        field.load_3dpw(tmp_path)
    assert not Path("/tmp/field_malice").exists()


def test_wrong_folders_are_named(tmp_path):
    with pytest.raises(ConfigError, match="there must be .pkl files in .*sequenceFiles/test"):
        field.load_3dpw(tmp_path)
    with pytest.raises(ConfigError, match="There is no .*h36m_valid_protocol2.npz"):
        field.load_h36m(tmp_path)
    with pytest.raises(ConfigError, match="PoseScript lacks posescript_human"):
        field.load_posescript(tmp_path, tmp_path)
    write_posescript(tmp_path / "ps", tmp_path / "amass")
    with pytest.raises(ConfigError, match="There is no .*01_01_poses.npz; AMASS"):
        field.load_posescript(tmp_path / "ps", tmp_path)
    with pytest.raises(ConfigError, match="together"):
        field.FieldConfig(posescript="x")


@pytest.mark.parametrize("swap", [False, True])
def test_regressor_takes_either_order_of_the_legs(tmp_path, swap):
    body = embedded_body()
    vertices, joints = body.rest()
    matrix = np.zeros((17, len(vertices)))
    wanted = dict(zip(field.LEFT_FIRST, field.OWN, strict=True)) | {0: 0, 7: 3, 9: 15}
    for row, joint in wanted.items():
        matrix[row, np.linalg.norm(vertices - joints[joint], axis=1).argmin()] = 1
    if swap:
        matrix[1:7] = matrix[[4, 5, 6, 1, 2, 3]]
    np.save(tmp_path / "J.npy", matrix)
    for kind in ("NEUTRAL", "MALE", "FEMALE"):
        shutil.copy("assets/body/SMPL_NEUTRAL.npz", tmp_path / f"SMPL_{kind}.npz")
    found = field.regressors(tmp_path / "J.npy", tmp_path)(np.zeros((1, 72)), np.zeros(10, np.float32), "m")[0]
    assert found[0, 0] < 0 < found[5, 0] and found[6, 0] < 0 < found[11, 0]  # right ankle, left ankle; wrists
    assert found[0, 1] < found[1, 1] < found[2, 1]


def test_pa_mpjpe_is_scipys():
    a, b = rng.normal(size=(2, 20, 14, 3))
    ours = pa_errors(a, b)
    for x, y, error in zip(a, b, ours, strict=True):
        reference, moved, _ = procrustes(y, x)  # reflections allowed
        x0, y0 = x - x.mean(0), y - y.mean(0)
        turn, _ = Rotation.align_vectors(y0, x0)
        turned = turn.apply(x0)
        scale = (turned * y0).sum() / (x0**2).sum()
        assert abs(np.linalg.norm(scale * turned - y0, axis=1).mean() - error) < 1e-5
    x = rng.normal(size=(14, 3))
    y = 1.7 * Rotation.random(random_state=0).apply(x) + [1, 2, 3] + 0.01 * rng.normal(size=(14, 3))
    reference, moved, _ = procrustes(y, x)
    theirs = np.linalg.norm(reference - moved, axis=1).mean() * np.linalg.norm(y - y.mean(0))
    assert abs(theirs - pa_errors(x[None], y[None])[0]) < 1e-5


def test_mpjpe_by_hand():
    a, b = np.zeros((1, 14, 3)), np.zeros((1, 14, 3))
    b[0, 0] = [0.3, 0, 0.4]
    assert np.isclose(field.mpjpe(a, b)[0], 0.5 / 14)


def test_frechet_distance_is_that_of_torchmetrics():
    class Same(torch.nn.Module):
        """Embeddings in place of Inception's."""

        num_features = 8

        def forward(self, x):
            return x

    a, b = rng.normal(size=(300, 8)), rng.normal(size=(200, 8)) @ rng.normal(size=(8, 8)) + 0.3
    theirs = FrechetInceptionDistance(feature=Same()).set_dtype(torch.float64)
    theirs.update(torch.from_numpy(a), real=False)
    theirs.update(torch.from_numpy(b), real=True)
    assert np.isclose(frechet(a, b, np.ones((1, 300), int))[0], theirs.compute().item(), rtol=1e-6)


@pytest.mark.parametrize("k", field.KS)
def test_recall_is_that_of_torchmetrics(k):
    """In the full set, by the matcher's and the evaluation's function; and the mean over random pools of 32."""
    texts, poses = (torch.nn.functional.normalize(torch.randn(60, 8), dim=1) for _ in range(2))
    cosine = texts @ poses.T

    def theirs(rows):
        own = torch.eye(len(rows), dtype=torch.bool).flatten()
        query = torch.arange(len(rows)).repeat_interleave(len(rows))
        return 100 * RetrievalRecall(top_k=k)(cosine[rows][:, rows].flatten(), own, query).item()

    assert recall(texts, poses, k)["text_to_pose"] == round(theirs(torch.arange(60)), 1)
    if k == 20:  # recall_hits has 1, 5 and 10
        return
    hits = recall_hits(texts, poses)
    assert np.isclose(hits[f"full_set/text_to_pose/R@{k}"].mean(), theirs(torch.arange(60)))
    pools = [theirs(torch.randperm(60)[:32]) for _ in range(300)]
    assert abs(hits[f"random_pools_of_32/text_to_pose/R@{k}"].mean() - np.mean(pools)) < 4 * np.std(pools) / 300**0.5


def test_command(tmp_path, policy, monkeypatch):
    """All three sets through the shipped policy; the table has theirs beside ours."""
    write_3dpw(tmp_path / "pw")
    write_h36m(tmp_path / "h36m")
    write_posescript(tmp_path / "ps", tmp_path / "amass")
    monkeypatch.setattr(field.PosePolicy, "from_pretrained", lambda path: policy)
    folders = {"threedpw": "pw", "h36m": "h36m", "posescript": "ps", "amass": "amass"}
    paths = {key: str(tmp_path / name) for key, name in folders.items()}
    report = field.run(field.FieldConfig(report=str(tmp_path / "r.json"), **paths))
    assert report["photos"]["3DPW"]["people"] == 1 and report["photos"]["3DPW"]["not_found"] == 0
    assert np.isfinite([report["photos"]["Human3.6M"][k] for k in ("mpjpe", "pa_mpjpe")]).all()
    assert set(report["words"]["PoseScript-H2"]) >= {"full_set", "random_pools_of_32", "fid"}
    table = (tmp_path / "r.md").read_text()
    assert "85.9 / 51.6" in table and "theirs, reported" in table and "no regressor" in table
    assert "random pools of 32" in table and json.loads((tmp_path / "r.json").read_text())


def test_who_is_not_found_gets_the_rest_pose(tmp_path, policy):
    from PIL import Image

    Image.new("RGB", (300, 300)).save(tmp_path / "black.jpg")
    rest = policy.body.joints([Pose.from_axis_angle(np.zeros(72))])[0][field.OWN]
    person = field.FieldPerson(tmp_path / "black.jpg", np.array([50.0, 50, 250, 250]), rest)
    figures = field.photo_figures(policy, [person])
    assert figures["not_found"] == 1 and figures["mpjpe"] == 0
