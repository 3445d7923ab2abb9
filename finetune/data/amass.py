"""AMASS-style npz motion files: SMPL (72 numbers a frame), SMPL-H (156) or SMPL-X (165)."""

from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from finetune.data.motion import MocapError, Motion, ground, matrices
from posegen.skeleton import rest_joints

BODY_JOINTS = {72: 24, 156: 22, 165: 22}  # after 22 joints SMPL-H has fingers, SMPL-X jaw, eyes and fingers
DEFAULT_FPS = 30.0
Z_UP_TO_Y_UP = Rotation.from_euler("x", -90, degrees=True)


def load(path) -> Motion:
    """Read an AMASS-style npz. AMASS's world has Z up, our own files Y up: see `_z_up`.

    Raises:
        MocapError: no npz, needs unpickling, lacks poses, or holds NaN.
    """
    path = Path(path)
    try:
        with np.load(path, allow_pickle=False) as data:
            poses = np.asarray(data["poses"], np.float64)
            trans = np.asarray(data["trans"], np.float64) if "trans" in data else np.zeros((len(poses), 3))
            rate = next((data[k] for k in ("mocap_framerate", "mocap_frame_rate") if k in data), DEFAULT_FPS)
            fps = float(np.asarray(rate).reshape(-1)[0])
    except Exception as error:  # numpy and zipfile raise many kinds for a broken npz
        raise MocapError(
            f"{path.name} is not an AMASS-style npz with poses and trans ({type(error).__name__}); fetch it again."
        ) from None
    width = poses[0].size if poses.ndim > 1 and len(poses) else 0
    if width not in BODY_JOINTS or trans.shape != (len(poses), 3):
        raise MocapError(
            f"{path.name} has poses {poses.shape} and trans {trans.shape}; it needs (T, 72 | 156 | 165) and (T, 3)."
        )
    body = np.zeros((len(poses), 24, 3))
    joints = BODY_JOINTS[width]
    body[:, :joints] = poses.reshape(len(poses), -1)[:, : joints * 3].reshape(-1, joints, 3)
    if not (np.isfinite(body).all() and np.isfinite(trans).all()):
        raise MocapError(f"{path.name} holds NaN or infinite numbers; fetch it again.")
    root = trans + rest_joints()[0]
    if _z_up(body[:, 0], width):
        body[:, 0] = (Z_UP_TO_Y_UP * Rotation.from_rotvec(body[:, 0])).as_rotvec()
        root = Z_UP_TO_Y_UP.apply(root)
    return Motion(body, ground(body, root), fps, path.stem)


def _z_up(root: np.ndarray, width: int) -> bool:
    """Whether the world of root rotations (T, 3) has Z up.

    A body is upright more often than not, so the axis that its spine keeps to is up. A clip of lying only does not
    tell: then SMPL-H and SMPL-X files are taken for AMASS's (Z), SMPL files for ours (Y).
    """
    _, y, z = np.abs(matrices(root)[:, :, 1].mean(0))
    if max(y, z) > 0.7:
        return z > y
    return width != 72
