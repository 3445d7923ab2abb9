"""Goals of an edit, and the search for the nearest pose that reaches them.

A goal is a vector measured on the body that shall become zero ("the left upper arm points there"). The joints of the
named limb move freely, others not at all; the legs keep their place when the torso leans. The pose that is found stays
within joint limits, keeps its limbs out of the body, and stands where it stood.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import roma
import torch
from torch.nn.functional import normalize

from posegen import posecodes
from posegen.skeleton import PARENTS, forward_kinematics, rest_joints

STEPS, RATE = 60, 0.15
DEG = torch.pi / 180
PRIOR = 0.008  # weight of the way a free joint goes (radians squared)
ANGLE, LENGTH = 8 * DEG, 0.03  # what counts as 1 in a goal
REACHED = 2.0  # a goal is reached if its vector is at most this long
MARGIN = 0.4  # by how much statements should hold, in their tolerances

#: Largest rotation of each joint in degrees.
LIMITS = {
    1: 150, 2: 150, 3: 60, 4: 156, 5: 156, 6: 50, 7: 75, 8: 75, 9: 50, 12: 65, 13: 35, 14: 35, 15: 65, 16: 165, 17: 165,
    18: 150, 19: 150, 20: 95, 21: 95,
}  # fmt: skip
UP = torch.tensor([0.0, 1.0, 0.0])


@dataclass
class Body:
    """B bodies: joint positions p (B, 24, 3) with the pelvis at the origin, local and global rotations."""

    rotations: torch.Tensor
    p: torch.Tensor
    g: torch.Tensor

    @classmethod
    def of(cls, rotations: torch.Tensor) -> "Body":
        return cls(rotations, *forward_kinematics(rotations))

    def bone(self, a: int, b: int) -> torch.Tensor:
        """(B, 3) unit vector from joint a to joint b."""
        return normalize(self.p[:, b] - self.p[:, a], dim=-1)

    def bone_in(self, frame: int, a: int, b: int) -> torch.Tensor:
        """The same in the coordinates of a joint."""
        return (self.g[:, frame].transpose(-1, -2) @ self.bone(a, b)[..., None])[..., 0]

    def at(self, joint: int, offset) -> torch.Tensor:
        """(B, 3) the point fixed to a joint at an offset in its own frame."""
        return self.p[:, joint] + self.g[:, joint] @ self.p.new_tensor(offset)


Goal = Callable[[Body], torch.Tensor]  # -> (B, k), 1 = ANGLE or LENGTH


@dataclass
class Move:
    """Goals and what may move for them.

    Attributes:
        joints: joint -> how dear its rotation is (1 = the named limb).
        told: what is done, in a few words.
    """

    goals: list[Goal]
    joints: dict[int, float]
    told: str = ""
    side_goals: list[Goal] = field(default_factory=list)  # wished for, not asked for: feet stay flat


# ------------------------------------------------------------------------------------------------------- goals


def points(a: int, b: int, target: torch.Tensor) -> Goal:
    """The bone from joint a to b has the world direction `target` (3,)."""
    return lambda body: (body.bone(a, b) - target) / ANGLE


def bends(frame: int, a: int, b: int, target: torch.Tensor) -> Goal:
    """The bone from joint a to b has the direction `target` (3,) in the coordinates of joint `frame`."""
    return lambda body: (body.bone_in(frame, a, b) - target) / ANGLE


def turned(joint: int, frame: int, target: torch.Tensor) -> Goal:
    """A joint is oriented (3, 3) against another one, or against the world (frame -1)."""

    def goal(body):
        now = body.g[:, joint] if frame < 0 else body.g[:, frame].transpose(-1, -2) @ body.g[:, joint]
        return (now - target).flatten(1) / ANGLE

    return goal


def shows(statements: list[int]) -> Goal:
    """Statements of posecodes.py hold, with a margin."""
    return lambda body: 2 * (MARGIN - posecodes.score(body.rotations, only=statements)).clamp_min(0)


def placed(joint: int, target: torch.Tensor, axes=(0, 1, 2), to: int = 0) -> Goal:
    """A joint is at `target` (3,) metres from joint `to`, as seen on some axes."""
    axes = list(axes)
    return lambda body: (body.p[:, joint] - body.p[:, to] - target)[:, axes] / LENGTH


# ---------------------------------------------------------------------------------------------------- optimiser


def solve(start: torch.Tensor, move: Move) -> torch.Tensor:
    """The poses (B, 24, 3, 3) near the starts (B, 24, 3, 3) that reach the goals as well as may be."""
    first = Body.of(start)
    free = torch.tensor(sorted(move.joints))
    cost = torch.tensor([move.joints[j] for j in free.tolist()])[:, None]
    x = torch.zeros(len(start), len(free), 3, requires_grad=True)
    allowed = implausible(first).detach().clamp_min(0)
    floor = floor_goal(first, free)
    optimizer = torch.optim.Adam([x], RATE)
    with torch.enable_grad():
        for step in range(STEPS):
            for group in optimizer.param_groups:
                group["lr"] = RATE * (1 - step / STEPS) ** 0.5
            body = Body.of(moved(start, free, x))
            loss = sum(goal(body).square().sum() for goal in move.goals)
            loss = loss + 0.2 * sum(goal(body).square().sum() for goal in move.side_goals)
            loss = loss + floor(body) + (implausible(body) - allowed).clamp_min(0).square().sum()
            loss = loss + (PRIOR / ANGLE**2 * cost * x.square()).sum()
            optimizer.zero_grad()
            loss.backward()
            x.grad.nan_to_num_()
            optimizer.step()
    return moved(start, free, x.detach())


def moved(start: torch.Tensor, free: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Poses with free joints (F,) rotated by x (B, F, 3) against the start; legs stay if the pelvis turns."""
    delta = torch.eye(3).expand(len(start), 24, 3, 3).clone()
    delta[:, free] = roma.rotvec_to_rotmat(x)
    rotations = start @ delta
    hips = rotations[:, :1].transpose(-1, -2) @ start[:, :1] @ rotations[:, 1:3]
    return torch.cat([rotations[:, :1], hips, rotations[:, 3:]], 1)


#: Points on limbs: joints a and b of the left side, and where between them.
_ARM = ((18, 20, 0.45), (18, 20, 0.8), (20, 22, 0.0), (20, 22, 1.0))
_THIGH = ((1, 4, 0.3), (1, 4, 0.6), (1, 4, 0.9))
_LEG = ((1, 4, 0.5), (1, 4, 1.0), (4, 7, 0.33), (4, 7, 0.66), (4, 7, 1.0))
#: Balls that the trunk and the head are made of: joint, where in its frame, radius.
_BALLS = [
    (j, (x, up, front), 0.09)
    for j, up, front in ((0, 0.0, 0.05), (3, 0.02, 0.05), (6, 0.03, 0.055), (9, 0.06, 0.055), (9, 0.16, 0.04))
    for x in (-0.05, 0.05)
]
_BALLS += [(15, (0.0, 0.07, 0.03), 0.1)]  # fmt: skip


def along(p: torch.Tensor, limb) -> torch.Tensor:
    """(B, 2, K, 3) points on the left and the right limb."""
    a, b = (torch.tensor([[row[k] + o for row in limb] for o in (0, 1)]) for k in (0, 1))
    return p[:, a].lerp(p[:, b], torch.tensor([row[2] for row in limb])[:, None])


def implausible(body: Body) -> torch.Tensor:
    """(B, V) by how much poses break each bound: joints turned too far, knees and elbows bent backwards, arms in the
    body, legs in each other; 1 = ANGLE or LENGTH, 0 or less where the bound is kept."""
    cosine = (body.rotations[:, list(LIMITS)].diagonal(dim1=-2, dim2=-1).sum(-1) - 1) / 2
    limit = torch.tensor(list(LIMITS.values())) * DEG
    inside = (body.g[:, (16, 17, 1, 2)] * (body.p[:, (20, 21, 7, 8)] - body.p[:, (18, 19, 4, 5)])[..., None]).sum(-2)
    hinges = inside[..., 2] / 0.25 * torch.tensor([-1.0, -1.0, 1.0, 1.0]) - 0.1
    joint, offset, radius = (torch.tensor(column) for column in zip(*_BALLS, strict=True))
    balls = body.p[:, joint] + (body.g[:, joint] @ offset[..., None])[..., 0]
    arms, thighs, legs = (along(body.p, limb).flatten(1, 2) for limb in (_ARM, _THIGH, _LEG))
    left, right = legs.chunk(2, 1)
    out = [
        (limit.cos() - cosine) / limit.sin() / ANGLE, hinges / ANGLE,
        (radius - gaps(arms, balls)).amax(2) / LENGTH, (0.07 - gaps(arms, thighs).amin(2)) / LENGTH,
        (0.08 - gaps(left, right).amin(2)) / LENGTH,
    ]  # fmt: skip
    return torch.cat(out, 1)


def gaps(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """(B, K, L) distances of points (B, K, 3) and (B, L, 3)."""
    return (a[:, :, None] - b[:, None]).square().sum(-1).clamp_min(1e-8).sqrt()


@torch.no_grad()
def reached(start: torch.Tensor, end: torch.Tensor, move: Move) -> bool:
    """Whether the end of one edit (24, 3, 3) has come most of the way to its goals from the start."""
    before, after = (max(float(goal(Body.of(r[None])).norm()) for goal in move.goals) for r in (start, end))
    return after <= max(REACHED, 0.4 * before)


def children(joints) -> set[int]:
    """The joints that go where these go: they and what hangs on them. Legs do not hang on the pelvis (see `moved`)."""
    out = set(joints)
    for j in range(24):
        if PARENTS[j] in out and not (j in (1, 2) and PARENTS[j] == 0):
            out.add(j)
    return out


def floor_goal(first: Body, free: torch.Tensor) -> Goal:
    """Nothing that moves goes through the ground on which the rest of the body is; the rest stays on it.

    If all that touched the ground moves (both legs of a person who stands), it goes on touching it all at once.
    """
    height = first.p[..., 1]
    touching = height[0] < height[0].min() + 0.06
    moves = torch.tensor([j in children(free.tolist()) for j in range(24)])
    still = touching & ~moves
    if still.any():
        level = height[:, moves].minimum(height[0][still].min())  # what is in the ground already may stay there
        return lambda body: ((level - body.p[:, moves, 1]) / LENGTH).clamp_min(0).square().sum()
    before = height[0][touching] - height[0][touching].mean()

    def even(body):
        now = body.p[:, touching, 1]
        now = now - now.mean(1, keepdim=True)
        return 0.5 * ((now - before) / LENGTH).square().sum()

    return even


# ------------------------------------------------------------------------------------------------------- angles


def toward(v: torch.Tensor, goal: torch.Tensor, angle: float, via: torch.Tensor) -> torch.Tensor:
    """A unit vector (3,) turned towards another one by an angle in radians, at most until it is there.

    If they nearly point away from each other, it goes by way of `via`.
    """
    v, goal = normalize(v, dim=0), normalize(goal, dim=0)
    between = torch.arccos((v @ goal).clamp(-1, 1))
    if between < 1e-3:
        return goal
    side = goal - (goal @ v) * v
    if v @ goal < -0.9:
        side = side + 2 * (via - (via @ v) * v)
    side = normalize(side - (side @ v) * v, dim=0)
    if angle >= between:
        return goal
    return v * torch.cos(torch.as_tensor(angle)) + side * torch.sin(torch.as_tensor(angle))


def hinge(v: torch.Tensor, along: torch.Tensor, axis: torch.Tensor, angle: float, least=0.03, most=2.45):
    """A bone direction v (3,) bent further by an angle against the bone before it, `along` (3,), both in one frame.

    The axis is that of the bend there is; a given one where the joint is nearly straight.
    """
    now = torch.arccos((v @ along).clamp(-1, 1)).item()
    if now > 0.3:
        axis = normalize(torch.linalg.cross(along, v), dim=0)
    axis = normalize(axis - (axis @ along) * along, dim=0)
    target = torch.as_tensor(min(max(now + angle, least), most))
    return along * torch.cos(target) + torch.linalg.cross(axis, along) * torch.sin(target)


def elevation(v: torch.Tensor) -> float:
    """Angle in radians of a unit vector (3,) over the horizontal."""
    return torch.arcsin(v[1].clamp(-1, 1)).item()


def rest_bone(a: int, b: int) -> torch.Tensor:
    rest = torch.from_numpy(rest_joints())
    return normalize(rest[b] - rest[a], dim=0)
