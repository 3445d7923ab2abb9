"""The 24 SMPL joints: names, parents, mirror pairs, and forward kinematics of the rest skeleton.

Frames: Y up, +Z forward (where the person looks in the rest pose), +X to the person's left; metres and radians.
Rest joints are those of the embedded free body with neutral shape, so that every part of the
project measures poses on one and the same skeleton.
"""

from functools import cache
from pathlib import Path

import numpy as np
import roma
import torch

JOINTS = (
    "pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle",
    "right_ankle", "spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar", "head",
    "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
    "left_hand", "right_hand",
)  # fmt: skip
INDEX = {name: i for i, name in enumerate(JOINTS)}
PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21)
MIRROR = (0, 2, 1, 3, 5, 4, 6, 8, 7, 9, 11, 10, 12, 14, 13, 15, 17, 16, 19, 18, 21, 20, 23, 22)

#: Joints that carry motion in our data; feet (toes) and hands stay at rest.
MOVING = tuple(j for j in range(24) if j not in (10, 11, 22, 23))
#: The 12 limb joints on which photo error is measured (shoulders, elbows, wrists, hips, knees, ankles).
LIMBS = (16, 17, 18, 19, 20, 21, 1, 2, 4, 5, 7, 8)

BODY_FILE = Path(__file__).resolve().parent.parent / "assets" / "body" / "SMPL_NEUTRAL.npz"


@cache
def rest_joints() -> np.ndarray:
    """Rest joint positions of the embedded body, neutral shape, (24, 3) float32 in metres."""
    with np.load(BODY_FILE, allow_pickle=False) as body:
        return body["J"].astype(np.float32)


def forward_kinematics(rotations: torch.Tensor, rest: torch.Tensor | None = None):
    """Joint positions and global rotations of poses.

    Args:
        rotations: (..., 24, 3, 3) local rotation matrices.
        rest: (24, 3) rest joints; the embedded body's by default.
    Returns:
        positions (..., 24, 3) with the pelvis at the origin, global rotations (..., 24, 3, 3).
    """
    if rest is None:
        rest = torch.as_tensor(rest_joints(), dtype=rotations.dtype, device=rotations.device)
    positions = [torch.zeros_like(rotations[..., 0, :, 0])]
    globals_ = [rotations[..., 0, :, :]]
    for j in range(1, 24):
        p = PARENTS[j]
        positions.append(positions[p] + globals_[p] @ (rest[j] - rest[p]))
        globals_.append(globals_[p] @ rotations[..., j, :, :])
    return torch.stack(positions, -2), torch.stack(globals_, -3)


def local_rotations(globals_: torch.Tensor) -> torch.Tensor:
    """Local rotations (..., 24, 3, 3) from global ones (..., 24, 3, 3): the inverse of the chain above."""
    parents = globals_[..., list(PARENTS[1:]), :, :]
    return torch.cat([globals_[..., :1, :, :], parents.transpose(-1, -2) @ globals_[..., 1:, :, :]], -3)


def mirror(axis_angle: torch.Tensor) -> torch.Tensor:
    """The mirror image (left <-> right) of poses (..., 24, 3) in axis-angle."""
    flip = torch.tensor([1.0, -1.0, -1.0], dtype=axis_angle.dtype, device=axis_angle.device)
    return axis_angle[..., list(MIRROR), :] * flip


def remove_yaw(axis_angle: torch.Tensor) -> torch.Tensor:
    """Poses (..., 24, 3) turned about the vertical so that the person faces +Z.

    The twist of the root about Y is taken out (swing-twist), lean and roll stay.
    """
    q = roma.rotvec_to_unitquat(axis_angle[..., 0, :])  # (..., 4) xyzw
    twist = torch.zeros_like(q)
    twist[..., 1], twist[..., 3] = q[..., 1], q[..., 3]
    norm = twist.norm(dim=-1, keepdim=True)
    identity = torch.tensor([0.0, 0.0, 0.0, 1.0], dtype=q.dtype, device=q.device)
    twist = torch.where(norm > 1e-4, twist / norm.clamp_min(1e-6), identity)
    root = roma.unitquat_to_rotvec(roma.quat_product(roma.quat_conjugation(twist), q))
    return torch.cat([root[..., None, :], axis_angle[..., 1:, :]], -2)
