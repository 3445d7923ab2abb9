"""The pool of training poses, what each of them says, and how often it is drawn.

Mocap knows little of sitting, kneeling or lying, so it is joined by its mirror image, by recombined bodies
(the arms of one, the legs of another), by parametric families and by the named poses of the lexicon.
Splits are by clip: every tenth clip is validation.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import roma
import torch

from finetune.data import families, named
from posegen import captions, posecodes
from posegen.lexicon import lexicon
from posegen.skeleton import forward_kinematics, mirror, remove_yaw

#: Share of draws from each source: mocap, mirrored mocap, recombined bodies, families, named poses.
SHARES = (0.20, 0.15, 0.15, 0.25, 0.25)
LEGS = [0, 1, 2, 4, 5, 7, 8]


class DataError(ValueError):
    """Training data that is missing or of the wrong form; the message says what to do."""


@dataclass
class PosePool:
    """N poses.

    Attributes:
        axis_angle: (N, 24, 3) float32, facing +Z.
        source: (N,) int64: 0 mocap, 1 mirrored, 2 recombined, 3 family, 4 named.
        names: N tuples of everyday names (families only).
        unit: (N,) int64: which named pose of lexicon()[1] it was made for, else -1.
        scores: (N, S) float32 statement scores.
        weight: (N,) float64, sums to 1: how often a pose is drawn.
    """

    axis_angle: torch.Tensor
    source: torch.Tensor
    names: list
    unit: torch.Tensor
    scores: torch.Tensor
    weight: torch.Tensor

    def __len__(self):
        return len(self.axis_angle)


def mocap(path, split: str) -> tuple[torch.Tensor, np.ndarray]:
    """Poses (N, 24, 3) facing +Z and their clip ids (N,) of split "train" or "val" (clips whose id ends in 7)."""
    if not Path(path).is_file():
        raise DataError(
            f"There is no pose file {Path(path).name}; "
            "make one with `python -m finetune data --source DIR --out FILE.npz`."
        )
    with np.load(path, allow_pickle=False) as data:
        poses, clip = data["poses"], data["clip"]
    keep = (clip % 10 == 7) == (split == "val")
    return remove_yaw(torch.from_numpy(poses[keep].astype(np.float32))), clip[keep]


def recombine(upper: torch.Tensor, lower: torch.Tensor) -> torch.Tensor:
    """Poses (N, 24, 3) with trunk, arms and head of `upper`, and pelvis and legs of `lower`."""
    out = upper.clone()
    out[:, LEGS] = lower[:, LEGS]
    return out


def density_weights(axis_angle: torch.Tensor, seed: int, clusters: int = 400) -> torch.Tensor:
    """(N,) weights that draw rare poses more often: 1 / (size of the pose's cluster) ** 0.7."""
    from scipy.cluster.vq import kmeans2, vq

    points = (
        torch.cat([forward_kinematics(roma.rotvec_to_rotmat(part))[0].flatten(1) for part in axis_angle.split(20_000)])
        .double()
        .numpy()
    )
    some = np.random.default_rng(seed).choice(len(points), min(12_000, len(points)), replace=False)
    centres, _ = kmeans2(points[some], min(clusters, len(some) // 4), iter=6, minit="points", seed=seed)
    label, _ = vq(points, centres)
    return torch.from_numpy(1 / np.bincount(label, minlength=len(centres))[label] ** 0.7)


def build_pool(path, split: str, num_families: int, num_recombined: int, seed: int, num_named: int = 0) -> PosePool:
    """The pool of a split, with up to `num_named` poses of each named pose; deterministic in the seed."""
    rng = np.random.default_rng([seed, split == "val"])
    real, _ = mocap(path, split)
    family = families.sample(num_families, seed=2 * seed + (split == "val"))
    made = torch.from_numpy(family.axis_angle)
    upright = torch.nonzero(real[:, 0].abs().sum(-1) < 0.7)[:, 0].numpy()
    third = num_recombined // 3
    pick = lambda pool: pool[torch.from_numpy(rng.choice(len(pool), third))]  # noqa: E731
    standing = real[torch.from_numpy(upright)]
    mixed = torch.cat(
        [
            recombine(pick(standing), pick(standing)),
            recombine(pick(standing), pick(made)),
            recombine(pick(made), pick(standing)),
        ]
    )
    mixed = mixed[torch.from_numpy(families.plausible(mixed.numpy()))] if len(mixed) else mixed
    parts = [real, mirror(real), mixed, made]
    axis_angle = remove_yaw(torch.cat(parts))
    scores = posecodes.scores(roma.rotvec_to_rotmat(axis_angle))
    told = named.sample(axis_angle, scores, num_named, seed)
    names = [()] * (len(axis_angle) - len(made)) + list(family.names) + [()] * len(told.unit)
    unit = torch.cat([torch.full((len(axis_angle),), -1), told.unit])
    source = torch.cat([torch.full((len(p),), i) for i, p in enumerate([*parts, told.unit])])
    axis_angle = torch.cat([axis_angle, told.axis_angle])
    scores = torch.cat([scores, posecodes.scores(roma.rotvec_to_rotmat(told.axis_angle))])
    weight = density_weights(axis_angle, seed)
    for i, share in enumerate(SHARES):
        mine = source == i
        weight[mine] *= share / weight[mine].sum().clamp_min(1e-12)
    return PosePool(axis_angle, source, names, unit, scores, weight / weight.sum())


def recipes() -> torch.Tensor:
    """(U + 1, S) bool: the statements of each named pose; the last row, which unit -1 finds, is empty."""
    return torch.cat([asserted([unit.statements for unit in lexicon()[1]]), torch.zeros(1, len(posecodes.NAMES))]) > 0


def caption_weight(pool: PosePool) -> torch.Tensor:
    """(N,) how often captions speak of a pose: two thirds of all of a named pose, one as often as it has wordings."""
    weight, named_poses = pool.weight.clone(), pool.unit >= 0
    if named_poses.any():
        wordings = torch.tensor([len(unit.wordings) for unit in lexicon()[1]], dtype=weight.dtype)
        poses = torch.bincount(pool.unit[named_poses], minlength=len(wordings))
        share = (wordings / poses.clamp_min(1))[pool.unit[named_poses]]
        weight[named_poses] = 2 * weight[~named_poses].sum() * share / share.sum()
    return weight / weight.sum()


def rarity(scores: torch.Tensor) -> torch.Tensor:
    """(S,) weights by which a caption prefers rare statements: 1 / sqrt(share of poses that make it)."""
    return 1 / ((scores >= 0).float().mean(0) + 0.005).sqrt()


def write_captions(pool: PosePool, index, rng: np.random.Generator, weights=None) -> list:
    """A caption of each pose in `index`; every Caption knows its statements."""
    weights = rarity(pool.scores) if weights is None else weights
    scores, weights = pool.scores.numpy(), weights.numpy()
    about = [lexicon()[1][unit] if unit >= 0 else None for unit in pool.unit[index].tolist()]
    return [
        captions.write(scores[i], rng, tags=pool.names[i], weights=weights, about=unit)
        for i, unit in zip(index, about, strict=True)
    ]


def asserted(statements) -> torch.Tensor:
    """(N, S) float32: 1 where a caption makes the statement, from N lists of statement indices."""
    out = torch.zeros(len(statements), len(posecodes.NAMES))
    for row, made in zip(out, statements, strict=True):
        row[list(made)] = 1
    return out
