"""What a policy can do, in figures that no training loss sees: one command, one JSON and one markdown table.

Words: captions of validation clips; the share of each caption's statements that hold for the poses drawn (a rule, not a
network, judges).  Photos: joint errors on renders of validation clips with unseen clothes and backgrounds.
"""

import json
import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from finetune.data import datasets, photos
from posegen import captions, posecodes
from posegen.photo import LIMB_LANDMARKS
from posegen.policy import PosePolicy
from posegen.skeleton import LIMBS, forward_kinematics, remove_yaw

VAGUE = "a person stands"
PRECISE = tuple(
    f"standing upright, feet together, legs straight, {arms}"
    for arms in (
        "both arms stretched out to the sides at shoulder height, elbows straight",
        "both hands on the hips, elbows bent at right angles",
        "both arms raised straight overhead, hands together",
        "both arms stretched forward at shoulder height, elbows straight, hands together",
        "both arms straight and hanging down at the sides",
    )
)


@dataclass
class EvaluateConfig:
    """What to measure, and on how much."""

    policy: str = "assets/policy"
    """Policy folder."""
    report: str = "runs/report.json"
    """JSON to write; a markdown table with the same name is written beside it."""
    poses: str = "../shared/data/mocap/poses.npz"
    """Pose file; only its validation clips are used, and training clips for the random-pose baseline."""
    renders: str = "runs/renders"
    """Folder with val/ renders; they are made where missing."""
    num_captions: int = 1100
    num_photos: int = 600
    seed: int = 0


def run(config: EvaluateConfig) -> dict:
    """Evaluate and write the report; returns it."""
    policy = PosePolicy.from_pretrained(config.policy)
    started = time.time()
    report = {
        "policy": Path(config.policy).name,
        "seed": config.seed,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
    }
    if config.num_captions:
        report["words"] = words(policy, config)
        report["variety"] = variety(policy)
        report["replies"] = replies(policy, config)
    if config.num_photos:
        report["photos"] = photo_errors(policy, config)
    report["seconds"] = round(time.time() - started)
    path = Path(config.report)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1))
    path.with_suffix(".md").write_text(table(report))
    print(table(report))
    return report


# ---- words


def validation_poses(config: EvaluateConfig) -> tuple[torch.Tensor, torch.Tensor]:
    """Poses (num_captions, 24, 3) drawn evenly over validation clips, and how rare each statement is (S,)."""
    axis_angle, clip = datasets.mocap(config.poses, "val")
    per_clip = 1 / np.bincount(clip)[clip]
    index = np.random.default_rng(config.seed).choice(len(clip), config.num_captions, p=per_clip / per_clip.sum())
    return axis_angle[torch.from_numpy(index)], datasets.rarity(posecodes.scores(datasets.rotations(axis_angle)))


def validation_captions(config: EvaluateConfig):
    """Captions of `validation_poses`, their statements (N, S), and the poses' scores (N, S)."""
    axis_angle, weights = validation_poses(config)
    scores = posecodes.scores(datasets.rotations(axis_angle))
    rng = np.random.default_rng([config.seed, 1])
    made = [captions.write(row, rng, weights=weights.numpy()) for row in scores.numpy()]
    return [c.text for c in made], datasets.asserted([c.statements for c in made]), scores


def share_held(scores: torch.Tensor, wanted: torch.Tensor, tolerant: bool = True) -> torch.Tensor:
    """(N,) share of each caption's statements (N, S) that hold for poses with statement scores (N, S)."""
    held = posecodes.holds(scores, tolerant).float()
    return (held * wanted).sum(1) / wanted.sum(1).clamp_min(1)


@torch.no_grad()
def words(policy: PosePolicy, config: EvaluateConfig, batch: int = 25) -> dict:
    """Share of statements held, per cent, tolerant and strict, beside a random training pose and the true pose."""
    texts, wanted, true_scores = validation_captions(config)
    read = torch.cat([policy.read(texts[i : i + batch])[0] for i in range(0, len(texts), batch)])
    generator = torch.Generator().manual_seed(config.seed)

    def scores(statements, temperature, num_samples=1):
        distribution = policy.distribution(statements)
        x = distribution.sample(num_samples, temperature, generator)
        return posecodes.scores(distribution.rotations(x).flatten(0, 1)).unflatten(0, (len(statements), num_samples))

    def both(row):
        return {kind: per_cent(share_held(row, wanted, kind == "tolerant")) for kind in ("tolerant", "strict")}

    out = {"captions": len(texts), "statements_per_caption": round(wanted.sum(1).mean().item(), 2)}
    for name, temperature in (("mode", 0.0), ("sample_t0.5", 0.5), ("sample_t1", 1.0)):
        out[name] = both(scores(read, temperature)[:, 0])
    eight = scores(read, 1.0, 8)
    out["best_of_8"] = {
        kind: per_cent(torch.stack([share_held(eight[:, m], wanted, kind == "tolerant") for m in range(8)]).amax(0))
        for kind in ("tolerant", "strict")
    }
    order = torch.randperm(len(texts), generator=generator)
    out["shuffled_t1"] = both(scores(read[order], 1.0)[:, 0])
    train, _ = datasets.mocap(config.poses, "train")
    pick = torch.randint(len(train), (len(texts),), generator=generator)
    out["random_training_pose"] = both(posecodes.scores(datasets.rotations(train[pick])))
    out["true_pose"] = both(true_scores)
    out["reading"] = reading(read, wanted)
    return out


def reading(read: torch.Tensor, wanted: torch.Tensor) -> dict:
    """How words were understood, per cent: precision, recall, captions without a mistake, left/right confusions."""
    found = read > 0.5
    asserted = wanted > 0.5
    correct = (found & asserted).sum()
    other = list(posecodes.MIRROR_STATEMENT)
    sided = torch.tensor([i != j for i, j in enumerate(other)])
    only_this_side = asserted & ~asserted[:, other] & sided
    confused = only_this_side & (read[:, other] > read)
    return {
        "precision": per_cent(correct / found.sum().clamp_min(1)), "recall": per_cent(correct / asserted.sum()),
        "exact": per_cent((found == asserted).all(1).float()),
        "left_right_confused": per_cent(confused.sum() / only_this_side.sum()),
    }  # fmt: skip


@torch.no_grad()
def replies(policy: PosePolicy, config: EvaluateConfig, count: int = 200, batch: int = 25) -> dict:
    """Per cent of what the language model says of validation poses that is true of them, as the reader reads it.

    The same for the rule-written sentences (`captions.describe`) shows how far the reader can be trusted.
    """
    rotations = datasets.rotations(validation_poses(config)[0][:count])
    scores = posecodes.scores(rotations)
    told = [text for part in rotations.split(batch) for text in policy.tell(part)]
    out = {"n": len(told)}
    for name, texts in (("true", told), ("rule_true", [captions.describe(row) for row in scores.numpy()])):
        said = torch.cat([policy.read(texts[i : i + batch])[0] for i in range(0, len(texts), batch)]) > 0.5
        out[name] = per_cent((said & posecodes.holds(scores)).sum() / said.sum())
    return out


@torch.no_grad()
def variety(policy: PosePolicy, num_samples: int = 512) -> dict:
    """Mean joint distance (mm) between two samples at temperature 1, for a vague prompt and for precise ones."""
    distances = []
    for prompt in (VAGUE, *PRECISE):
        distribution = policy.distribution(policy.read([prompt])[0])
        x = distribution.sample(num_samples, 1.0, torch.Generator().manual_seed(0))
        joints, _ = forward_kinematics(distribution.rotations(x)[0])
        distances.append(1000 * (joints[::2] - joints[1::2]).norm(dim=-1).mean().item())
    vague, precise = distances[0], float(np.mean(distances[1:]))
    return {
        "pairs_per_prompt": num_samples // 2,
        "vague_mm": round(vague, 1),
        "precise_mm": round(precise, 1),
        "ratio": round(vague / precise, 2),
    }


# ---- photos


@torch.no_grad()
def photo_errors(policy: PosePolicy, config: EvaluateConfig) -> dict:
    """PA-MPJPE and root-aligned MPJPE (mm) over the 12 limb joints: the policy and BlazePose's own world landmarks.

    "blazepose" is BlazePose called once on the photo, the yardstick; "blazepose_read_twice" is what the policy gets.
    """
    renders = validation_renders(config)
    truth = renders["joints"][:, list(LIMBS)]
    distribution = policy.lift(
        renders["landmarks_2d"], renders["landmarks_world"], renders["visibility"], renders["frame"]
    )
    ours, _ = forward_kinematics(distribution.rotations(distribution.mode()))
    ours = ours[:, list(LIMBS)].numpy()
    out = {"renders": len(truth)}
    readings = {"policy": ours}
    for name, key in (("blazepose", "plain_world"), ("blazepose_read_twice", "landmarks_world")):
        readings[name] = renders[key][:, list(LIMB_LANDMARKS)]
    for name, joints in readings.items():
        out[name] = {"pa_mpjpe": mm(pa_errors(joints, truth)), "mpjpe": mm(root_errors(joints, truth))}
    out["pa_ratio"] = round(out["policy"]["pa_mpjpe"] / out["blazepose"]["pa_mpjpe"], 3)
    # Does the stated uncertainty rank the errors?
    from scipy.stats import spearmanr

    spread = distribution.log_std[:, 0].mean(1).numpy()
    out["uncertainty_spearman"] = round(float(spearmanr(spread, pa_errors(ours, truth)).statistic), 2)
    return out


def validation_renders(config: EvaluateConfig) -> dict:
    """The first num_photos renders of validation clips; made where they are missing."""
    folder = Path(config.renders) / "val"
    axis_angle, clip = datasets.mocap(config.poses, "val")
    count = sum(len(np.load(f)["index"]) for f in folder.glob("*.npz"))
    if count < config.num_photos:
        photos.render_dataset(
            even_over_clips(axis_angle, clip, config.seed),
            folder,
            int(1.1 * config.num_photos) + 32,
            config.seed,
            "val",
        )
    renders = photos.load_renders(folder)
    return {key: value[: config.num_photos] for key, value in renders.items()}


def even_over_clips(axis_angle: torch.Tensor, clip: np.ndarray, seed: int, n: int = 4000) -> np.ndarray:
    """Poses (n, 24, 3) facing +Z, drawn evenly over clips."""
    weight = 1 / np.bincount(clip)[clip]
    index = np.random.default_rng(seed).choice(len(clip), n, p=weight / weight.sum())
    return remove_yaw(axis_angle[torch.from_numpy(index)]).numpy()


def pa_errors(joints: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(N,) mean joint distance in metres after the best similarity (Procrustes) of joints (N, J, 3) onto truth."""
    a, b = (torch.from_numpy(np.asarray(v, np.float64)) for v in (joints, truth))
    import roma

    rotation, translation, scale = roma.rigid_points_registration(a, b, compute_scaling=True)
    moved = scale[:, None, None] * (a @ rotation.transpose(-1, -2)) + translation[:, None]
    return (moved - b).norm(dim=-1).mean(1).numpy()


def root_errors(joints: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(N,) mean joint distance in metres with the middle of the hips (limb joints 6 and 7) laid on each other."""
    centre = lambda v: v - v[:, 6:8].mean(1, keepdims=True)  # noqa: E731
    return np.linalg.norm(centre(joints) - centre(truth), axis=-1).mean(1)


# ---- report


def per_cent(values: torch.Tensor) -> float:
    return round(100 * values.float().mean().item(), 1)


def mm(values: np.ndarray) -> float:
    return round(1000 * float(values.mean()), 1)


def table(report: dict) -> str:
    """The report as markdown."""
    lines = [f"Policy `{report['policy']}`, seed {report['seed']}, {report['machine']}, {report['seconds']} s.", ""]
    if "words" in report:
        w = report["words"]
        lines += [
            f"Words: {w['captions']} captions of validation clips, {w['statements_per_caption']} statements each; "
            "per cent of statements that hold.",
            "", "| | tolerant | strict |", "|---|---|---|",
        ]  # fmt: skip
        lines += [
            f"| {k.replace('_', ' ')} | {v['tolerant']} | {v['strict']} |"
            for k, v in w.items()
            if isinstance(v, dict) and "strict" in v
        ]
        r, v, a = w["reading"], report["variety"], report["replies"]
        lines += [
            "",
            f"Reading: precision {r['precision']}, recall {r['recall']}, captions read exactly {r['exact']}, "
            f"left/right confused {r['left_right_confused']} (per cent).",
            f"Variety: two samples differ by {v['vague_mm']} mm for vague and {v['precise_mm']} mm for precise prompts "
            f"(ratio {v['ratio']}).",
            f"Replies about {a['n']} validation poses: {a['true']} % of what they say is true "
            f"({a['rule_true']} % of what the rule writes, read by the same reader).",
        ]  # fmt: skip
    if "photos" in report:
        p = report["photos"]
        lines += [
            "",
            f"Photos: {p['renders']} renders of validation clips, mm over 12 limb joints.",
            "",
            "| | PA-MPJPE | MPJPE |",
            "|---|---|---|",
        ]
        lines += [f"| {k} | {p[k]['pa_mpjpe']} | {p[k]['mpjpe']} |" for k in p if isinstance(p[k], dict)]
        lines += [
            "",
            f"Ratio of PA-MPJPE {p['pa_ratio']}; uncertainty ranks errors with Spearman {p['uncertainty_spearman']}.",
        ]
    return "\n".join(lines) + "\n"
