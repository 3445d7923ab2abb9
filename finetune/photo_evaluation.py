"""How well people in photos are posed: joint errors, straight knees, upright trunks, how true the uncertainty is.

Measured on renders of validation clips with clothes and backgrounds that training never shows. Few of those people
stand with straight legs, so knees are measured on further renders of validation poses that do.
"""

from pathlib import Path

import numpy as np
import roma
import torch

from finetune.data import datasets, families, photos
from posegen.photo import LIMB_LANDMARKS
from posegen.skeleton import INDEX, LIMBS, forward_kinematics, remove_yaw

STRAIGHT = 18.0  # degrees a straight knee is bent at most, as the statement "knee straight" has it
UPRIGHT = 20.0  # degrees between an upright trunk and the picture's vertical at most
INSIDE = 0.6827  # probability that a Gaussian is within one standard deviation
NUM_SAMPLES = 100
NUM_STANDING = 256
LEGS = [[INDEX[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle")] for side in ("left", "right")]


@torch.no_grad()
def evaluate(policy, config) -> dict:
    """Figures of a policy on `validation_renders`; lengths in mm, angles in degrees, shares in per cent.

    "blazepose" is BlazePose called once on the photo, the yardstick; "blazepose_read_twice" is what the policy gets.
    """
    renders = validation_renders(config)
    distribution = policy.lift(*readings_of(renders))
    rotations = distribution.rotations(distribution.mode())
    readings = {"policy": forward_kinematics(rotations)[0][:, list(LIMBS)].numpy()}
    for name, key in (("blazepose", "plain_world"), ("blazepose_read_twice", "landmarks_world")):
        readings[name] = renders[key][:, list(LIMB_LANDMARKS)]
    limbs = renders["joints"][:, list(LIMBS)]
    out = {"renders": len(limbs)} | {
        name: {"pa_mpjpe": mm(pa_errors(joints, limbs)), "mpjpe": mm(root_errors(joints, limbs))}
        for name, joints in readings.items()
    }
    for key in ("pa_mpjpe", "mpjpe"):
        out[f"{key}_ratio"] = round(out["policy"][key] / out["blazepose"][key], 3)
    truth = roma.rotvec_to_rotmat(torch.from_numpy(renders["axis_angle"]))
    out["posture"] = posture(rotations, truth)
    standing = standing_renders(config)
    lifted = policy.lift(*readings_of(standing))
    out["posture_standing"] = posture(
        lifted.rotations(lifted.mode()), roma.rotvec_to_rotmat(torch.from_numpy(standing["axis_angle"]))
    )
    # Does the stated uncertainty rank the errors, and is it as large as they are?
    from scipy.stats import spearmanr

    spread = distribution.log_std[:, 0].mean(1).numpy()
    out["uncertainty_spearman"] = round(float(spearmanr(spread, pa_errors(readings["policy"], limbs)).statistic), 2)
    out["calibration"] = calibration(distribution, truth, config.seed)
    return out


# ---- posture


def knee_bends(joints: torch.Tensor) -> torch.Tensor:
    """Degrees (N, 2) between thigh and shin of joints (N, 24, 3); 0 is straight."""
    hip, knee, ankle = joints[:, LEGS].unbind(2)
    return torch.rad2deg(angle(knee - hip, ankle - knee))


def angle(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Radians (...) between vectors (..., 3)."""
    return torch.atan2(torch.linalg.cross(a, b).norm(dim=-1), (a * b).sum(-1))


def trunk(joints: torch.Tensor) -> torch.Tensor:
    """(N, 3) from pelvis to neck."""
    return joints[:, INDEX["neck"]] - joints[:, INDEX["pelvis"]]


def lean(joints: torch.Tensor, front: torch.Tensor) -> torch.Tensor:
    """Degrees (N,) by which the trunk of joints (N, 24, 3) leans towards a horizontal direction front (N, 3)."""
    up = trunk(joints)
    return torch.rad2deg(torch.atan2((up * front).sum(-1), up[:, 1]))


def joints_of(axis_angle: torch.Tensor) -> torch.Tensor:
    """Joints (N, 24, 3) of poses (N, 24, 3) in axis-angle."""
    return forward_kinematics(roma.rotvec_to_rotmat(axis_angle))[0]


def facing(joints: torch.Tensor) -> torch.Tensor:
    """Horizontal unit vector (N, 3) ahead of the hips of joints (N, 24, 3)."""
    left = joints[:, INDEX["left_hip"]] - joints[:, INDEX["right_hip"]]
    front = torch.linalg.cross(left, torch.tensor([0.0, 1.0, 0.0]).expand_as(left))
    return torch.nn.functional.normalize(front, dim=-1)


def is_upright(joints: torch.Tensor) -> torch.Tensor:
    """(N,) whether the trunk is within UPRIGHT degrees of the vertical."""
    up = trunk(joints)
    return up[:, 1] >= np.cos(np.radians(UPRIGHT)) * up.norm(dim=-1)


def is_straight(joints: torch.Tensor) -> torch.Tensor:
    """(N,) whether both knees are straight."""
    return (knee_bends(joints) <= STRAIGHT).all(1)


def stands_straight(joints: torch.Tensor) -> torch.Tensor:
    """(N,) whether people stand: upright, knees straight, thighs within 30 degrees of the vertical."""
    hip, knee, _ = joints[:, LEGS].unbind(2)
    below = ((hip - knee)[..., 1] >= np.cos(np.radians(30)) * (hip - knee).norm(dim=-1)).all(1)
    return is_straight(joints) & is_upright(joints) & below


def posture(rotations: torch.Tensor, truth: torch.Tensor) -> dict:
    """Mean signed errors (estimate less truth, degrees) of poses (N, 24, 3, 3) where the truth is plain.

    Knees: both of everyone whose two knees are truly straight. Lean: the pitch of the trunk (pelvis to neck) in the
    camera frame of everyone whose trunk is truly upright, towards where the true person faces and towards the camera.
    """
    joints, true_joints = (forward_kinematics(r)[0] for r in (rotations, truth))
    straight, upright = is_straight(true_joints), is_upright(true_joints)
    front = facing(true_joints)
    camera = torch.tensor([0.0, 0.0, 1.0]).expand_as(front)
    signed = lambda a, b, rows: round((a - b)[rows].mean().item(), 1)  # noqa: E731
    return {
        "straight_legged": int(straight.sum()),
        "straight_knee_bend": signed(knee_bends(joints), knee_bends(true_joints), straight),
        "upright": int(upright.sum()),
        "lean_forward": signed(lean(joints, front), lean(true_joints, front), upright),
        "lean_to_camera": signed(lean(joints, camera), lean(true_joints, camera), upright),
    }  # fmt: skip


# ---- uncertainty


def calibration(distribution, truth: torch.Tensor, seed: int = 0) -> dict:
    """Per cent of truths inside the 68.3% intervals of a distribution around poses; calibrated is 68.

    Joints: the true pose (N, 24, 3, 3) on the rest skeleton, pelvis on pelvis. Limb joint j of person i is inside if it
    is no farther from the most probable pose's than 68.3% of the same joint in samples at temperature 1 are.
    Angles: coordinates of the moving joints' rotations that are within one standard deviation of the mean.
    """
    middle = forward_kinematics(distribution.rotations(distribution.mode()))[0][:, None, list(LIMBS)]
    x = distribution.sample(NUM_SAMPLES, 1.0, torch.Generator().manual_seed(seed))
    samples = forward_kinematics(distribution.rotations(x))[0][:, :, list(LIMBS)]
    radius = (samples - middle).norm(dim=-1).quantile(INSIDE, dim=1)  # (N, 12)
    error = (forward_kinematics(truth)[0][:, list(LIMBS)] - middle[:, 0]).norm(dim=-1)
    z = (distribution.tangent(truth) - distribution.mean[:, 0]) * torch.exp(-distribution.log_std[:, 0])
    return {
        "joints_inside": per_cent(error <= radius), "angles_inside": per_cent(z.abs() <= 1),
        "joint_error": mm(error.numpy()), "joint_radius": mm(radius.numpy()),
    }  # fmt: skip


# ---- renders and joint errors


def validation_renders(config) -> dict:
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


def standing_renders(config) -> dict:
    """Renders of people who stand straight: trunks and arms of validation clips on standing families' legs of another
    seed than training's; made where missing."""
    folder = Path(config.renders) / "val_standing"
    if not any(folder.glob("*.npz")):
        axis_angle, clip = datasets.mocap(config.poses, "val")
        upper = torch.from_numpy(even_over_clips(axis_angle, clip, config.seed))
        legs = remove_yaw(torch.from_numpy(families.sample(len(upper), seed=2 * config.seed + 1).axis_angle))
        legs = legs[stands_straight(joints_of(legs))]
        poses = datasets.recombine(upper, legs[torch.arange(len(upper)) % len(legs)])
        stands = stands_straight(joints_of(poses)) & torch.from_numpy(families.plausible(poses.numpy()))
        photos.render_dataset(poses[stands].numpy(), folder, NUM_STANDING, config.seed, "val")
    return photos.load_renders(folder)


def readings_of(renders: dict) -> tuple:
    """What `PosePolicy.lift` takes, from `load_renders`."""
    return tuple(renders[key] for key in ("landmarks_2d", "landmarks_world", "visibility", "frame"))


def even_over_clips(axis_angle: torch.Tensor, clip: np.ndarray, seed: int, n: int = 4000) -> np.ndarray:
    """Poses (n, 24, 3) facing +Z, drawn evenly over clips."""
    weight = 1 / np.bincount(clip)[clip]
    index = np.random.default_rng(seed).choice(len(clip), n, p=weight / weight.sum())
    return remove_yaw(axis_angle[torch.from_numpy(index)]).numpy()


def pa_errors(joints: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(N,) mean joint distance in metres after the best similarity (Procrustes) of joints (N, J, 3) onto truth."""
    a, b = (torch.from_numpy(np.asarray(v, np.float64)) for v in (joints, truth))
    rotation, translation, scale = roma.rigid_points_registration(a, b, compute_scaling=True)
    moved = scale[:, None, None] * (a @ rotation.transpose(-1, -2)) + translation[:, None]
    return (moved - b).norm(dim=-1).mean(1).numpy()


def root_errors(joints: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(N,) mean joint distance in metres with the middle of the hips (limb joints 6 and 7) laid on each other."""
    centre = lambda v: v - v[:, 6:8].mean(1, keepdims=True)  # noqa: E731
    return np.linalg.norm(centre(joints) - centre(truth), axis=-1).mean(1)


def mm(values: np.ndarray) -> float:
    return round(1000 * float(values.mean()), 1)


def per_cent(values: torch.Tensor) -> float:
    return round(100 * values.float().mean().item(), 1)


# ---- report


def table(p: dict) -> list[str]:
    """The figures of `evaluate` as lines of markdown."""
    c = p["calibration"]
    return [
        f"Photos: {p['renders']} renders of validation clips, mm over 12 limb joints.",
        "", "| | PA-MPJPE | MPJPE |", "|---|---|---|",
        *(f"| {k} | {p[k]['pa_mpjpe']} | {p[k]['mpjpe']} |" for k in ("policy", "blazepose", "blazepose_read_twice")),
        f"| policy / blazepose | {p['pa_mpjpe_ratio']} | {p['mpjpe_ratio']} |",
        "",
        "Mean signed errors, degrees (knees bent too far; upright trunks leaning too far):", "",
        "| | straight-legged people | knees | upright people | lean forward | lean to the camera |",
        "|---|---|---|---|---|---|",
        *(
            f"| {name} | {s['straight_legged']} | {s['straight_knee_bend']:+} | {s['upright']} | "
            f"{s['lean_forward']:+} | {s['lean_to_camera']:+} |"
            for name, s in (("these renders", p["posture"]), ("renders of standing people", p["posture_standing"]))
        ),
        "",
        f"Of joints {c['joints_inside']} % are inside their 68 % interval ({c['joint_error']} mm off on average, "
        f"interval {c['joint_radius']} mm), of angles {c['angles_inside']} %; "
        f"uncertainty ranks errors with Spearman {p['uncertainty_spearman']}.",
    ]  # fmt: skip
