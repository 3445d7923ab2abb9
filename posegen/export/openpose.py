"""OpenPose: the 18 keypoints of its COCO model, as its JSON and as the coloured stick figure that ControlNet reads."""

import json
import math

import numpy as np
from PIL import Image, ImageDraw

from ..body import BodyModel
from ..camera import Shot
from ..pose import Pose
from ..skeleton import JOINTS

#: The 18 in OpenPose's order. "Right" is the person's own right.
KEYPOINTS = (
    "nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist",
    "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle",
    "right_eye", "left_eye", "right_ear", "left_ear",
)  # fmt: skip
#: What smplx calls the vertices of the face.
FACE = {"nose": "nose", "right_eye": "reye", "left_eye": "leye", "right_ear": "rear", "left_ear": "lear"}
#: The 17 limbs that ControlNet draws, in its order; the i-th has the i-th colour, as the i-th keypoint has.
LIMBS = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13),
    (1, 0), (0, 14), (14, 16), (0, 15), (15, 17),
)  # fmt: skip
COLORS = (
    (255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0), (0, 255, 0), (0, 255, 85),
    (0, 255, 170), (0, 255, 255), (0, 170, 255), (0, 85, 255), (0, 0, 255), (85, 0, 255), (170, 0, 255),
    (255, 0, 255), (255, 0, 170), (255, 0, 85),
)  # fmt: skip
STICK = 4 / 512  # half a limb's width and a dot's radius, of the picture's shorter side
LIMB_SHADE = 0.6  # limbs are darker than the dots upon them


def keypoints(pose: Pose, body: BodyModel, shot: Shot) -> np.ndarray:
    """(18, 3) x, y in pixels and confidence: 1 in the picture (hidden or not), else a row of zeros as OpenPose has."""
    vertices, joints = body.vertices([pose])[0], body.joints([pose])[0]
    points = dict(zip(JOINTS, joints, strict=True))
    points["neck"] = (points["left_shoulder"] + points["right_shoulder"]) / 2  # OpenPose's, not SMPL's
    numbers = _face_vertices(body)
    points |= {name: vertices[numbers[mark]] for name, mark in FACE.items()}
    pixels = shot.project(np.stack([points[name] for name in KEYPOINTS]))
    inside = ((pixels >= 0) & (pixels < shot.size)).all(1, keepdims=True)
    return np.where(inside, np.concatenate([pixels, np.ones((18, 1))], 1), 0.0)


def write_openpose(people: list[np.ndarray], size: tuple[int, int], path) -> None:
    """Write people's keypoints (18, 3) in OpenPose's JSON layout 1.3.

    The picture's `size` goes along as canvas_width and canvas_height, as editors for ControlNet have it.
    """
    empty = {f"{part}_keypoints_{d}d": [] for d in (2, 3) for part in ("pose", "face", "hand_left", "hand_right")}
    rows = [
        {"person_id": [-1], **empty, "pose_keypoints_2d": np.round(person, 3).ravel().tolist()} for person in people
    ]
    document = {"version": 1.3, "people": rows, "canvas_width": size[0], "canvas_height": size[1]}
    with open(path, "w", encoding="ascii") as file:
        json.dump(document, file)


def draw_openpose(people: list[np.ndarray], size: tuple[int, int]) -> Image.Image:
    """The stick figures of people's keypoints (18, 3) in OpenPose's colours on black, `size` pixels."""
    smooth = 2  # drawn larger and reduced, for Pillow's edges are hard
    picture = Image.new("RGB", (size[0] * smooth, size[1] * smooth))
    pen, radius = ImageDraw.Draw(picture), max(1.5, STICK * min(size)) * smooth
    for person in people:
        points, seen = person[:, :2] * smooth, person[:, 2] > 0
        for (a, b), color in zip(LIMBS, COLORS, strict=False):  # the last colour is for a dot alone
            if seen[a] and seen[b]:
                shaded = tuple(int(channel * LIMB_SHADE) for channel in color)
                pen.polygon(_ellipse(points[a], points[b], radius), shaded)
        for point, color in zip(points[seen], np.array(COLORS)[seen], strict=True):
            pen.circle(tuple(point), radius, tuple(color.tolist()))
    return picture.resize(size, Image.Resampling.BOX)


def _ellipse(a: np.ndarray, b: np.ndarray, radius: float) -> list[tuple[float, float]]:
    """Corners of an ellipse from a to b whose half width is `radius`."""
    along = (b - a) / 2
    across = np.array([-along[1], along[0]]) * (radius / max(math.hypot(*along), 1e-6))
    turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)[:, None]
    return [tuple(corner) for corner in (a + b) / 2 + np.cos(turn) * along + np.sin(turn) * across]


def _face_vertices(body: BodyModel) -> dict[str, int]:
    """Vertex indices by smplx's names; the embedded body keeps SMPL's numbers for these."""
    from smplx.vertex_ids import vertex_ids

    return vertex_ids["smplx" if body.name == "SMPL-X" else "smplh"]
