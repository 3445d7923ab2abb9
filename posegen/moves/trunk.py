"""Moves of torso, hips and head."""

import math
from dataclasses import replace

import torch
from torch.nn.functional import normalize

from posegen.goals import ANGLE, UP, Move, placed, points, toward, turned
from posegen.instruction import LEFT, RIGHT, Change
from posegen.moves.legs import LEG, flat
from posegen.moves.stance import Stance, around, limb, size, swung

SPINE = {3: 1.0, 6: 1.0, 9: 1.0}
TORSO = {0: 0.4, **SPINE}
HEAD = {12: 1.0, 15: 1.0}


def lean(s: Stance, c: Change) -> Move:
    names = [d for d in c.directions if d not in ("up", "out", "in")] or ["forward"]
    far = {"bow": 40, "bend": 50}.get(c.verb, 22)
    if "down" in names:
        far, names = 70, ["forward"]
    there = s.directions(replace(c, directions=tuple(names)), LEFT, 0)
    sideways = "forward" not in names
    now = s.bone(0, 12)
    if c.amount < 0:
        there = -there
    if s.tilt() > 60:
        there = s.direction("forward", LEFT, 0) if "forward" in names else there
    limit = math.radians({"forward": 110}.get(names[0], 40))
    angle = min(size(c, min(far, 25) if sideways else far, 90), limit)
    return chest_to(s, swung(now, toward(now, there, angle, there)))


def chest_to(s: Stance, turn: torch.Tensor) -> Move:
    """The torso is turned in the world; the legs stay where they are."""
    return Move([points(0, 12, turn @ s.bone(0, 12)), turned(9, -1, turn @ s.g[9])], dict(TORSO))


def raise_torso(s: Stance, c: Change) -> Move:
    now, front = s.bone(0, 12), s.direction("forward", LEFT, 0)
    goal = UP if c.verb == "raise" else (front if s.tilt() < 60 else -UP)
    return chest_to(s, swung(now, toward(now, goal, size(c, 35, 90), front)))


def straighten_torso(s: Stance, c: Change) -> Move:
    """Upright: the line from pelvis to neck vertical, the back neither round nor twisted."""
    now = s.bone(0, 12)
    part = min(1.0, abs(c.amount)) if abs(c.amount) != 0.7 else 1.0
    turn = swung(now, toward(now, UP, part * math.acos(float(now[1].clamp(-1, 1))), s.direction("forward", LEFT, 0)))
    return Move([points(0, 12, turn @ now), turned(9, 0, torch.eye(3))], dict(TORSO))


def curve_torso(s: Stance, c: Change) -> Move:
    forward = (c.verb == "round") == (c.amount > 0)
    turn = around(torch.tensor([1.0, 0.0, 0.0]), size(c, 32 if forward else 26, 50) * (1 if forward else -1))
    return Move([turned(9, 0, turn @ s.g[0].T @ s.g[9])], dict(SPINE))


def twist_torso(s: Stance, c: Change) -> Move:
    sign = -1 if "right" in c.directions else 1
    turn = around(torch.tensor([0.0, 1.0, 0.0]), sign * size(c, 35, 60))
    return Move([turned(9, 0, turn @ s.g[0].T @ s.g[9])], dict(SPINE))


def shift_hips(s: Stance, c: Change) -> Move:
    """The pelvis goes some way over or towards the feet."""
    name = {"raise": "up", "lower": "down"}.get(c.verb)
    there = s.direction(name) if name else s.directions(c, LEFT, 0)
    there = s.direction("forward", LEFT, 0) if there is None else there
    way = (0.2 if abs(float(there[1])) > 0.5 else 0.12) * abs(c.amount)
    goals = [placed(7 + o, s.p[7 + o] - s.p[0] - way * there) for o in (LEFT, RIGHT)]
    return Move(goals, limb(LEG, LEFT) | limb(LEG, RIGHT), side_goals=flat(s))


#: Axis and sign of each turn of the head in the chest's frame: (x, y, z) of the rotation vector.
_GAZE = {"left": (0, 1, 0), "right": (0, -1, 0), "up": (-1, 0, 0), "down": (1, 0, 0)}
_TILT = {"left": (0, 0, -1), "right": (0, 0, 1), "forward": (1, 0, 0), "back": (-1, 0, 0)}
_TILT |= {"up": (-1, 0, 0), "down": (1, 0, 0)}


def head(s: Stance, c: Change) -> Move:
    names = c.directions
    if c.verb in ("raise", "lower", "bow", "nod", "tuck") or c.place in ("torso", "chest"):
        names = ("up",) if c.verb == "raise" else ("down",)
    if c.place == "shoulder" and c.place_side is not None:  # over, or towards, a shoulder
        names = ("left",) if c.place_side == LEFT else ("right",)
    tilts = c.verb in ("lean", "move", "bow") or c.part == "ear"
    if c.verb == "straighten" or (not tilts and "forward" in names):
        upright = s.tilt() < 45
        return Move([turned(15, -1, facing(s.g[9])) if upright else turned(15, 9, torch.eye(3))], dict(HEAD))
    if c.verb in ("look", "turn") and c.place in ("hand", "foot", "knee", "elbow", "toe"):
        return look_at(s, c)
    if "back" in names and not tilts:
        names, c = ("left" if "left" in names else "right",), replace(c, amount=1.6)
    table, step = (_TILT, 24) if tilts else (_GAZE, 45)
    vectors = [torch.tensor(table[n], dtype=torch.float32) for n in names if n in table]
    vectors = vectors or [torch.tensor(table["left"], dtype=torch.float32)]
    turn = torch.eye(3)
    for v in vectors:
        turn = around(v, size(c, 30 if float(v[0]) and not tilts else step, 75 if float(v[1]) else 45)) @ turn
    return Move([turned(15, 9, turn @ s.g[9].T @ s.g[15])], dict(HEAD))


def look_at(s: Stance, c: Change) -> Move:
    o = c.place_side or LEFT
    joint = {"hand": 22, "foot": 10, "knee": 4, "elbow": 18, "toe": 10}[c.place] + o
    there = normalize(s.p[joint] - s.p[15], dim=0)
    return Move([lambda body: (body.g[:, 15, :, 2] - there) / (2 * ANGLE)], dict(HEAD))


def facing(rotation: torch.Tensor) -> torch.Tensor:
    """The upright rotation (3, 3) that looks where a rotation (3, 3) looks."""
    front = normalize(rotation[:, 2] * torch.tensor([1.0, 0.0, 1.0]), dim=0)
    return torch.stack([torch.linalg.cross(UP, front), UP, front], -1)


TORSO_VERBS = {
    "lean": lean, "bow": lean, "bend": lean, "move": lean, "stretch": lean, "raise": raise_torso, "lower": raise_torso,
    "straighten": straighten_torso, "arch": curve_torso, "round": curve_torso, "turn": twist_torso,
    "twist": twist_torso,
}  # fmt: skip
HEAD_VERBS = dict.fromkeys(
    ("turn", "twist", "look", "lean", "raise", "lower", "bow", "nod", "tuck", "straighten", "move", "bend", "touch"),
    head,
)
#: What a verb does to a part that has no sides: function of (stance, change).
MIDDLE = {
    **dict.fromkeys(("torso", "chest", "back", "belly"), TORSO_VERBS),
    **dict.fromkeys(("head", "face", "chin", "forehead", "ear"), HEAD_VERBS),
    "hip": dict.fromkeys(("raise", "lower", "move", "stretch", "close"), shift_hips) | {"turn": twist_torso},
}
