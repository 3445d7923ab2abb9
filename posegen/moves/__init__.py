"""What each instruction means on a body: the Move that the tables of arms, legs and trunk have for a Change."""

from dataclasses import replace

from posegen.goals import Move
from posegen.instruction import LEFT, RIGHT, Change
from posegen.moves import arms, legs
from posegen.moves.stance import Stance
from posegen.moves.trunk import MIDDLE

LIMBS = arms.LIMBS | legs.LIMBS
#: Verbs without a part, or on one that they do not fit.
DEFAULT_PART = {
    "look": "head", "nod": "head", "lean": "torso", "bow": "torso", "bend": "torso", "twist": "torso", "step": "foot",
    "kick": "leg", "shrug": "shoulder", "arch": "back", "round": "back", "spread": "leg",
}  # fmt: skip


def completed(c: Change) -> Change:
    """The change with the part that its verb implies."""
    if c.verb == "shrug" or (c.part == "" and c.verb in DEFAULT_PART):
        part = DEFAULT_PART[c.verb]
        both = c.verb in ("shrug", "spread")
        return replace(c, part=part, sides=(LEFT, RIGHT) if both else c.sides)
    if c.part == "shoulder" and c.verb in ("turn", "twist", "lean", "spread"):
        return replace(c, part="torso", sides=())
    if c.verb == "turn" and c.part == "hip":
        return replace(c, part="torso")
    return c


def move_of(s: Stance, change: Change) -> Move | None:
    """The move that a change asks for; None if the tables do not know it."""
    c = completed(change)
    if c.amount < 0 and c.verb in OPPOSITE:
        c = replace(c, verb=OPPOSITE[c.verb], amount=-c.amount)
    if c.part in MIDDLE:
        make = MIDDLE[c.part].get(c.verb)
        return named(make(s, c), c, ()) if make else None
    if c.verb in ("spread", "close") and c.part in ("leg", "foot", "knee", "thigh", "shin", "heel"):
        return named(legs.apart(s, c, c.sides or (LEFT, RIGHT)), c, c.sides)
    make = LIMBS.get(c.part, {}).get(c.verb)
    if make is None:
        return None
    sides = c.sides or (choose_side(s, c),)
    return merged([named(make(s, c, o), c, sides) for o in sides])


OPPOSITE = {"raise": "lower", "lower": "raise", "bend": "straighten", "spread": "close", "close": "spread"}


def choose_side(s: Stance, c: Change) -> int:
    """Which side "the arm" is: the one that has more room for the change, the right one if they are alike."""
    joint, root = (20, 16) if c.part in ("arm", "hand", "wrist", "elbow", "forearm") else (7, 1)
    middle = 18 if joint == 20 else 4
    heights = [float(s.p[joint + o, 1]) for o in (LEFT, RIGHT)]
    bends_ = [s.bend(root + o, middle + o, joint + o) for o in (LEFT, RIGHT)]
    left = {
        "raise": heights[0] < heights[1] - 0.1, "lower": heights[0] > heights[1] + 0.1,
        "bend": bends_[0] < bends_[1] - 15, "straighten": bends_[0] > bends_[1] + 15,
    }.get(c.verb, "left" in c.directions)  # fmt: skip
    return LEFT if left else RIGHT


#: How a verb is told of what was moved.
TOLD = {
    "raise": "raised", "lower": "lowered", "bend": "bent", "straighten": "straightened", "stretch": "stretched",
    "turn": "turned", "twist": "twisted", "look": "looking", "lean": "leaning", "bow": "bowed", "nod": "nodding",
    "spread": "apart", "close": "together", "step": "stepping", "kick": "kicking", "tuck": "tucked",
    "arch": "arched", "round": "rounded", "shrug": "shrugged", "move": "moved",
}  # fmt: skip


def named(move: Move, c: Change, sides) -> Move:
    side = "both " if len(sides) == 2 else "" if not sides else ("left ", "right ")[sides[0]]
    part = {"foot": "feet"}.get(c.part, c.part + "s") if len(sides) == 2 else c.part
    amount = "further" if c.amount == 0.7 else "a bit" if 0 < c.amount < 0.7 else ""
    words = (side + part, TOLD.get(c.verb, c.verb), *c.directions, amount)
    move.told = " ".join(word for word in words if word)
    return move


def merged(all_: list[Move]) -> Move:
    """One move of several limbs."""
    joints: dict[int, float] = {}
    for move in all_:
        for j, cost in move.joints.items():
            joints[j] = min(cost, joints.get(j, cost))
    goals = [goal for move in all_ for goal in move.goals]
    return Move(goals, joints, all_[0].told, [goal for move in all_ for goal in move.side_goals])
