"""Edits of a pose in words: "raise the left arm a bit and look at it", "now sit down".

What moves a limb some way is in moves/. What the reader understands as statements ("arms crossed", "kneeling") is
taken from poses that the head draws for them: the limbs that they speak of, and as little else as they need.
"""

import math
from dataclasses import dataclass
from itertools import product

import roma
import torch

from posegen import captions, posecodes
from posegen.goals import LENGTH, Body, Move, implausible, reached, shows, solve
from posegen.instruction import LEFT, RIGHT, Change, parse
from posegen.moves import move_of
from posegen.moves.arms import ARM
from posegen.moves.legs import LEG
from posegen.moves.stance import Stance, around, limb
from posegen.moves.trunk import HEAD, TORSO
from posegen.skeleton import remove_yaw

DRAWN, TEMPERATURE, TRIED = 16, 0.5, 2
SURE = 0.8  # probability of a statement that is believed without a word of the tables
KEPT = 5  # statements about arms and head that a new posture is drawn with
HINT = (
    "I did not understand {}; say what to change, for example: raise the left arm, bend the knees more, "
    "turn the head left, put the right hand on the hip, lean forward a bit, or sit down."
)


class EditError(ValueError):
    """An instruction that cannot be followed; the message says how to write one."""


@dataclass
class Done:
    """What was done for one clause: in a few words, how surely it was read, and whether the pose shows it."""

    told: str
    probability: float
    holds: bool


@torch.no_grad()
def edit(policy, rotations: torch.Tensor, instruction: str, previous: str = "", seed: int = 0):
    """Follow an instruction from a pose (24, 3, 3).

    Args:
        policy: a PosePolicy, whose reader and head are asked for what the tables do not know.
        previous: the instruction before this one, which "a bit more" speaks of.
    Returns:
        rotations (24, 3, 3) and a list of Done, one a thing that was understood.
    Raises:
        EditError: nothing was understood.
    """
    last = parse(previous)[-1:] if previous else []
    changes = parse(instruction, last[0] if last else None)
    yawless = roma.rotvec_to_rotmat(remove_yaw(roma.rotmat_to_rotvec(rotations[None])))[0]
    yaw, now, done, unread = rotations[0] @ yawless[0].T, yawless, [], []
    for change in changes:
        if change.verb == "turn" and not change.part:
            yaw = around(yaw[:, 1], whole_turn(change)) @ yaw
            done.append(Done(f"turn {' '.join(change.directions) or 'around'}", 1.0, True))
            continue
        after = follow(policy, now, change, seed)
        if after is None:
            unread.append(change.text)
            continue
        now = after[0]
        done += after[1]
    if not done:
        what = " ".join((unread[0] if unread else instruction).split()[:12])
        raise EditError(HINT.format(f'"{what}"' if what else "that"))
    return torch.cat([(yaw @ now[0])[None], now[1:]]), done


def whole_turn(change: Change) -> float:
    """By how much the whole body turns, radians, to the left; all the way round if no side is named."""
    sides = [d for d in change.directions if d in ("left", "right", "back")]
    degrees = change.degrees or (90 * min(abs(change.amount), 1.0) if sides and sides != ["back"] else 180)
    return math.radians(-degrees if "right" in sides else degrees)


def follow(policy, now: torch.Tensor, change: Change, seed: int):
    """The pose after one change and what was done, or None if the change is not understood."""
    if change.verb != "posture":
        names = contact(change, Stance(now))
        if names:
            return show(policy, now, {posecodes.INDEX[name]: 1.0 for name in names}, seed)
        move = move_of(Stance(now), change)
        if move:
            after = solve(now[None], move)[0]
            return after, [Done(move.told, 1.0, reached(now, after, move))]
    read = policy.read([change.text]).probabilities[0]
    wanted = relevant({i: float(read[i]) for i in torch.nonzero(read > 0.5)[:, 0].tolist()}, change)
    known = change.verb not in ("", "move") or change.part  # all else may be about anything: "make me a sandwich"
    return show(policy, now, wanted, seed) if wanted and (known or max(wanted.values()) > SURE) else None


# --------------------------------------------------------------------------------------- words -> statements

#: Places that a hand reaches, as keys of statements; with "other" if place and hand are of different sides.
PLACES = {
    "hip": "hand_on_hip", "head": "hand_on_head", "face": "hand_at_face", "chin": "hand_at_face", "ear": "hand_at_ear",
    "forehead": "hand_at_forehead", "chest": "hand_on_chest", "torso": "hand_on_belly", "belly": "hand_on_belly",
    "back": "hand_on_back", "buttock": "hand_on_back", "thigh": "hand_on_thigh", "leg": "hand_on_thigh",
    "knee": "hand_on_knee", "foot": "hand_on_foot", "toe": "hand_on_foot", "heel": "hand_on_foot",
    "shin": "hand_on_foot", "ground": "hand_on_ground", "overhead": "hand_above_head",
}  # fmt: skip
OTHER_PLACES = {
    "knee": "hand_on_other_knee", "foot": "hand_on_other_foot", "toe": "hand_on_other_foot",
    "shoulder": "hand_on_other_shoulder", "elbow": "hand_on_other_arm", "arm": "hand_on_other_arm",
    "forearm": "hand_on_other_arm",
}  # fmt: skip
#: The same for other parts.
CONTACTS = {
    ("knee", "chest"): "knee_to_chest", ("leg", "chest"): "knee_to_chest", ("thigh", "chest"): "knee_to_chest",
    ("heel", "buttock"): "heel_at_buttocks", ("foot", "buttock"): "heel_at_buttocks",
    ("foot", "knee"): "ankle_on_other_knee", ("foot", "thigh"): "ankle_on_other_knee",
    ("foot", "leg"): "foot_on_other_leg", ("elbow", "knee"): "elbow_on_knee", ("elbow", "ground"): "elbow_on_ground",
}  # fmt: skip
REACHING = ("touch", "move", "raise", "lower", "stretch", "close", "bend", "")


def contact(c: Change, s: Stance) -> list[str]:
    """The statements that say that a part reaches a place; [] if the change is not about that."""
    if c.part in ("hand", "arm", "wrist", "") and c.verb == "cross" or c.part == "arm" and c.verb == "bend" and c.full:
        return ["arms_crossed"] if c.verb == "cross" else []
    if c.verb == "cross" and c.part in ("leg", "foot", "shin"):
        return ["legs_crossed"]
    if c.part in ("hand", "wrist") and (c.place == "together" or c.place == "hand") and c.amount >= 1:
        return ["hands_together"]
    if c.verb not in REACHING or not c.place or c.part == "arm" and c.verb in ("raise", "lower", "stretch"):
        return []
    if c.part in ("hand", "wrist", "arm") and c.verb != "raise" or (c.part == "hand" and c.place != "overhead"):
        sides = c.sides or ((c.place_side,) if c.place_side is not None and c.place != "shoulder" else (RIGHT,))
        return [name for o in sides if (name := _hand_name(c, o, sides))]
    key = CONTACTS.get((c.part, c.place))
    return [f"{_SIDE[o]}_{key}" for o in c.sides or (RIGHT,)] if key else []


_SIDE = ("left", "right")


def _hand_name(c: Change, o: int, sides) -> str:
    across = c.place in OTHER_PLACES and (
        c.place_side not in (None, o) or c.place not in PLACES and c.place_side is None
    )
    if c.behind and c.place in ("head", "back"):
        key = {"head": "hand_behind_head", "back": "hand_on_back"}[c.place]
    else:
        key = OTHER_PLACES[c.place] if across else PLACES.get(c.place)
    return f"{_SIDE[o]}_{key}" if key else ""


#: What people do when nothing else is said; the reader adds it to named poses ("wave": standing, the other arm down).
RESTING = (
    "standing",
    "torso_upright",
    "leg_under_body",
    "arm_down",
    "foot_on_ground",
    "knee_straight",
    "hand_below_hips",
)
GROUPS = {
    "arms": ("arm", "hand", "wrist", "forearm", "elbow", "shoulder"),
    "legs": ("leg", "thigh", "knee", "shin", "foot", "heel", "toe"),
    "torso": ("torso", "chest", "back", "hip", "belly"), "head": ("head", "face", "chin", "ear", "forehead"),
}  # fmt: skip
GROUP_OF = {part: group for group, parts in GROUPS.items() for part in parts}


def relevant(read: dict[int, float], change: Change) -> dict[int, float]:
    """Of the statements that were read, with probabilities, those that the words speak of."""
    of = posecodes.STATEMENTS
    group = lambda i: "arms" if of[i].group == "hands" else of[i].group  # noqa: E731
    if change.verb == "posture":
        return {i: p for i, p in read.items() if group(i) in ("posture", "legs", "torso")}
    if change.part:
        side = {_SIDE[o] for o in change.sides} or set(_SIDE)
        named = {
            i: p for i, p in read.items() if group(i) == GROUP_OF.get(change.part) and {of[i].side, ""} & {*side, ""}
        }
        return {i: p for i, p in named.items() if not of[i].side or of[i].side in side}
    return {i: p for i, p in read.items() if of[i].key not in RESTING} or read


# ----------------------------------------------------------------------------------------- statements -> pose


def show(policy, now: torch.Tensor, wanted: dict[int, float], seed: int):
    """The pose nearest to `now` found in which the wanted statements hold, and what was done."""
    index = sorted(wanted, key=wanted.get, reverse=True)
    whole = any(posecodes.STATEMENTS[i].group == "posture" for i in index)
    after = posture(policy, now, index, seed) if whole else place(policy, now, index, seed)
    if not whole and worst(after, index) > 1:  # the limb alone does not get there
        after = min(after, posture(policy, now, index, seed), key=lambda pose: worst(pose, index))
    holds = posecodes.scores(after[None])[0] >= -1
    return after, [Done(captions.phrase(i), wanted[i], bool(holds[i])) for i in index]


def worst(pose: torch.Tensor, index: list[int]) -> float:
    """By how much the statement that a pose (24, 3, 3) misses most is missed, in tolerances."""
    return float((-posecodes.scores(pose[None])[0, index]).amax())


def draw(policy, wishes: list[list[int]], seed: int) -> torch.Tensor:
    """(DRAWN * len(wishes), 24, 3, 3) poses that show each list of statements."""
    wanted = torch.zeros(len(wishes), len(posecodes.NAMES))
    for row, index in zip(wanted, wishes, strict=True):
        row[index] = 1
    distribution = policy.distribution(wanted)
    x = distribution.sample(DRAWN, TEMPERATURE, torch.Generator().manual_seed(seed))
    return distribution.rotations(x).flatten(0, 1)


def holding(policy, now: torch.Tensor, index: list[int], groups) -> list[int]:
    """What the current pose tells in some groups, most telling first, and may tell together with the wanted ones."""
    told = captions.telling(posecodes.scores(now[None])[0])
    return [i for i in told if posecodes.STATEMENTS[i].group in groups and policy.reader.compatible[i, index].all()]


def joints_of(index: list[int]) -> dict[int, float]:
    """The joints that statements speak of."""
    out: dict[int, float] = {}
    for i in index:
        statement = posecodes.STATEMENTS[i]
        sides = [_SIDE.index(statement.side)] if statement.side else [LEFT, RIGHT]
        if statement.group in ("arms", "hands"):
            out |= {j: c for o in sides for j, c in limb(ARM, o).items()}
        elif statement.group == "legs":
            out |= {j: c for o in sides for j, c in limb(LEG, o).items()}
        else:
            out |= TORSO if statement.group == "torso" else HEAD
    return out


def place(policy, now: torch.Tensor, index: list[int], seed: int) -> torch.Tensor:
    """The limb that statements speak of as it is or as in drawn poses, and from there moved until they hold."""
    joints = joints_of(index)
    limbs = [j for j in joints if j]
    drawn = now.repeat(DRAWN + 1, 1, 1, 1)
    drawn[1:, limbs] = draw(policy, [index + holding(policy, now, index, ("posture",))], seed)[:, limbs]
    start = drawn[nearness(drawn, now, index).topk(TRIED, largest=False).indices]
    for reach in ({}, {j: 3.0 * c for j, c in (TORSO | HEAD).items()}):
        ends = solve(start, Move([shows(index)], reach | joints))
        best = ends[nearness(ends, now, index).argmin()]
        if worst(best, index) <= 0.5:
            break
    return best


def nearness(poses: torch.Tensor, now: torch.Tensor, index: list[int]) -> torch.Tensor:
    """(B,) how far poses are from `now`, from showing the statements, and from what bodies do; the less the better."""
    body = Body.of(poses)
    missed = (-posecodes.scores(poses)[:, index]).clamp_min(0).sum(1)
    broken = (implausible(body) - implausible(Body.of(now[None])).clamp_min(0)).clamp_min(0).sum(1)
    low = body.p[:, [j for j in range(24) if j < 18], 1].amin(1)
    sunk = ((low - 0.06 - body.p[:, 18:, 1].amin(1)) / LENGTH).clamp_min(0)
    away = roma.rotmat_geodesic_distance(poses, now.expand_as(poses)).square().sum(1)
    return 10 * missed + 0.5 * broken + sunk + away


#: What a new posture may leave as it is, sets of joints: arms, head and spine in all combinations.
_PARTS = ([13, 16, 18, 20, 22], [14, 17, 19, 21, 23], [12, 15], [3, 6, 9])
OWN = [[j for part, keep in zip(_PARTS, kept, strict=True) if keep for j in part] for kept in product((0, 1), repeat=4)]


def posture(policy, now: torch.Tensor, index: list[int], seed: int) -> torch.Tensor:
    """A pose drawn for a posture and what else it can keep, with as much of the current pose as fits into it."""
    kept = holding(policy, now, index, ("arms", "hands", "head"))
    if not any(posecodes.STATEMENTS[i].group == "posture" for i in index):
        kept = holding(policy, now, index, ("posture",)) + kept
    drawn = draw(policy, [index, index + kept[:KEPT]] if kept else [index], seed)
    candidates = drawn.repeat(len(OWN), 1, 1, 1)
    for mixed, own in zip(candidates.chunk(len(OWN)), OWN, strict=True):
        mixed[:, own] = now[own]
    return candidates[nearness(candidates, now, index).argmin()]
