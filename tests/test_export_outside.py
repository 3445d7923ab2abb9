"""GLB and BVH before the judges that users have: Khronos' glTF validator and Blender; skipped where they are not."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from posegen.body import embedded_body, ground
from posegen.export import write_bvh, write_glb
from posegen.pose import Pose
from posegen.skeleton import INDEX, JOINTS

HERE = Path(__file__).resolve().parent
NODE_MODULES = HERE.parent / ".venv" / "node" / "node_modules"
Z_UP = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]])  # Blender's axes


def poses() -> dict[str, Pose]:
    rng = np.random.default_rng(7)
    drawn = Pose.from_axis_angle(rng.normal(0, 0.4, (24, 3)), betas=rng.normal(0, 1, 10))
    return {"standing": Pose.from_axis_angle(np.zeros((24, 3))), "drawn": drawn}


@pytest.mark.parametrize("name", ["standing", "drawn"])
def test_khronos_validator_finds_nothing(tmp_path, name):
    if not shutil.which("node") or not (NODE_MODULES / "gltf-validator").is_dir():
        pytest.skip("no glTF validator here: install node and npm, then `make test` fetches it")
    write_glb(poses()[name], embedded_body(), tmp_path / "pose.glb")
    issues, info = validate(tmp_path / "pose.glb")
    assert issues["messages"] == [] and issues["numErrors"] == issues["numWarnings"] == 0
    assert info["hasSkins"] and info["hasMorphTargets"] and info["totalVertexCount"] == 12004
    broken = bytearray((tmp_path / "pose.glb").read_bytes())
    broken[-6:] = b"\xff" * 6  # the last bind matrix is no matrix now
    (tmp_path / "broken.glb").write_bytes(broken)
    assert validate(tmp_path / "broken.glb")[0]["numErrors"] > 0


def validate(path):
    """Issues and info by the validator."""
    command = ["node", HERE / "gltf_validate.cjs", path]
    environment = {**os.environ, "NODE_PATH": str(NODE_MODULES)}
    report = json.loads(subprocess.run(command, capture_output=True, check=True, env=environment, timeout=60).stdout)
    return report["issues"], report["info"]


@pytest.fixture(scope="module")
def blender(tmp_path_factory):
    """The drawn pose, and what blender_check.py says of its GLB and BVH."""
    program = shutil.which("blender")
    if not program:
        pytest.skip("no Blender here: apt-get install blender python3-numpy")
    folder, pose = tmp_path_factory.mktemp("blender"), poses()["drawn"]
    write_glb(pose, embedded_body(), folder / "pose.glb")
    write_bvh([pose], embedded_body(), folder / "pose.bvh")
    check = ["-b", "--factory-startup", "--python-exit-code", "1", "-P", HERE / "blender_check.py", "--"]
    files = [folder / "pose.glb", folder / "pose.bvh", folder / "report.json"]
    done = subprocess.run([program, *check, *files], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return pose, json.loads((folder / "report.json").read_text())


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["glb", "bvh"])
def test_blender_has_the_posed_skeleton(blender, kind):
    pose, said = blender
    body = embedded_body()
    expected = (body.joints([pose])[0] + ground(body.vertices([pose])[0])) @ Z_UP.T
    assert set(said[kind]["heads"]) == set(JOINTS)
    np.testing.assert_allclose([said[kind]["heads"][name] for name in JOINTS], expected, atol=1e-4)


@pytest.mark.slow
def test_blender_shows_the_body_and_posing_a_bone_moves_it(blender):
    pose, said = blender
    body = embedded_body()
    vertices = body.vertices([pose])[0]
    before, after = np.array(said["glb"]["surface"]), np.array(said["glb"]["surface_after_turn"])
    error = np.linalg.norm(before - (vertices + ground(vertices)) @ Z_UP.T, axis=1)
    assert error.mean() < 5e-4 and error.max() < 0.02  # the file keeps the 4 strongest joints of a vertex
    assert said["glb"]["shape_keys"] == ["Basis", "pose_correctives"]
    moved = np.linalg.norm(after - before, axis=1)
    below = body.skin_weights[:, [INDEX[f"left_{part}"] for part in ("elbow", "wrist", "hand")]].sum(1)
    assert moved[below > 0.99].mean() > 0.1 and moved.max() > 0.3
    assert moved[below == 0].max() < 1e-5
