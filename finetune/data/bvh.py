"""BVH motion files (Biovision hierarchy, centimetres): two rigs that free captures come in."""

from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from finetune.data.motion import MocapError, Motion, Recording, Rig, both_sides, retarget

METRES_PER_UNIT = 0.01
REST_DEGREES = 15.0  # the T-pose frames of the Daz release are up to 12.5 degrees off in the fingers

#: The "Daz-friendly" release of CMU's captures: T-pose at zero rotation.
DAZ = Rig(
    "Daz",
    drivers={"pelvis": "hip", "spine2": "abdomen", "spine3": "chest", "neck": "neck", "head": "head"}
    | both_sides(
        {"hip": "*Thigh", "knee": "*Shin", "ankle": "*Foot", "collar": "*Collar", "shoulder": "*Shldr",
         "elbow": "*ForeArm", "wrist": "*Hand"}, "l", "r"),
    bones=both_sides(
        {"hip": ("*Thigh", "*Shin"), "knee": ("*Shin", "*Foot"), "shoulder": ("*Shldr", "*ForeArm"),
         "elbow": ("*ForeArm", "*Hand"), "wrist": ("*Hand", "*Mid1")}, "l", "r"),
    blends={"spine1": ("pelvis", "spine2", 0.5)},
)  # fmt: skip

#: Reallusion iClone's Character Creator rig. Its zero rotation is no T-pose and its bones have axes of their own, so
#: the turn between the two was measured, joint by joint, on clips that CMU's ASF/AMC release has too.
ICLONE = Rig(
    "iClone",
    drivers={
        "pelvis": "CC_Base_Hip", "spine1": "CC_Base_Spine01", "spine3": "CC_Base_Spine02",
        "neck": "CC_Base_NeckTwist02", "head": "CC_Base_Head",
    } | both_sides(
        {"hip": "CC_Base_*_Thigh", "knee": "CC_Base_*_Calf", "ankle": "CC_Base_*_Foot", "collar": "CC_Base_*_Clavicle",
         "shoulder": "CC_Base_*_Upperarm", "elbow": "CC_Base_*_Forearm", "wrist": "CC_Base_*_Hand"}, "L", "R"),
    bones=both_sides(
        {"hip": ("CC_Base_*_Thigh", "CC_Base_*_Calf"), "knee": ("CC_Base_*_Calf", "CC_Base_*_Foot"),
         "shoulder": ("CC_Base_*_Upperarm", "CC_Base_*_Forearm"), "elbow": ("CC_Base_*_Forearm", "CC_Base_*_Hand"),
         "wrist": ("CC_Base_*_Hand", "CC_Base_*_Mid1")}, "L", "R"),
    blends={"spine2": ("spine1", "spine3", 0.75)},
    calibration={
        "pelvis": (0.00, -0.21, -0.15), "spine1": (5.01, -0.20, 0.05), "spine3": (10.32, -0.19, 0.03),
        "neck": (-9.64, -0.19, 0.04), "head": (0.01, -0.20, 0.04),
        "left_hip": (-0.67, 1.39, 174.73), "right_hip": (-0.92, -1.45, -174.92),
        "left_knee": (-0.83, 10.26, -177.20), "right_knee": (-0.46, -9.42, 177.34),
        "left_ankle": (10.53, 109.80, 139.33), "right_ankle": (12.76, -110.15, -140.37),
        "left_collar": (11.37, -12.20, 85.36), "right_collar": (10.98, 11.91, -84.03),
        "left_shoulder": (4.11, -3.71, 95.33), "right_shoulder": (3.53, 3.94, -95.33),
        "left_elbow": (0.19, -0.12, 89.23), "right_elbow": (-0.33, 0.13, -89.39),
        "left_wrist": (12.73, -6.35, 101.52), "right_wrist": (0.48, 12.14, -104.16),
    },
)  # fmt: skip

RIGS = (DAZ, ICLONE)


def load(path) -> Motion:
    """Read a BVH file of a known rig.

    Raises:
        MocapError: no BVH, broken off, or a skeleton that is neither rig (the message names the joints it lacks).
    """
    recording = read(path)
    rig = min(RIGS, key=lambda rig: len(rig.missing(recording.joints)))
    return retarget(recording, rig)


def read(path) -> Recording:
    """Read any BVH file; a first frame near the rest pose (the T-pose that some exporters put there) is dropped."""
    path = Path(path)
    header, found, motion = path.read_text(errors="replace").partition("MOTION")
    if not header.lstrip().startswith("HIERARCHY") or not found:
        raise MocapError(f"{path.name} is not a BVH file, it needs HIERARCHY and MOTION sections; export it as BVH.")
    try:
        joints, parents, offsets, channels = _hierarchy(header)
    except (ValueError, IndexError):
        raise MocapError(f"{path.name} has a broken HIERARCHY section; export the clip again.") from None
    frame_time, frames = _frames(path.name, motion, sum(map(len, channels)))
    offsets = offsets * METRES_PER_UNIT
    rotations, positions = _forward_kinematics(parents, offsets, channels, frames)
    from_rest = np.degrees(Rotation.from_matrix(rotations[0]).magnitude()).max()
    first = 1 if len(frames) > 1 and from_rest < REST_DEGREES else 0
    rest = np.zeros_like(offsets)
    for j, parent in enumerate(parents):
        rest[j] = offsets[j] + (rest[parent] if parent >= 0 else 0)
    return Recording(path.stem, joints, rotations[first:], positions[first:], rest, 1 / frame_time)


def _hierarchy(text: str):
    """Names, parent indices, offsets (J, 3) and channel names of the joints, end sites among them."""
    joints, parents, offsets, channels, stack = [], [], [], [], []
    for line in text.splitlines():
        word, *rest = line.split() or [""]
        if word in ("ROOT", "JOINT", "End"):
            parents.append(stack[-1] if stack else -1)
            joints.append(f"{joints[stack[-1]]}_end" if word == "End" else rest[0])
            offsets.append(None)
            channels.append([])
        elif word == "{":
            stack.append(len(joints) - 1)
        elif word == "}":
            stack.pop()
        elif word == "OFFSET":
            offsets[stack[-1]] = [float(x) for x in rest[:3]]
        elif word == "CHANNELS":
            channels[stack[-1]] = rest[1 : 1 + int(rest[0])]
    offsets = np.array(offsets, float)
    if stack or offsets.ndim != 2 or offsets.shape[1] != 3 or not np.isfinite(offsets).all():
        raise ValueError("unbalanced braces, or a joint without OFFSET")
    return joints, parents, offsets, channels


def _frames(name: str, text: str, width: int):
    """Frame time in seconds and the channel values (T, width) of the MOTION section."""
    try:
        count_line, time_line, *rows = (line for line in text.splitlines() if line.strip())
        count = int(count_line.split("Frames:")[1])
        frame_time = float(time_line.split("Frame Time:")[1])
        values = np.array(" ".join(rows).split(), float)
    except (ValueError, IndexError):
        raise MocapError(f"{name} has a broken MOTION section; export the clip again.") from None
    if len(rows) != count or values.size != count * width or count == 0:
        raise MocapError(
            f"{name} announces {count} frames of {width} numbers but holds {values.size} numbers in {len(rows)} lines; "
            "it is broken off or edited, fetch it again."
        )
    if not np.isfinite(values).all() or not frame_time > 0:
        raise MocapError(f"{name} holds NaN, infinite numbers or no frame time; export the clip again.")
    return frame_time, values.reshape(count, width)


def _forward_kinematics(parents, offsets, channels, frames):
    """Global rotations (T, J, 3, 3) and positions (T, J, 3); every joint has its own order of channels."""
    rotations = np.empty((len(frames), len(parents), 3, 3))
    positions = np.empty((len(frames), len(parents), 3))
    column = 0
    for j, parent in enumerate(parents):
        local, turn = np.tile(offsets[j], (len(frames), 1)), np.eye(3)
        axes = "".join(c[0] for c in channels[j] if c.endswith("rotation"))
        angles = frames[:, [column + k for k, c in enumerate(channels[j]) if c.endswith("rotation")]]
        for k, channel in enumerate(channels[j]):
            if channel.endswith("position"):  # takes the offset's place
                local[:, "XYZ".index(channel[0])] = frames[:, column + k] * METRES_PER_UNIT
        column += len(channels[j])
        if axes:
            turn = Rotation.from_euler(axes, angles, degrees=True).as_matrix()
        if parent < 0:
            rotations[:, j], positions[:, j] = turn, local
        else:
            rotations[:, j] = rotations[:, parent] @ turn
            positions[:, j] = positions[:, parent] + (rotations[:, parent] @ local[..., None])[..., 0]
    return rotations, positions
