"""GLB: a posed, skinned and re-poseable body in one file, for Blender, game engines and web viewers."""

import json
import struct

import numpy as np
import roma
import torch

from ..body import BodyModel, ground
from ..pose import Pose
from ..render import BODY_COLOR
from ..skeleton import JOINTS, PARENTS

FLOAT, USHORT, UBYTE, UINT = 5126, 5123, 5121, 5125  # glTF component types
VERTEX_DATA, INDEX_DATA = 34962, 34963  # glTF buffer view targets
INFLUENCES = 4  # joints a vertex may follow: what every viewer supports


def write_glb(pose: Pose, body: BodyModel, path) -> None:
    """Write one pose of a body as GLB.

    The mesh is the rest pose with the pose's shape (betas) baked in; 24 joint nodes with SMPL's names carry the
    pose as rotations, so the body opens posed and can be posed anew. It stands on y = 0. SMPL's pose-dependent
    correctives hold for this one pose: they are a morph target at weight 1, to be faded out when the body is
    posed anew. Each vertex keeps its 4 strongest joints, which moves single vertices by some millimetres.
    """
    vertices, joints = body.rest(pose.betas)
    correctives = body.correctives(pose)
    strongest, weights = _strongest(body.skin_weights)
    binds = np.tile(np.eye(4, dtype=np.float32), (24, 1, 1))
    binds[:, :3, 3] = -joints

    buffer = _Buffer()
    attributes = {
        "POSITION": buffer.add(vertices, "VEC3", VERTEX_DATA, bounds=True),
        "NORMAL": buffer.add(_normals(vertices, body.faces), "VEC3", VERTEX_DATA),
        "JOINTS_0": buffer.add(strongest.astype(np.uint8), "VEC4", VERTEX_DATA),
        "WEIGHTS_0": buffer.add(weights, "VEC4", VERTEX_DATA),
    }
    index_type = np.uint16 if len(vertices) < 2**16 else np.uint32
    primitive = {
        "attributes": attributes,
        "indices": buffer.add(body.faces.astype(index_type).ravel(), "SCALAR", INDEX_DATA),
        "targets": [{"POSITION": buffer.add(correctives, "VEC3", VERTEX_DATA, bounds=True)}],
        "material": 0,
    }
    lift = ground(body.vertices([pose]))[0]
    document = {
        "asset": {"version": "2.0", "generator": "posegen"},
        "scene": 0,
        "scenes": [{"nodes": [0, 1]}],
        "nodes": [{"name": "body", "mesh": 0, "skin": 0}, *_joint_nodes(pose, joints, lift)],
        "skins": [
            {
                "joints": list(range(1, 25)),
                "skeleton": 1,
                "inverseBindMatrices": buffer.add(binds.transpose(0, 2, 1), "MAT4"),  # column-major
            }
        ],
        "meshes": [
            {
                "name": "body",
                "primitives": [primitive],
                "weights": [1.0],
                "extras": {"targetNames": ["pose_correctives"]},
            }
        ],
        "materials": [
            {
                "name": "skin",
                "pbrMetallicRoughness": {
                    "baseColorFactor": [channel**2.2 for channel in BODY_COLOR] + [1.0],  # glTF wants it linear
                    "metallicFactor": 0.0,
                    "roughnessFactor": 0.7,
                },
            }
        ],
        "accessors": buffer.accessors,
        "bufferViews": buffer.views,
        "buffers": [{"byteLength": len(buffer.data)}],
    }
    _write(path, document, bytes(buffer.data))


class _Buffer:
    """The binary chunk while it grows, with its views and accessors."""

    def __init__(self):
        self.data, self.views, self.accessors = bytearray(), [], []

    def add(self, array: np.ndarray, kind: str, target: int | None = None, bounds=False) -> int:
        """Append an array (rows of one glTF type) and return its accessor's index."""
        types = {"float32": FLOAT, "uint16": USHORT, "uint8": UBYTE, "uint32": UINT}
        content = np.ascontiguousarray(array).tobytes()
        view = {"buffer": 0, "byteOffset": len(self.data), "byteLength": len(content)}
        self.views.append(view | ({"target": target} if target else {}))
        accessor = {
            "bufferView": len(self.views) - 1,
            "componentType": types[array.dtype.name],
            "count": len(array),
            "type": kind,
        }
        if bounds:
            accessor |= {"min": array.min(0).tolist(), "max": array.max(0).tolist()}
        self.accessors.append(accessor)
        self.data += content + bytes(-len(content) % 4)
        return len(self.accessors) - 1


def _joint_nodes(pose: Pose, joints: np.ndarray, lift: np.ndarray) -> list[dict]:
    """24 nodes, numbered from 1 in SMPL's order."""
    quaternions = roma.rotmat_to_unitquat(torch.from_numpy(pose.rotations)).numpy()  # xyzw, as in glTF
    nodes = []
    for j, name in enumerate(JOINTS):
        offset = lift if j == 0 else joints[j] - joints[PARENTS[j]]
        node = {"name": name, "translation": offset.tolist(), "rotation": quaternions[j].tolist()}
        children = [child + 1 for child in range(24) if PARENTS[child] == j]
        nodes.append(node | ({"children": children} if children else {}))
    return nodes


def _strongest(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The strongest joints of each vertex (V, 4) and their weights (V, 4), made to sum to 1; unused ones are 0."""
    order = np.argsort(-weights, axis=1)[:, :INFLUENCES]
    kept = np.take_along_axis(weights, order, 1)
    kept = kept / kept.sum(1, keepdims=True)
    return np.where(kept > 0, order, 0), kept.astype(np.float32)


def _normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    import trimesh

    normals = trimesh.Trimesh(vertices, faces, process=False).vertex_normals
    return np.asarray(normals, np.float32)


def _write(path, document: dict, binary: bytes) -> None:
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    with open(path, "wb") as file:
        file.write(struct.pack("<4sII", b"glTF", 2, 12 + 8 + len(text) + 8 + len(binary)))
        file.write(struct.pack("<I4s", len(text), b"JSON") + text)
        file.write(struct.pack("<I4s", len(binary), b"BIN\0") + binary)
