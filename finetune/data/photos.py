"""Photos to learn from: rendered people read by the real BlazePose, and landmark sets simulated from them.

Both give, for a pose whose root rotation is in the camera frame (X right, Y up, looking along -Z), what
`posegen.photo.find_people` would see: renders at about 0.1 s each, simulation at some 20,000 a second.

    python -m finetune.data.photos --poses POSES.npz --out DIR --n 6000 --split train
"""

import argparse
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import roma
import torch
from PIL import Image, ImageFilter
from smplx.vertex_ids import vertex_ids

from finetune.data import datasets
from finetune.data.scenes import SPLITS, background, dress
from posegen.body import embedded_body
from posegen.camera import Camera
from posegen.photo import BODY, LANDMARK_MIRROR, find_people, mirror_landmarks, read_once
from posegen.skeleton import INDEX, PARENTS

SHARD = 256
_IDS = vertex_ids["smplh"]
#: Left and middle landmarks -> (joint they are rigid with, vertex or place near the rest surface, metres about the
#: pelvis); right ones are mirrored.
#: None is the joint itself. BlazePose's finger points are knuckles, so they are places, not tips.
SITES = {
    0: ("head", _IDS["nose"]),
    1: ("head", (0.016, 0.618, 0.114)), 2: ("head", _IDS["leye"]), 3: ("head", (0.044, 0.618, 0.102)),
    7: ("head", _IDS["lear"]), 9: ("head", (0.025, 0.521, 0.122)),
    11: ("left_shoulder", None), 13: ("left_elbow", None), 15: ("left_wrist", None),
    17: ("left_wrist", (0.755, 0.393, -0.030)), 19: ("left_wrist", (0.775, 0.401, 0.034)),
    21: ("left_wrist", (0.725, 0.361, 0.062)),
    23: ("left_hip", None), 25: ("left_knee", None), 27: ("left_ankle", None),
    29: ("left_ankle", _IDS["LHeel"]), 31: ("left_foot", (0.112, -0.949, 0.147)),
}  # fmt: skip
#: Bones that are longer or shorter together in a person, by the joint at their end.
PROPORTIONS = {
    "thighs": (4, 5), "shins": (7, 8), "trunk": (3, 6, 9, 12), "upper_arms": (18, 19), "forearms": (20, 21),
    "shoulders": (16, 17), "hips": (1, 2),
}  # fmt: skip
PROPORTION_STD = 0.07  # of the logarithm of lengths: the free body's own 0.02 is less than people in clothes show
SITE_STD = np.array([0.01] * 29 + [0.025] * 4, np.float32)  # metres: clothes and, at heels and toes, shoes
VISIBILITY_STD = 1.0  # of logits: real photos hide knees and ears otherwise than renders do
NEIGHBOURS = 24  # renders whose reading errors a simulated landmark set may borrow


def site_table() -> tuple[np.ndarray, np.ndarray]:
    """For each of the 33 landmarks its joint (33,) and its vertex (33,), -1 where the landmark is the joint itself."""
    vertices, _ = embedded_body().rest()
    joint, vertex = np.zeros(33, int), np.full(33, -1)
    for i, (name, place) in SITES.items():
        for k, sign in ((i, 1), (LANDMARK_MIRROR[i], -1))[: 1 if i == 0 else 2]:
            joint[k] = INDEX[name if sign > 0 else name.replace("left", "right")]
            if place is None:
                continue
            target = vertices[place] if isinstance(place, int) else np.array(place)
            vertex[k] = np.linalg.norm(vertices - target * (sign, 1, 1), axis=1).argmin()
    return joint, vertex


def true_landmarks(rotations, betas, stretch=None) -> tuple[np.ndarray, np.ndarray]:
    """Where BlazePose's 33 landmarks and SMPL's 24 joints are on a body, without skinning the surface.

    Args:
        rotations: (N, 24, 3, 3) local rotations, root in the camera frame.
        betas: (N, 10) body shapes.
        stretch: (N, 24) factors on the lengths of the bones that end in each joint, see `random_proportions`.
    Returns:
        landmarks (N, 33, 3) and joints (N, 24, 3), metres, float32, both relative to the pelvis joint.
    """
    rotations, betas = torch.as_tensor(rotations).float(), torch.as_tensor(betas).float()
    rest_joints, offsets, joint = _rest(betas)
    stretch = torch.ones(len(betas), 24) if stretch is None else torch.as_tensor(stretch)
    positions, globals_ = [torch.zeros_like(rest_joints[:, 0])], [rotations[:, 0]]
    for j in range(1, 24):
        p = PARENTS[j]
        bone = stretch[:, j, None] * (rest_joints[:, j] - rest_joints[:, p])
        positions.append(positions[p] + (globals_[p] @ bone[..., None])[..., 0])
        globals_.append(globals_[p] @ rotations[:, j])
    positions, globals_ = torch.stack(positions, 1), torch.stack(globals_, 1)
    landmarks = positions[:, joint] + (globals_[:, joint] @ offsets[..., None])[..., 0]
    return landmarks.numpy(), positions.numpy()


def _rest(betas: torch.Tensor):
    """Rest joints (N, 24, 3), landmark offsets from their joints (N, 33, 3), joint of each landmark (33,)."""
    joints, offsets, joint = _rest_basis()

    def mix(basis):
        return basis[0] + torch.einsum("nb,bjk->njk", betas, basis[1:] - basis[0])

    return mix(joints), mix(offsets), joint


@cache
def _rest_basis():
    """The same for the average body and for one unit of each shape number: everything is linear in shape."""
    body = embedded_body()
    joint, vertex = site_table()
    rest_joints, offsets = [], []
    for shape in np.concatenate([np.zeros((1, 10)), np.eye(10)]).astype(np.float32):
        vertices, joints = body.rest(shape)
        rest_joints.append(joints)
        offsets.append(np.where(vertex[:, None] >= 0, vertices[vertex] - joints[joint], 0))
    joints, offsets = (torch.from_numpy(np.stack(basis)).float() for basis in (rest_joints, offsets))
    return joints, offsets, torch.from_numpy(joint)


def random_views(rng: np.random.Generator, n: int) -> torch.Tensor:
    """Rotations (n, 3, 3) from a person facing +Z to the camera frame.

    Yaw all round, 55% within 60 degrees of the front; the camera looks down by 6 +- 10 degrees; 2 degrees of roll.
    """
    yaw = np.where(rng.random(n) < 0.55, rng.uniform(-60, 60, n), rng.uniform(-180, 180, n))
    pitch = rng.normal(6, 10, n).clip(-20, 45)
    angles = np.stack([rng.normal(0, 2, n), pitch, yaw], 1)
    return roma.euler_to_rotmat("ZXY", torch.from_numpy(angles).float(), degrees=True)


def random_shapes(rng: np.random.Generator, n: int) -> np.ndarray:
    """Body shapes (n, 10) float32."""
    return rng.normal(0, 1, (n, 10)).clip(-2.5, 2.5).astype(np.float32)


def random_proportions(rng: np.random.Generator, n: int) -> np.ndarray:
    """Factors (n, 24) float32 on bone lengths: lankier and stockier people than the free body knows.

    Without them a network takes everyone's legs to be equally long and reads short ones as bent.
    """
    stretch = np.ones((n, 24), np.float32)
    for joints in PROPORTIONS.values():
        stretch[:, joints] = np.exp(rng.normal(0, PROPORTION_STD, (n, 1)).clip(-0.15, 0.15))
    return stretch


def other_people(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Landmarks (N, 33, 3) moved to where they might be on other people, in clothes and shoes."""
    return points + rng.normal(0, 1, points.shape).astype(np.float32) * SITE_STD[:, None]


def other_visibility(visibility: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Visibilities (N, 33) as another photo might have them: shifted by person and by landmark."""
    seen = visibility.clip(1e-3, 1 - 1e-3)
    shift = rng.normal(0, VISIBILITY_STD, (len(seen), 1)) + rng.normal(0, VISIBILITY_STD, seen.shape)
    return (1 / (1 + (1 / seen - 1) * np.exp(-shift))).astype(np.float32)


def random_cameras(points: np.ndarray, rng: np.random.Generator, smallest: float = 0.5):
    """Cameras of all focal lengths that show each body at 50-95% of its picture, anywhere in it; 1 in 10 is cut.

    Args:
        points: (N, P, 3) of each body, turned as the camera sees it.
        smallest: another share than 50%.
    Returns:
        focal (N,), translation (N, 3) and frame (N, 2), the picture's width and height of 320-512 pixels.
    """
    n = len(points)
    frame = rng.integers(320, 513, (n, 2))
    focal = rng.uniform(0.8, 2.2, n) * frame.max(1)
    fill = np.where(rng.random(n) > 0.1, rng.uniform(smallest, 0.95, n), rng.uniform(0.95, 1.25, n))
    extent = np.ptp(points[..., :2], axis=1)
    distance = (focal[:, None] * extent / (fill[:, None] * frame)).max(1) + points[..., 2].max(1)
    scale = (focal[:, None] / (distance[:, None] - points[..., 2]))[..., None]
    pixels = points[..., :2] * scale  # about the picture's middle, y up
    low, high = pixels.min(1), pixels.max(1)
    corner = -frame / 2 + rng.random((n, 2)) * (frame - (high - low))  # from one edge to the other
    shift = (corner - low) * (distance / focal)[:, None]
    return focal.astype(np.float32), np.concatenate([shift, -distance[:, None]], 1).astype(np.float32), frame


def turned(axis_angle, views: torch.Tensor) -> torch.Tensor:
    """Poses (N, 24, 3) facing +Z -> local rotations (N, 24, 3, 3) whose root is in the camera frame."""
    rotations = roma.rotvec_to_rotmat(torch.as_tensor(axis_angle).float())
    return torch.cat([(views @ rotations[:, 0])[:, None], rotations[:, 1:]], 1)


# --- renders


def render_dataset(poses, out_dir, n: int, seed: int = 0, split: str = "train", log=print) -> None:
    """Render n photos and read them with BlazePose, into out_dir/NNNNN.npz of 256 each, the pictures into folders
    NNNNN; goes on where it stopped.

    A shard's content depends on (seed, split, shard number) only. Photos where nobody is found are left out.

    Args:
        poses: (P, 24, 3) axis-angle, Y up, facing +Z.
        split: "val" has backgrounds and clothes patterns that "train" never shows.
    Writes:
        index (n,): row of poses. Truth: axis_angle (n, 24, 3) with the root in the camera frame, betas (n, 10),
        joints (n, 24, 3) metres about the pelvis. Camera: focal (n,), translation (n, 3), frame (n, 2) width, height.
        What `find_people` says: landmarks_2d (n, 33, 2), landmarks_world (n, 33, 3), visibility (n, 33), box (n, 4).
        picture (n,): the file, relative to out_dir.
        In validation also the yardstick plain_world (n, 33, 3), BlazePose called once on the whole photo.
    """
    from posegen.render import Renderer

    if split not in SPLITS:
        raise ValueError(f"split must be one of {', '.join(SPLITS)}, not {split!r}.")
    out_dir = Path(out_dir)
    out_dir.mkdir(parents=True, exist_ok=True)
    renderer = Renderer()
    for shard, start in enumerate(range(0, n, SHARD)):
        file = out_dir / f"{shard:05d}.npz"
        if file.exists():
            continue
        rng = np.random.default_rng([seed, SPLITS.index(split), shard])
        count = min(SHARD, n - start)
        rows = [row for _ in range(count) if (row := _render_row(poses, rng, renderer, split))]
        file.with_suffix("").mkdir(exist_ok=True)
        for i, row in enumerate(rows):
            row["picture"].save(picture := file.with_suffix("") / f"{i:03d}.jpg", quality=92)
            row["picture"] = np.array(str(picture.relative_to(out_dir)))
        partial = file.with_suffix(".partial")
        with open(partial, "wb") as stream:
            np.savez_compressed(stream, **{key: np.stack([row[key] for row in rows]) for key in rows[0]})
        partial.rename(file)
        log(f"{file.name}: {start + count}/{n}, nobody found in {count - len(rows)} of {count}")


def load_renders(folder) -> dict[str, np.ndarray]:
    """All shards of a folder as one dictionary of arrays (see `render_dataset`)."""
    shards = [dict(np.load(file, allow_pickle=False)) for file in sorted(Path(folder).glob("*.npz"))]
    if not shards:
        raise FileNotFoundError(f"There are no renders in {folder}; make them with `python -m finetune.data.photos`.")
    rows = {key: np.concatenate([shard[key] for shard in shards]) for key in shards[0]}
    if "picture" in rows:
        rows["picture"] = np.array([str(Path(folder) / name) for name in rows["picture"]])
    return rows


def render_photo(axis_angle, rng: np.random.Generator, renderer, split: str) -> tuple[Image.Image, dict]:
    """One synthetic photo of a pose (24, 3) facing +Z, and its truth and camera (the keys of `render_dataset`)."""
    from posegen.render import clothes_colors

    body = embedded_body()
    rotations, betas = turned(axis_angle[None], random_views(rng, 1)), random_shapes(rng, 1)
    vertices, (_, joints) = body.vertices(rotations, betas), true_landmarks(rotations, betas)
    focal, translation, frame = random_cameras(vertices, rng)
    color, light = clothes_colors(body, rng), rng.normal(0, 1, 3) + (0, 0.8, 1.0)
    skin = (body.part == INDEX["head"]) | np.isclose(color, color[_IDS["nose"]]).all(1)
    photo = renderer.photo_like(
        vertices[0], dress(color, body.rest()[0], skin, rng, split), background(rng, *frame[0].tolist(), split),
        Camera(focal[0], translation[0]), light_direction=light, light_intensity=rng.uniform(1.0, 4.5),
        ambient=rng.uniform(0.15, 0.6),
    )  # fmt: skip
    truth = {
        "axis_angle": roma.rotmat_to_rotvec(rotations[0]).numpy(), "betas": betas[0], "joints": joints[0],
        "focal": focal[0], "translation": translation[0], "frame": frame[0],
    }  # fmt: skip
    return _through_a_lens(photo, rng), truth


def _render_row(poses, rng, renderer, split) -> dict | None:
    """Truth and BlazePose's reading of one random pose; None where it does not find the person."""
    index = int(rng.integers(len(poses)))
    photo, truth = render_photo(poses[index], rng, renderer, split)
    width, height = truth["frame"]
    pixels = Camera(truth["focal"], truth["translation"]).project(truth["joints"], width, height)
    middle, reach = pixels.mean(0), 0.25 * np.ptp(pixels, axis=0).max()

    def off(person):
        return np.linalg.norm(person.landmarks_2d.mean(0) - middle)

    person = min(find_people(photo), key=off, default=None)
    if person is None or off(person) > reach:
        return None
    row = {"index": np.int64(index), "picture": photo, **truth, "box": np.array(person.box, np.float32)}
    row |= {key: getattr(person, key) for key in ("landmarks_2d", "landmarks_world", "visibility")}
    if split == "val":
        row["plain_world"] = min(read_once(photo), key=off, default=person).landmarks_world
    return row


def _through_a_lens(photo: Image.Image, rng) -> Image.Image:
    """Blur, exposure and sensor noise."""
    photo = photo.filter(ImageFilter.GaussianBlur(rng.uniform(0, 1.2)))
    values = np.asarray(photo, np.float32) * rng.uniform(0.7, 1.2)
    values += rng.normal(0, rng.uniform(0, 8), (*values.shape[:2], 1))
    return Image.fromarray(values.clip(0, 255).astype(np.uint8))


# --- simulation


@dataclass
class ReadingErrors:
    """What BlazePose gets wrong, learnt from renders and their mirror images.

    Its errors depend on the pose and the view and hang together along limbs and in depth, which no independent noise
    has. So a simulated reading is the truth, plus a linear part (it flattens depth), plus the whole leftover error of
    a render whose body looks alike.

    Attributes:
        keys: (M, 39) true positions of nose and limbs about the hips, by which renders are looked up.
        linear: (40, 198) regression of errors on key and 1.
        leftover: (M, 198) what the regression leaves: world (99), pixels in units of the person's size (66), logit of
            visibility (33).
    """

    keys: np.ndarray
    linear: np.ndarray
    leftover: np.ndarray

    @classmethod
    def fit(cls, renders: dict[str, np.ndarray]) -> "ReadingErrors":
        """Learn from the arrays of `load_renders`."""
        rotations = roma.rotvec_to_rotmat(torch.from_numpy(renders["axis_angle"]))
        points, _ = true_landmarks(rotations, renders["betas"])
        frame = renders["frame"].astype(np.float32)
        pixels = _project(points, renders["focal"], renders["translation"], frame)
        truth = (pixels, _about_hips(points), np.ones(points.shape[:2], np.float32))
        read = (renders["landmarks_2d"], _about_hips(renders["landmarks_world"]), renders["visibility"])
        both = [(truth, read), (mirror_landmarks(*truth, frame), mirror_landmarks(*read, frame))]
        keys = np.concatenate([_key(t[1]) for t, _ in both])
        errors = np.concatenate([_error(t, r) for t, r in both])
        inputs = np.concatenate([keys, np.ones((len(keys), 1), np.float32)], 1)
        linear = np.linalg.solve(inputs.T @ inputs + 10 * np.eye(40), inputs.T @ errors).astype(np.float32)
        return cls(keys, linear, (errors - inputs @ linear).astype(np.float32))

    def read(self, pixels, points, rng: np.random.Generator):
        """Simulated readings (pixels, world, visibility) of true pixels (N, 33, 2) and landmarks (N, 33, 3)."""
        world, size = _about_hips(points), _size(pixels)
        keys = _key(world)
        inputs = np.concatenate([keys, np.ones((len(keys), 1), np.float32)], 1)
        error = inputs @ self.linear + self.leftover[self._alike(keys, rng)]
        world = world + error[:, :99].reshape(-1, 33, 3)
        pixels = pixels + error[:, 99:165].reshape(-1, 33, 2) * size[:, None, None]
        return pixels, _about_hips(world), 1 / (1 + np.exp(-error[:, 165:]))

    def _alike(self, keys, rng, chunk: int = 4096) -> np.ndarray:
        """For each key (N, 39) the row of a random one of its nearest renders."""
        known, rows = torch.from_numpy(self.keys), []
        count = min(NEIGHBOURS, len(known))
        for part in torch.from_numpy(keys).split(chunk):
            near = torch.cdist(part, known).topk(count, largest=False).indices.numpy()
            rows.append(near[np.arange(len(part)), rng.integers(count, size=len(part))])
        return np.concatenate(rows)


def simulate_landmarks(poses, errors: ReadingErrors, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """What BlazePose would read of poses (N, 24, 3) facing +Z, each with a random body, view and camera.

    Returns:
        the arrays of `load_renders`, without box; also stretch (N, 24), the proportions of the body that is read.
    """
    n = len(poses)
    rotations, betas = turned(poses, random_views(rng, n)), random_shapes(rng, n)
    stretch = random_proportions(rng, n)
    points, joints = true_landmarks(rotations, betas, stretch)
    focal, translation, frame = random_cameras(points, rng, smallest=0.2)
    points = other_people(points, rng)
    pixels, world, visibility = errors.read(_project(points, focal, translation, frame), points, rng)
    visibility = other_visibility(visibility, rng)
    return {
        "index": np.arange(n), "axis_angle": roma.rotmat_to_rotvec(rotations).numpy(), "betas": betas, "joints": joints,
        "focal": focal, "translation": translation, "frame": frame, "landmarks_2d": pixels.astype(np.float32),
        "landmarks_world": world.astype(np.float32), "visibility": visibility.astype(np.float32), "stretch": stretch,
    }  # fmt: skip


def stretch_renders(renders: dict[str, np.ndarray], rng: np.random.Generator) -> dict[str, np.ndarray]:
    """The same renders as if each showed another person in the same pose, with BlazePose's errors as they were.

    Returns:
        axis_angle, frame and the three readings of `load_renders`.
    """
    rotations = roma.rotvec_to_rotmat(torch.from_numpy(renders["axis_angle"]))
    bodies = [rotations, renders["betas"]]
    before, after = (true_landmarks(*bodies, s)[0] for s in (None, random_proportions(rng, len(rotations))))
    after = other_people(after, rng)
    camera = (renders["focal"], renders["translation"], renders["frame"].astype(np.float32))
    return {
        "axis_angle": renders["axis_angle"], "frame": renders["frame"],
        "visibility": other_visibility(renders["visibility"], rng),
        "landmarks_2d": renders["landmarks_2d"] + _project(after, *camera) - _project(before, *camera),
        "landmarks_world": renders["landmarks_world"] + _about_hips(after) - _about_hips(before),
    }  # fmt: skip


def _project(points, focal, translation, frame) -> np.ndarray:
    """Pixels (N, P, 2) of points (N, P, 3) under N cameras (see `posegen.camera.Camera`)."""
    points = points + translation[:, None]
    scale = (focal[:, None] / np.maximum(-points[..., 2], 1e-6))[..., None]
    return frame[:, None] / 2 + scale * points[..., :2] * np.float32((1, -1))


def _about_hips(points) -> np.ndarray:
    return points - points[:, 23:25].mean(1, keepdims=True)


def _key(world) -> np.ndarray:
    return np.ascontiguousarray(world[:, list(BODY)].reshape(len(world), -1), np.float32)


def _size(pixels) -> np.ndarray:
    """Size of people in pixels (N,), from true landmarks (N, 33, 2)."""
    return np.linalg.norm(pixels - pixels.mean(1, keepdims=True), axis=-1).mean(1)


def _error(truth, read) -> np.ndarray:
    """Errors (N, 198) of readings (pixels, world, visibility) against the truth."""
    seen = read[2].clip(1e-3, 1 - 1e-3)
    pixels = (read[0] - truth[0]) / _size(truth[0])[:, None, None]
    parts = (read[1] - truth[1], pixels, np.log(seen / (1 - seen)))
    return np.concatenate([part.reshape(len(seen), -1) for part in parts], 1)


def main(arguments=None) -> None:
    summary = render_dataset.__doc__.splitlines()[0]
    parser = argparse.ArgumentParser(prog="python -m finetune.data.photos", description=summary)
    parser.add_argument("--poses", required=True, help="pose file, of which the clips of the split are shown")
    parser.add_argument("--out", required=True, help="folder for the shards; an interrupted run goes on")
    parser.add_argument("--n", type=int, required=True, help="number of photos")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--split", choices=SPLITS, default="train")
    args = parser.parse_args(arguments)
    torch.set_num_threads(1)  # a body of 12,004 vertices is skinned fastest on one
    poses, _ = datasets.mocap(args.poses, args.split)
    render_dataset(poses.numpy(), args.out, args.n, args.seed, args.split, log=lambda text: print(text, flush=True))


if __name__ == "__main__":
    main()
