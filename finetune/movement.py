"""What changed from one pose to another, in metres and degrees: measures of joints, and checks of their change.

A measure is a number of one body; a check looks at the bodies before and after: `rises(height("left_wrist"), 0.15)`.
Where a function takes the name of a part, it begins with left_ or right_.
"""

from collections.abc import Callable

import numpy as np
import torch

from posegen.skeleton import INDEX, forward_kinematics

INF = float("inf")


# ---- measures of one pose


class Body:
    """One pose, measured: positions `p` (24, 3) in metres with the lowest joint at y = 0, global rotations `r`."""

    def __init__(self, rotations: np.ndarray):
        p, r = forward_kinematics(torch.from_numpy(np.asarray(rotations)).double())
        self.p, self.r = p.numpy(), r.numpy()
        self.p[:, 1] -= self.p[:, 1].min()
        hips = self["left_hip"] - self["right_hip"]
        self.left = unit(hips * (1, 0, 1))
        self.front = np.cross(self.left, (0, 1, 0))
        self.trunk = unit(self["neck"] - self["pelvis"])

    def __getitem__(self, joint: str) -> np.ndarray:
        return self.p[INDEX[joint]]

    def seen_from(self, joint: str, direction: np.ndarray) -> np.ndarray:
        """A direction (3,) of the room in the frame of a joint."""
        return self.r[INDEX[joint]].T @ direction


Measure = Callable[[Body], float]
Check = Callable[[Body, Body], bool]  # of the bodies before and after


def unit(v: np.ndarray) -> np.ndarray:
    return v / max(np.linalg.norm(v), 1e-9)


def degrees_between(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip(unit(a) @ unit(b), -1, 1))))


def angle(y: float, x: float) -> float:
    return float(np.degrees(np.arctan2(y, x)))


def height(joint: str) -> Measure:
    """Metres above the lowest joint."""
    return lambda body: body[joint][1]


def above(joint: str, other: str) -> Measure:
    """Metres by which a joint is higher than another."""
    return lambda body: body[joint][1] - body[other][1]


def ahead(joint: str, other: str) -> Measure:
    """Metres by which a joint is before another, along where the hips face."""
    return lambda body: (body[joint] - body[other]) @ body.front


def leftward(joint: str, other: str) -> Measure:
    """Metres by which a joint is to the person's left of another."""
    return lambda body: (body[joint] - body[other]) @ body.left


def apart(joint: str, other: str) -> Measure:
    return lambda body: np.linalg.norm(body[joint] - body[other])


def palm_to(palm: str, joint: str, *point: float) -> Measure:
    """Metres from a palm (between wrist and knuckles) to a point fixed to a joint."""
    wrist, hand = (palm.replace("palm", name) for name in ("wrist", "hand"))
    return lambda body: np.linalg.norm(
        (body[wrist] + body[hand]) / 2 - body[joint] - body.r[INDEX[joint]] @ np.array(point)
    )


def off_hip(palm: str) -> Measure:
    """Metres from a palm to the hip of its side."""
    return palm_to(palm, "pelvis", 0.15 if palm.startswith("left") else -0.15, 0.05, 0.03)


def bend(joint: str) -> Measure:
    """Degrees by which an elbow or a knee is bent."""
    side, part = joint.split("_")
    a, b, c = (
        f"{side}_{name}" for name in {"elbow": ("shoulder", part, "wrist"), "knee": ("hip", part, "ankle")}[part]
    )
    return lambda body: degrees_between(body[b] - body[a], body[c] - body[b])


def rise(thigh: str) -> Measure:
    """Degrees by which a thigh points above the level; -90 hangs."""
    hip, knee = (thigh.replace("thigh", name) for name in ("hip", "knee"))
    return lambda body: angle(*split(body[knee] - body[hip]))


def swing(leg: str) -> Measure:
    """Degrees by which hip to ankle points before the hanging leg."""
    hip, ankle = (leg.replace("leg", name) for name in ("hip", "ankle"))
    return lambda body: angle((body[ankle] - body[hip]) @ body.front, body[hip][1] - body[ankle][1])


def split(v: np.ndarray) -> tuple[float, float]:
    """How far a vector goes up, and how far it goes level."""
    return v[1], float(np.hypot(v[0], v[2]))


def tilt(body: Body) -> float:
    """Degrees of the trunk off the vertical."""
    return 90 - angle(*split(body.trunk))


def pitch(body: Body) -> float:
    """Degrees by which the trunk leans forward."""
    return angle(body.trunk @ body.front, body.trunk[1])


def side_lean(body: Body) -> float:
    """Degrees by which the trunk leans to the person's left."""
    return angle(body.trunk @ body.left, body.trunk[1])


def twist(body: Body) -> float:
    """Degrees by which the shoulders are turned to the left of the hips."""
    across = body.seen_from("pelvis", body["left_shoulder"] - body["right_shoulder"])
    return angle(-across[2], across[0])


def belly_up(body: Body) -> float:
    """1 with the belly to the sky, -1 to the floor."""
    return body.r[0][1, 2]


def turn(body: Body, joint="spine3") -> float:
    """Degrees by which the face is turned to the left of the chest, or of another joint."""
    gaze = body.seen_from(joint, body.r[INDEX["head"]][:, 2])
    return angle(gaze[0], gaze[2])


def gaze(body: Body) -> float:
    """Degrees by which the face looks above the level."""
    return angle(*split(body.r[INDEX["head"]][:, 2]))


def head_tilt(body: Body) -> float:
    """Degrees by which the head leans to the left on the chest."""
    crown = body.seen_from("spine3", body.r[INDEX["head"]][:, 1])
    return angle(crown[0], crown[1])


# ---- checks of a change


def rises(measure: Measure, low: float, high: float = INF) -> Check:
    """It grew by `low` to `high`."""
    return lambda before, after: low <= measure(after) - measure(before) <= high


def falls(measure: Measure, low: float, high: float = INF) -> Check:
    return lambda before, after: low <= measure(before) - measure(after) <= high


def stays(measure: Measure, within: float) -> Check:
    return lambda before, after: abs(measure(after) - measure(before)) <= within


def becomes(measure: Measure, low: float, high: float = INF) -> Check:
    """It is between `low` and `high` afterwards."""
    return lambda before, after: low <= measure(after) <= high


def every(*checks: Check) -> Check:
    return lambda before, after: all(check(before, after) for check in checks)


def both(check, measure, part: str, *limits: float) -> Check:
    """The same for left and right: `both(rises, height, "wrist", 0.1)`."""
    return every(*(check(measure(side + part), *limits) for side in ("left_", "right_")))
