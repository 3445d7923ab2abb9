"""Camera: the pinhole that puts a body on a photo. Shot: the camera of one picture, be it a photo or drawn."""

from dataclasses import dataclass, field

import numpy as np

FOCAL = 1.2  # of the image's longer side, about 45 degrees of view: what is assumed of a photo whose lens is unknown


@dataclass
class Camera:
    """A pinhole camera of the full image, in the Y-up camera frame (X right, looking along -Z).

    The principal point is the image centre and pixels are square, with y downwards.

    Attributes:
        focal: focal length in pixels.
        translation: (3,) float32 metres, where the body's pelvis is; z is negative in front of the camera.
    """

    focal: float
    translation: np.ndarray

    def __post_init__(self):
        self.focal = float(self.focal)
        self.translation = np.asarray(self.translation, np.float32).reshape(3)
        if not (np.isfinite(self.translation).all() and np.isfinite(self.focal) and self.focal > 0):
            raise ValueError("A Camera needs a positive focal length and a finite translation.")

    def project(self, points: np.ndarray, width: int, height: int) -> np.ndarray:
        """Pixels (..., 2) of points (..., 3), which are relative to the pelvis as BodyModel returns them."""
        points = np.asarray(points) + self.translation
        scale = self.focal / np.maximum(-points[..., 2], 1e-6)
        return np.stack([width / 2 + scale * points[..., 0], height / 2 - scale * points[..., 1]], -1)

    @classmethod
    def fit(cls, points, pixels, width: int, height: int, weights=None, focal: float | None = None) -> "Camera":
        """The camera under which points fall on pixels, by least squares with a given focal length.

        Args:
            points: (J, 3) metres relative to the pelvis, e.g. a pose's joints.
            pixels: (J, 2) where they are seen.
            weights: (J,) confidence of each, 1 by default.
            focal: pixels; by default FOCAL times the image's longer side.
        """
        points, pixels = np.asarray(points, np.float64), np.asarray(pixels, np.float64)
        focal = focal or FOCAL * max(width, height)
        weights = np.ones(len(points)) if weights is None else np.asarray(weights, np.float64)
        u, v = (pixels - np.array([width, height]) / 2).T * np.array([[1.0], [-1.0]]) / focal  # X / -Z and Y / -Z
        x, y, z = points.T
        # Both are linear in the translation: X + tx = -u (Z + tz) and Y + ty = -v (Z + tz).
        one, nil = np.ones_like(u), np.zeros_like(u)
        left = np.concatenate([np.stack([one, nil, u], 1), np.stack([nil, one, v], 1)])
        right = np.concatenate([-x - u * z, -y - v * z])
        root = np.sqrt(np.concatenate([weights, weights]))
        translation = np.linalg.lstsq(left * root[:, None], right * root, rcond=None)[0]
        translation[2] = min(translation[2], -0.1)
        return cls(focal, translation)


@dataclass
class Shot:
    """What a picture of one body was taken with.

    Attributes:
        camera: the camera, with where the pelvis is in front of it.
        size: (width, height) of the picture in pixels.
        turn: (3, 3) rotation of the body before that; none in a photo, whose poses are in the camera's frame.
    """

    camera: Camera
    size: tuple[int, int]
    turn: np.ndarray = field(default_factory=lambda: np.eye(3))

    def project(self, points: np.ndarray) -> np.ndarray:
        """Pixels (..., 2) of points (..., 3) relative to the pelvis; NaN for those not in front of the camera."""
        turned = np.asarray(points) @ self.turn.T
        behind = turned[..., 2:] + self.camera.translation[2] >= 0
        return np.where(behind, np.nan, self.camera.project(turned, *self.size))
