"""People of random shape in SMPL's T-pose, from anny's MakeHuman body.

Bones are rotated one by one to where SMPL's rest pose has them: straight horizontal arms with the palms down,
legs nearly vertical. Axes: Y up, +Z forward (anny has Z up, -Y forward).
"""

from dataclasses import dataclass

import anny
import numpy as np
import torch
import trimesh
from scipy.spatial.transform import Rotation

THIGH, SHIN = np.array([0.03, -1, 0.0]), np.array([-0.02, -1, -0.04])  # directions of the left leg in SMPL's rest pose
EYE_VERTICES = 72  # of one eyeball in anny's own topology
AVERAGE = {"gender": 0.5, "age": 0.67, "muscle": 0.5, "weight": 0.5, "height": 0.5, "proportions": 0.5}


@dataclass
class Person:
    """One shape in the T-pose: vertices (V, 3), bone heads (B, 3) and SMPL joints (24, 3)."""

    vertices: np.ndarray
    heads: np.ndarray
    joints: np.ndarray


class Makehuman:
    """anny's body with eyeballs appended.

    Attributes:
        bones: name -> index of the MakeHuman bones.
        weights: (V, B) skin weights; faces: (F, 3) of body and eyeballs; skin_count: vertices before the eyeballs.
    """

    def __init__(self):
        options = {"rig": "makehuman", "phenotypes": "default", "skinning_method": "lbs"}
        self.model = anny.Anny(topology="notoes", **options)
        self.with_eyes = anny.Anny(topology="anny", **options)
        self.names = list(self.model.bone_labels)
        self.parents = [int(parent) for parent in self.model.bone_parents]
        self.bones = {name: i for i, name in enumerate(self.names)}
        self.skin_count = self.model.template_vertices.shape[0]
        self._eyes, eye_faces = self._find_eyeballs()
        self.faces = self.model.faces.numpy().astype(np.int64)
        self.eye_faces = eye_faces + self.skin_count
        self.weights = self._weights()

    def _find_eyeballs(self):
        faces = self.with_eyes.faces.numpy()
        mesh = trimesh.Trimesh(self.with_eyes.template_vertices.numpy(), faces, process=False)
        pieces = trimesh.graph.connected_component_labels(mesh.face_adjacency, node_count=len(faces))
        vertices, renumbered = [], []
        for piece in np.unique(pieces):
            used = np.unique(faces[pieces == piece])
            if len(used) == EYE_VERTICES:
                renumbered.append(np.searchsorted(used, faces[pieces == piece]) + EYE_VERTICES * len(vertices))
                vertices.append(used)
        assert len(vertices) == 2, "anny's topology has changed: two eyeballs expected"
        return np.concatenate(vertices), np.concatenate(renumbered)

    def _weights(self) -> np.ndarray:
        weights = np.zeros((self.skin_count + len(self._eyes), len(self.names)))
        rows = np.arange(self.skin_count)[:, None]
        np.add.at(weights, (rows, self.model.vertex_bone_indices.numpy()), self.model.vertex_bone_weights.numpy())
        weights[: self.skin_count] /= weights[: self.skin_count].sum(1, keepdims=True)
        weights[self.skin_count :, self.bones["head"]] = 1
        return weights

    def people(self, phenotypes: dict[str, torch.Tensor]) -> list[Person]:
        """Every person of a batch of phenotypes, in the T-pose."""
        with torch.no_grad():
            coefficients = self.model.get_phenotype_blendshape_coefficients(**phenotypes)
            rest = self.model.get_rest_model(coefficients)
            coefficients = self.with_eyes.get_phenotype_blendshape_coefficients(**phenotypes)
            eyes = self.with_eyes.get_rest_vertices(coefficients)[:, self._eyes]
        vertices = np.concatenate([_y_up(rest["rest_vertices"]), _y_up(eyes)], 1)
        return [self._in_t_pose(v, heads) for v, heads in zip(vertices, _y_up(rest["rest_bone_heads"]), strict=True)]

    def average(self) -> Person:
        return self.people({key: torch.full((1,), value, dtype=torch.float64) for key, value in AVERAGE.items()})[0]

    def _in_t_pose(self, vertices, heads) -> Person:
        rotations = self._t_pose_rotations(heads)
        moved = np.zeros_like(heads)
        for i, parent in enumerate(self.parents):
            moved[i] = heads[i] if parent < 0 else moved[parent] + rotations[parent] @ (heads[i] - heads[parent])
        shifts = moved - np.einsum("bij,bj->bi", rotations, heads)
        turned = np.einsum("vb,bij,vj->vi", self.weights, rotations, vertices, optimize=True)
        return Person(turned + self.weights @ shifts, moved, self._smpl_joints(moved))

    def _t_pose_rotations(self, heads) -> np.ndarray:
        """Global rotation of each bone (B, 3, 3) from MakeHuman's A-pose to SMPL's T-pose."""
        rotations = np.tile(np.eye(3), (len(self.names), 1, 1))
        for side, sign in (("L", 1.0), ("R", -1.0)):
            for bone, rotation in self._arm(heads, side, sign).items():
                rotations[self.bones[f"{bone}.{side}"]] = rotation
            hand = rotations[self.bones[f"wrist.{side}"]]
            for name, i in self.bones.items():
                if name.endswith("." + side) and name.startswith(("finger", "metacarpal")):
                    rotations[i] = hand
            mirrored = np.array([sign, 1, 1])
            knee, hip, foot = (heads[self.bones[f"{b}.{side}"]] for b in ("lowerleg01", "upperleg01", "foot"))
            for part in ("01", "02"):
                rotations[self.bones[f"upperleg{part}.{side}"]] = _shortest(knee - hip, THIGH * mirrored)
                rotations[self.bones[f"lowerleg{part}.{side}"]] = _shortest(foot - knee, SHIN * mirrored)
        return rotations

    def _arm(self, heads, side, sign) -> dict[str, np.ndarray]:
        def head(name):
            return heads[self.bones[f"{name}.{side}"]]

        outward, up = np.array([sign, 0, 0]), np.array([0, 1.0, 0])
        upper, fore = head("lowerarm01") - head("upperarm01"), head("wrist") - head("lowerarm01")
        hinge = np.cross(fore, upper) * sign
        upper_arm = _align(upper, hinge, outward, up)
        if (upper_arm @ fore)[2] < 0:  # the forearm must bend forward
            upper_arm = _align(upper, -hinge, outward, up)
        forearm = _shortest(upper_arm @ fore, outward) @ upper_arm
        fingers, across = head("finger3-1") - head("wrist"), head("finger5-1") - head("finger2-1")
        hand = _align(fingers, across, outward, np.array([0, 0, -1.0]))  # palm down, thumb forward
        straight = _shortest(forearm @ fingers, outward) @ forearm
        twist = Rotation.from_matrix(hand @ straight.T).as_rotvec()[0]  # left over, spread over the forearm
        return {
            "clavicle": _part_of(upper_arm, 0.06),
            "shoulder01": _part_of(upper_arm, 0.30),
            "upperarm01": upper_arm,
            "upperarm02": upper_arm,
            "lowerarm01": Rotation.from_rotvec([twist * 0.35, 0, 0]).as_matrix() @ forearm,
            "lowerarm02": Rotation.from_rotvec([twist * 0.8, 0, 0]).as_matrix() @ forearm,
            "wrist": hand,
        }

    def _smpl_joints(self, heads) -> np.ndarray:
        """SMPL's 24 joints (24, 3) from MakeHuman's bone heads in the T-pose."""

        def head(name):
            return heads[self.bones[name]]

        joints = np.zeros((24, 3))
        joints[3], joints[12], joints[15] = head("spine03"), head("neck01"), head("neck03")
        joints[6] = 0.8 * head("spine02") + 0.2 * head("spine01")
        joints[9] = 0.2 * head("spine02") + 0.8 * head("spine01")
        for k, side in enumerate("LR"):
            joints[1 + k] = head(f"upperleg01.{side}") * [0.85, 1, 1]
            joints[4 + k], joints[7 + k] = head(f"lowerleg01.{side}"), head(f"foot.{side}")
            joints[10 + k] = 0.5 * (head(f"toe1-1.{side}") + head(f"toe4-1.{side}"))
            joints[13 + k] = 0.6 * head(f"clavicle.{side}") + 0.4 * head(f"shoulder01.{side}")
            joints[16 + k], joints[18 + k] = head(f"upperarm01.{side}"), head(f"lowerarm01.{side}")
            joints[20 + k], joints[22 + k] = head(f"wrist.{side}"), head(f"finger3-1.{side}")
        joints[0] = (joints[1] + joints[2]) / 2 + [0, 0.085, 0.012]
        joints[[0, 3, 6, 9, 12, 15], 0] = 0
        return joints

    def smpl_weights(self) -> np.ndarray:
        """Skin weights (V, 24) for SMPL's joints."""
        weights = self.weights @ np.stack([_shares(name) for name in self.names])
        weights[weights < 1e-3] = 0
        return weights / weights.sum(1, keepdims=True)


def random_phenotypes(count: int, rng: np.random.Generator) -> dict[str, torch.Tensor]:
    """Adults: mostly clearly men or women, average in the rest."""

    def around(mean, deviation):
        return torch.as_tensor(np.clip(rng.normal(mean, deviation, count), 0, 1))

    woman = rng.random(count) < 0.5
    gender = torch.as_tensor(np.where(woman, rng.beta(1.2, 5, count), 1 - rng.beta(1.2, 5, count)))
    return {
        "gender": gender,
        "age": torch.as_tensor(rng.uniform(0.6, 0.85, count)),
        "muscle": around(0.5, 0.2),
        "weight": around(0.5, 0.22),
        "height": around(0.5, 0.075),
        "proportions": around(0.6, 0.2),
    }


def _shares(name: str) -> np.ndarray:
    """How a MakeHuman bone's skin weight is shared among SMPL's joints, (24,)."""
    side = 1 if name.endswith(".R") else 0
    bone = name.removesuffix(".L").removesuffix(".R")
    exact = {
        "root": {0: 1}, "pelvis": {0: 1}, "spine05": {0: 1}, "spine04": {0: 0.5, 3: 0.5}, "spine03": {3: 1},
        "spine02": {6: 1}, "spine01": {9: 1}, "breast": {9: 0.7, 6: 0.3}, "clavicle": {13 + side: 0.7, 9: 0.3},
        "shoulder01": {13 + side: 0.65, 16 + side: 0.35}, "wrist": {20 + side: 1}, "neck01": {12: 1},
        "neck02": {12: 1}, "foot": {7 + side: 1}, "finger1-1": {20 + side: 0.6, 22 + side: 0.4},
    }  # fmt: skip
    by_start = {
        "upperarm": 16 + side, "lowerarm": 18 + side, "metacarpal": 20 + side, "finger": 22 + side,
        "upperleg": 1 + side, "lowerleg": 4 + side, "toe": 10 + side,
    }  # fmt: skip
    shares = exact.get(bone) or next(({j: 1} for start, j in by_start.items() if bone.startswith(start)), {15: 1})
    row = np.zeros(24)
    row[list(shares)] = list(shares.values())
    return row


def _y_up(array) -> np.ndarray:
    array = array.detach().numpy()
    return np.stack([array[..., 0], array[..., 2], -array[..., 1]], -1)


def _frame(first, second):
    first = first / np.linalg.norm(first)
    second = second - first * (first @ second)
    second /= np.linalg.norm(second)
    return np.stack([first, second, np.cross(first, second)])


def _align(first, second, to_first, to_second):
    """Rotation that takes one direction exactly, and a second one as far as it can, to new ones."""
    return _frame(to_first, to_second).T @ _frame(first, second)


def _part_of(rotation, share):
    return Rotation.from_rotvec(Rotation.from_matrix(rotation).as_rotvec() * share).as_matrix()


def _shortest(start, end):
    """The smallest rotation from one direction to another."""
    axis = np.cross(start, end)
    sine, cosine = np.linalg.norm(axis), start @ end
    return np.eye(3) if sine < 1e-12 else Rotation.from_rotvec(axis / sine * np.arctan2(sine, cosine)).as_matrix()
