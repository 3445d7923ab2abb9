"""Do samples for the same words differ as the poses that fit those words do?"""

import numpy as np
import roma
import torch

from finetune.photo_evaluation import mm, per_cent
from finetune.sft import draw
from finetune.word_evaluation import Told, read
from posegen import posecodes
from posegen.skeleton import forward_kinematics

VAGUE = (
    "a person stands", "someone sits", "a person kneels", "somebody is squatting", "a person lies on their back",
    "someone raises the left arm", "a person leans forward", "a man with bent knees", "a woman looks to the right",
    "someone sits on the floor",
)  # fmt: skip
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


@torch.no_grad()
def evaluate(policy, pool, train: Told, seed: int, pairs: int = 256, count: int = 200) -> dict:
    """Do samples at temperature 1 differ as training poses do?

    "vague": mean joint distance (mm) of two samples of a vague prompt, and of two training poses that satisfy the
    statements read out of it.  "distinct": per cent of poses with no other within 5 cm (mean joint distance), of one
    sample of each of `count` training captions, and of their own poses.
    """
    generator = torch.Generator().manual_seed(seed)
    probabilities = read(policy, [*VAGUE, *PRECISE])
    distribution = policy.distribution(probabilities)
    joints, _ = forward_kinematics(distribution.rotations(distribution.sample(2 * pairs, 1.0, generator)).cpu())
    samples = [mm(joint_distance(row[::2], row[1::2])) for row in joints]
    out = {"pairs_per_prompt": pairs, "vague": []}
    for prompt, statements, sample in zip(VAGUE, probabilities > 0.5, samples, strict=False):
        shown = (pool.scores[:, statements] >= 0).sum(1)
        fits = shown >= shown.topk(100).values[-1]  # all statements; fewer where a misread prompt fits no pose
        index = draw(pool.weight * fits, 2 * pairs, generator)
        joints, _ = forward_kinematics(roma.rotvec_to_rotmat(pool.axis_angle[index]))
        training = mm(joint_distance(joints[::2], joints[1::2])[index[::2] != index[1::2]])
        understood = [name for name, said in zip(posecodes.NAMES, statements.tolist(), strict=True) if said]
        row = {"samples": sample, "training_poses": training, "ratio": round(sample / training, 2)}
        out["vague"].append({"prompt": prompt, "understood": understood, **row})
    out["samples_mm"], out["training_poses_mm"] = (
        round(float(np.mean([row[key] for row in out["vague"]])), 1) for key in ("samples", "training_poses")
    )
    out["ratio"] = round(out["samples_mm"] / out["training_poses_mm"], 2)
    out["precise_mm"] = round(float(np.mean(samples[len(VAGUE) :])), 1)
    texts, axis_angle = train.texts[:count], train.axis_angle[:count]
    distribution = policy.distribution(read(policy, texts))
    rotations = distribution.rotations(distribution.sample(1, 1.0, generator))[:, 0].cpu()
    out["prompts"] = len(texts)
    out["distinct"] = distinct(forward_kinematics(rotations)[0])
    out["distinct_training_poses"] = distinct(forward_kinematics(roma.rotvec_to_rotmat(axis_angle))[0])
    return out


def joint_distance(a: torch.Tensor, b: torch.Tensor) -> np.ndarray:
    """(...) mean distance in metres of joints (..., 24, 3)."""
    return (a - b).norm(dim=-1).mean(-1).numpy()


def distinct(joints: torch.Tensor, metres: float = 0.05) -> float:
    """Per cent of poses, joints (N, 24, 3), whose mean joint distance to every other pose is above `metres`."""
    distance = joint_distance(joints[:, None], joints[None])
    np.fill_diagonal(distance, np.inf)
    return per_cent(torch.from_numpy(distance.min(1) > metres))


def table_line(v: dict) -> str:
    """The figures of `evaluate` in a sentence."""
    lowest = min(v["vague"], key=lambda row: row["ratio"])
    return (
        f"Variety: two samples of a vague prompt differ by {v['samples_mm']} mm, two training poses that satisfy the "
        f"same statements by {v['training_poses_mm']} mm (ratio {v['ratio']} over {len(v['vague'])} prompts, lowest "
        f"{lowest['ratio']}: {lowest['prompt']}); two samples of a precise prompt by {v['precise_mm']} mm. "
        f"Of samples of {v['prompts']} captions {v['distinct']} % are distinct, of the captions' own poses "
        f"{v['distinct_training_poses']} %."
    )
