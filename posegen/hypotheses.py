"""What else a photo may show: poses that fit the same landmarks and differ in depth, with words for where.

Poses are drawn from the lifter's distribution and then pulled onto the landmarks as a lifted pose is (refine.py), so
that each of them covers the person in the picture; what is left of their differences is mostly towards the camera and
away from it, which one photo cannot tell.
"""

import numpy as np
import torch

from posegen import refine
from posegen.camera import Camera
from posegen.photo import LIMB_LANDMARKS, Detection
from posegen.policy import Person, PosePolicy, PoseSample
from posegen.pose import Pose
from posegen.skeleton import INDEX, LIMBS, forward_kinematics

COUNT = 4
DRAWS = 24  # of which the half that covers the person best is chosen from
CLEAR = 15.0  # degrees; where all limbs' depths agree within it, the photo is said to be clear
TOWARDS = 8.0  # degrees out of the picture's plane from which a limb points towards or away from the camera
#: Part of the body -> the two joints between which it lies.
BONES = {"torso": (INDEX["pelvis"], INDEX["neck"])} | {
    f"{side} {limb}": (INDEX[f"{side}_{start}"], INDEX[f"{side}_{end}"])
    for side in ("left", "right")
    for limb, start, end in (
        ("upper arm", "shoulder", "elbow"), ("forearm", "elbow", "wrist"),
        ("thigh", "hip", "knee"), ("shin", "knee", "ankle"),
    )
}  # fmt: skip


@torch.no_grad()
def hypotheses(
    policy: PosePolicy, person: Person, frame: tuple[int, int], count: int = COUNT, seed: int = 0
) -> list[PoseSample]:
    """Poses that all fit one person of a photo and differ as much as they can.

    Args:
        person: as `policy.image_to_pose` gives it.
        frame: (width, height) of the photo in pixels.
        count: how many, at most 12.
    Returns:
        The person's first sample, then the others, each the one least like those before it; text is the first's.
    """
    seen = person.seen
    readings = (seen.landmarks_2d[None], seen.landmarks_world[None], seen.visibility[None])
    distribution = policy.lift(*readings, frame)
    drawn = distribution.rotations(distribution.sample(DRAWS, 1.0, torch.Generator().manual_seed(seed)))[0]
    rows = [np.repeat(a, DRAWS, 0) for a in (readings[0], readings[2])]
    rotations = refine.refine(drawn, distribution.log_std[0].expand(DRAWS, -1), *rows, frame).cpu()
    log_prob = distribution.log_prob(distribution.tangent(rotations[None].to(drawn.device)))[0].tolist()

    first = person.samples[0]
    joints = policy.body.joints(np.concatenate([first.pose.rotations[None], rotations.numpy()]))[:, list(LIMBS)]
    cameras = [camera_of(points, seen, frame) for points in joints]
    misses = np.array([miss(*each, seen, frame) for each in zip(joints, cameras, strict=True)])
    good = 1 + np.argsort(misses[1:])[: DRAWS // 2]
    samples = [first]
    for k in least_alike(joints[:, :, 2], good, count)[1:]:
        pose = Pose(rotations[k - 1].numpy(), first.pose.betas)
        samples.append(PoseSample(pose, first.text, log_prob[k - 1], camera=cameras[k]))
    return samples


def camera_of(joints: np.ndarray, seen: Detection, frame) -> Camera:
    """The camera that puts limb joints (12, 3) onto a person's landmarks."""
    at = list(LIMB_LANDMARKS)
    return Camera.fit(joints, seen.landmarks_2d[at], *frame, weights=seen.visibility[at].clip(0.05))


def miss(joints: np.ndarray, camera: Camera, seen: Detection, frame) -> float:
    """Mean distance of limb joints (12, 3) from the landmarks in the picture, in units of the person's size."""
    off = camera.project(joints, *frame) - seen.landmarks_2d[list(LIMB_LANDMARKS)]
    return float(np.linalg.norm(off, axis=1).mean() / seen.size)


def least_alike(depths: np.ndarray, candidates: np.ndarray, count: int) -> list[int]:
    """Row 0 of depths (N, J) and up to count - 1 of the candidate rows, each the farthest from all before it."""
    chosen, candidates = [0], list(candidates)
    while candidates and len(chosen) < count:
        nearest = np.linalg.norm(depths[candidates][:, None] - depths[chosen][None], axis=-1).min(1)
        chosen.append(int(candidates.pop(int(nearest.argmax()))))
    return chosen


# ---- in words


def tilts(samples: list[PoseSample]) -> np.ndarray:
    """(N, 9) degrees by which the parts of BONES come out of the picture's plane, positive towards the camera."""
    joints = forward_kinematics(torch.from_numpy(np.stack([s.pose.rotations for s in samples])))[0].numpy()
    start, end = np.array(list(BONES.values())).T
    bones = joints[:, end] - joints[:, start]
    return np.degrees(np.arcsin(bones[..., 2] / np.linalg.norm(bones, axis=-1)))


def in_words(samples: list[PoseSample]) -> str:
    """A sentence about the part whose depth differs most among samples of one person."""
    degrees = tilts(samples)
    low, high = degrees.min(0), degrees.max(0)
    k = int((high - low).argmax())
    part = list(BONES)[k]
    could = f"The {part} could {'lean' if part == 'torso' else 'point'}"
    if high[k] - low[k] < CLEAR:
        return "These agree about depth: no limb is likely to point elsewhere."
    if low[k] < -TOWARDS and high[k] > TOWARDS:
        return f"{could} towards or away from the camera; one photo does not tell."
    where, least, most = ("towards", low[k], high[k]) if high[k] > -low[k] else ("away from", -high[k], -low[k])
    return f"{could} {where} the camera by anything from {max(least, 0):.0f} to {most:.0f} degrees."


def labels(samples: list[PoseSample]) -> list[str]:
    """For each sample, in a few words, how it differs most from the first."""
    degrees = tilts(samples)
    shown = ["most likely"]
    for change in degrees[1:] - degrees[0]:
        k = int(np.abs(change).argmax())
        shown.append(f"{list(BONES)[k]} {abs(change[k]):.0f}° {'nearer' if change[k] > 0 else 'farther'}")
    return shown
