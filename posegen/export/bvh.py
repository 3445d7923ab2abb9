"""BVH: the skeleton in motion, for Blender, Maya, MotionBuilder and game engines.

The 24 SMPL joints with the body's own bone lengths. The rest pose (all rotations zero) is SMPL's and the GLB's. Lengths
are in centimetres, as in nearly every BVH there is: Blender's importer wants a scale of 0.01 to get metres.
"""

import numpy as np
import roma
import torch

from ..body import BodyModel, ground
from ..pose import Pose
from ..skeleton import JOINTS, PARENTS

UNITS = 100.0  # a metre in centimetres
ORDER = "ZXY"  # of the rotations, outermost first
TIP = 0.5  # a last joint's bone goes on for this share of the bone before it


def write_bvh(poses: list[Pose], body: BodyModel, path, fps: float = 30.0) -> None:
    """Write poses of one body as the frames of a BVH.

    In the first frame the body stands on y = 0 at the origin, as in the GLB; later ones move by their `trans`. Bone
    lengths are those of the first pose's betas.
    """
    joints = body.rest(poses[0].betas)[1]
    lift = ground(body.vertices(poses[:1]))[0]
    lines = [
        "HIERARCHY",
        *_joint(0, joints * UNITS, ""),
        "MOTION",
        f"Frames: {len(poses)}",
        f"Frame Time: {1 / fps:.6f}",
    ]
    order = _written_order()
    for pose in poses:
        place = (lift + pose.trans - poses[0].trans) * UNITS
        lines.append(_numbers([*place, *_angles(pose.rotations[order]).ravel()]))
    with open(path, "w", encoding="ascii", newline="\n") as file:
        file.write("\n".join(lines) + "\n")


def _joint(j: int, joints: np.ndarray, indent: str) -> list[str]:
    """The lines of joint j and all below it."""
    offset = joints[j] - joints[PARENTS[j]] if j else np.zeros(3)
    turns = " ".join(f"{axis}rotation" for axis in ORDER)
    channels = f"3 {turns}" if j else f"6 Xposition Yposition Zposition {turns}"
    inner = indent + "\t"
    lines = [f"{indent}{'JOINT' if j else 'ROOT'} {JOINTS[j]}", indent + "{"]
    lines += [f"{inner}OFFSET {_numbers(offset)}", f"{inner}CHANNELS {channels}"]
    for child in _children(j):
        lines += _joint(child, joints, inner)
    if not _children(j):
        lines += [f"{inner}End Site", inner + "{", f"{inner}\tOFFSET {_numbers(TIP * offset)}", inner + "}"]
    return [*lines, indent + "}"]


def _children(j: int) -> list[int]:
    return [child for child in range(24) if PARENTS[child] == j]


def _written_order(j: int = 0) -> list[int]:
    """Joints in the order of the hierarchy, in which a frame lists its numbers."""
    return [j, *(below for child in _children(j) for below in _written_order(child))]


def _angles(rotations: np.ndarray) -> np.ndarray:
    """Degrees (N, 3) about the axes of ORDER for rotations (N, 3, 3)."""
    return roma.rotmat_to_euler(ORDER, torch.from_numpy(rotations).double(), degrees=True).numpy()


def _numbers(values) -> str:
    return " ".join(f"{value:.6f}" for value in values)
