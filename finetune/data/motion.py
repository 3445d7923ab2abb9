"""A motion on the SMPL skeleton, and how any captured skeleton becomes one.

A source joint's global rotation is measured from the source's own rest pose. SMPL joint j then turns by
    Q_j(t) = G_source(t) @ A_j
where A_j, constant, takes a direction of SMPL's rest pose to the same anatomical direction of the source's rest pose.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from posegen.skeleton import INDEX, JOINTS, PARENTS, forward_kinematics, local_rotations, rest_joints

#: Which child a limb bone points to, by SMPL joint.
BONE_END = {"hip": "knee", "knee": "ankle", "shoulder": "elbow", "elbow": "wrist", "wrist": "hand"}
#: Farther than this from its parent (degrees) a joint is a marker fault, and goes back to neutral.
FAULT_DEGREES = {("head", "neck"): 75, ("left_ankle", "left_knee"): 80, ("right_ankle", "right_knee"): 80}
WRIST_FAULT_DEGREES = 120
#: Metres from a joint to the skin below it, by joint; 0.1 for the rest of the body.
FLESH = {"foot": 0.03, "ankle": 0.08, "knee": 0.06, "hand": 0.02, "wrist": 0.03, "elbow": 0.04, "shoulder": 0.06}


class MocapError(ValueError):
    """A motion file that cannot be used; the message says why and what to do."""


@dataclass
class Motion:
    """A motion on the SMPL skeleton.

    Attributes:
        poses: (T, 24, 3) float32 axis-angle, radians, Y up.
        root: (T, 3) float32 pelvis position in metres; y counts from the floor, scaled to the embedded body's legs.
        fps: frames a second.
        name: the file's stem.
        licence: what the source says of its use, empty where it says nothing.
    """

    poses: np.ndarray
    root: np.ndarray
    fps: float
    name: str
    licence: str = ""

    def __post_init__(self):
        self.poses, self.root = np.asarray(self.poses, np.float32), np.asarray(self.root, np.float32)
        if not (np.isfinite(self.poses).all() and np.isfinite(self.root).all()):
            raise MocapError(f"{self.name} holds NaN or infinite numbers; export the clip again.")
        if not 0 < self.fps < 10_000:
            raise MocapError(f"{self.name} has {self.fps} frames a second; correct its frame time.")


@dataclass(frozen=True)
class Rig:
    """How one family of captured skeletons maps to SMPL.

    Attributes:
        drivers: SMPL joint -> the source joint whose global rotation it follows.
        bones: SMPL limb joint -> (start, end), the source joints between which its bone runs.
        blends: SMPL joint -> (a, b, weight), a rotation between those of SMPL joints a and b.
        stance: degrees by which the source's legs stand outward in its rest pose.
        calibration: SMPL joint -> rotation vector (degrees) of A_j, for rigs whose rest pose is no T-pose.
    """

    name: str
    drivers: dict
    bones: dict
    blends: dict
    stance: float = 0.0
    calibration: dict = field(default_factory=dict)

    def missing(self, joints) -> list[str]:
        """The source joints this rig needs and `joints` lacks, sorted."""
        return sorted({*self.drivers.values(), *(end for bone in self.bones.values() for end in bone)} - set(joints))


@dataclass
class Recording:
    """What a motion file says, by its own skeleton, lengths in metres.

    Attributes:
        joints: J source joint names.
        rotations: (T, J, 3, 3) global rotations, identity in the rest pose.
        positions: (T, J, 3) global positions.
        rest: (J, 3) positions in the rest pose.
    """

    name: str
    joints: list
    rotations: np.ndarray
    positions: np.ndarray
    rest: np.ndarray
    fps: float

    def index(self, joint: str) -> int:
        return self.joints.index(joint)


def both_sides(rows: dict, left: str, right: str) -> dict:
    """Rows for left and right from rows of one side: keys get left_/right_, "*" in names becomes `left` or `right`."""

    def fill(names, mark):
        return names.replace("*", mark) if isinstance(names, str) else tuple(n.replace("*", mark) for n in names)

    return {f"{side}_{k}": fill(v, mark) for side, mark in (("left", left), ("right", right)) for k, v in rows.items()}


def retarget(recording: Recording, rig: Rig) -> Motion:
    """The recording on the SMPL skeleton: limb bones point as the source's own do, the root stands on the floor."""
    missing = rig.missing(recording.joints)
    if missing:
        raise MocapError(
            f"{recording.name} is not a {rig.name} skeleton, it lacks {', '.join(missing)}; rename its joints to match."
        )
    globals_ = np.empty((len(recording.rotations), 24, 3, 3))
    for name, driver in rig.drivers.items():
        globals_[:, INDEX[name]] = recording.rotations[:, recording.index(driver)] @ rest_offset(recording, rig, name)
    for name, (a, b, weight) in rig.blends.items():
        globals_[:, INDEX[name]] = _between(globals_[:, INDEX[a]], globals_[:, INDEX[b]], weight)
    for side in ("left", "right"):
        _share_twist(globals_, INDEX[f"{side}_elbow"], INDEX[f"{side}_wrist"])
    for (joint, parent), limit in FAULT_DEGREES.items():
        _reset_faults(globals_, INDEX[joint], INDEX[parent], limit)
    for side in ("left", "right"):  # toes and fingers stay at rest
        globals_[:, INDEX[f"{side}_foot"]] = globals_[:, INDEX[f"{side}_ankle"]]
        globals_[:, INDEX[f"{side}_hand"]] = globals_[:, INDEX[f"{side}_wrist"]]
    poses = axis_angle(local_rotations(torch.from_numpy(globals_)).numpy())
    return Motion(poses, ground(poses, _pelvis(recording, rig, globals_)), recording.fps, recording.name)


def rest_offset(recording: Recording, rig: Rig, name: str) -> np.ndarray:
    """A_j (3, 3) of SMPL joint `name`, see the top of this file."""
    side, _, part = name.partition("_")
    offset = np.eye(3)
    if rig.stance and part in ("hip", "knee", "ankle"):
        offset = Rotation.from_euler("z", rig.stance if side == "left" else -rig.stance, degrees=True).as_matrix()
    if name in rig.calibration:
        offset = Rotation.from_rotvec(rig.calibration[name], degrees=True).as_matrix()
    if name not in rig.bones:
        return offset
    start, end = (recording.rest[recording.index(joint)] for joint in rig.bones[name])
    return _smallest_turn(offset @ bone_direction(name), end - start) @ offset


def bone_direction(name: str) -> np.ndarray:
    """Unit direction (3,) of SMPL limb joint `name`'s bone in the rest pose."""
    side, _, part = name.partition("_")
    rest = rest_joints().astype(np.float64)
    bone = rest[INDEX[f"{side}_{BONE_END[part]}"]] - rest[INDEX[name]]
    return bone / np.linalg.norm(bone)


def axis_angle(rotations: np.ndarray) -> np.ndarray:
    """(..., 3, 3) rotation matrices -> (..., 3) float32 rotation vectors."""
    shape = rotations.shape[:-2]
    return Rotation.from_matrix(rotations.reshape(-1, 3, 3)).as_rotvec().reshape(*shape, 3).astype(np.float32)


def matrices(poses: np.ndarray) -> np.ndarray:
    """(..., 3) rotation vectors -> (..., 3, 3) float64 rotation matrices."""
    return Rotation.from_rotvec(np.asarray(poses, np.float64).reshape(-1, 3)).as_matrix().reshape(*poses.shape, 3)


def ground(poses: np.ndarray, root: np.ndarray) -> np.ndarray:
    """Root positions (T, 3) moved so that the floor is at y = 0.

    The floor is the height that the body's lowest point goes below in 5% of the frames, which forgives jitter.
    """
    flesh = np.array([FLESH.get(name.rpartition("_")[2], 0.1) for name in JOINTS])
    positions, _ = forward_kinematics(torch.from_numpy(matrices(poses)))
    lowest = (positions.numpy()[..., 1] + root[:, 1:2] - flesh).min(1)
    return root - [0.0, np.percentile(lowest, 5), 0.0]


def _pelvis(recording: Recording, rig: Rig, globals_: np.ndarray) -> np.ndarray:
    """SMPL pelvis positions (T, 3) that put the middle of the hips where the source's is, in SMPL's leg lengths."""

    def at(joint, end):
        return recording.positions[:, recording.index(rig.bones[joint][end])]

    hip, knee, ankle = at("left_hip", 0), at("left_hip", 1), at("left_knee", 1)
    source_leg = np.median(np.linalg.norm(knee - hip, axis=1)) + np.median(np.linalg.norm(ankle - knee, axis=1))
    rest = rest_joints().astype(np.float64)
    bones = [rest[INDEX[j]] - rest[PARENTS[INDEX[j]]] for j in ("left_knee", "left_ankle")]
    scale = sum(np.linalg.norm(bone) for bone in bones) / max(source_leg, 1e-6)
    middle = (rest[INDEX["left_hip"]] + rest[INDEX["right_hip"]]) / 2 - rest[0]
    return (hip + at("right_hip", 0)) / 2 * scale - globals_[:, 0] @ middle


def _smallest_turn(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The smallest rotation (3, 3) that takes direction a to direction b."""
    axis = np.cross(a, b)
    length = np.linalg.norm(axis)
    if length < 1e-12:
        return np.eye(3)
    return Rotation.from_rotvec(axis / length * np.arctan2(length, a @ b)).as_matrix()


def _between(a: np.ndarray, b: np.ndarray, weight: float) -> np.ndarray:
    """The rotations (T, 3, 3) `weight` of the way from a to b."""
    return a @ Rotation.from_rotvec(weight * Rotation.from_matrix(a.swapaxes(-1, -2) @ b).as_rotvec()).as_matrix()


def _share_twist(globals_: np.ndarray, elbow: int, wrist: int, share: float = 0.5) -> None:
    """Moves a share of the forearm's twist from the wrist to the elbow, in place, as the two forearm bones do.

    The share falls to 0 at a half turn, so that wrapping from +180 to -180 degrees makes no jump.
    """
    axis = bone_direction(JOINTS[elbow])
    x, y, z, w = Rotation.from_matrix(globals_[:, elbow].swapaxes(-1, -2) @ globals_[:, wrist]).as_quat().T
    twist = 2 * np.arctan2(np.stack([x, y, z], -1) @ axis, w)
    twist = (twist + np.pi) % (2 * np.pi) - np.pi
    twist = np.sign(twist) * np.minimum(np.abs(twist), np.pi - np.abs(twist))
    globals_[:, elbow] = globals_[:, elbow] @ Rotation.from_rotvec(share * twist[:, None] * axis).as_matrix()
    _reset_faults(globals_, wrist, elbow, WRIST_FAULT_DEGREES)


def _reset_faults(globals_: np.ndarray, joint: int, parent: int, limit: float) -> None:
    """Sets a joint to its parent's rotation, in place, where it is turned away by more than `limit` degrees."""
    turn = Rotation.from_matrix(globals_[:, parent].swapaxes(-1, -2) @ globals_[:, joint]).magnitude()
    faulty = np.degrees(turn) > limit
    globals_[faulty, joint] = globals_[faulty, parent]
