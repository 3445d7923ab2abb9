"""Moves of arms, hands and shoulders."""

import math
from dataclasses import replace

import torch
from torch.nn.functional import normalize

from posegen.goals import ANGLE, UP, Move, bends, elevation, placed, points, rest_bone, toward
from posegen.instruction import LEFT, Change
from posegen.moves.stance import Stance, around, bent, limb, rigid, size

ARM = {13: 12.0, 16: 1.0, 18: 1.0, 20: 6.0}  # of the left side: collar, shoulder, elbow, wrist
ELBOW = {16: 8.0, 18: 1.0}


def arm_to(s: Stance, o: int, target: torch.Tensor, straight=45.0) -> Move:
    return Move(rigid(s, (16 + o, 18 + o, 20 + o), target, straight), limb(ARM, o))


def raise_arm(s: Stance, c: Change, o: int) -> Move:
    now = s.bone(16 + o, 20 + o)
    front, out = s.direction("forward", o), s.direction("out", o)
    there = s.directions(c, o, but=("up", "down"))
    via = normalize(front + out if there is None else there, dim=0)
    if c.place == "overhead" or c.full:
        target = normalize(UP + 0.15 * (front if there is None else there), dim=0)
    elif c.place == "level" or there is not None:
        flat = now * torch.tensor([1.0, 0.0, 1.0])
        target = via if there is not None else normalize(flat, dim=0) if flat.norm() > 0.3 else via
        if c.amount < 0.7:
            target = toward(now, target, size(c, 60), via)
        elif target @ now > 0.9 or "up" in c.directions:  # it is there: higher
            target = toward(target, UP, math.radians(40), via)
    else:
        least = math.radians(45) - elevation(now) if abs(c.amount) >= 1 and c.degrees is None else 0
        target = toward(now, UP, max(size(c, 60), least), via)
    return arm_to(s, o, target, 45 if abs(c.amount) >= 1 or c.full else 180)


def lower_arm(s: Stance, c: Change, o: int) -> Move:
    now, out = s.bone(16 + o, 20 + o), s.direction("out", o)
    down = normalize(0.12 * out - UP, dim=0)
    flat = normalize(now * torch.tensor([1.0, 0.0, 1.0]) + 1e-6, dim=0)
    if c.place == "level":
        return arm_to(s, o, flat)
    whole = abs(c.amount) >= 1 and c.degrees is None
    return arm_to(s, o, toward(now, down, math.pi if whole else size(c, 60), out))


def stretch_arm(s: Stance, c: Change, o: int) -> Move:
    there = s.directions(c, o)
    if c.place == "overhead":
        there = UP
    elif c.place == "level":
        there = s.direction("forward", o) if there is None else there
    now = s.bone(16 + o, 20 + o)
    if there is None:
        return bend_elbow(s, replace(c, verb="straighten"), o)
    return arm_to(s, o, toward(now, there, size(c, 60) if c.amount < 0.7 else math.pi, s.direction("out", o)), 0)


def move_hand(s: Stance, c: Change, o: int) -> Move:
    """The hand goes some way; shoulder and elbow follow."""
    there = s.directions(c, o)
    there = s.direction("forward", o) if there is None else there
    reach = s.p[20 + o] - s.p[16 + o] + 0.28 * abs(c.amount) * there
    longest = 0.97 * ((s.p[18 + o] - s.p[16 + o]).norm() + (s.p[20 + o] - s.p[18 + o]).norm())
    if reach.norm() > longest or c.full:
        reach = reach * longest / reach.norm()
    return Move([placed(20 + o, reach, to=16 + o)], limb({16: 1.0, 18: 1.0, 20: 6.0}, o))


def raise_hand(s: Stance, c: Change, o: int) -> Move:
    if s.bend(16 + o, 18 + o, 20 + o) < 45 or c.place or c.full or abs(c.amount) >= 1:
        return raise_arm(s, c, o)
    return move_hand(s, replace(c, directions=("up",)), o)


def bend_elbow(s: Stance, c: Change, o: int) -> Move:
    frame, a, b, d = 16 + o, 16 + o, 18 + o, 20 + o
    axis = torch.tensor([0.0, -1.0 if o == LEFT else 1.0, 0.0])
    return Move([bent(s, c, frame, (a, b, d), axis, 50)], limb(ELBOW, o))


def move_elbow(s: Stance, c: Change, o: int) -> Move:
    """The upper arm swings; the elbow keeps its bend."""
    there = {"raise": UP, "lower": -UP, "spread": s.direction("out", o), "close": s.direction("in", o)}.get(c.verb)
    given = s.directions(c, o)
    there = given if there is None or c.verb == "move" and given is not None else there
    if there is None:
        there = s.direction("out", o)
    upper = s.bone(16 + o, 18 + o)
    target = toward(upper, there, size(c, 45), s.direction("out", o))
    fore = s.g[16 + o].T @ s.bone(18 + o, 20 + o)
    return Move([points(16 + o, 18 + o, target), bends(16 + o, 18 + o, 20 + o, fore)], limb(ARM, o))


def move_forearm(s: Stance, c: Change, o: int) -> Move:
    there = {"raise": UP, "lower": -UP}.get(c.verb)
    there = s.directions(c, o) if there is None else there
    there = s.direction("forward", o) if there is None else there
    target = toward(s.bone(18 + o, 20 + o), there, size(c, 50), s.direction("forward", o))
    return Move([points(18 + o, 20 + o, target), points(16 + o, 18 + o, s.bone(16 + o, 18 + o))], limb(ARM, o))


def move_shoulder(s: Stance, c: Change, o: int) -> Move:
    name = {"raise": "up", "shrug": "up", "lower": "down"}.get(c.verb) or (c.directions or ("up",))[0]
    shift = s.p[16 + o] - s.p[9] + 0.06 * min(abs(c.amount), 1.2) * s.direction(name, o)
    return Move([placed(16 + o, shift, to=9)], limb({13: 0.5}, o))


def turn_hand(s: Stance, c: Change, o: int) -> Move:
    """The palm is turned some way; without a direction, by a quarter about the forearm."""
    there = s.directions(c, o)
    palm = -s.g[20 + o][:, 1]
    if there is None:
        there = around(s.bone(18 + o, 20 + o), size(c, 70) * (1 if o == LEFT else -1)) @ palm
    goal = lambda body: (-body.g[:, 20 + o, :, 1] - there) / ANGLE  # noqa: E731
    hold = [points(16 + o, 18 + o, s.bone(16 + o, 18 + o)), points(18 + o, 20 + o, s.bone(18 + o, 20 + o))]
    return Move([goal, *hold], limb({16: 2.0, 18: 1.0, 20: 1.0}, o))


def bend_wrist(s: Stance, c: Change, o: int) -> Move:
    axis = torch.tensor([0.0, 0.0, -1.0 if o == LEFT else 1.0])  # down
    axis = -axis if c.verb == "raise" or "up" in c.directions or "back" in c.directions else axis
    now, along = s.g[18 + o].T @ s.bone(20 + o, 22 + o), rest_bone(20 + o, 22 + o)
    if c.verb == "straighten":
        return Move([bends(18 + o, 20 + o, 22 + o, along)], {20 + o: 1.0})
    return Move([bends(18 + o, 20 + o, 22 + o, around(axis, size(c, 40, 75)) @ now)], {20 + o: 1.0})


def spread_arm(s: Stance, c: Change, o: int) -> Move:
    now, out = s.bone(16 + o, 20 + o), s.direction("out", o)
    return arm_to(s, o, toward(now, out, size(c, 60) if abs(c.amount) < 1 else math.pi, out), 30)


def close_arm(s: Stance, c: Change, o: int) -> Move:
    return move_hand(s, replace(c, directions=("in",), amount=0.6 * c.amount), o)


ARM_VERBS = {
    "raise": raise_arm, "lower": lower_arm, "stretch": stretch_arm, "bend": bend_elbow, "straighten": stretch_arm,
    "spread": spread_arm, "close": close_arm, "move": move_hand, "turn": turn_hand, "twist": turn_hand,
}  # fmt: skip
ELBOW_VERBS = {
    "bend": bend_elbow, "straighten": bend_elbow, "raise": move_elbow, "lower": move_elbow, "move": move_elbow,
    "spread": move_elbow, "close": move_elbow, "stretch": stretch_arm, "tuck": lower_arm,
}  # fmt: skip
WRIST_VERBS = ARM_VERBS | {"bend": bend_wrist, "straighten": bend_wrist}
SHOULDER_VERBS = dict.fromkeys(("raise", "lower", "move", "shrug"), move_shoulder)
#: What a verb does to a part of a side: function of (stance, change, side).
LIMBS = {
    "arm": ARM_VERBS, "hand": WRIST_VERBS | {"raise": raise_hand}, "wrist": WRIST_VERBS, "elbow": ELBOW_VERBS,
    "forearm": ARM_VERBS | dict.fromkeys(("raise", "lower", "move"), move_forearm), "shoulder": SHOULDER_VERBS,
}  # fmt: skip
