"""The body model, the reading of users' files, and what must be refused."""

import pickle
import sys
import types

import numpy as np
import pytest
import roma
import scipy.sparse
import torch

from posegen.body import BodyError, BodyModel, embedded_body, ground
from posegen.body_file import KEYS
from posegen.camera import Camera
from posegen.pose import Pose
from posegen.skeleton import BODY_FILE, PARENTS, forward_kinematics, rest_joints


@pytest.fixture(scope="module")
def arrays():
    with np.load(BODY_FILE, allow_pickle=False) as file:
        return {key: file[key] for key in KEYS}


@pytest.fixture(scope="module")
def rotations():
    return roma.rotvec_to_rotmat(torch.randn(3, 24, 3, generator=torch.Generator().manual_seed(0)) * 0.4)


@pytest.fixture(scope="module")
def small(arrays):
    """A body of 300 vertices with SMPL's keys, quick to write in any format."""
    count, rng = 300, np.random.default_rng(0)
    regressor = rng.random((24, count))
    return {
        "v_template": arrays["v_template"][:count].astype(float),
        "f": np.arange(count).reshape(-1, 3).astype(np.uint32),
        "J_regressor": regressor / regressor.sum(1, keepdims=True),
        "weights": np.eye(24)[np.arange(count) % 24],
        "kintree_table": arrays["kintree_table"],
        "shapedirs": rng.normal(0, 0.01, (count, 3, 300)),
        "posedirs": rng.normal(0, 0.01, (count, 3, 207)),
    }


def with_fingers(small, extra):
    """The small body as SMPL-H (extra=0) or SMPL-X (extra=3: jaw and eyes)."""
    joints, rng = 52 + extra, np.random.default_rng(1)
    parents = np.concatenate([small["kintree_table"][0][:22], [15] * extra])
    for wrist, start in ((20, 22 + extra), (21, 37 + extra)):
        parents = np.concatenate([parents, np.ravel([[wrist, start + 3 * i, start + 3 * i + 1] for i in range(5)])])
    regressor = rng.random((joints, 300))
    return small | {
        "J_regressor": regressor / regressor.sum(1, keepdims=True),
        "weights": np.eye(joints)[np.arange(300) % joints],
        "kintree_table": np.stack([parents, np.arange(joints)]),
        "posedirs": rng.normal(0, 0.01, (300, 3, 9 * (joints - 1))),
        "hands_meanl": rng.normal(0, 0.2, 45),
        "hands_meanr": rng.normal(0, 0.2, 45),
    }


def test_agrees_with_smplx(arrays, rotations):
    import smplx
    from smplx.utils import Struct

    fixed = {key: value.astype(np.float32) if key == "posedirs" else value for key, value in arrays.items()}
    reference = smplx.SMPL(model_path="", data_struct=Struct(**fixed))
    betas = torch.randn(3, 10, generator=torch.Generator().manual_seed(1))
    rotvec = roma.rotmat_to_rotvec(rotations)
    with torch.no_grad():
        out = reference(betas=betas, global_orient=rotvec[:, 0], body_pose=rotvec[:, 1:].reshape(3, 69))
    pelvis = out.joints[:, :1]
    body = embedded_body()
    np.testing.assert_allclose(body.vertices(rotations, betas), out.vertices - pelvis, atol=1e-5)
    np.testing.assert_allclose(body.joints(rotations, betas), (out.joints - pelvis)[:, :24], atol=1e-5)


def test_joints_are_the_skeletons(rotations):
    np.testing.assert_allclose(embedded_body().joints(rotations), forward_kinematics(rotations)[0], atol=1e-5)
    np.testing.assert_allclose(embedded_body().rest()[1], rest_joints() - rest_joints()[0], atol=1e-5)


def test_poses_bring_their_betas(rotations):
    body, tall = embedded_body(), np.eye(10, dtype=np.float32)[0] * 2
    poses = [Pose(rotations[0].numpy()), Pose(rotations[0].numpy(), betas=tall)]
    surfaces = body.vertices(poses)
    np.testing.assert_allclose(surfaces[1], body.vertices(rotations[:1], tall)[0], atol=1e-6)
    assert np.abs(surfaces[0] - surfaces[1]).max() > 0.02
    assert body.vertices([]).shape == (0, len(body.skin_weights), 3)


def test_many_poses_are_skinned_in_chunks(rotations):
    many = rotations[:1].repeat(70, 1, 1, 1)
    joints = embedded_body().joints(many)
    np.testing.assert_allclose(joints[69], joints[0], atol=1e-6)


def test_ground_puts_the_lowest_vertex_on_zero(rotations):
    vertices = embedded_body().vertices(rotations)
    np.testing.assert_allclose((vertices + ground(vertices)[:, None])[..., 1].min(1), 0, atol=1e-6)


def test_surface_is_closed_and_weights_sum_to_one():
    body = embedded_body()
    edges = np.sort(np.concatenate([body.faces[:, [0, 1]], body.faces[:, [1, 2]], body.faces[:, [2, 0]]]), 1)
    assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()
    np.testing.assert_allclose(body.skin_weights.sum(1), 1, atol=1e-6)
    assert body.parents == PARENTS
    volume = (
        np.einsum(
            "fi,fi->f", body.rest()[0][body.faces[:, 0]], np.cross(*(body.rest()[0][body.faces[:, i]] for i in (1, 2)))
        )
        / 6
    )
    assert 0.04 < volume.sum() < 0.09  # cubic metres, and positive: faces look outwards


@pytest.mark.parametrize("extra, name", [(0, "SMPL-H"), (3, "SMPL-X")])
def test_bodies_with_fingers(small, tmp_path, rotations, extra, name):
    data = with_fingers(small, extra)
    np.savez(tmp_path / "body.npz", **data, joint2num=np.array({"object": 1}))  # an unused object array is no obstacle
    body = BodyModel.load(tmp_path / "body.npz")
    assert body.name == name and body.skin_weights.shape == (300, 24)
    np.testing.assert_allclose(body.skin_weights.sum(1), 1, atol=1e-6)
    joints = body.joints(rotations)
    expected = forward_kinematics(rotations, torch.from_numpy(body.rest()[1]))[0]
    np.testing.assert_allclose(joints[:, :22], expected[:, :22], atol=1e-5)
    flat = BodyModel({key: value for key, value in data.items() if not key.startswith("hands")})
    assert np.abs(flat.vertices(rotations) - body.vertices(rotations)).max() > 1e-3  # the hands are relaxed


class FakeChumpy:
    """Pickles as chumpy.ch.Ch, as the official SMPL files hold it."""

    def __init__(self, x):
        self.x = x


def old_pickle(data, path, monkeypatch):
    """Write an SMPL .pkl as the official ones are: protocol 2, chumpy arrays, a scipy matrix."""
    module = types.ModuleType("chumpy.ch")
    module.Ch = type("Ch", (FakeChumpy,), {"__module__": "chumpy.ch"})
    monkeypatch.setitem(sys.modules, "chumpy", types.ModuleType("chumpy"))
    monkeypatch.setitem(sys.modules, "chumpy.ch", module)
    content = data | {
        "v_template": module.Ch(data["v_template"]),
        "J_regressor": scipy.sparse.csc_matrix(data["J_regressor"]),
        "bs_type": "lrotmin",
    }
    path.write_bytes(pickle.dumps(content, protocol=2))


def test_official_style_pickle_without_chumpy(small, tmp_path, rotations, monkeypatch):
    with monkeypatch.context() as patch:
        old_pickle(small, tmp_path / "SMPL_NEUTRAL.pkl", patch)
    body = BodyModel.load(tmp_path / "SMPL_NEUTRAL.pkl")
    np.testing.assert_allclose(body.vertices(rotations), BodyModel(small).vertices(rotations), atol=1e-6)


class Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_a_pickle_that_wants_to_run_code_is_refused(small, tmp_path):
    (tmp_path / "evil.pkl").write_bytes(pickle.dumps(small | {"v_template": Bomb(tmp_path / "ran")}))
    with pytest.raises(BodyError, match="asks for .*open"):
        BodyModel.load(tmp_path / "evil.pkl")
    assert not (tmp_path / "ran").exists()


def refused(path) -> str:
    with pytest.raises(BodyError) as caught:
        BodyModel.load(path)
    assert "\n" not in str(caught.value) and path.name in str(caught.value)
    return str(caught.value)


def test_wrong_files_get_one_sentence(small, tmp_path):
    def npz(name, **changes):
        np.savez(tmp_path / name, **{key: value for key, value in (small | changes).items() if value is not None})
        return refused(tmp_path / name)

    assert "folder" in refused(tmp_path)
    assert "no body file" in refused(tmp_path / "absent.npz")
    assert "lacks posedirs" in npz("a.npz", posedirs=None)
    assert "16 joints" in npz("mano.npz", J_regressor=small["J_regressor"][:16])
    assert "posedirs" in npz("b.npz", posedirs=small["posedirs"][:, :, :9])
    assert "do not fit" in npz("c.npz", f=small["f"] + 5)
    assert "NaN" in npz("d.npz", weights=small["weights"] * np.nan)
    assert "order" in npz("e.npz", kintree_table=small["kintree_table"][:, ::-1])
    assert "npz" in npz("f.npz", v_template=np.array({"an": "object"}))
    for name, content in (("g.npz", b"no zip"), ("g.pkl", b"\x80\x02no pickle"), ("h.pkl", pickle.dumps([1, 2]))):
        (tmp_path / name).write_bytes(content)
        assert "download it again" in refused(tmp_path / name) or "lacks" in refused(tmp_path / name)
    (tmp_path / "body.obj").write_text("v 0 0 0")
    assert "neither .npz nor .pkl" in refused(tmp_path / "body.obj")


def test_huge_file_is_refused_unread(tmp_path):
    with open(tmp_path / "huge.pkl", "wb") as file:
        file.truncate(2**30 + 1)  # sparse: takes no space
    assert "larger than 1 GiB" in refused(tmp_path / "huge.pkl")


def test_camera_projects_and_fits():
    camera = Camera(600, (0.3, -0.2, -4))
    np.testing.assert_allclose(camera.project(np.zeros(3), 400, 300), [200 + 45, 150 + 30])
    points = rest_joints()
    found = Camera.fit(points, camera.project(points, 400, 300), 400, 300, focal=600)
    np.testing.assert_allclose(found.translation, camera.translation, atol=1e-4)
    with pytest.raises(ValueError, match="focal"):
        Camera(0, (0, 0, -1))
