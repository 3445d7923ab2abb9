"""The body that is to be moved, and what all moves are made of: directions, sizes, swings.

Angles are in degrees here; "up" and "down" are those of the world, "forward" and "out" those of the chest or pelvis.
"""

import math

import roma
import torch
from torch.nn.functional import normalize

from posegen.goals import UP, Body, bends, hinge, points, rest_bone
from posegen.instruction import LEFT, RIGHT, Change

STANDING_PELVIS = 0.62  # metres; a lower one sits, kneels or lies


class Stance:
    """The body that is to be moved, facing +Z.

    Attributes:
        body: of one pose; p, g: its joint positions (24, 3) and global rotations (24, 3, 3).
        stands: the feet carry it.
    """

    def __init__(self, rotations: torch.Tensor):
        self.body = Body.of(rotations[None])
        self.p, self.g = self.body.p[0], self.body.g[0]
        low = self.p[:, 1].min()
        self.on_ground = [bool(self.p[7 + o, 1] < low + 0.16) for o in (LEFT, RIGHT)]
        self.stands = bool(self.p[0, 1] - low > STANDING_PELVIS) and self.tilt() < 75

    def tilt(self) -> float:
        return math.degrees(math.acos(float(normalize(self.p[12] - self.p[0], dim=0)[1].clamp(-1, 1))))

    def bone(self, a: int, b: int) -> torch.Tensor:
        return normalize(self.p[b] - self.p[a], dim=0)

    def bend(self, a: int, b: int, c: int) -> float:
        """Degrees between the bones a-b and b-c."""
        return math.degrees(math.acos(float((self.bone(a, b) @ self.bone(b, c)).clamp(-1, 1))))

    def direction(self, name: str, o: int = LEFT, frame: int = 9) -> torch.Tensor:
        """A world direction (3,) for the words "forward", "out", ...; of an upright body the horizontal one."""
        if name in ("up", "down"):
            return UP if name == "up" else -UP
        sign = -1 if name in ("back", "right", "in") else 1
        axis = self.g[frame][:, 2 if name in ("forward", "back") else 0]
        if name in ("out", "in"):
            sign = sign * (1 if o == LEFT else -1)
        if self.tilt() < 60:
            axis = axis * torch.tensor([1.0, 0.0, 1.0])
        return normalize(sign * axis, dim=0)

    def directions(self, change: Change, o: int, frame: int = 9, but=()) -> torch.Tensor | None:
        """The sum of a change's directions, or None."""
        found = [self.direction(d, o, frame) for d in change.directions if d not in but]
        return normalize(sum(found), dim=0) if found and sum(found).norm() > 0.1 else None


def size(change: Change, degrees: float, full: float = 180.0) -> float:
    """Radians of a turn that is `degrees` as a rule."""
    if change.degrees is not None and not change.exact:
        return math.radians(change.degrees)
    return math.radians(full if change.full else degrees * abs(change.amount))


def limb(joints: dict[int, float], o: int) -> dict[int, float]:
    """The same joints on side o of a table written for the left."""
    return {j + o: cost for j, cost in joints.items()}


def around(axis: torch.Tensor, angle: float) -> torch.Tensor:
    return roma.rotvec_to_rotmat(axis * angle)


def swung(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """The smallest rotation (3, 3) that takes unit vector a to b."""
    axis = torch.linalg.cross(a, b)
    sine, cosine = axis.norm(), (a @ b).clamp(-1, 1)
    return around(axis / sine, torch.atan2(sine, cosine)) if sine > 1e-5 else torch.eye(3)


def rigid(s: Stance, joints, target: torch.Tensor, straight: float) -> list:
    """Goals that swing a limb of three joints so that its ends point to `target`; straight if it is bent by more."""
    a, b, c = joints
    if s.bend(a, b, c) > straight:
        return [points(a, b, target), points(b, c, target)]
    turn = swung(s.bone(a, c), target)
    return [points(a, b, turn @ s.bone(a, b)), points(b, c, turn @ s.bone(b, c))]


def bent(s: Stance, c: Change, frame: int, joints, axis, degrees: float):
    """The goal that the second bone of three joints is bent or straightened against the first one."""
    a, b, d = joints
    more = (c.verb != "straighten") == (c.amount > 0)
    step = size(c, degrees if more or abs(c.amount) != 1 else 180)
    if c.exact and c.degrees is not None:
        step, more = math.radians(c.degrees - s.bend(a, b, d)), True
    now = s.g[frame].T @ s.bone(b, d)
    return bends(frame, b, d, hinge(now, rest_bone(a, b), axis, step if more else -step))
