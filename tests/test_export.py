"""The GLB, read back: its own skinning must give the body that we render."""

import json
import struct

import numpy as np
import pytest
import trimesh
from scipy.spatial.transform import Rotation

from posegen.body import embedded_body, ground
from posegen.export import write_glb
from posegen.pose import Pose
from posegen.skeleton import JOINTS

COMPONENTS = {5126: np.float32, 5123: np.uint16, 5121: np.uint8, 5125: np.uint32}
SIZES = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}


@pytest.fixture(scope="module")
def pose():
    rng = np.random.default_rng(3)
    return Pose.from_axis_angle(rng.normal(0, 0.35, (24, 3)), betas=rng.normal(0, 1, 10))


@pytest.fixture(scope="module")
def glb(pose, tmp_path_factory):
    path = tmp_path_factory.mktemp("glb") / "pose.glb"
    write_glb(pose, embedded_body(), path)
    return path


def parse(path):
    data = path.read_bytes()
    magic, version, length = struct.unpack_from("<4sII", data)
    assert (magic, version, length) == (b"glTF", 2, len(data))
    size, kind = struct.unpack_from("<I4s", data, 12)
    assert kind == b"JSON"
    document = json.loads(data[20 : 20 + size])
    binary = data[28 + size :]
    assert data[24 + size : 28 + size] == b"BIN\0" and len(binary) == document["buffers"][0]["byteLength"]

    def read(index):
        accessor = document["accessors"][index]
        view = document["bufferViews"][accessor["bufferView"]]
        raw = binary[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]
        values = np.frombuffer(raw, COMPONENTS[accessor["componentType"]])
        return values.reshape(accessor["count"], SIZES[accessor["type"]])

    return document, read


def skinned(document, read):
    """Vertices as a viewer shows them: morph target, then linear blend skinning by the nodes."""
    primitive = document["meshes"][0]["primitives"][0]
    attributes = {name: read(index) for name, index in primitive["attributes"].items()}
    morphed = attributes["POSITION"] + document["meshes"][0]["weights"][0] * read(primitive["targets"][0]["POSITION"])
    nodes, skin = document["nodes"], document["skins"][0]
    world = {}

    def walk(index, parent):
        local = np.eye(4)
        local[:3, :3] = Rotation.from_quat(nodes[index]["rotation"]).as_matrix()
        local[:3, 3] = nodes[index]["translation"]
        world[index] = parent @ local
        for child in nodes[index].get("children", []):
            walk(child, world[index])

    walk(skin["skeleton"], np.eye(4))
    binds = read(skin["inverseBindMatrices"]).reshape(-1, 4, 4).transpose(0, 2, 1)
    matrices = np.stack([world[joint] for joint in skin["joints"]]) @ binds
    points = np.concatenate([morphed, np.ones((len(morphed), 1))], 1)
    moved = np.einsum("vkij,vj->vki", matrices[attributes["JOINTS_0"]], points)
    return np.einsum("vk,vki->vi", attributes["WEIGHTS_0"], moved)[:, :3]


def test_own_skinning_gives_the_rendered_body(glb, pose):
    body = embedded_body()
    expected = body.vertices([pose])[0]
    expected = expected + ground(expected)
    error = np.linalg.norm(skinned(*parse(glb)) - expected, axis=1)
    exact = (body.skin_weights > 0).sum(1) <= 4  # elsewhere the file keeps the 4 strongest joints only
    assert error[exact].max() < 1e-4
    assert error.mean() < 5e-4 and error.max() < 0.02


def test_accessors_stay_in_their_ranges(glb):
    document, read = parse(glb)
    for index, accessor in enumerate(document["accessors"]):
        values = read(index)
        assert np.isfinite(values.astype(float)).all()
        if "min" in accessor:
            np.testing.assert_allclose(values.min(0), accessor["min"], rtol=1e-6)
            np.testing.assert_allclose(values.max(0), accessor["max"], rtol=1e-6)
        assert document["bufferViews"][accessor["bufferView"]]["byteOffset"] % 4 == 0
    attributes = document["meshes"][0]["primitives"][0]["attributes"]
    count = document["accessors"][attributes["POSITION"]]["count"]
    assert {document["accessors"][index]["count"] for index in attributes.values()} == {count}
    assert read(document["meshes"][0]["primitives"][0]["indices"]).max() == count - 1
    assert read(attributes["JOINTS_0"]).max() < 24
    np.testing.assert_allclose(read(attributes["WEIGHTS_0"]).sum(1), 1, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(read(attributes["NORMAL"]), axis=1), 1, atol=1e-4)


def test_skeleton_has_the_24_named_joints(glb):
    document, _ = parse(glb)
    assert [document["nodes"][joint]["name"] for joint in document["skins"][0]["joints"]] == list(JOINTS)


def test_trimesh_reads_the_rest_pose(glb, pose):
    mesh = trimesh.load(glb, force="mesh", process=False)
    body = embedded_body()
    assert len(mesh.faces) == len(body.faces)
    np.testing.assert_allclose(mesh.bounds[1] - mesh.bounds[0], np.ptp(body.rest(pose.betas)[0], axis=0), atol=1e-4)


def test_a_wrong_rotation_would_be_seen(glb, pose):
    document, read = parse(glb)
    document["nodes"][1 + JOINTS.index("left_knee")]["rotation"] = [0, 0, 0, 1]
    expected = embedded_body().vertices([pose])[0]
    assert np.abs(skinned(document, read) - (expected + ground(expected))).max() > 0.02
