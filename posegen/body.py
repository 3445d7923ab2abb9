"""BodyModel: poses to surfaces, with the embedded free body or the user's own SMPL, SMPL-H or SMPL-X file.

The skinning is smplx's; all three kinds of body are driven by SMPL's 24 joints.
"""

from functools import cache, cached_property
from pathlib import Path

import numpy as np
import roma
import torch

from .body_file import JOINT_COUNTS, BodyError, read_body
from .pose import Pose
from .skeleton import BODY_FILE, PARENTS

__all__ = ["BodyError", "BodyModel", "embedded_body", "ground"]

CHUNK = 64  # poses skinned at once: about 200 MiB with the embedded body
#: The joint that stands for SMPL's left and right "hand" (the middle knuckle).
HANDS = {"SMPL": (22, 23), "SMPL-H": (25, 40), "SMPL-X": (28, 43)}


class BodyModel:
    """An SMPL-family body, driven and seen through SMPL's 24 joints.

    Positions are in metres, Y up, +Z forward, relative to the pelvis (as `skeleton.forward_kinematics` gives
    them); a pose's `trans` is left to the caller. Fingers and face of SMPL-H and SMPL-X stay at rest.

    Attributes:
        name: "SMPL", "SMPL-H" or "SMPL-X".
        faces: (F, 3) int64 vertex indices, counter-clockwise seen from outside.
        skin_weights: (V, 24) float32, rows sum to 1; fingers count for the hands, jaw and eyes for the head.
        parents: the 24 parent indices, -1 for the pelvis.
    """

    parents = PARENTS

    def __init__(self, data: dict[str, np.ndarray]):
        """A model of the arrays that `body_file.read_body` gives."""
        joints = len(data["J_regressor"])
        self.name = JOINT_COUNTS[joints]
        self.faces = data["f"].astype(np.int64)
        weights = data["weights"].astype(np.float32)
        weights /= weights.sum(1, keepdims=True)
        self.skin_weights = _fold(weights)
        shapedirs = np.zeros((len(weights), 3, 10), np.float32)
        shapedirs[..., : data["shapedirs"].shape[-1]] = data["shapedirs"][..., :10]

        self._template, self._regressor = _tensor(data["v_template"]), _tensor(data["J_regressor"])
        self._weights, self._shapedirs = _tensor(weights), _tensor(shapedirs)
        self._posedirs = _tensor(data["posedirs"].reshape(-1, 9 * (joints - 1)).T)
        self._parents = torch.from_numpy(data["kintree_table"][0].astype(np.int64))
        self._parents[0] = -1
        self._kept = [*range(22), *HANDS[self.name]]
        self._driven = 24 if joints == 24 else 22  # wrists of SMPL-H and -X go on with fingers
        rest = torch.zeros(joints, 3)
        if "hands_meanl" in data and "hands_meanr" in data and joints > 24:
            rest[-30:] = _tensor(np.concatenate([data[k].reshape(15, 3) for k in ("hands_meanl", "hands_meanr")]))
        self._at_rest = roma.rotvec_to_rotmat(rest)

    @classmethod
    def load(cls, path=None) -> "BodyModel":
        """The embedded body, or an SMPL, SMPL-H or SMPL-X neutral file (.npz or .pkl).

        Raises:
            BodyError: the file is missing, a folder, too large, damaged, of another kind, or asks to run code.
        """
        return cls(read_body(Path(path or BODY_FILE)))

    def vertices(self, poses, betas=None) -> np.ndarray:
        """Surfaces (N, V, 3) float32.

        Args:
            poses: a list of Pose (which bring their own betas), or local rotations (N, 24, 3, 3).
            betas: (N, 10) or (10,) body shapes for rotations; the average body by default.
        """
        return self._skin(poses, betas)[0]

    def joints(self, poses, betas=None) -> np.ndarray:
        """Positions (N, 24, 3) float32 of SMPL's 24 joints; arguments as for `vertices`."""
        return self._skin(poses, betas)[1]

    def rest(self, betas=None) -> tuple[np.ndarray, np.ndarray]:
        """Vertices (V, 3) and joints (24, 3) float32 of the rest pose for one body shape (10,)."""
        vertices, joints = self._skin(np.tile(np.eye(3, dtype=np.float32), (1, 24, 1, 1)), betas)
        return vertices[0], joints[0]

    def correctives(self, pose: Pose) -> np.ndarray:
        """Offsets (V, 3) float32 that SMPL adds to the rest surface for a pose, before skinning."""
        bend = _tensor(pose.rotations[1 : self._driven] - np.eye(3)).reshape(-1)
        return (bend @ self._posedirs[: len(bend)]).reshape(-1, 3).numpy()

    @cached_property
    def part(self) -> np.ndarray:
        """(V,) int64: the joint that each vertex follows most."""
        return self.skin_weights.argmax(1)

    @torch.no_grad()
    def _skin(self, poses, betas) -> tuple[np.ndarray, np.ndarray]:
        from smplx.lbs import lbs

        if len(poses) and isinstance(poses[0], Pose):
            poses, betas = np.stack([p.rotations for p in poses]), np.stack([p.betas for p in poses])
        rotations = torch.as_tensor(poses).float().reshape(-1, 24, 3, 3)
        betas = (torch.zeros(10) if betas is None else torch.as_tensor(betas).float()).expand(len(rotations), 10)
        vertices = np.empty((len(rotations), len(self._template), 3), np.float32)
        joints = np.empty((len(rotations), 24, 3), np.float32)
        for start in range(0, len(rotations), CHUNK):
            chunk = slice(start, start + CHUNK)
            local = self._at_rest.repeat(len(rotations[chunk]), 1, 1, 1)
            local[:, : self._driven] = rotations[chunk, : self._driven]
            surface, moved = lbs(
                betas[chunk], local, self._template, self._shapedirs, self._posedirs, self._regressor,
                self._parents, self._weights, pose2rot=False,
            )  # fmt: skip
            vertices[chunk] = surface - moved[:, :1]
            joints[chunk] = (moved - moved[:, :1])[:, self._kept]
        return vertices, joints


@cache
def embedded_body() -> BodyModel:
    """The free body of assets/body, loaded once."""
    return BodyModel.load()


def ground(vertices: np.ndarray) -> np.ndarray:
    """Offsets (..., 3) that put the lowest vertex of surfaces (..., V, 3) on y = 0."""
    offsets = np.zeros((*vertices.shape[:-2], 3), np.float32)
    offsets[..., 1] = -vertices[..., 1].min(-1)
    return offsets


def _tensor(array) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, np.float32))


def _fold(weights: np.ndarray) -> np.ndarray:
    """Skin weights (V, 24) of bodies with fingers and a face."""
    if weights.shape[1] == 24:
        return weights
    folded = np.zeros((len(weights), 24), np.float32)
    folded[:, :22] = weights[:, :22]
    folded[:, 15] += weights[:, 22:-30].sum(1)
    folded[:, 22], folded[:, 23] = weights[:, -30:-15].sum(1), weights[:, -15:].sum(1)
    return folded
