"""Pictures of bodies: still, gallery, turntable, overlay on a photo, and synthetic photos.

pyrender draws in one dedicated thread, since a GL context belongs to the thread that made it; the one
OffscreenRenderer is never deleted, since deleting one breaks the others (its viewport changes instead).
Bodies are drawn alone, on black with alpha; floor shadow and background are composed in 2D, which is
cheaper than shadow maps on a CPU and has no acne.
"""

import math
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .body import BodyModel, embedded_body, ground
from .camera import Camera, Shot
from .pose import Pose

FIELD_OF_VIEW = math.radians(30)
MAX_SIDE = 1600  # longest side of an overlay; larger photos are scaled down
BODY_COLOR = (0.64, 0.75, 0.90)  # all colours are sRGB in [0, 1]
PEOPLE_COLORS = (BODY_COLOR, (0.93, 0.66, 0.48), (0.58, 0.78, 0.58), (0.80, 0.62, 0.82), (0.90, 0.80, 0.50))
BACKGROUND = ((0.965, 0.972, 0.98), (0.86, 0.88, 0.91))  # top, bottom
SHADOW_COLOR = np.array([0.20, 0.23, 0.30])
#: (direction to the light with the camera at +Z, colour, intensity): key, fill, rim.
LIGHTS = (
    ((0.50, 0.75, 0.70), (1.0, 0.97, 0.92), 3.3),
    ((-0.80, 0.25, 0.60), (0.85, 0.92, 1.0), 1.1),
    ((-0.30, 0.70, -0.85), (1.0, 1.0, 1.0), 1.6),
)
AMBIENT = (0.18, 0.19, 0.22)
NO_GL = (
    "No OpenGL (EGL) was found to draw with; on Debian or Ubuntu run: "
    "apt-get install libegl1 libgl1 libgl1-mesa-dri libegl-mesa0 libgles2"
)


class RenderError(RuntimeError):
    """Nothing can be drawn on this machine; the message says what to install."""


class Renderer:
    """Draws poses of one body; cheap to make, all renderers share one GL context."""

    def __init__(self, body: BodyModel | None = None):
        import scipy.sparse

        self.body = body or embedded_body()
        faces = self.body.faces
        rows, columns = faces.T.ravel(), np.tile(np.arange(len(faces)), 3)
        shape = (len(self.body.skin_weights), len(faces))
        self._faces_of_vertex = scipy.sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape)

    def still(
        self, pose: Pose, size=512, azimuth=20.0, elevation=8.0, color=BODY_COLOR, joint_colors=None, transparent=False
    ) -> Image.Image:
        """One pose on the ground, size x size pixels.

        Args:
            azimuth, elevation: where the camera stands, in degrees; 0, 0 looks at a forward-facing body's front,
                positive azimuth goes to the person's left.
            color: (3,) or (V, 3) sRGB in [0, 1].
            joint_colors: (24, 3), blended over the skin, instead of color.
            transparent: RGBA without background and shadow.
        """
        vertices = self._grounded([pose])[0]
        color = self._blended(joint_colors, color)
        view = _view(azimuth, elevation)
        return self._stage(vertices, view, _framing(vertices @ view.T), azimuth, size, color, transparent)

    def shot(self, pose: Pose, size=512, azimuth=20.0, elevation=8.0) -> Shot:
        """The camera of the `still` with the same arguments."""
        vertices, view = self.body.vertices([pose])[0], _view(azimuth, elevation)
        lift = ground(vertices)
        camera = Camera(_focal(size), lift @ view.T - _framing((vertices + lift) @ view.T))
        return Shot(camera, (size, size), view)

    def cutout(self, pose: Pose, shot: Shot, color=BODY_COLOR) -> Image.Image:
        """One pose alone as a shot shows it: RGBA of the shot's size, without background and shadow."""
        vertices = self.body.vertices([pose])[0]
        camera = shot.camera
        return _unpremultiplied(self._layer(vertices, shot.turn, camera.translation, camera.focal, shot.size, color))

    def gallery(
        self, poses: list[Pose], size=320, columns=None, labels=None, azimuth=20.0, elevation=8.0
    ) -> Image.Image:
        """A contact sheet of poses at one scale, size x size pixels each, with optional labels below."""
        surfaces, view = self._grounded(poses), _view(azimuth, elevation)
        across = surfaces @ view[0]
        surfaces = surfaces - ((across.min(1) + across.max(1)) / 2)[:, None, None] * view[0]  # each in its middle
        shot = _framing((surfaces @ view.T).reshape(-1, 3))
        tiles = [self._stage(vertices, view, shot, azimuth, size) for vertices in surfaces]
        return _contact_sheet(tiles, columns or min(len(tiles), 4), labels)

    def turntable(
        self, pose: Pose, frames=24, size=320, elevation=8.0, color=BODY_COLOR, joint_colors=None
    ) -> list[Image.Image]:
        """Frames of one full turn around a pose, starting at the front; see `still` and `save_animation`."""
        vertices, color = self._grounded([pose])[0], self._blended(joint_colors, color)
        angles = [360.0 * i / frames for i in range(frames)]
        vertices[:, [0, 2]] -= (vertices.min(0) + vertices.max(0))[[0, 2]] / 2  # turn about its own middle
        shot = _framing(np.concatenate([vertices @ _view(angle, elevation).T for angle in angles]))
        return [self._stage(vertices, _view(angle, elevation), shot, angle, size, color) for angle in angles]

    def overlay(self, photo: Image.Image, people: list[tuple[Pose, Camera]], alpha=0.85) -> Image.Image:
        """Bodies drawn over a photo, each with its own camera; nearer people hide farther ones.

        A photo with a side above MAX_SIDE comes back scaled down.
        """
        scale = min(1.0, MAX_SIDE / max(photo.size))
        photo = photo.convert("RGB")
        if scale < 1:
            photo = photo.resize([max(1, round(side * scale)) for side in photo.size], Image.Resampling.LANCZOS)
        if not people:
            return photo
        focal = people[0][1].focal * scale
        surfaces = []
        posed = self.body.vertices([pose for pose, _ in people])
        for i, (_, camera) in enumerate(people):
            vertices = posed[i] + camera.translation
            normals = self._normals(vertices)
            # One scene has one focal length: stretching depth alone leaves every pixel where it was.
            vertices[:, 2] *= focal / (camera.focal * scale)
            surfaces.append((vertices, normals, PEOPLE_COLORS[i % len(PEOPLE_COLORS)]))
        layer, depth = self._draw(surfaces, focal, photo.size, LIGHTS, AMBIENT)
        return _over(_darken_behind(layer, depth, focal), photo, alpha)

    def photo_like(
        self, vertices, color, background: Image.Image, camera: Camera,
        light_direction=(0.5, 0.8, 0.6), light_intensity=3.0, ambient=0.4,
    ) -> Image.Image:  # fmt: skip
        """A synthetic photo of one body, for training.

        Args:
            vertices: (V, 3) relative to the pelvis, as BodyModel.vertices gives them, turned as the camera sees them.
            color: (V, 3) sRGB, e.g. `clothes_colors`.
            background: the picture behind, whose size is the result's.
            light_direction: (3,) to the light in the camera frame.
        """
        vertices = vertices + camera.translation
        lights = [(light_direction, (1.0, 1.0, 1.0), light_intensity)]
        surface = (vertices, self._normals(vertices), color)
        layer, _ = self._draw([surface], camera.focal, background.size, lights, [ambient] * 3)
        return _over(layer, background, 1.0)

    def _blended(self, joint_colors, color):
        """Colours (24, 3) of joints blended over the skin, (V, 3); where there are none, `color`."""
        return color if joint_colors is None else self.body.skin_weights @ np.asarray(joint_colors, np.float32)

    def _grounded(self, poses) -> np.ndarray:
        vertices = self.body.vertices(poses)
        return vertices + ground(vertices)[:, None]

    def _normals(self, vertices: np.ndarray) -> np.ndarray:
        a, b, c = (vertices[self.body.faces[:, i]] for i in range(3))
        normals = self._faces_of_vertex @ np.cross(b - a, c - a)
        return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)

    def _stage(self, vertices, view, framing, azimuth, size, color=BODY_COLOR, transparent=False) -> Image.Image:
        """A grounded surface in the studio."""
        focal = _focal(size)
        layer = self._layer(vertices, view, -framing, focal, (size, size), color)
        if transparent:
            return _unpremultiplied(layer)
        picture = _backdrop(size)
        if view[1, 1] > 0 and view[2, 1] > 0:  # the camera sees the floor from above
            light = _view(azimuth, 0).T @ np.array(LIGHTS[0][0])
            shade = _floor_shadow(vertices, light, view, framing, focal, size)[..., None]
            picture = picture * (1 - shade) + SHADOW_COLOR * shade
        return _over(layer, Image.fromarray((picture * 255 + 0.5).astype(np.uint8)), 1.0)

    def _layer(self, vertices, view, translation, focal, size, color) -> np.ndarray:
        """A surface turned by `view` and moved, premultiplied RGBA; lights follow the camera around, not up."""
        up, forward = view[1:, 1]
        tilt = np.array([[1, 0, 0], [0, up, -forward], [0, forward, up]])
        lights = [(tilt @ direction, hue, power) for direction, hue, power in LIGHTS]
        # Light from the floor is dimmer than light from the sky: shade the colour by where the surface looks.
        normals = self._normals(vertices)
        color = np.asarray(color, np.float32) * (0.90 + 0.10 * normals[:, 1:2])
        surface = (vertices @ view.T + translation, normals @ view.T, color)
        layer, depth = self._draw([surface], focal, size, lights, AMBIENT)
        return _darken_behind(layer, depth, focal)

    def _draw(self, surfaces, focal, size, lights, ambient) -> tuple[np.ndarray, np.ndarray]:
        return _thread.submit(_draw, surfaces, self.body.faces, focal, size, lights, ambient).result()


def save_animation(frames: list[Image.Image], path, seconds=3.0) -> None:
    """Write frames as an endless .gif or .webp (by the path's suffix)."""
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=round(1000 * seconds / len(frames)), loop=0)


def clothes_colors(body: BodyModel, rng: np.random.Generator) -> np.ndarray:
    """Random skin, hair, top, trousers and shoes: sRGB (V, 3) float32 for `Renderer.photo_like`."""
    vertices, joints = body.rest()
    part, height = body.part, vertices[:, 1]
    tone = rng.uniform(0.15, 1.0)
    skin = np.array([0.36, 0.22, 0.15]) * (1 - tone) + np.array([0.96, 0.79, 0.68]) * tone
    top, trousers, shoes = (_cloth(rng) for _ in range(3))
    hair = np.array([0.13, 0.09, 0.06]) * rng.uniform(0.4, 5.0)
    sleeve, leg = rng.choice([0.0, 0.5, 0.6, 2.0]), rng.choice([0.35, 0.9, 2.0, 2.0])  # in bone lengths

    def along(start, end):
        """How far a vertex lies from joint start (0) to joint end (1)."""
        bone = joints[end] - joints[start]
        return (vertices - joints[start]) @ bone / (bone @ bone)

    color = np.tile(skin, (len(vertices), 1))
    color[np.isin(part, (3, 6, 9, 13, 14)) | ((part == 0) & (height > joints[0, 1] + 0.02))] = top
    color[(part == 0) & (height <= joints[0, 1] + 0.02)] = trousers
    for shoulder, elbow, wrist, hip, knee, ankle in ((16, 18, 20, 1, 4, 7), (17, 19, 21, 2, 5, 8)):
        color[(part == shoulder) & (along(shoulder, elbow) < sleeve)] = top
        color[(part == elbow) & (along(elbow, wrist) + 1 < sleeve)] = top
        color[(part == hip) & (along(hip, knee) < leg)] = trousers
        color[(part == knee) & (along(knee, ankle) + 1 < leg)] = trousers
    color[np.isin(part, (7, 8, 10, 11))] = shoes
    if rng.random() < 0.9:
        above, front = height - joints[15, 1], vertices[:, 2] - joints[15, 2]
        crown = height > height[part == 15].max() - 0.055
        color[(part == 15) & (((above > 0.03) & (front < 0.035)) | crown)] = hair
    _paint_eyes(color, body, vertices)
    return np.clip(color, 0, 1).astype(np.float32)


def _cloth(rng) -> np.ndarray:
    """Cloth is often grey-ish and seldom pure: a random grey mixed with a random hue."""
    return rng.uniform(0.04, 0.95) * (1 - (mix := rng.uniform(0, 0.8))) + rng.uniform(0, 1, 3) * mix


def _paint_eyes(color, body, vertices) -> None:
    """White eyeballs with a dark iris, where the eyeballs are pieces of their own (not in SMPL)."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    edges = body.faces[:, :2], body.faces[:, 1:]
    rows, columns = np.concatenate([e[:, 0] for e in edges]), np.concatenate([e[:, 1] for e in edges])
    count, piece = connected_components(coo_matrix((np.ones(len(rows)), (rows, columns)), (len(color),) * 2), False)
    for i in range(count if count == 3 else 0):
        eye = np.flatnonzero(piece == i)
        if len(eye) < len(color) / 2:
            outward = vertices[eye] - vertices[eye].mean(0)
            color[eye] = (0.93, 0.92, 0.90)
            color[eye[outward[:, 2] > 0.88 * np.linalg.norm(outward, axis=1)]] = (0.15, 0.10, 0.07)


# --- geometry of the studio


def _view(azimuth: float, elevation: float) -> np.ndarray:
    """Rotation (3, 3) from the world to a camera at azimuth, elevation (degrees) that looks at the origin."""
    a, e = math.radians(azimuth), math.radians(elevation)
    turn = np.array([[math.cos(a), 0, -math.sin(a)], [0, 1, 0], [math.sin(a), 0, math.cos(a)]])
    tilt = np.array([[1, 0, 0], [0, math.cos(e), -math.sin(e)], [0, math.sin(e), math.cos(e)]])
    return tilt @ turn


def _focal(size: int) -> float:
    """Focal length in pixels of a studio picture."""
    return size / 2 / math.tan(FIELD_OF_VIEW / 2)


def _framing(points: np.ndarray, fill=0.9) -> np.ndarray:
    """Where the camera must be, (3,) in view axes, for points (V, 3) to fill that share of the picture."""
    center = (points.min(0) + points.max(0)) / 2
    half = np.abs(points - center)[:, :2].max(1)
    distance = (points[:, 2] + half / (fill * math.tan(FIELD_OF_VIEW / 2))).max()
    return np.array([center[0], center[1], distance])


def _floor_shadow(vertices, light, view, framing, focal, size, texels=160) -> np.ndarray:
    """Share of light lost on the floor, (size, size): the body projected along the light, softer from higher up."""
    from scipy.ndimage import gaussian_filter, maximum_filter

    height = vertices[:, 1]
    low, high = vertices[:, [0, 2]].min(0), vertices[:, [0, 2]].max(0)
    reach = -light[[0, 2]] / light[1] * height.max()
    low, high = np.minimum(low, low + reach), np.maximum(high, high + reach)
    center, half = (low + high) / 2, (high - low).max() / 2 + 0.35
    texel = 2 * half / texels
    shade = np.zeros((texels, texels), np.float32)
    # (lowest and highest part of the body, blur in metres, depth, along the light or straight down)
    for bottom, top, blur, depth, slant in (
        (0.0, 0.06, 0.015, 0.62, 0), (0.0, 0.35, 0.05, 0.30, 0), (0.0, 0.8, 0.045, 0.30, 1), (0.6, 9.0, 0.10, 0.24, 1)
    ):  # fmt: skip
        part = (height >= bottom) & (height < top)
        floor = vertices[part][:, [0, 2]] - slant * height[part, None] * light[[0, 2]] / light[1]
        column, row = ((floor - center + half) / texel).astype(int).T
        mask = np.zeros_like(shade)
        mask[row, column] = 1
        mask = gaussian_filter(maximum_filter(mask, max(1, round(0.02 / texel))), blur / texel)
        shade = 1 - (1 - shade) * (1 - depth * mask)
    # Texture coordinates -> floor -> camera -> pixels is a homography; PIL wants its inverse.
    corner = np.array([center[0] - half, 0, center[1] - half]) @ view.T - framing
    across, along = view[:, 0] * texel, view[:, 2] * texel
    pixels = np.array([[focal, 0, -size / 2], [0, -focal, -size / 2], [0, 0, -1]]) @ np.stack(
        [across, along, corner], 1
    )
    inverse = np.linalg.inv(pixels)
    image = Image.fromarray((shade * 255).astype(np.uint8))
    coefficients = (inverse / inverse[2, 2]).ravel()[:8]
    warped = image.transform((size, size), Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BILINEAR)
    return np.asarray(warped, np.float32) / 255


def _backdrop(size: int) -> np.ndarray:
    """A plain studio backdrop (size, size, 3), lighter above and towards the middle."""
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    fade = np.clip(y + 0.35 * ((x - 0.5) ** 2 + (y - 0.45) ** 2), 0, 1)[..., None]
    return np.array(BACKGROUND[0]) * (1 - fade) + np.array(BACKGROUND[1]) * fade


def _darken_behind(layer, depth, focal, reach=0.05, strength=0.45) -> np.ndarray:
    """Shade what lies just behind something nearer (depth darkening, Luft et al. 2006), so that limbs stand out.

    Args:
        reach: metres over which the shade fades.
    """
    from scipy.ndimage import uniform_filter

    drawn = depth > 0
    if not drawn.any():
        return layer
    far = depth.max()
    depth = np.where(drawn, depth, far)
    width = max(3, round(reach * focal / np.median(depth[drawn])) | 1)
    around = uniform_filter(uniform_filter(depth, width), width)
    shade = 1 - strength * np.clip((depth - around) / 0.12, 0, 1)
    layer = layer.astype(np.float32)
    layer[..., :3] *= shade[..., None]
    return layer


def _contact_sheet(tiles, columns, labels) -> Image.Image:
    size, gap = tiles[0].width, 8
    line = size // 10 if labels else 0
    rows = -(-len(tiles) // columns)
    sheet = Image.new("RGB", (columns * (size + gap) + gap, rows * (size + line + gap) + gap), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(max(10, size // 18))
    for i, tile in enumerate(tiles):
        x, y = gap + i % columns * (size + gap), gap + i // columns * (size + line + gap)
        sheet.paste(tile, (x, y))
        if labels:
            draw.text((x + size / 2, y + size + line / 2), labels[i], fill=(60, 66, 78), font=font, anchor="mm")
    return sheet


def _over(layer: np.ndarray, below: Image.Image, alpha: float) -> Image.Image:
    """A premultiplied layer (h, w, 4) uint8 on a picture of its size."""
    layer = np.float32(alpha) * layer
    below = np.asarray(below.convert("RGB"), np.float32)
    return Image.fromarray((layer[..., :3] + below * (1 - layer[..., 3:] / 255) + 0.5).clip(0, 255).astype(np.uint8))


def _unpremultiplied(layer: np.ndarray) -> Image.Image:
    color = layer[..., :3] * (255 / np.maximum(layer[..., 3:], 1.0))
    return Image.fromarray(np.concatenate([color.clip(0, 255), layer[..., 3:]], -1).astype(np.uint8))


# --- the GL thread

_thread = ThreadPoolExecutor(1, "render")
_gl = {}  # what belongs to that thread


def _start_gl():
    if sys.platform == "linux":
        os.environ.setdefault("PYOPENGL_PLATFORM", "egl")  # before the import below
    try:
        import pyrender

        _gl["offscreen"] = pyrender.OffscreenRenderer(64, 64)
    except Exception as error:  # each layer (ctypes, PyOpenGL, EGL) fails in its own way
        raise RenderError(f"{NO_GL} ({type(error).__name__})") from error
    _gl["pyrender"] = pyrender


def _draw(surfaces, faces, focal, size, lights, ambient) -> tuple[np.ndarray, np.ndarray]:
    """Surfaces seen from the origin along -Z: premultiplied RGBA (h, w, 4) uint8 and depth (h, w), 0 = nothing.

    Args:
        surfaces: list of (vertices (V, 3) in the camera frame, normals (V, 3), color (3,) or (V, 3) sRGB).
        lights: list of (direction to the light, colour, intensity).
    """
    if not _gl:
        _start_gl()
    pyrender, offscreen = _gl["pyrender"], _gl["offscreen"]
    scene = pyrender.Scene(bg_color=[0.0, 0.0, 0.0, 0.0], ambient_light=ambient)
    for vertices, normals, color in surfaces:
        linear = np.broadcast_to(np.asarray(color, np.float32) ** 2.2, vertices.shape)  # the shader ends with ^ 1/2.2
        primitive = pyrender.Primitive(
            positions=vertices.astype(np.float32), normals=normals.astype(np.float32), indices=faces,
            color_0=np.ascontiguousarray(linear, np.float32),
            material=pyrender.MetallicRoughnessMaterial(metallicFactor=0.0, roughnessFactor=0.7),
        )  # fmt: skip
        scene.add(pyrender.Mesh([primitive]))
    depths = np.concatenate([-vertices[:, 2] for vertices, _, _ in surfaces])
    near = max(0.02, 0.9 * depths.min())
    camera = pyrender.IntrinsicsCamera(focal, focal, size[0] / 2, size[1] / 2, near, max(2 * near, 1.1 * depths.max()))
    scene.add(camera)
    for direction, color, intensity in lights:
        scene.add(pyrender.DirectionalLight(color, intensity), pose=_facing(direction))
    offscreen.viewport_width, offscreen.viewport_height = size
    return offscreen.render(scene, pyrender.RenderFlags.RGBA)


def _facing(direction) -> np.ndarray:
    """A node pose (4, 4) whose +Z points in a direction; pyrender's lights shine along -Z."""
    z = np.asarray(direction, float) / np.linalg.norm(direction)
    x = np.cross([0.0, 1.0, 0.0] if abs(z[1]) < 0.99 else [1.0, 0.0, 0.0], z)
    x /= np.linalg.norm(x)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([x, np.cross(z, x), z], 1)
    return pose
