"""Motion files of any known kind -> the project's poses npz."""

import json
import os
import re
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from finetune.data import amass, asf_amc, bvh
from finetune.data.motion import MocapError, Motion, matrices
from posegen.skeleton import INDEX

SUFFIXES = (".bvh", ".amc", ".npz")
#: Degrees a second beyond which a joint's motion is a capture fault: a window around it is dropped.
SPEED_LIMITS = {
    1500: ("pelvis", "spine1", "spine2", "spine3", "neck", "head"),
    2600: tuple(f"{side}_{part}" for side in ("left", "right") for part in ("hip", "knee", "shoulder", "elbow")),
}
FAULT_WINDOW = 0.15  # seconds dropped on either side of a fault


def load(path, skeleton=None) -> Motion:
    """Read a motion file, its kind by suffix: .bvh, .amc (with its .asf), .npz (AMASS style).

    Args:
        path: the file.
        skeleton: an .asf for an .amc; found beside it by default.
    Raises:
        MocapError: the file is missing, of another kind, or broken.
    """
    path = Path(path)
    if not path.is_file():
        raise MocapError(f"There is no motion file {path.name}; check the path.")
    match path.suffix.lower():
        case ".bvh":
            return bvh.load(path)
        case ".amc":
            return asf_amc.load(path, skeleton)
        case ".npz":
            return amass.load(path)
    raise MocapError(f"{path.name} is no motion file that is known here; give {', '.join(SUFFIXES)}.")


def subsample(motion: Motion, fps: float = 10.0, min_degrees: float = 5.0) -> np.ndarray:
    """Which frames (K,) to keep: about `fps` a second, none of a capture fault, none near the one kept before it.

    A frame is near if no joint has turned by `min_degrees`.
    """
    local = matrices(motion.poses)
    usable = ~_faults(local, motion.fps)
    kept = []
    for i in range(0, len(local), max(1, round(motion.fps / fps))):
        if usable[i] and (not kept or _turns(local[kept[-1]], local[i]).max() >= min_degrees):
            kept.append(i)
    return np.array(kept, np.int32)


def convert_folder(source, out, progress=None) -> dict:
    """Convert every motion file under a folder (or one file) into one npz, written whole or not at all.

    The npz has poses (N, 24, 3), root_height (N,) metres, clip (N,) index, frame (N,) in the source, fps (clips,).
    Beside it NAME.clips.json lists the clips: id, trial, subject, description, source, seconds, licence.

    Args:
        source: folder or file; a LICENCE or LICENSE text in the folder goes into the clips' records.
        out: the npz to write.
        progress: called as progress(done, total, name) before each file and once at the end.
    Returns:
        {"clips": int, "poses": int, "skipped": [(file, why), ...]}
    Raises:
        MocapError: nothing under source could be used.
    """
    source, out = Path(source), Path(out)
    files = [source] if source.is_file() else sorted(f for f in source.rglob("*") if f.suffix.lower() in SUFFIXES)
    licence = _licence(source)
    clips, skipped, columns = [], [], {"poses": [], "root_height": [], "clip": [], "frame": []}
    for done, file in enumerate(files):
        if progress:
            progress(done, len(files), file.name)
        try:
            motion = load(file)
            keep = subsample(motion)
        except MocapError as error:
            skipped.append((str(file), str(error)))
            continue
        columns["poses"].append(motion.poses[keep])
        columns["root_height"].append(motion.root[keep, 1])
        columns["clip"].append(np.full(len(keep), len(clips), np.int32))
        columns["frame"].append(keep)
        clips.append(_record(len(clips), file, motion, licence))
    if progress:
        progress(len(files), len(files), out.name)
    if not clips:
        why = skipped[0][1] if skipped else f"it holds no {', '.join(SUFFIXES)} file."
        raise MocapError(f"Nothing in {source.name} could be used: {why}")
    arrays = {name: np.concatenate(parts) for name, parts in columns.items()}
    arrays["fps"] = np.array([clip.pop("fps") for clip in clips], np.float32)
    out.parent.mkdir(parents=True, exist_ok=True)
    _replace(out.with_suffix(".clips.json"), lambda file: file.write(json.dumps(clips, indent=1).encode()))
    _replace(out, lambda file: np.savez_compressed(file, **arrays))
    return {"clips": len(clips), "poses": len(arrays["poses"]), "skipped": skipped}


def _faults(local: np.ndarray, fps: float) -> np.ndarray:
    """(T,) bool: frames of local rotations (T, 24, 3, 3) within the window around a joint that turns too fast."""
    faulty = np.zeros(len(local), bool)
    speed = _turns(local[:-1], local[1:]) * fps  # (T - 1, 24)
    fast = np.zeros(len(speed), bool)
    for limit, names in SPEED_LIMITS.items():
        fast |= (speed[:, [INDEX[name] for name in names]] > limit).any(1)
    window = max(1, round(FAULT_WINDOW * fps))
    for i in np.flatnonzero(fast):
        faulty[max(0, i - window) : i + window + 2] = True
    return faulty


def _turns(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Degrees (...,) between rotations a and b (..., 3, 3)."""
    between = (a.swapaxes(-1, -2) @ b).reshape(-1, 3, 3)
    if not len(between):  # a clip of one frame: scipy takes no empty stack
        return np.zeros(a.shape[:-2])
    return np.degrees(Rotation.from_matrix(between).magnitude()).reshape(a.shape[:-2])


def _record(index: int, file: Path, motion: Motion, licence: str) -> dict:
    cmu = re.fullmatch(r"0*(\d{2,3})_(\d+)", motion.name)
    return {
        "id": index,
        "trial": f"{cmu[1]}_{cmu[2]}" if cmu else motion.name,
        "subject": int(cmu[1]) if cmu else file.parent.name,
        "description": "",
        "source": file.suffix[1:].lower(),
        "seconds": round(len(motion.poses) / motion.fps, 2),
        "licence": motion.licence or licence,
        "fps": motion.fps,
    }


def _licence(source: Path) -> str:
    """The first line of a licence text in the source folder, or an empty string."""
    folder = source if source.is_dir() else source.parent
    for file in sorted(folder.iterdir()):
        if file.is_file() and file.stem.upper() in ("LICENCE", "LICENSE"):
            return file.read_text(errors="replace").strip().partition("\n")[0]
    return ""


def _replace(path: Path, write) -> None:
    """Writes a file beside `path` and moves it there, so that an interrupted run leaves no half file."""
    part = path.with_name(f".{path.name}.part")
    try:
        with open(part, "wb") as file:
            write(file)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
