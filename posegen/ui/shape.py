"""Body shape in words that people use: height and build instead of ten betas, for whichever body file is loaded."""

import numpy as np


class BodyShape:
    """Two directions in the space of betas, measured on the body: taller, and heavier at the same height.

    Attributes:
        heights: (lowest, average, highest) centimetres that the sliders offer, about two standard deviations.
    """

    def __init__(self, body):
        vertices, _ = body.rest()
        height, volume = _size(vertices, body.faces)
        steps = [_size(body.rest(step)[0], body.faces) for step in np.eye(10, dtype=np.float32)]
        taller, larger = np.array(steps).T - np.array([[height], [volume]])
        self._taller = taller / (taller @ taller)  # betas for one metre more
        heavier = larger - self._taller * (taller @ larger)
        self._heavier = heavier / np.linalg.norm(heavier)
        self._height = height
        reach = 2 * np.linalg.norm(taller)
        self.heights = tuple(round(100 * h) for h in (height - reach, height, height + reach))

    def betas(self, height: float | None = None, build: float = 0.0) -> np.ndarray:
        """(10,) float32 betas for a height in centimetres and a build from -3 (slim) to 3 (heavy), 0 the average."""
        metres = 0.0 if height is None or height == self.heights[1] else height / 100 - self._height
        return (self._taller * metres + self._heavier * build).astype(np.float32)


def _size(vertices: np.ndarray, faces: np.ndarray) -> tuple[float, float]:
    """Height in metres and volume in cubic metres of a closed surface."""
    a, b, c = vertices[faces].astype(np.float64).transpose(1, 0, 2)
    return float(np.ptp(vertices[:, 1])), float((a * np.cross(b, c)).sum() / 6)
