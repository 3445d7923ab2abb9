"""Make the example photos of the page: dressed bodies in simple poses, drawn by our own renderer.

python scripts/make_examples.py        # writes assets/examples/*.jpg
"""

import sys
from pathlib import Path

import numpy as np
import roma
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter, maximum_filter

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from posegen.body import embedded_body  # noqa: E402
from posegen.camera import Camera  # noqa: E402
from posegen.pose import Pose  # noqa: E402
from posegen.render import Renderer, clothes_colors  # noqa: E402
from posegen.skeleton import INDEX  # noqa: E402

# Euler angles (x, y, z) in degrees of some joints, others at rest; in the rest pose the arms point sideways.
ARMS_DOWN = {"left_shoulder": (0, 0, -72), "right_shoulder": (0, 0, 72)}
WAVE = {**ARMS_DOWN, "right_shoulder": (0, 0, -20), "right_elbow": (0, 0, -75), "left_elbow": (0, -25, 0)}
HANDS_ON_HIPS = {"left_shoulder": (0, 25, -50), "right_shoulder": (0, -25, 50), "left_elbow": (0, -10, -95),
                 "right_elbow": (0, 10, 95), "left_hip": (0, 0, 12), "right_hip": (0, 0, -12)}  # fmt: skip
ARMS_UP = {"left_shoulder": (0, 0, 62), "right_shoulder": (0, 0, -62), "left_hip": (0, 0, 18), "right_hip": (0, 0, -18)}
LUNGE = {"left_hip": (-68, 0, 0), "left_knee": (70, 0, 0), "right_hip": (28, 0, 0), "right_knee": (35, 0, 0),
         "left_shoulder": (0, 0, 0), "right_shoulder": (0, 0, 0)}  # fmt: skip


def pose(turn: float, angles: dict, betas) -> Pose:
    """A pose from Euler angles, the whole body turned `turn` degrees to its left."""
    euler = np.zeros((24, 3), np.float32)
    euler[0] = (0, turn, 0)
    for name, value in angles.items():
        euler[INDEX[name]] = value
    return Pose(roma.euler_to_rotmat("xyz", torch.from_numpy(euler), degrees=True).numpy(), betas)


def backdrop(width: int, height: int, horizon: float, wall, floor) -> Image.Image:
    """A wall and a floor, each with a soft gradient and a little grain."""
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    picture = np.where(y < horizon, np.float32(wall) * (0.85 + 0.25 * y), np.float32(floor) * (1.25 - 0.35 * y))
    picture = picture.repeat(width, 1) + np.random.default_rng(0).normal(0, 0.012, (height, width, 1))
    return Image.fromarray((picture.clip(0, 1) * 255).astype(np.uint8))


def with_shadow(picture: Image.Image, vertices, camera: Camera) -> Image.Image:
    """A soft shadow straight below a body, so that it does not float."""
    floor = vertices * (1, 0, 1) + (0, vertices[:, 1].min(), 0)
    column, row = camera.project(floor, *picture.size).round().astype(int).T
    inside = (column >= 0) & (column < picture.width) & (row >= 0) & (row < picture.height)
    mask = np.zeros((picture.height, picture.width), np.float32)
    mask[row[inside], column[inside]] = 1
    mask = gaussian_filter(maximum_filter(mask, 5), 7)[..., None]
    return Image.fromarray((np.asarray(picture) * (1 - 0.55 * mask)).astype(np.uint8))


def photo(people, width=900, height=675, seed=0, **scene) -> Image.Image:
    """People (angles, turn, x, z) in one picture: metres right of the middle and behind the camera's plane."""
    renderer, rng = Renderer(embedded_body()), np.random.default_rng(seed)
    picture = backdrop(width, height, 0.62, **scene)
    for angles, turn, x, z in sorted(people, key=lambda person: person[3]):  # the farthest first
        shape = rng.normal(0, 0.7, 10).astype(np.float32)
        vertices = renderer.body.vertices([pose(turn, angles, shape)])[0]
        camera = Camera(1.1 * width, (x, -0.95 - vertices[:, 1].min(), z))
        picture = with_shadow(picture, vertices, camera)
        picture = renderer.photo_like(vertices, clothes_colors(renderer.body, rng), picture, camera)
    return picture


if __name__ == "__main__":
    folder = ROOT / "assets" / "examples"
    three = [(WAVE, 10, -1.2, -4.1), (HANDS_ON_HIPS, -15, 0.05, -3.6), (ARMS_UP, -5, 1.2, -4.1)]
    three = photo(three, seed=4, wall=(0.72, 0.78, 0.80), floor=(0.50, 0.42, 0.34))
    three.save(folder / "three_people.jpg", quality=88)
    lunge = photo([(LUNGE, 50, 0, -3.1)], 675, 675, seed=11, wall=(0.80, 0.74, 0.62), floor=(0.38, 0.42, 0.36))
    lunge.save(folder / "lunge.jpg", quality=88)
