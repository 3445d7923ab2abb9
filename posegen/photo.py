"""Photo -> people: a safe door for pictures, BlazePose landmarks for everyone in them, features for a network.

Landmarks are BlazePose's 33 (MediaPipe pose landmarker, "full" model). World landmarks are given in our Y-up
camera frame: X to the right of the picture, Y up, Z towards the camera, metres, origin between the hips.
(MediaPipe's own has Y down and Z away from the camera.) Pixels have x to the right and y down.
"""

import ctypes
import io
import os
import threading
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from posegen.weights import ensure

MAX_FILE_BYTES = 25 * 2**20
MAX_PIXELS = 64_000_000
MAX_SIDE = 2048  # larger photos are reduced: BlazePose reads 256 pixels a person
MIN_SIDE = 32
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")  # a closed list: Pillow would run Ghostscript on an EPS

LANDMARKS = (
    "nose", "left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye", "right_eye_outer",
    "left_ear", "right_ear", "mouth_left", "mouth_right", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_pinky", "right_pinky", "left_index", "right_index",
    "left_thumb", "right_thumb", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
    "left_heel", "right_heel", "left_foot_index", "right_foot_index",
)  # fmt: skip
LANDMARK_MIRROR = (0, 4, 5, 6, 1, 2, 3, 8, 7, 10, 9, *(i + (1 if i % 2 else -1) for i in range(11, 33)))
TORSO = (11, 12, 23, 24)
BODY = (0, *range(11, 17), *range(23, 29))  # nose and the 12 limb landmarks: what a person is judged by
#: The 12 landmarks that are SMPL limb joints, in the order of skeleton.LIMBS.
LIMB_LANDMARKS = (11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28)

MAX_PEOPLE = 20
TILE_SIZES = (1.0, 0.6, 0.36)  # of the photo's short side
SMALL_PERSON = 0.45  # of the photo's short side: below this the whole-photo pass is likely to have missed others
MIN_PERSON = 24  # pixels: below this the landmarks say nothing about a pose
MIN_SCORE, MIN_TILE_SCORE = 0.35, 0.6  # tiles show furniture and foliage enlarged, so they have to be surer
MAX_DISAGREEMENT = 0.12  # of the person's size, mean over BODY between two readings: people 0.01-0.08, bricks 0.4-1.6


class PhotoError(ValueError):
    """A picture that cannot be used; the message is one sentence naming the fix."""


@dataclass
class Detection:
    """One person in a photo.

    Attributes:
        box: (x0, y0, x1, y1) pixels, inside the photo.
        landmarks_2d: (33, 2) float32 pixels, may lie outside the photo.
        landmarks_world: (33, 3) float32 metres, Y-up camera frame, origin between the hips.
        visibility: (33,) float32, 0 to 1.
        score: 0 to 1, how surely this is a person seen well: mean visibility of nose and limbs.
    """

    box: tuple[float, float, float, float]
    landmarks_2d: np.ndarray
    landmarks_world: np.ndarray
    visibility: np.ndarray
    score: float

    @property
    def size(self) -> float:
        """The longer side of the box in pixels."""
        return max(self.box[2] - self.box[0], self.box[3] - self.box[1])


def load_photo(source) -> Image.Image:
    """Any reasonable picture as an upright RGB image of at most 2048 pixels a side.

    Boxes, landmarks and overlays are in pixels of the image returned here.

    Args:
        source: a path, the bytes of a file, or a PIL image.
    Raises:
        PhotoError: not a picture, truncated, too small, over 64 megapixels or 25 MiB.
    """
    try:
        image = source if isinstance(source, Image.Image) else _open(source)
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise PhotoError(
                f"The photo has {width * height / 1e6:.0f} megapixels; reduce it below {MAX_PIXELS // 10**6}."
            )
        if min(width, height) < MIN_SIDE:
            raise PhotoError(f"The photo is only {width} x {height} pixels; use one of at least {MIN_SIDE} a side.")
        image.draft(None, (MAX_SIDE, MAX_SIDE))  # lets the JPEG decoder skip most of a huge photo
        image.load()
        return _upright_rgb(image)
    except PhotoError:
        raise
    except Image.DecompressionBombError:
        raise PhotoError(f"The photo is far too large; reduce it below {MAX_PIXELS // 10**6} megapixels.") from None
    except Exception as error:  # damaged files make decoders raise OSError, SyntaxError, ValueError, struct.error...
        if "truncated" in str(error).lower():
            raise PhotoError("The photo file is cut short; copy or download it again.") from None
        raise PhotoError(
            f"The photo file is damaged and cannot be decoded ({type(error).__name__}); save it again as JPEG or PNG."
        ) from None


def _open(source) -> Image.Image:
    """Open (not yet decode) a path or bytes."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        name, size, file = "The photo", len(source), io.BytesIO(source)
    else:
        path = Path(source)
        if not path.is_file():
            raise PhotoError(f"There is no photo file {path.name}; check the path.")
        name, size, file = path.name, path.stat().st_size, path
    if size > MAX_FILE_BYTES:
        raise PhotoError(f"{name} is {size / 2**20:.0f} MiB; use a photo of at most {MAX_FILE_BYTES >> 20} MiB.")
    try:
        return Image.open(file, formats=FORMATS)
    except UnidentifiedImageError:
        raise PhotoError(f"{name} is not a picture that can be read; use a JPEG, PNG or WebP file.") from None


def _upright_rgb(image: Image.Image) -> Image.Image:
    """Decoded picture of any mode -> RGB, turned as EXIF says, alpha laid on white, at most MAX_SIDE."""
    if max(image.size) > MAX_SIDE:
        image = image.copy()  # thumbnail works in place, and the caller's picture is not ours to shrink
        if image.mode in ("P", "PA"):
            image = image.convert("RGBA")
        image.thumbnail((MAX_SIDE, MAX_SIDE), reducing_gap=2.0)
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith(("I", "F")):  # 16 or 32 bits a pixel: plain convert() would clip everything to white
        values = np.nan_to_num(np.asarray(image, np.float32))
        top = next((t for t in (1.0, 255.0, 65535.0) if values.max() <= t), float(values.max()))
        return Image.fromarray((values.clip(0) * (255 / top)).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")


def find_people(photo: Image.Image) -> list[Detection]:
    """Everyone BlazePose finds in an RGB photo (see `load_photo`), largest first; empty when there is nobody.

    The whole photo is looked at once. Where that finds nobody, or only small people, overlapping tiles are searched
    too, since the detector needs a person at about a quarter of what it sees. Each person is then read again from an
    own mirrored crop, and the two readings are averaged; whoever was seen only in a tile counts only if they agree.

    Raises:
        WeightsError: BlazePose cannot be fetched.
    """
    image = np.ascontiguousarray(photo)
    height, width = image.shape[:2]
    people = _without_duplicates([_reread(image, p) or p for p in read_once(photo)])
    if not people or max(p.size for p in people) < SMALL_PERSON * min(width, height):
        tiled = [p for tile in _tiles(width, height) for p in _detect(image, tile) if _clear(p, tile)]
        fresh = _without_duplicates(people + tiled)[: 2 * MAX_PEOPLE]
        again = [_reread(image, p) for p in fresh if not any(p is q for q in people)]
        people = _without_duplicates(people + [p for p in again if p])
    return sorted(people, key=lambda p: -p.size)[:MAX_PEOPLE]


def read_once(photo: Image.Image) -> list[Detection]:
    """BlazePose called once on the whole photo, nothing added: the yardstick that `find_people` is measured against."""
    return _detect(np.ascontiguousarray(photo), (0, 0, *photo.size))


@cache
def _landmarker():
    """The MediaPipe landmarker, its module and its lock, made once a process (0.1 s)."""
    os.environ.setdefault("GLOG_minloglevel", "2")  # its C++ side narrates on stderr
    import mediapipe as mp
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.PoseLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(ensure("blazepose"))),
        num_poses=6,
        min_pose_detection_confidence=0.2,
        min_pose_presence_confidence=0.3,
    )
    landmarker = vision.PoseLandmarker.create_from_options(options)
    # Its __del__ fails with a traceback at interpreter exit, so it is never collected: it lives as long as the process.
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(landmarker))
    return landmarker, mp, threading.Lock()


def _detect(image: np.ndarray, region: tuple[int, int, int, int]) -> list[Detection]:
    """People in one region (x0, y0, x1, y1) of an RGB array, in the pixels of the whole array."""
    landmarker, mp, lock = _landmarker()
    x0, y0, x1, y1 = region
    crop = np.ascontiguousarray(image[y0:y1, x0:x1])
    with lock:
        result = landmarker.detect(mp.Image(image_format=mp.ImageFormat.SRGB, data=crop))
    people = []
    for flat, world in zip(result.pose_landmarks, result.pose_world_landmarks, strict=True):
        points = np.array([(p.x, p.y, p.visibility) for p in flat], np.float32)
        points[:, :2] = points[:, :2] * (x1 - x0, y1 - y0) + (x0, y0)
        metres = np.array([(p.x, -p.y, -p.z) for p in world], np.float32)
        person = _detection(points[:, :2], metres, points[:, 2], image.shape[1], image.shape[0])
        if person.size >= MIN_PERSON and person.score >= MIN_SCORE:
            people.append(person)
    return people


def _detect_mirrored(image: np.ndarray, region) -> list[Detection]:
    """People in the mirror image of a region, given as they are in the image."""
    x0, y0, x1, y1 = region
    height, width = image.shape[:2]
    size, people = (x1 - x0, y1 - y0), []
    for p in _detect(image[y0:y1, x0:x1][:, ::-1], (0, 0, *size)):
        pixels, metres, visibility = mirror_landmarks(p.landmarks_2d, p.landmarks_world, p.visibility, size)
        people.append(_detection(pixels + np.float32((x0, y0)), metres, visibility, width, height))
    return people


def _detection(pixels, metres, visibility, width: int, height: int) -> Detection:
    low, high = pixels.min(0), pixels.max(0)
    size = (high - low).max()  # landmarks end at the eyes and the ankles' middle; a body does not
    x0, y0 = np.clip(low - size * np.float32((0.04, 0.08)), 0, (width, height))
    x1, y1 = np.clip(high + size * np.float32((0.04, 0.03)), 0, (width, height))
    box = (float(x0), float(y0), float(x1), float(y1))
    return Detection(box, pixels.copy(), metres, visibility.copy(), float(visibility[list(BODY)].mean()))


def _tiles(width: int, height: int):
    """Square regions covering the photo at each scale, half overlapping."""
    short = min(width, height)
    for scale in TILE_SIZES:
        side = round(short * scale)
        if side < 2 * MIN_PERSON or (width == height and scale == 1.0):
            continue
        across = np.linspace(0, width - side, int(np.ceil((width - side) / (side / 2))) + 1)
        down = np.linspace(0, height - side, int(np.ceil((height - side) / (side / 2))) + 1)
        yield from ((int(x), int(y), int(x) + side, int(y) + side) for y in down for x in across)


def _clear(person: Detection, tile) -> bool:
    """Whether a person is seen well in a tile; a body cut by its edge is guessed at, not seen."""
    points = person.landmarks_2d
    inside = ((points >= tile[:2]) & (points <= tile[2:])).all(1).mean()
    return person.score >= MIN_TILE_SCORE and inside > 0.8


def _without_duplicates(people: list[Detection]) -> list[Detection]:
    """The surest of every set of detections that are one person."""
    kept = []
    for person in sorted(people, key=lambda p: -p.score):
        if not any(_same(person, other) for other in kept):
            kept.append(person)
    return kept


def _same(a: Detection, b: Detection) -> bool:
    centre = np.linalg.norm(a.landmarks_2d[list(TORSO)].mean(0) - b.landmarks_2d[list(TORSO)].mean(0))
    return bool(centre < 0.1 * max(a.size, b.size)) or _overlap(a.box, b.box) > 0.45


def _overlap(a, b) -> float:
    """Intersection over union of two boxes."""
    shared = max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))
    area = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
    return shared / max(area, 1e-6)


def _reread(image: np.ndarray, person: Detection) -> Detection | None:
    """The mean of a person's landmarks and those of a mirrored crop 1.3 times the box; None where they disagree.

    The mirrored crop's errors are other errors: on 101 renders the mean has 74.6 mm PA-MPJPE where either has 78.6.
    """
    height, width = image.shape[:2]
    x0, y0, x1, y1 = person.box
    cx, cy, half = (x0 + x1) / 2, (y0 + y1) / 2, 0.65 * person.size
    region = (max(0, int(cx - half)), max(0, int(cy - half)), min(width, int(cx + half)), min(height, int(cy + half)))
    for read in (_detect_mirrored, _detect):
        again = min(read(image, region), key=lambda p: _disagreement(p, person), default=None)
        if again is not None and _disagreement(again, person) < MAX_DISAGREEMENT:
            names = ("landmarks_2d", "landmarks_world", "visibility")
            return _detection(*((getattr(person, n) + getattr(again, n)) / 2 for n in names), width, height)
    return None


def _disagreement(a: Detection, b: Detection) -> float:
    """Mean distance of the body's landmarks in two readings, in units of the second's size."""
    body = list(BODY)
    return float(np.linalg.norm(a.landmarks_2d[body] - b.landmarks_2d[body], axis=1).mean() / b.size)


def landmark_features(landmarks_2d, landmarks_world, visibility, frame) -> np.ndarray:
    """What a network reads of one or many people.

    Args:
        landmarks_2d: (..., 33, 2) pixels.
        landmarks_world: (..., 33, 3) metres, Y-up camera frame.
        visibility: (..., 33).
        frame: (..., 2) or (2,) width and height of the photo in pixels.
    Returns:
        (..., 201) float32: world landmarks about the hips in half metres (99), landmarks in the picture about the
        hips in units of the person's size with y up (66), visibility (33), and where the person is: offset from the
        photo's middle with y up, and size, as shares of the photo's longer side (3).
    """
    pixels = np.asarray(landmarks_2d, np.float32) * np.float32((1, -1))
    world = np.asarray(landmarks_world, np.float32)
    frame = np.asarray(frame, np.float32)
    longer = frame.max(-1, keepdims=True)
    hips = pixels[..., 23:25, :].mean(-2)
    pixels = pixels - hips[..., None, :]
    size = np.sqrt(np.square(pixels[..., list(BODY), :]).sum(-1).mean(-1, keepdims=True)).clip(1e-3)  # (..., 1)
    place = np.concatenate([(hips - frame * np.float32((0.5, -0.5))) / longer, size / longer], -1)
    world = (world - world[..., 23:25, :].mean(-2, keepdims=True)) / 0.5
    flat = [a.reshape(*a.shape[:-2], -1) for a in (world, pixels / size[..., None])]
    return np.concatenate([*flat, np.asarray(visibility, np.float32), place], -1).clip(-10, 10)


def mirror_landmarks(landmarks_2d, landmarks_world, visibility, frame):
    """The landmarks of the mirrored photo (shapes as in `landmark_features`): left becomes right, x is turned round."""
    order = list(LANDMARK_MIRROR)
    pixels = np.array(landmarks_2d, np.float32)[..., order, :]
    pixels[..., 0] = np.asarray(frame, np.float32)[..., 0, None] - pixels[..., 0]
    world = np.asarray(landmarks_world, np.float32)[..., order, :] * np.float32((-1, 1, 1))
    return pixels, world, np.asarray(visibility, np.float32)[..., order]
