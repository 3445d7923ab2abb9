"""Photos to learn from: rendered people read by the real BlazePose, and landmark sets simulated from them.

Both give, for a pose whose root rotation is in the camera frame (X right, Y up, looking along -Z), what
`posegen.photo.find_people` would see: renders at about 0.1 s each, simulation at some 20,000 a second.

    python -m finetune.data.photos --poses POSES.npz --out DIR --n 6000 --split train
"""

import argparse
from functools import cache
from pathlib import Path

import numpy as np
import roma
import torch
from PIL import Image, ImageFilter
from smplx.vertex_ids import vertex_ids

from finetune.data.scenes import SPLITS, background, dress
from posegen.body import embedded_body
from posegen.camera import Camera
from posegen.photo import LANDMARK_MIRROR, find_people, read_once
from posegen.skeleton import INDEX, PARENTS, mirror

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


def true_landmarks(rotations, betas) -> tuple[np.ndarray, np.ndarray]:
    """Where BlazePose's 33 landmarks and SMPL's 24 joints are on a body, without skinning the surface.

    Args:
        rotations: (N, 24, 3, 3) local rotations, root in the camera frame.
        betas: (N, 10) body shapes.
    Returns:
        landmarks (N, 33, 3) and joints (N, 24, 3), metres, float32, both relative to the pelvis joint.
    """
    rotations, betas = torch.as_tensor(rotations).float(), torch.as_tensor(betas).float()
    rest_joints, offsets, joint = _rest(betas)
    positions, globals_ = [torch.zeros_like(rest_joints[:, 0])], [rotations[:, 0]]
    for j in range(1, 24):
        p = PARENTS[j]
        bone = rest_joints[:, j] - rest_joints[:, p]
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


def turned(axis_angle, views: torch.Tensor) -> torch.Tensor:
    """Poses (N, 24, 3) facing +Z -> local rotations (N, 24, 3, 3) whose root is in the camera frame."""
    rotations = roma.rotvec_to_rotmat(torch.as_tensor(axis_angle).float())
    return torch.cat([(views @ rotations[:, 0])[:, None], rotations[:, 1:]], 1)


# --- renders


def render_dataset(poses, out_dir, n: int, seed: int = 0, split: str = "train", log=print) -> None:
    """Render n photos and read them with BlazePose, into out_dir/NNNNN.npz of 256 photos each; goes on where it stopped.

    A shard's content depends on (seed, split, shard number) only. Photos where nobody is found are left out.

    Args:
        poses: (P, 24, 3) axis-angle, Y up, facing +Z, or the path of an npz with such an array "poses".
        split: "val" has backgrounds and clothes patterns that "train" never shows.
    Writes:
        index (n,) into poses; axis_angle (n, 24, 3) with the root in the camera frame; betas (n, 10); joints (n, 24, 3)
        metres about the pelvis; focal (n,), translation (n, 3), frame (n, 2): the camera; landmarks_2d (n, 33, 2) pixels;
        landmarks_world (n, 33, 3); visibility (n, 33); box (n, 4): what `find_people` says; in
        validation also plain_world (n, 33, 3): the world landmarks of BlazePose called once on the photo, as a yardstick.
    """
    from posegen.render import Renderer

    if split not in SPLITS:
        raise ValueError(f"split must be one of {', '.join(SPLITS)}, not {split!r}.")
    if isinstance(poses, (str, Path)):
        with np.load(poses, allow_pickle=False) as data:
            poses = data["poses"]
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
    return {key: np.concatenate([shard[key] for shard in shards]) for key in shards[0]}


def render_photo(axis_angle, rng: np.random.Generator, renderer, split: str) -> tuple[Image.Image, dict]:
    """One synthetic photo of a pose (24, 3) facing +Z, and its truth (axis_angle, betas, joints, focal, translation, frame)."""
    from posegen.render import clothes_colors

    body = embedded_body()
    rotations = turned(axis_angle[None], random_views(rng, 1))
    betas = rng.normal(0, 1, 10).clip(-2.5, 2.5).astype(np.float32)
    vertices, joints = body.vertices(rotations, betas)[0], true_landmarks(rotations, betas[None])[1][0]
    width, height = (int(side) for side in rng.integers(320, 513, 2))
    camera = _frame(vertices, rng, width, height)
    color, light = clothes_colors(body, rng), rng.normal(0, 1, 3) + (0, 0.8, 1.0)
    skin = (body.part == INDEX["head"]) | np.isclose(color, color[_IDS["nose"]]).all(1)
    photo = renderer.photo_like(
        vertices, dress(color, body.rest()[0], skin, rng, split), background(rng, width, height, split), camera,
        light_direction=light, light_intensity=rng.uniform(1.0, 4.5), ambient=rng.uniform(0.15, 0.6),
    )  # fmt: skip
    truth = {
        "axis_angle": roma.rotmat_to_rotvec(rotations[0]).numpy(), "betas": betas, "joints": joints,
        "focal": np.float32(camera.focal), "translation": camera.translation, "frame": np.array((width, height)),
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
    yardstick = {"plain_world": min(read_once(photo), key=off, default=person).landmarks_world} if split == "val" else {}
    return {
        "index": np.int64(index), **truth, "landmarks_2d": person.landmarks_2d, "landmarks_world": person.landmarks_world,
        "visibility": person.visibility, "box": np.array(person.box, np.float32),
        **yardstick,
    }  # fmt: skip


def _frame(vertices, rng, width: int, height: int) -> Camera:
    """A camera of random focal length that shows the body at 50-95% of the picture, anywhere in it; 1 in 10 is cut a little."""
    focal = rng.uniform(0.8, 2.2) * max(width, height)
    fill = rng.uniform(0.5, 0.95) if rng.random() > 0.1 else rng.uniform(0.95, 1.25)
    extent = np.ptp(vertices[:, :2], axis=0)
    distance = max(focal * extent[1] / (fill * height), focal * extent[0] / (fill * width)) + vertices[:, 2].max()
    pixels = Camera(focal, (0, 0, -distance)).project(vertices, width, height)
    low, high, size = pixels.min(0), pixels.max(0), np.array((width, height))
    shift = rng.uniform(0, 1, 2) * (size - (high - low)) - low  # from one edge to the other
    return Camera(focal, (shift[0] * distance / focal, -shift[1] * distance / focal, -distance))


def _through_a_lens(photo: Image.Image, rng) -> Image.Image:
    """Blur, exposure and sensor noise."""
    photo = photo.filter(ImageFilter.GaussianBlur(rng.uniform(0, 1.2)))
    values = np.asarray(photo, np.float32) * rng.uniform(0.7, 1.2)
    values += rng.normal(0, rng.uniform(0, 8), (*values.shape[:2], 1))
    return Image.fromarray(values.clip(0, 255).astype(np.uint8))


# --- simulation


def main(arguments=None) -> None:
    parser = argparse.ArgumentParser(prog="python -m finetune.data.photos", description=render_dataset.__doc__.splitlines()[0])
    parser.add_argument("--poses", required=True, help="npz with poses (P, 24, 3) axis-angle, facing +Z")
    parser.add_argument("--out", required=True, help="folder for the shards; an interrupted run goes on")
    parser.add_argument("--n", type=int, required=True, help="number of photos")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--split", choices=SPLITS, default="train")
    args = parser.parse_args(arguments)
    torch.set_num_threads(1)  # a body of 12,004 vertices is skinned fastest on one
    render_dataset(args.poses, args.out, args.n, args.seed, args.split, log=lambda text: print(text, flush=True))


if __name__ == "__main__":
    main()
