"""Pose: one body pose as SMPL parameters, and its npz file."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import roma
import torch

MAX_FILE_BYTES = 64 * 2**20
MAX_ARRAY_BYTES = 256 * 2**20  # unpacked: a small file may hold gigabytes of zeros


class PoseError(ValueError):
    """A pose or a pose file that cannot be used; the message says why and what to do."""


@dataclass
class Pose:
    """A body pose.

    Attributes:
        rotations: (24, 3, 3) float32 local rotation matrices in SMPL order, Y up, +Z forward.
        betas: (10,) float32 body shape, 0 = the average body.
        trans: (3,) float32 metres, added after posing (AMASS's meaning).
    """

    rotations: np.ndarray
    betas: np.ndarray = field(default_factory=lambda: np.zeros(10, np.float32))
    trans: np.ndarray = field(default_factory=lambda: np.zeros(3, np.float32))

    def __post_init__(self):
        self.rotations = np.asarray(self.rotations, np.float32)
        self.betas = np.asarray(self.betas, np.float32)
        self.trans = np.asarray(self.trans, np.float32)
        for name, shape in (("rotations", (24, 3, 3)), ("betas", (10,)), ("trans", (3,))):
            value = getattr(self, name)
            if value.shape != shape:
                raise PoseError(f"Pose.{name} must have shape {shape}, but it has {value.shape}.")
            if not np.isfinite(value).all():
                raise PoseError(f"Pose.{name} holds NaN or infinite numbers; fix the pose before using it.")

    @classmethod
    def from_axis_angle(cls, axis_angle, betas=None, trans=None) -> "Pose":
        """A Pose from (24, 3) or (72,) axis-angle in radians."""
        axis_angle = torch.as_tensor(np.asarray(axis_angle, np.float32))
        if axis_angle.numel() != 72:
            raise PoseError(f"A pose has 24 x 3 axis-angle numbers, but this one has {axis_angle.numel()}.")
        rotations = roma.rotvec_to_rotmat(axis_angle.reshape(24, 3)).numpy()
        return cls(rotations, *(np.zeros(n, np.float32) if v is None else v for v, n in ((betas, 10), (trans, 3))))

    @property
    def axis_angle(self) -> np.ndarray:
        """(24, 3) float32 axis-angle in radians."""
        return roma.rotmat_to_rotvec(torch.from_numpy(self.rotations)).numpy()

    def save(self, path) -> None:
        """Write an AMASS-style npz: poses (1, 72), betas (10,), trans (1, 3), mocap_framerate, gender."""
        np.savez_compressed(
            path, poses=self.axis_angle.reshape(1, 72), betas=self.betas, trans=self.trans[None],
            gender=np.array("neutral"), mocap_framerate=np.array(30.0),
        )  # fmt: skip

    @classmethod
    def load(cls, path, frame: int = 0) -> "Pose":
        """Read one frame of an AMASS-style npz (SMPL 72, SMPL-H 156 or SMPL-X 165 numbers a frame).

        Raises:
            PoseError: the file is too large, not an npz, needs unpickling, or lacks poses.
        """
        path = Path(path)
        if not path.is_file():
            raise PoseError(f"There is no pose file {path.name}; check the path.")
        if path.stat().st_size > MAX_FILE_BYTES:
            raise PoseError(f"{path.name} is larger than {MAX_FILE_BYTES >> 20} MiB; cut it to fewer frames.")
        try:
            with np.load(path, allow_pickle=False) as data:
                largest = max(member.file_size for member in data.zip.infolist())
                if largest > MAX_ARRAY_BYTES:
                    raise PoseError(
                        f"{path.name} unpacks to {largest >> 20} MiB, more than {MAX_ARRAY_BYTES >> 20}; "
                        "cut it to fewer frames."
                    )
                poses = np.asarray(data["poses"], np.float32)
                betas = np.zeros(10, np.float32)
                if "betas" in data:
                    given = np.asarray(data["betas"], np.float32).reshape(-1)[:10]
                    betas[: len(given)] = given
                trans = np.asarray(data["trans"], np.float32).reshape(-1, 3) if "trans" in data else np.zeros((1, 3))
                poses = poses.reshape(1, -1) if poses.ndim == 1 else poses.reshape(len(poses), -1)
                trans = trans[min(frame, len(trans) - 1)]
        except PoseError:
            raise
        except Exception as error:
            raise PoseError(
                f"{path.name} is not an AMASS-style npz with a 'poses' array of numbers ({type(error).__name__}); "
                "export it with keys poses, betas, trans."
            ) from None
        if poses.shape[1] < 66 or not 0 <= frame < len(poses):
            raise PoseError(
                f"{path.name} has {len(poses)} frames of {poses.shape[1]} numbers; "
                f"frame {frame} with at least 66 is needed."
            )
        body = np.zeros(72, np.float32)
        keep = 72 if poses.shape[1] == 72 else 66  # SMPL-H/-X go on with fingers, jaw and eyes after 22 joints
        body[:keep] = poses[frame, :keep]
        return cls.from_axis_angle(body, betas, trans)
