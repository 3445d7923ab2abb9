"""Parametric pose families: what motion capture lacks, with wide variation and everyday names.

A pose is legs (a table of joint ranges) + torso and head + two arms (two-bone inverse kinematics to targets on
the body, in the air or on the ground). Each family is written for the left side; half of the poses are mirrored.
Implausible poses (joint limits, limbs inside the body) and poses that do not show what their family says are
drawn again.
"""

import re
from dataclasses import dataclass, field

import numpy as np
import roma
import torch
from scipy.spatial.transform import Rotation

from finetune.data.family_tables import ANCHORS, ANY, ARMS, BOTH, LEGS, ONE, PARTNERS, POLES, REST, Legs
from posegen import posecodes
from posegen.skeleton import MIRROR, MOVING, forward_kinematics, mirror, remove_yaw, rest_joints


@dataclass(frozen=True)
class Tag:
    """An everyday name of a pose and the statements (indices) it asserts."""

    text: str
    statements: tuple[int, ...] = ()


@dataclass
class FamilyPoses:
    """n synthetic poses.

    Attributes:
        axis_angle: (n, 24, 3) float32, facing +Z; toes and hands at rest.
        leg_family: (n,) str, e.g. "kick_left".
        arm_family: (n,) str, left and right mode, e.g. "wave|hang".
        names: for each pose the everyday names (Tags) whose statements hold.
    """

    axis_angle: np.ndarray
    leg_family: np.ndarray
    arm_family: np.ndarray
    names: list[tuple[Tag, ...]] = field(default_factory=list)


def _uniform(rng, bounds, n):
    return rng.uniform(bounds[0], bounds[1], n)


def _kinematics(axis_angle):
    """Positions (n, 24, 3) and global rotations (n, 24, 3, 3) as float64 numpy."""
    rotations = Rotation.from_rotvec(axis_angle.reshape(-1, 3)).as_matrix().reshape(*axis_angle.shape, 3)
    positions, globals_ = forward_kinematics(torch.from_numpy(rotations), torch.from_numpy(rest_joints()).double())
    return positions.numpy(), globals_.numpy()


def _legs(family: Legs, n: int, rng) -> np.ndarray:
    """Axis-angle (n, 24, 3) with pelvis and legs of a family and a little noise elsewhere."""
    pose = np.zeros((n, 24, 3))
    depth = rng.random(n)
    pitch = _uniform(rng, family.pitch, n)
    both = rng.random((6, n))

    def number(bounds, i):
        jitter = rng.normal(0, 0.08, n)
        if family.linked:
            u = depth + jitter
        elif family.right is None and i is not None:  # alike, not equal
            u = np.where(np.arange(n) % 3 == 0, rng.random(n), both[i] + jitter)
        else:
            u = rng.random(n)
        return bounds[0] + (bounds[1] - bounds[0]) * u.clip(-0.05, 1.05)

    for leg, sign, hip in ((family.left, 1, 1), (family.right or family.left, -1, 2)):
        flex, spread, abduct, turn, knee, ankle = (
            number(b, i) for i, b in enumerate((leg.flex, leg.spread, leg.abduct, leg.turn, leg.knee, leg.ankle))
        )
        flex = flex if family.local else flex + pitch
        angles = np.stack([sign * abduct, sign * spread, -flex, sign * turn], 1)
        rotation = Rotation.from_euler("ZYX", angles[:, :3], degrees=True) * Rotation.from_euler(
            "Y", angles[:, 3:], degrees=True
        )
        pose[:, hip] = rotation.as_rotvec()
        pose[:, hip + 3, 0] = np.radians(knee.clip(0, 153))
        pose[:, hip + 6, 0] = np.radians(ankle)
    roll = -_uniform(rng, family.roll, n)
    pose[:, 0] = Rotation.from_euler("ZX", np.stack([roll, pitch], 1), degrees=True).as_rotvec()
    return pose


def _torso(pose, rng, still) -> None:
    """Small noise for all, and for some a bend, twist or side bend of the spine and a turn of the head (in place)."""
    n = len(pose)
    for joints, spread in (
        ((3, 6, 9), 0.05),
        ((12,), 0.09),
        ((15,), 0.12),
        ((13, 14), 0.05),
        ((20, 21), 0.09),
        ((7, 8), 0.06),
    ):
        pose[:, joints] += rng.normal(0, spread, (n, len(joints), 3))
    pose[:, 0] = (Rotation.from_rotvec(pose[:, 0]) * Rotation.from_rotvec(rng.normal(0, 0.05, (n, 3)))).as_rotvec()
    strength = np.where(still, 0.35, 1.0)

    def some(share, low, high, signed=True):
        sign = rng.choice([-1, 1], n) if signed else 1
        return np.radians(rng.uniform(low, high, n)) * sign * (rng.random(n) < share) * strength

    twist, side = some(0.25, 12, 45), some(0.15, 10, 36)
    bend = some(0.2, 8, 48, signed=False) - some(0.12, 6, 30, signed=False)
    for joint in (3, 6, 9):
        pose[:, joint] += np.stack([bend, twist, side], 1) / 3
    nod = some(0.2, 10, 45, signed=False) - some(0.2, 12, 45, signed=False)
    look, tip = some(0.4, 12, 70), some(0.18, 10, 32)
    for joint in (12, 15):
        pose[:, joint] += np.stack([nod, look, tip], 1) / 2


def _reach(pose, positions, globals_, side, target, pole, to_wrist, twist_steps=24) -> None:
    """Two-bone inverse kinematics: set shoulder and elbow so that hand or wrist reaches the target (in place).

    The elbow bends only its natural way; among the turns of the arm about the line to the target the one that
    points the elbow along `pole` with little shoulder rotation wins.
    """
    rest, sign = rest_joints().astype(float), 1 - 2 * side
    shoulder, elbow, wrist, hand = (16 + side, 18 + side, 20 + side, 22 + side)
    collar = globals_[:, 13 + side]
    upper = np.linalg.norm(rest[elbow] - rest[shoulder])
    forearm = np.linalg.norm(rest[wrist] - rest[elbow]) + np.where(
        to_wrist, 0, np.linalg.norm(rest[hand] - rest[wrist])
    )
    line = np.einsum("nji,nj->ni", collar, target - positions[:, shoulder])
    length = np.linalg.norm(line, axis=1)
    distance = np.clip(
        length,
        np.sqrt(upper**2 + forearm**2 + 2 * upper * forearm * np.cos(np.radians(148))),
        (upper + forearm) * 0.998,
    )
    bend = np.pi - np.arccos(np.clip((upper**2 + forearm**2 - distance**2) / (2 * upper * forearm), -1, 1))
    line = line / np.maximum(length, 1e-6)[:, None]
    # the arm in its rest direction with the elbow bent: from shoulder to hand
    bent = np.stack([sign * (upper + forearm * np.cos(bend)), np.zeros_like(bend), forearm * np.sin(bend)], 1)
    bent /= np.linalg.norm(bent, axis=1, keepdims=True)
    axis = np.cross(bent, line)
    sine = np.linalg.norm(axis, axis=1)
    swing = Rotation.from_rotvec(
        axis / np.maximum(sine, 1e-9)[:, None] * np.arctan2(sine, (bent * line).sum(1))[:, None]
    )
    pole = np.einsum("nji,nj->ni", collar, pole)
    best, value = np.zeros_like(line), np.full(len(line), -np.inf)
    for turn in np.linspace(-np.pi, np.pi, twist_steps, endpoint=False):
        rotation = Rotation.from_rotvec(line * turn) * swing
        elbow_way = rotation.apply([sign, 0.0, 0.0])
        rotvec = rotation.as_rotvec()
        score = (elbow_way * pole).sum(1) - 0.35 * np.maximum(np.linalg.norm(rotvec, axis=1) - 1.2, 0)
        better = score > value
        value[better], best[better] = score[better], rotvec[better]
    pose[:, shoulder] = best
    pose[:, elbow] = np.stack([np.zeros_like(bend), -sign * bend, np.zeros_like(bend)], 1)


def _wrist(pose, side, aim, limit=80):
    """Wrist rotation (n, 3) that points the fingers along `aim` (world), by at most `limit` degrees."""
    aim = np.einsum("nji,nj->ni", _kinematics(pose)[1][:, 18 + side], aim)
    aim /= np.maximum(np.linalg.norm(aim, axis=1, keepdims=True), 1e-9)
    axis = np.cross([1.0 - 2 * side, 0, 0], aim)
    sine = np.linalg.norm(axis, axis=1)
    angle = np.minimum(np.arctan2(sine, aim[:, 0] * (1 - 2 * side)), np.radians(limit))
    return axis / np.maximum(sine, 1e-9)[:, None] * angle[:, None]


def _shrug(pose, side, height) -> None:
    """Raise the collar bone with a raised arm, as bodies do (in place)."""
    pose[:, 13 + side, 2] += (1 - 2 * side) * np.radians(18) * np.clip(height / 0.5, 0, 1)


def _arm(pose, side, modes, shared, rng) -> None:
    """Set one arm of every pose to its mode (in place)."""
    n, sign = len(pose), 1 - 2 * side
    offset, pole, anchor = np.zeros((n, 3)), np.zeros((n, 3)), np.array([ARMS[m].anchor for m in modes])
    for mode in sorted(set(modes)):
        rows, arm = np.flatnonzero(modes == mode), ARMS[mode]
        u = shared[rows] if arm.shared else rng.random((len(rows), 3))
        low, high = np.array([arm.x, arm.y, arm.z]).T
        offset[rows] = low + (high - low) * u
        pole[rows] = np.stack([_uniform(rng, b, len(rows)) for b in POLES[arm.pole]], 1)
    _shrug(pose, side, np.where(anchor == "shoulder", offset[:, 1], 0))
    to_wrist = np.array([ARMS[m].wrist for m in modes])
    positions, globals_ = _kinematics(pose)
    offset[:, 0] *= sign
    target, chest, aims = np.zeros((n, 3)), globals_[:, 9], np.zeros((n, 3))
    flip = np.array([sign, 1, 1])
    aim = np.array([ARMS[m].aim or (0, 0, 0) for m in modes], float) * flip
    low = positions[:, [0, 1, 2, 4, 5, 7, 8, 10, 11]][..., 1].min(1)
    for kind in sorted(set(anchor)):
        rows = np.flatnonzero(anchor == kind)
        if kind in ("ground", "world"):
            target[rows], aims[rows] = positions[rows, 16 + side] + offset[rows], aim[rows]
            if kind == "ground":
                target[rows, 1] = low[rows] + offset[rows, 1]
        else:
            joint, frame = ANCHORS[kind] if side == 0 else (MIRROR[j] for j in ANCHORS[kind])
            target[rows] = positions[rows, joint] + np.einsum("nij,nj->ni", globals_[rows, frame], offset[rows])
            aims[rows] = np.einsum("nij,nj->ni", globals_[rows, frame], aim[rows])
    pole[:, 0] *= sign
    pole = np.einsum("nij,nj->ni", chest, pole / np.linalg.norm(pole, axis=1, keepdims=True))
    _reach(pose, positions, globals_, side, target, pole, to_wrist)
    aimed = np.flatnonzero(np.any(aim, axis=1))
    pose[aimed, 20 + side] += _wrist(pose[aimed], side, aims[aimed])


# ------------------------------------------------------------------------------------------- plausibility

#: Largest rotation angle of each joint in degrees.
LIMITS = {
    1: 150, 2: 150, 3: 60, 4: 156, 5: 156, 6: 50, 7: 75, 8: 75, 9: 50, 12: 65, 13: 50, 14: 50, 15: 65, 16: 165, 17: 165,
    18: 165, 19: 165, 20: 95, 21: 95,
}  # fmt: skip
TORSO_RADIUS = 0.085
_TORSO = ((0, 0.0, 0.05), (3, 0.02, 0.05), (6, 0.03, 0.055), (9, 0.06, 0.055), (9, 0.16, 0.04))  # joint, up, forward


def _points(a, b, steps):
    """Points (n, len(steps), 3) on segments a-b."""
    t = np.asarray(steps)[None, :, None]
    return a[:, None] * (1 - t) + b[:, None] * t


def _gap(points, a, b):
    """Smallest distance (n,) of points (n, k, 3) to segments a-b."""
    d = b - a
    t = np.einsum("nki,ni->nk", points - a[:, None], d) / np.maximum((d * d).sum(1), 1e-9)[:, None]
    nearest = a[:, None] + np.clip(t, 0, 1)[..., None] * d[:, None]
    return np.linalg.norm(points - nearest, axis=2).min(1)


def _checks(axis_angle):
    """Name -> (n,) bool of every plausibility check."""
    p, g = _kinematics(np.asarray(axis_angle, float))
    angle = np.linalg.norm(axis_angle, axis=2)
    out = {"limits": np.logical_and.reduce([angle[:, j] <= np.radians(limit) for j, limit in LIMITS.items()])}
    for side, name in enumerate(("left", "right")):
        shoulder, elbow, wrist, hand = (p[:, j + side] for j in (16, 18, 20, 22))
        knee, ankle = (p[:, j + side] for j in (4, 7))
        # elbows bend forwards and knees backwards in the frame of the bone above
        forearm = np.einsum("nji,nj->ni", g[:, 16 + side], wrist - elbow)
        shin = np.einsum("nji,nj->ni", g[:, 1 + side], ankle - knee)
        out[f"{name} hinges"] = (forearm[:, 2] > -0.10) & (shin[:, 2] < 0.10)
        upper = np.einsum("nji,nj->ni", g[:, 9], elbow - shoulder) * np.array([1 - 2 * side, 1, 1])
        out[f"{name} shoulder"] = (upper[:, 2] > -0.25) & (upper[:, 0] > -0.20)
        arm = np.concatenate([_points(elbow, wrist, (0.45, 0.8)), _points(wrist, hand, (0.0, 0.6, 1.0))], 1)
        out[f"{name} arm in torso"] = np.ones(len(p), bool)
        for joint, up, front in _TORSO:
            centres = np.array([[-0.05, up, front], [0.05, up, front]])
            centres = p[:, joint, None] + np.einsum("nij,kj->nki", g[:, joint], centres)
            gap = np.linalg.norm(arm[:, :, None] - centres[:, None], axis=3).min((1, 2))
            out[f"{name} arm in torso"] &= gap > TORSO_RADIUS
        head = p[:, 15] + g[:, 15] @ np.array([0.0, 0.07, 0.03])
        out[f"{name} arm in head"] = np.linalg.norm(arm - head[:, None], axis=2).min(1) > 0.09
        thighs = [_gap(arm, p[:, 1 + leg], p[:, 4 + leg]) > 0.055 for leg in (0, 1)]
        calves = [_gap(arm, p[:, 4 + leg], p[:, 7 + leg]) > 0.045 for leg in (0, 1)]
        out[f"{name} arm in legs"] = np.logical_and.reduce(thighs + calves)
        hip_, knee_, ankle_ = (p[:, j + 1 - side] for j in (1, 4, 7))
        calf = _points(knee, ankle, (0.1, 0.25, 0.4, 0.55, 0.7, 0.85, 1.0))
        thigh = _points(p[:, 1 + side], knee, (0.4, 0.5, 0.6, 0.7, 0.8, 0.9))
        out[f"{name} leg in leg"] = (_gap(calf, hip_, knee_) > 0.055) & (_gap(thigh, hip_, knee_) > 0.055)
        out[f"{name} leg in leg"] &= _gap(calf, knee_, ankle_) > 0.05
    forearms = _points(p[:, 18], p[:, 20], np.linspace(0.2, 1, 6))
    out["forearms"] = _gap(forearms, p[:, 19], p[:, 23]) > 0.035
    out["hands"] = np.linalg.norm(p[:, 22] - p[:, 23], axis=1) > 0.05
    return out


def plausible(axis_angle: np.ndarray) -> np.ndarray:
    """Whether poses (n, 24, 3) respect joint limits and keep their limbs out of the body, as (n,) bool.

    Rough on purpose: the torso is a stack of spheres, the head a sphere, limbs are lines; only deep contact counts.
    """
    return np.logical_and.reduce(list(_checks(axis_angle).values()))


# ------------------------------------------------------------------------------------------------ sampling

STILL = ("plank", "down_dog", "table", "fours", "handstand", "handstand_split", "child")  # little torso variation
CARRIED = ("plank", "down_dog", "table", "fours", "handstand", "handstand_split")  # the arms bear the body


def _choose_arms(legs, rng):
    """Arm modes (n,), (n,) for the leg families of poses."""
    both, one = sorted(set(BOTH) - {"ground", "foot"}), sorted(set(ONE) - {"ground", "foot"})

    def pair(typical):
        r = rng.random()
        for share, a, b in typical:
            if r < share:
                return a, b
            r -= share
        r = rng.random()
        if r < 0.5:
            a = rng.choice(both)
            return a, PARTNERS.get(a, a)
        if r < 0.85:
            a, b = rng.choice(one), rng.choice(REST)
            return (a, b) if rng.random() < 0.5 else (b, a)
        return rng.choice(both + one), rng.choice(both + one)

    left, right = zip(*(pair(LEGS[name].arms) for name in legs), strict=True)
    return np.array(left), np.array(right)


def _draw(legs, rng):
    """Unchecked left-sided poses of the given leg families: axis-angle, left arm modes, right arm modes."""
    n = len(legs)
    left, right = _choose_arms(legs, rng)
    pose = np.zeros((n, 24, 3))
    for name in sorted(set(legs)):
        rows = np.flatnonzero(legs == name)
        pose[rows] = _legs(LEGS[name], len(rows), rng)
    _torso(pose, rng, still=np.isin(legs, STILL) | np.char.startswith(legs, "lie"))
    shared = rng.random((n, 3))
    _arm(pose, 0, left, shared, rng)
    _arm(pose, 1, right, shared, rng)
    pose[:, [j for j in range(24) if j not in MOVING]] = 0
    return pose, left, right


def above_floor(axis_angle):
    """Whether elbows and hands are at most 6 cm below the ground on which the rest of the body stands or lies."""
    height = _kinematics(axis_angle.astype(float))[0][:, :, 1]
    arms = [18, 19, 20, 21, 22, 23]
    return height[:, arms].min(1) > np.delete(height, arms, 1).min(1) - 0.06


def _scores(axis_angle):
    return posecodes.scores(roma.rotvec_to_rotmat(torch.from_numpy(axis_angle))).numpy()


def _indices(statements):
    """Indices of statement names, where "*_x" stands for left_x and right_x."""
    names = [
        s.replace("*", side) if "*" in s else s
        for s in statements
        for side in (("left", "right") if "*" in s else ("",))
    ]
    return tuple(posecodes.INDEX[name] for name in names)


def _swap(text):
    """A text or a name with left and right exchanged ("upright" and "right angle" stay)."""
    other = {"left": "right", "right": "left"}
    return re.sub(r"(?<![a-z])(left|right)(?![a-z]|.angle)", lambda m: other[m[0]], text)


def _mirrored(names):
    return tuple((_swap(text), tuple(_swap(s) for s in statements)) for text, statements in names)


def _names(leg, left, right, flipped):
    """The everyday names of a family pose, before checking: (text, statement names)."""
    names = list(LEGS[leg].names)
    if right == PARTNERS.get(left, left):
        names += BOTH.get(left, ())
    else:
        busy = {"hang", "relaxed", "bent", "hip", "guard", "chest", "diag_down", "back", "knee", "ground"}
        if right in busy:
            names += ONE.get(left, ())
        if left in busy:
            names += _mirrored(ONE.get(right, ()))
    names = _mirrored(names) if flipped else tuple(names)
    return tuple((text, statements) for text, statements in names if _clear(text, statements))


def _clear(text, statements):
    """Whether a name tells the side that its statements have; a name without a side stands for the right one."""
    sides = [s for s in statements if re.search(r"(?<![a-z])(left|right)_(?!angle)", s)]
    return not sides or bool(re.search(r"\b(left|right)\b", text)) or sides[0].find("right_") >= 0


def sample(n: int, seed: int) -> FamilyPoses:
    """n plausible poses of the families, reproducible by seed."""
    rng = np.random.default_rng(seed)
    needs = {name: list(_indices(family.needs)) for name, family in LEGS.items()}
    weights = np.array([family.weight for family in LEGS.values()])
    legs = rng.choice(list(LEGS), n, p=weights / weights.sum())
    pose, left, right = np.zeros((n, 24, 3), np.float32), np.full(n, " " * 24), np.full(n, " " * 24)
    todo = np.arange(n)
    while len(todo):  # what fails is drawn again for the same legs, so that every family keeps its share
        drawn, a, b = _draw(legs[todo], rng)
        drawn = remove_yaw(torch.from_numpy(drawn).float()).numpy()
        held = _scores(drawn) >= 0
        good = (
            plausible(drawn)
            & (above_floor(drawn) | np.isin(legs[todo], CARRIED))
            & np.array([held[i, needs[leg]].all() for i, leg in enumerate(legs[todo])], bool)
        )
        done = todo[good]
        pose[done], left[done], right[done] = drawn[good], a[good], b[good]
        todo = todo[~good]
    flipped = rng.random(n) < 0.5
    pose[flipped] = mirror(torch.from_numpy(pose[flipped])).numpy()
    held = _scores(pose) >= 0
    cache, names = {}, []
    for i in range(n):
        key = (legs[i], left[i], right[i], bool(flipped[i]))
        if key not in cache:
            cache[key] = [Tag(text, _indices(statements)) for text, statements in _names(*key)]
        names.append(tuple(tag for tag in cache[key] if held[i, list(tag.statements)].all()))
    sided = {name for name, family in LEGS.items() if family.right or family.roll != ANY}
    side = np.where(flipped, "right", "left")
    leg_family = np.array([f"{a}_{b}" if a in sided else a for a, b in zip(legs, side, strict=True)])
    first, second = np.where(flipped, right, left), np.where(flipped, left, right)
    arm_family = np.array([f"{a}|{b}" for a, b in zip(first, second, strict=True)])
    return FamilyPoses(pose.astype(np.float32), leg_family, arm_family, names)
