"""Pose-dependent corrections, linear in R - I as SMPL has them, fitted joint by joint.

The target of a bent joint is its rotation spread smoothly: swing by skin weight, twist along the bone. Plain
linear blend skinning collapses there ("candy wrapper"); the correction added before skinning brings it back.
"""

import numpy as np
from scipy.spatial.transform import Rotation

#: Largest angle in degrees with which each joint is fitted.
LIMITS = {
    1: 110, 2: 110, 3: 45, 4: 120, 5: 120, 6: 35, 7: 45, 8: 45, 9: 35, 10: 40, 11: 40, 12: 45, 13: 30, 14: 30, 15: 45,
    16: 105, 17: 105, 18: 125, 19: 125, 20: 75, 21: 75, 22: 20, 23: 20,
}  # fmt: skip
BONE_END = {1: 4, 2: 5, 16: 18, 17: 19, 18: 20, 19: 21}  # joints whose twist spreads along the bone that follows
POSES = 130  # random rotations of each joint
STRENGTH = 0.9  # share of the way to the target
RIDGE = 0.3
SMALLEST = 3e-4  # smaller coefficients become zero, which compresses well


def fit(vertices, weights, joints, parents, rng: np.random.Generator) -> np.ndarray:
    """Corrections (V, 3, 207) of a rest surface (V, 3) with skin weights (V, 24) and rest joints (24, 3)."""
    posedirs = np.zeros((len(vertices), 3, 207))
    for joint in range(1, 24):
        below = _below(joint, parents)
        moved = weights[:, below].sum(1)
        active = (moved > 0.005) & (moved < 0.995)
        if joint in BONE_END:
            active |= (moved > 0.005) & (weights[:, joint] > 0.005)
        if joint in (20, 21):  # the wrist twists the forearm
            active |= weights[:, joint - 2] > 0.005
        near = np.flatnonzero(active)
        posedirs[near, :, 9 * (joint - 1) : 9 * joint] = _fit_joint(
            joint, vertices[near], weights[near], moved[near], joints, parents, rng
        )
    posedirs[np.abs(posedirs) < SMALLEST] = 0
    return posedirs


def _fit_joint(joint, x, weights, moved, joints, parents, rng) -> np.ndarray:
    """Least squares over random rotations for the (n, 3, 9) corrections of one joint.

    Args:
        moved: (n,) share of each vertex that follows the joint and all below it.
    """
    left, right = np.zeros((len(x), 27, 27)), np.zeros((len(x), 27))
    for rotation in _random_rotations(joint, rng):
        blend = moved[:, None, None] * rotation + (1 - moved)[:, None, None] * np.eye(3)
        skinned = joints[joint] + np.einsum("vab,vb->va", blend, x - joints[joint])
        error = STRENGTH * (_target(joint, rotation, x, weights, moved, joints, parents) - skinned)
        feature = (rotation - np.eye(3)).ravel()
        square = np.einsum("vba,vbc->vac", blend, blend)
        left += np.einsum("vac,p,q->vapcq", square, feature, feature).reshape(len(x), 27, 27)
        right += np.einsum("vba,vb,p->vap", blend, error, feature).reshape(len(x), 27)
    return np.linalg.solve(left + RIDGE * np.eye(27), right[..., None])[..., 0].reshape(len(x), 3, 9)


def _target(joint, rotation, x, weights, moved, joints, parents) -> np.ndarray:
    """Where vertices (n, 3) should go: swing blended by skin weight, twist spread along the bone."""
    pivot, axis, twisted = joints[joint], np.array([0, 1.0, 0]), moved
    if joint in BONE_END:
        bone = joints[BONE_END[joint]] - pivot
        axis = bone / np.linalg.norm(bone)
        along = (x - pivot) @ axis / np.linalg.norm(bone)
        twisted = np.minimum(moved, np.clip((along + 0.12) / 1.05, 0, 1))
    elif joint in (20, 21):
        elbow = joint - 2
        bone = pivot - joints[elbow]
        axis = bone / np.linalg.norm(bone)
        along = (x - joints[elbow]) @ axis / np.linalg.norm(bone)
        forearm = weights[:, _below(elbow, parents)].sum(1)
        twisted = np.maximum(moved, forearm * np.clip((along - 0.25) / 0.8, 0, 1) * 0.95)
    quaternion = Rotation.from_matrix(rotation).as_quat()
    twist = np.array([*(quaternion[:3] @ axis * axis), quaternion[3]])
    norm = np.linalg.norm(twist)
    twist = Rotation.from_quat(twist / norm) if norm > 1e-8 else Rotation.identity()
    swing = Rotation.from_matrix(rotation) * twist.inv()
    part_swing = Rotation.from_rotvec(swing.as_rotvec() * moved[:, None])
    part_twist = Rotation.from_rotvec(twist.as_rotvec() * twisted[:, None])
    return pivot + (part_swing * part_twist).apply(x - pivot)


def _random_rotations(joint: int, rng) -> np.ndarray:
    """Rotations (POSES, 3, 3) about the axes that the joint mostly has."""
    axes = rng.normal(size=(POSES, 3))
    if joint in (4, 5):  # knees bend one way
        axes *= [1, 0.12, 0.12]
        axes[:, 0] = np.abs(axes[:, 0])
    elif joint in (18, 19):
        axes *= [0.8, 1, 0.15]
    elif joint in (1, 2):
        axes *= [1, 0.5, 0.5]
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    angles = np.radians(LIMITS[joint]) * rng.uniform(0, 1, (POSES, 1)) ** 0.7
    return Rotation.from_rotvec(axes * angles).as_matrix()


def _below(joint: int, parents) -> np.ndarray:
    """(24,) whether each joint is the given one or hangs below it."""
    below = np.zeros(24, bool)
    below[joint] = True
    for child in range(joint + 1, 24):
        below[child] = below[parents[child]]
    return below
