"""Backgrounds and cloth patterns for synthetic photos; validation draws from generators that training never uses."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SPLITS = ("train", "val")


def background(rng: np.random.Generator, width: int, height: int, split: str) -> Image.Image:
    """A random picture without people, RGB of the given size.

    Training: gradients, blotches, rooms with a floor line, clutter of shapes. Validation: fractal landscapes, tiled
    floors before brick walls, and lattices of lines.
    """
    makers = {"train": (_gradient, _blotches, _room, _clutter), "val": (_landscape, _bricks, _lattice)}[split]
    image = makers[rng.integers(len(makers))](rng, width, height)
    return image.filter(ImageFilter.GaussianBlur(rng.uniform(0, 3)))


def dress(color, rest_vertices, skin, rng: np.random.Generator, split: str) -> np.ndarray:
    """Clothes (V, 3) with a pattern: soft blotches in training, stripes and swapped hues in validation.

    Args:
        color: (V, 3) sRGB in [0, 1], from `render.clothes_colors`.
        rest_vertices: (V, 3) of the rest pose, which the pattern is painted on.
        skin: (V,) bool, vertices that keep their colour.
    """
    if split == "train":
        waves = rng.normal(0, 12, (4, 3))
        shade = np.sin(rest_vertices @ waves.T + rng.uniform(0, 6.28, 4)).mean(1, keepdims=True)
        painted = color * (1 + rng.uniform(0, 0.35) * shade)
    else:
        direction = rng.normal(0, 1, 3)
        wave = np.sin(rest_vertices @ direction / np.linalg.norm(direction) * rng.uniform(40, 160))
        stripe = wave[:, None] > rng.uniform(-0.6, 1.2)  # sometimes plain
        painted = np.where(stripe, color * rng.uniform(0.35, 0.9, 3), color)[:, rng.permutation(3)]
    return np.where(skin[:, None], color, painted).clip(0, 1).astype(np.float32)


def _noise(rng, width: int, height: int, cells: float) -> np.ndarray:
    """Smooth random field (height, width, 3) in [0, 1] with about `cells` blobs across."""
    shape = (max(2, int(cells * height / width)), max(2, int(cells)), 3)
    coarse = Image.fromarray((rng.random(shape) * 255).astype(np.uint8))
    field = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), np.float32) / 255
    hue = rng.uniform(0, 0.5)  # the world is greyer than random RGB
    return field.mean(-1, keepdims=True) * (1 - hue) + field * hue


def _picture(values: np.ndarray) -> Image.Image:
    return Image.fromarray((values.clip(0, 1) * 255).astype(np.uint8))


def _color(rng) -> tuple[int, int, int]:
    grey = rng.uniform(20, 235)
    return tuple(int(c) for c in (grey + rng.normal(0, 35, 3)).clip(0, 255))


def _gradient(rng, width, height):
    coarse = _picture(rng.uniform(0, 1) + rng.normal(0, 0.2, (2, 2, 1)) + rng.normal(0, 0.08, (2, 2, 3)))
    return coarse.resize((width, height), Image.Resampling.BILINEAR)


def _blotches(rng, width, height):
    scales = rng.uniform(2, 60, 3)
    weights = rng.dirichlet((1, 1, 1))
    return _picture(sum(w * _noise(rng, width, height, s) for w, s in zip(weights, scales, strict=True)))


def _room(rng, width, height):
    """Wall and floor, a door or a window, a few pieces of furniture."""
    image = Image.new("RGB", (width, height), _color(rng))
    draw = ImageDraw.Draw(image)
    floor = height * rng.uniform(0.55, 0.95)
    for _ in range(rng.integers(1, 5)):
        x, y, w, h = rng.uniform((0, 0, 0.1, 0.15), (0.9, 0.5, 0.4, 0.6)) * (width, height, width, height)
        draw.rectangle((x, y, x + w, y + h), fill=_color(rng), outline=_color(rng), width=int(rng.integers(1, 5)))
    draw.rectangle((0, floor, width, height), fill=_color(rng))
    for _ in range(rng.integers(0, 4)):
        x, w, h = rng.uniform((0, 0.08, 0.1), (1, 0.35, 0.4)) * (width, width, height)
        draw.rectangle((x, floor - h, x + w, floor + rng.uniform(0, 0.1) * height), fill=_color(rng))
    return _picture(np.asarray(image, np.float32) / 255 + 0.15 * (_noise(rng, width, height, 40) - 0.5))


def _clutter(rng, width, height):
    """Ellipses, boxes and polygons of all sizes, as a market or a forest would have."""
    image = _gradient(rng, width, height)
    draw = ImageDraw.Draw(image)
    for _ in range(rng.integers(10, 90)):
        x, y, w, h = rng.uniform((-0.1, -0.1, 0.02, 0.02), (1, 1, 0.3, 0.3)) * (width, height, width, height)
        kind, fill = rng.integers(3), _color(rng)
        if kind == 0:
            draw.ellipse((x, y, x + w, y + h), fill=fill)
        elif kind == 1:
            draw.rectangle((x, y, x + w, y + h), fill=fill)
        else:
            draw.polygon([tuple(p) for p in (x, y) + rng.uniform(0, 1, (5, 2)) * (w, h)], fill=fill)
    return image


def _landscape(rng, width, height):
    """Sky over fractal ground: octaves of noise, the lower half darker and of another hue."""
    octaves = sum(_noise(rng, width, height, 3 * 2**k) / 2**k for k in range(6)) / 2
    horizon = np.linspace(0, 1, height)[:, None, None] > rng.uniform(0.3, 0.7) + 0.1 * (octaves[..., :1] - 0.5)
    sky, earth = rng.uniform(0.4, 1, 3), rng.uniform(0.1, 0.7, 3)
    return _picture(np.where(horizon, earth * (0.5 + octaves), sky * (0.75 + 0.25 * octaves)))


def _bricks(rng, width, height):
    """A brick wall above a floor of tiles in perspective."""
    image = Image.new("RGB", (width, height), _color(rng))
    draw = ImageDraw.Draw(image)
    floor, size = int(height * rng.uniform(0.55, 0.9)), int(rng.integers(10, 40))
    base = np.array(_color(rng))
    for row, y in enumerate(range(0, floor, size)):
        for x in range(-(row % 2) * size, width, 2 * size):
            fill = tuple(int(c) for c in (base + rng.normal(0, 14, 3)).clip(0, 255))
            draw.rectangle((x, y, x + 2 * size - 2, min(floor, y + size - 2)), fill=fill)
    draw.rectangle((0, floor, width, height), fill=_color(rng))
    line = _color(rng)
    for x in np.linspace(-2 * width, 3 * width, int(rng.integers(20, 60))):
        draw.line((width / 2 + (x - width / 2) * 0.3, floor, x, height), fill=line, width=2)
    for k in np.linspace(0, 1, 8) ** 2:
        draw.line((0, floor + k * (height - floor), width, floor + k * (height - floor)), fill=line, width=2)
    return image


def _lattice(rng, width, height):
    """Fences, branches and cables: many lines of all thicknesses over a slow gradient."""
    image = _gradient(rng, width, height)
    draw = ImageDraw.Draw(image)
    for _ in range(rng.integers(20, 80)):
        ends = rng.uniform(-0.2, 1.2, 4) * (width, height, width, height)
        draw.line(tuple(ends), fill=_color(rng), width=int(rng.integers(1, 14)))
    return image
