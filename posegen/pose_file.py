"""Reading a pose from a file: npz (pose.py), or a BVH whose joints bear SMPL's names, as export/bvh.py writes it."""

import re
from pathlib import Path

import numpy as np
import roma
import torch

from posegen.pose import Pose, PoseError
from posegen.skeleton import INDEX

MAX_BYTES = 16 * 2**20
AXES = {"Xrotation": "X", "Yrotation": "Y", "Zrotation": "Z"}


def load_pose(path, frame: int = 0) -> Pose:
    """One frame of an npz or a BVH; PoseError if it is neither."""
    suffix = Path(path).suffix.lower()
    if suffix not in (".npz", ".bvh"):
        raise PoseError(f"{Path(path).name} is neither an npz nor a BVH; give one of these.")
    return load_bvh(path, frame) if suffix == ".bvh" else Pose.load(path, frame)


def load_bvh(path, frame: int = 0) -> Pose:
    """One frame of a BVH; bone lengths are ignored, joints it lacks stay at rest.

    Raises:
        PoseError: the file is too large, no BVH, of another skeleton, or lacks the frame.
    """
    path = Path(path)
    if not path.is_file():
        raise PoseError(f"There is no pose file {path.name}; check the path.")
    if path.stat().st_size > MAX_BYTES:
        raise PoseError(f"{path.name} is larger than {MAX_BYTES >> 20} MiB; cut it to fewer frames.")
    head, _, motion = path.read_text(encoding="utf-8", errors="replace").partition("MOTION")
    joints = re.findall(r"(?:ROOT|JOINT)\s+(\S+).*?CHANNELS\s+\d+\s+([A-Za-z \t]+)", head, re.S)
    unknown = [name for name, _ in joints if name not in INDEX]
    if not motion or len(joints) < 20 or unknown:
        wrong = f"the joint {unknown[0][:40]}" if unknown else f"{len(joints)} joints"
        raise PoseError(
            f"{path.name} is no BVH of the SMPL skeleton (it has {wrong}); "
            "use one with SMPL's joint names, such as this page's own, or an npz."
        )
    return _pose(path.name, [(name, channels.split()) for name, channels in joints], motion, frame)


def _pose(file: str, joints, motion: str, frame: int) -> Pose:
    lines = motion.split("Frame Time:")[-1].strip().splitlines()[1:]
    count = sum(len(channels) for _, channels in joints)
    try:
        numbers = [float(v) for v in lines[frame].split()]
        if len(numbers) != count:
            raise ValueError
    except (IndexError, ValueError):
        raise PoseError(f"Frame {frame} of {file} does not hold {count} numbers; export the BVH again.") from None
    if not np.isfinite(numbers).all():
        raise PoseError(f"{file} holds NaN or infinite numbers; fix the pose before using it.")
    rotations = np.tile(np.eye(3, dtype=np.float32), (24, 1, 1))
    at = 0
    for name, channels in joints:
        turns = [(AXES[c], value) for c, value in zip(channels, numbers[at:], strict=False) if c in AXES]
        at += len(channels)
        if turns:
            order, angles = "".join(axis for axis, _ in turns), torch.tensor([value for _, value in turns])
            rotations[INDEX[name]] = roma.euler_to_rotmat(order, angles, degrees=True).numpy()
    return Pose(rotations)
