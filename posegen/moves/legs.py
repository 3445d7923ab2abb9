"""Moves of legs, knees and feet."""

import math
from dataclasses import replace

import torch
from torch.nn.functional import normalize

from posegen.goals import LENGTH, UP, Move, bends, elevation, placed, points, toward, turned
from posegen.instruction import LEFT, RIGHT, Change
from posegen.moves.stance import Stance, around, bent, limb, rigid, size

LEG = {1: 1.0, 4: 1.0, 7: 1.5}
OTHER_LEG = {1: 20.0, 4: 20.0, 7: 10.0}


def leg_to(s: Stance, o: int, target: torch.Tensor, straight=0.0) -> Move:
    return Move(rigid(s, (1 + o, 4 + o, 7 + o), target, straight), limb(LEG, o))


def raise_leg(s: Stance, c: Change, o: int) -> Move:
    front = s.direction("forward", o, 0)
    there = s.directions(c, o, 0, but=("up", "down"))
    now = s.bone(1 + o, 7 + o)
    if there is None or not s.stands:
        via = front if there is None else there
        level = c.place in ("level",) and s.stands
        return leg_to(s, o, front if level else toward(now, UP, size(c, 45, 100), via))
    back = bool({"back"} & set(c.directions))
    return leg_to(s, o, toward(now, there, size(c, 30 if back else 42, 50 if back else 85), front))


def lower_leg(s: Stance, c: Change, o: int) -> Move:
    whole = abs(c.amount) >= 1 and c.degrees is None
    angle, front = math.pi if whole else size(c, 40), s.direction("forward", o, 0)
    if s.stands or s.tilt() > 60:
        down = toward(s.bone(1 + o, 7 + o), -UP, angle, front)
        return leg_to(s, o, down)
    return Move([points(4 + o, 7 + o, toward(s.bone(4 + o, 7 + o), -UP, angle, front))], limb({1: 5.0, 4: 1.0}, o))


def move_leg(s: Stance, c: Change, o: int) -> Move:
    if s.stands and all(s.on_ground):
        return step(s, c, o)
    there = s.directions(c, o, 0)
    there = s.direction("forward", o, 0) if there is None else there
    return leg_to(s, o, toward(s.bone(1 + o, 7 + o), there, size(c, 28, 60), there), 180)


def step(s: Stance, c: Change, o: int) -> Move:
    """A foot goes some way over the ground; the other leg gives as much as it must."""
    other = 1 - o
    there = s.directions(c, o, 0, but=("up", "down"))
    there = s.direction("forward", o, 0) if there is None else there
    shift = s.p[7 + o] - s.p[7 + other] + (0.8 if c.full else 0.42 * abs(c.amount)) * there
    if {"in", "left", "right"} & set(c.directions) and abs(float(shift[0])) < 0.1:
        shift = shift + (0.12 if shift[2] >= 0 else -0.12) * torch.tensor([0.0, 0.0, 1.0])  # past the other foot
    goals = [placed(7 + o, shift, (0, 2), to=7 + other)]
    return Move(goals, limb(LEG, o) | limb(OTHER_LEG, other), side_goals=[*flat(s), *knees_kept(s)])


def flat(s: Stance, sides=(LEFT, RIGHT)) -> list:
    """Feet that stand keep their soles on the ground."""
    return [turned(7 + o, -1, s.g[7 + o]) for o in sides if s.on_ground[o]]


def knees_kept(s: Stance, sides=(LEFT, RIGHT)) -> list:
    return [bends(1 + o, 4 + o, 7 + o, s.g[1 + o].T @ s.bone(4 + o, 7 + o)) for o in sides]


def apart(s: Stance, c: Change, sides) -> Move:
    """Feet or knees further from or nearer to each other, sideways."""
    a = 4 if c.part in ("knee", "thigh") else 7
    left = s.direction("left", LEFT, 0)
    gap, now = s.p[a] - s.p[a + 1], float((s.p[a] - s.p[a + 1]) @ left)
    unit = 0.32 if a == 7 else 0.25
    wanted = now + unit * abs(c.amount) if c.verb == "spread" else now - unit * abs(c.amount)
    if c.full:
        wanted = 1.1 if c.verb == "spread" else 0.0
    if c.verb == "close":
        wanted = max(0.13, min(wanted, 0.13) if abs(c.amount) >= 1 else wanted)
    if len(sides) == 1:
        joints = limb(LEG, sides[0]) | limb(OTHER_LEG, 1 - sides[0])
    else:
        joints = limb(LEG, LEFT) | limb(LEG, RIGHT)
    shift = gap + (wanted - now) * left
    if c.verb == "close" and abs(c.amount) >= 1:
        shift = wanted * left + (gap @ UP) * UP * (0.0 if s.stands else 1.0)
    middle = (s.p[a] + s.p[a + 1]) / 2
    under = lambda body: ((body.p[:, a] + body.p[:, a + 1]) / 2 - middle)[:, ::2] / LENGTH  # noqa: E731
    return Move([placed(a, shift, to=a + 1)], joints, side_goals=[under, *flat(s), *knees_kept(s)])


def bend_knee(s: Stance, c: Change, o: int) -> Move:
    if c.verb == "straighten" and c.directions and c.part != "knee":  # "extend the leg backwards"
        return raise_leg(s, c, o)
    goal = bent(s, c, 1 + o, (1 + o, 4 + o, 7 + o), torch.tensor([1.0, 0.0, 0.0]), 45)
    thigh, foot = s.bone(1 + o, 4 + o), s.p[7 + o] - s.p[1 + o]
    if s.stands and s.on_ground[o]:
        under = [placed(7 + o, foot, (0, 2), to=1 + o), *flat(s, (o,))]
        return Move([goal], limb(LEG, o), side_goals=under)
    if s.tilt() > 60 and float(s.g[0][1, 2]) > 0.3:  # on the back: the foot slides over the ground
        return Move([goal], limb(LEG, o), side_goals=[placed(7 + o, foot, (0, 1), to=1 + o)])
    return Move([goal, points(1 + o, 4 + o, thigh)], limb(LEG, o))


def raise_knee(s: Stance, c: Change, o: int) -> Move:
    thigh, shin = s.bone(1 + o, 4 + o), s.bone(4 + o, 7 + o)
    front = s.direction("forward", o, 0)
    there = s.directions(c, o, 0, but=("up", "down"))
    via = front if there is None else normalize(front + there, dim=0)
    least = math.radians(0 if abs(c.amount) < 1 or c.degrees else 5) - elevation(thigh) if abs(c.amount) >= 1 else 0
    target = toward(thigh, UP, max(size(c, 40, 120), least), via)
    if float(shin[1]) < -0.4 or s.stands:
        hang = normalize(-UP + (0.0 if thigh[1] > -0.5 else -0.1) * front, dim=0)
        return Move([points(1 + o, 4 + o, target), points(4 + o, 7 + o, hang)], limb(LEG, o))
    return Move([points(1 + o, 4 + o, target)], limb({1: 1.0, 4: 1.5, 7: 2.0}, o))


def lower_knee(s: Stance, c: Change, o: int) -> Move:
    if s.stands:
        return lower_leg(s, c, o)
    target = toward(s.bone(1 + o, 4 + o), -UP, size(c, 40), s.direction("forward", o, 0))
    return Move([points(1 + o, 4 + o, target)], limb(LEG, o))


def move_knee(s: Stance, c: Change, o: int) -> Move:
    there = s.directions(c, o, 0)
    there = s.direction("forward", o, 0) if there is None else there
    shin = s.g[1 + o].T @ s.bone(4 + o, 7 + o)
    target = toward(s.bone(1 + o, 4 + o), there, size(c, 28, 60), there)
    return Move([points(1 + o, 4 + o, target), bends(1 + o, 4 + o, 7 + o, shin)], limb(LEG, o))


def raise_foot(s: Stance, c: Change, o: int) -> Move:
    front = s.direction("forward", o, 0)
    if s.stands:
        back = -1.0 if "back" in c.directions else 0.0
        thigh = toward(s.bone(1 + o, 4 + o), UP, size(c, 5 if back else 45, 85), front)
        shin = toward(-UP, -front, size(c, 70 if back else 22, 100), front)
        return Move([points(1 + o, 4 + o, thigh), points(4 + o, 7 + o, shin)], limb(LEG, o))
    if s.tilt() > 60:
        return raise_leg(s, c, o)
    shin = toward(s.bone(4 + o, 7 + o), UP, size(c, 40, 90), front)
    return Move([points(4 + o, 7 + o, shin)], limb({1: 3.0, 4: 1.0, 7: 3.0}, o))


def bend_foot(s: Stance, c: Change, o: int) -> Move:
    """Toes up (flexed) or pointed."""
    down = c.verb in ("straighten", "stretch", "lower") or "down" in c.directions
    now = s.g[4 + o].T @ s.bone(7 + o, 10 + o)
    turn = around(torch.tensor([1.0, 0.0, 0.0]), size(c, 30, 50) * (1 if down else -1))
    return Move([bends(4 + o, 7 + o, 10 + o, turn @ now)], {7 + o: 1.0})


def raise_heel(s: Stance, c: Change, o: int) -> Move:
    return bend_foot(s, replace(c, verb="stretch" if c.verb == "raise" else "bend", directions=()), o)


def turn_leg(s: Stance, c: Change, o: int) -> Move:
    """The leg is turned about its own line, toes out or in; the knee goes with it."""
    names = set(c.directions) or {"out"}
    outward = "out" in names or ("left" if o == LEFT else "right") in names
    sign = (1 if o == LEFT else -1) * (1 if outward else -1)
    turn = around(UP if s.tilt() < 60 else -s.bone(1 + o, 7 + o), sign * size(c, 30, 60))
    goals = [turned(7 + o, -1, turn @ s.g[7 + o]), placed(7 + o, s.p[7 + o] - s.p[1 + o], to=1 + o)]
    return Move(goals, limb(LEG, o))


LEG_VERBS = {
    "raise": raise_leg, "lower": lower_leg, "stretch": raise_leg, "kick": raise_leg, "bend": bend_knee,
    "straighten": bend_knee, "move": move_leg, "step": step, "turn": turn_leg, "twist": turn_leg,
}  # fmt: skip
KNEE_VERBS = LEG_VERBS | {"raise": raise_knee, "lower": lower_knee, "move": move_knee, "tuck": raise_knee}
FOOT_VERBS = LEG_VERBS | {
    "raise": raise_foot, "bend": bend_foot, "straighten": bend_foot, "stretch": bend_foot, "lower": lower_leg,
}  # fmt: skip
TOE_VERBS = dict.fromkeys(("raise", "lower", "bend", "stretch", "straighten"), bend_foot) | {"turn": turn_leg}
#: What a verb does to a part of a side: function of (stance, change, side).
LIMBS = {
    "leg": LEG_VERBS, "thigh": KNEE_VERBS, "knee": KNEE_VERBS, "shin": LEG_VERBS | {"raise": raise_foot},
    "foot": FOOT_VERBS, "heel": {"raise": raise_heel, "lower": raise_heel}, "toe": TOE_VERBS,
}  # fmt: skip
