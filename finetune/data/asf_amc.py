"""ASF/AMC motion files (Acclaim skeleton and motion), as the CMU Graphics Lab Motion Capture Database has them.

An ASF bone carries a frame C of its own; an AMC frame turns it by C M C^-1, and the bone's far end is its position.
"""

from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from finetune.data.motion import MocapError, Motion, Recording, Rig, both_sides, retarget

INCH = 0.0254
FPS = 120.0  # AMC does not say; CMU's were captured at 120, a few at 60

CMU = Rig(
    "CMU",
    drivers={"pelvis": "root", "spine1": "upperback", "spine3": "thorax", "neck": "upperneck", "head": "head"}
    | both_sides(
        {"hip": "*femur", "knee": "*tibia", "ankle": "*foot", "collar": "*clavicle", "shoulder": "*humerus",
         "elbow": "*radius", "wrist": "*hand"}, "l", "r"),
    bones=both_sides(
        {"hip": ("*hipjoint", "*femur"), "knee": ("*femur", "*tibia"), "shoulder": ("*clavicle", "*humerus"),
         "elbow": ("*humerus", "*radius"), "wrist": ("*wrist", "*hand")}, "l", "r"),
    blends={"spine2": ("spine1", "spine3", 0.75)},
    stance=20.0,
)  # fmt: skip


def load(path, skeleton=None) -> Motion:
    """Read an AMC file.

    Args:
        path: the .amc file.
        skeleton: its .asf file; by default the one beside it, named as the AMC's subject ("03_01.amc" -> "03.asf"),
            as the AMC itself, or the only one in the folder.
    Raises:
        MocapError: no skeleton found, one of the two files is broken, or they do not belong together.
    """
    return retarget(read(path, skeleton), CMU)


def read(path, skeleton=None) -> Recording:
    """Read an AMC file with its ASF, see `load`; position j is the far end of bone j."""
    path = Path(path)
    skeleton = Path(skeleton) if skeleton else find_skeleton(path)
    bones, parents, metres = _skeleton(skeleton)
    frames = _frames(path, {name: bone["dof"] for name, bone in bones.items()})
    joints = list(bones)
    rotations = np.empty((len(frames["root"]), len(joints), 3, 3))
    positions, rest = np.zeros(rotations.shape[:3]), np.zeros((len(joints), 3))
    for j, (name, bone) in enumerate(bones.items()):
        angles = np.zeros((len(rotations), 3))
        for k, dof in enumerate(bone["dof"]):
            if dof[0] == "r":
                angles[:, "xyz".index(dof[1])] = frames[name][:, k]
        turn = bone["frame"] @ Rotation.from_euler("xyz", angles, degrees=True).as_matrix() @ bone["frame"].T
        if name == "root":
            rotations[:, j] = turn
            for k, dof in enumerate(bone["dof"]):
                if dof[0] == "t":
                    positions[:, j, "xyz".index(dof[1])] = frames[name][:, k] * metres
        else:
            p = joints.index(parents[name])
            rotations[:, j] = rotations[:, p] @ turn
            positions[:, j] = positions[:, p] + rotations[:, j] @ (bone["vector"] * metres)
            rest[j] = rest[p] + bone["vector"] * metres
    return Recording(path.stem, joints, rotations, positions, rest, FPS)


def find_skeleton(path) -> Path:
    """The ASF beside an AMC, see `load`."""
    path = Path(path)
    near = sorted(path.parent.glob("*.asf"))
    named = [f for f in near if f.stem in (path.stem, path.stem.partition("_")[0])]
    if not named and len(near) != 1:
        raise MocapError(
            f"{path.name} has no skeleton: put its ASF file ({path.stem.partition('_')[0]}.asf) beside it."
        )
    return (named or near)[0]


def _skeleton(path: Path):
    """Bones in order from the root (name -> dof, frame, vector), their parents, and metres a unit."""
    bones = {"root": {"dof": [], "frame": np.eye(3), "vector": np.zeros(3)}}
    parents, metres, section, bone = {}, None, "", {}
    try:
        for line in path.read_text(errors="replace").splitlines():
            word, *rest = line.split() or ["#"]
            if word.startswith(":"):
                section = word
            elif section == ":units" and word == "length":
                metres = INCH / float(rest[0])
            elif section == ":root" and word == "order":
                bones["root"]["dof"] = [dof.lower() for dof in rest]
            elif section == ":bonedata":
                if word == "begin":
                    bone = {"dof": []}
                elif word == "name":
                    bones[rest[0]] = bone
                elif word == "direction":
                    direction = np.array(rest[:3], float)
                    bone["vector"] = direction / np.linalg.norm(direction)
                elif word == "length":
                    bone["vector"] = bone["vector"] * float(rest[0])
                elif word == "axis":
                    bone["frame"] = Rotation.from_euler("xyz", np.array(rest[:3], float), degrees=True).as_matrix()
                elif word == "dof":
                    bone["dof"] = [dof.lower() for dof in rest]
            elif section == ":hierarchy" and word not in ("begin", "end"):
                parents.update({child: word for child in rest})
        ordered = {name: bones[name] for name in ("root", *parents)}  # a bone is listed after its parent
        complete = metres and all(np.isfinite(bone["vector"]).all() and "frame" in bone for bone in ordered.values())
    except (OSError, ValueError, IndexError, KeyError):
        complete = False
    if not complete or len(ordered) < 2:
        raise MocapError(f"{path.name} is not a whole ASF skeleton; fetch it again from where the AMC came from.")
    return ordered, parents, metres


def _frames(path: Path, dof: dict) -> dict:
    """The numbers of every bone that moves, name -> (T, number of its dof)."""
    values = {name: [] for name, axes in dof.items() if axes}
    count = 0
    try:
        for line in path.read_text(errors="replace").splitlines():
            word, *rest = line.split() or ["#"]
            if word[0] in "#:":
                continue
            if not rest:
                count += 1
                if int(word) != count:
                    raise ValueError(f"frame {word} stands where frame {count} should")
            else:
                values[word].append([float(x) for x in rest])
    except KeyError as error:
        raise MocapError(
            f"{path.name} moves a bone {error} that its skeleton lacks; give the ASF of this subject."
        ) from None
    except ValueError as error:
        raise MocapError(f"{path.name} is not a whole AMC file ({error}); fetch it again.") from None
    short = [n for n, rows in values.items() if len(rows) != count or any(len(r) != len(dof[n]) for r in rows)]
    if short or not count:
        raise MocapError(
            f"{path.name} has {count} frames but not all numbers of {', '.join(short[:3]) or 'any bone'}; "
            "it is broken off or has another skeleton, fetch both files again."
        )
    arrays = {name: np.array(rows) for name, rows in values.items()}
    if not all(np.isfinite(rows).all() for rows in arrays.values()):
        raise MocapError(f"{path.name} holds NaN or infinite numbers; fetch it again.")
    return arrays
